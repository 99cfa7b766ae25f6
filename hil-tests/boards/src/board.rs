//! One board: plain data, no YAML.

use std::fmt;

use crate::air::AccessPoint;
use crate::parts::{Image, Power, Probe, Quarantine, Wire};
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

            /// What a word means.
            ///
            /// # Errors
            /// The words that there are.
            pub fn from_word(word: &str) -> Result<Self, String> {
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
        /// ESP32-S2, Xtensa.
        Esp32s2 = "esp32s2",
        /// ESP32-S3, Xtensa.
        Esp32s3 = "esp32s3",
        /// ESP32-C2, RISC-V.
        Esp32c2 = "esp32c2",
        /// ESP32-C5, RISC-V.
        Esp32c5 = "esp32c5",
        /// ESP32-C6, RISC-V.
        Esp32c6 = "esp32c6",
        /// ESP32-C61, RISC-V.
        Esp32c61 = "esp32c61",
        /// ESP32-H2, RISC-V.
        Esp32h2 = "esp32h2",
        /// ESP32-P4, RISC-V.
        Esp32p4 = "esp32p4",
        /// QEMU's riscv32 `virt` machine.
        VirtRv32 = "virt-rv32",
        /// Arm's MPS2 board with image AN386, as QEMU has it: a Cortex-M4F.
        Mps2An386 = "mps2-an386",
        /// STM32F405, a Cortex-M4F.
        Stm32f405 = "stm32f405",
        /// nRF52840, a Cortex-M4F.
        Nrf52840 = "nrf52840",
        /// RP2040, two Cortex-M0+.
        Rp2040 = "rp2040",
        /// Another Arm Cortex-M that a debug probe flashes; `probe` names it.
        CortexM = "cortex-m",
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
        /// Through a debug probe, by the `probe-rs` program.
        ProbeRs = "probe-rs",
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
    /// No serial port: RTT, through the debug probe that flashes the board.
    Rtt,
    /// The same with an emulated board and an emulated probe.
    EmulatedRtt,
    /// A serial device of this machine.
    Tty(TtyName),
    /// `rfc2217://host:port`, control lines included.
    Rfc2217(String),
    /// `socket://host:port`: bytes only.
    Socket(String),
    /// A place that labgrid's coordinator knows; reserved while it is used.
    Labgrid {
        /// Its name.
        place: String,
        /// `host:port` of the coordinator; `None`: as the environment says.
        coordinator: Option<String>,
    },
    /// A program in a pseudo-terminal, split at blanks.
    Command(Vec<String>),
    /// QEMU in a pseudo-terminal: program and arguments, split at blanks; `{firmware}` and `{storage}` stand for files.
    Qemu(Vec<String>),
    /// Another emulator: `{flash}`, `{firmware}` and `{storage}` stand for files. With `{tcp-port}` its serial port is
    /// that TCP port of this machine, else its standard input and output.
    External(Vec<String>),
}

impl Port {
    /// True if every use starts a board of its own, so that several can run at once.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.is_emulated() || matches!(self, Self::Command(_) | Self::Qemu(_) | Self::External(_))
    }

    /// True if the board is emulated inside this process.
    #[must_use]
    pub fn is_emulated(&self) -> bool {
        matches!(self, Self::Emulator | Self::EmulatedRtt)
    }

    /// True if the terminal is RTT.
    #[must_use]
    pub fn is_rtt(&self) -> bool {
        matches!(self, Self::Rtt | Self::EmulatedRtt)
    }

    /// The command that is started; empty if none is.
    #[must_use]
    pub fn words(&self) -> &[String] {
        match self {
            Self::Command(words) | Self::Qemu(words) | Self::External(words) => words,
            _ => &[],
        }
    }

    /// The program that is started, if one is.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        self.words().first().map(String::as_str)
    }
}

