//! What a verb is on a system without pseudo-terminals and processor time of threads: a message that says so.

use anyhow::{Result, bail};
use clap::Args;

/// Any arguments.
#[derive(Args)]
pub(crate) struct Arguments {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    _words: Vec<String>,
}

pub(crate) fn run(_: &Arguments) -> Result<()> {
    bail!(
        "this verb needs Linux, macOS or the Windows Subsystem for Linux; build, flash, hil, boards and reports work here"
    )
}
