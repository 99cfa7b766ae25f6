//! Speed and memory of the interpreter: executed instructions of ten programs on QEMU's riscv32 `virt` machine, on its Cortex-M4F
//! and on this machine under callgrind, against MicroPython's figures (those of Arm are of a Cortex-M3, which has no floats).
//!
//! The firmware is built with the modules of MicroPython's qemu port, so that its size can be compared as well.
//!
//! Counts are exact, so they are compared with `xtask/bench/vm/baseline.json`: more than 2 % above it is a failure.

mod board;
mod data;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use hil_tests::lab::Lab;
use larch_boards::Chip;
use xshell::{Shell, cmd};

use crate::verbs::build;
use crate::{toolchain, venv};
use board::Guest;
use data::{Figures, Peer, Results};

const PACKAGE: &str = "larch-virt-rv32";
const TRIPLE: &str = "riscv32imac-unknown-none-elf";
/// The board whose firmware is measured on Arm: it is the one that its scenarios run on.
const ARM_CHIP: Chip = Chip::Mps2An386;
/// How much more than the baseline is a failure.
const TOLERANCE: f64 = 1.02;

/// Executed instructions and memory of the interpreter, against MicroPython.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask bench vm                             ten programs and memory, on QEMU and here; fails if 2 % slower than before
  cargo xtask bench vm --peer micropython.elf      measure another interpreter's firmware beside ours
  cargo xtask bench vm --perf-bench DIR            also MicroPython's tests/perf_bench, from a checkout of yours
  cargo xtask bench vm --update                    accept the figures as the new baseline")]
