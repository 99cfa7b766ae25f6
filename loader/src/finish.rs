//! How a session with the chip ends.

use crate::connect::Loader;
use crate::error::Error;
use crate::event::Event;
use crate::reset::{self, Step};
use larch_protocol::{Command, FlashBegin};
use std::time::Duration;

/// What happens to the chip afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// A reset by these steps of the control lines.
    Reset(Vec<Step>),
    /// The loader is asked to run the program.
    SoftReset,
    /// The chip's watchdog bites; the way to leave download mode entered over USB.
    WatchdogReset,
    /// Nothing: the loader keeps running.
    NoReset,
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
            After::NoReset => Ok(()),
            After::Reset(steps) => {
                if self.by_hand {
                    // The lines may reset nothing: leave the loader as it was found.
                    self.change_baud(crate::connect::ROM_BAUD)?;
                }
                self.observer.event(&Event::Resetting { how: "via RTS pin" });
                // What comes from here on says how the reset went.
                self.link.take_printed();
                Ok(reset::run(self.link.transport(), steps)?)
            }
            After::SoftReset => {
                self.observer.event(&Event::Resetting { how: "by running the program" });
                let encrypt = self.dialect.begin_has_encrypt.then_some(false);
                let begin = FlashBegin { erase_size: 0, blocks: 0, block_size: 0x400, offset: 0, encrypt };
                self.command(&Command::FlashBegin(begin), crate::link::DEFAULT_TIMEOUT)?;
                // The ROM jumps away while it answers.
                Ok(self.link.send(&Command::FlashEnd { stay: false })?)
            }
            After::WatchdogReset => self.watchdog_reset(),
        }
    }

    fn watchdog_reset(&mut self) -> Result<(), Error> {
        let Some(watchdogs) = self.chip.watchdogs.filter(|watchdogs| watchdogs.can_reset_chip) else {
            let why = format!("with the {}; use --after hard-reset", self.chip.name);
            return Err(Error::Unsupported { what: "watchdog-reset".to_owned(), why });
        };
        self.observer.event(&Event::Resetting { how: "with the watchdog" });
        // Stage 0 resets the system (5 in bits 28 to 30), the reset reaches the RTC domain (bit 8), 2000 slow clock ticks.
        const ENABLE: u32 = 1 << 31 | 5 << 28 | 1 << 8 | 2;
        self.write_register(watchdogs.protect, watchdogs.key)?;
        self.write_register(watchdogs.config1, 2000)?;
        self.write_register(watchdogs.config0, ENABLE)?;
        // From here on the chip may be gone before it answers.
        let _ = self.write_register(watchdogs.protect, 0);
        self.link.transport().sleep(Duration::from_millis(500));
        Ok(())
    }
}
