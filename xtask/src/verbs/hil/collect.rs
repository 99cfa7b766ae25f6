//! What a run came to, gathered from its events; and the bars of a run that somebody watches.

use hil_tests::event::{Event, ScenarioEnded, Status};
use hil_tests::report::Night;
use indicatif::{MultiProgress, ProgressBar};

use crate::progress;

/// One board with all its scenarios.
pub(super) struct Lane {
    pub(super) board: String,
    pub(super) ended: Vec<ScenarioEnded>,
    pub(super) ms: u64,
    pub(super) given_up: Option<String>,
    bar: Option<ProgressBar>,
}

/// A run.
pub(super) struct Collected {
    pub(super) lanes: Vec<Lane>,
    /// All but the attempts, whose bytes are many.
    pub(super) night: Night,
    scenarios: u64,
    bars: MultiProgress,
}

impl Collected {
    pub(super) fn new() -> Self {
        Self { lanes: Vec::new(), night: Night::default(), scenarios: 0, bars: MultiProgress::new() }
    }

    pub(super) fn event(&mut self, event: &Event) {
        if !matches!(event, Event::AttemptStarted { .. } | Event::AttemptEnded(_)) {
            self.night.take(event.clone());
        }
        match event {
            Event::RunStarted(started) => {
                self.scenarios = started.scenarios.len() as u64 * u64::from(started.repeat);
            }
            Event::AttemptStarted { board, .. } => {
                let (scenarios, bars) = (self.scenarios, self.bars.clone());
                let lane = self.lane(board);
                if lane.bar.is_none() && console::user_attended_stderr() {
                    lane.bar = Some(bars.add(progress::bar(scenarios, &lane.board)));
                }
            }
            Event::ScenarioEnded(ended) => {
                let lane = self.lane(&ended.board);
                lane.ended.push(ended.clone());
                if let Some(bar) = &lane.bar {
                    bar.inc(1);
                }
            }
            Event::Note { board, text } => {
                let board = board.as_deref().unwrap_or_default();
                self.bars.suspend(|| eprintln!("   {board}: {}", printable(text)));
            }
            Event::BoardEnded { board, ms, given_up } => {
                let lane = self.lane(board);
                lane.ms = *ms;
                lane.given_up.clone_from(given_up);
                lane.ended
                    .sort_by(|left, right| (&left.scenario, left.round).cmp(&(&right.scenario, right.round)));
                if let Some(bar) = lane.bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }

    fn lane(&mut self, board: &str) -> &mut Lane {
        let known = self.lanes.iter().position(|lane| lane.board == board);
        let index = known.unwrap_or_else(|| {
            let board = board.to_owned();
            self.lanes.push(Lane { board, ended: Vec::new(), ms: 0, given_up: None, bar: None });
            self.lanes.len() - 1
        });
        &mut self.lanes[index]
    }

    pub(super) fn ended(&self) -> impl Iterator<Item = &ScenarioEnded> {
        self.lanes.iter().flat_map(|lane| &lane.ended)
    }

    /// Boards that were not tested to the end.
    pub(super) fn given_up(&self) -> impl Iterator<Item = &str> {
        self.lanes.iter().filter(|lane| lane.given_up.is_some()).map(|lane| lane.board.as_str())
    }

    pub(super) fn first_failed(&self) -> Option<(&str, &str)> {
        let failed = self.ended().find(|ended| ended.status == Status::Failed)?;
        Some((&failed.board, &failed.scenario))
    }
}

/// Text that can do a terminal no harm.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
