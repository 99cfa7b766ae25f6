//! The file: header, tables of names and constants, and function after function.

use super::names::NAMES;
use super::{Loaded, MpyError};
use crate::buffer::Buffer;
use crate::erase::{Const, Maker};
use larch_bytecode::code::Singleton;
use larch_bytecode::qstr::Qstr;

/// Reads bytes from the start to the end.
pub(super) struct Reader<'m> {
    rest: &'m [u8],
    /// Nesting of tuples and functions.
    depth: u32,
}

/// What all functions of a file share.
pub(super) struct Tables {
    pub(super) names: Buffer<Qstr>,
    pub(super) constants: Buffer<Const>,
}

/// Nesting of tuples and of functions.
const MAX_DEPTH: u32 = 20;
const VERSION: u8 = 6;
/// Bits of a small int in MicroPython on boards, and here.
const SMALL_INT_BITS: u8 = 31;

impl<'m> Reader<'m> {
    pub(super) const fn new(bytes: &'m [u8]) -> Self {
        Reader { rest: bytes, depth: 0 }
    }

    pub(super) fn byte(&mut self) -> Loaded<u8> {
        let (byte, rest) = self.rest.split_first().ok_or(MpyError::Incompatible)?;
        self.rest = rest;
        Ok(*byte)
    }

    pub(super) fn bytes(&mut self, len: usize) -> Loaded<&'m [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(MpyError::Incompatible)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A number: seven bits a byte, the first byte the highest, the top bit set in all but the last.
    pub(super) fn number(&mut self) -> Loaded<usize> {
        let mut number = 0u32;
        loop {
            let byte = self.byte()?;
            if number >> 25 != 0 {
                return Err(MpyError::Incompatible);
            }
            number = number << 7 | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(number as usize);
            }
        }
    }

    /// Bytes that are left: an upper limit of everything that is counted.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Whether no function is open: what follows is the module.
    pub(super) const fn is_outermost(&self) -> bool {
        self.depth == 0
    }

    pub(super) fn enter(&mut self) -> Loaded {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(MpyError::TooLarge) } else { Ok(()) }
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Header and tables.
    pub(super) fn start(&mut self, backend: &mut dyn Maker) -> Loaded<Tables> {
        let header = self.bytes(4)?;
        if header[0] != b'M' || header[1] != VERSION || header[3] > SMALL_INT_BITS {
            return Err(MpyError::Incompatible);
        }
        if header[2] & !3 != 0 {
            return Err(MpyError::Native);
        }
        let (names, constants) = (self.number()?, self.number()?);
        if names > self.left() || constants > self.left() {
            return Err(MpyError::Incompatible);
        }
        let mut tables = Tables { names: Buffer::new(), constants: Buffer::new() };
        for _ in 0..names {
            let name = self.name(backend)?;
            tables.names.push(name)?;
        }
        for _ in 0..constants {
            let constant = self.constant(backend)?;
            tables.constants.push(constant)?;
        }
        Ok(tables)
    }

    fn name(&mut self, backend: &mut dyn Maker) -> Loaded<Qstr> {
        let number = self.number()?;
        if number & 1 != 0 {
            let text = (number >> 1).checked_sub(1).and_then(|index| NAMES.get(index));
            return Ok(backend.qstr(text.ok_or(MpyError::Incompatible)?)?);
        }
        let text = self.text(number >> 1)?;
        Ok(backend.qstr(text)?)
    }

    /// A text and the zero behind it.
    fn text(&mut self, len: usize) -> Loaded<&'m str> {
        let text = core::str::from_utf8(self.bytes(len)?).map_err(|_| MpyError::Incompatible)?;
        self.byte()?;
        Ok(text)
    }

    fn constant(&mut self, backend: &mut dyn Maker) -> Loaded<Const> {
        let which = match self.byte()? {
            1 => Singleton::None,
            2 => Singleton::False,
            3 => Singleton::True,
            4 => Singleton::Ellipsis,
            kind @ 5..=10 => return self.sized_constant(kind, backend),
            _ => return Err(MpyError::Native),
        };
        Ok(backend.singleton(which)?)
    }

    fn sized_constant(&mut self, kind: u8, backend: &mut dyn Maker) -> Loaded<Const> {
        let len = self.number()?;
        match kind {
            5 => {
                let text = self.text(len)?;
                Ok(backend.str(text)?)
            }
            6 => {
                let bytes = self.bytes(len)?;
                self.byte()?;
                Ok(backend.bytes(bytes)?)
            }
            10 => self.tuple(len, backend),
            kind => {
                let text = self.bytes(len)?;
                if !text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)) {
                    return Err(MpyError::Incompatible);
                }
                let text = core::str::from_utf8(text).map_err(|_| MpyError::Incompatible)?;
                match kind {
                    7 if is_int(text) => Ok(backend.int(text, 10)?),
                    8 => Ok(backend.float(text)?),
                    9 => match text.strip_suffix('j') {
                        Some(text) => Ok(backend.imaginary(text)?),
                        None => Err(MpyError::Incompatible),
                    },
                    _ => Err(MpyError::Incompatible),
                }
            }
        }
    }

    fn tuple(&mut self, len: usize, backend: &mut dyn Maker) -> Loaded<Const> {
        if len > self.left() {
            return Err(MpyError::Incompatible);
        }
        self.enter()?;
        let mut items = Buffer::new();
        for _ in 0..len {
            let item = self.constant(backend)?;
            items.push(item)?;
        }
        self.leave();
        Ok(backend.tuple(&items)?)
    }
}

