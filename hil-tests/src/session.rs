//! A person at the REPL: types, waits for the echo, presses Enter, waits for the prompt.
//!
//! Sees the firmware only as bytes of a [`Transport`], so any firmware that speaks a MicroPython REPL can be driven.
//! Invariants: every wait has a limit on the board's own clock; bytes per step are limited; a line is only entered
//! once the board has echoed it, so text that merely looks like a prompt can delay a run but not derail it.
//! Source: MicroPython `docs/reference/repl.rst` (prompts, keys, raw and raw paste protocol).

mod raw_paste;
mod wire;

use std::io;
use std::time::Duration;

use larch_loader::transport::Transport;

pub use self::wire::Record;
use crate::scenario::{AirChange, Fault, Key, Scenario, Step};
use crate::terminal::Terminal;

/// A prompt counts once nothing has followed it for this long.
const QUIET: Duration = Duration::from_millis(20);
/// How long the board may take to echo what is typed.
const ECHO_LIMIT: Duration = Duration::from_secs(3);
/// How long a line may take unless the scenario says otherwise.
const LINE_LIMIT: Duration = Duration::from_secs(10);
/// How long a line may take before the power is switched off.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long a scenario may take as a whole.
const SCENARIO_LIMIT: Duration = Duration::from_secs(3600);
/// How long a board may take from reset to prompt.
pub const BOOT_LIMIT: Duration = Duration::from_secs(30);
/// Bytes a board may send in one step.
const FLOOD_BYTES: usize = 512 * 1024;
/// Bytes typed before looking for their echo: less than the receive FIFO of any UART.
const TYPE_AHEAD: usize = 32;
/// Raw bytes kept to recognise the raw REPL, whose framing a terminal does not show.
const TAIL: usize = 64;

/// Why a session could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing at all came back.
    #[error("the board says nothing after {after} for {limit:?}")]
    Silent {
        /// What was done last.
        after: String,
        /// How long was waited.
        limit: Duration,
    },
    /// Bytes came, but no prompt.
    #[error("no prompt after {after} within {limit:?}; the last line is {line:?}")]
    NoPrompt {
        /// What was done last.
        after: String,
        /// How long was waited.
        limit: Duration,
        /// The line of the cursor.
        line: String,
    },
    /// What was typed did not appear.
    #[error("typed {typed:?}, but the board shows {line:?}")]
    NoEcho {
        /// What was typed.
        typed: String,
        /// The line of the cursor.
        line: String,
    },
    /// More bytes than a step may give.
    #[error("the board floods: more than {FLOOD_BYTES} bytes after {after}")]
    Flood {
        /// What was done last.
        after: String,
    },
    /// The raw paste protocol was not followed.
    #[error("raw paste: {0}")]
    RawPaste(String),
    /// An expression stayed false.
    #[error("'{expression}' was not true within {limit:?}")]
    NeverTrue {
        /// What was evaluated.
        expression: String,
        /// How long.
        limit: Duration,
    },
    /// The port is gone.
    #[error("the board's port closed after {after}: {source}")]
    Closed {
        /// What was done last.
        after: String,
        /// What the system said.
        source: io::Error,
    },
    /// The board could not be reset.
    #[error("hard reset failed: {0}")]
    Reset(io::Error),
    /// Something outside of the board could not be done.
    #[error("{what}: {source}")]
    Outside {
        /// What was to be done.
        what: String,
        /// Why it could not be.
        source: io::Error,
    },
    /// Each step is within its limit, all of them are not.
    #[error("the scenario takes longer than {SCENARIO_LIMIT:?}")]
    TooLong,
}

impl Failure {
    /// The kind in a word, for scripts.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Silent { .. } => "silent",
            Self::NoPrompt { .. } => "no-prompt",
            Self::NoEcho { .. } => "no-echo",
            Self::Flood { .. } => "flood",
            Self::RawPaste(_) => "raw-paste",
            Self::NeverTrue { .. } => "never-true",
            Self::Closed { .. } => "closed",
            Self::Reset(_) => "reset",
            Self::Outside { .. } => "outside",
            Self::TooLong => "too-long",
        }
    }
}

/// Something that can be talked to and reset: a board's console.
pub trait Console {
    /// Its serial port.
    fn port(&mut self) -> &mut dyn Transport;

    /// Resets it as its reset button does.
    ///
    /// # Errors
    /// If the board has no reset that can be driven, or its port is gone.
    fn hard_reset(&mut self) -> io::Result<()>;

