//! Tests on the desktop program: in a process of their own, or typed into its prompt.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use larch_loader::transport::Transport;

use super::expect::unix_lines;
use super::suite::Test;
use super::{Answer, Target};
use crate::session::Console;
use crate::target::program::Program;

/// The suite's time limit.
const LIMIT: Duration = Duration::from_secs(30);
/// A prompt has answered when nothing followed for this long.
const QUIET: Duration = Duration::from_millis(30);
/// How long the first answer may take.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// The desktop program.
pub struct Desktop {
    binary: PathBuf,
    scratch: PathBuf,
}

impl Desktop {
    /// The program at `binary`; `scratch` is a directory for what runs at the same time as others.
    #[must_use]
    pub fn new(binary: &Path, scratch: &Path) -> Desktop {
        Desktop { binary: binary.to_path_buf(), scratch: scratch.to_path_buf() }
    }

    fn plain(&self, test: &Test) -> Result<Answer, String> {
        let mut command = Command::new(&self.binary);
        command.args(["-X", "emit=bytecode"]).arg(&test.path);
        command.current_dir(test.path.parent().unwrap_or(&test.path));
        self.answer(command)
    }

    fn with_options(&self, test: &Test, options: &Options) -> Result<Answer, String> {
        let mut command = Command::new(&self.binary);
        let folder = test.path.parent().and_then(Path::parent).unwrap_or(&test.path);
        command.args(&options.words).arg(&test.name).current_dir(folder);
        let answer = self.answer(command)?;
        // Here the exit code alone counts.
        Ok(if answer.crashed { Answer { text: String::new(), crashed: true } } else { answer })
    }

    fn answer(&self, mut command: Command) -> Result<Answer, String> {
        command.stdin(Stdio::null());
        let (bytes, success) = run_limited(&mut command, LIMIT)
            .map_err(|error| format!("{}: {error}", self.binary.display()))?;
        Ok(Answer { text: unix_lines(&bytes), crashed: !success })
    }

    /// Types the lines of a test into the prompt. A line with Ctrl-C is that key alone.
    fn typed(&self, test: &Test, options: &Options) -> Result<Answer, String> {
        let failed = |error: io::Error| format!("{}: {error}", test.name);
        let mut words = vec![self.binary.display().to_string()];
        // It runs in a directory of its own; a file of the suite is named in full.
        let suite = test.path.parent().and_then(Path::parent).unwrap_or(&test.path);
        words.extend(options.words.iter().map(|word| match suite.join(word) {
            file if file.is_file() => file.display().to_string(),
            _ => word.clone(),
        }));
        let mut program = Program::new(&words, &self.scratch.join(test.stem())).map_err(failed)?;
        program.hard_reset().map_err(failed)?;
        let mut said = listen(&mut program, FIRST_ANSWER);
        for line in test.source()?.split_inclusive(|byte| *byte == b'\n') {
            let keys = control_keys(line);
            let is_interrupt = options.interrupts && keys.contains(&0x03);
            program.write_all(if is_interrupt { b"\x03" } else { &keys }).map_err(failed)?;
            said.extend(listen(&mut program, if is_interrupt { FIRST_ANSWER } else { Duration::ZERO }));
        }
        Ok(Answer { text: unix_lines(&said), crashed: false })
    }
}

impl Target for Desktop {
    fn run(&mut self, test: &Test) -> Result<Answer, String> {
        if !matches!(test.directory(), "cmdline" | "feature_check") {
            return self.plain(test);
        }
        let options = Options::of(&test.source()?);
        match test.stem().starts_with("repl_") {
            true => self.typed(test, &options),
            false => self.with_options(test, &options),
        }
    }
}

/// What the comments at the start of a test ask for.
#[derive(Debug, Default)]
struct Options {
    words: Vec<String>,
    interrupts: bool,
}

impl Options {
    fn of(source: &[u8]) -> Options {
        let mut options = Options::default();
        for line in String::from_utf8_lossy(source).lines() {
            if let Some(words) = line.strip_prefix("# cmdline:") {
                options.words.extend(words.split_whitespace().map(str::to_owned));
            } else if line.starts_with("# sigint:") {
                options.interrupts = true;
            } else if !line.starts_with('#') {
                break;
            }
        }
        options
    }
}

/// `{\x03}` stands for the key of that code.
fn control_keys(line: &[u8]) -> Vec<u8> {
    let mut keys = Vec::with_capacity(line.len());
    let mut rest = line;
    while let [first, tail @ ..] = rest {
        if let [b'{', b'\\', b'x', high @ b'0'..=b'9', low @ b'0'..=b'9', b'}', tail @ ..] = rest {
            keys.push((high - b'0') << 4 | (low - b'0'));
            rest = tail;
            continue;
        }
        keys.push(*first);
        rest = tail;
    }
    keys
}

/// Everything until nothing follows; the first byte may take `first`.
fn listen(program: &mut Program, first: Duration) -> Vec<u8> {
    let (mut said, mut bytes) = (Vec::new(), [0; 1024]);
    let mut patience = first.max(QUIET);
    // A program that ended says nothing more; its last words were read.
    while let Ok(count @ 1..) = program.read(&mut bytes, patience) {
        said.extend_from_slice(&bytes[..count]);
        patience = QUIET;
    }
    said
}

/// Runs a command with both outputs in one, to its end or a time limit: what it printed, and whether it exited with 0.
///
/// # Errors
/// It cannot be started.
pub fn run_limited(command: &mut Command, limit: Duration) -> io::Result<(Vec<u8>, bool)> {
    let (mut reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // The command holds the writing ends of the pipe.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let collector = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = reader.read_to_end(&mut bytes);
        bytes
    });
    let deadline = Instant::now() + limit;
    let status = loop {
        match child.try_wait()? {
            Some(status) => break Some(status),
            None if Instant::now() >= deadline => {
                child.kill()?;
                child.wait()?;
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let mut bytes = collector.join().unwrap_or_default();
    if status.is_none() {
        bytes.extend_from_slice(b"TIMEOUT");
    }
    Ok((bytes, status.is_some_and(|status| status.success())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_give_options_and_keys() {
        let options = Options::of(b"# cmdline: -i -c x\n# sigint:\nprint(1)\n# cmdline: -v\n");
        assert_eq!(options.words, ["-i", "-c", "x"]);
        assert!(options.interrupts);
        assert_eq!(control_keys(b"a{\\x04}{\\x1}\n"), b"a\x04{\\x1}\n");
    }

    #[test]
    fn a_command_is_limited_in_time() {
        let (said, success) =
            run_limited(Command::new("sleep").arg("5"), Duration::from_millis(50)).expect("sleep");
        assert_eq!((said.as_slice(), success), (&b"TIMEOUT"[..], false));
        let (said, success) =
            run_limited(Command::new("echo").arg("x"), Duration::from_secs(5)).expect("echo");
        assert_eq!((said.as_slice(), success), (&b"x\n"[..], true));
    }
}
