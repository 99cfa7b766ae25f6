//! What happens in a run, as data: the runner tells it, tables, reports and logs are made of it.
//!
//! Invariants: every event of a run passes through one observer, in the order of each board; a scenario that was
//! started ends with one [`ScenarioEnded`]; text from a board is text here, whatever bytes it sent (control characters
//! never leave [`crate::terminal`]). The field names are those of `events.ndjson`: add, never rename.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Version of the format of the events.
pub const FORMAT: u32 = 1;

/// An event and when it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Milliseconds since the run started, by the clock on the wall.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first event.
    RunStarted(RunStarted),
    /// Work on a board begins: it is locked now.
    BoardStarted(BoardStarted),
    /// The board has the firmware that is to be tested.
    Flashed(Flashed),
    /// The board came to its prompt after flashing.
    Booted(Booted),
    /// A scenario is being typed.
    AttemptStarted {
        /// The board.
        board: String,
        /// `topic/name`.
        scenario: String,
        /// From 1; above 1 for retries.
        attempt: u32,
    },
    /// It was typed to its end, or not.
    AttemptEnded(Box<Attempt>),
    /// What all attempts together came to.
    ScenarioEnded(ScenarioEnded),
    /// Something a person should know.
    Note {
        /// The board it is about.
        board: Option<String>,
        /// One line.
        text: String,
    },
    /// Work on a board has ended.
    BoardEnded {
        /// The board.
        board: String,
        /// How long its scenarios took together, by the clock on the wall.
        ms: u64,
        /// Why it was given up, if it was.
        given_up: Option<String>,
    },
    /// The last event.
    RunEnded {
        /// How long the run took by the clock on the wall.
        ms: u64,
        /// Scenarios by status.
        counts: BTreeMap<Status, u32>,
    },
}

/// The run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// [`FORMAT`].
    pub format: u32,
    /// Name of the run: sorts by time, and no other run of this machine has it.
    pub run: String,
    /// Seconds since 1970.
    pub unix_s: u64,
    /// The command line.
    pub command: String,
    /// Boards of this run, in order.
    pub boards: Vec<String>,
    /// Scenarios of this run, in order.
    pub scenarios: Vec<String>,
    /// Retries after a failure.
    pub retries: u32,
    /// How often each scenario is run.
    pub repeat: u32,
    /// `1/8` if this is a part.
    pub shard: Option<String>,
}

/// A board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardStarted {
    /// Its name.
    pub board: String,
    /// Its chip.
    pub chip: String,
    /// Its port as a person says it; credentials never are part of it.
    pub port: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What else is known.
    pub notes: Option<String>,
}

/// What the board holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flashed {
    /// The board.
    pub board: String,
    /// Digest of the whole image.
    pub digest: String,
    /// What the firmware must answer when it is asked for its build; empty where it cannot be asked.
    pub build: String,
    /// Length of the application in bytes.
    pub firmware_bytes: u64,
    /// False if the board had this image already.
    pub written: bool,
    /// How long writing took, by the clock on the wall.
    pub ms: u64,
    /// How long it took on the board's clock.
    pub board_ms: u64,
}

/// The first boot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Booted {
    /// The board.
    pub board: String,
    /// First line of the REPL.
    pub banner: String,
    /// What the firmware says of its build; empty if nothing.
    pub build: String,
    /// From reset to prompt on the board's clock.
    pub board_ms: u64,
    /// Free for Python.
    pub free_bytes: Option<u64>,
    /// What the board said before the prompt.
    pub boot_log: String,
}

