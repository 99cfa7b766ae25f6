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

use super::table::coloured;
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
    let given_up = given_up.into_inner().unwrap_or_else(PoisonError::into_inner);
    let ran = |name: &str| answers.keys().any(|(_, board)| board == name);
    if !ran(&ours) || !ran(&theirs) {
        bail!("nothing to compare: {}", given_up.first().map_or("no scenario runs on both", String::as_str));
    }
    let compared = Compared { lab, answers, ours, theirs };
    let differ = compared.show(&plan.scenarios);
    if let Some(why) = given_up.first() {
        bail!("not compared to the end: {why}");
    }
    match differ {
        0 => Ok(()),
        1 => bail!("1 scenario is answered differently, and hil-tests/differences.yaml does not say why"),
        count => {
            bail!(
                "{count} scenarios are answered differently, and hil-tests/differences.yaml does not say why"
            )
        }
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

/// What both boards answered.
struct Compared<'a> {
    lab: &'a Lab,
    answers: BTreeMap<(String, String), Answer>,
    ours: String,
    theirs: String,
}

impl Compared<'_> {
    /// Shows every difference, then how many there are of each kind; gives the number of those that nobody explained.
    fn show(&self, names: &[String]) -> usize {
        let (mut same, mut listed, mut differ, mut missing) = (0, 0, 0, Vec::new());
        say("");
        for name in names {
            let of = |board: &str| self.answers.get(&(name.clone(), board.to_owned()));
            let (Some(left), Some(right)) = (of(&self.ours), of(&self.theirs)) else {
                missing.push(name.as_str());
                continue;
            };
            if left == right && left.is_ok() {
                same += 1;
                continue;
            }
            let reason = self.reason(name);
            match reason {
                Some(_) => listed += 1,
                None => differ += 1,
            }
            self.difference(name, left, right, reason);
        }
        say("");
        if !missing.is_empty() {
            say(&format!("   not run on both: {}", missing.join(", ")));
        }
        say(&format!(
            "   {same} answered the same, {differ} differently, {listed} differently as listed, {} not run on both",
            missing.len()
        ));
        differ
    }

    /// Why the answers may differ.
    fn reason(&self, name: &str) -> Option<&str> {
        let of = |board: &str| self.lab.suite.may_differ(board, name);
        of(&self.theirs).or_else(|| of(&self.ours))
    }

    fn difference(&self, name: &str, left: &Answer, right: &Answer, reason: Option<&str>) {
        let word = if reason.is_some() { style("as listed").dim() } else { style("DIFFERS").yellow().bold() };
        say(&format!("   {word}  {name}{}", reason.map_or_else(String::new, |reason| format!(": {reason}"))));
        say(&format!("     {}", style(format!("- {}", self.ours)).red()));
        say(&format!("     {}", style(format!("+ {}", self.theirs)).green()));
        let shown = |answer: &Answer| match answer {
            Ok(transcript) => format!("{transcript}\n"),
            Err(why) => format!("(did not come to its end)\n{why}\n"),
        };
        for line in snapshot::diff(&shown(left), &shown(right)).lines() {
            say(&format!("       {}", coloured(line)));
        }
    }
}
