//! A serial port of the operating system.
//!
//! Pseudo terminals have no control lines (ENOTTY on Linux); that is tolerated, so an emulated board behind a PTY works.

use super::{Lines, Transport};
use serialport::{ClearBuffer, SerialPort};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// How long a write may wait for the port to take bytes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A serial port of the operating system, opened for one process.
pub struct TtyTransport {
    port: Box<dyn SerialPort>,
    start: Instant,
}

impl TtyTransport {
    /// Opens the device exclusively.
    ///
    /// # Errors
    /// `NotFound` if there is no such device, `PermissionDenied` if it may not be opened, `ResourceBusy` if another
    /// program holds it.
    pub fn open(path: &str, baud: u32) -> io::Result<Self> {
        let port = serialport::new(path, baud).timeout(WRITE_TIMEOUT).open().map_err(open_error)?;
        Ok(Self { port, start: Instant::now() })
    }
}

/// The library reports a busy port as a missing device; callers need to tell the two apart.
fn open_error(error: serialport::Error) -> io::Error {
    let busy = error.description.to_lowercase();
    if busy.contains("busy") || busy.contains("lock") || busy.contains("temporarily unavailable") {
        return io::Error::new(io::ErrorKind::ResourceBusy, error.description);
    }
    match error.kind() {
        serialport::ErrorKind::NoDevice => io::Error::new(io::ErrorKind::NotFound, error.description),
        serialport::ErrorKind::Io(kind) => io::Error::new(kind, error.description),
        _ => io::Error::other(error.description),
    }
}

/// Control lines do not exist on pseudo terminals.
fn tolerate_no_lines(result: serialport::Result<()>) -> io::Result<()> {
    match result.map_err(io::Error::from) {
        Err(error) if is_lack_of_lines(&error) => Ok(()),
        other => other,
    }
}

/// ENOTTY or EINVAL, by text where the library dropped the number.
fn is_lack_of_lines(error: &io::Error) -> bool {
    const ENOTTY: i32 = 25;
    const EINVAL: i32 = 22;
    let text = error.to_string();
    matches!(error.raw_os_error(), Some(ENOTTY | EINVAL))
        || text.contains("Inappropriate ioctl")
        || text.contains("Not a typewriter")
        || text.contains("Invalid argument")
}

impl Transport for TtyTransport {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.port.set_timeout(timeout)?;
        match self.port.read(buf) {
            Err(error) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => {
                Ok(0)
            }
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the port was unplugged")),
            other => other,
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.set_timeout(WRITE_TIMEOUT)?;
        self.port.write_all(bytes)
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.port.flush()?;
        self.port.set_baud_rate(baud).map_err(io::Error::from)
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        // DTR first: with both asserted or both released the usual two-transistor circuit pulls neither pin.
        tolerate_no_lines(self.port.write_data_terminal_ready(lines.dtr))?;
        tolerate_no_lines(self.port.write_request_to_send(lines.rts))
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.port.clear(ClearBuffer::Input).map_err(io::Error::from)
    }

    fn sleep(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}
