//! `junit.xml`: a suite for each board, a case for each scenario.
//!
//! JUnit knows no quarantine and no listed difference: a quarantined failure is a skipped case that says so, a listed
//! difference passes with a word in its output. Retries are Surefire's `flakyFailure` and `rerunFailure`.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::model::{Night, Pair};
use crate::event::{Attempt, Status, Verdict};

/// The text of the file.
pub(super) fn xml(night: &Night) -> String {
    let mut report = Report::new("larch");
    report.set_time(Duration::from_millis(night.ms));
    for (board, known) in night.boards.iter().enumerate() {
        let mut suite = TestSuite::new(known.name.clone());
        suite.set_time(Duration::from_millis(known.ms.unwrap_or(0)));
        for scenario in night.sorted_scenarios() {
            if let Some(pair) = night.pairs.get(&(scenario, board)) {
                suite.add_test_case(case(&known.name, &night.scenarios[scenario], pair));
            }
        }
        report.add_test_suite(suite);
    }
    // Everything in it was made of text, which the writer escapes.
    report.to_string().unwrap_or_default()
}

fn case(board: &str, scenario: &str, pair: &Pair) -> TestCase {
    let reason = pair.worst().and_then(|round| round.reason.clone()).unwrap_or_default();
    let status = match pair.status() {
        Some(Status::Passed | Status::Differs) => TestCaseStatus::success(),
        Some(Status::Flaky) => flaky(pair),
        Some(Status::Failed) => failed(pair, &reason),
        Some(Status::Quarantined) => skipped(&format!("quarantined: {reason}")),
        Some(Status::Skipped) => skipped(&reason),
        None => skipped("the run ended before this scenario"),
    };
    let mut case = TestCase::new(scenario, status);
    case.set_classname(board);
    case.set_time(Duration::from_millis(pair.rounds.iter().map(|round| round.ms).sum()));
    let note =
        if pair.status() == Some(Status::Differs) { format!("differs: {reason}\n\n") } else { String::new() };
    if let Some(attempt) = pair.attempts.last() {
        case.set_system_out(format!("{note}{}", attempt.transcript));
    }
    case
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

fn failures(pair: &Pair) -> impl Iterator<Item = (&Attempt, &str, &str)> {
    pair.attempts.iter().filter_map(|attempt| match &attempt.verdict {
        Verdict::Failed { cause, shown } => Some((attempt, cause.as_str(), shown.as_str())),
        _ => None,
    })
}

fn flaky(pair: &Pair) -> TestCaseStatus {
    let mut status = TestCaseStatus::success();
    for (attempt, cause, shown) in failures(pair) {
        status.add_rerun(rerun(attempt, cause, shown));
    }
    status
}

fn failed(pair: &Pair, reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    let mut all = failures(pair);
    match all.next() {
        None => {
            status.set_message(reason.lines().next().unwrap_or_default());
            status.set_description(reason);
        }
        Some((_, cause, shown)) => {
            status.set_type(cause);
            status.set_message(shown.lines().last().unwrap_or(cause));
            status.set_description(shown);
            for (attempt, cause, shown) in all {
                status.add_rerun(rerun(attempt, cause, shown));
            }
        }
    }
    status
}

fn rerun(attempt: &Attempt, cause: &str, shown: &str) -> TestRerun {
    let mut rerun = TestRerun::new(NonSuccessKind::Failure);
    rerun.set_type(cause);
    rerun.set_time(Duration::from_millis(attempt.ms));
    rerun.set_description(shown);
    rerun
}
