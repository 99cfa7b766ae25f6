//! Flashing through a debug probe: the program `larch-probe` (in `hil-tests/probe`), which has the probe-rs library in it.
//!
//! Invariant: every wait is limited. A program that says nothing for [`SILENCE`] is ended: the library waits for ever for a
//! probe that has vanished.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use larch_boards::Probe;
use serde::Deserialize;

/// How long the program may say nothing: the largest sector takes two seconds to erase, a whole chip sixteen.
const SILENCE: Duration = Duration::from_secs(40);

/// What the program tells; its `event.rs` says what each means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented where they are told")]
pub enum Event {
    Probe { name: String, selector: String, accessible: bool },
    Opened { probe: String },
    Attached { chip: String },
    Started { operation: String, total_bytes: Option<u64> },
    Progress { operation: String, bytes: u64 },
    Finished { operation: String },
    Done { bytes: u64 },
    Failed { message: String },
}

/// Writes the ELF file `file` to a chip, verifies it and starts it; gives the number of bytes.
///
/// # Errors
/// One line that says what is wrong and what to do.
pub fn flash(
    program: &Path,
    probe: &Probe,
    selector: Option<&str>,
    file: &Path,
    observe: &mut dyn FnMut(&Event),
) -> Result<u64, String> {
    let mut command = Command::new(program);
    command.args(["flash", "--chip", &probe.chip]);
    if let Some(selector) = selector {
        command.args(["--probe", selector]);
    }
    if let Some(speed) = probe.speed_khz {
        command.args(["--speed", &speed.to_string()]);
    }
    if probe.connect_under_reset {
        command.arg("--connect-under-reset");
    }
    if probe.chip_erase {
        command.arg("--chip-erase");
    }
    command.arg(file);
    match run(command, observe)? {
        Some(Event::Done { bytes }) => Ok(bytes),
        Some(Event::Failed { message }) => Err(message),
        _ => Err("probe-rs ended without a result; run the same command again".into()),
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
    run(command, &mut |event| probes.push(event.clone()))?;
    Ok(probes)
}

/// A child that does not outlive us.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        // It has usually ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the program to its end; gives its last event.
fn run(mut command: Command, observe: &mut dyn FnMut(&Event)) -> Result<Option<Event>, String> {
    let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = Kept(started.map_err(|error| format!("larch-probe does not start: {error}"))?);
    let (sender, lines) = channel();
    if let Some(out) = child.0.stdout.take() {
        thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
    }
    let mut errors = child.0.stderr.take();
    let said = thread::spawn(move || {
        let mut text = String::new();
        // What cannot be read is not reported.
        let _ = errors.as_mut().map(|pipe| pipe.read_to_string(&mut text));
        text
    });
    let mut last = None;
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => {
                if let Ok(event) = serde_json::from_str::<Event>(&line) {
                    observe(&event);
                    last = Some(event);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                return Err(format!(
                    "the probe has not answered for {} s; plug it in again, then run the same command again",
                    SILENCE.as_secs()
                ));
            }
        }
    }
    let ended = child.0.wait().map_err(|error| error.to_string())?;
    if ended.success() || matches!(last, Some(Event::Failed { .. })) {
        return Ok(last);
    }
    let text = said.join().unwrap_or_default();
    let why =
        text.lines().find(|line| !line.is_empty() && !line.starts_with("note:")).unwrap_or("no message");
    Err(format!("probe-rs stopped ({ended}): {}; run the same command again", why.trim()))
}
