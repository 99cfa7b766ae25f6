//! What a board must do to be lent to programs that know nothing of it ([`crate::serve`]).

use crate::board::{Board, Input};
use crate::time::{duration, ticks};
use std::io;
use std::path::Path;
use std::time::Duration;

/// Such a board.
pub trait Lent {
    /// Simulated time.
    fn time(&self) -> Duration;
    /// Lets time pass until then.
    fn run_until(&mut self, until: Duration);
    /// The access at which strict mode stopped the chip.
    fn stopped(&self) -> Option<String>;
    /// What the chip has said since the last call.
    fn take_output(&mut self) -> Vec<u8>;
    /// Line time of the bytes that are on their way to the chip.
    fn backlog(&self) -> Duration;
    /// Does what the outside did, now.
    fn apply(&mut self, input: Input);
    /// Whether the flash contents have changed since the last call.
    fn take_flash_changed(&mut self) -> bool;
    /// Writes the flash contents to `path`; the file is whole at every moment.
    ///
    /// # Errors
    /// If the file cannot be written.
    fn save_flash(&self, path: &Path) -> io::Result<()>;
}

impl Lent for Board {
    fn time(&self) -> Duration {
        duration(self.now_ticks())
    }

    fn run_until(&mut self, until: Duration) {
        self.advance(ticks(until));
    }

    fn stopped(&self) -> Option<String> {
        self.stopped_at().map(ToString::to_string)
    }

    fn take_output(&mut self) -> Vec<u8> {
        Board::take_output(self)
    }

    fn backlog(&self) -> Duration {
        Board::backlog(self)
    }

    fn apply(&mut self, input: Input) {
        Board::apply(self, input);
    }

    fn take_flash_changed(&mut self) -> bool {
        self.chip_mut().take_flash_changed()
    }

    fn save_flash(&self, path: &Path) -> io::Result<()> {
        Board::save_flash(self, path)
    }
}