    /// Switches its power.
    ///
    /// # Errors
    /// If nothing switches the power of this board, or it failed.
    fn power(&mut self, _on: bool) -> io::Result<()> {
        Err(cannot("nothing switches the power of this board (`power:` in boards.yaml)"))
    }

    /// Drives a pin from outside, or leaves it open.
    ///
    /// # Errors
    /// If nothing drives the pins of this board.
    fn pin(&mut self, _pin: u8, _level: Option<bool>) -> io::Result<()> {
        Err(cannot("nothing drives the pins of this board"))
    }

    /// Changes an access point in its reach.
    ///
    /// # Errors
    /// If it is not simulated, or there is none.
    fn air(&mut self, _change: &AirChange) -> io::Result<()> {
        Err(cannot("the access point of this board is not simulated"))
    }

    /// Makes something go wrong.
    ///
    /// # Errors
    /// If this board has no such faults.
    fn fault(&mut self, _fault: &Fault) -> io::Result<()> {
        Err(cannot("this board has no faults on demand"))
    }
}

fn cannot(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

impl Console for Box<dyn Console> {
    fn port(&mut self) -> &mut dyn Transport {
        (**self).port()
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        (**self).hard_reset()
    }

    fn power(&mut self, on: bool) -> io::Result<()> {
        (**self).power(on)
    }

    fn pin(&mut self, pin: u8, level: Option<bool>) -> io::Result<()> {
        (**self).pin(pin, level)
    }

    fn air(&mut self, change: &AirChange) -> io::Result<()> {
        (**self).air(change)
    }

    fn fault(&mut self, fault: &Fault) -> io::Result<()> {
        (**self).fault(fault)
    }
}

/// What the REPL waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prompt {
    /// `>>> `
    Friendly,
    /// `... `
    Continuation,
    /// `=== `
    Paste,
    /// `>` of the raw REPL, which echoes nothing.
    Raw,
}

/// One terminal session with a board.
pub struct Session<'a> {
    console: &'a mut dyn Console,
    terminal: Terminal,
    tail: Vec<u8>,
    step_bytes: usize,
    limit: Duration,
    prompt: Prompt,
    interrupt_after: Option<Duration>,
    /// Text of the next `wait-for`.
    answer_to: Option<String>,
    /// The power is switched off next: the board may not live to give a prompt.
    last_words: bool,
    /// Something was typed on this line and not entered.
    pending: bool,
    /// What was done last, for messages.
    last: String,
    /// What the board said from its last reset to its prompt.
    boot_log: String,
    record: Record,
}

impl<'a> Session<'a> {
    /// A session with a board that is about to be reset.
    pub fn new(console: &'a mut dyn Console) -> Self {
        Self {
            console,
            terminal: Terminal::new(),
            tail: Vec::new(),
            step_bytes: 0,
            limit: LINE_LIMIT,
            prompt: Prompt::Friendly,
            interrupt_after: None,
            answer_to: None,
            last_words: false,
            pending: false,
            last: "start".into(),
            boot_log: String::new(),
            record: Record::default(),
        }
    }

    /// Resets the board and waits for its prompt; the transcript starts at that prompt.
    ///
    /// # Errors
    /// If it cannot be reset or no prompt comes.
    pub fn boot(&mut self) -> Result<(), Failure> {
        self.record.begun = self.now();
        self.record.mark(0, "reset".into(), self.record.begun);
        self.hard_reset(false)
    }

    /// Waits for the prompt of a board that somebody else resets.
    ///
    /// # Errors
    /// If none comes within the limit.
    pub fn await_boot(&mut self, limit: Duration) -> Result<(), Failure> {
        self.last = "the reset by hand".into();
        self.wait_prompt(limit)?;
        self.boot_log = self.terminal.text();
        Ok(())
    }

    /// Does every step of a scenario.
    ///
    /// # Errors
    /// The first step after which the board does not come back to a prompt.
    pub fn run(&mut self, scenario: &Scenario) -> Result<(), Failure> {
        for index in 0..scenario.steps.len() {
            self.perform(scenario, index)?;
        }
        self.prove_prompt()
    }

