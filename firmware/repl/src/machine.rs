//! The modes and what leads from one to another.
//!
//! Source: MicroPython's `shared/runtime/pyexec.c`.

use crate::raw::Raw;
use crate::{
    CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E, End, History, Host, LineBuffer, Prompt, Readline,
    needs_more_input,
};

/// What a person or a program talks to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The prompt with line editing.
    #[default]
    Friendly,
    /// The protocol for programs: source, Ctrl-D, `OK`, output.
    Raw,
}

/// What the source is to be compiled as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// One interactive statement; the value of an expression is printed.
    Single,
    /// A whole file.
    File,
}

/// What the caller has to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// Nothing: wait for the next byte.
    Read,
    /// Compile and run [`Repl::source`] with Ctrl-C as the interrupt character. After its last output call
    /// [`Repl::end_of_output`], then print the exception if there is one, then call [`Repl::end_of_execution`].
    Execute(InputKind),
    /// As `Execute`, but the source did not fit into the line buffer: the exception is a `MemoryError`.
    OutOfMemory,
    /// As `Execute`, but Ctrl-C came while the source was being sent: the exception is a `KeyboardInterrupt`.
    Interrupted,
    /// Leave the loop and restart the interpreter.
    SoftReset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// First line of a statement, or a further one.
    Editing(Prompt),
    /// Between Ctrl-E and Ctrl-D.
    Pasting,
}

/// The prompt.
#[derive(Debug)]
pub struct Repl<'h, B> {
    mode: Mode,
    state: State,
    readline: Readline,
    raw: Raw,
    text: B,
    history: History<'h>,
    /// A byte did not fit; what follows is dropped until the end of the input.
    overflow: bool,
}

impl<'h, B: LineBuffer> Repl<'h, B> {
    /// A prompt that keeps its text in `text`.
    pub fn new(text: B, history: History<'h>) -> Self {
        Self {
            mode: Mode::Friendly,
            state: State::Editing(Prompt::Primary),
            readline: Readline::default(),
            raw: Raw::default(),
            text,
            history,
            overflow: false,
        }
    }

    /// Friendly or raw; it outlives a soft reset.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What to run. Lines may end in `\n`, `\r` or both, and it need not be UTF-8.
    pub fn source(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The lines entered before, for `input()`.
    pub fn history(&mut self) -> &mut History<'h> {
        &mut self.history
    }

    /// Greets: the banner and the first prompt, or the raw REPL's own line. Called after boot and after a soft reset.
    pub fn start(&mut self, host: &mut impl Host) {
        self.history.clear();
        match self.mode {
            Mode::Friendly => self.enter_friendly(host),
            Mode::Raw => self.enter_raw(host),
        }
    }

    /// Handles one byte from the terminal.
    pub fn push(&mut self, byte: u8, host: &mut impl Host) -> Action {
        match (self.mode, self.state) {
            (Mode::Raw, _) => self.push_raw(byte, host),
            (Mode::Friendly, State::Pasting) => self.push_pasted(byte, host),
            (Mode::Friendly, State::Editing(prompt)) => self.push_edited(byte, prompt, host),
        }
    }

    /// Marks the end of a program's own output, where the mode has such a mark.
    pub fn end_of_output(&mut self, host: &mut impl Host) {
        if self.mode == Mode::Raw {
            host.write(b"\x04");
        }
    }

    /// Goes back to reading after [`Action::Execute`] and its like. `exit` says that the program ended with `SystemExit`.
    pub fn end_of_execution(&mut self, exit: bool, host: &mut impl Host) -> Action {
        self.end_of_output(host);
        self.reset_text();
        if exit {
            return Action::SoftReset;
        }
        match self.mode {
            Mode::Friendly => self.begin(host),
            Mode::Raw => host.write(b">"),
        }
        Action::Read
    }

    fn reset_text(&mut self) {
        self.text.clear();
        self.overflow = false;
        self.state = State::Editing(Prompt::Primary);
        self.raw = Raw::default();
    }

    fn begin(&mut self, host: &mut impl Host) {
        self.reset_text();
        self.readline.begin(Prompt::Primary, &mut self.text, host);
    }

    fn begin_continuation(&mut self, host: &mut impl Host) -> Action {
        if self.text.insert(self.text.len(), b"\n").is_err() {
            return Action::OutOfMemory;
        }
        self.state = State::Editing(Prompt::Continuation);
        self.readline.begin(Prompt::Continuation, &mut self.text, host);
        Action::Read
    }

