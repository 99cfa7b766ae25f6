//! An interpreter on a machine of QEMU, spoken to through its raw REPL.
//!
//! With `-icount shift=0` one virtual nanosecond is one instruction: the board's own `time.ticks_us()` counts
//! kilo-instructions, exactly and repeatably, for every interpreter that runs there.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use larch_image::elf::Program;
use xshell::{Shell, cmd};

use super::data::Figures;

/// The riscv32 `virt` machine: the program, and its arguments up to the firmware.
pub(super) const RV32: &[&str] = &["qemu-system-riscv32", "-machine", "virt", "-cpu", "rv32", "-bios"];
/// Arm's MPS2 board with a Cortex-M4F.
pub(super) const ARM: &[&str] = &["qemu-system-arm", "-machine", "mps2-an386", "-kernel"];
/// One instruction a nanosecond; the console is the program's standard input and output.
const COMMON: &[&str] = &["-icount", "shift=0", "-display", "none", "-monitor", "none", "-serial", "stdio"];
/// The longest time for one program, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);
const RAW_PROMPT: &[u8] = b"raw REPL; CTRL-B to exit\r\n>";

/// A firmware, and the machine that it is for.
#[derive(Clone, Copy)]
pub(super) struct Guest<'a> {
    /// [`RV32`] or [`ARM`].
    pub(super) machine: &'static [&'static str],
    pub(super) elf: &'a Path,
}

/// Whether the machine can be started here.
pub(super) fn is_installed(shell: &Shell, machine: &[&str]) -> bool {
    let program = machine[0];
    cmd!(shell, "{program} --version").quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

/// The programs of a folder whose names start so, sorted.
pub(super) fn programs(folder: &Path, prefix: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "py") && name_of(&path).starts_with(prefix) {
            found.push(path);
        }
    }
    found.sort();
    ensure!(!found.is_empty(), "{} holds no programs", folder.display());
    Ok(found)
}

/// A program's name: its file's, without the ending.
pub(super) fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Puts a clock around a program. Compiling it is not counted.
pub(super) fn wrap_program(source: &str) -> String {
    format!(
        "import time\n_start = time.ticks_us()\n{source}\nprint(); print(time.ticks_diff(time.ticks_us(), _start), 0, 'end')\n"
    )
}

/// Kilo-instructions of each program: the last line that starts with a number says how many.
pub(super) fn measure_all(
    guest: Guest<'_>,
    programs: &[PathBuf],
    wrap: impl Fn(&str) -> String,
) -> Result<Figures> {
    let measure = |path: &PathBuf| -> Result<(String, f64)> {
        let name = name_of(path);
        let source = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let said =
            run(guest, &wrap(&source)).with_context(|| format!("{name} on {}", guest.elf.display()))?;
        let count = said.lines().rev().find_map(|line| {
            let mut words = line.split_whitespace();
            let count = words.next()?.parse().ok()?;
            words.next().map(|_| count)
        });
        Ok((name.clone(), count.with_context(|| format!("{name} failed:\n{said}"))?))
    };
    programs.iter().map(measure).collect()
}

/// The rows of `m01_mem.py`, each on a machine of its own: bytes in use after an object was made and a collection, more than
/// before; and the bytes in use at a fresh prompt.
pub(super) fn memory(guest: Guest<'_>, source: &str) -> Result<Figures> {
    let mut figures = Figures::new();
    let said = run(guest, "import gc\ngc.collect()\nprint(gc.mem_alloc())")?;
    let bytes = said.trim().parse().with_context(|| format!("no number: {said}"))?;
    figures.insert("prompt".to_owned(), bytes);
    for (name, _) in rows(&run(guest, &format!("ROW = None\n{source}"))?)? {
        let alone = rows(&run(guest, &format!("ROW = {name:?}\n{source}"))?)?;
        figures.extend(alone);
    }
    ensure!(!figures.is_empty(), "no figures in:\n{said}");
    Ok(figures)
}

/// Names and bytes kept, of lines as `list1000 retained 4112 peak 4144`.
fn rows(said: &str) -> Result<Figures> {
    let mut figures = Figures::new();
    for line in said.lines() {
        if let [name, "retained", bytes, "peak", _] = line.split_whitespace().collect::<Vec<_>>()[..] {
            figures.insert(name.to_owned(), bytes.parse()?);
        }
    }
    Ok(figures)
}

/// Bytes of an ELF file's code, constants and initial data: what a flash would hold.
pub(super) fn flash_bytes(elf: &Path) -> Result<u32> {
    let bytes = fs::read(elf)?;
    let program = Program::parse(&bytes).map_err(|error| anyhow!("{}: {error}", elf.display()))?;
    let total: usize = program.sections.iter().map(|section| section.part.data.len()).sum();
    Ok(u32::try_from(total)?)
}

/// A machine that ends when it is dropped.
struct Machine {
    child: Child,
    from: Receiver<Vec<u8>>,
    said: Vec<u8>,
    deadline: Instant,
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program on a machine of its own; what it prints, exceptions included.
fn run(guest: Guest<'_>, source: &str) -> Result<String> {
    let mut machine = Machine::start(guest)?;
    machine.until(b">>> ")?;
    machine.send(b"\x01")?;
    machine.until(RAW_PROMPT)?;
    machine.send(source.as_bytes())?;
    machine.send(b"\x04")?;
    machine.until(b"OK")?;
    let mut said = machine.until(b"\x04")?;
    said.extend(machine.until(b"\x04")?);
    Ok(String::from_utf8_lossy(&said).replace(['\u{4}', '\r'], ""))
}

impl Machine {
    fn start(guest: Guest<'_>) -> Result<Self> {
        let mut child = Command::new(guest.machine[0])
            .args(COMMON)
            .args(&guest.machine[1..])
            .arg(guest.elf)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context(guest.machine[0])?;
        let mut output = child.stdout.take().context("QEMU's output")?;
        let (to, from) = channel();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut chunk) {
                if to.send(chunk[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, from, said: Vec::new(), deadline: Instant::now() + PATIENCE })
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let input = self.child.stdin.as_mut().context("QEMU's input")?;
        input.write_all(bytes)?;
        Ok(input.flush()?)
    }

    /// What the machine says up to and including a mark.
    fn until(&mut self, mark: &[u8]) -> Result<Vec<u8>> {
        loop {
            if let Some(at) = self.said.windows(mark.len()).position(|window| window == mark) {
                let rest = self.said.split_off(at + mark.len());
                return Ok(std::mem::replace(&mut self.said, rest));
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            match self.from.recv_timeout(left) {
                Ok(chunk) => self.said.extend(chunk),
                Err(_) => bail!(
                    "no {:?} from the board within {} s; it said:\n{}",
                    String::from_utf8_lossy(mark),
                    PATIENCE.as_secs(),
                    String::from_utf8_lossy(&self.said)
                ),
            }
        }
    }
}
