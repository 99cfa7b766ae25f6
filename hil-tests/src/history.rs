//! What earlier runs came to: the flake rate of each board and scenario.
//!
//! A file per run, written whole, named so that the names sort by time. The oldest are removed. A damaged file is left
//! out: history is for people, nothing is decided by it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::event::{Event, Status};
use crate::files::write_whole;

/// Runs that are kept.
pub const KEPT: usize = 100;
/// Runs of which the flake rate is taken.
pub const WINDOW: usize = 20;

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub run: String,
    /// Seconds since 1970.
    pub unix_s: u64,
    /// Board to its build.
    pub builds: BTreeMap<String, String>,
    /// Board to the bytes of its application.
    pub firmware_bytes: BTreeMap<String, u64>,
    /// What came of each pair.
    pub results: Vec<Outcome>,
}

/// What came of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The board.
    pub board: String,
    /// `topic/name`.
    pub scenario: String,
    /// What came of it.
    pub status: Status,
    /// How long it took by the clock on the wall.
    pub ms: u64,
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
    /// Takes what counts of an event.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted(started) => {
                self.run.clone_from(&started.run);
                self.unix_s = started.unix_s;
            }
            Event::Flashed(flashed) => {
                self.builds.insert(flashed.board.clone(), flashed.build.clone());
                self.firmware_bytes.insert(flashed.board.clone(), flashed.firmware_bytes);
            }
            Event::ScenarioEnded(ended) if ended.status != Status::Skipped => self.results.push(Outcome {
                board: ended.board.clone(),
                scenario: ended.scenario.clone(),
                status: ended.status,
                ms: ended.ms,
            }),
            _ => {}
        }
    }
}

/// The runs that are kept in a directory.
#[derive(Debug, Clone)]
pub struct History {
    directory: PathBuf,
}

impl History {
    /// History in a directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.into() }
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
    for outcome in runs.iter().flat_map(|run| &run.results) {
        let rate = rates.entry((outcome.board.clone(), outcome.scenario.clone())).or_default();
        rate.runs += 1;
        rate.flaky += u32::from(outcome.status == Status::Flaky);
        rate.failed += u32::from(matches!(outcome.status, Status::Failed | Status::Quarantined));
    }
    rates.retain(|_, rate| rate.flaky + rate.failed > 0);
    rates
}

#[cfg(test)]
mod tests {
    use super::{History, KEPT, Outcome, Rate, Run, unreliable};
    use crate::event::Status;

    fn run(name: &str, status: Status) -> Run {
        let outcome = Outcome { board: "b".into(), scenario: "s/t".into(), status, ms: 1 };
        Run { run: name.into(), results: vec![outcome], ..Run::default() }
    }

    #[test]
    fn old_runs_go_and_damaged_ones_are_left_out() {
        let directory = std::env::temp_dir().join(format!("larch-history-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        let history = History::new(&directory);
        assert!(history.last(9).is_empty());
        for number in 0..KEPT + 3 {
            history.add(&run(&format!("{number:05}-1"), Status::Passed)).unwrap();
        }
        assert_eq!(history.names().unwrap().len(), KEPT);
        std::fs::write(directory.join("99999-1.json"), "{\"half").unwrap();
        assert_eq!(history.last(2).len(), 1);
        let _ = std::fs::remove_dir_all(&directory);
    }

    #[test]
    fn rates_name_what_is_not_reliable() {
        let runs = [run("1", Status::Passed), run("2", Status::Flaky), run("3", Status::Failed)];
        let rates = unreliable(&runs);
        assert_eq!(rates[&("b".into(), "s/t".into())], Rate { runs: 3, flaky: 1, failed: 1 });
        assert!(unreliable(&runs[..1]).is_empty());
    }
}
