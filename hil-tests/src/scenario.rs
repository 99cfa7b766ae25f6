//! A scenario: what is typed at the prompt, one line per line, with a few directives.
//!
//! ```text
//! # What a person learns first: there is no exit().       (a comment: shown to nobody)
//! # requires: wifi                                         (header)
//! # redact: version, date                                  (header)
//! exit()                                                   (typed, then Enter)
//! # press: Ctrl-C                                          (a key)
//! ```
//! A line that starts with `# word:` is a directive, any other line that starts with `# ` or is `#` alone is a
//! comment, everything else is typed. An empty line is Enter inside a block and nothing at the `>>> ` prompt.
//! Source of the keys: MicroPython's REPL (`docs/reference/repl.rst`).

mod words;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use larch_boards::{Board, nearest};
use larch_emulator::net::Call;

use crate::redact::Redaction;

/// One thing that is done at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Type a line, press Enter, wait for the prompt.
    Line(String),
    /// Type without pressing Enter.
    Type(String),
    /// Press a key.
    Press(Key),
    /// While the next line runs, press Ctrl-C after this time.
    InterruptAfter(Duration),
    /// Repeat an expression, unseen, until it is true.
    WaitUntil {
        /// What is evaluated.
        expression: String,
        /// How long it may take.
        limit: Duration,
    },
    /// Wait until the line of the cursor ends with this text (the prompt of an `input()`).
    WaitFor(String),
    /// Reset by the reset line; what the board says until its prompt is shown only on demand.
    HardReset {
        /// Whether the boot log is part of the transcript.
        show_boot_log: bool,
    },
    /// Send source through the raw paste protocol, with flow control, and wait for the result.
    RawPaste(String),
    /// From here on, how long a line may take until the prompt is back.
    Timeout(Duration),
    /// From here on, this board is typed at: `first`, or a peer's role.
    On(String),
    /// Drive a pin from outside; `None` leaves it open.
    Pin {
        /// Its number.
        pin: u8,
        /// High, low or open.
        level: Option<bool>,
    },
    /// Switch the power of the board; after it is switched on the prompt is awaited.
    Power {
        /// On or off.
        on: bool,
    },
    /// Change an access point in reach, or the air to it.
    Air(AirChange),
    /// Make something go wrong.
    Fault(Fault),
}

/// Something that goes wrong on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The power fails in the middle of this flash operation, counted from now, from 1.
    PowerCut(u64),
    /// This byte, counted from now, from 1, is lost on the line to the harness.
    LoseByte(u64),
    /// This byte, counted from now, from 1, arrives damaged at the harness.
    DamageByte(u64),
}

/// What a scenario does to a simulated access point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AirChange {
    /// Its position in `access-points:`, from 0.
    pub access_point: usize,
    /// What.
    pub what: ApChange,
}

impl fmt::Display for AirChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "access point {}: {}", self.access_point + 1, words::ap_text(&self.what))
    }
}

/// What can be done to a simulated access point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApChange {
    /// It is switched off or on.
    Up(bool),
    /// It has this password from now on, and has forgotten its stations.
    Password(String),
    /// It throws its stations out.
    Deauthenticate,
    /// Its DHCP server answers.
    Dhcp(bool),
    /// Its name server answers.
    Dns(bool),
    /// That many percent of all frames on the air are lost.
    Loss(u8),
    /// A packet takes so much longer each way.
    Latency(Duration),
    /// That many percent of all packets are overtaken by later ones.
    Reorder(u8),
    /// Somebody behind it connects to this port of the board: says something and hears what comes, or sends back what comes.
    Call(u16, Call),
}

