//! `.mpy` files: MicroPython's bytecode (version 6) translated to ours when it is loaded.
//!
//! `read` takes the file apart, `flow` finds what is on the value stack and which blocks are open at every instruction,
//! `translate` writes the instructions over registers: a slot of MicroPython's stack is a register behind the locals.
//! Native code is refused. What is made must still be verified by whoever executes it: the file is not trusted.
//!
//! Source: MicroPython's `docs/reference/mpyfiles.rst`, `py/bc0.h` and `py/bc.h` (the instructions),
//! `py/persistentcode.c` (the file), `py/vm.c` (what instructions do to the stack).

mod block;
mod flow;
mod names;
mod read;
mod translate;

use crate::erase::Erased;
use crate::error::Failure;
use larch_bytecode::code::Backend;
use larch_bytecode::qstr::Qstr;

/// Why a file was not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MpyError {
    /// It is no `.mpy` file of this version, is cut off, or has something in it that MicroPython does not write.
    Incompatible,
    /// It has native code.
    Native,
    /// A function needs more than a code object of ours can have: registers, words, constants.
    TooLarge,
    /// `async with`, whose bytecode looks at MicroPython's stack.
    AsyncWith,
    /// Memory is exhausted.
    Memory,
}

impl MpyError {
    /// What the exception says.
    pub const fn text(self) -> &'static str {
        match self {
            MpyError::Incompatible | MpyError::Memory => "incompatible .mpy file",
            MpyError::Native => "native code in .mpy unsupported",
            MpyError::TooLarge => "function in .mpy too large",
            MpyError::AsyncWith => "async with in .mpy unsupported",
        }
    }
}

/// Failures of buffers and of the backend are those of memory.
impl From<Failure> for MpyError {
    fn from(_: Failure) -> Self {
        MpyError::Memory
    }
}

impl From<larch_bytecode::code::OutOfMemory> for MpyError {
    fn from(_: larch_bytecode::code::OutOfMemory) -> Self {
        MpyError::Memory
    }
}

type Loaded<T = ()> = Result<T, MpyError>;

/// Makes the code object of a module from the content of a `.mpy` file. `file` is what tracebacks
/// call it if it does not say so.
///
/// # Errors
/// See [`MpyError`].
pub fn load<B: Backend>(bytes: &[u8], file: Qstr, backend: &mut B) -> Result<B::Const, MpyError> {
    let mut erased = Erased::new(backend);
    let mut reader = read::Reader::new(bytes);
    let tables = reader.start(&mut erased)?;
    // The first name is that of the source file.
    let file = tables.names.first().copied().unwrap_or(file);
    let code = translate::function(&mut reader, &tables, file, 0, &mut erased)?;
    erased.get(code).ok_or(MpyError::Memory)
}
