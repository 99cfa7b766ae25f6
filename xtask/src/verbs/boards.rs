//! `cargo xtask boards`: the boards of `boards.yaml`.

use anyhow::Result;
use clap::Args;

use crate::workspace;

/// List the boards of boards.yaml, and whether each can be used now.
#[derive(Args)]
#[command(after_help = "Example:\n  cargo xtask boards")]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    println!("   {:<20} {:<9} {:<28} {:<9} state", "board", "chip", "port", "reset");
    for board in lab.boards.iter() {
        let default = if *board == *lab.boards.default_board() { " (default)" } else { "" };
        let state = lab.unavailable(board).unwrap_or_else(|| "ready".into());
        let reset = if board.is_program() { "restart".into() } else { board.reset.to_string() };
        let port = board.port.to_string();
        println!("   {:<20} {:<9} {port:<28} {reset:<9} {state}{default}", board.name, board.chip);
    }
    Ok(())
}
