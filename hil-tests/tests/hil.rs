//! Every (board, scenario) pair as a named test: `esp32c3-emu::errors/exit`.
//!
//! The boards are the default one and real MicroPython; `LARCH_BOARDS=a,b` names others. cargo-nextest can list,
//! filter, retry and shard the pairs. `cargo xtask hil` runs the same code with a nicer face.

mod ready;

use std::process::ExitCode;
use std::sync::Arc;

use hil_tests::event::Verdict;
use hil_tests::lab::{Lab, target_directory};
use hil_tests::run::{Suite, Update};
use larch_boards::Board;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn trials() -> Result<Vec<Trial>, String> {
    let lab = Arc::new(Lab::load(&target_directory())?);
    let mut trials = Vec::new();
    for board in boards(&lab)? {
        let unavailable = lab.unavailable(&board);
        for (index, scenario) in lab.suite.scenarios.iter().enumerate() {
            let skip = unavailable.clone().or_else(|| Suite::skip_reason(&board, scenario));
            let name = format!("{}::{}", board.name, scenario.name);
            let (lab, board) = (Arc::clone(&lab), board.clone());
            let trial = Trial::test(name, move || run(&lab, &board, index));
            // A skipped pair is listed with its reason, never left out.
            trials.push(match skip {
                Some(reason) => trial.with_kind(reason).with_ignored_flag(true),
                None => trial,
            });
        }
    }
    Ok(trials)
}

fn boards(lab: &Lab) -> Result<Vec<Board>, String> {
    let default = lab.boards.default_board().name.clone();
    let names = std::env::var("LARCH_BOARDS").unwrap_or_else(|_| format!("{default},micropython-unix"));
    names
        .split(',')
        .map(|name| lab.boards.find(name.trim()).cloned().map_err(|error| error.to_string()))
        .collect()
}

fn run(lab: &Lab, board: &Board, index: usize) -> Result<(), Failed> {
    ready::flashed(lab, board)?;
    let scenario = &lab.suite.scenarios[index];
    let open = || lab.open_actors(board, scenario, None);
    match lab.suite.attempt(board, scenario, Update::Propose, open).verdict {
        Verdict::Passed | Verdict::Differs { .. } => Ok(()),
        Verdict::Failed { shown, .. } => Err(shown.into()),
    }
}
