//! A "board" that is a program needs a pseudo-terminal, which this system does not have.

use std::io;
use std::path::Path;
use std::time::Duration;

use larch_loader::transport::{Lines, Transport};

use crate::session::Console;

/// There is none.
pub enum Program {}

impl Program {
    /// No program here.
    ///
    /// # Errors
    /// Always.
    pub fn new(_command: &[String], _directory: &Path) -> io::Result<Self> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a board that is a program needs a pseudo-terminal: use Linux, macOS or the Windows Subsystem for Linux",
        ))
    }

    /// The process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match *self {}
    }
}

impl Transport for Program {
    fn read(&mut self, _: &mut [u8], _: Duration) -> io::Result<usize> {
        match *self {}
    }

    fn write_all(&mut self, _: &[u8]) -> io::Result<()> {
        match *self {}
    }

    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        match *self {}
    }

    fn set_lines(&mut self, _: Lines) -> io::Result<()> {
        match *self {}
    }

    fn discard_input(&mut self) -> io::Result<()> {
        match *self {}
    }

    fn sleep(&mut self, _: Duration) {
        match *self {}
    }

    fn now(&self) -> Duration {
        match *self {}
    }
}

impl Console for Program {
    fn port(&mut self) -> &mut dyn Transport {
        match *self {}
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        match *self {}
    }
}
