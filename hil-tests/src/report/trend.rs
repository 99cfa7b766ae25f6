//! What a report shows of earlier days: the runs of the [`history`](crate::history), and figures that other tools measured, a
//! line each in `figures.ndjson`, both in the harness's directory.
//!
//! A line is appended in one call and a line that cannot be read is passed over, so a tool that is killed spoils nothing.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::event::Status;
use crate::history::{History, Run};

/// Runs and figures that are looked at.
const KEPT: usize = 60;
/// The file is rewritten when it has grown to so many bytes.
const LARGE: u64 = 16 * 1024 * 1024;

/// What is known of earlier runs.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Runs, oldest first; the present one is not among them.
    pub runs: Vec<Run>,
    /// Figures by name, oldest first.
    pub figures: BTreeMap<String, Vec<Figure>>,
}

/// A figure that a benchmark measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured: `vm/fib`.
    pub name: String,
    /// When, in seconds since 1970.
    pub unix_s: u64,
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: String,
}

impl Past {
    /// Reads what is kept in the harness's directory.
    #[must_use]
    pub fn load(directory: &Path) -> Self {
        let mut past = Self { runs: History::new(directory).last(KEPT), ..Self::default() };
        for figure in lines::<Figure>(&directory.join("figures.ndjson")) {
            past.figures.entry(figure.name.clone()).or_default().push(figure);
        }
        past.figures.values_mut().for_each(last);
        past
    }

    /// Without this run, for a report that is made again.
    #[must_use]
    pub fn before(mut self, run: &str) -> Self {
        if let Some(at) = self.runs.iter().position(|known| known.run == run) {
            self.runs.truncate(at);
        }
        self
    }

    /// How many of the last runs of a pair, newest first, came to `Failed` without a break.
    #[must_use]
    pub fn failing_for(&self, board: &str, scenario: &str) -> usize {
        let known = self.runs.iter().rev().filter_map(|run| run.status(board, scenario));
        known.take_while(|status| *status == Status::Failed).count()
    }

    /// The share of runs of a pair that needed a retry or failed, and of how many runs.
    #[must_use]
    pub fn trouble(&self, board: &str, scenario: &str) -> (usize, usize) {
        let known: Vec<Status> = self.runs.iter().filter_map(|run| run.status(board, scenario)).collect();
        let bad = |status: &&Status| matches!(status, Status::Failed | Status::Flaky | Status::Quarantined);
        (known.iter().filter(bad).count(), known.len())
    }
}

fn last<T>(all: &mut Vec<T>) {
    all.drain(..all.len().saturating_sub(KEPT));
}

/// Appends a figure.
///
/// # Errors
/// If it cannot be written.
pub fn keep_figure(directory: &Path, figure: &Figure) -> io::Result<()> {
    append(&directory.join("figures.ndjson"), figure)
}

fn append(path: &Path, line: &impl Serialize) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    if fs::metadata(path).is_ok_and(|data| data.len() > LARGE) {
        shorten(path)?;
    }
    let mut text = serde_json::to_string(line).map_err(io::Error::other)?;
    text.push('\n');
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

/// Keeps the newer half.
fn shorten(path: &Path) -> io::Result<()> {
    let text = fs::read(path)?;
    let middle = text.len() / 2;
    let start =
        text[middle..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| middle + at + 1);
    crate::files::write_whole(path, &text[start..])
}

fn lines<T: DeserializeOwned>(path: &Path) -> Vec<T> {
    let text = fs::read(path).unwrap_or_default();
    text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}
