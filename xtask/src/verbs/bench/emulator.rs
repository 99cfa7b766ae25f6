//! Speed of the emulator: its `boot` example, as it is and under callgrind.

use anyhow::{Context, Result, bail, ensure};
use hil_tests::lab::Lab;
use std::path::Path;
use xshell::{Shell, cmd};

use crate::verbs::image;

/// Host instructions per instruction of the chip.
const BAR: f64 = 25.0;
/// The same for those alone that are executed one by one: the last measurement and a few percent.
const EXECUTED_BAR: f64 = 29.0;
/// What the board says when it has booted.
const PROMPT: &str = ">>> ";

pub(super) fn run(lab: &Lab) -> Result<()> {
    let board = lab.boards.default_board();
    image::image(lab, board)?;
    let flash = lab.image_directory(board.chip).join("flash.bin");
    let shell = Shell::new()?;
    shell.change_dir(&lab.root);
    let target = &lab.target;
    cmd!(shell, "cargo build --quiet --locked --release -p larch-emulator --example boot")
        .env("CARGO_TARGET_DIR", target)
        .run()?;
    let boot = lab.target.join("release/examples/boot");
    let said = cmd!(shell, "{boot} {flash} {PROMPT} 300 30").quiet().read()?;
    ensure!(said.contains(PROMPT), "the board does not come to a prompt:\n{said}");
    // The chip's own count; delay loops are skipped exactly, so the emulator executes fewer.
    let retired = number(&said, "instructions")?;
    let executed = number(&said, "executed")?;
    println!("   chip         {:.1} million instructions from power-on to prompt", retired / 1e6);
    println!("   executed     {:.1} million of them; the rest are delay loops, skipped", executed / 1e6);
    println!("   speed        {} million executed a second", number(&said, "MIPS")?);
    // Valgrind hides the host's SHA instructions, so the accelerator's blocks are hashed in software there.
    let host = callgrind(&shell, "*run_to_marker*", &boot, &flash)?;
    let hashing = callgrind(&shell, "*compress256*", &boot, &flash)?;
    let (all, alone) = (host / retired, host / executed);
    println!("   host         {all:.1} instructions per instruction of the chip (at most {BAR})");
    println!("                {alone:.1} per executed one (at most {EXECUTED_BAR})");
    println!("                {:.1} of these without SHA-256 in software", (host - hashing) / executed);
    ensure!(all <= BAR && alone <= EXECUTED_BAR, "the emulator is slower than it was");
    Ok(())
}

/// Instructions of the host inside the function that `counted` names, between power-on and prompt.
fn callgrind(shell: &Shell, counted: &str, boot: &Path, flash: &Path) -> Result<f64> {
    if cmd!(shell, "valgrind --version").quiet().ignore_stdout().ignore_stderr().run().is_err() {
        bail!("valgrind counts the host's instructions; on Debian: apt install valgrind");
    }
    let run = cmd!(
        shell,
        "valgrind --tool=callgrind --toggle-collect={counted} --callgrind-out-file=/dev/null {boot} {flash} {PROMPT} 300 30"
    );
    let said = run.quiet().ignore_stdout().read_stderr().context("valgrind")?;
    number(&said.replace("Collected :", "Collected "), "Collected")
}

/// The number behind a word.
fn number(text: &str, word: &str) -> Result<f64> {
    let line = text
        .lines()
        .find_map(|line| line.split_once(word))
        .with_context(|| format!("no '{word}' in:\n{text}"))?;
    let digits = line.1.split_whitespace().next().unwrap_or_default();
    digits.parse().with_context(|| format!("'{digits}' behind '{word}' is no number"))
}