    /// Does one step of a scenario.
    ///
    /// # Errors
    /// If the board does not come back to a prompt.
    pub fn perform(&mut self, scenario: &Scenario, index: usize) -> Result<(), Failure> {
        let Some(step) = scenario.steps.get(index) else { return Ok(()) };
        // A program that asks gives no prompt of the REPL.
        self.answer_to = match scenario.steps.get(index + 1) {
            Some(Step::WaitFor(text)) => Some(text.clone()),
            _ => None,
        };
        self.last_words = matches!(scenario.steps.get(index + 1), Some(Step::Power { on: false }));
        let now = self.now();
        self.record.mark(scenario.line_of(index), step.to_string(), now);
        if now.saturating_sub(self.record.begun) > SCENARIO_LIMIT {
            return Err(Failure::TooLong);
        }
        self.step(step)
    }

    /// Takes what was shown, up to the prompt, and goes on from a fresh prompt.
    ///
    /// # Errors
    /// If the board is not at a prompt that echoes.
    pub fn cut(&mut self) -> Result<String, Failure> {
        self.prove_prompt()?;
        let shown = std::mem::take(&mut self.terminal).text();
        self.terminal.feed(b">>> ");
        Ok(shown)
    }

    /// What came from the board.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The board's clock.
    pub fn time(&mut self) -> Duration {
        self.now()
    }

    /// What a person has seen so far.
    #[must_use]
    pub fn transcript(&self) -> String {
        self.terminal.text()
    }

    /// What the board said from its last reset to its prompt.
    #[must_use]
    pub fn boot_log(&self) -> &str {
        &self.boot_log
    }

    /// Types one line and returns what it printed.
    ///
    /// # Errors
    /// If the board does not come back to a prompt.
    pub fn ask(&mut self, line: &str) -> Result<String, Failure> {
        let before = self.terminal.text().len();
        self.step(&Step::Line(line.into()))?;
        let text = self.terminal.text();
        let said = text.get(before..).unwrap_or_default().trim_end_matches(">>>");
        Ok(said.split_once('\n').map_or("", |(_typed, said)| said).trim_end().to_owned())
    }

    fn step(&mut self, step: &Step) -> Result<(), Failure> {
        self.step_bytes = 0;
        match step {
            Step::Line(text) => self.line(text),
            Step::Type(text) => {
                self.last = format!("typing {text:?}");
                self.pending = true;
                self.type_text(text)
            }
            Step::Press(key) => self.press(*key),
            Step::InterruptAfter(time) => {
                self.interrupt_after = Some(*time);
                Ok(())
            }
            Step::WaitUntil { expression, limit } => self.wait_until(expression, *limit),
            Step::WaitFor(text) => self.wait_for(text),
            Step::HardReset { show_boot_log } => self.hard_reset(*show_boot_log),
            Step::RawPaste(source) => self.raw_paste(source),
            Step::Timeout(limit) => {
                self.limit = *limit;
                Ok(())
            }
            Step::Pin { pin, level } => self.outside(step, |console| console.pin(*pin, *level)),
            Step::Power { on: false } => self.outside(step, |console| console.power(false)),
            Step::Power { on: true } => self.power_on(step),
            Step::Air(change) => self.outside(step, |console| console.air(change)),
            Step::Fault(fault) => self.outside(step, |console| console.fault(fault)),
            // Whoever holds the sessions of several boards switches between them.
            Step::On(_) => Ok(()),
        }
    }

    fn outside(
        &mut self,
        step: &Step,
        act: impl FnOnce(&mut dyn Console) -> io::Result<()>,
    ) -> Result<(), Failure> {
        act(&mut *self.console).map_err(|source| Failure::Outside { what: step.to_string(), source })
    }

    /// As after a reset: the board boots to its prompt.
    fn power_on(&mut self, step: &Step) -> Result<(), Failure> {
        self.last = "power on".into();
        let screen = std::mem::take(&mut self.terminal);
        self.outside(step, |console| console.power(true))?;
        self.come_back(screen, false)
    }

