//! A board whose terminal is RTT, through its debug probe: a real one, or an emulated one with an emulated probe.
//!
//! An emulated board computes more slowly than a real one, and waits faster. Its clock here is the slower one of its own and that on
//! the wall, so that limits are long enough for both, however busy the machine is.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use larch_emulator::mcu::AnyBoard;
use larch_emulator::probe::serve::Served;
use larch_loader::transport::{Lines, Transport};

use crate::probe::{Connection, Terminal};
use crate::session::Console;

/// How probe-rs names a Glasgow probe behind a TCP port.
const EMULATED_PROBE: &str = "20b7:9db1:tcp";

/// The selector of an emulated probe that is served at this address.
#[must_use]
pub fn selector_of(address: SocketAddr) -> String {
    format!("{EMULATED_PROBE}:{address}")
}

/// The board.
pub struct Rtt {
    /// Before the board, so that it ends first.
    terminal: Terminal,
    heard: VecDeque<u8>,
    start: Instant,
    emulated: Option<Served<Box<dyn AnyBoard>>>,
    /// The emulated board's time at the start.
    emulated_start: Duration,
}

impl Rtt {
    /// Connects to a board; `elf` is the program that it runs.
    ///
    /// # Errors
    /// Why that cannot be done, and what to do.
    pub fn open(connection: &Connection<'_>, elf: Option<&Path>) -> io::Result<Self> {
        let terminal = connection.terminal(elf).map_err(io::Error::other)?;
        Ok(Self {
            terminal,
            heard: VecDeque::new(),
            start: Instant::now(),
            emulated: None,
            emulated_start: Duration::ZERO,
        })
    }

    /// Connects to an emulated board through an emulated probe.
    ///
    /// # Errors
    /// As [`Rtt::open`].
    pub fn emulated(
        board: Box<dyn AnyBoard>,
        connection: &Connection<'_>,
        elf: Option<&Path>,
    ) -> io::Result<Self> {
        let served = Served::start(board, Default::default())?;
        let selector = selector_of(served.address());
        let this = Self::open(&Connection { selector: Some(&selector), ..*connection }, elf)?;
        Ok(Self { emulated_start: served.now(), emulated: Some(served), ..this })
    }

    /// The emulated board, without probe and terminal.
    ///
    /// # Errors
    /// Its probe failed.
    pub fn into_board(self) -> io::Result<Option<Box<dyn AnyBoard>>> {
        drop(self.terminal);
        self.emulated.map(|served| served.stop().map(|(board, _)| board)).transpose()
    }

    fn listen(&mut self, timeout: Duration) -> io::Result<()> {
        let bytes = self.terminal.read(timeout)?;
        self.heard.extend(bytes);
        Ok(())
    }
}

impl Transport for Rtt {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.heard.is_empty() {
            self.listen(timeout)?;
        }
        let count = buf.len().min(self.heard.len());
        for (place, byte) in buf.iter_mut().zip(self.heard.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.terminal.write(bytes)
    }

    /// There is no line.
    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    /// There are no control lines.
    fn set_lines(&mut self, _: Lines) -> io::Result<()> {
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        loop {
            self.heard.clear();
            self.listen(Duration::ZERO)?;
            if self.heard.is_empty() {
                return Ok(());
            }
        }
    }

    fn sleep(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn now(&self) -> Duration {
        let wall = self.start.elapsed();
        self.emulated
            .as_ref()
            .map_or(wall, |served| wall.min(served.now().saturating_sub(self.emulated_start)))
    }
}

impl Console for Rtt {
    fn port(&mut self) -> &mut dyn Transport {
        self
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        self.heard.clear();
        self.terminal.reset()
    }
}
