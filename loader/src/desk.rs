//! After flashing a board without reset lines: wait until the person has taken the jumper off and pressed RESET.

use crate::connect::Loader;
use crate::diagnosis::{Diagnosis, Situation};
use crate::error::Error;
use crate::event::Event;
use crate::reach::since_last_reset;
use std::time::Duration;

/// One look at what the chip prints.
const LOOK: Duration = Duration::from_millis(100);
/// After this long without a reset the person is told what to do; a situation must last as long to be reported.
const SETTLED: Duration = Duration::from_millis(600);

impl Loader<'_> {
    /// Waits until the chip boots from flash, telling the person what to do; at most `limit`.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] with what the chip was doing when the time was over.
    pub fn await_program(&mut self, limit: Option<Duration>) -> Result<(), Error> {
        let start = self.link.now();
        let mut printed = Vec::new();
        let mut reported = None;
        let mut changed = start;
        loop {
            self.link.listen(LOOK)?;
            printed.extend(self.link.take_printed());
            let situation = after_flashing(&printed);
            if situation == Situation::RunningProgram {
                return Ok(());
            }
            let now = self.link.now();
            let diagnosis = Diagnosis { situation, strap: Some(self.chip.boot_strap.pin) };
            if reported == Some(situation) {
                changed = now;
            } else if now - changed >= SETTLED {
                self.observer.event(&Event::Waiting(&diagnosis));
                reported = Some(situation);
            }
            if limit.is_some_and(|limit| now - start >= limit) {
                return Err(Error::NoAnswer(diagnosis));
            }
        }
    }
}

/// What the chip does after it has been flashed.
fn after_flashing(printed: &[u8]) -> Situation {
    let latest = since_last_reset(printed);
    let started = latest.windows(b"entry 0x".len()).any(|window| window == b"entry 0x");
    match Situation::of(latest) {
        _ if started => Situation::RunningProgram,
        Situation::Nothing => Situation::AwaitingReset,
        Situation::Deaf => Situation::JumperOn,
        // The banner's first lines: not yet known.
        Situation::RunningProgram => Situation::AwaitingReset,
        // It was reset, and its messages come at another speed (crystal of 26 MHz).
        Situation::Garbage if latest.len() > 64 => Situation::RunningProgram,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", Situation::AwaitingReset)]
    #[case(
        "rst:0x1 (POWERON),boot:0x5 (DOWNLOAD(USB/UART0))\r\nwaiting for download\r\n",
        Situation::JumperOn
    )]
    #[case(
        "waiting for download\r\nrst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n",
        Situation::AwaitingReset
    )]
    #[case(
        "rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\nentry 0x403cc710\r\n",
        Situation::RunningProgram
    )]
    #[case(
        "rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\ninvalid header: 0xffffffff\r\n",
        Situation::NoProgram
    )]
    fn the_boot_messages_say_what_happens(#[case] printed: &str, #[case] expected: Situation) {
        assert_eq!(after_flashing(printed.as_bytes()), expected);
    }
}
