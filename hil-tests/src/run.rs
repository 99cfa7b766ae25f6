//! One (board, scenario) pair: from a reset board to an outcome.
//!
//! `cargo xtask hil` and `cargo test -p hil-tests` both call [`Suite::run`]. Pairs share nothing but the flashed
//! image: each starts from a copy of it, after a hard reset.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use larch_boards::{Board, FlashMethod};

use crate::differences::Differences;
use crate::scenario::Scenario;
use crate::session::{Console, Session};
use crate::snapshot::{Comparison, Snapshots};

/// Lines of an unfinished transcript shown with a failure.
const LAST_LINES: usize = 12;

/// What came of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The transcript is as it must be.
    Passed,
    /// The transcript differs, for a listed reason.
    DiffersAsListed(String),
    /// It did not run.
    Skipped(String),
    /// It failed; the text says how, over several lines.
    Failed(String),
}

/// The outcome of a pair, and how long it took by the clock on the wall.
#[derive(Debug, Clone)]
pub struct Report {
    /// Name of the board.
    pub board: String,
    /// Name of the scenario.
    pub scenario: String,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub time: Duration,
}

/// What to do with a transcript that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// Write it beside the snapshot, for review.
    Propose,
    /// Make it the snapshot.
    Accept,
}

/// The scenarios, their snapshots and the known differences.
pub struct Suite {
    /// All scenarios, sorted by name.
    pub scenarios: Vec<Scenario>,
    snapshots: Snapshots,
    differences: Differences,
}

impl Suite {
    /// Loads the suite of the repository.
    ///
    /// # Errors
    /// What is wrong with a scenario file or the list of differences.
    pub fn load(hil_tests: &Path) -> Result<Self, String> {
        let scenarios =
            Scenario::load_all(&hil_tests.join("scenarios")).map_err(|error| error.to_string())?;
        let names: Vec<&str> = scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
        let differences = Differences::load(&hil_tests.join("differences.yaml"), &names)?;
        let snapshots = Snapshots::new(&hil_tests.join("snapshots"));
        let suite = Self { scenarios, snapshots, differences };
        suite.no_stray_snapshots()?;
        Ok(suite)
    }

    /// Where the harness lives in this checkout.
    #[must_use]
    pub fn directory() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }

    /// Why a board cannot run a scenario, if so.
    #[must_use]
    pub fn skip_reason(board: &Board, scenario: &Scenario) -> Option<String> {
        let missing: Vec<&str> =
            scenario.requires.iter().map(String::as_str).filter(|need| !board.can(need)).collect();
        (!missing.is_empty()).then(|| format!("requires {}", missing.join(", ")))
    }

    /// Runs a pair. `open` gives the console of the board, flashed and not yet reset.
    pub fn run(
        &self,
        board: &Board,
        scenario: &Scenario,
        update: Update,
        open: impl FnOnce() -> io::Result<Box<dyn Console>>,
    ) -> Report {
        let start = Instant::now();
        let outcome = match Self::skip_reason(board, scenario) {
            Some(reason) => Outcome::Skipped(reason),
            None => match open() {
                Ok(mut console) => self.judge(board, scenario, update, console.as_mut()),
                Err(error) => Outcome::Failed(format!("cannot open {}: {error}\n", board.port)),
            },
        };
        Report { board: board.name.clone(), scenario: scenario.name.clone(), outcome, time: start.elapsed() }
    }

    fn judge(
        &self,
        board: &Board,
        scenario: &Scenario,
        update: Update,
        console: &mut dyn Console,
    ) -> Outcome {
        let mut session = Session::new(console);
        let ended = session.boot().and_then(|()| session.run(scenario));
        let transcript = finish(&session.transcript(), scenario);
        let differs = match ended {
            Err(failure) => Some(unfinished(&transcript, &failure.to_string())),
            Ok(()) => match self.compare(board, scenario, update, &transcript) {
                Ok(differs) => differs,
                Err(error) => return Outcome::Failed(format!("{error}\n")),
            },
        };
        // Only firmware that is not ours may differ.
        let listed = self.differences.reason(&board.name, &scenario.name);
        let listed = listed.filter(|_| board.flash == FlashMethod::None);
        match (differs, listed) {
            (None, None) => Outcome::Passed,
            (Some(_), Some(reason)) => Outcome::DiffersAsListed(reason.to_owned()),
            (Some(shown), None) => Outcome::Failed(shown),
            (None, Some(reason)) => Outcome::Failed(format!(
                "no longer differs; remove it from hil-tests/differences.yaml (reason was: {reason})\n"
            )),
        }
    }

    /// `None` if equal, else what to show.
    fn compare(
        &self,
        board: &Board,
        scenario: &Scenario,
        update: Update,
        transcript: &str,
    ) -> io::Result<Option<String>> {
        let name = scenario.snapshot_name();
        let compared = self.snapshots.compare(&name, transcript)?;
        let shown = match compared {
            Comparison::Same => {
                self.snapshots.forget_proposal(&name)?;
                return Ok(None);
            }
            Comparison::Missing => {
                format!("hil-tests/snapshots/{name}.snap is missing; seen:\n{transcript}\n")
            }
            Comparison::Differs(lines) => format!("hil-tests/snapshots/{name}.snap\n{lines}"),
        };
        let listed = self.differences.reason(&board.name, &scenario.name).is_some();
        match update {
            Update::Accept if !listed => {
                self.snapshots.accept(&name, transcript)?;
                return Ok(None);
            }
            Update::Propose if !listed => self.snapshots.propose(&name, transcript)?,
            _ => {}
        }
        Ok(Some(shown))
    }

    /// A snapshot without its scenario would never be compared.
    fn no_stray_snapshots(&self) -> Result<(), String> {
        let known: Vec<String> = self.scenarios.iter().map(Scenario::snapshot_name).collect();
        let names = self.snapshots.names().map_err(|error| format!("hil-tests/snapshots: {error}"))?;
        match names.iter().find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(stray) => Err(format!("hil-tests/snapshots/{stray}.snap has no scenario; remove it")),
        }
    }
}

/// The transcript as compared: redacted, and without the prompt that waits for the next line.
fn finish(transcript: &str, scenario: &Scenario) -> String {
    let body = transcript.strip_suffix(">>>").unwrap_or(transcript).trim_end();
    scenario.redactions.iter().fold(body.to_owned(), |text, redaction| redaction.apply(&text))
}

fn unfinished(transcript: &str, failure: &str) -> String {
    let lines: Vec<&str> = transcript.lines().collect();
    let from = lines.len().saturating_sub(LAST_LINES);
    let mut shown = String::new();
    if from > 0 {
        shown.push_str("  ...\n");
    }
    for line in &lines[from..] {
        shown.push_str(&format!("  {line}\n"));
    }
    shown.push_str(failure);
    shown.push('\n');
    shown
}