/// The board that a scenario begins with.
pub const FIRST: &str = "first";

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on_off = |on: &bool| if *on { "on" } else { "off" };
        match self {
            Self::Line(text) => out.write_str(text),
            Self::Type(text) => write!(out, "type {text}"),
            Self::Press(key) => write!(out, "press {}", key.name),
            Self::InterruptAfter(time) => write!(out, "interrupt after {time:?}"),
            Self::WaitUntil { expression, .. } => write!(out, "wait until {expression}"),
            Self::WaitFor(text) => write!(out, "wait for {text}"),
            Self::HardReset { .. } => out.write_str("hard reset"),
            Self::RawPaste(_) => out.write_str("raw paste"),
            Self::Timeout(time) => write!(out, "time-out {time:?}"),
            Self::On(role) => write!(out, "on {role}"),
            Self::Pin { pin, level: Some(true) } => write!(out, "pin {pin} high"),
            Self::Pin { pin, level: Some(false) } => write!(out, "pin {pin} low"),
            Self::Pin { pin, level: None } => write!(out, "pin {pin} open"),
            Self::Power { on } => write!(out, "power {}", on_off(on)),
            Self::Air(change) => write!(out, "{change}"),
            Self::Fault(Fault::PowerCut(count)) => write!(out, "power cut at flash operation {count}"),
            Self::Fault(Fault::LoseByte(count)) => write!(out, "lose byte {count}"),
            Self::Fault(Fault::DamageByte(count)) => write!(out, "damage byte {count}"),
        }
    }
}

/// A key other than a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As written in the scenario.
    pub name: &'static str,
    /// What a terminal sends.
    pub bytes: &'static [u8],
}

/// Every key a scenario may press.
pub const KEYS: &[Key] = &[
    Key { name: "Ctrl-A", bytes: b"\x01" },
    Key { name: "Ctrl-B", bytes: b"\x02" },
    Key { name: "Ctrl-C", bytes: b"\x03" },
    Key { name: "Ctrl-D", bytes: b"\x04" },
    Key { name: "Ctrl-E", bytes: b"\x05" },
    Key { name: "Ctrl-K", bytes: b"\x0b" },
    Key { name: "Ctrl-U", bytes: b"\x15" },
    Key { name: "Enter", bytes: b"\r" },
    Key { name: "Tab", bytes: b"\t" },
    Key { name: "Backspace", bytes: b"\x7f" },
    Key { name: "Delete", bytes: b"\x1b[3~" },
    Key { name: "Up", bytes: b"\x1b[A" },
    Key { name: "Down", bytes: b"\x1b[B" },
    Key { name: "Right", bytes: b"\x1b[C" },
    Key { name: "Left", bytes: b"\x1b[D" },
    Key { name: "Home", bytes: b"\x1b[H" },
    Key { name: "End", bytes: b"\x1b[F" },
];

const DIRECTIVES: &[&str] = &[
    "requires",
    "redact",
    "timeout",
    "press",
    "type",
    "interrupt-after",
    "wait-until",
    "wait-for",
    "reset",
    "raw-paste",
    "variants",
    "on",
    "pin",
    "power",
    "ap",
    "fault",
];

/// A scenario file, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// `topic/name`, from its path below `scenarios/`.
    pub name: String,
    /// Capabilities without which it makes no sense.
    pub requires: Vec<String>,
    /// What is replaced in the transcript before it is compared.
    pub redactions: Vec<Redaction>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// Capabilities for which there is a snapshot of its own, in order of preference.
    pub variants: Vec<String>,
    /// Line of each step in the file, from 1.
    lines: Vec<u32>,
}

/// A mistake in a scenario file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct Error {
    file: String,
    line: usize,
    message: String,
}