    /// Types a line and presses Enter.
    fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.last = format!("{text:?}");
        match self.prompt {
            Prompt::Raw => return self.send(format!("{text}\n").as_bytes()),
            Prompt::Friendly if text.is_empty() && !self.pending => return Ok(()),
            Prompt::Continuation => self.indent(text)?,
            Prompt::Friendly | Prompt::Paste => self.type_text(text)?,
        }
        self.enter()
    }

    /// At `... ` the board has indented already: type what is missing, or take back what is too much.
    fn indent(&mut self, text: &str) -> Result<(), Failure> {
        let wanted = text.len() - text.trim_start_matches(' ').len();
        let typed = text.trim_start_matches(' ');
        let mut present = self.auto_indent();
        while present > wanted {
            self.send(b"\x7f")?;
            let before = present;
            self.wait(ECHO_LIMIT, |session| session.auto_indent() < before)
                .map_err(|failure| self.without_echo(failure, "Backspace"))?;
            present = self.auto_indent();
        }
        let rest = format!("{}{typed}", " ".repeat(wanted - present));
        self.type_text(&rest)
    }

    /// Blanks between `... ` and the cursor.
    fn auto_indent(&self) -> usize {
        let line = self.terminal.before_cursor();
        line.strip_prefix("... ").filter(|rest| rest.bytes().all(|byte| byte == b' ')).map_or(0, str::len)
    }

    /// Types text and waits until the board shows it.
    fn type_text(&mut self, text: &str) -> Result<(), Failure> {
        let mut rest = text;
        while !rest.is_empty() {
            let end =
                rest.char_indices().map(|(at, _)| at).find(|at| *at >= TYPE_AHEAD).unwrap_or(rest.len());
            let (chunk, after) = rest.split_at(end);
            self.send(chunk.as_bytes())?;
            self.wait(self.limit.max(ECHO_LIMIT), |session| {
                session.terminal.before_cursor().ends_with(chunk)
            })
            .map_err(|failure| self.without_echo(failure, chunk))?;
            rest = after;
        }
        Ok(())
    }

    fn without_echo(&self, failure: Failure, typed: &str) -> Failure {
        match failure {
            Failure::Silent { .. } | Failure::NoPrompt { .. } => {
                Failure::NoEcho { typed: typed.into(), line: self.terminal.line() }
            }
            other => other,
        }
    }

    fn enter(&mut self) -> Result<(), Failure> {
        self.pending = false;
        let heard = self.step_bytes;
        self.send(b"\r")?;
        if let Some(time) = self.interrupt_after {
            self.listen(time)?;
            // At a prompt nothing runs yet: the interrupt is for the line that ends the block.
            if self.find_prompt().is_none() {
                self.interrupt_after = None;
                self.send(b"\x03")?;
            }
        }
        match self.answer_to.take() {
            Some(text) => self.wait_for(&text),
            None if self.last_words => match self.wait_answer(heard, LAST_WORDS) {
                Err(Failure::Silent { .. } | Failure::NoPrompt { .. }) => Ok(()),
                ended => ended,
            },
            None => self.wait_answer(heard, self.limit),
        }
    }

    fn press(&mut self, key: Key) -> Result<(), Failure> {
        self.last = key.name.into();
        if key.name == "Enter" {
            return self.enter();
        }
        let blank = !self.pending;
        let leaves_line = key.name == "Ctrl-C" || (blank && is_control_command(key));
        // The raw REPL says nothing to Ctrl-C.
        let silent = self.prompt == Prompt::Raw && key.name == "Ctrl-C";
        let heard = self.step_bytes;
        self.send(key.bytes)?;
        if leaves_line {
            self.pending = false;
            return if silent { self.wait_prompt(self.limit) } else { self.wait_answer(heard, self.limit) };
        }
        self.pending = true;
        self.listen(5 * QUIET)
    }

    /// Repeats an expression until it is true; none of it stays on the screen.
    fn wait_until(&mut self, expression: &str, limit: Duration) -> Result<(), Failure> {
        let deadline = self.now() + limit;
        loop {
            let mark = self.terminal.mark();
            self.line(&format!("print(bool({expression}))"))?;
            let is_true =
                self.terminal.text().trim_end().trim_end_matches(">>>").trim_end().ends_with("\nTrue");
            self.terminal.rewind(&mark);
            if is_true {
                return Ok(());
            }
            if self.now() >= deadline {
                return Err(Failure::NeverTrue { expression: expression.into(), limit });
            }
            self.listen(Duration::from_millis(100))?;
        }
    }

    fn wait_for(&mut self, text: &str) -> Result<(), Failure> {
        self.last = format!("waiting for {text:?}");
        self.pending = true;
        let text = text.to_owned();
        self.wait(self.limit, move |session| session.terminal.before_cursor().trim_end().ends_with(&text))
    }

    fn hard_reset(&mut self, show_boot_log: bool) -> Result<(), Failure> {
        self.last = "hard reset".into();
        let screen = std::mem::take(&mut self.terminal);
        self.console.hard_reset().map_err(Failure::Reset)?;
        self.come_back(screen, show_boot_log)
    }

    /// Waits for the prompt of a board that starts; `screen` is what was shown before.
    fn come_back(&mut self, screen: Terminal, show_boot_log: bool) -> Result<(), Failure> {
        self.pending = false;
        self.step_bytes = 0;
        self.tail.clear();
        if let Err(failure) = self.wait_prompt(BOOT_LIMIT) {
            // What was said instead of a prompt is what a person wants to see.
            let said = std::mem::replace(&mut self.terminal, screen).text();
            self.terminal.feed(b"\r\n");
            self.feed_lines(&said);
            self.boot_log = said;
            return Err(failure);
        }
        let shown = std::mem::replace(&mut self.terminal, screen).text();
        self.boot_log = shown.rsplit_once('\n').map_or("", |(log, _prompt)| log).to_owned();
        if show_boot_log {
            self.terminal.feed(b"\r\n");
            self.feed_lines(&self.boot_log.clone());
        }
        // The prompt of before the reset is where the new one stands.
        self.terminal.feed(b"\r\x1b[K>>> ");
        Ok(())
    }

    /// A prompt that echoes is a prompt: types a blank and takes it back.
    pub(crate) fn prove_prompt(&mut self) -> Result<(), Failure> {
        if self.prompt == Prompt::Raw || self.pending {
            return Ok(());
        }
        self.last = "the last line".into();
        let mark = self.terminal.mark();
        self.send(b"#")?;
        self.wait(ECHO_LIMIT, |session| session.terminal.before_cursor().ends_with('#'))
            .map_err(|failure| self.without_echo(failure, "#"))?;
        self.send(b"\x7f")?;
        self.wait(ECHO_LIMIT, |session| !session.terminal.before_cursor().ends_with('#'))
            .map_err(|failure| self.without_echo(failure, "Backspace"))?;
        let now_shown = self.terminal.text();
        self.terminal.rewind(&mark);
        if now_shown == self.terminal.text() { Ok(()) } else { self.late_output(&now_shown) }
    }

    /// Something was printed after the last prompt: show it, it is part of what a person sees.
    fn late_output(&mut self, shown: &str) -> Result<(), Failure> {
        self.terminal = Terminal::new();
        self.feed_lines(shown);
        Ok(())
    }

    fn feed_lines(&mut self, text: &str) {
        for line in text.lines() {
            self.terminal.feed(line.as_bytes());
            self.terminal.feed(b"\r\n");
        }
    }

    /// Waits for a prompt at the cursor after which nothing follows.
    fn wait_prompt(&mut self, limit: Duration) -> Result<(), Failure> {
        self.wait(limit, |session| session.find_prompt().is_some())?;
        if let Some(prompt) = self.find_prompt() {
            self.prompt = prompt;
        }
        Ok(())
    }

    /// Waits for the prompt that follows an answer. The one at which was typed is still there until something comes, however
    /// long a busy board takes; `heard` is how many bytes had come before.
    fn wait_answer(&mut self, heard: usize, limit: Duration) -> Result<(), Failure> {
        self.wait(limit, |session| session.step_bytes > heard && session.find_prompt().is_some())?;
        if let Some(prompt) = self.find_prompt() {
            self.prompt = prompt;
        }
        Ok(())
    }

    fn find_prompt(&self) -> Option<Prompt> {
        if self.at_raw_prompt() {
            return Some(Prompt::Raw);
        }
        match self.terminal.before_cursor().as_str() {
            ">>> " => Some(Prompt::Friendly),
            "=== " => Some(Prompt::Paste),
            line => {
                let blank = line.strip_prefix("... ")?.bytes().all(|byte| byte == b' ');
                blank.then_some(Prompt::Continuation)
            }
        }
    }

    /// The raw REPL's prompt follows its banner or the end of an answer; a pseudo-terminal may double the `\r`.
    fn at_raw_prompt(&self) -> bool {
        let tail: Vec<u8> = self.tail.iter().copied().filter(|byte| *byte != b'\r').collect();
        tail.ends_with(b"\x04>") || tail.ends_with(b"CTRL-B to exit\n>")
    }
}

/// Keys that on a blank line change the mode of the REPL.
fn is_control_command(key: Key) -> bool {
    matches!(key.name, "Ctrl-A" | "Ctrl-B" | "Ctrl-D" | "Ctrl-E")
}

#[cfg(test)]
mod tests;
