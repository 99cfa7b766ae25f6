//! Makes a board ready for its scenarios: builds, makes the image, flashes, boots; or installs the program it is.

use anyhow::{Result, bail};
use hil_tests::lab::Lab;
use larch_boards::{Board, Port};
use xshell::Shell;

use crate::venv;

/// After this, the board only waits to be reset.
pub(crate) fn make_ready(lab: &Lab, board: &Board) -> Result<()> {
    if let Port::Command(words) = &board.port
        && words[0] == "micropython"
        && lab.unavailable(board).is_some()
    {
        venv::ensure(&Shell::new()?, &lab.target, &[venv::MICROPYTHON])?;
    }
    match lab.unavailable(board) {
        None => Ok(()),
        Some(reason) => bail!("board {}: {reason}", board.name),
    }
}
