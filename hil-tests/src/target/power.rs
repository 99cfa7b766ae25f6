//! Power of a real board: a hub's port or a command, within a time limit.

use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use larch_boards::Power;

/// How long a command that switches power may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(20);
/// How long capacitors need to run empty.
pub const OFF_TIME: Duration = Duration::from_secs(2);

/// Switches the power.
///
/// # Errors
/// A person has to do it, or the command failed; the message holds what it said.
pub fn switch(power: &Power, on: bool) -> io::Result<()> {
    let Some(words) = power.command(on) else {
        return Err(io::Error::other("the power of this board is switched by hand (`power: manual`)"));
    };
    run(&words, COMMAND_LIMIT)
}

/// Runs a command to its end, which must come in time and be a success.
fn run(words: &[String], limit: Duration) -> io::Result<()> {
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("empty command"))?;
    let shown = words.join(" ");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("`{shown}` cannot be run: {error}")))?;
    let start = Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(io::Error::other(format!("`{shown}` failed ({status})"))),
            None if start.elapsed() >= limit => {
                child.kill()?;
                child.wait()?;
                let why = format!("`{shown}` did not end within {limit:?}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            }
            None => thread::sleep(Duration::from_millis(20)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{run, switch};
    use larch_boards::Power;
    use std::time::Duration;

    #[test]
    fn commands_succeed_fail_and_end() {
        let words = |line: &str| line.split(' ').map(String::from).collect::<Vec<_>>();
        run(&words("true"), Duration::from_secs(5)).unwrap();
        let error = run(&words("false x"), Duration::from_secs(5)).unwrap_err().to_string();
        assert!(error.starts_with("`false x` failed"), "{error}");
        let error = run(&words("sleep 30"), Duration::from_millis(50)).unwrap_err().to_string();
        assert_eq!(error, "`sleep 30` did not end within 50ms");
        let error = run(&words("larch-no-such-program"), Duration::from_secs(5)).unwrap_err().to_string();
        assert!(error.contains("cannot be run"), "{error}");
        assert!(switch(&Power::Manual, true).unwrap_err().to_string().contains("by hand"));
    }
}
