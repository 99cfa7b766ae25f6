//! What a run is to do.

use std::fmt;
use std::thread;
use std::time::Duration;

use larch_boards::Board;

use crate::run::Update;

/// A part of a run: the `index`th of `count`, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// Reads `2/8`.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parts {
            Some((index, count)) if index >= 1 && index <= count => Ok(Self { index, count }),
            _ => Err(format!("bad shard '{text}': expected which of how many, such as 2/8")),
        }
    }

    fn has(self, position: usize) -> bool {
        position % self.count == self.index - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.index, self.count)
    }
}

/// What a run is to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The boards.
    pub boards: Vec<Board>,
    /// Names of the scenarios, in order.
    pub scenarios: Vec<String>,
    /// Their positions in the suite.
    pub positions: Vec<usize>,
    /// What to do with a transcript that differs.
    pub update: Update,
    /// Further attempts after a failure.
    pub retries: u32,
    /// How often each scenario is run.
    pub repeat: u32,
    /// The part of the run that is done here.
    pub shard: Option<Shard>,
    /// Go on with a board that stays dead.
    pub keep_going: bool,
    /// A board that is not there is skipped; otherwise it fails the run.
    pub skip_missing: bool,
    /// Disturbs the timing of boards and lines, reproducibly.
    pub seed: Option<u64>,
    /// How long a board may stay in use by others.
    pub lock_limit: Duration,
    /// Boards at once.
    pub jobs: usize,
}

/// One scenario in one round, on the board of its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// From 1.
    pub round: u32,
    /// Position in the suite.
    pub scenario: usize,
}

impl Plan {
    /// The work of a board in this shard. Whole boards are dealt out where there are enough of them, so that each is
    /// flashed by one shard; otherwise every board's scenarios are.
    pub(super) fn pairs(&self, board: usize) -> Vec<Pair> {
        let scenarios = &self.positions;
        let rounds = (1..=self.repeat.max(1)).flat_map(|round| scenarios.iter().map(move |at| (round, *at)));
        let pairs = rounds.map(|(round, scenario)| Pair { round, scenario });
        match self.shard {
            None => pairs.collect(),
            Some(shard) if self.boards.len() >= shard.count => {
                if shard.has(board) {
                    pairs.collect()
                } else {
                    Vec::new()
                }
            }
            Some(shard) => {
                let all = pairs.enumerate();
                all.filter(|(position, _)| shard.has(*position)).map(|(_, pair)| pair).collect()
            }
        }
    }

    /// How many scenarios of a board run at once: a board on a port is one, others are started for each scenario.
    pub(super) fn workers(&self, board: &Board) -> usize {
        if !board.port.is_started() {
            return 1;
        }
        let started = self.boards.iter().filter(|board| board.port.is_started()).count().max(1);
        (thread::available_parallelism().map_or(1, usize::from) / started).max(1)
    }

    /// The seed of one attempt.
    pub(super) fn seed_of(&self, pair: Pair, attempt: u32) -> Option<u64> {
        let number = (u64::from(pair.round) << 40) + ((pair.scenario as u64) << 8) + u64::from(attempt);
        self.seed.map(|seed| seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number)
    }
}
