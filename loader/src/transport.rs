//! The byte stream to a chip: a tty, a TCP socket, an RFC 2217 server, or an emulated board in process.
//!
//! Invariants: a transport has one clock, its own ([`Transport::now`]), and every wait is measured by it, so that the
//! loader runs unchanged (and reproducibly) in simulated time. Reading never blocks longer than asked.
//! Source of the URL forms: pySerial's URL handlers (`socket://`, `rfc2217://`), which esptool's users know.

mod replay;
mod returning;
mod rfc2217;
mod tcp;
pub mod trace;
mod tty;

pub use replay::{Divergence, Replayed};
pub use returning::{Open, Returning};
pub use rfc2217::Rfc2217Transport;
pub use tcp::TcpTransport;
pub use tty::TtyTransport;

use std::io;
use std::ops::DerefMut;
use std::time::Duration;

/// The two control lines that reset circuits use. `true` is asserted, which is 0 V at the adapter's pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lines {
    /// Data Terminal Ready: on development boards it pulls the boot strap (GPIO0, GPIO9) low.
    pub dtr: bool,
    /// Request To Send: on development boards it pulls the chip's enable pin (reset) low.
    pub rts: bool,
}

/// A byte stream to a chip with control lines and a clock.
pub trait Transport {
    /// Reads what has arrived, waiting at most `timeout` in the transport's own time; 0 means nothing came.
    ///
    /// # Errors
    /// If the port is gone.
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize>;

    /// Sends all bytes, or queues them for sending.
    ///
    /// # Errors
    /// If the port is gone or does not take the bytes within a limit.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Sets the speed of both directions in bits per second, after what was written has left.
    ///
    /// # Errors
    /// If the port cannot run at this speed.
    fn set_baud(&mut self, baud: u32) -> io::Result<()>;

    /// Drives both control lines. A port that has none (a PTY, a plain socket) ignores this.
    ///
    /// # Errors
    /// If the port is gone.
    fn set_lines(&mut self, lines: Lines) -> io::Result<()>;

    /// Throws away what has arrived and was not read.
    ///
    /// # Errors
    /// If the port is gone.
    fn discard_input(&mut self) -> io::Result<()>;

    /// Waits; in simulated time where the board is emulated.
    fn sleep(&mut self, duration: Duration);

    /// Time since some start, on the same clock as `sleep` and the time-outs.
    fn now(&self) -> Duration;
}

/// Whatever leads to a transport is one: a box, a borrow.
impl<P: DerefMut<Target: Transport>> Transport for P {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        (**self).read(buf, timeout)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        (**self).write_all(bytes)
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        (**self).set_baud(baud)
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        (**self).set_lines(lines)
    }

    fn discard_input(&mut self) -> io::Result<()> {
        (**self).discard_input()
    }

    fn sleep(&mut self, duration: Duration) {
        (**self).sleep(duration);
    }

    fn now(&self) -> Duration {
        (**self).now()
    }
}

/// Opens what a `--port` names: `socket://host:port`, `rfc2217://host:port`, or a device such as `/dev/ttyUSB0`, `COM6`.
///
/// # Errors
/// If the port does not exist, is in use, or the host does not answer.
pub fn open(port: &str, baud: u32) -> io::Result<Box<dyn Transport>> {
    if let Some(address) = port.strip_prefix("socket://") {
        Ok(Box::new(TcpTransport::connect(without_query(address))?))
    } else if let Some(address) = port.strip_prefix("rfc2217://") {
        Ok(Box::new(Rfc2217Transport::connect(without_query(address), baud)?))
    } else {
        Ok(Box::new(TtyTransport::open(port, baud)?))
    }
}

/// pySerial's options (`?ign_set_control`, `?logging=debug`) are not needed here and are accepted.
fn without_query(address: &str) -> &str {
    let end = address.find(['?', '/']).unwrap_or(address.len());
    &address[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pyserial_options_are_ignored() {
        assert_eq!(without_query("lab:4000?ign_set_control"), "lab:4000");
        assert_eq!(without_query("lab:4000/?logging=debug"), "lab:4000");
        assert_eq!(without_query("[::1]:4000"), "[::1]:4000");
    }

    #[test]
    fn a_missing_tty_is_an_error() {
        let error = open("/dev/larch-no-such-port", 115_200).err().expect("no such port");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
