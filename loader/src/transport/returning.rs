//! A port that vanishes and comes back: the chip's own USB port when the chip is reset, an adapter that is unplugged to take
//! the board's power away.
//!
//! While it is away it is a silent line: what is written is lost, the control lines do nothing, nothing comes. Callers have
//! time-outs and know what to do about silence. Only a port that stays away is an error.

use super::{Lines, Transport};
use std::io;
use std::time::{Duration, Instant};

/// How long a port may be away.
const LONGEST_ABSENCE: Duration = Duration::from_secs(60);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Opens the port anew at a speed.
pub type Open = Box<dyn FnMut(u32) -> io::Result<Box<dyn Transport>>>;

/// A port that is opened again when it was lost.
pub struct Returning {
    port: Option<Box<dyn Transport>>,
    open: Open,
    baud: u32,
    start: Instant,
    lost: Option<(Instant, io::Error)>,
}

impl Returning {
    /// Opens the port; that it is missing now is an error.
    ///
    /// # Errors
    /// What opening it says.
    pub fn new(mut open: Open, baud: u32) -> io::Result<Self> {
        let port = Some(open(baud)?);
        Ok(Self { port, open, baud, start: Instant::now(), lost: None })
    }

    /// Does something with the port. A port that is away, or vanishes now, gives `silence`.
    fn with<T>(
        &mut self,
        silence: T,
        act: impl FnOnce(&mut dyn Transport) -> io::Result<T>,
    ) -> io::Result<T> {
        self.look()?;
        let Some(port) = &mut self.port else { return Ok(silence) };
        match act(&mut **port) {
            Err(error) if is_gone(&error) => {
                self.port = None;
                self.lost = Some((Instant::now(), error));
                Ok(silence)
            }
            other => other,
        }
    }

    /// Looks whether the port is back.
    fn look(&mut self) -> io::Result<()> {
        if self.port.is_some() {
            return Ok(());
        }
        if let Ok(port) = (self.open)(self.baud) {
            (self.port, self.lost) = (Some(port), None);
            return Ok(());
        }
        match &self.lost {
            Some((since, error)) if since.elapsed() > LONGEST_ABSENCE => {
                Err(io::Error::new(error.kind(), error.to_string()))
            }
            _ => Ok(()),
        }
    }
}

/// Whether the device is no longer there, as systems say it.
fn is_gone(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    const ENXIO: i32 = 6;
    const ENODEV: i32 = 19;
    use io::ErrorKind::{
        BrokenPipe, ConnectionReset, NotConnected, NotFound, PermissionDenied, UnexpectedEof,
    };
    matches!(
        error.kind(),
        BrokenPipe | ConnectionReset | NotConnected | NotFound | PermissionDenied | UnexpectedEof
    ) || matches!(error.raw_os_error(), Some(EIO | ENXIO | ENODEV))
        || error.to_string().contains("Input/output error")
}

impl Transport for Returning {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let count = self.with(0, |port| port.read(buf, left))?;
            if count > 0 || self.port.is_some() || left.is_zero() {
                return Ok(count);
            }
            std::thread::sleep(LOOK.min(left));
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.with((), |port| port.write_all(bytes))
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.baud = baud;
        self.with((), |port| port.set_baud(baud))
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.with((), |port| port.set_lines(lines))
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.with((), |port| port.discard_input())
    }

    fn sleep(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// What happens to the device, in order: a missing one cannot be opened.
    #[derive(Default)]
    struct Desk {
        missing: bool,
        speeds: Vec<u32>,
        written: Vec<u8>,
    }

    struct Device(Rc<RefCell<Desk>>);

    impl Device {
        fn here(&self) -> io::Result<()> {
            if self.0.borrow().missing { Err(io::Error::from(io::ErrorKind::BrokenPipe)) } else { Ok(()) }
        }
    }

    impl Transport for Device {
        fn read(&mut self, buf: &mut [u8], _timeout: Duration) -> io::Result<usize> {
            self.here()?;
            buf[0] = b'!';
            Ok(1)
        }

        fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.here()?;
            self.0.borrow_mut().written.extend(bytes);
            Ok(())
        }

        fn set_baud(&mut self, baud: u32) -> io::Result<()> {
            self.here()?;
            self.0.borrow_mut().speeds.push(baud);
            Ok(())
        }

        fn set_lines(&mut self, _lines: Lines) -> io::Result<()> {
            self.here()
        }

        fn discard_input(&mut self) -> io::Result<()> {
            self.here()
        }

        fn sleep(&mut self, _duration: Duration) {}

        fn now(&self) -> Duration {
            Duration::ZERO
        }
    }

    fn port(desk: &Rc<RefCell<Desk>>) -> io::Result<Returning> {
        let desk = desk.clone();
        let open = move |baud| -> io::Result<Box<dyn Transport>> {
            let device = Device(desk.clone());
            device.here()?;
            desk.borrow_mut().speeds.push(baud);
            Ok(Box::new(device))
        };
        Returning::new(Box::new(open), 115_200)
    }

    #[test]
    fn a_port_that_vanishes_is_silent_and_goes_on_at_its_speed_when_it_is_back() {
        let desk = Rc::new(RefCell::new(Desk::default()));
        let mut port = port(&desk).unwrap();
        port.write_all(b"a").unwrap();
        desk.borrow_mut().missing = true;
        port.write_all(b"b").unwrap();
        port.set_baud(921_600).unwrap();
        port.set_lines(Lines::default()).unwrap();
        assert_eq!(port.read(&mut [0; 4], Duration::from_millis(1)).unwrap(), 0);
        desk.borrow_mut().missing = false;
        port.write_all(b"c").unwrap();
        assert_eq!(port.read(&mut [0; 4], Duration::from_millis(1)).unwrap(), 1);
        assert_eq!(
            (desk.borrow().written.as_slice(), desk.borrow().speeds.as_slice()),
            (&b"ac"[..], &[115_200, 921_600][..])
        );
    }

    #[test]
    fn a_port_that_was_never_there_is_an_error() {
        let desk = Rc::new(RefCell::new(Desk { missing: true, ..Desk::default() }));
        assert!(port(&desk).is_err());
    }
}
