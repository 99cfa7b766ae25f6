//! The prompt: friendly, paste, raw and raw paste, without I/O.
//!
//! Bytes from the terminal go in with [`Repl::push`]; text for the terminal goes out through [`Host::write`]; an
//! [`Action`] says when the caller has something to do. The behaviour is MicroPython's, byte for byte, because every tool
//! that talks to a board depends on it.
//!
//! Invariants:
//! - No byte stream panics, and no byte stream makes memory grow past the limits of the buffers the caller gave.
//! - The state machine holds no text of its own: the line lives in a [`LineBuffer`], the history in a [`History`].
//! - Between [`Action::Execute`] and [`Repl::end_of_execution`] no bytes are pushed.
//!
//! Source: MicroPython's `shared/runtime/pyexec.c`, `shared/readline/readline.c`, `py/repl.c` and its reference manual
//! ("The MicroPython interactive interpreter mode").
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod buffer;
mod complete;
mod continuation;
mod history;
mod indent;
mod machine;
mod raw;
mod readline;

#[cfg(feature = "alloc")]
pub use buffer::VecBuffer;
pub use buffer::{Full, LineBuffer, SliceBuffer};
pub use continuation::needs_more_input;
pub use history::History;
pub use machine::{Action, InputKind, Mode, Repl};
pub use readline::{End, Readline};

/// Ctrl-A: start of line, or the raw REPL.
pub const CTRL_A: u8 = 1;
/// Ctrl-B: one character back, or the friendly REPL.
pub const CTRL_B: u8 = 2;
/// Ctrl-C: interrupt.
pub const CTRL_C: u8 = 3;
/// Ctrl-D: delete at the cursor, end of input, or a soft reset.
pub const CTRL_D: u8 = 4;
/// Ctrl-E: end of line, or paste mode.
pub const CTRL_E: u8 = 5;

/// Which prompt is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Before the first line of a statement: `sys.ps1`.
    Primary,
    /// Before every further line: `sys.ps2`.
    Continuation,
}

/// Where completion looks for names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Attributes of the object that this dotted path names in `__main__`; the empty path is `__main__` itself.
    Attributes(&'a str),
    /// Built-in modules, after the word `import`.
    Modules,
}

/// What the prompt needs from the program around it.
pub trait Host {
    /// Sends bytes to the terminal, all of them, in order.
    fn write(&mut self, bytes: &[u8]);

    /// Sends the two lines that greet the user, each ending in `\r\n`.
    fn write_banner(&mut self);

    /// Sends a prompt.
    fn write_prompt(&mut self, prompt: Prompt) {
        self.write(match prompt {
            Prompt::Primary => b">>> ",
            Prompt::Continuation => b"... ",
        });
    }

    /// Calls `visit` with every name in `scope`, in the same order each time. An unknown path has no names.
    fn visit_names(&mut self, scope: Scope<'_>, visit: &mut dyn FnMut(&str)) {
        let _ = (scope, visit);
    }
}