impl Scenario {
    /// Reads the text of a scenario file.
    ///
    /// # Errors
    /// A directive that is unknown, misplaced or has a bad value, with its line.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let mut scenario = Self {
            name: name.into(),
            requires: vec![],
            redactions: vec![],
            steps: vec![],
            variants: vec![],
            lines: vec![],
        };
        let mut lines = text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let wrong = |message| Error { file: format!("{name}.repl"), line: index + 1, message };
            let Some((word, value)) = directive(line) else {
                if !is_comment(line) {
                    scenario.steps.push(Step::Line(line.trim_end().into()));
                    scenario.number(index);
                }
                continue;
            };
            if word == "raw-paste" {
                let mut source = String::new();
                while let Some((_, line)) = lines.next_if(|(_, line)| directive(line).is_none()) {
                    source.push_str(line);
                    source.push('\n');
                }
                scenario.steps.push(Step::RawPaste(source));
            } else {
                scenario.add(word, value).map_err(wrong)?;
            }
            scenario.number(index);
        }
        Ok(scenario)
    }

    /// The steps that were added come from this line.
    fn number(&mut self, index: usize) {
        let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
        self.lines.resize(self.steps.len(), line);
    }

    /// Line of a step in the file, from 1; 0 if there is no such step.
    #[must_use]
    pub fn line_of(&self, step: usize) -> u32 {
        self.lines.get(step).copied().unwrap_or(0)
    }

    /// Everything that is typed, one line after the other.
    #[must_use]
    pub fn typed(&self) -> String {
        let typed = self.steps.iter().filter_map(|step| match step {
            Step::Line(text) | Step::Type(text) | Step::RawPaste(text) => Some(text.as_str()),
            _ => None,
        });
        typed.collect::<Vec<_>>().join("\n")
    }

    /// The same with other text in what is typed.
    #[must_use]
    pub fn with_lines(&self, replace: impl Fn(&str) -> String) -> Self {
        let mut scenario = self.clone();
        for step in &mut scenario.steps {
            if let Step::Line(text) | Step::Type(text) | Step::RawPaste(text) = step {
                *text = replace(text);
            }
        }
        scenario
    }

    /// The roles of other boards that take part.
    #[must_use]
    pub fn peers(&self) -> Vec<&str> {
        let mut roles: Vec<&str> = Vec::new();
        for step in &self.steps {
            if let Step::On(role) = step
                && role != FIRST
                && !roles.contains(&role.as_str())
            {
                roles.push(role);
            }
        }
        roles
    }

    /// Name of the snapshot that this board must answer with.
    #[must_use]
    pub fn snapshot_for(&self, board: &Board) -> String {
        let variant = self.variants.iter().find(|capability| board.can(capability));
        variant.map_or_else(|| self.snapshot_name(), |variant| format!("{}@{variant}", self.snapshot_name()))
    }

    /// Names of all its snapshots.
    pub fn snapshots(&self) -> impl Iterator<Item = String> {
        let variants = self.variants.iter().map(|variant| format!("{}@{variant}", self.snapshot_name()));
        std::iter::once(self.snapshot_name()).chain(variants)
    }

    /// Reads every `*.repl` file below a directory, sorted by name.
    ///
    /// # Errors
    /// A file cannot be read or is wrong.
    pub fn load_all(directory: &Path) -> Result<Vec<Self>, Error> {
        let mut found = Vec::new();
        let unreadable = |path: &Path, error: std::io::Error| Error {
            file: path.display().to_string(),
            line: 1,
            message: format!("cannot be read: {error}"),
        };
        let mut open = vec![(directory.to_path_buf(), String::new())];
        while let Some((path, prefix)) = open.pop() {
            for entry in std::fs::read_dir(&path).map_err(|error| unreadable(&path, error))? {
                let entry = entry.map_err(|error| unreadable(&path, error))?;
                let file = entry.file_name().to_string_lossy().into_owned();
                if entry.path().is_dir() {
                    open.push((entry.path(), format!("{prefix}{file}/")));
                } else if let Some(stem) = file.strip_suffix(".repl") {
                    let text = std::fs::read_to_string(entry.path())
                        .map_err(|error| unreadable(&entry.path(), error))?;
                    found.push(Self::parse(&format!("{prefix}{stem}"), &text)?);
                }
            }
        }
        found.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(found)
    }

    /// The part of the name before the last `/`: `os`, `errors`, `repl`.
    #[must_use]
    pub fn topic(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(topic, _)| topic)
    }

    /// Name of its snapshot: `errors__exit`.
    #[must_use]
    pub fn snapshot_name(&self) -> String {
        self.name.replace('/', "__")
    }

    fn add(&mut self, word: &str, value: &str) -> Result<(), String> {
        let begun = self.steps.iter().any(|step| !matches!(step, Step::Timeout(_)));
        if matches!(word, "requires" | "redact" | "variants") && begun {
            return Err(format!("'# {word}:' belongs above the first line that is typed"));
        }
        match word {
            "requires" => list(value).for_each(|need| self.require(need)),
            "variants" => self.variants.extend(list(value).map(String::from)),
            "on" => {
                self.require(words::role(value)?);
                self.steps.push(Step::On(value.into()));
            }
            "pin" => {
                self.require("pins");
                self.steps.push(words::pin(value)?);
            }
            "power" => {
                self.require("power");
                self.steps.extend(words::power(value)?);
            }
            "ap" => {
                self.require("ap");
                self.steps.push(Step::Air(words::ap(value)?));
            }
            "fault" => {
                self.require("emulator");
                self.steps.push(Step::Fault(words::fault(value)?));
            }
            "redact" => {
                for kind in list(value) {
                    self.redactions.push(Redaction::from_word(kind)?);
                }
            }
            "timeout" => self.steps.push(Step::Timeout(duration(value)?)),
            "press" => {
                for name in list(value) {
                    self.steps.push(Step::Press(key(name)?));
                }
            }
            "type" => self.steps.push(Step::Type(value.into())),
            "interrupt-after" => self.steps.push(Step::InterruptAfter(duration(value)?)),
            "wait-until" => self.steps.push(wait_until(value)?),
            "wait-for" => self.steps.push(Step::WaitFor(value.into())),
            "reset" => self.steps.push(reset(value)?),
            unknown => {
                return Err(unknown_word("directive", unknown, DIRECTIVES));
            }
        }
        Ok(())
    }
}

