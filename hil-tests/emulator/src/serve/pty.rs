//! The board behind a pseudo terminal. It has no control lines; the client's rate is taken from the terminal's settings.

use super::socket::wait_for;
use super::{Event, Link};
use crate::board::Input;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The rate of a terminal that no client has set.
const BAUD: u32 = 115_200;
/// Bytes that wait for a client which does not read; older ones are dropped, as a serial adapter does.
const KEPT: usize = 1 << 16;

/// The master side.
pub(super) struct Pty {
    master: File,
    /// Kept open, so that the terminal survives clients that come and go.
    _slave: File,
    path: PathBuf,
    link: Option<PathBuf>,
    baud: u32,
    waiting: Vec<u8>,
}

impl Pty {
    pub(super) fn open(link: Option<&Path>) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let path = PathBuf::from(ptsname(&master, Vec::new())?.into_string().map_err(io::Error::other)?);
        let slave = File::options().read(true).write(true).open(&path)?;
        let mut settings = tcgetattr(&slave)?;
        settings.make_raw();
        settings.set_speed(BAUD)?;
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        let flags = fcntl_getfl(&master)?;
        fcntl_setfl(&master, flags | OFlags::NONBLOCK)?;
        if let Some(link) = link {
            make_link(link, &path)?;
        }
        let link = link.map(Path::to_owned);
        Ok(Self { master: master.into(), _slave: slave, path, link, baud: BAUD, waiting: Vec::new() })
    }

    pub(super) fn address(&self) -> String {
        self.link.as_ref().unwrap_or(&self.path).display().to_string()
    }
}

/// A link that an earlier run left is replaced; anything else is not touched.
fn make_link(link: &Path, target: &Path) -> io::Result<()> {
    if link.is_symlink() {
        std::fs::remove_file(link)?;
    }
    symlink(target, link).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot make the link {}: {error}; name another path", link.display()),
        )
    })
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(link) = &self.link
            && std::fs::read_link(link).is_ok_and(|target| target == self.path)
        {
            // Nothing useful can be done if it cannot be removed.
            let _ = std::fs::remove_file(link);
        }
    }
}

impl Link for Pty {
    fn receive(&mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        let baud = tcgetattr(&self.master)?.output_speed();
        if baud != self.baud && baud != 0 {
            self.baud = baud;
            events.push(Event::Input(Input::Baud(baud)));
        }
        let mut buffer = [0; 512];
        match self.master.read(&mut buffer) {
            Ok(count) if count > 0 => events.push(Event::Input(Input::Bytes(buffer[..count].to_vec()))),
            Err(error)
                if error.kind() != io::ErrorKind::WouldBlock
                    && error.kind() != io::ErrorKind::Interrupted =>
            {
                return Err(error);
            }
            _ => {}
        }
        self.send(&[])?;
        Ok(events)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.waiting.extend(bytes);
        if self.waiting.len() > KEPT {
            self.waiting.drain(..self.waiting.len() - KEPT);
        }
        while !self.waiting.is_empty() {
            match self.master.write(&self.waiting) {
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn wait(&self, timeout: Duration) -> io::Result<()> {
        wait_for(&mut [PollFd::new(&self.master, PollFlags::IN)], timeout)
    }
}
