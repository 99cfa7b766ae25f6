//! Sending again what the line damaged.
//!
//! A command that reached the chip with other bytes than were sent is refused for any reason, or done otherwise; so whatever
//! may be done twice is sent again after any refusal. Between two tries SYNC tells whether still the same loader answers.

use crate::connect::Loader;
use crate::error::Error;
use crate::event::Event;
use std::time::Duration;

/// How often a command is sent before it is given up.
const TRIES: u32 = 5;
/// Silence after which a line counts as quiet again.
const QUIET: Duration = Duration::from_millis(100);

impl Loader<'_> {
    /// Runs a command that may be done twice again if the line may have damaged it.
    pub(crate) fn with_retries<T>(
        &mut self,
        mut run: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut tries = 1;
        loop {
            match run(self) {
                Err(error) if tries < TRIES && error.is_worth_another_try() => {
                    self.observer.event(&Event::Retry { what: &error.to_string() });
                    tries += 1;
                    self.resynchronise()?;
                    if matches!(error, Error::Refused { .. }) && self.remind_of_flash().is_err() {
                        self.resynchronise()?;
                    }
                }
                other => return other,
            }
        }
    }

    /// Lets late answers come and drops them, and ends any frame that the chip is still collecting.
    pub(crate) fn quieten(&mut self) -> Result<(), Error> {
        self.link.transport().write_all(&[larch_protocol::slip::END])?;
        self.link.listen(QUIET)?;
        Ok(self.link.discard()?)
    }

    /// Brings both sides into step again.
    pub(crate) fn resynchronise(&mut self) -> Result<(), Error> {
        self.quieten()?;
        self.answers_sync()?;
        self.quieten()
    }
}