pub(crate) struct Arguments {
    /// Another interpreter's firmware for the same machine, measured instead of using recorded figures
    #[arg(long, value_name = "ELF")]
    peer: Option<PathBuf>,
    /// A folder with MicroPython's perf_bench programs
    #[arg(long, value_name = "DIR")]
    perf_bench: Option<PathBuf>,
    /// Only QEMU, not callgrind on this machine
    #[arg(long)]
    no_host: bool,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Make the figures the baseline
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(lab: &Lab, arguments: &Arguments) -> Result<()> {
    let folder = lab.root.join("xtask/bench/vm");
    let peer = Peer::read(&folder.join("micropython.json"))?;
    let shell = Shell::new()?;
    shell.change_dir(&lab.root);
    if !board::is_installed(&shell, board::RV32) {
        bail!("{} is not installed; on Debian: apt install qemu-system-misc", board::RV32[0]);
    }
    let elf = build_firmware(&shell, lab)?;
    let rv32 = |elf| Guest { machine: board::RV32, elf };
    let ours = rv32(elf.as_path());
    let theirs = arguments.peer.as_deref().map(rv32);
    let programs = board::programs(&folder, "p")?;
    let mut results = Results::default();

    let rivals = match theirs {
        Some(peer) => in_millions(board::measure_all(peer, &programs, board::wrap_program)?),
        None => peer.rv32_million_instructions,
    };
    results.rv32 = in_millions(board::measure_all(ours, &programs, board::wrap_program)?);
    data::print_table("RV32, million instructions", &results.rv32, &rivals, (0.50, 0.80));
    results.arm = on_arm(&shell, lab, &programs)?;
    if !results.arm.is_empty() {
        let rivals = &peer.cortex_m3_million_instructions;
        data::print_table("Arm, million instructions", &results.arm, rivals, (0.50, 0.80));
    }

    if let Some(folder) = &arguments.perf_bench {
        let runner = fs::read_to_string(folder.join("benchrun.py"))
            .with_context(|| format!("{} has no benchrun.py", folder.display()))?;
        let wrap = |source: &str| format!("{source}\n{runner}\nbm_run(100, 100)\n");
        let names = peer.perf_bench_kilo_instructions.keys();
        let suite = names.map(|name| folder.join(name).with_extension("py")).collect::<Vec<_>>();
        let rivals = match theirs {
            Some(peer) => board::measure_all(peer, &suite, wrap)?,
            None => peer.perf_bench_kilo_instructions.clone(),
        };
        results.perf_bench = board::measure_all(ours, &suite, wrap)?;
        data::print_table("perf_bench 100 100, kilo-instructions", &results.perf_bench, &rivals, (0.55, 1.0));
    }

    let collections = board::programs(&folder, "c")?;
    let rivals = match theirs {
        Some(peer) => board::measure_all(peer, &collections, str::to_owned)?,
        None => peer.collection_kilo_instructions,
    };
    results.collection = board::measure_all(ours, &collections, str::to_owned)?;
    data::print_table("gc.collect(), kilo-instructions", &results.collection, &rivals, (0.60, 0.60));

    let memory = fs::read_to_string(folder.join("m01_mem.py"))?;
    results.memory = board::memory(ours, &memory)?;
    let rivals = match theirs {
        Some(peer) => board::memory(peer, &memory)?,
        None => peer.memory_bytes,
    };
    data::print_table("bytes kept (a dict may take 1.25)", &results.memory, &rivals, (1.0, 1.0));
    results.flash_bytes = board::flash_bytes(&elf)?;
    println!("   firmware     {} bytes of code and constants (bar: 300000)", results.flash_bytes);

    if !arguments.no_host {
        if cmd!(shell, "valgrind --version").quiet().ignore_stdout().ignore_stderr().run().is_ok() {
            let rival = venv::ensure(&shell, &lab.target, &[venv::MICROPYTHON])?.join("micropython");
            let rivals = on_host(&shell, &rival, &programs)?;
            results.host = on_host(&shell, &build_host(&shell, lab)?, &programs)?;
            data::print_table("this machine, million instructions", &results.host, &rivals, (0.50, 1.0));
        } else {
            println!("   host         skipped: valgrind is not installed (Debian: apt install valgrind)");
        }
    }
    if let Some(file) = &arguments.json {
        results.write(file)?;
    }
    let baseline = folder.join("baseline.json");
    if arguments.update {
        return results.write(&baseline);
    }
    compare(&results, &Results::read(&baseline)?)
}

/// Builds with the profile that goes into boards, and the modules that MicroPython has on this machine.
fn build_firmware(shell: &Shell, lab: &Lab) -> Result<PathBuf> {
    toolchain::ensure_target(shell, TRIPLE)?;
    let target = &lab.target;
    cmd!(
        shell,
        "cargo build --quiet --locked -p {PACKAGE} --no-default-features --profile firmware --target {TRIPLE}"
    )
    .quiet()
    .env("CARGO_TARGET_DIR", target)
    .run()?;
    Ok(target.join(TRIPLE).join("firmware").join(PACKAGE))
}

/// The programs on the Cortex-M4F, where QEMU has it.
fn on_arm(shell: &Shell, lab: &Lab, programs: &[PathBuf]) -> Result<Figures> {
    if !board::is_installed(shell, board::ARM) {
        println!(
            "   Arm          skipped: {} is not installed (Debian: apt install qemu-system-arm)",
            board::ARM[0]
        );
        return Ok(Figures::new());
    }
    let elf = build::build_for(lab, ARM_CHIP)?.elf;
    let guest = Guest { machine: board::ARM, elf: &elf };
    Ok(in_millions(board::measure_all(guest, programs, board::wrap_program)?))
}

fn in_millions(kilo: Figures) -> Figures {
    kilo.into_iter().map(|(name, count)| (name, count / 1000.0)).collect()
}

fn build_host(shell: &Shell, lab: &Lab) -> Result<PathBuf> {
    let target = &lab.target;
    cmd!(shell, "cargo build --quiet --locked --release -p larch")
        .quiet()
        .env("CARGO_TARGET_DIR", target)
        .run()?;
    Ok(target.join("release/larch"))
}

/// The programs as a desktop user runs them, under callgrind, start and end included.
fn on_host(shell: &Shell, interpreter: &Path, programs: &[PathBuf]) -> Result<Figures> {
    let count = |program: &PathBuf| -> Result<(String, f64)> {
        let said =
            cmd!(shell, "valgrind --tool=callgrind --callgrind-out-file=/dev/null {interpreter} {program}")
                .quiet()
                .ignore_stdout()
                .read_stderr()?;
        let collected = said.lines().find_map(|line| line.split_once("Collected :"));
        let instructions: f64 = collected.context("callgrind says no count")?.1.trim().parse()?;
        Ok((board::name_of(program), instructions / 1e6))
    };
    programs.iter().map(count).collect()
}

/// Every figure of a repeatable kind must stay within the tolerance.
fn compare(now: &Results, before: &Results) -> Result<()> {
    let mut worse = Vec::new();
    let kinds = [
        (&now.rv32, &before.rv32),
        (&now.arm, &before.arm),
        (&now.perf_bench, &before.perf_bench),
        (&now.collection, &before.collection),
        (&now.memory, &before.memory),
    ];
    for (now, before) in kinds {
        for (name, count) in now {
            match before.get(name) {
                Some(old) if *count > old * TOLERANCE => {
                    worse.push(format!("{name}: {count:.1}, was {old:.1}"));
                }
                _ => {}
            }
        }
    }
    if f64::from(now.flash_bytes) > f64::from(before.flash_bytes) * TOLERANCE {
        worse.push(format!("firmware: {} bytes, was {}", now.flash_bytes, before.flash_bytes));
    }
    if worse.is_empty() {
        println!("   within 2 % of the baseline");
        return Ok(());
    }
    bail!(
        "more than 2 % above the baseline (if that is meant: cargo xtask bench vm --update):\n       {}",
        worse.join("\n       ")
    )
}
