//! Other people's tools on the emulated board: esptool over RFC 2217, mpremote over a PTY; and the files that they make.
//!
//! Invariants: the tools come unchanged from PyPI; each step has a time limit; what a step claims is checked (bytes
//! that come back are compared, not only exit codes).

pub(crate) mod elsewhere;
mod files;
mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hil_tests::lab::Lab;
use larch_boards::Board;
use xshell::Shell;

use crate::clients::process::{Served, Tool};
use crate::progress::{self, seconds};
use crate::{ready, venv};

/// Other people's tools, as a user would install them.
const PACKAGES: &[&str] = &["esptool>=5,<6", "esp-idf-defs>=0.1,<0.2", "mpremote"];
/// What the emulated chip says it is.
const MAC: &str = "60:55:f9:00:00:01";

/// How long the board may take to boot.
const BOOT_LIMIT: Duration = Duration::from_secs(30);

/// A way in which esptool talks to the chip.
struct Way {
    name: &'static str,
    options: &'static [&'static str],
    write: &'static [&'static str],
    /// Bytes of the image that are written, from 0 on.
    size: usize,
    /// Bytes of flash that are read back, from 0 on.
    read: usize,
}

/// Through Espressif's stub: what is read reaches into the application.
const STUB: Way = Way { name: "stub", options: &[], write: &[], size: usize::MAX, read: 0x1_8000 };
/// Through the ROM, which needs a round trip for each 64 bytes read, and compresses only when told; esptool waits after every
/// block, so that the whole image would take minutes.
const ROM: Way =
    Way { name: "ROM", options: &["--no-stub"], write: &["--compress"], size: 0x4_0000, read: 0x800 };

/// Installs the tools and lets them use the default board.
pub(crate) fn run(lab: &Lab) -> Result<()> {
    let board = lab.boards.default_board().clone();
    ready::make_ready(lab, &board, &|_| {})?;
    let programs = venv::ensure(&Shell::new()?, &lab.target, PACKAGES)?;
    let directory = lab.directory().join("clients");
    fs::create_dir_all(&directory)?;
    files::compare(lab, &board, &programs, &directory)?;
    let clients = Clients { lab, board, programs, directory, start: Instant::now() };
    clients.esptool(&STUB)?;
    clients.esptool(&ROM)?;
    clients.mpremote()?;
    println!("   all clients work; {}", seconds(clients.start.elapsed()));
    Ok(())
}

struct Clients<'a> {
    lab: &'a Lab,
    board: Board,
    programs: PathBuf,
    directory: PathBuf,
    start: Instant,
}

