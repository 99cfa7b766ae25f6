//! Why a chip does not answer, told from what it prints.
//!
//! Pure: text in, one of the situations out, each with its sentence and its outcome code.
//! Sources: the messages of the mask ROMs (their strings are in the ROM images), of ESP-IDF's second-stage bootloader
//! and its brown-out handler.

use std::fmt;

/// What the chip seems to be doing instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Situation {
    /// Not a single byte came.
    Nothing,
    /// Its program runs (or prints): it was not reset into download mode.
    RunningProgram,
    /// Bytes come, but they are no text.
    Garbage,
    /// It resets itself again and again because the supply is weak.
    BrownOut,
    /// The ROM finds no program in flash and tries again and again.
    NoProgram,
    /// Reading flash fails.
    FlashError,
    /// The ROM refuses what is in flash because it is not signed.
    SecureBoot,
    /// Download mode is switched off for good.
    DownloadDisabled,
    /// It is in download mode and has said so, but does not answer: the line to the chip is dead.
    Deaf,
    /// It has been flashed and started in download mode again: the jumper is still on.
    JumperOn,
    /// It has been flashed and waits for somebody to reset it.
    AwaitingReset,
}

/// A situation at one board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What it is.
    pub situation: Situation,
    /// The pin that selects download mode, if the chip is known.
    pub strap: Option<&'static str>,
}

impl Situation {
    /// Tells the situation from everything that the chip printed since it was last asked.
    pub fn of(printed: &[u8]) -> Self {
        if printed.is_empty() {
            return Self::Nothing;
        }
        let text = String::from_utf8_lossy(printed);
        let says = |sign: &str| text.contains(sign);
        let signs: [(Self, &[&str]); 7] = [
            (Self::BrownOut, &["Brownout detector", "BROWNOUT", "BROWN_OUT"]),
            (Self::DownloadDisabled, &["download mode is disabled", "Download mode disabled", "dl disabled"]),
            (Self::SecureBoot, &["secure boot", "Secure boot", "Sig check fail", "signature"]),
            (
                Self::Deaf,
                &["waiting for download", "wait uart0 download", "wait usb download", "DOWNLOAD_BOOT"],
            ),
            (Self::FlashError, &["flash read err", "SPI Flash error", "ets_main.c"]),
            (Self::NoProgram, &["invalid header"]),
            (Self::RunningProgram, &["FLASH_BOOT", "entry 0x", ">>>", "\nI (", "MicroPython"]),
        ];
        if let Some((situation, _)) = signs.iter().find(|(_, signs)| signs.iter().any(|sign| says(sign))) {
            return *situation;
        }
        let readable =
            printed.iter().filter(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | 0x1B | b' '..=b'~')).count();
        if readable * 10 >= printed.len() * 9 { Self::RunningProgram } else { Self::Garbage }
    }

    /// The outcome code.
    pub fn code(self) -> u8 {
        match self {
            Self::Nothing => 20,
            Self::RunningProgram => 21,
            Self::Garbage => 22,
            Self::BrownOut => 23,
            Self::NoProgram => 24,
            Self::FlashError => 25,
            Self::SecureBoot => 26,
            Self::DownloadDisabled => 27,
            Self::Deaf => 28,
            Self::JumperOn => 29,
            Self::AwaitingReset => 19,
        }
    }
}

impl Diagnosis {
    /// The outcome code.
    pub fn code(&self) -> u8 {
        self.situation.code()
    }

    /// What is going on, in one sentence.
    pub fn finding(&self) -> &'static str {
        match self.situation {
            Situation::Nothing => "the chip sends nothing at all",
            Situation::RunningProgram => "the chip is running its program",
            Situation::Garbage => "what the chip sends is no text",
            Situation::BrownOut => "the chip resets itself because its supply voltage breaks down",
            Situation::NoProgram => "the chip finds no program in its flash and keeps resetting",
            Situation::FlashError => "the chip cannot read its flash",
            Situation::SecureBoot => "the chip refuses unsigned programs (secure boot)",
            Situation::DownloadDisabled => "download mode of this chip is switched off for good (eFuse)",
            Situation::Deaf => "the chip is in download mode but does not hear us",
            Situation::JumperOn => "the chip started in download mode again",
            Situation::AwaitingReset => "the chip still runs its loader",
        }
    }

    /// What to do about it, in one sentence.
    pub fn advice(&self) -> String {
        let strap = self.strap.unwrap_or("the boot pin (GPIO0; GPIO9 on C3 and later)");
        match self.situation {
            Situation::Nothing => format!(
                "check power, GND and that TX goes to RX and RX to TX; then connect {strap} to GND and press RESET"
            ),
            Situation::RunningProgram | Situation::NoProgram => {
                format!("connect {strap} to GND and press RESET")
            }
            Situation::Garbage => format!(
                "another program may have set another baud rate, or GND is not connected; \
                 connect {strap} to GND and press RESET"
            ),
            Situation::BrownOut => {
                "feed the board from a stronger 5 V supply or a shorter cable, and press RESET".to_owned()
            }
            Situation::FlashError => {
                format!(
                    "check the flash chip and its voltage; connect {strap} to GND and press RESET to write it"
                )
            }
            Situation::SecureBoot => {
                format!("sign the program; to reach the loader connect {strap} to GND and press RESET")
            }
            Situation::DownloadDisabled => "this chip can only be updated by its own program".to_owned(),
            Situation::Deaf => {
                "check the wire from the adapter's TX to the chip's RX, then press RESET".to_owned()
            }
            Situation::JumperOn => format!("take the jumper off {strap} and press RESET"),
            Situation::AwaitingReset => {
                format!("take the jumper off {strap}, if there is one, and press RESET")
            }
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer: {}; {}", self.finding(), self.advice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", Situation::Nothing)]
    #[case(
        "rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\nentry 0x403ce000\r\n",
        Situation::RunningProgram
    )]
    #[case(">>> ", Situation::RunningProgram)]
    #[case("temperature 21.5\r\n", Situation::RunningProgram)]
    #[case(
        "rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0))\r\nwaiting for download\r\n",
        Situation::Deaf
    )]
    #[case("invalid header: 0xffffffff\r\ninvalid header: 0xffffffff\r\n", Situation::NoProgram)]
    #[case("Brownout detector was triggered\r\n\r\nets Jul 29 2019 12:21:46\r\n", Situation::BrownOut)]
    #[case("flash read err, 1000\r\nets_main.c 371\r\n", Situation::FlashError)]
    fn situations_are_told_by_what_the_chip_prints(#[case] printed: &str, #[case] expected: Situation) {
        assert_eq!(Situation::of(printed.as_bytes()), expected);
    }

    #[test]
    fn noise_is_no_program() {
        assert_eq!(Situation::of(&[0xF8, 0x80, 0x00, 0x78, 0xFE, 0x81]), Situation::Garbage);
    }

    #[test]
    fn every_situation_says_what_to_do() {
        let diagnosis = Diagnosis { situation: Situation::RunningProgram, strap: Some("GPIO0") };
        assert_eq!(
            diagnosis.to_string(),
            "no answer: the chip is running its program; connect GPIO0 to GND and press RESET"
        );
    }
}