impl Scenario {
    /// What is done needs it, whether the header says so or not.
    fn require(&mut self, capability: &str) {
        if capability != FIRST && !self.requires.iter().any(|known| known == capability) {
            self.requires.push(capability.to_owned());
        }
    }
}

/// `# word: value`, with a lower-case word.
fn directive(line: &str) -> Option<(&str, &str)> {
    let (word, value) = line.strip_prefix("# ")?.split_once(':')?;
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    (!word.is_empty() && word.bytes().all(lower)).then_some((word, value.trim()))
}

fn is_comment(line: &str) -> bool {
    line == "#" || line.starts_with("# ")
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|word| !word.is_empty())
}

pub(crate) fn unknown_word(what: &str, word: &str, known: &[&str]) -> String {
    let meant = nearest(word, known).map_or_else(String::new, |near| format!(", did you mean '{near}'?"));
    format!("unknown {what} '{word}'{meant} (one of: {})", known.join(", "))
}

fn key(name: &str) -> Result<Key, String> {
    KEYS.iter().find(|key| key.name.eq_ignore_ascii_case(name)).copied().ok_or_else(|| {
        let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        unknown_word("key", name, &names)
    })
}

/// `200ms`, `5s`, `10 s`; at most an hour.
fn duration(value: &str) -> Result<Duration, String> {
    let bad = || format!("bad time '{value}': expected a number with ms or s, such as 200ms or 5s");
    let number = value.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let count: u64 = number.parse().map_err(|_| bad())?;
    let time = match value[number.len()..].trim() {
        "ms" => Duration::from_millis(count),
        "s" => Duration::from_secs(count.min(100_000)),
        _ => return Err(bad()),
    };
    if time > Duration::from_secs(3600) { Err(format!("'{value}' is longer than an hour")) } else { Ok(time) }
}

/// `EXPRESSION  (10 s)`; ten seconds when no time is given.
fn wait_until(value: &str) -> Result<Step, String> {
    let with_limit = value.strip_suffix(" s)").and_then(|rest| rest.rsplit_once('('));
    let (expression, limit) = match with_limit {
        Some((expression, seconds)) if !seconds.contains([')', '"', '\'']) => {
            (expression.trim(), duration(&format!("{seconds} s"))?)
        }
        _ => (value, Duration::from_secs(10)),
    };
    if expression.is_empty() {
        return Err("wait-until needs an expression".into());
    }
    Ok(Step::WaitUntil { expression: expression.into(), limit })
}

fn reset(value: &str) -> Result<Step, String> {
    match value {
        "hard" => Ok(Step::HardReset { show_boot_log: false }),
        "hard, show boot log" => Ok(Step::HardReset { show_boot_log: true }),
        other => Err(format!("unknown reset '{other}' (one of: hard; hard, show boot log)")),
    }
}

#[cfg(test)]
mod tests;
