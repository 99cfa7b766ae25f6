//! `cargo xtask flash`.

use anyhow::{Result, bail};
use clap::Args;

/// Not there yet.
#[derive(Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: &Arguments) -> Result<()> {
    bail!("not there yet")
}
