//! `cargo xtask build`: the firmware of a board.

use anyhow::{Context, Result, anyhow};
use clap::Args;
use hil_tests::firmware::Firmware;
use hil_tests::lab::Lab;
use larch_boards::{Board, Chip};
use xshell::{Shell, cmd};

use crate::progress::{self, Watch};
use crate::{toolchain, workspace};

/// Build the firmware of a board.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask build                      the default board
  cargo xtask build --board c3-devkit    a board of boards.yaml
  cargo xtask build --chip rp2040        a chip, whether there is such a board or not")]
pub(crate) struct Arguments {
    /// Board of boards.yaml [default: its default]
    #[arg(long, short)]
    board: Option<String>,
    /// Instead: a chip, by its word in boards.yaml
    #[arg(long, conflicts_with = "board", value_parser = Chip::from_word)]
    chip: Option<Chip>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    if let Some(chip) = arguments.chip {
        return build_for(&lab, chip).map(|_| ());
    }
    let board = workspace::board(&lab, arguments.board.as_deref())?;
    build(&lab, &board).map(|_| ())
}

/// Builds with cargo, which knows what is up to date; adds the Rust target if it is missing.
pub(crate) fn build(lab: &Lab, board: &Board) -> Result<Firmware> {
    build_for(lab, board.chip)
}

/// Builds the firmware of boards with this chip.
pub(crate) fn build_for(lab: &Lab, chip: Chip) -> Result<Firmware> {
    let watch = Watch::start();
    let firmware = Firmware::of(chip, &lab.target).map_err(|message| anyhow!(message))?;
    let shell = Shell::new()?;
    shell.change_dir(&lab.root);
    toolchain::ensure_target(&shell, firmware.triple)?;
    let (package, triple) = (firmware.package, firmware.triple);
    let features: Vec<&str> =
        firmware.feature.into_iter().flat_map(|feature| ["--features", feature]).collect();
    let target = &lab.target;
    let quiet = console::user_attended_stderr();
    let quiet: &[&str] = if quiet { &[] } else { &["--quiet"] };
    cmd!(
        shell,
        "cargo build {quiet...} --locked -p {package} {features...} --profile firmware --target {triple}"
    )
    .quiet()
    .env("CARGO_TARGET_DIR", target)
    .env("LARCH_VERSION_DATE", commit_date(&shell))
    .run()
    .with_context(|| format!("the firmware for {chip} does not build"))?;
    progress::step(
        "build",
        &format!("{:<20} {} for {}", chip.to_string(), firmware.package, firmware.triple),
        Some(watch.time()),
    );
    Ok(firmware)
}

/// The day of the last commit, for the banner; empty outside a repository, where the firmware takes its own default.
fn commit_date(shell: &Shell) -> String {
    let date = cmd!(shell, "git log -1 --format=%cd --date=format:%Y-%m-%d").quiet().ignore_stderr().read();
    date.unwrap_or_default()
}
