//! The tools, as processes on an emulated board.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use hil_tests::lab::Lab;
use larch_emulator::serve::Endpoint;
use larch_emulator::serve::lockstep::{self, Usage};
use larch_emulator::{Board, Config, Rom, Wiring};
use larch_image::packages;
use xshell::{Shell, cmd};

use super::OFFSET;
use super::report::Row;
use crate::venv;

/// Versions that are compared with.
const ESPTOOL: &str = "esptool>=5,<6";
const ESPFLASH: &str = "4.7.0";
/// Time-outs count this machine's time, which has nothing to do with the board's here.
const ESPTOOL_SETTINGS: &str = "[esptool]\ntimeout = 60\nmd5_timeout_per_mb = 160\nerase_write_timeout_per_mb = 800\n\
                                erase_region_timeout_per_mb = 800\nserial_write_timeout = 200\nmax_timeout = 1000\n";
/// How long a run may take on this machine.
const LIMIT: Duration = Duration::from_secs(1800);
/// The mask ROM that the board has.
const ROM_REVISION: u32 = 300;
/// The kernel's clock ticks, in which it gives processor time.
const TICKS_PER_SECOND: f64 = 100.0;

/// What is to be done.
#[derive(Clone, Copy, Default)]
pub(super) struct Run<'i> {
    pub work: &'static str,
    /// What must be in flash afterwards, or what must be read.
    pub image: &'i [u8],
    /// What flash holds before.
    pub held: Option<&'i [u8]>,
    /// The tool's default if none.
    pub baud: Option<u32>,
    /// What the adapter can do.
    pub adapter: u32,
    /// Read instead of write.
    pub read: bool,
    /// Tools that leave alone what flash holds only when told are told.
    pub skip: bool,
}

/// Where the tools are.
pub(super) struct Bench {
    directory: PathBuf,
    larch: PathBuf,
    esptool: Option<PathBuf>,
    espflash: Option<PathBuf>,
    /// The same for all runs: rates are remembered by port.
    tcp_port: u16,
}

impl Bench {
    /// Builds this project's loader and, unless it is to be alone, gets the others.
    pub fn new(lab: &Lab, alone: bool) -> Result<Self> {
        let directory = lab.directory().join("bench-loader");
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory)?;
        let shell = Shell::new()?;
        shell.change_dir(&lab.root);
        let target = &lab.target;
        cmd!(shell, "cargo build --quiet --locked --release -p larch-loader")
            .env("CARGO_TARGET_DIR", target)
            .quiet()
            .run()?;
        let (mut esptool, mut espflash) = (None, None);
        if !alone {
            esptool = Some(venv::ensure(&shell, target, &[ESPTOOL])?.join("esptool"));
            espflash = install_espflash(&shell, target);
        }
        let address = Endpoint::rfc2217(0)?.address().to_owned();
        let tcp_port = address.rsplit(':').next().and_then(|port| port.parse().ok()).context(address)?;
        let larch = target.join("release/larch-loader");
        Ok(Self { directory, larch, esptool, espflash, tcp_port })
    }

    pub fn larch(&self, run: &Run<'_>) -> Result<Row> {
        let mut endpoint = Endpoint::rfc2217(self.tcp_port)?;
        let mut command = Command::new(&self.larch);
        command.env("XDG_STATE_HOME", self.directory.join("state"));
        command.args(["--port", endpoint.address(), "--non-interactive", "--after", "no-reset"]);
        // Time-outs count this machine's time, which has nothing to do with the board's here.
        command.args(["--timeout-factor", "20"]);
        self.esptool_words(&mut command, run)?;
        self.measure("larch", &mut command, &mut endpoint, run)
    }

    pub fn esptool(&self, run: &Run<'_>) -> Result<Option<Row>> {
        let Some(program) = &self.esptool else { return Ok(None) };
        let mut endpoint = Endpoint::rfc2217(self.tcp_port)?;
        let mut command = Command::new(program);
        let settings = self.directory.join("esptool.cfg");
        fs::write(&settings, ESPTOOL_SETTINGS)?;
        command.env("ESPTOOL_CFGFILE", settings);
        command.args(["--port", endpoint.address(), "--after", "no-reset"]);
        self.esptool_words(&mut command, run)?;
        if run.skip {
            command.arg("--skip-flashed");
        }
        self.measure("esptool", &mut command, &mut endpoint, run).map(Some)
    }

    /// espflash speaks to ttys only, and a PTY has no control lines: the board waits for a download from the start. It opens only
    /// ports that the system lists, which a PTY is not: for espflash alone the PTY is mounted over one that is.
    pub fn espflash(&self, run: &Run<'_>) -> Result<Option<Row>> {
        const MOUNTED: &str = "mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"";
        let Some(program) = &self.espflash else { return Ok(None) };
        let Some(listed) = larch_loader::ports::list().into_iter().next() else {
            println!("   espflash is left out: this machine lists no serial port that could be lent to it");
            return Ok(None);
        };
        let mut endpoint = Endpoint::pty(None)?;
        let mut command = Command::new("unshare");
        command.args([
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            MOUNTED,
            "sh",
            endpoint.address(),
            &listed.name,
        ]);
        command.arg(program);
        let baud = run.baud.unwrap_or(115_200).to_string();
        command.args(["write-bin", "--chip", "esp32c3", "--before", "no-reset", "--after", "no-reset"]);
        command.args(["--non-interactive", "--baud", &baud, "--port", &listed.name]);
        command.arg(format!("{OFFSET:#x}")).arg(self.file(run)?);
        match self.measure("espflash", &mut command, &mut endpoint, run) {
            Ok(row) => Ok(Some(row)),
            Err(error) => {
                println!("   espflash is left out: {error:#}");
                Ok(None)
            }
        }
    }

    /// Words that esptool and this project's loader share.
    fn esptool_words(&self, command: &mut Command, run: &Run<'_>) -> Result<()> {
        if let Some(baud) = run.baud {
            command.args(["--baud", &baud.to_string()]);
        }
        let offset = format!("{OFFSET:#x}");
        if run.read {
            let size = format!("{:#x}", run.image.len());
            command.args(["read-flash", &offset, &size]).arg(self.directory.join("read.bin"));
        } else {
            command.args(["write-flash", &offset]).arg(self.file(run)?);
        }
        Ok(())
    }

    fn file(&self, run: &Run<'_>) -> Result<PathBuf> {
        let path = self.directory.join("image.bin");
        fs::write(&path, run.image)?;
        Ok(path)
    }

    fn measure(
        &self,
        tool: &'static str,
        command: &mut Command,
        endpoint: &mut Endpoint,
        run: &Run<'_>,
    ) -> Result<Row> {
        let mut board = board(run)?;
        let stop = AtomicBool::new(false);
        let log = self.directory.join(format!("{tool}.log"));
        let (usage, spent) = thread::scope(|scope| {
            let client = scope.spawn(|| {
                let spent = spend(command, &log);
                // The chip finishes what it was told.
                thread::sleep(Duration::from_millis(100));
                stop.store(true, Ordering::Relaxed);
                spent
            });
            let usage = lockstep::run(&mut board, endpoint, run.adapter, &stop);
            (usage, client.join())
        });
        let usage: Usage = usage.context("the emulated board stopped")?;
        let spent = spent.map_err(|_| anyhow!("the watch over {tool} panicked"))?;
        let spent = spent.with_context(|| format!("{tool}: {}", run.work))?;
        let at = OFFSET as usize;
        if run.read {
            let read = fs::read(self.directory.join("read.bin"))?;
            ensure!(read == run.image, "{tool}: what was read is not what flash holds");
        } else {
            let found = &board.chip().flash_contents()[at..at + run.image.len()];
            ensure!(found == run.image, "{tool}: what is in flash is not what was to be written");
        }
        Ok(Row {
            work: run.work,
            tool,
            simulated: usage.time.as_secs_f64(),
            cpu: spent.cpu,
            line: usage.line.as_secs_f64(),
            sent: usage.to_chip,
            received: usage.from_chip,
            memory_mb: spent.memory_mb,
        })
    }
}

