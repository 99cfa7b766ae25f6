//! What a run came to: its events, folded.

use std::collections::{BTreeMap, HashMap};

use crate::event::{
    Attempt, BoardStarted, Booted, Event, Flashed, RunStarted, ScenarioEnded, Status, Verdict,
};

/// Failed attempts kept for a pair, beside the last one that passed.
const FAILURES_KEPT: usize = 3;

/// A run, or what several parts of one came to together.
#[derive(Debug, Default)]
pub struct Night {
    /// The run; of several parts the first.
    pub started: Option<RunStarted>,
    /// Parts that began.
    pub parts: u32,
    /// Parts that came to their end.
    pub ended: u32,
    /// How long the longest part took.
    pub ms: u64,
    /// Boards, in order.
    pub boards: Vec<BoardNight>,
    /// Names of scenarios, sorted.
    pub scenarios: Vec<String>,
    /// What came of (scenario, board), by index.
    pub pairs: BTreeMap<(usize, usize), Pair>,
    /// What a person should know: the board it is about, and a line.
    pub notes: Vec<(Option<String>, String)>,
    /// Lines that were no events.
    pub unread: u32,
    board_index: HashMap<String, usize>,
    scenario_index: HashMap<String, usize>,
}

/// A board in a run.
#[derive(Debug, Default)]
pub struct BoardNight {
    /// Its name.
    pub name: String,
    /// What is known of it, once work on it began.
    pub started: Option<BoardStarted>,
    /// What it holds.
    pub flashed: Option<Flashed>,
    /// Its first boot.
    pub booted: Option<Booted>,
    /// How long it took.
    pub ms: Option<u64>,
    /// Why it was given up.
    pub given_up: Option<String>,
}

/// A scenario on a board.
#[derive(Debug, Default)]
pub struct Pair {
    /// What each round came to.
    pub rounds: Vec<ScenarioEnded>,
    /// The first failed attempts and the last that did not fail.
    pub attempts: Vec<Attempt>,
    /// True if it began and did not end.
    pub open: bool,
}

impl Pair {
    /// The worst of its rounds; `None` if it never ended.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.rounds.iter().map(|round| round.status).max_by_key(|status| severity(*status))
    }

    /// The round that was worst.
    #[must_use]
    pub fn worst(&self) -> Option<&ScenarioEnded> {
        self.rounds.iter().max_by_key(|round| severity(round.status))
    }

    /// The last attempt that failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|attempt| matches!(attempt.verdict, Verdict::Failed { .. }))
    }

    fn keep(&mut self, attempt: Attempt) {
        let failed = |attempt: &Attempt| matches!(attempt.verdict, Verdict::Failed { .. });
        if failed(&attempt) {
            let failures = self.attempts.iter().filter(|known| failed(known)).count();
            if failures >= FAILURES_KEPT {
                return;
            }
        } else {
            self.attempts.retain(failed);
        }
        self.attempts.push(attempt);
    }
}

/// What needs a person first is greatest.
#[must_use]
pub(crate) fn severity(status: Status) -> u8 {
    match status {
        Status::Failed => 5,
        Status::Flaky => 4,
        Status::Quarantined => 3,
        Status::Differs => 2,
        Status::Passed => 1,
        Status::Skipped => 0,
    }
}

impl Night {
    /// Takes the next event.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::RunStarted(started) => self.begin(started),
            Event::BoardStarted(started) => {
                let board = self.board(&started.board);
                board.started = Some(started);
            }
            // A board that only stands beside another one in its scenarios is flashed, too, but is none of the run's.
            Event::Flashed(flashed) => {
                if let Some(board) = self.known(&flashed.board) {
                    board.flashed = Some(flashed);
                }
            }
            Event::Booted(booted) => {
                if let Some(board) = self.known(&booted.board) {
                    board.booted = Some(booted);
                }
            }
            Event::AttemptStarted { board, scenario, .. } => self.pair(&board, &scenario).open = true,
            Event::AttemptEnded(attempt) => self.pair(&attempt.board, &attempt.scenario).keep(*attempt),
            Event::ScenarioEnded(ended) => {
                let pair = self.pair(&ended.board, &ended.scenario);
                pair.open = false;
                pair.rounds.push(ended);
            }
            Event::Note { board, text } => self.notes.push((board, text)),
            Event::BoardEnded { board, ms, given_up } => {
                let known = self.board(&board);
                known.ms = Some(known.ms.unwrap_or(0).max(ms));
                known.given_up = given_up.or(known.given_up.take());
            }
            Event::RunEnded { ms, .. } => {
                self.ended += 1;
                self.ms = self.ms.max(ms);
            }
        }
    }

    fn begin(&mut self, started: RunStarted) {
        self.parts += 1;
        for name in &started.boards {
            self.board(name);
        }
        for name in &started.scenarios {
            self.scenario(name);
        }
        match &mut self.started {
            None => self.started = Some(started),
            Some(first) => first.unix_s = first.unix_s.min(started.unix_s),
        }
    }

    fn board_at(&mut self, name: &str) -> usize {
        if let Some(at) = self.board_index.get(name) {
            return *at;
        }
        self.boards.push(BoardNight { name: name.to_owned(), ..BoardNight::default() });
        self.board_index.insert(name.to_owned(), self.boards.len() - 1);
        self.boards.len() - 1
    }

    fn known(&mut self, name: &str) -> Option<&mut BoardNight> {
        self.board_index.get(name).map(|at| &mut self.boards[*at])
    }

    fn board(&mut self, name: &str) -> &mut BoardNight {
        let at = self.board_at(name);
        &mut self.boards[at]
    }

    fn scenario(&mut self, name: &str) -> usize {
        if let Some(at) = self.scenario_index.get(name) {
            return *at;
        }
        self.scenarios.push(name.to_owned());
        self.scenario_index.insert(name.to_owned(), self.scenarios.len() - 1);
        self.scenarios.len() - 1
    }

    fn pair(&mut self, board: &str, scenario: &str) -> &mut Pair {
        let key = (self.scenario(scenario), self.board_at(board));
        self.pairs.entry(key).or_default()
    }

    /// How many pairs came to this.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.pairs.values().filter(|pair| pair.status() == Some(status)).count()
    }

    /// Pairs that began and did not end.
    #[must_use]
    pub fn open(&self) -> usize {
        self.pairs.values().filter(|pair| pair.open).count()
    }

    /// True if every part came to its end.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.parts > 0 && self.parts == self.ended
    }

    /// Scenarios in order of their names.
    #[must_use]
    pub fn sorted_scenarios(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.scenarios.len()).collect();
        order.sort_by(|left, right| self.scenarios[*left].cmp(&self.scenarios[*right]));
        order
    }
}
