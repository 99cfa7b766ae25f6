//! Python source to bytecode.
//!
//! `lexer -> parser -> scopes -> emit`: tokens, a compact tree of one top-level statement at a time, which variable
//! lives where, and instructions over registers. The heap is behind [`Backend`]; the compiler knows neither objects
//! nor the machine that runs the code.
//!
//! Invariants:
//! - No input panics: every list is grown fallibly, nesting is counted, sizes that do not fit are errors.
//! - Nothing is executed before the whole text has been parsed: an error anywhere wins over the code before it.
//! - What is emitted passes [`larch_bytecode::verify`].
//!
//! Source: the Python 3.4 reference with what MicroPython adds; messages and line numbers are MicroPython's.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate self as larch_compiler;

mod ast;
mod buffer;
mod emit;
mod erase;
mod error;
mod lexer;
pub mod mpy;
mod parser;
mod scopes;
mod token;

#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;

pub use error::{CompileError, ErrorKind, Message};

use error::Failure;
use larch_bytecode::code::Backend;
use larch_bytecode::qstr::Qstr;

/// What the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A file: statements.
    File,
    /// One interactive statement; expression statements hand their value to `__repl_print__`.
    Single,
    /// One expression; the code returns its value.
    Eval,
}

/// What the command line or `micropython.opt_level` decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Optimisation level: above 0, `assert` is dropped and `__debug__` is false; above 2, there are no line numbers.
    pub level: u8,
    /// How deeply the source may nest, in units of some 64 bytes of native stack on a 32-bit machine: an expression
    /// takes 4, a statement 5, a function or class 5 more, a comprehension 6 more.
    pub depth: u16,
}

impl Default for Options {
    fn default() -> Self {
        Options { level: 0, depth: if cfg!(target_pointer_width = "64") { 1000 } else { 160 } }
    }
}

/// Compiles `source` to a code object that takes its namespace as `R[0]`.
///
/// # Errors
/// When the source is wrong or nests too deeply, or memory is exhausted.
pub fn compile<B: Backend>(
    source: &str,
    file: Qstr,
    mode: Mode,
    options: Options,
    backend: &mut B,
) -> Result<B::Const, CompileError> {
    if source.len() > u32::MAX as usize / 4 {
        return Err(Failure::MEMORY.into_error(1, None, (0, 0)));
    }
    let mut erased = erase::Erased::new(backend);
    let code = emit::module(source, file, mode, options, &mut erased)?;
    erased.get(code).ok_or(Failure::MEMORY.into_error(1, None, (0, 0)))
}
