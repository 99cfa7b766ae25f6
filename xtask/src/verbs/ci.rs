//! `cargo xtask ci`: everything a pull request must pass.

mod actionlint;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use hil_tests::firmware::Firmware;
use hil_tests::lab::Lab;
use larch_boards::{Board, Port};
use xshell::{Shell, cmd};

use crate::progress::{self, Watch};
use crate::{ready, toolchain, workspace};

/// Run what continuous integration runs: formatting, lints, tests, the scenarios, other people's tools.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask ci               what a pull request must pass
  cargo xtask ci --nightly     and every attached board of boards.yaml")]
pub(crate) struct Arguments {
    /// Also run the scenarios on every attached board of boards.yaml
    #[arg(long)]
    nightly: bool,
}

/// Variable that keeps the path of this program.
const PROGRAM: &str = "LARCH_XTASK";

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    let shell = Shell::new()?;
    shell.change_dir(&lab.root);
    shell.set_var("CARGO_TARGET_DIR", &lab.target);
    shell.set_var(PROGRAM, std::env::current_exe()?);
    let mut steps = Steps { failed: Vec::new() };
    steps.run("formatting", || Ok(cmd!(shell, "cargo fmt --all --check").run()?));
    steps.run("lints", || lints(&lab, &shell));
    steps.run("Windows", || windows(&shell));
    steps.run("workflows", || actionlint::run(&lab, &shell));
    steps.run("licences", || licences(&shell));
    steps.run("tests", || xtask(&shell, &["test"]));
    steps.run("speed", || xtask(&shell, &["bench", "vm", "--no-host"]));
    steps.run("scenarios", || xtask(&shell, &["hil"]));
    steps.run("harness", || xtask(&shell, &["bench", "harness"]));
    on_other_machines(&lab, &shell, &mut steps);
    steps.run("clients", || xtask(&shell, &["test", "--clients"]));
    if arguments.nightly {
        attached(&lab, &shell, &mut steps);
    }
    steps.conclude()
}

/// Steps go on after a failure: one run tells everything that is wrong.
struct Steps {
    failed: Vec<String>,
}

impl Steps {
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

    fn conclude(self) -> Result<()> {
        if self.failed.is_empty() {
            println!("   all passed");
            return Ok(());
        }
        bail!("failed: {}", self.failed.join(", "))
    }
}

/// Another verb, in a process of its own, as a person would call it. Tests may have built the program anew meanwhile, so its path
/// is what it was at the start.
fn xtask(shell: &Shell, words: &[&str]) -> Result<()> {
    let program = shell.var(PROGRAM)?;
    cmd!(shell, "{program} {words...}").quiet().run().map_err(|_| anyhow!("cargo xtask {}", words.join(" ")))
}

/// clippy on everything that runs here, then on the firmware for its target.
fn lints(lab: &Lab, shell: &Shell) -> Result<()> {
    cmd!(shell, "cargo clippy --locked --all-targets -- --deny warnings").run()?;
    cmd!(shell, "cargo clippy --locked -p larch-probe --all-targets -- --deny warnings").run()?;
    let chip = lab.boards.default_board().chip;
    let firmware = Firmware::of(chip, &lab.target).map_err(|message| anyhow!(message))?;
    toolchain::ensure_target(shell, firmware.triple)?;
    let (package, triple) = (firmware.package, firmware.triple);
    cmd!(shell, "cargo clippy --locked -p {package} --profile firmware --target {triple} -- --deny warnings")
        .run()?;
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
/// it is installed.
fn on_other_machines(lab: &Lab, shell: &Shell, steps: &mut Steps) {
    let default = &lab.boards.default_board().name;
    let is_other =
        |board: &&Board| matches!(board.port, Port::Emulator | Port::Qemu(_)) && board.name != *default;
    for board in lab.boards.iter().filter(is_other) {
        let name = board.name.as_str();
        match lab.unavailable(board) {
            Some(reason) => println!("== scenarios on {name}\n   skipped: {reason}"),
            None => steps.run(&format!("scenarios on {name}"), || xtask(shell, &["hil", "--board", name])),
        }
    }
}

/// Every board of `boards.yaml` that stands outside this process and can be reached.
fn attached(lab: &Lab, shell: &Shell, steps: &mut Steps) {
    for board in lab.boards.iter().filter(|board| ready::is_attached(board)) {
        let name = board.name.as_str();
        match lab.unavailable(board) {
            Some(reason) => println!("   skipped: board {name}: {reason}"),
            None => steps.run(&format!("board {name}"), || xtask(shell, &["hil", "--board", name])),
        }
    }
}
