//! What earlier runs came to: the one store of flake rates and trends.
//!
//! A file per run, written whole, named so that the names sort by time. The oldest are removed. A damaged file is left
//! out: history is for people, nothing is decided by it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::event::Status;
use crate::files::write_whole;
use crate::report::{Night, severity};

/// Runs that are kept.
pub const KEPT: usize = 100;
/// Runs of which the flake rate is taken.
pub const WINDOW: usize = 20;

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub run: String,
    /// When it began, in seconds since 1970.
    pub unix_s: u64,
    /// How long it took.
    pub ms: u64,
    /// Each board.
    pub boards: BTreeMap<String, BoardRun>,
}

/// A board in a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BoardRun {
    /// Length of the application.
    pub firmware_bytes: Option<u64>,
    /// How long flashing took on the board's clock, if it was flashed.
    pub flash_ms: Option<u64>,
    /// From reset to prompt on the board's clock.
    pub boot_ms: Option<u64>,
    /// Free for Python.
    pub free_bytes: Option<u64>,
    /// How long all its scenarios took.
    pub ms: Option<u64>,
    /// What each scenario that ran came to, round by round.
    pub outcomes: BTreeMap<String, Vec<Status>>,
}

/// How often a pair did what, over the last runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    /// Times that it ran.
    pub runs: u32,
    /// Of these, failed and then passed.
    pub flaky: u32,
    /// Of these, failed.
    pub failed: u32,
}

impl Run {
    /// This run, as the next ones will see it.
    #[must_use]
    pub fn of(night: &Night) -> Self {
        let mut run = Self { ms: night.ms, ..Self::default() };
        if let Some(started) = &night.started {
            run.run.clone_from(&started.run);
            run.unix_s = started.unix_s;
        }
        for board in &night.boards {
            let flashed = board.flashed.as_ref();
            let known = BoardRun {
                firmware_bytes: flashed.map(|flashed| flashed.firmware_bytes).filter(|bytes| *bytes > 0),
                flash_ms: flashed.filter(|flashed| flashed.written).map(|flashed| flashed.board_ms),
                boot_ms: board.booted.as_ref().map(|booted| booted.board_ms),
                free_bytes: board.booted.as_ref().and_then(|booted| booted.free_bytes),
                ms: board.ms,
                outcomes: BTreeMap::new(),
            };
            run.boards.insert(board.name.clone(), known);
        }
        for ((scenario, board), pair) in &night.pairs {
            let rounds = pair.rounds.iter().map(|round| round.status);
            let ran: Vec<Status> = rounds.filter(|status| *status != Status::Skipped).collect();
            let known = run.boards.get_mut(&night.boards[*board].name);
            if let Some(known) = known.filter(|_| !ran.is_empty()) {
                known.outcomes.insert(night.scenarios[*scenario].clone(), ran);
            }
        }
        run
    }

    /// The worst of a pair's rounds; `None` if it did not run.
    #[must_use]
    pub fn status(&self, board: &str, scenario: &str) -> Option<Status> {
        self.boards.get(board)?.status(scenario)
    }
}

impl BoardRun {
    /// The worst of a scenario's rounds; `None` if it did not run.
    #[must_use]
    pub fn status(&self, scenario: &str) -> Option<Status> {
        worst(self.outcomes.get(scenario)?)
    }

    /// The worst of all; `None` if nothing ran.
    #[must_use]
    pub fn worst(&self) -> Option<Status> {
        worst(self.outcomes.values().flatten())
    }
}

fn worst<'a>(statuses: impl IntoIterator<Item = &'a Status>) -> Option<Status> {
    statuses.into_iter().copied().max_by_key(|status| severity(*status))
}

/// The runs that are kept in a directory.
#[derive(Debug, Clone)]
pub struct History {
    directory: PathBuf,
}

impl History {
    /// History in the harness's directory.
    #[must_use]
    pub fn new(kept: &Path) -> Self {
        Self { directory: kept.join("history") }
    }

    /// Adds a run; removes the oldest ones.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&self, run: &Run) -> io::Result<()> {
        let text = serde_json::to_vec(run).map_err(io::Error::other)?;
        write_whole(&self.directory.join(format!("{}.json", run.run)), &text)?;
        let names = self.names()?;
        for old in &names[..names.len().saturating_sub(KEPT)] {
            // Another run may have removed it.
            let _ = fs::remove_file(self.directory.join(old));
        }
        Ok(())
    }

    /// The last runs, oldest first.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<Run> {
        let names = self.names().unwrap_or_default();
        let read = |name: &String| serde_json::from_slice(&fs::read(self.directory.join(name)).ok()?).ok();
        names[names.len().saturating_sub(count)..].iter().filter_map(read).collect()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".json") {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Rates over runs, by board and scenario; only those that failed or were flaky at least once.
#[must_use]
pub fn unreliable(runs: &[Run]) -> BTreeMap<(String, String), Rate> {
    let mut rates: BTreeMap<(String, String), Rate> = BTreeMap::new();
    for (board, known) in runs.iter().flat_map(|run| &run.boards) {
        for (scenario, rounds) in &known.outcomes {
            let rate = rates.entry((board.clone(), scenario.clone())).or_default();
            for status in rounds {
                rate.runs += 1;
                rate.flaky += u32::from(*status == Status::Flaky);
                rate.failed += u32::from(matches!(status, Status::Failed | Status::Quarantined));
            }
        }
    }
    rates.retain(|_, rate| rate.flaky + rate.failed > 0);
    rates
}

#[cfg(test)]
mod tests {
    use super::{BoardRun, History, KEPT, Rate, Run, unreliable};
    use crate::event::Status;

    fn run(name: &str, rounds: &[Status]) -> Run {
        let outcomes = [("s/t".into(), rounds.to_vec())].into();
        let board = BoardRun { outcomes, ..BoardRun::default() };
        Run { run: name.into(), boards: [("b".into(), board)].into(), ..Run::default() }
    }

    #[test]
    fn old_runs_go_and_damaged_ones_are_left_out() {
        let directory = std::env::temp_dir().join(format!("larch-history-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        let history = History::new(&directory);
        assert!(history.last(9).is_empty());
        for number in 0..KEPT + 3 {
            history.add(&run(&format!("{number:05}-1"), &[Status::Passed])).unwrap();
        }
        assert_eq!(history.names().unwrap().len(), KEPT);
        std::fs::write(directory.join("history/99999-1.json"), "{\"half").unwrap();
        assert_eq!(history.last(2).len(), 1);
        let _ = std::fs::remove_dir_all(&directory);
    }

    #[test]
    fn rates_name_what_is_not_reliable() {
        let runs = [run("1", &[Status::Passed]), run("2", &[Status::Flaky, Status::Failed])];
        let rates = unreliable(&runs);
        assert_eq!(rates[&("b".into(), "s/t".into())], Rate { runs: 3, flaky: 1, failed: 1 });
        assert!(unreliable(&runs[..1]).is_empty());
        assert_eq!(runs[1].status("b", "s/t"), Some(Status::Failed));
        assert_eq!(runs[1].status("b", "s/u"), None);
    }
}
