//! A board whose share of the processor is measured: what is left is the harness's own.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use larch_loader::transport::{Lines, Transport};
use rustix::time::{ClockId, clock_gettime};

use crate::scenario::{AirChange, Fault};
use crate::session::Console;

/// Processor time of this thread.
#[must_use]
pub fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A board and the meter that counts what it costs.
pub struct Metered<C> {
    inner: C,
    spent: Rc<Cell<Duration>>,
}

impl<C: Console + Transport> Metered<C> {
    /// Measures a board; the meter is shared.
    pub fn new(inner: C) -> (Self, Rc<Cell<Duration>>) {
        let spent = Rc::new(Cell::new(Duration::ZERO));
        (Self { inner, spent: Rc::clone(&spent) }, spent)
    }

    fn count<T>(&mut self, act: impl FnOnce(&mut C) -> T) -> T {
        let before = thread_time();
        let result = act(&mut self.inner);
        self.spent.set(self.spent.get() + thread_time().saturating_sub(before));
        result
    }
}

impl<C: Console + Transport> Transport for Metered<C> {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.count(|inner| inner.read(buf, timeout))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.count(|inner| inner.write_all(bytes))
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.inner.set_baud(baud)
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.count(|inner| inner.set_lines(lines))
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.count(Transport::discard_input)
    }

    fn sleep(&mut self, duration: Duration) {
        self.count(|inner| inner.sleep(duration));
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }
}

impl<C: Console + Transport> Console for Metered<C> {
    fn port(&mut self) -> &mut dyn Transport {
        self
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        self.count(Console::hard_reset)
    }

    fn power(&mut self, on: bool) -> io::Result<()> {
        self.count(|inner| inner.power(on))
    }

    fn pin(&mut self, pin: u8, level: Option<bool>) -> io::Result<()> {
        self.inner.pin(pin, level)
    }

    fn air(&mut self, change: &AirChange) -> io::Result<()> {
        self.inner.air(change)
    }

    fn fault(&mut self, fault: &Fault) -> io::Result<()> {
        self.inner.fault(fault)
    }
}