impl Clients<'_> {
    /// esptool writes the image to a blank board, verifies it and reads it back.
    fn esptool(&self, way: &Way) -> Result<()> {
        let flash = self.directory.join("esptool.bin");
        let _ = fs::remove_file(&flash);
        let mut bytes = fs::read(self.lab.image_directory(self.board.chip).join("flash.bin"))?;
        bytes.truncate(way.size);
        let image = self.directory.join("image.bin");
        fs::write(&image, bytes)?;
        let mut served = Served::start(&self.board, &["--rfc2217", "0", "--flash"], &flash)?;
        let port = served.address.clone();
        let esptool = |step: &str, limit: u64, words: &[&str]| {
            let mut arguments = vec!["--port", port.as_str(), "--baud", "460800"];
            arguments.extend(way.options);
            arguments.extend(words);
            let said = self.tool("esptool", limit, &arguments)?;
            progress::step("esptool", &format!("{step} ({})", way.name), Some(said.time));
            Ok::<String, anyhow::Error>(said.text)
        };
        let said = esptool("chip-id", 60, &["chip-id"])?;
        ensure!(said.contains("ESP32-C3"), "esptool does not recognise the chip:\n{said}");
        ensure!(said.to_lowercase().contains(MAC), "esptool reads another MAC than {MAC}:\n{said}");
        let image_path = image.display().to_string();
        let write: Vec<&str> =
            ["write-flash"].iter().chain(way.write).chain(&["0x0", &image_path]).copied().collect();
        let said = esptool("write-flash", 240, &write)?;
        ensure!(said.contains("Hash of data verified"), "esptool did not verify its write:\n{said}");
        let said = esptool("verify-flash", 120, &["verify-flash", "0x0", &image_path])?;
        ensure!(said.contains("erification successful"), "esptool does not find what it wrote:\n{said}");
        let back = self.directory.join("back.bin");
        let _ = fs::remove_file(&back);
        let size = format!("{:#x}", way.read);
        esptool("read-flash", 240, &["read-flash", "0x0", &size, &back.display().to_string()])?;
        same_start(&image, &back, way.read)?;
        served.stop()?;
        same_start(&image, &flash, usize::MAX).context("the flash file that the emulator left behind")
    }

    /// mpremote runs code, lists, copies both ways and resets.
    fn mpremote(&self) -> Result<()> {
        let (flash, link) = (self.directory.join("mpremote.bin"), self.directory.join("tty"));
        let digest = self.lab.image_digest(self.board.chip);
        fs::copy(self.lab.flashed(&self.board, &digest), &flash)?;
        let link_name = link.display().to_string();
        let mut served = Served::start(&self.board, &["--pty", &link_name, "--flash"], &flash)?;
        await_prompt(&link_name)?;
        let mpremote = |step: &str, words: &[&str]| {
            let mut arguments = vec!["connect", link_name.as_str()];
            arguments.extend(words);
            let said = self.tool("mpremote", 60, &arguments)?;
            progress::step("mpremote", step, Some(said.time));
            Ok::<String, anyhow::Error>(said.text)
        };
        let said = mpremote("exec", &["exec", "import sys; print(sys.implementation.name, 6 * 7)"])?;
        ensure!(said.trim() == "micropython 42", "exec printed {said:?}");
        let (there, back) = (self.directory.join("there.txt"), self.directory.join("back.txt"));
        let text: String =
            (0..300).map(|line| format!("line {line}: \u{e9}\u{20ac} and \\ and '\n")).collect();
        fs::write(&there, &text)?;
        let _ = fs::remove_file(&back);
        mpremote("fs cp to the board", &["fs", "cp", &there.display().to_string(), ":client.txt"])?;
        let said = mpremote("fs ls", &["fs", "ls"])?;
        ensure!(
            said.contains(&format!("{} client.txt", text.len())),
            "fs ls does not show the file:\n{said}"
        );
        let said = mpremote(
            "soft-reset, then exec",
            &["soft-reset", "exec", "import os; print('client.txt' in os.listdir())"],
        )?;
        ensure!(said.trim() == "True", "the file did not survive a soft reset: {said:?}");
        mpremote("fs cp from the board", &["fs", "cp", ":client.txt", &back.display().to_string()])?;
        ensure!(fs::read_to_string(&back)? == text, "what came back is not what was copied to the board");
        mpremote("fs rm", &["fs", "rm", ":client.txt"])?;
        served.stop()
    }

    fn tool(&self, name: &str, limit: u64, arguments: &[&str]) -> Result<process::Said> {
        let tool = Tool { program: self.programs.join(name), limit: Duration::from_secs(limit) };
        tool.run(arguments)
    }
}

/// Waits until the board has booted: what mpremote sends before that, the boot code swallows.
fn await_prompt(port: &str) -> Result<()> {
    let mut line = larch_loader::transport::open(port, 115_200)?;
    let deadline = Instant::now() + BOOT_LIMIT;
    let mut seen = Vec::new();
    let mut chunk = [0; 256];
    while Instant::now() < deadline {
        let count = line.read(&mut chunk, Duration::from_millis(200))?;
        seen.extend_from_slice(&chunk[..count]);
        if seen.ends_with(b">>> ") {
            return Ok(());
        }
        if count == 0 {
            // The prompt may have come before anybody listened.
            line.write_all(b"\r")?;
        }
    }
    bail!("the board showed no prompt; it said {:?}", String::from_utf8_lossy(&seen))
}

/// The first bytes that were read are those of the image.
fn same_start(image: &Path, read: &Path, count: usize) -> Result<()> {
    let name = read.display();
    let read = fs::read(read).with_context(|| format!("{name}"))?;
    let image = fs::read(image)?;
    let count = count.min(image.len());
    ensure!(read.len() >= count, "{name} has {} bytes, at least {count} were read", read.len());
    match (0..count).find(|at| read[*at] != image[*at]) {
        None => Ok(()),
        Some(at) => bail!("{name} differs from the image from {at:#x} on"),
    }
}
