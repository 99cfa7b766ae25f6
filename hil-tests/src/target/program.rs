//! A "board" that is a program of this machine in a pseudo-terminal: real MicroPython, the judge of our transcripts.
//!
//! The program runs in a directory of its own, which stands for the flash: it survives a reset (the program is ended
//! and started again) and is removed at the end. Unix only, through `rustix` and util-linux's `setsid`, which gives
//! the program its controlling terminal so that Ctrl-C reaches it as a signal.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use larch_loader::transport::{Lines, Transport};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::session::Console;

/// How long the program may leave its input unread.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// A program in a pseudo-terminal, and the directory it runs in.
pub struct Program {
    command: Vec<String>,
    directory: PathBuf,
    running: Option<Running>,
    start: Instant,
}

struct Running {
    child: Child,
    terminal: File,
}

impl Program {
    /// A program that [`Console::hard_reset`] starts; `directory` is made empty.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn new(command: &[String], directory: &Path) -> io::Result<Self> {
        if directory.exists() {
            std::fs::remove_dir_all(directory)?;
        }
        std::fs::create_dir_all(directory)?;
        let (command, directory) = (command.to_vec(), directory.to_path_buf());
        Ok(Self { command, directory, running: None, start: Instant::now() })
    }

    /// The process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // It may have ended by itself; there is nothing to do about a failure here.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }

    fn running(&mut self) -> io::Result<&mut Running> {
        self.running
            .as_mut()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "the program is not running"))
    }
}

impl Running {
    fn start(command: &[String], directory: &Path) -> io::Result<Self> {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        // A program that held our side too would never see us go.
        fcntl_setfd(&terminal, FdFlags::CLOEXEC)?;
        grantpt(&terminal)?;
        unlockpt(&terminal)?;
        let name = ptsname(&terminal, Vec::new())?;
        let side = File::options().read(true).write(true).open(name.to_string_lossy().as_ref())?;
        // While a program runs the terminal would echo Ctrl-C as `^C`; a serial port does not.
        let mut modes = tcgetattr(&side)?;
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&side, OptionalActions::Now, &modes)?;
        let child = kept_on_a_leash(command)
            .args(command)
            .current_dir(directory)
            .env("TERM", "dumb")
            .env_remove("MICROPYPATH")
            .env("HOME", directory)
            .stdin(Stdio::from(OwnedFd::from(side.try_clone()?)))
            .stdout(Stdio::from(OwnedFd::from(side.try_clone()?)))
            .stderr(Stdio::from(OwnedFd::from(side)))
            .spawn()?;
        Ok(Self { child, terminal: File::from(terminal) })
    }

    fn ready(&self, flags: PollFlags, timeout: Duration) -> io::Result<bool> {
        let seconds = i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX);
        let timeout = Timespec { tv_sec: seconds, tv_nsec: timeout.subsec_nanos().into() };
        Ok(poll(&mut [PollFd::new(&self.terminal, flags)], Some(&timeout))? > 0)
    }
}

impl Transport for Program {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let running = self.running()?;
        if !running.ready(PollFlags::IN, timeout)? {
            return Ok(0);
        }
        let ended = || io::Error::new(io::ErrorKind::UnexpectedEof, "the program ended");
        match running.terminal.read(buf) {
            Ok(0) => Err(ended()),
            Ok(count) => Ok(count),
            // Linux says EIO once the other side of a pseudo-terminal is closed.
            Err(_) => Err(ended()),
        }
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let running = self.running()?;
        while !bytes.is_empty() {
            if !running.ready(PollFlags::OUT, WRITE_LIMIT)? {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the program does not read its input"));
            }
            let count = running.terminal.write(bytes)?;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn set_lines(&mut self, _: Lines) -> io::Result<()> {
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        let mut bytes = [0; 1024];
        while self.read(&mut bytes, Duration::ZERO)? > 0 {}
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Console for Program {
    fn port(&mut self) -> &mut dyn Transport {
        self
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        self.power(false)?;
        self.power(true)
    }

    fn power(&mut self, on: bool) -> io::Result<()> {
        self.stop();
        if on {
            self.running = Some(Running::start(&self.command, &self.directory)?);
        }
        Ok(())
    }
}

/// A command that ends when this process does, `kill -9` included: the kernel sends it a signal where util-linux's
/// `setpriv` can ask for it, and elsewhere the end of its terminal does.
pub(super) fn kept_on_a_leash(command: &[String]) -> Command {
    debug_assert!(!command.is_empty(), "boards.yaml has no empty commands");
    let has_setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].iter().any(|path| Path::new(path).exists());
    if has_setpriv {
        let mut leash = Command::new("setpriv");
        leash.args(["--pdeathsig", "KILL", "setsid", "--ctty"]);
        leash
    } else {
        let mut leash = Command::new("setsid");
        leash.arg("--ctty");
        leash
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.stop();
        // What is left in the build directory is overwritten by the next run.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
