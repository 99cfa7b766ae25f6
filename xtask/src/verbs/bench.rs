//! `cargo xtask bench`: measurements.

mod emulator;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::workspace;

/// Measure.
#[derive(Args)]
#[command(after_help = "\
Example:
  cargo xtask bench emulator    speed of the emulated board from power-on to prompt")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Host instructions per instruction of the emulated chip (callgrind), and MIPS, from power-on to prompt
    Emulator,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    match arguments.what {
        What::Emulator => emulator::run(&lab),
    }
}
