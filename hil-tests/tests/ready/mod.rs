//! A pair needs a built and flashed board. `cargo xtask flash` makes one; here it is called if that was not done.

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use hil_tests::lab::Lab;
use larch_boards::Board;

/// What came of it, by board: asked once per process.
static ASKED: Mutex<Option<HashMap<String, Result<(), String>>>> = Mutex::new(None);

/// Builds and flashes if the firmware, its image or the flashed board is older than the sources.
pub fn once(lab: &Lab, board: &Board) -> Result<(), String> {
    let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = asked.get_or_insert_default();
    known.entry(board.name.clone()).or_insert_with(|| make_ready(lab, board)).clone()
}

fn make_ready(lab: &Lab, board: &Board) -> Result<(), String> {
    let Some(reason) = lab.not_ready(board) else { return Ok(()) };
    eprintln!("{reason}: cargo xtask flash --ready --board {}", board.name);
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--package", "xtask", "--", "flash", "--ready", "--board", &board.name])
        .current_dir(&lab.root)
        .env("CARGO_TARGET_DIR", &lab.target)
        .output()
        .map_err(|error| format!("{reason}; and cargo cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    match lab.not_ready(board) {
        None if output.status.success() => Ok(()),
        still => Err(format!(
            "{}; `cargo xtask flash --ready --board {}` says:\n{}",
            still.unwrap_or(reason),
            board.name,
            said.trim_end()
        )),
    }
}
