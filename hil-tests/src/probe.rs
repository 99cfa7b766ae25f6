//! Flashing and talking through a debug probe: the program `larch-probe` (in `hil-tests/probe`), which has the probe-rs library in it.
//!
//! Invariant: every wait is limited. A program that says nothing for too long is ended: the library waits for ever for a probe
//! that has vanished.

mod elf;
mod terminal;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use self::elf::elf;
pub use self::terminal::Terminal;

use larch_boards::Probe;
use serde::Deserialize;

/// How long the program may say nothing, usually.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How many times as long while it erases: a large sector takes four seconds, a whole chip half a minute.
const ERASING: u32 = 4;

/// What the program tells; its `event.rs` says what each means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented where they are told")]
pub enum Event {
    Probe { name: String, selector: String, advice: Option<String> },
    Opened { probe: String },
    Attached { chip: String },
    Started { operation: String, total_bytes: Option<u64> },
    Progress { operation: String, bytes: u64 },
    Finished { operation: String },
    Heard { bytes: Vec<u8> },
    Restarted,
    Retry { why: String },
    Done { bytes: u64 },
    Failed { message: String },
}

/// Where cargo puts the program.
#[must_use]
pub fn program(target: &Path) -> PathBuf {
    target.join("debug").join(format!("larch-probe{}", std::env::consts::EXE_SUFFIX))
}

/// A board behind a probe: with which program, which chip through which probe, and how patiently.
#[derive(Debug)]
pub struct Connection<'a> {
    /// `larch-probe`.
    pub program: &'a Path,
    /// What `boards.yaml` says.
    pub wanted: &'a Probe,
    /// Which probe; `None`: the only one.
    pub selector: Option<&'a str>,
    /// How long the program may say nothing while it does not erase.
    pub patience: Duration,
}

impl Connection<'_> {
    /// Writes the ELF file `file` to the chip, verifies it and starts it; gives the number of bytes.
    ///
    /// # Errors
    /// One line that says what is wrong and what to do.
    pub fn flash(&self, file: &Path, observe: &mut dyn FnMut(&Event)) -> Result<u64, String> {
        let mut command = self.command("flash");
        if self.wanted.chip_erase {
            command.arg("--chip-erase");
        }
        command.arg(file);
        match run(command, self.patience, observe)? {
            Some(Event::Done { bytes }) => Ok(bytes),
            Some(Event::Failed { message }) => Err(message),
            _ => Err("probe-rs ended without a result; run the same command again".into()),
        }
    }

    /// Connects, as to write, and leaves the chip as it is; gives its name.
    ///
    /// # Errors
    /// One line that says why it could not be flashed, and what to do.
    pub fn check(&self) -> Result<String, String> {
        let mut name = String::new();
        let last = run(self.command("check"), self.patience, &mut |event| {
            if let Event::Attached { chip } = event {
                name.clone_from(chip);
            }
        });
        match last? {
            Some(Event::Failed { message }) => Err(message),
            _ => Ok(name),
        }
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(self.program);
        command.args([verb, "--chip", &self.wanted.chip]);
        if let Some(selector) = self.selector {
            command.args(["--probe", selector]);
        }
        if let Some(speed) = self.wanted.speed_khz {
            command.args(["--speed", &speed.to_string()]);
        }
        if self.wanted.connect_under_reset {
            command.arg("--connect-under-reset");
        }
        command
    }
}

/// The probes that are plugged in.
///
/// # Errors
/// If the program does not run.
pub fn list(program: &Path) -> Result<Vec<Event>, String> {
    let mut command = Command::new(program);
    command.arg("list");
    let mut probes = Vec::new();
    run(command, PATIENCE, &mut |event| probes.push(event.clone()))?;
    Ok(probes)
}

/// A child that does not outlive us.
#[derive(Debug)]
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        // It has usually ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program while it runs.
#[derive(Debug)]
struct Running {
    child: Kept,
    events: Receiver<Event>,
    /// What it says on standard error, once it has ended.
    said: Option<JoinHandle<String>>,
}

impl Running {
    fn start(mut command: Command, input: Stdio) -> Result<Self, String> {
        let started = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = Kept(started.map_err(|error| format!("larch-probe does not start: {error}"))?);
        let (sender, events) = channel();
        if let Some(out) = child.0.stdout.take() {
            thread::spawn(move || {
                let lines = BufReader::new(out).lines().map_while(Result::ok);
                lines
                    .filter_map(|line| serde_json::from_str(&line).ok())
                    .try_for_each(|event| sender.send(event))
            });
        }
        let mut errors = child.0.stderr.take();
        let said = thread::spawn(move || {
            let mut text = String::new();
            // What cannot be read is not reported.
            let _ = errors.as_mut().map(|pipe| pipe.read_to_string(&mut text));
            text
        });
        Ok(Self { child, events, said: Some(said) })
    }

    /// Why it has ended without telling; `None`: it was satisfied.
    fn end(&mut self) -> Result<Option<String>, String> {
        let ended = self.child.0.wait().map_err(|error| error.to_string())?;
        if ended.success() {
            return Ok(None);
        }
        let text = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        let why =
            text.lines().find(|line| !line.is_empty() && !line.starts_with("note:")).unwrap_or("no message");
        Ok(Some(format!("probe-rs stopped ({ended}): {}; run the same command again", why.trim())))
    }
}

fn silence(limit: Duration) -> String {
    let seconds = limit.as_secs();
    format!("the probe has not answered for {seconds} s: plug it in again, then run the same command again")
}

/// Runs the program to its end; gives its last event.
fn run(
    command: Command,
    patience: Duration,
    observe: &mut dyn FnMut(&Event),
) -> Result<Option<Event>, String> {
    let mut running = Running::start(command, Stdio::null())?;
    let mut last = None;
    loop {
        let erases = matches!(&last, Some(Event::Started { operation, .. } | Event::Progress { operation, .. }) if operation == "erase");
        let limit = if erases { patience * ERASING } else { patience };
        match running.events.recv_timeout(limit) {
            Ok(event) => {
                observe(&event);
                last = Some(event);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => return Err(silence(limit)),
        }
    }
    match running.end()? {
        Some(why) if !matches!(last, Some(Event::Failed { .. })) => Err(why),
        _ => Ok(last),
    }
}
