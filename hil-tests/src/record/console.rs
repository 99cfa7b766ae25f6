//! A board whose port is recorded, and one that a record plays.
//!
//! What happens beside the port (power, pins, access points, faults) is a remark in the record: a replay does not do it,
//! since its effects on the port are in the record.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use larch_boards::Reset;
use larch_loader::transport::trace::{self, Entry, Traced};
use larch_loader::transport::{Lines, Replayed, Transport};

use crate::scenario::{AirChange, Fault};
use crate::session::Console;
use crate::target::serial::reset_by;

/// Bytes of a tape; what comes later is not recorded.
const LIMIT: usize = 48 * 1024 * 1024;

/// Where a session is recorded, in memory until it is written whole.
#[derive(Clone, Default)]
pub struct Tape(Arc<Mutex<Vec<u8>>>);

impl Tape {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same console, recorded; a board with reset wires is reset through its recorded port.
    #[must_use]
    pub fn console(&self, inner: Box<dyn Console>, wires: Option<Reset>) -> Box<dyn Console> {
        Box::new(Recorded { inner, tape: self.clone(), wires, now: Duration::ZERO })
    }

    /// The same port, recorded.
    pub fn port<'a>(&self, inner: Box<dyn Transport + 'a>) -> Box<dyn Transport + 'a> {
        Box::new(Traced::new(inner, self.clone()))
    }

    /// What is on it; whole lines.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock()).into_owned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, port: &mut dyn Transport, entry: &Entry) {
        // A tape is memory: it takes everything up to its limit.
        let _ = trace::write(&mut self.clone(), port.now(), entry);
    }
}

impl Write for Tape {
    /// A line is there as a whole or not at all.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut tape = self.lock();
        if tape.len() < LIMIT || !tape.ends_with(b"\n") {
            tape.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes down what passes.
struct Recorded {
    inner: Box<dyn Console>,
    tape: Tape,
    wires: Option<Reset>,
    now: Duration,
}

impl Recorded {
    fn remark(&mut self, what: &str) {
        self.tape.note(self.inner.port(), &Entry::Mark(what.to_owned()));
    }

    /// The port beneath, recorded; its clock is looked at whenever it is used.
    fn traced<R>(&mut self, use_it: impl FnOnce(&mut Traced<&mut dyn Transport, Tape>) -> R) -> R {
        let mut traced = Traced::new(self.inner.port(), self.tape.clone());
        let result = use_it(&mut traced);
        self.now = traced.now();
        result
    }
}

impl Console for Recorded {
    fn port(&mut self) -> &mut dyn Transport {
        self.now = self.inner.port().now();
        self
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        if let Some(wires) = self.wires {
            return reset_by(self, wires);
        }
        self.tape.note(self.inner.port(), &Entry::Reset);
        self.inner.hard_reset()
    }

    fn power(&mut self, on: bool) -> io::Result<()> {
        self.remark(if on { "power on" } else { "power off" });
        self.inner.power(on)
    }

    fn pin(&mut self, pin: u8, level: Option<bool>) -> io::Result<()> {
        self.remark(&format!("pin {pin} {level:?}"));
        self.inner.pin(pin, level)
    }

    fn air(&mut self, change: &AirChange) -> io::Result<()> {
        self.remark(&change.to_string());
        self.inner.air(change)
    }

    fn fault(&mut self, fault: &Fault) -> io::Result<()> {
        self.remark(&format!("{fault:?}"));
        self.inner.fault(fault)
    }
}

impl Transport for Recorded {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.traced(|port| port.read(buf, timeout))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.traced(|port| port.write_all(bytes))
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.traced(|port| port.set_baud(baud))
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.traced(|port| port.set_lines(lines))
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.traced(|port| port.discard_input())
    }

    fn sleep(&mut self, duration: Duration) {
        self.traced(|port| port.sleep(duration));
    }

    fn now(&self) -> Duration {
        self.now
    }
}

/// A board that a record plays: reset by the wires that the recorded board had, or by its button.
pub(super) struct Played {
    port: Replayed,
    wires: Option<Reset>,
}

impl Played {
    pub(super) fn new(port: Replayed, wires: Option<Reset>) -> Self {
        Self { port, wires }
    }

    /// Where the harness did something else than then, or stopped early.
    pub(super) fn divergence(&self) -> Option<String> {
        self.port.divergence().found().or_else(|| self.port.rest())
    }
}

impl Console for Played {
    fn port(&mut self) -> &mut dyn Transport {
        &mut self.port
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        match self.wires {
            Some(wires) => reset_by(&mut self.port, wires),
            None => self.port.reset(),
        }
    }

    // What is done beside the port has its effects in the record.

    fn power(&mut self, _on: bool) -> io::Result<()> {
        Ok(())
    }

    fn pin(&mut self, _pin: u8, _level: Option<bool>) -> io::Result<()> {
        Ok(())
    }

    fn air(&mut self, _change: &AirChange) -> io::Result<()> {
        Ok(())
    }

    fn fault(&mut self, _fault: &Fault) -> io::Result<()> {
        Ok(())
    }
}
