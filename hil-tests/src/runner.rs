//! A run: many boards at once, each with its scenarios one after the other.
//!
//! Every board is a lane with threads of its own. A board that hangs, floods or vanishes costs its own lane a time-out and
//! a power cycle, and no other lane anything. Invariants: every pair of the plan ends with one `ScenarioEnded`; a failure
//! that a retry undid is `flaky`, never `passed`; a board on a port is used by one lane at a time ([`crate::lock`]).

mod plan;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use larch_boards::Board;

pub use self::plan::{Pair, Plan, Shard};
use crate::date;
use crate::event::{
    Attempt, BoardStarted, Event, FORMAT, Observer, RunStarted, ScenarioEnded, Status, Verdict,
};
use crate::lab::Lab;
use crate::lock::{self, Lock, Told};
use crate::record::{self, Tape};
use crate::run::{Actor, Suite};
use crate::scenario::Scenario;
use crate::secrets::Secrets;

/// After so many scenarios in a row at which a board was dead, it is given up.
const DEAD_IN_A_ROW: u32 = 3;

/// Makes a board ready: builds, flashes, boots; tells the observer what it did.
pub type Prepare<'a> = dyn Fn(&Board, &Observer<'_>) -> Result<(), String> + Sync + 'a;

/// Does the plan. Returns the counts, which are in the last event as well.
pub fn run(lab: &Lab, plan: &Plan, prepare: &Prepare<'_>, observer: &Observer<'_>) -> BTreeMap<Status, u32> {
    let start = Instant::now();
    let counts = Mutex::new(BTreeMap::new());
    let counting = |event: &Event| {
        if let Event::ScenarioEnded(ended) = event {
            *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(ended.status).or_insert(0) += 1;
        }
        observer(event);
    };
    counting(&Event::RunStarted(started(plan)));
    let today = date::today();
    let lanes: Vec<Lane<'_>> = (0..plan.boards.len())
        .map(|index| Lane::new(lab, plan, index, &today, &counting))
        .filter(|lane| !lane.pairs.is_empty())
        .collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..plan.jobs.clamp(1, lanes.len().max(1)) {
            scope.spawn(|| {
                while let Some(lane) = lanes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    lane.run(prepare);
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    observer(&Event::RunEnded { ms: millis(start.elapsed()), counts: counts.clone() });
    counts
}

fn started(plan: &Plan) -> RunStarted {
    let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    RunStarted {
        format: FORMAT,
        run: format!("{unix_s}-{}", std::process::id()),
        unix_s,
        command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        boards: plan.boards.iter().map(|board| board.name.clone()).collect(),
        scenarios: plan.scenarios.clone(),
        retries: plan.retries,
        repeat: plan.repeat,
        shard: plan.shard.map(|shard| shard.to_string()),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// One board and its work.
struct Lane<'a> {
    lab: &'a Lab,
    plan: &'a Plan,
    board: &'a Board,
    pairs: Vec<Pair>,
    today: &'a str,
    observer: &'a Observer<'a>,
    dead: AtomicU32,
    given_up: Mutex<Option<String>>,
}

impl<'a> Lane<'a> {
    fn new(lab: &'a Lab, plan: &'a Plan, index: usize, today: &'a str, observer: &'a Observer<'a>) -> Self {
        Self {
            lab,
            plan,
            board: &plan.boards[index],
            pairs: plan.pairs(index),
            today,
            observer,
            dead: AtomicU32::new(0),
            given_up: Mutex::new(None),
        }
    }

    fn run(&self, prepare: &Prepare<'_>) {
        let start = Mutex::new(Instant::now());
        // The rest of the run goes on whatever happens here, and is told.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.work(prepare, &start)));
        if let Err(why) =
            outcome.unwrap_or_else(|_| Err("the harness itself failed; please report it".into()))
        {
            self.give_up(&why);
        }
        let given_up = self.given_up();
        (self.observer)(&Event::BoardEnded {
            board: self.board.name.clone(),
            ms: millis(start.into_inner().unwrap_or_else(PoisonError::into_inner).elapsed()),
            given_up,
        });
    }

    fn work(&self, prepare: &Prepare<'_>, start: &Mutex<Instant>) -> Result<(), String> {
        if let Some(reason) = self.lab.unavailable(self.board) {
            self.pairs.iter().for_each(|pair| self.skipped(*pair, &reason));
            return if self.plan.skip_missing { Ok(()) } else { Err(reason) };
        }
        let ready = self.make_ready(prepare);
        let locks = match ready {
            Ok(locks) => locks,
            Err(why) => {
                let reason = format!("the board is not ready: {}", why.lines().next().unwrap_or_default());
                self.pairs.iter().for_each(|pair| self.skipped(*pair, &reason));
                return Err(why);
            }
        };
        // Building, waiting and flashing have times of their own.
        *start.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.every_pair();
        drop(locks);
        Ok(())
    }

    /// Locks the board and its peers, all in one order, so that no two lanes wait for each other; then prepares them.
    fn make_ready(&self, prepare: &Prepare<'_>) -> Result<Vec<Lock>, String> {
        let mut boards = vec![self.board];
        for pair in &self.pairs {
            for role in self.scenario(*pair).peers() {
                let peer = self.lab.peer(self.board, role);
                boards.extend(peer.filter(|peer| !boards.contains(peer)).into_iter().collect::<Vec<_>>());
            }
        }
        let mut identities: Vec<&Board> =
            boards.iter().copied().filter(|board| !board.port.is_started()).collect();
        identities.sort_by_key(|board| board.identity());
        identities.dedup_by_key(|board| board.identity());
        let mut locks = Vec::new();
        for board in identities {
            let tell = |told: &Told| self.tell_lock(board, told);
            let lock =
                Lock::take(&lock::directory(), &board.identity(), &board.name, self.plan.lock_limit, &tell);
            locks.push(lock.map_err(|error| error.to_string())?);
        }
        (self.observer)(&Event::BoardStarted(facts(self.board)));
        for board in boards {
            prepare(board, self.observer)?;
        }
        Ok(locks)
    }

    fn tell_lock(&self, board: &Board, told: &Told) {
        self.note(match told {
            Told::Waiting(Some(holder)) => {
                format!("waiting for {}: in use by {}", board.name, holder.describe())
            }
            Told::Waiting(None) => format!("waiting for {}: in use by another process", board.name),
            Told::TookOver(holder) => {
                format!(
                    "took {} over from process {}, which ended without giving it back",
                    board.name, holder.pid
                )
            }
        });
    }

    fn every_pair(&self) {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(pair) = self.pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.pair(*pair);
            }
        };
        let workers = self.plan.workers(self.board);
        if workers == 1 {
            return work();
        }
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
    }

    fn scenario(&self, pair: Pair) -> &'a Scenario {
        &self.lab.suite.scenarios[pair.scenario]
    }

    fn pair(&self, pair: Pair) {
        let scenario = self.scenario(pair);
        if let Some(reason) = Suite::skip_reason(self.board, scenario) {
            return self.skipped(pair, &reason);
        }
        if let Some(why) = self.given_up() {
            return self.skipped(pair, &format!("the board was given up: {why}"));
        }
        let start = Instant::now();
        let mut failure: Option<String> = None;
        for number in 1..=self.plan.retries + 1 {
            let attempt = self.attempt(pair, number);
            let verdict = attempt.verdict.clone();
            (self.observer)(&Event::AttemptEnded(Box::new(attempt)));
            let (status, reason) = match verdict {
                Verdict::Failed { cause, shown } => {
                    self.after_failure(&cause);
                    failure = Some(shown);
                    continue;
                }
                Verdict::Passed => {
                    (if failure.is_some() { Status::Flaky } else { Status::Passed }, failure.take())
                }
                Verdict::Differs { reason } => (Status::Differs, Some(reason)),
            };
            self.dead.store(0, Ordering::Relaxed);
            self.forgotten_quarantine(pair, status);
            return self.ended(pair, status, reason, number, start);
        }
        let (status, reason) = self.blame(scenario, failure.unwrap_or_default());
        self.ended(pair, status, Some(reason), self.plan.retries + 1, start);
    }

    fn attempt(&self, pair: Pair, number: u32) -> Attempt {
        let scenario = self.scenario(pair);
        let (board, name) = (self.board.name.clone(), scenario.name.clone());
        (self.observer)(&Event::AttemptStarted {
            board: board.clone(),
            scenario: name.clone(),
            attempt: number,
        });
        // What several boards say to each other has no order that could be replayed.
        let alone = scenario.peers().is_empty();
        let tape = self.lab.record.as_ref().filter(|_| alone).map(|_| Tape::new());
        let open = || {
            let actors = self.lab.open_actors(self.board, scenario, self.plan.seed_of(pair, number))?;
            Ok(recorded(actors, tape.as_ref(), self.board))
        };
        let play = || self.lab.suite.attempt(self.board, scenario, self.plan.update, open);
        let mut attempt = catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|_| {
            let shown = "the harness itself failed; please report it\n".into();
            let verdict = Verdict::Failed { cause: "harness".into(), shown };
            Attempt { board, scenario: name, verdict, ..Attempt::default() }
        });
        (attempt.round, attempt.attempt) = (pair.round, number);
        if let (Some(directory), Some(tape)) = (&self.lab.record, tape)
            && let Err(why) = self.keep(directory, &attempt, &tape)
        {
            self.note(format!("the session is not kept: {why}"));
        }
        attempt
    }

    /// Writes the recorded session of an attempt.
    fn keep(&self, directory: &Path, attempt: &Attempt, tape: &Tape) -> Result<(), String> {
        let file = Suite::directory().join("scenarios").join(format!("{}.repl", attempt.scenario));
        let typed = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let secrets = Secrets::of(self.board)?.in_scenario(&typed);
        record::keep_repl(directory, self.board, &typed, attempt, tape, &secrets)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        Ok(())
    }

    /// A failed scenario is quarantined if an entry says so that has not expired.
    fn blame(&self, scenario: &Scenario, shown: String) -> (Status, String) {
        if let Some(entry) = self.board.quarantined(&scenario.name, self.today) {
            let (reason, owner, until) = (&entry.reason, &entry.owner, &entry.until);
            return (Status::Quarantined, format!("{reason} ({owner}, until {until})\n{shown}"));
        }
        if let Some(entry) = self.board.quarantine_expired(&scenario.name, self.today) {
            let (owner, until) = (&entry.owner, &entry.until);
            return (Status::Failed, format!("its quarantine ended on {until}; owner: {owner}\n{shown}"));
        }
        (Status::Failed, shown)
    }

    fn forgotten_quarantine(&self, pair: Pair, status: Status) {
        let scenario = &self.scenario(pair).name;
        if status == Status::Passed && self.board.quarantined(scenario, self.today).is_some() {
            self.note(format!(
                "{scenario} passes although it is quarantined; remove the entry when it stays so"
            ));
        }
    }

    /// A board that does not answer is switched off and on; one that stays dead is given up.
    fn after_failure(&self, cause: &str) {
        if !matches!(
            cause,
            "silent" | "no-prompt" | "no-echo" | "flood" | "closed" | "reset" | "open" | "too-long"
        ) {
            self.dead.store(0, Ordering::Relaxed);
            return;
        }
        let dead = self.dead.fetch_add(1, Ordering::Relaxed) + 1;
        match self.lab.recover(self.board) {
            Ok(Some(what)) => self.note(format!("{cause}: {what}")),
            Ok(None) => {}
            Err(error) => self.note(format!("{cause}: {error}")),
        }
        if dead >= DEAD_IN_A_ROW && !self.plan.keep_going {
            self.give_up(&format!("dead {dead} times in a row ({cause} last); --keep-going goes on"));
        }
    }

    fn give_up(&self, why: &str) {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| why.to_owned());
    }

    fn given_up(&self) -> Option<String> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, text: String) {
        (self.observer)(&Event::Note { board: Some(self.board.name.clone()), text });
    }

    fn skipped(&self, pair: Pair, reason: &str) {
        self.ended(pair, Status::Skipped, Some(reason.to_owned()), 0, Instant::now());
    }

    fn ended(&self, pair: Pair, status: Status, reason: Option<String>, attempts: u32, start: Instant) {
        (self.observer)(&Event::ScenarioEnded(ScenarioEnded {
            board: self.board.name.clone(),
            scenario: self.scenario(pair).name.clone(),
            round: pair.round,
            status,
            reason,
            attempts,
            ms: millis(start.elapsed()),
        }));
    }
}

/// The boards of an attempt, recorded if there is a tape.
fn recorded(actors: Vec<Actor>, tape: Option<&Tape>, board: &Board) -> Vec<Actor> {
    let Some(tape) = tape else { return actors };
    let wires = record::wires(board);
    actors.into_iter().map(|(role, console)| (role, tape.console(console, wires))).collect()
}

fn facts(board: &Board) -> BoardStarted {
    BoardStarted {
        board: board.name.clone(),
        chip: board.chip.to_string(),
        port: board.port.to_string(),
        tags: board.tags.clone(),
        owner: board.owner.clone(),
        notes: board.notes.clone(),
    }
}

/// True if the run is to be called good.
#[must_use]
pub fn is_good(counts: &BTreeMap<Status, u32>, boards_given_up: usize) -> bool {
    let count = |status| counts.get(&status).copied().unwrap_or(0);
    let ran =
        count(Status::Passed) + count(Status::Differs) + count(Status::Flaky) + count(Status::Quarantined);
    count(Status::Failed) == 0 && boards_given_up == 0 && ran > 0
}