fn is_int(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A function as it stands in the file, before its bytecode is looked at.
pub(super) struct Function<'m> {
    pub(super) name: usize,
    pub(super) positional: u32,
    pub(super) keyword_only: u32,
    pub(super) flags: u32,
    /// Numbers of the parameters' names.
    pub(super) parameters: Buffer<usize>,
    /// Line table.
    pub(super) lines: &'m [u8],
    /// Locals that live in cells.
    pub(super) cells: &'m [u8],
    pub(super) code: &'m [u8],
    pub(super) children: usize,
}

/// Bits of [`Function::flags`].
pub(super) mod flag {
    pub(in super::super) const GENERATOR: u32 = 1;
    pub(in super::super) const VAR_KEYWORDS: u32 = 2;
    pub(in super::super) const VAR_ARGS: u32 = 4;
}

impl<'m> Reader<'m> {
    /// A function; its children follow.
    pub(super) fn function(&mut self) -> Loaded<Function<'m>> {
        let head = self.number()?;
        if head & 3 != 0 {
            return Err(MpyError::Native);
        }
        let mut inner = Reader::new(self.bytes(head >> 3)?);
        let (positional, keyword_only, flags) = inner.signature()?;
        let (info, cells) = inner.sizes()?;
        let mut information = Reader::new(inner.bytes(info)?);
        let name = information.number()?;
        let mut parameters = Buffer::new();
        for _ in 0..positional + keyword_only {
            let parameter = information.number()?;
            parameters.push(parameter)?;
        }
        let cells = inner.bytes(cells)?;
        let children = if head & 4 != 0 { self.number()? } else { 0 };
        if children > self.left() {
            return Err(MpyError::Incompatible);
        }
        Ok(Function {
            name,
            positional,
            keyword_only,
            flags,
            parameters,
            lines: information.rest,
            cells,
            code: inner.rest,
            children,
        })
    }

    /// Counts that are interleaved bit by bit: positional and keyword-only parameters, flags.
    fn signature(&mut self) -> Loaded<(u32, u32, u32)> {
        let mut byte = self.byte()?;
        let (mut positional, mut keyword_only, mut flags) = (u32::from(byte & 3), 0, 0);
        let mut shift = 0;
        while byte & 0x80 != 0 {
            byte = self.byte()?;
            if shift > 8 {
                return Err(MpyError::TooLarge);
            }
            let bits = u32::from(byte);
            positional |= (bits & 4) << shift;
            keyword_only |= (bits >> 3 & 1) << shift;
            flags |= (bits >> 6 & 1) << shift;
            shift += 1;
        }
        Ok((positional, keyword_only, flags))
    }

    /// Bytes of the information and number of cells, interleaved.
    fn sizes(&mut self) -> Loaded<(usize, usize)> {
        let (mut info, mut cells, mut shift) = (0u64, 0, 0);
        loop {
            let byte = self.byte()?;
            if shift > 7 {
                return Err(MpyError::TooLarge);
            }
            info |= u64::from(byte >> 1 & 0x3f) << (6 * shift);
            cells |= usize::from(byte & 1) << shift;
            shift += 1;
            if byte & 0x80 == 0 {
                let info = usize::try_from(info).map_err(|_| MpyError::Incompatible)?;
                return Ok((info, cells));
            }
        }
    }
}
