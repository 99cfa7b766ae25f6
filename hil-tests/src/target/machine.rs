//! A board that another emulator is: QEMU, Espressif's QEMU, `esp-emu`, started for each use.
//!
//! Its serial port is the program's standard input and output (in a pseudo-terminal), or a TCP port if the command says
//! `{tcp-port}`. Its storage is a file that belongs to this use: a copy of the flash image, or blank; it survives a reset and
//! a power cycle, and goes with the board.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use larch_loader::transport::{self, Transport};

use super::program::Program;
use crate::session::Console;

/// How long the emulator may take to open its TCP port.
const OPEN_LIMIT: Duration = Duration::from_secs(20);
/// Bytes of a blank storage: a pflash bank of QEMU's `virt` machine.
const STORAGE_BYTES: usize = 32 * 1024 * 1024;

/// The files that a command's placeholders stand for.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The program that the machine runs.
    pub firmware: Option<PathBuf>,
    /// What its flash holds at first.
    pub flash: Option<PathBuf>,
}

/// A running emulator, or one that is switched off.
pub struct Machine {
    program: Program,
    /// The serial port if it is a TCP port.
    socket: Option<(String, Option<Box<dyn Transport>>)>,
    directory: PathBuf,
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The program first, then its files; what stays is removed by the next run.
        let _ = self.program.power(false);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Machine {
    /// A machine that [`Console::hard_reset`] starts; `directory` is for its files and is made empty.
    ///
    /// # Errors
    /// A placeholder that has no file, or a file that cannot be made.
    pub fn new(words: &[String], files: &Files, directory: &Path) -> io::Result<Self> {
        let inner = directory.join("run");
        let program = |command: &[String]| Program::new(command, &inner);
        fs::create_dir_all(directory)?;
        let port = free_port()?;
        let mut command = Vec::new();
        let mut over_tcp = false;
        for word in words {
            over_tcp |= word.contains("{tcp-port}");
            let word = word.replace("{tcp-port}", &port.to_string());
            command.push(fill_in(&word, files, directory)?);
        }
        let socket = over_tcp.then(|| (format!("socket://127.0.0.1:{port}"), None));
        Ok(Self { program: program(&command)?, socket, directory: directory.into() })
    }

    fn connect(&mut self) -> io::Result<()> {
        let Some((address, connection)) = &mut self.socket else { return Ok(()) };
        let start = Instant::now();
        loop {
            match transport::open(address, 115_200) {
                Ok(opened) => {
                    *connection = Some(opened);
                    return Ok(());
                }
                Err(error) if start.elapsed() >= OPEN_LIMIT => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

fn fill_in(word: &str, files: &Files, directory: &Path) -> io::Result<String> {
    let missing =
        |what: &str| io::Error::new(io::ErrorKind::NotFound, format!("there is no {what} for this board"));
    let mut filled = word.to_owned();
    if word.contains("{firmware}") {
        let firmware = files.firmware.as_ref().ok_or_else(|| missing("firmware"))?;
        filled = filled.replace("{firmware}", &firmware.display().to_string());
    }
    if word.contains("{flash}") {
        let own = directory.join("flash.bin");
        fs::copy(files.flash.as_ref().ok_or_else(|| missing("flash image"))?, &own)?;
        filled = filled.replace("{flash}", &own.display().to_string());
    }
    if word.contains("{storage}") {
        let own = directory.join("storage.bin");
        let file = fs::File::create(&own)?;
        file.set_len(STORAGE_BYTES as u64)?;
        filled = filled.replace("{storage}", &own.display().to_string());
    }
    Ok(filled)
}

/// A TCP port of this machine that nobody listens on now.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Console for Machine {
    fn port(&mut self) -> &mut dyn Transport {
        match &mut self.socket {
            Some((_, Some(connection))) => connection.as_mut(),
            _ => self.program.port(),
        }
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        self.power(false)?;
        self.power(true)
    }

    fn power(&mut self, on: bool) -> io::Result<()> {
        if let Some((_, connection)) = &mut self.socket {
            *connection = None;
        }
        self.program.power(on)?;
        if on { self.connect() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Files, Machine};
    use crate::session::{Console, Session};

    fn directory(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("larch-machine-{}-{name}", std::process::id()))
    }

    #[test]
    fn a_machine_is_started_switched_and_gone() {
        let words: Vec<String> = ["sh", "-c", "printf '>>> '; cat"].map(String::from).to_vec();
        let mut machine = Machine::new(&words, &Files::default(), &directory("sh")).unwrap();
        Session::new(&mut machine).boot().unwrap();
        machine.power(false).unwrap();
        assert!(machine.port().write_all(b"x").is_err());
    }

    #[test]
    fn a_machine_without_its_file_says_which() {
        let words = vec!["true".to_owned(), "{firmware}".to_owned()];
        let error = Machine::new(&words, &Files::default(), &directory("none")).err().unwrap();
        assert_eq!(error.to_string(), "there is no firmware for this board");
    }
}
