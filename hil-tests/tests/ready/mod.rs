//! What the tests need is made by `cargo xtask`; here it is called if that was not done.
//!
//! Invariant: a test never runs with an image that is older than its sources, and never passes without one.
#![allow(dead_code, clippy::allow_attributes, reason = "each test target uses its own part")]

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use hil_tests::lab::Lab;
use larch_boards::Board;

/// What came of a call, by its words: each is made once per process.
static CALLED: Mutex<Option<HashMap<String, Result<(), String>>>> = Mutex::new(None);

/// The board is flashed with the firmware as it is now.
pub fn flashed(lab: &Lab, board: &Board) -> Result<(), String> {
    once(lab, board, &["flash", "--ready"], Lab::not_flashed)
}

/// There is a flash image of the firmware as it is now.
pub fn image(lab: &Lab, board: &Board) -> Result<(), String> {
    once(lab, board, &["image"], Lab::no_image)
}

fn once(
    lab: &Lab,
    board: &Board,
    verb: &[&str],
    lacking: fn(&Lab, &Board) -> Option<String>,
) -> Result<(), String> {
    let shown = format!("cargo xtask {} --board {}", verb.join(" "), board.name);
    let mut called = CALLED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = called.get_or_insert_default();
    known.entry(shown.clone()).or_insert_with(|| make(lab, board, verb, &shown, lacking)).clone()
}

fn make(
    lab: &Lab,
    board: &Board,
    verb: &[&str],
    shown: &str,
    lacking: fn(&Lab, &Board) -> Option<String>,
) -> Result<(), String> {
    let Some(reason) = lacking(lab, board) else { return Ok(()) };
    eprintln!("{reason}: {shown}");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--package", "xtask", "--"])
        .args(verb)
        .args(["--board", &board.name])
        .current_dir(&lab.root)
        .env("CARGO_TARGET_DIR", &lab.target)
        .output()
        .map_err(|error| format!("{reason}; and cargo cannot be run: {error}"))?;
    match lacking(lab, board) {
        None if output.status.success() => Ok(()),
        still => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{}; `{shown}` says:\n{}", still.unwrap_or(reason), said.trim_end()))
        }
    }
}