/// One attempt at a scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The board.
    pub board: String,
    /// `topic/name`.
    pub scenario: String,
    /// Which round of `--repeat`, from 1.
    pub round: u32,
    /// From 1; above 1 for retries.
    pub attempt: u32,
    /// What came of it.
    pub verdict: Verdict,
    /// What a person saw, redacted as the scenario says; as far as it came.
    pub transcript: String,
    /// The snapshot, if there is one.
    pub expected: Option<String>,
    /// What the board said from reset to prompt.
    pub boot_log: String,
    /// Where in the serial log each step begins.
    pub marks: Vec<Mark>,
    /// How long it took by the clock on the wall.
    pub ms: u64,
    /// How long it took on the board's clock.
    pub board_ms: u64,
    /// File with `serial`, relative to the report; the writer of the report sets it.
    pub serial_log: Option<String>,
    /// The bytes as they came from the board: the first [`SERIAL_KEPT`] of them.
    #[serde(skip)]
    pub serial: Vec<u8>,
    /// Bytes that came after those.
    pub serial_dropped: u64,
}

/// Bytes of a serial log that are kept for an attempt.
pub const SERIAL_KEPT: usize = 1024 * 1024;

/// What came of an attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// The transcript is as it must be.
    #[default]
    Passed,
    /// It differs, for a reason listed in `differences.yaml`.
    Differs {
        /// The reason.
        reason: String,
    },
    /// It is not as it must be, or did not come to its end.
    Failed {
        /// In a word for scripts: `differs`, `silent`, `no-prompt`, `no-echo`, `flood`, `closed`, `reset`, ...
        cause: String,
        /// Over several lines: the difference, or the last lines and what went wrong.
        shown: String,
    },
}

/// The begin of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Line in the scenario's file, from 1; 0 for what the harness does by itself.
    pub line: u32,
    /// What is done: the line that is typed, or `press Ctrl-C`.
    pub step: String,
    /// Offset in the serial log.
    pub offset: u64,
    /// Moment on the board's clock, in milliseconds since the attempt began.
    pub board_ms: u64,
}

/// What all attempts at a scenario came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioEnded {
    /// The board.
    pub board: String,
    /// `topic/name`.
    pub scenario: String,
    /// Which round of `--repeat`, from 1.
    pub round: u32,
    /// What came of it.
    pub status: Status,
    /// Why it is so, for every status but passed; the last failure's text for failed, flaky and quarantined.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// How long it took by the clock on the wall.
    pub ms: u64,
}

/// What came of a scenario on a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As it must be, at the first attempt.
    Passed,
    /// Failed in every attempt.
    Failed,
    /// Failed, then passed in a retry.
    Flaky,
    /// Differs from the snapshot for a listed reason.
    Differs,
    /// Failed, and a quarantine entry that has not expired says so.
    Quarantined,
    /// Did not run.
    Skipped,
}

impl Status {
    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Flaky => "flaky",
            Self::Differs => "differs",
            Self::Quarantined => "quarantined",
            Self::Skipped => "skipped",
        }
    }
}

/// Takes the events of a run, from several threads.
pub type Observer<'a> = dyn Fn(&Event) + Sync + 'a;

#[cfg(test)]
mod tests {
    use super::{Attempt, Event, Stamped, Status, Verdict};

    #[test]
    fn an_event_is_one_flat_line_and_is_read_back() {
        let verdict = Verdict::Failed { cause: "differs".into(), shown: "- a\n+ b\n".into() };
        let attempt = Attempt { board: "b".into(), scenario: "s/t".into(), verdict, ..Attempt::default() };
        let event = Stamped { at_ms: 7, event: Event::AttemptEnded(Box::new(attempt)) };
        let line = serde_json::to_string(&event).unwrap();
        assert!(
            line.starts_with(r#"{"at_ms":7,"event":"attempt-ended","board":"b","scenario":"s/t""#),
            "{line}"
        );
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Stamped>(&line).unwrap(), event);
    }

    #[test]
    fn counts_are_keyed_by_word() {
        let event = Event::RunEnded { ms: 1, counts: [(Status::Flaky, 2)].into() };
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(line, r#"{"event":"run-ended","ms":1,"counts":{"flaky":2}}"#);
    }
}