impl fmt::Display for Port {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Emulator => out.write_str("emulator"),
            Self::Rtt => out.write_str("RTT"),
            Self::EmulatedRtt => out.write_str("RTT through an emulated probe"),
            Self::Tty(TtyName::Path(path)) => out.write_str(path),
            Self::Tty(TtyName::SerialNumber(serial)) => write!(out, "serial number {serial}"),
            Self::Tty(TtyName::ById(name)) => write!(out, "/dev/serial/by-id/{name}"),
            Self::Tty(TtyName::VidPid(vendor, product)) => write!(out, "USB {vendor:04x}:{product:04x}"),
            Self::Rfc2217(address) => write!(out, "rfc2217://{address}"),
            Self::Socket(address) => write!(out, "socket://{address}"),
            Self::Labgrid { place, .. } => write!(out, "labgrid place {place}"),
            Self::Command(words) => write!(out, "program {}", words.join(" ")),
            Self::Qemu(words) => write!(out, "QEMU ({})", words[0]),
            Self::External(words) => write!(out, "emulator {}", words[0]),
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
    /// What is flashed instead of our firmware.
    pub image: Option<Image>,
    /// The debug probe of a board that `probe-rs` flashes.
    pub probe: Option<Probe>,
    /// How its power is switched.
    pub power: Option<Power>,
    /// Access points in its reach, best first.
    pub access_points: Vec<AccessPoint>,
    /// Wires between its pins, and to pins of its peers.
    pub pins: Vec<Wire>,
    /// Other boards beside it, by the name that scenarios call them: `second` to `c3-devkit-2`.
    pub peers: Vec<(String, String)>,
    /// Failures that are known.
    pub quarantine: Vec<Quarantine>,
    /// The board of the file of which this is a copy, made by [`Board::copy`].
    pub copy_of: Option<String>,
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
            // Another emulator is ended and started again; its flash is a file.
            "power" => {
                matches!(self.port, Port::Emulator | Port::Qemu(_) | Port::External(_))
                    || self.power.as_ref().is_some_and(Power::is_automatic)
            }
            "wifi" => !self.access_points.is_empty() || self.declares("wifi"),
            // Pins can be driven from outside only where the outside is simulated.
            "pins" => self.port == Port::Emulator,
            "ap" => self.port == Port::Emulator && !self.access_points.is_empty(),
            other => {
                other == self.chip.word()
                    || self.declares(other)
                    || self.peers.iter().any(|(role, _)| role == other)
                    || self.pins.iter().any(|wire| wire.capability() == other)
            }
        }
    }

    fn declares(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|have| have == capability)
    }

    /// A further board of the same description, as if the file had it; only for boards that are started.
    #[must_use]
    pub fn copy(&self, number: usize) -> Self {
        let (name, copy_of) = (format!("{}-{number}", self.name), Some(self.name.clone()));
        Self { name, copy_of, ..self.clone() }
    }

    /// True if it runs the firmware of this repository, which must answer as the snapshots say.
    #[must_use]
    pub fn runs_ours(&self) -> bool {
        let given = |words: &[String]| {
            words.iter().any(|word| word.contains("{firmware}") || word.contains("{flash}"))
        };
        let started = match &self.port {
            Port::Qemu(words) | Port::External(words) => given(words),
            _ => false,
        };
        self.image.is_none() && (started || self.flash != FlashMethod::None)
    }

    /// What stands for this board whoever describes it: two entries with one identity are one board.
    #[must_use]
    pub fn identity(&self) -> String {
        match &self.port {
            port if port.is_started() => format!("started {}", self.name),
            Port::Rtt => {
                let selector = self.probe.as_ref().and_then(|probe| probe.selector.as_deref());
                format!("debug probe {}", selector.unwrap_or_default())
            }
            port => port.to_string(),
        }
    }

    /// The first quarantine entry for a scenario that has not expired on that day, written `2026-12-31`.
    #[must_use]
    pub fn quarantined(&self, scenario: &str, today: &str) -> Option<&Quarantine> {
        self.quarantine.iter().find(|entry| entry.covers(scenario) && today <= entry.until.as_str())
    }

    /// The first quarantine entry for a scenario that has expired before that day.
    #[must_use]
    pub fn quarantine_expired(&self, scenario: &str, today: &str) -> Option<&Quarantine> {
        self.quarantine.iter().find(|entry| entry.covers(scenario) && today > entry.until.as_str())
    }

    /// True if the "board" is a program of this machine.
    #[must_use]
    pub fn is_program(&self) -> bool {
        matches!(self.port, Port::Command(_))
    }
}
