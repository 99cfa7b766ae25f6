//! What can go wrong, in MicroPython's words.

use core::fmt;
use larch_bytecode::code::OutOfMemory;
use larch_bytecode::qstr::Qstr;

/// The Python exception that a compile error becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// `SyntaxError`
    Syntax,
    /// `IndentationError`
    Indentation,
    /// `ViperTypeError`
    ViperType,
    /// `NotImplementedError`
    NotImplemented,
    /// `RuntimeError`: the source nests too deeply
    Recursion,
    /// `MemoryError`
    Memory,
}

/// The text of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The whole text.
    Text(&'static str),
    /// `invalid syntax for integer with base …: '…'`; the literal stands at these bytes of the source.
    Integer {
        /// 0 for a literal with a leading zero, else the radix.
        radix: u8,
        /// First byte of the digits.
        start: u32,
        /// The byte after them.
        end: u32,
    },
    /// `unknown type '…'`, an annotation of a viper function
    UnknownType(Qstr),
}

/// Why a source text was not compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// The exception to raise.
    pub kind: ErrorKind,
    /// Line of the error, 1 based; 0 if the exception has no traceback.
    pub line: u32,
    /// The function, class or `<module>` of a traceback's third column; none for errors of the grammar.
    pub block: Option<Qstr>,
    /// What the exception says.
    pub message: Message,
}

impl CompileError {
    /// Writes the exception's text. `source` is the text that was compiled, `name` gives the text of a name.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_message<'a>(
        &self,
        source: &str,
        name: impl FnOnce(Qstr) -> &'a str,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        match self.message {
            Message::Text(text) => out.write_str(text),
            Message::UnknownType(which) => write!(out, "unknown type '{}'", name(which)),
            Message::Integer { radix, start, end } => {
                write!(out, "invalid syntax for integer with base {radix}: '")?;
                let literal = source.get(start as usize..end as usize).unwrap_or("");
                literal.split('_').try_for_each(|part| out.write_str(part))?;
                out.write_str("'")
            }
        }
    }
}

/// A failure inside the compiler, before the block it happened in is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Memory is exhausted.
    Memory,
    /// The source nests too deeply.
    Recursion,
    /// The source is wrong.
    Source {
        /// The exception.
        kind: ErrorKind,
        /// Its line; 0 if it is that of the statement around.
        line: u32,
        /// Its text.
        message: Message,
    },
}

impl Failure {
    /// A SyntaxError at `line`.
    pub(crate) const fn syntax(line: u32, text: &'static str) -> Failure {
        Failure::Source { kind: ErrorKind::Syntax, line, message: Message::Text(text) }
    }

    pub(crate) fn into_error(self, statement_line: u32, block: Option<Qstr>) -> CompileError {
        let (kind, line, message) = match self {
            Failure::Memory => (ErrorKind::Memory, 0, Message::Text("")),
            Failure::Recursion => {
                (ErrorKind::Recursion, 0, Message::Text("maximum recursion depth exceeded"))
            }
            Failure::Source { kind, line, message } => (kind, line, message),
        };
        let has_line = line != 0 || kind == ErrorKind::NotImplemented;
        CompileError { kind, line: if has_line { line } else { statement_line }, block, message }
    }
}

impl From<OutOfMemory> for Failure {
    fn from(_: OutOfMemory) -> Self {
        Failure::Memory
    }
}
