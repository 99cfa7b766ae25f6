//! One board: plain data, no YAML.

use std::fmt;

use crate::suggest;

/// Declares an enum whose values are words in `boards.yaml`.
macro_rules! words {
    ($(#[$outer:meta])* $name:ident ($what:literal) { $($(#[$inner:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$inner])* $variant),+ }

        impl $name {
            /// Every word that may be written.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word as written in `boards.yaml`.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub(crate) fn from_word(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    other => Err(suggest::unknown($what, other, Self::WORDS)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(self.word())
            }
        }
    };
}

words! {
    /// The chip on the board.
    Chip("chip") {
        /// ESP32-C3, RISC-V.
        Esp32c3 = "esp32c3",
        /// ESP32, Xtensa.
        Esp32 = "esp32",
        /// No chip: a program on this machine that speaks a REPL.
        Host = "host",
    }
}

words! {
    /// How the board is reset.
    Reset("reset") {
        /// DTR and RTS drive EN and the strapping pin, as on a development board.
        DtrRts = "dtr-rts",
        /// RTS drives EN; nothing drives the strapping pin.
        Rts = "rts",
        /// The chip's own USB-Serial-JTAG.
        UsbJtag = "usb-jtag",
        /// A person presses the button.
        Manual = "manual",
    }
}

words! {
    /// What selects download mode.
    BootStrap("boot-strap") {
        /// A control line, or the emulator.
        Auto = "auto",
        /// A jumper that a person sets.
        Jumper = "jumper",
    }
}

words! {
    /// How firmware gets onto the board.
    FlashMethod("flash") {
        /// Over the serial port, through the chip's ROM.
        Loader = "loader",
        /// Not at all: whatever is on the board is tested.
        None = "none",
    }
}

/// Which tty a board is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TtyName {
    /// A device path such as `/dev/ttyUSB0` or `/dev/serial/by-id/...`.
    Path(String),
    /// The USB serial number of the adapter.
    SerialNumber(String),
    /// Name of a link in `/dev/serial/by-id`.
    ById(String),
    /// USB vendor and product.
    VidPid(u16, u16),
}

/// Where the board's serial port is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Port {
    /// An emulated board inside this process.
    Emulator,
    /// A serial device of this machine.
    Tty(TtyName),
    /// `rfc2217://host:port`, control lines included.
    Rfc2217(String),
    /// `socket://host:port`: bytes only.
    Socket(String),
    /// A program in a pseudo-terminal, split at blanks.
    Command(Vec<String>),
}

impl fmt::Display for Port {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Emulator => out.write_str("emulator"),
            Self::Tty(TtyName::Path(path)) => out.write_str(path),
            Self::Tty(TtyName::SerialNumber(serial)) => write!(out, "serial number {serial}"),
            Self::Tty(TtyName::ById(name)) => write!(out, "/dev/serial/by-id/{name}"),
            Self::Tty(TtyName::VidPid(vendor, product)) => write!(out, "USB {vendor:04x}:{product:04x}"),
            Self::Rfc2217(address) => write!(out, "rfc2217://{address}"),
            Self::Socket(address) => write!(out, "socket://{address}"),
            Self::Command(words) => write!(out, "program {}", words.join(" ")),
        }
    }
}

/// One board of `boards.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// Its name, the key in the file.
    pub name: String,
    /// Its chip.
    pub chip: Chip,
    /// Where its serial port is.
    pub port: Port,
    /// How it is reset.
    pub reset: Reset,
    /// What selects download mode.
    pub boot_strap: BootStrap,
    /// How it is flashed.
    pub flash: FlashMethod,
    /// Line speed in use once the loader has synchronised, in baud; the REPL always runs at 115200.
    pub flash_baud: u32,
    /// What the board can do beyond what its chip and port tell; scenarios ask with `# requires:`.
    pub capabilities: Vec<String>,
    /// Words to select boards by.
    pub tags: Vec<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Anything a person should know.
    pub notes: Option<String>,
}

impl Board {
    /// True if a scenario that says `# requires: capability` can run here.
    ///
    /// Besides the declared ones, a board has its chip's name, `emulator` if it is one, `board` unless it is a
    /// program of this machine, and `reset` unless a person presses the button.
    #[must_use]
    pub fn can(&self, capability: &str) -> bool {
        match capability {
            "emulator" => self.port == Port::Emulator,
            "board" => self.chip != Chip::Host,
            "reset" => self.reset != Reset::Manual,
            other => other == self.chip.word() || self.capabilities.iter().any(|have| have == other),
        }
    }

    /// True if the "board" is a program of this machine.
    #[must_use]
    pub fn is_program(&self) -> bool {
        matches!(self.port, Port::Command(_))
    }
}
