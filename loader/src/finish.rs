//! How a session with the chip ends.

use crate::connect::{Loader, ROM_BAUD};
use crate::error::Error;
use crate::event::Event;
use crate::link::DEFAULT_TIMEOUT;
use crate::reset::{self, Step};
use larch_chips::Watchdogs;
use larch_protocol::{Command, FlashBegin};
use std::time::Duration;

/// How long a chip needs from a software reset to its loader.
const REBOOT: Duration = Duration::from_millis(50);

/// What happens to the chip afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// A reset by these steps of the control lines.
    Reset(Vec<Step>),
    /// The chip's watchdog bites; the way to leave download mode entered over USB.
    WatchdogReset,
    /// The chip stays in its ROM's loader, at the speed that this begins at.
    NoReset,
    /// The stub, if one runs, keeps running, at the speed that a session begins at.
    NoResetStub,
}

impl After {
    /// A pulse on the reset line.
    pub fn hard_reset() -> Self {
        Self::Reset(reset::HARD.to_vec())
    }
}

impl Loader<'_> {
    /// Ends the session.
    ///
    /// # Errors
    /// If the port fails, or the chip cannot be reset in this way.
    pub fn finish(&mut self, after: &After) -> Result<(), Error> {
        match after {
            After::NoReset => self.back_to_rom(),
            After::NoResetStub => self.change_baud(ROM_BAUD),
            After::Reset(steps) => {
                if self.by_hand {
                    // The lines may reset nothing: leave the loader as it was found.
                    self.change_baud(ROM_BAUD)?;
                }
                self.observer.event(&Event::Resetting { how: "via RTS pin" });
                // What comes from here on says how the reset went.
                self.link.take_printed();
                Ok(reset::run(self.link.transport(), steps)?)
            }
            After::WatchdogReset => self.watchdog_reset(),
        }
    }

    /// How the chip gets from its loader to the program in flash: by the reset line, or by its watchdog where somebody
    /// resets it by hand. (The ROM's own command for it, FLASH_END, ends in the loader again, or jumps to address 0.)
    ///
    /// # Errors
    /// If there is no way.
    pub fn way_to_program(&self) -> Result<After, Error> {
        match (self.by_hand, self.watchdogs()) {
            (false, _) => Ok(After::hard_reset()),
            (true, Some(_)) => Ok(After::WatchdogReset),
            (true, None) => {
                let why = format!(
                    "with the {} without reset lines; take the jumper off {} and press RESET",
                    self.chip.name, self.chip.boot_strap.pin
                );
                Err(Error::Unsupported { what: "run".to_owned(), why })
            }
        }
    }

    /// A software reset keeps the strap that was latched: the ROM waits for a download again.
    fn back_to_rom(&mut self) -> Result<(), Error> {
        if self.dialect.is_rom() {
            return self.change_baud(ROM_BAUD);
        }
        let encrypt = self.dialect.begin_has_encrypt.then_some(false);
        let begin = FlashBegin { erase_size: 0, blocks: 0, block_size: 0x400, offset: 0, encrypt };
        self.command(&Command::FlashBegin(begin), DEFAULT_TIMEOUT)?;
        self.link.send(&Command::FlashEnd { stay: false })?;
        self.link.transport().sleep(REBOOT);
        Ok(self.link.transport().set_baud(ROM_BAUD)?)
    }

    fn watchdogs(&self) -> Option<&'static Watchdogs> {
        self.chip.watchdogs.as_ref().filter(|watchdogs| watchdogs.can_reset_chip)
    }

    fn watchdog_reset(&mut self) -> Result<(), Error> {
        let Some(watchdogs) = self.watchdogs() else {
            let why = format!("with the {}; use --after hard-reset", self.chip.name);
            return Err(Error::Unsupported { what: "watchdog-reset".to_owned(), why });
        };
        self.observer.event(&Event::Resetting { how: "with the watchdog" });
        // Stage 0 resets the system and the RTC domain (4 in bits 28 to 30), the whole chip (bit 8, its length in bits 0 to 7).
        const ENABLE: u32 = 1 << 31 | 4 << 28 | 1 << 8 | 2;
        // Slow clock ticks until then.
        const TICKS: u32 = 2000;
        self.write_register(watchdogs.protect, watchdogs.key)?;
        self.write_register(watchdogs.config1, TICKS)?;
        self.write_register(watchdogs.config0, ENABLE)?;
        // From here on the chip may be gone before it answers.
        let _ = self.write_register(watchdogs.protect, 0);
        self.link.transport().sleep(Duration::from_millis(500));
        Ok(())
    }
}