    fn enter_friendly(&mut self, host: &mut impl Host) {
        self.mode = Mode::Friendly;
        host.write_banner();
        self.begin(host);
    }

    fn enter_raw(&mut self, host: &mut impl Host) {
        self.mode = Mode::Raw;
        host.write(b"raw REPL; CTRL-B to exit\r\n>");
        self.reset_text();
    }

    fn append(&mut self, byte: u8) -> bool {
        self.overflow |= self.text.insert(self.text.len(), &[byte]).is_err();
        !self.overflow
    }

    fn run(&mut self, kind: InputKind) -> Action {
        if self.overflow { Action::OutOfMemory } else { Action::Execute(kind) }
    }

    fn push_edited(&mut self, byte: u8, prompt: Prompt, host: &mut impl Host) -> Action {
        match (self.readline.push(byte, &mut self.text, &mut self.history, host), prompt) {
            (None, _) => return Action::Read,
            (Some(End::Control(CTRL_A)), Prompt::Primary) => {
                host.write(b"\r\n");
                self.enter_raw(host);
            }
            (Some(End::Control(CTRL_B)), Prompt::Primary) => {
                host.write(b"\r\n");
                self.enter_friendly(host);
            }
            (Some(End::Control(CTRL_C)), _) => {
                host.write(b"\r\n");
                self.begin(host);
            }
            (Some(End::Control(CTRL_D)), Prompt::Primary) => {
                host.write(b"\r\n");
                self.reset_text();
                return Action::SoftReset;
            }
            (Some(End::Control(CTRL_D)), Prompt::Continuation) => return self.run(InputKind::Single),
            (Some(End::Control(CTRL_E)), Prompt::Primary) => {
                host.write(b"\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ");
                self.text.clear();
                self.state = State::Pasting;
            }
            (Some(End::Line | End::Control(_)), _) if self.text.is_empty() => self.begin(host),
            (Some(End::Line | End::Control(_)), _) => {
                if needs_more_input(self.text.as_bytes()) {
                    return self.begin_continuation(host);
                }
                return self.run(InputKind::Single);
            }
        }
        Action::Read
    }

    fn push_pasted(&mut self, byte: u8, host: &mut impl Host) -> Action {
        match byte {
            CTRL_C => {
                host.write(b"\r\n");
                self.begin(host);
            }
            CTRL_D => {
                host.write(b"\r\n");
                return self.run(InputKind::File);
            }
            _ => {
                if self.append(byte) {
                    host.write(if matches!(byte, b'\r' | b'\n') {
                        b"\r\n=== "
                    } else {
                        core::slice::from_ref(&byte)
                    });
                }
            }
        }
        Action::Read
    }

    fn push_raw(&mut self, byte: u8, host: &mut impl Host) -> Action {
        if self.raw.is_pasting() {
            return self.push_raw_paste(byte, host);
        }
        match byte {
            CTRL_A => match *self.text.as_bytes() {
                [CTRL_E, command] => {
                    self.text.clear();
                    if self.raw.begin(command, host) {
                        return Action::Read;
                    }
                    host.write(b">");
                }
                _ => self.enter_raw(host),
            },
            CTRL_B => {
                host.write(b"\r\n");
                self.enter_friendly(host);
            }
            CTRL_C => self.reset_text(),
            CTRL_D => {
                host.write(b"OK");
                if self.text.is_empty() {
                    host.write(b"\r\n");
                    self.reset_text();
                    return Action::SoftReset;
                }
                return self.run(InputKind::File);
            }
            _ => {
                self.append(byte);
            }
        }
        Action::Read
    }

    fn push_raw_paste(&mut self, byte: u8, host: &mut impl Host) -> Action {
        match byte {
            CTRL_C | CTRL_D => {
                if !self.overflow {
                    self.raw.end(host);
                }
                if self.overflow {
                    Action::OutOfMemory
                } else if byte == CTRL_C {
                    Action::Interrupted
                } else {
                    Action::Execute(InputKind::File)
                }
            }
            _ if self.overflow => Action::Read,
            _ => {
                if self.append(byte) {
                    self.raw.count(host);
                } else {
                    self.raw.end(host);
                }
                Action::Read
            }
        }
    }
}
