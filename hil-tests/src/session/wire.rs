//! Waiting and listening, each with a limit on the board's own clock, and the record of what came.

use std::io;
use std::time::Duration;

use super::{FLOOD_BYTES, Failure, QUIET, Session, TAIL};
use crate::event::{Mark, SERIAL_KEPT};

/// What came from the board, and where each step begins in it.
#[derive(Debug, Default)]
pub struct Record {
    /// The first bytes.
    pub serial: Vec<u8>,
    /// How many more came.
    pub dropped: u64,
    /// Begins of steps.
    pub marks: Vec<Mark>,
    /// When the record begins, on the board's clock.
    pub(super) begun: Duration,
}

impl Record {
    /// When the record begins, on the board's clock.
    #[must_use]
    pub fn begun(&self) -> Duration {
        self.begun
    }

    fn heard(&mut self, bytes: &[u8]) {
        let room = SERIAL_KEPT.saturating_sub(self.serial.len()).min(bytes.len());
        self.serial.extend_from_slice(&bytes[..room]);
        self.dropped += (bytes.len() - room) as u64;
    }

    pub(super) fn mark(&mut self, line: u32, step: String, now: Duration) {
        let offset = self.serial.len() as u64 + self.dropped;
        let board_ms = u64::try_from(now.saturating_sub(self.begun).as_millis()).unwrap_or(u64::MAX);
        self.marks.push(Mark { line, step, offset, board_ms });
    }
}

impl Session<'_> {
    /// Listens until the condition holds and the line has been quiet.
    pub(super) fn wait(&mut self, limit: Duration, holds: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        let start = self.now();
        let bytes_before = self.step_bytes;
        loop {
            let came = self.read(QUIET)?;
            if came == 0 && holds(self) {
                return Ok(());
            }
            if self.now().saturating_sub(start) >= limit {
                let after = self.last.clone();
                return Err(if self.step_bytes == bytes_before {
                    Failure::Silent { after, limit }
                } else {
                    Failure::NoPrompt { after, limit, line: self.terminal.line() }
                });
            }
        }
    }

    /// Shows whatever comes during a time.
    pub(super) fn listen(&mut self, time: Duration) -> Result<(), Failure> {
        let end = self.now() + time;
        loop {
            let left = end.saturating_sub(self.now());
            if left.is_zero() {
                return Ok(());
            }
            self.read(left.min(QUIET))?;
        }
    }

    pub(super) fn read(&mut self, timeout: Duration) -> Result<usize, Failure> {
        let mut bytes = [0; 1024];
        let count = self.read_raw(&mut bytes, timeout)?;
        self.show(&bytes[..count]);
        Ok(count)
    }

    pub(super) fn read_raw(&mut self, bytes: &mut [u8], timeout: Duration) -> Result<usize, Failure> {
        let count = self.console.port().read(bytes, timeout).map_err(|source| self.closed(source))?;
        self.step_bytes += count;
        self.record.heard(&bytes[..count]);
        if self.step_bytes > FLOOD_BYTES {
            return Err(Failure::Flood { after: self.last.clone() });
        }
        Ok(count)
    }

    pub(super) fn show(&mut self, bytes: &[u8]) {
        self.terminal.feed(bytes);
        self.tail.extend_from_slice(bytes);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.console.port().write_all(bytes).map_err(|source| self.closed(source))
    }

    pub(super) fn closed(&self, source: io::Error) -> Failure {
        Failure::Closed { after: self.last.clone(), source }
    }

    pub(super) fn now(&mut self) -> Duration {
        self.console.port().now()
    }
}
