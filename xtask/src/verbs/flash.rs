//! `cargo xtask flash`: build, make the image, write it over the board's serial port.

use anyhow::{Result, bail};
use clap::Args;
use larch_boards::FlashMethod;

use crate::{ready, workspace};

/// Flash a board over its serial port, and wait for its prompt.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask flash                      the emulated board (kept for `cargo xtask repl`)
  cargo xtask flash --board c3-devkit    an attached board")]
pub(crate) struct Arguments {
    /// Board of boards.yaml [default: its default]
    #[arg(long, short)]
    board: Option<String>,
    /// Do nothing if the board has this image already
    #[arg(long)]
    ready: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    let board = workspace::board(&lab, arguments.board.as_deref())?;
    if board.flash == FlashMethod::None {
        bail!("board {} is not flashed by us (`flash: none` in boards.yaml, or a program)", board.name);
    }
    if arguments.ready {
        ready::make_ready(&lab, &board, &|_| {})?;
    } else {
        ready::flash_afresh(&lab, &board)?;
    }
    println!("   Ready: cargo xtask repl --board {}", board.name);
    Ok(())
}
