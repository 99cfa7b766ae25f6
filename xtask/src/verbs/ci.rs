//! `cargo xtask ci`: everything a pull request must pass.

mod actionlint;

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use hil_tests::firmware::Firmware;
use hil_tests::lab::Lab;
use larch_boards::{Board, Chip, Port};
use xshell::{Shell, cmd};

use crate::progress::{self, Watch};
use crate::{ready, toolchain, workspace};

/// Run what continuous integration runs: formatting, lints, tests, the scenarios, other people's tools.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask ci               what a pull request must pass
  cargo xtask ci --nightly     and every attached board of boards.yaml, and those tagged `nightly`")]
pub(crate) struct Arguments {
    /// Also run the scenarios on every attached board of boards.yaml, and on those tagged `nightly`
    #[arg(long)]
    nightly: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    let shell = Shell::new()?;
    shell.change_dir(&lab.root);
    shell.set_var("CARGO_TARGET_DIR", &lab.target);
    let mut steps = Steps { shell: &shell, program: std::env::current_exe()?, failed: Vec::new() };
    steps.run("formatting", || Ok(cmd!(shell, "cargo fmt --all --check").run()?));
    steps.run("lints", || lints(&lab, &shell));
    steps.run("Windows", || windows(&shell));
    steps.run("workflows", || actionlint::run(&lab, &shell));
    steps.run("licences", || licences(&shell));
    steps.verb("tests", &["test"]);
    steps.verb("speed", &["bench", "vm", "--no-host"]);
    steps.verb("scenarios", &["hil"]);
    steps.verb("harness", &["bench", "harness"]);
    on_other_machines(&lab, &mut steps, arguments.nightly);
    steps.verb("clients", &["test", "--clients"]);
    if arguments.nightly {
        attached(&lab, &mut steps);
    }
    steps.conclude()
}

/// Steps go on after a failure: one run tells everything that is wrong.
struct Steps<'s> {
    shell: &'s Shell,
    /// This program, as at the start: tests may build it anew meanwhile, and then the system calls it deleted.
    program: PathBuf,
    failed: Vec<String>,
}

impl Steps<'_> {
    fn run(&mut self, name: &str, step: impl FnOnce() -> Result<()>) {
        println!("== {name}");
        let watch = Watch::start();
        match step() {
            Ok(()) => progress::step("ci", &format!("{name} passed"), Some(watch.time())),
            Err(error) => {
                eprintln!("error: {name}: {error:#}");
                progress::step("ci", &format!("{name} FAILED"), Some(watch.time()));
                self.failed.push(name.to_owned());
            }
        }
    }

    /// Another verb, in a process of its own, as a person would call it.
    fn verb(&mut self, name: &str, words: &[&str]) {
        let (shell, program) = (self.shell, self.program.clone());
        self.run(name, || {
            let run = cmd!(shell, "{program} {words...}").quiet().run();
            run.map_err(|_| anyhow!("cargo xtask {}", words.join(" ")))
        });
    }

    fn conclude(self) -> Result<()> {
        if self.failed.is_empty() {
            println!("   all passed");
            return Ok(());
        }
        bail!("failed: {}", self.failed.join(", "))
    }
}

/// clippy on everything that runs here, then on the firmware for its target.
fn lints(lab: &Lab, shell: &Shell) -> Result<()> {
    cmd!(shell, "cargo clippy --locked --all-targets -- --deny warnings").run()?;
    // Clippy in a build, so that the probe-rs library is compiled once, for the tests as well; a check would compile it once more.
    cmd!(shell, "cargo build --locked -p larch-probe --all-targets")
        .env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver")
        .env("CLIPPY_ARGS", "--deny__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__")
        .run()?;
    let chip = lab.boards.default_board().chip;
    let firmware = Firmware::of(chip, &lab.target).map_err(|message| anyhow!(message))?;
    toolchain::ensure_target(shell, firmware.triple)?;
    let (package, triple) = (firmware.package, firmware.triple);
    cmd!(shell, "cargo clippy --locked -p {package} --profile firmware --target {triple} -- --deny warnings")
        .run()?;
    for chip in [Chip::Nrf52840, Chip::Rp2040, Chip::Stm32f405] {
        let firmware = Firmware::of(chip, &lab.target).map_err(|message| anyhow!(message))?;
        toolchain::ensure_target(shell, firmware.triple)?;
        let (feature, triple) = (chip.word(), firmware.triple);
        cmd!(shell, "cargo clippy --locked -p larch-cortex-m --features {feature} --profile firmware --target {triple} -- --deny warnings")
            .run()?;
    }
    let feature = chip.to_string();
    cmd!(shell, "cargo clippy --locked -p larch-stub --features {feature} --profile stub --target {triple} -- --deny warnings")
        .run()?;
    Ok(())
}

/// Whether xtask and the loader compile for Windows; nothing is linked.
fn windows(shell: &Shell) -> Result<()> {
    const TRIPLE: &str = "x86_64-pc-windows-gnu";
    toolchain::ensure_target(shell, TRIPLE)?;
    Ok(cmd!(shell, "cargo check --locked -p xtask -p larch-loader --target {TRIPLE}").run()?)
}

/// `cargo deny` is no part of Rust; where it is not installed this step says so.
fn licences(shell: &Shell) -> Result<()> {
    if cmd!(shell, "cargo deny --version").quiet().ignore_stdout().ignore_stderr().run().is_err() {
        println!("   skipped: cargo-deny is not installed (cargo install --locked cargo-deny)");
        return Ok(());
    }
    Ok(cmd!(shell, "cargo deny --all-features check bans licenses sources").run()?)
}

/// The scenarios on the other emulated boards, of which one is flashed through a debug probe, and on the machines of QEMU, where
/// it is installed. Those that are tagged `nightly` run only then.
fn on_other_machines(lab: &Lab, steps: &mut Steps<'_>, nightly: bool) {
    let default = &lab.boards.default_board().name;
    let is_other = |board: &&Board| {
        (board.port.is_emulated() || matches!(board.port, Port::Qemu(_)))
            && board.name != *default
            && (nightly || !board.tags.iter().any(|tag| tag == "nightly"))
    };
    for board in lab.boards.iter().filter(is_other) {
        let name = board.name.as_str();
        match lab.unavailable(board) {
            Some(reason) => println!("== scenarios on {name}\n   skipped: {reason}"),
            // RTT is another way to the same program.
            None if board.port.is_rtt() => {
                let topics = ["--scenario", "errors/*", "--scenario", "os/*"];
                steps.verb(&format!("RTT on {name}"), &[&["hil", "--board", name], &topics[..]].concat());
            }
            None => steps.verb(&format!("scenarios on {name}"), &["hil", "--board", name]),
        }
    }
}

/// Every board of `boards.yaml` that stands outside this process and can be reached.
fn attached(lab: &Lab, steps: &mut Steps<'_>) {
    for board in lab.boards.iter().filter(|board| ready::is_attached(board)) {
        let name = board.name.as_str();
        match lab.unavailable(board) {
            Some(reason) => println!("   skipped: board {name}: {reason}"),
            None => steps.verb(&format!("board {name}"), &["hil", "--board", name]),
        }
    }
}
