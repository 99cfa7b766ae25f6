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

use std::path::Path;
use std::time::Duration;

use larch_boards::nearest;

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
        let mut scenario = Self { name: name.into(), requires: vec![], redactions: vec![], steps: vec![] };
        let mut lines = text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let wrong = |message| Error { file: format!("{name}.repl"), line: index + 1, message };
            let Some((word, value)) = directive(line) else {
                if !is_comment(line) {
                    scenario.steps.push(Step::Line(line.trim_end().into()));
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
        }
        Ok(scenario)
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
        if matches!(word, "requires" | "redact") && begun {
            return Err(format!("'# {word}:' belongs above the first line that is typed"));
        }
        match word {
            "requires" => self.requires.extend(list(value).map(String::from)),
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

fn unknown_word(what: &str, word: &str, known: &[&str]) -> String {
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
mod tests {
    use super::{Scenario, Step, key};
    use proptest::prelude::*;
    use rstest::rstest;
    use std::time::Duration;

    #[test]
    fn lines_directives_and_comments_are_told_apart() {
        let text = "# hil-tests/scenarios/network/station.repl\n# requires: wifi, sd\n# redact: version\n\
                    import network\n#not a comment: typed\n# press: Ctrl-C, Up\n\nif x:\n    y\n\n\
                    # wait-until: sta.isconnected()  (3 s)\n# interrupt-after: 200ms\n# timeout: 5 s\n# reset: hard\n";
        let scenario = Scenario::parse("network/station", text).unwrap();
        assert_eq!(scenario.requires, ["wifi", "sd"]);
        assert_eq!((scenario.topic(), scenario.snapshot_name().as_str()), ("network", "network__station"));
        let line = |text: &str| Step::Line(text.into());
        assert_eq!(
            scenario.steps,
            [
                line("import network"),
                line("#not a comment: typed"),
                Step::Press(key("Ctrl-C").unwrap()),
                Step::Press(key("Up").unwrap()),
                line(""),
                line("if x:"),
                line("    y"),
                line(""),
                Step::WaitUntil { expression: "sta.isconnected()".into(), limit: Duration::from_secs(3) },
                Step::InterruptAfter(Duration::from_millis(200)),
                Step::Timeout(Duration::from_secs(5)),
                Step::HardReset { show_boot_log: false },
            ]
        );
    }

    #[test]
    fn raw_paste_takes_the_lines_up_to_the_next_directive() {
        let scenario =
            Scenario::parse("a", "# raw-paste:\nfor i in x:\n\n    pass\n# press: Ctrl-B\n").unwrap();
        assert_eq!(scenario.steps[0], Step::RawPaste("for i in x:\n\n    pass\n".into()));
        assert_eq!(scenario.steps.len(), 2);
    }

    #[rstest]
    #[case("# require: wifi", "t/x.repl:1: unknown directive 'require', did you mean 'requires'?")]
    #[case("# press: Ctrl-Z", "t/x.repl:1: unknown key 'Ctrl-Z', did you mean 'Ctrl-A'?")]
    #[case("# redact: versoin", "t/x.repl:1: unknown redaction 'versoin', did you mean 'version'?")]
    #[case("# timeout: soon", "t/x.repl:1: bad time 'soon'")]
    #[case("# timeout: 5000 s", "t/x.repl:1: '5000 s' is longer than an hour")]
    #[case("x\n# requires: wifi", "t/x.repl:2: '# requires:' belongs above the first line that is typed")]
    #[case("# reset: soft", "t/x.repl:1: unknown reset 'soft'")]
    #[case("# wait-until:  (3 s)", "t/x.repl:1: wait-until needs")]
    fn a_mistake_names_its_line(#[case] text: &str, #[case] starts: &str) {
        let error = Scenario::parse("t/x", text).unwrap_err().to_string();
        assert!(error.starts_with(starts), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "(# [a-z-]{1,8}: ?)?\\PC{0,60}") {
            let _ = Scenario::parse("t/x", &text);
        }
    }
}
