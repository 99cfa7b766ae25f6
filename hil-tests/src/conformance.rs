//! MicroPython's own test suite (its `tests` folder, which the user names) on the desktop program and on boards, by the
//! suite's rules.
//!
//! A test is a Python program. What it must print is in the `.exp` file beside it, or is what CPython prints. A program
//! that prints only `SKIP` does not apply. Programs in `feature_check` say which groups of tests apply at all. Tests in
//! `cmdline` name options of the desktop program, or are typed into its prompt. Nothing of the suite is in this
//! repository; `exceptions.yaml` lists the tests that may fail, each with its reason.
//! Source of the rules: MicroPython `tests/README.md` and the behaviour of `tests/run-tests.py`.

pub mod board;
pub mod exceptions;
pub mod expect;
pub mod program;
pub mod suite;

use std::collections::BTreeMap;

use crate::conformance::suite::Test;

/// What a test did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Everything it printed, lines ended by `\n`.
    pub text: String,
    /// It ended by an exception, an exit code or a time limit.
    pub crashed: bool,
}

/// Where tests run.
pub trait Target {
    /// Runs a test, to its end or a time limit.
    ///
    /// # Errors
    /// The target itself failed: no test can run there now.
    fn run(&mut self, test: &Test) -> Result<Answer, String>;
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It printed what it should.
    Passed,
    /// It does not apply: why.
    Skipped {
        /// Why.
        reason: String,
    },
    /// It may fail, and does: why.
    Excepted {
        /// The reason of the list.
        reason: String,
    },
    /// It should fail by the list, and does not.
    UnexpectedPass,
    /// It printed something else.
    Failed {
        /// Expected (`-`) and printed (`+`) lines.
        difference: String,
    },
}

/// A test and how it ended.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    /// `directory/name.py`
    pub test: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Numbers of a directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Total {
    /// Passed, unexpectedly or not.
    pub passed: usize,
    /// Failed without a reason.
    pub failed: usize,
    /// Failed as listed.
    pub excepted: usize,
    /// Did not apply.
    pub skipped: usize,
}

/// The totals of each directory.
#[must_use]
pub fn totals(reports: &[Report]) -> BTreeMap<String, Total> {
    let mut totals: BTreeMap<String, Total> = BTreeMap::new();
    for report in reports {
        let directory = report.test.split('/').next().unwrap_or_default();
        let total = totals.entry(directory.to_owned()).or_default();
        match report.outcome {
            Outcome::Passed | Outcome::UnexpectedPass => total.passed += 1,
            Outcome::Failed { .. } => total.failed += 1,
            Outcome::Excepted { .. } => total.excepted += 1,
            Outcome::Skipped { .. } => total.skipped += 1,
        }
    }
    totals
}

/// Runs one test and judges it.
///
/// # Errors
/// As [`Target::run`]; CPython or the expected output cannot be had.
pub fn judge(target: &mut dyn Target, test: &Test, listed: Option<&str>) -> Result<Outcome, String> {
    let answer = target.run(test)?;
    if expect::says_skip(test, &answer) {
        return Ok(match listed {
            Some(reason) => Outcome::Excepted { reason: reason.to_owned() },
            None => Outcome::Skipped { reason: "the test says so".into() },
        });
    }
    let difference = match expect::unittest_verdict(&answer.text) {
        Some(true) => None,
        Some(false) => Some(answer.text),
        None => expect::difference(test, &answer)?,
    };
    Ok(match (difference, listed) {
        (None, None) => Outcome::Passed,
        (None, Some(_)) => Outcome::UnexpectedPass,
        (Some(_), Some(reason)) => Outcome::Excepted { reason: reason.to_owned() },
        (Some(difference), None) => Outcome::Failed { difference },
    })
}
