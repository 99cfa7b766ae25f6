//! RTT channel 0 of a chip: `larch-probe console`, commands and events as JSON, an object a line.

use std::io::{self, Write};
use std::path::Path;
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Connection, Event, Running, silence};

/// What the program is told; its `console.rs` says what each means.
#[derive(Serialize)]
#[serde(tag = "command", rename_all = "snake_case")]
enum Command<'a> {
    Write { bytes: &'a [u8] },
    Reset,
}

/// A chip's program at the other end of RTT.
#[derive(Debug)]
pub struct Terminal {
    running: Running,
    input: ChildStdin,
    patience: Duration,
}

impl Connection<'_> {
    /// Opens a terminal on the chip's program, whose ELF file says where to look.
    ///
    /// # Errors
    /// One line that says why there is none, and what to do.
    pub fn terminal(&self, elf: Option<&Path>) -> Result<Terminal, String> {
        let mut command = self.command("console");
        if let Some(elf) = elf {
            command.arg("--elf").arg(elf);
        }
        let mut running = Running::start(command, Stdio::piped())?;
        let input = running.child.0.stdin.take().ok_or("larch-probe has no standard input")?;
        let mut terminal = Terminal { running, input, patience: self.patience };
        terminal
            .wait_for(|event| matches!(event, Event::Attached { .. }))
            .map_err(|error| error.to_string())?;
        Ok(terminal)
    }
}

impl Terminal {
    fn tell(&mut self, command: &Command<'_>) -> io::Result<()> {
        let line = serde_json::to_string(command).map_err(io::Error::other)?;
        // Where it has ended, what it said last is the reason.
        writeln!(self.input, "{line}").or_else(|error| self.next(Duration::ZERO).and(Err(error)))
    }

    /// The next event, if one comes in time.
    fn next(&mut self, timeout: Duration) -> io::Result<Option<Event>> {
        match self.running.events.recv_timeout(timeout) {
            Ok(Event::Failed { message }) => Err(io::Error::other(message)),
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                let why = self.running.end().map_err(io::Error::other)?;
                Err(io::Error::other(why.unwrap_or_else(|| "larch-probe has ended".into())))
            }
        }
    }

    /// Drops events until one is wanted.
    fn wait_for(&mut self, is_wanted: impl Fn(&Event) -> bool) -> io::Result<()> {
        let deadline = Instant::now() + self.patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.next(left)? {
                Some(event) if is_wanted(&event) => return Ok(()),
                Some(_) => {}
                None => return Err(io::Error::new(io::ErrorKind::TimedOut, silence(self.patience))),
            }
        }
    }

    /// What the program writes within this time; empty if it writes nothing.
    ///
    /// # Errors
    /// The chip cannot be reached any more.
    pub fn read(&mut self, timeout: Duration) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + timeout;
        loop {
            match self.next(deadline.saturating_duration_since(Instant::now()))? {
                Some(Event::Heard { bytes }) => return Ok(bytes),
                Some(_) => {}
                None => return Ok(Vec::new()),
            }
        }
    }

    /// Types bytes.
    ///
    /// # Errors
    /// The chip cannot be reached any more.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tell(&Command::Write { bytes })
    }

    /// Resets the chip; what it said before is dropped.
    ///
    /// # Errors
    /// The chip cannot be reached, or its program has no RTT.
    pub fn reset(&mut self) -> io::Result<()> {
        self.tell(&Command::Reset)?;
        self.wait_for(|event| *event == Event::Restarted)
    }
}
