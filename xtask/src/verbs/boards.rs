//! `cargo xtask boards`: the boards of `boards.yaml`, what is plugged in, and what is the matter with it.

mod matrix;
mod scan;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use hil_tests::doctor::{self, Expected, Finding};
use hil_tests::lab::Lab;
use hil_tests::lock;
use larch_boards::Board;

use crate::workspace;

/// List the boards of boards.yaml, find what is plugged in, and examine boards.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask boards                     list the boards
  cargo xtask boards scan                entries for what is plugged in and not in boards.yaml
  cargo xtask boards doctor c3-devkit    what is the matter with this board?
  cargo xtask boards doctor              and with all of them?")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// List the boards, and whether each can be used now
    List,
    /// Propose entries for the serial ports of this machine that boards.yaml does not know
    Scan {
        /// Reset what hangs there and ask which chip it is
        #[arg(long)]
        identify: bool,
    },
    /// List the machines that have boards (tag `host:NAME`), for the matrix of a workflow
    Matrix {
        /// As GitHub's `strategy.matrix` reads it
        #[arg(long)]
        json: bool,
    },
    /// Examine boards: port, who else has it, reset lines, what they print, prompt, firmware, power
    Doctor {
        /// Boards of boards.yaml [default: all]
        board: Vec<String>,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    match &arguments.verb {
        None | Some(Verb::List) => {
            list(&lab);
            Ok(())
        }
        Some(Verb::Scan { identify }) => scan::run(&lab, *identify),
        Some(Verb::Matrix { json }) => matrix::run(&lab, *json),
        Some(Verb::Doctor { board }) => doctor(&lab, board),
    }
}

fn list(lab: &Lab) {
    println!("   {:<20} {:<9} {:<28} {:<9} state", "board", "chip", "port", "reset");
    for board in lab.boards.iter() {
        let default = if board.name == lab.boards.default_board().name { " (default)" } else { "" };
        let state = state(lab, board);
        let restarted = board.port.program().is_some();
        let reset = if restarted { "restart".into() } else { board.reset.to_string() };
        let port = board.port.to_string();
        println!("   {:<20} {:<9} {port:<28} {reset:<9} {state}{default}", board.name, board.chip);
        let mut more = Vec::new();
        more.extend((!board.tags.is_empty()).then(|| format!("tags: {}", board.tags.join(", "))));
        more.extend(board.owner.as_ref().map(|owner| format!("owner: {owner}")));
        more.extend(board.notes.clone());
        if !more.is_empty() {
            println!("   {:<20} {}", "", more.join("; "));
        }
        for entry in &board.quarantine {
            let (scenario, until, owner, reason) =
                (&entry.scenario, &entry.until, &entry.owner, &entry.reason);
            println!("   {:<20} quarantine until {until}: {scenario}: {reason} ({owner})", "");
        }
    }
}

fn state(lab: &Lab, board: &Board) -> String {
    if let Some(reason) = lab.unavailable(board) {
        return reason;
    }
    let holder = lock::holder(&lock::directory(), &board.identity()).filter(|_| !board.port.is_started());
    holder.map_or_else(|| "ready".into(), |holder| format!("in use by {}", holder.describe()))
}

fn doctor(lab: &Lab, names: &[String]) -> Result<()> {
    let boards: Vec<Board> = if names.is_empty() {
        lab.boards.iter().cloned().collect()
    } else {
        let found: Result<Vec<Board>> = names.iter().map(|name| workspace::board(lab, Some(name))).collect();
        found?
    };
    let mut ill = Vec::new();
    for board in &boards {
        println!("   {}", board.name);
        let findings = doctor::diagnose(lab, board, &expected(lab, board));
        findings.iter().for_each(|finding| println!("      {finding}"));
        let worst = findings.iter().find(|finding| !finding.is_good());
        ill.extend(worst.map(|finding: &Finding| format!("{} [{:02}]", board.name, finding.code)));
    }
    match ill.as_slice() {
        [] => Ok(()),
        ill => bail!("{} of {} boards need attention: {}", ill.len(), boards.len(), ill.join(", ")),
    }
}

/// What a board says that runs our firmware as it was built last.
fn expected(lab: &Lab, board: &Board) -> Expected {
    let ours = board.runs_ours() && lab.no_image(board).is_none();
    Expected { build: if ours { lab.image_build(board.chip) } else { String::new() } }
}
