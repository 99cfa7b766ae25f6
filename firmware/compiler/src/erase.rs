//! The backend without its type: the compiler is compiled once, for itself, whatever constants are.
//!
//! A constant is a number here, the index of the backend's own in a table.

use crate::buffer::Buffer;
use larch_bytecode::code::{Backend, CodeParts, OutOfMemory, Singleton};
use larch_bytecode::qstr::Qstr;

/// The number of a constant.
pub(crate) type Const = u32;

type Made = Result<Const, OutOfMemory>;

/// [`Backend`] with constants that are numbers.
pub(crate) trait Maker {
    fn qstr(&mut self, text: &str) -> Result<Qstr, OutOfMemory>;
    fn int(&mut self, digits: &str, radix: u32) -> Made;
    fn small_int(&mut self, value: i32) -> Made;
    fn float(&mut self, text: &str) -> Made;
    fn imaginary(&mut self, text: &str) -> Made;
    fn str(&mut self, text: &str) -> Made;
    fn interned(&mut self, name: Qstr) -> Made;
    fn bytes(&mut self, bytes: &[u8]) -> Made;
    fn tuple(&mut self, items: &[Const]) -> Made;
    fn number_of_module(&mut self, module: Qstr, name: Qstr) -> Result<Option<Const>, OutOfMemory>;
    fn operate(&mut self, operator: u8, left: Const, right: Const) -> Result<Option<Const>, OutOfMemory>;
    fn singleton(&mut self, which: Singleton) -> Made;
    fn code(&mut self, parts: &CodeParts<'_, Const>) -> Made;
}

/// A backend and the constants that it made.
pub(crate) struct Erased<'b, B: Backend> {
    backend: &'b mut B,
    made: Buffer<B::Const>,
}

impl<'b, B: Backend> Erased<'b, B> {
    pub(crate) fn new(backend: &'b mut B) -> Self {
        Erased { backend, made: Buffer::new() }
    }

    /// The constant with this number.
    pub(crate) fn get(&self, constant: Const) -> Option<B::Const> {
        self.made.get(constant as usize).copied()
    }

    fn keep(&mut self, constant: B::Const) -> Made {
        let number = self.made.len() as u32;
        self.made.push(constant).map_err(|_| OutOfMemory)?;
        Ok(number)
    }

    fn all(&self, constants: &[Const]) -> Result<Buffer<B::Const>, OutOfMemory> {
        let mut all = Buffer::new();
        for constant in constants {
            let constant = self.get(*constant).ok_or(OutOfMemory)?;
            all.push(constant).map_err(|_| OutOfMemory)?;
        }
        Ok(all)
    }
}

impl<B: Backend> Maker for Erased<'_, B> {
    fn qstr(&mut self, text: &str) -> Result<Qstr, OutOfMemory> {
        self.backend.qstr(text)
    }

    fn int(&mut self, digits: &str, radix: u32) -> Made {
        let made = self.backend.int(digits, radix)?;
        self.keep(made)
    }

    fn small_int(&mut self, value: i32) -> Made {
        let made = self.backend.small_int(value);
        self.keep(made)
    }

    fn float(&mut self, text: &str) -> Made {
        let made = self.backend.float(text)?;
        self.keep(made)
    }

    fn imaginary(&mut self, text: &str) -> Made {
        let made = self.backend.imaginary(text)?;
        self.keep(made)
    }

    fn str(&mut self, text: &str) -> Made {
        let made = self.backend.str(text)?;
        self.keep(made)
    }

    fn interned(&mut self, name: Qstr) -> Made {
        let made = self.backend.interned(name);
        self.keep(made)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Made {
        let made = self.backend.bytes(bytes)?;
        self.keep(made)
    }

    fn tuple(&mut self, items: &[Const]) -> Made {
        let items = self.all(items)?;
        let made = self.backend.tuple(&items)?;
        self.keep(made)
    }

    fn number_of_module(&mut self, module: Qstr, name: Qstr) -> Result<Option<Const>, OutOfMemory> {
        match self.backend.number_of_module(module, name)? {
            Some(made) => self.keep(made).map(Some),
            None => Ok(None),
        }
    }

    fn operate(&mut self, operator: u8, left: Const, right: Const) -> Result<Option<Const>, OutOfMemory> {
        let (Some(left), Some(right)) = (self.get(left), self.get(right)) else { return Err(OutOfMemory) };
        match self.backend.operate(operator, left, right)? {
            Some(made) => self.keep(made).map(Some),
            None => Ok(None),
        }
    }

    fn singleton(&mut self, which: Singleton) -> Made {
        let made = self.backend.singleton(which);
        self.keep(made)
    }

    fn code(&mut self, parts: &CodeParts<'_, Const>) -> Made {
        let constants = self.all(parts.constants)?;
        let made = self.backend.code(&CodeParts {
            name: parts.name,
            file: parts.file,
            flags: parts.flags,
            registers: parts.registers,
            positional: parts.positional,
            keyword_only: parts.keyword_only,
            free: parts.free,
            parameters: parts.parameters,
            names: parts.names,
            constants: &constants,
            words: parts.words,
            handlers: parts.handlers,
            first_line: parts.first_line,
            lines: parts.lines,
        })?;
        self.keep(made)
    }
}
