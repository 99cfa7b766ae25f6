//! A terminal over RTT: what the program writes to channel 0 is told, what comes over standard input is done.
//!
//! The chip runs while its memory is read. The control block is looked for again whenever it is not as it was: the program was
//! reset, or is not there yet.

use std::io::BufRead;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use probe_rs::rtt::{Error as RttError, Rtt, ScanRegion, find_rtt_control_block_in_raw_file};
use probe_rs::{Core, Permissions};
use serde::Deserialize;

use crate::ConsoleArguments;
use crate::connect::connect;
use crate::event::{Event, tell};
use crate::explain::{Problem, explain};

/// How often the chip is looked at while nobody types.
const POLL: Duration = Duration::from_millis(2);
/// How long the chip may take to start.
const RESET_LIMIT: Duration = Duration::from_millis(500);
/// How long a program may take from the reset until there is a control block.
const START_LIMIT: Duration = Duration::from_secs(5);
/// How long a program may leave what is typed in the buffer.
const READ_LIMIT: Duration = Duration::from_secs(5);
/// How often in a row an access may fail for a reason that may pass.
const RETRIES: u32 = 3;

/// What is to be done: a JSON object a line.
#[derive(Debug, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
enum Command {
    /// Type this.
    Write { bytes: Vec<u8> },
    /// Reset the chip, and wait for its program's control block.
    Reset,
}

/// Talks until standard input ends.
///
/// # Errors
/// What is wrong.
pub(crate) fn run(arguments: &ConsoleArguments) -> Result<(), Problem> {
    let region = region(arguments.elf.as_deref())?;
    let mut session = connect(&arguments.connection, Permissions::new())?;
    let mut core = session.core(0).map_err(|error| explain(&error))?;
    let mut terminal = Terminal { core: &mut core, region, rtt: None };
    let commands = commands();
    let mut failures = 0;
    loop {
        let done = match commands.recv_timeout(POLL) {
            Ok(Command::Write { bytes }) => terminal.write(&bytes),
            Ok(Command::Reset) => terminal.reset(),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => {
                tell(&Event::Done { bytes: 0 });
                return Ok(());
            }
        };
        match done.and_then(|()| terminal.listen()) {
            Ok(()) => failures = 0,
            Err(problem) if problem.may_pass && failures < RETRIES => failures += 1,
            Err(problem) => return Err(problem),
        }
    }
}

/// Where the control block is: the program's file says it, or all RAM is searched.
fn region(file: Option<&Path>) -> Result<ScanRegion, Problem> {
    let Some(file) = file else { return Ok(ScanRegion::Ram) };
    let wrong = |why: String| Problem::from(format!("{}: {why}", file.display()));
    let bytes = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let found = find_rtt_control_block_in_raw_file(&bytes).map_err(|error| wrong(error.to_string()))?;
    let address = found.ok_or_else(|| {
        wrong(
            "the program has no RTT (no symbol _SEGGER_RTT); use its serial port as `port:` of the board"
                .into(),
        )
    })?;
    Ok(ScanRegion::Exact(address))
}

/// What comes over standard input; a line that is no command ends it.
fn commands() -> Receiver<Command> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let lines = std::io::stdin().lock().lines();
        let commands = lines.map_while(|line| serde_json::from_str(&line.ok()?).ok());
        for command in commands {
            if sender.send(command).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The chip, and the control block if it is there.
struct Terminal<'c, 's> {
    core: &'c mut Core<'s>,
    region: ScanRegion,
    rtt: Option<Rtt>,
}

impl Terminal<'_, '_> {
    /// Looks for the control block if it is not known.
    fn attach(&mut self) -> Result<(), Problem> {
        if self.rtt.is_none() {
            self.rtt = match Rtt::attach_region(self.core, &self.region) {
                Ok(rtt) => Some(rtt),
                Err(error) => unless_gone(error)?,
            };
        }
        Ok(())
    }

    /// Tells what the program has written.
    fn listen(&mut self) -> Result<(), Problem> {
        self.attach()?;
        let mut buffer = [0; 4096];
        while let Some(up) = self.rtt.as_mut().and_then(|rtt| rtt.up_channel(0)) {
            match up.read(self.core, &mut buffer) {
                Ok(0) => break,
                Ok(count) => tell(&Event::Heard { bytes: &buffer[..count] }),
                Err(error) => self.rtt = unless_gone(error)?,
            }
        }
        Ok(())
    }

    /// Types bytes; listens meanwhile, because a program may read only what it could answer.
    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Problem> {
        let mut deadline = Instant::now() + READ_LIMIT;
        while !bytes.is_empty() {
            self.attach()?;
            let written = match self.rtt.as_mut().and_then(|rtt| rtt.down_channel(0)) {
                Some(down) => down.write(self.core, bytes),
                None => Ok(0),
            };
            match written {
                Ok(0) => {}
                Ok(count) => {
                    bytes = &bytes[count..];
                    deadline = Instant::now() + READ_LIMIT;
                    continue;
                }
                // Nothing was handed over.
                Err(error) => match unless_gone(error) {
                    Err(problem) if !problem.may_pass => return Err(problem),
                    found => self.rtt = found.unwrap_or_default(),
                },
            }
            if Instant::now() > deadline {
                let limit = READ_LIMIT.as_secs();
                return Err(
                    format!("the program has read nothing from RTT for {limit} s; reset the board").into()
                );
            }
            self.listen()?;
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn reset(&mut self) -> Result<(), Problem> {
        self.listen()?;
        self.rtt = None;
        self.core.reset_and_halt(RESET_LIMIT).map_err(|error| explain(&error))?;
        // RAM survives a reset, and in it the control block of before.
        Rtt::clear_control_block(self.core, &self.region).map_err(|error| explain(&error))?;
        self.core.run().map_err(|error| explain(&error))?;
        let deadline = Instant::now() + START_LIMIT;
        while self.rtt.is_none() {
            self.attach()?;
            if Instant::now() > deadline {
                return Err(String::from(
                    "the program has no RTT: its control block is not in RAM after a reset; is it the firmware for this chip?",
                )
                .into());
            }
        }
        tell(&Event::Restarted);
        Ok(())
    }
}

/// A control block that is not as expected is one that is not there now.
fn unless_gone(error: RttError) -> Result<Option<Rtt>, Problem> {
    match error {
        RttError::ControlBlockNotFound
        | RttError::ControlBlockCorrupted(_)
        | RttError::ReadPointerChanged => Ok(None),
        error => Err(explain(&error)),
    }
}
