//! `--against B`: where our firmware and another one answer differently. Snapshots are neither read nor written.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use console::style;
use hil_tests::event::{Attempt, Event, Verdict};
use hil_tests::lab::Lab;
use hil_tests::run::Update;
use hil_tests::runner::{self, Plan};
use hil_tests::snapshot;
use larch_boards::Board;

use crate::progress::say;

/// What a board answered, or why it did not.
type Answer = Result<String, String>;

pub(super) fn run(lab: &Lab, plan: Plan, other: Board) -> Result<()> {
    let [board] = plan.boards.as_slice() else {
        bail!("--against compares with one board; name one with --board")
    };
    if board.name == other.name {
        bail!("--against needs another board than {}", board.name);
    }
    let (ours, theirs) = (board.name.clone(), other.name.clone());
    let plan =
        Plan { boards: vec![board.clone(), other], update: Update::Leave, retries: 0, repeat: 1, ..plan };
    let answers: Mutex<BTreeMap<(String, String), Answer>> = Mutex::new(BTreeMap::new());
    let given_up = Mutex::new(Vec::new());
    let observer = |event: &Event| match event {
        Event::AttemptEnded(attempt) => {
            let key = (attempt.scenario.clone(), attempt.board.clone());
            answers.lock().unwrap_or_else(PoisonError::into_inner).insert(key, answer(attempt));
        }
        Event::BoardEnded { board, given_up: Some(why), .. } => {
            given_up.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{board}: {why}"));
        }
        _ => {}
    };
    runner::run(lab, &plan, &super::prepare(lab), &observer);
    let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    let differ = compare(&plan.scenarios, &answers, &ours, &theirs);
    if let Some(why) = given_up.into_inner().unwrap_or_else(PoisonError::into_inner).first() {
        bail!("not compared to the end: {why}");
    }
    match differ {
        0 => Ok(()),
        count => bail!("{count} of {} scenarios are answered differently", plan.scenarios.len()),
    }
}

fn answer(attempt: &Attempt) -> Answer {
    match &attempt.verdict {
        Verdict::Failed { cause, shown } if !matches!(cause.as_str(), "differs" | "unlisted") => {
            Err(shown.clone())
        }
        _ => Ok(attempt.transcript.clone()),
    }
}

/// Shows every difference; gives their number.
fn compare(
    names: &[String],
    answers: &BTreeMap<(String, String), Answer>,
    ours: &str,
    theirs: &str,
) -> usize {
    let (mut same, mut differ, mut skipped) = (0, 0, 0);
    for name in names {
        let of = |board: &str| answers.get(&(name.clone(), board.to_owned()));
        let (Some(left), Some(right)) = (of(ours), of(theirs)) else {
            skipped += 1;
            continue;
        };
        if left == right && left.is_ok() {
            same += 1;
            continue;
        }
        differ += 1;
        say(&format!("   {}  {name}   - {ours}   + {theirs}", style("differs").yellow().bold()));
        let shown = |answer: &Answer| answer.clone().unwrap_or_else(|why| format!("(did not end)\n{why}"));
        for line in snapshot::diff(&format!("{}\n", shown(left)), &format!("{}\n", shown(right))).lines() {
            say(&format!("     {line}"));
        }
    }
    say(&format!("   {same} the same, {differ} different, {skipped} not run on both"));
    differ
}
