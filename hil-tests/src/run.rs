//! One (board, scenario) pair: from a reset board to what came of it.
//!
//! `cargo xtask hil` and `cargo test -p hil-tests` both call [`Suite::attempt`]. Pairs share nothing but the flashed
//! image: each starts from a copy of it, after a hard reset. Secrets are typed, and shown by their names.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use larch_boards::Board;

use crate::differences::Differences;
use crate::event::{Attempt, Verdict};
use crate::scenario::Scenario;
use crate::secrets::Secrets;
use crate::session::Console;
use crate::snapshot::{Comparison, Snapshots};
use crate::stage::Stage;

/// Lines of an unfinished transcript shown with a failure.
const LAST_LINES: usize = 12;

/// A board in a scenario: the role in which it takes part, and its console.
pub type Actor = (String, Box<dyn Console>);

/// What to do with a transcript that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// Write it beside the snapshot, for review.
    Propose,
    /// Make it the snapshot.
    Accept,
    /// Nothing.
    Leave,
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

    /// Why a board's firmware may answer otherwise than ours, if the list of differences says so.
    #[must_use]
    pub fn may_differ(&self, board: &str, scenario: &str) -> Option<&str> {
        self.differences.reason(board, scenario)
    }

    /// Types a scenario once. `open` gives the board and the peers that the scenario names, flashed and not yet reset.
    pub fn attempt(
        &self,
        board: &Board,
        scenario: &Scenario,
        update: Update,
        open: impl FnOnce() -> io::Result<Vec<Actor>>,
    ) -> Attempt {
        let start = Instant::now();
        let mut attempt =
            Attempt { board: board.name.clone(), scenario: scenario.name.clone(), ..Attempt::default() };
        attempt.verdict = match Secrets::of(board) {
            Err(why) => failed("secret", format!("{why}\n")),
            Ok(secrets) => match (secrets.in_scenario(&scenario.typed()), open()) {
                (secrets, Ok(mut actors)) => {
                    self.play(board, scenario, update, &secrets, &mut actors, &mut attempt)
                }
                (_, Err(error)) => failed("open", format!("cannot open {}: {error}\n", board.port)),
            },
        };
        attempt.ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        attempt
    }

    fn play(
        &self,
        board: &Board,
        scenario: &Scenario,
        update: Update,
        secrets: &Secrets,
        actors: &mut [Actor],
        attempt: &mut Attempt,
    ) -> Verdict {
        let typed = scenario.with_lines(|line| secrets.fill_in(line));
        let mut stage = Stage::new(actors);
        let ended = stage.boot().and_then(|()| stage.run(&typed));
        stage.fill(attempt, secrets);
        attempt.transcript = finish(&secrets.hide(&stage.transcript()), scenario);
        let failure = ended.err().map(|failure| (failure.word(), secrets.hide(&failure.to_string())));
        self.judge(board, scenario, update, failure, attempt)
    }

    fn judge(
        &self,
        board: &Board,
        scenario: &Scenario,
        update: Update,
        failure: Option<(&'static str, String)>,
        attempt: &mut Attempt,
    ) -> Verdict {
        // Only firmware that is not ours may differ.
        let listed = self.differences.reason(&board.name, &scenario.name);
        let listed = listed.filter(|_| !board.runs_ours());
        let differs = match failure {
            Some((cause, failure)) => Some((cause, unfinished(&attempt.transcript, &failure))),
            None => match self.compare(board, scenario, update, listed.is_some(), attempt) {
                Ok(shown) => shown.map(|shown| ("differs", shown)),
                Err(error) => return failed("snapshot", format!("{error}\n")),
            },
        };
        match (differs, listed) {
            (None, None) => Verdict::Passed,
            (Some(_), Some(reason)) => Verdict::Differs { reason: reason.to_owned() },
            (Some((cause, shown)), None) => failed(cause, shown),
            (None, Some(reason)) => failed(
                "unlisted",
                format!(
                    "no longer differs; remove it from hil-tests/differences.yaml (reason was: {reason})\n"
                ),
            ),
        }
    }

    /// `None` if equal, else what to show.
    fn compare(
        &self,
        board: &Board,
        scenario: &Scenario,
        update: Update,
        listed: bool,
        attempt: &mut Attempt,
    ) -> io::Result<Option<String>> {
        let name = scenario.snapshot_for(board);
        attempt.expected = self.snapshots.expected(&name)?;
        let compared = self.snapshots.compare(&name, &attempt.transcript)?;
        let shown = match compared {
            Comparison::Same => {
                if update != Update::Leave {
                    self.snapshots.forget_proposal(&name)?;
                }
                return Ok(None);
            }
            Comparison::Missing => {
                format!("hil-tests/snapshots/{name}.snap is missing; seen:\n{}\n", attempt.transcript)
            }
            Comparison::Differs(lines) => format!("hil-tests/snapshots/{name}.snap\n{lines}"),
        };
        match update {
            Update::Accept if !listed => {
                self.snapshots.accept(&name, &attempt.transcript)?;
                return Ok(None);
            }
            Update::Propose if !listed => self.snapshots.propose(&name, &attempt.transcript)?,
            _ => {}
        }
        Ok(Some(shown))
    }

    /// A snapshot without its scenario would never be compared.
    fn no_stray_snapshots(&self) -> Result<(), String> {
        let known: Vec<String> = self.scenarios.iter().flat_map(Scenario::snapshots).collect();
        let names = self.snapshots.names().map_err(|error| format!("hil-tests/snapshots: {error}"))?;
        match names.iter().find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(stray) => Err(format!("hil-tests/snapshots/{stray}.snap has no scenario; remove it")),
        }
    }
}

/// The transcript as compared: redacted, and without the prompt that waits for the next line.
pub(crate) fn finish(transcript: &str, scenario: &Scenario) -> String {
    let body = transcript.strip_suffix(">>>").unwrap_or(transcript).trim_end();
    scenario.redactions.iter().fold(body.to_owned(), |text, redaction| redaction.apply(&text))
}

fn failed(cause: &str, shown: String) -> Verdict {
    Verdict::Failed { cause: cause.into(), shown }
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
