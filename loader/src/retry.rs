//! Sending again what the line damaged.

use crate::connect::Loader;
use crate::error::Error;
use crate::event::Event;
use std::time::Duration;

/// How often a command is sent before it is given up.
const TRIES: u32 = 3;
/// Silence after which a line counts as quiet again.
const QUIET: Duration = Duration::from_millis(100);

impl Loader<'_> {
    /// Runs a command again if the line damaged it.
    pub(crate) fn with_retries<T>(
        &mut self,
        mut run: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut tries = 1;
        loop {
            match run(self) {
                Err(error) if tries < TRIES && error.is_line_error() => {
                    self.observer.event(&Event::Retry { what: &error.to_string() });
                    tries += 1;
                    self.quieten()?;
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
