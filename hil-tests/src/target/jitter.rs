//! Timing that differs from run to run, reproducibly: start-up and line jitter from a seed.
//!
//! A real board boots a little earlier or later, a USB adapter hands bytes over in pieces, a busy machine reads late.
//! None of that may change a transcript.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use larch_loader::transport::{Lines, Transport};

use crate::scenario::{AirChange, Fault};
use crate::session::Console;

/// Longest delay after a reset.
const START_UP: u64 = 60_000;
/// Longest delay between pieces, in microseconds.
const PIECE: u64 = 3_000;

/// A board whose timing is disturbed.
pub struct Jitter {
    /// A console lends its port only for writing; asking for the time is reading.
    inner: RefCell<Box<dyn Console>>,
    state: u64,
}

impl Jitter {
    /// Disturbs a board.
    #[must_use]
    pub fn new(inner: Box<dyn Console>, seed: u64) -> Self {
        Self { inner: RefCell::new(inner), state: seed }
    }

    /// A number below `limit`. Source: Sebastiano Vigna's splitmix64.
    fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % limit.max(1)
    }

    fn pause(&mut self, limit_us: u64) {
        let time = Duration::from_micros(self.below(limit_us));
        self.inner.get_mut().port().sleep(time);
    }
}

impl Transport for Jitter {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.below(4) == 0 {
            self.pause(PIECE);
        }
        let size = (1 + self.below(64)).min(buf.len() as u64);
        let size = usize::try_from(size).unwrap_or(buf.len());
        self.inner.get_mut().port().read(&mut buf[..size], timeout)
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let size = usize::try_from(1 + self.below(16)).unwrap_or(1).min(bytes.len());
            let (piece, rest) = bytes.split_at(size);
            self.inner.get_mut().port().write_all(piece)?;
            self.pause(PIECE);
            bytes = rest;
        }
        Ok(())
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.inner.get_mut().port().set_baud(baud)
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.inner.get_mut().port().set_lines(lines)
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.inner.get_mut().port().discard_input()
    }

    fn sleep(&mut self, duration: Duration) {
        self.inner.get_mut().port().sleep(duration);
    }

    fn now(&self) -> Duration {
        self.inner.borrow_mut().port().now()
    }
}

impl Console for Jitter {
    fn port(&mut self) -> &mut dyn Transport {
        self
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        self.inner.get_mut().hard_reset()?;
        self.pause(START_UP);
        Ok(())
    }

    fn power(&mut self, on: bool) -> io::Result<()> {
        self.inner.get_mut().power(on)?;
        self.pause(START_UP);
        Ok(())
    }

    fn pin(&mut self, pin: u8, level: Option<bool>) -> io::Result<()> {
        self.inner.get_mut().pin(pin, level)
    }

    fn air(&mut self, change: &AirChange) -> io::Result<()> {
        self.inner.get_mut().air(change)
    }

    fn fault(&mut self, fault: &Fault) -> io::Result<()> {
        self.inner.get_mut().fault(fault)
    }
}
