//! Where this checkout is, and its boards.

use anyhow::{Result, anyhow};
use hil_tests::lab::{Lab, target_directory};
use larch_boards::Board;

/// Boards, scenarios and directories of this checkout.
pub(crate) fn lab() -> Result<Lab> {
    Lab::load(&target_directory()).map_err(|message| anyhow!(message))
}

/// The board of that name, or the default one.
pub(crate) fn board(lab: &Lab, name: Option<&str>) -> Result<Board> {
    match name {
        Some(name) => Ok(lab.boards.find(name)?.clone()),
        None => Ok(lab.boards.default_board().clone()),
    }
}