/// A board that waits for a download.
fn board(run: &Run<'_>) -> Result<Board> {
    let rom = packages::rom_elf("esp32c3", ROM_REVISION)?;
    let rom = Rom::parse(&fs::read(rom)?).map_err(|error| anyhow!("{error}"))?;
    let end = OFFSET as usize + run.image.len();
    let flash_size = end.next_power_of_two().max(4 << 20);
    let mut board = Board::new(&Config { flash_size, ..Config::new(rom) }, Wiring::AutoReset);
    if let Some(held) = run.held {
        board.chip_mut().load_flash(OFFSET as usize, held);
    }
    board.set_jumper(true);
    board.power_on();
    board.sleep(Duration::from_millis(100));
    board.set_jumper(false);
    board.take_output();
    Ok(board)
}

/// From the package registry, once; none without a network or a compiler that can.
fn install_espflash(shell: &Shell, target: &Path) -> Option<PathBuf> {
    let root = target.join("tools");
    let program = root.join("bin/espflash");
    let wanted = format!("espflash {ESPFLASH}");
    if cmd!(shell, "{program} --version")
        .quiet()
        .ignore_stderr()
        .read()
        .is_ok_and(|said| said.contains(&wanted))
    {
        return Some(program);
    }
    println!("   installing {wanted} below {}", root.display());
    let build = root.join("build");
    let installed = cmd!(
        shell,
        "cargo install --quiet --locked espflash@{ESPFLASH} --no-default-features --features cli --root {root}"
    );
    match installed.env("CARGO_TARGET_DIR", build).quiet().run() {
        Ok(()) => Some(program),
        Err(error) => {
            println!("   espflash is left out: {error}");
            None
        }
    }
}

/// What a process used.
struct Spent {
    cpu: f64,
    memory_mb: f64,
}

fn spend(command: &mut Command, log: &Path) -> Result<Spent> {
    let output = fs::File::create(log)?;
    let before = children_cpu()?;
    let start = Instant::now();
    let mut child = command
        .env("NO_COLOR", "1")
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("{command:?}"))?;
    let mut memory_mb: f64 = 0.0;
    let status = loop {
        memory_mb = memory_mb.max(peak_memory(child.id()));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > LIMIT {
            // It may have ended by itself meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            bail!("it did not end within {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(10));
    };
    let cpu = children_cpu()? - before;
    if !status.success() {
        let said = fs::read_to_string(log).unwrap_or_default();
        let tail: Vec<&str> = said.lines().rev().take(6).collect();
        bail!("{status}: {}", tail.into_iter().rev().collect::<Vec<_>>().join(" / "));
    }
    Ok(Spent { cpu, memory_mb })
}

/// Processor time of all children that have ended, in seconds.
fn children_cpu() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // Behind the name in brackets, state is field 3; cutime and cstime are 16 and 17.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |n: usize| fields.get(n - 3).and_then(|text| text.parse::<f64>().ok());
    let (user, system) = field(16).zip(field(17)).context("/proc/self/stat has another form")?;
    Ok((user + system) / TICKS_PER_SECOND)
}

/// Highest resident size of a process so far, in MB; 0 if it has gone.
fn peak_memory(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next())
        .and_then(|text| text.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1024.0
}
