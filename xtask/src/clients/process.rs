//! Processes with time limits: a tool, and the emulated board that it uses.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use larch_boards::Board;
use rustix::process::{Pid, Signal, kill_process};

/// How long an emulated board may take until it serves.
const SERVE_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to end after Ctrl-C.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Someone else's program.
pub(super) struct Tool {
    pub program: PathBuf,
    pub limit: Duration,
}

/// What it said, and how long it took.
pub(super) struct Said {
    pub text: String,
    pub time: Duration,
}

impl Tool {
    /// Runs it; an exit code other than 0 or too much time is an error that shows what it said.
    pub fn run(&self, arguments: &[&str]) -> Result<Said> {
        let start = Instant::now();
        let shown = format!("{} {}", self.program.display(), arguments.join(" "));
        let mut child = Command::new(&self.program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env("NO_COLOR", "1")
            .env("PYTHONUTF8", "1")
            .spawn()
            .with_context(|| shown.clone())?;
        let (out, errors) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let status = wait(&mut child, self.limit)?;
        let text = out.join().unwrap_or_default();
        let errors = errors.join().unwrap_or_default();
        match status {
            None => bail!("{shown}\n       did not end within {:?}; it said:\n{text}{errors}", self.limit),
            Some(code) if code != 0 => {
                bail!("{shown}\n       ended with code {code}; it said:\n{text}{errors}")
            }
            Some(_) => Ok(Said { text, time: start.elapsed() }),
        }
    }
}

/// An emulated board served by `cargo xtask emulate`, this same program.
pub(super) struct Served {
    child: Child,
    /// Where it is: `rfc2217://127.0.0.1:4000`, or the link of its PTY.
    pub address: String,
}

impl Served {
    pub fn start(board: &Board, options: &[&str], flash: &Path) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("emulate")
            .arg(&board.name)
            .args(options)
            .arg(flash)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start `cargo xtask emulate`")?;
        let lines = child.stdout.take().ok_or_else(|| anyhow!("no output of `cargo xtask emulate`"))?;
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("serving on ") {
                    // Nobody listens any more once the address is known.
                    let _ = sender.send(address.trim().to_owned());
                }
            }
        });
        match receiver.recv_timeout(SERVE_LIMIT) {
            Ok(address) => Ok(Self { child, address }),
            Err(error) => {
                end(&mut child);
                match error {
                    RecvTimeoutError::Timeout => {
                        bail!("`cargo xtask emulate` serves nothing within {SERVE_LIMIT:?}")
                    }
                    RecvTimeoutError::Disconnected => {
                        bail!("`cargo xtask emulate` ended before it served anything")
                    }
                }
            }
        }
    }

    /// Ends it as Ctrl-C does; it must leave by itself and with code 0.
    pub fn stop(&mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("process id")?;
        kill_process(pid, Signal::INT).context("cannot interrupt the emulator")?;
        match wait(&mut self.child, STOP_LIMIT)? {
            Some(0) => Ok(()),
            Some(code) => bail!("the emulator ended with code {code} after Ctrl-C"),
            None => bail!("the emulator did not end within {STOP_LIMIT:?} after Ctrl-C"),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself; there is nothing to do about a failure here.
    let _ = child.kill();
    let _ = child.wait();
}

/// The exit code, or `None` if it had to be killed because its time was over.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<i32>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.code().unwrap_or(-1)));
        }
        if start.elapsed() > limit {
            end(child);
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read until an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
