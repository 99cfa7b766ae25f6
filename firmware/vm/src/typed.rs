//! What viper functions compute with: ints of 32 bits, and pointers. Also addresses, for `uctypes`.
//!
//! A pointer is an object with a buffer, or an int that is the address of memory outside the heap. An address inside the
//! heap becomes a memoryview of the bytes that are there, so a pointer never leads to anything but bytes that are alive;
//! what lies behind a buffer's end is an IndexError, where MicroPython reads or overwrites its own memory.

use larch_bytecode::typed::{Typed, UNSIGNED};
use larch_heap::{Kind, Ref, Value};

use crate::native::Res;
use crate::text::{Span, TEXT_START};
use crate::types::ids;
use crate::vm::Vm;

/// In the first word of a `Bytes` cell: pointers were made to it, so it must not be given back before a collection.
const SHARED: u32 = 1 << 17;

impl Vm {
    /// An operation of a viper function; `a` is what its target holds.
    #[cold]
    #[inline(never)]
    pub(crate) fn typed(&mut self, a: Value, b: Value, c: Value, number: u16) -> Res {
        let Some(operation) = Typed::from_number(number) else {
            return Err(self.raise(ids::RuntimeError, "bad bytecode"));
        };
        let unsigned = number & UNSIGNED != 0;
        let word = match operation {
            Typed::Bool => return self.truth(b).map(Value::bool),
            Typed::Pointer => return self.pointer(b),
            Typed::Word => self.word_of(b)?,
            Typed::Address => self.address_of(b)?,
            Typed::Neg => self.word_of(b)?.wrapping_neg(),
            Typed::Invert => !self.word_of(b)?,
            Typed::Load8 => self.load(b, c, 1)?,
            Typed::Load16 => self.load(b, c, 2)?,
            Typed::Load32 => self.load(b, c, 4)?,
            Typed::Store8 => return self.store(a, b, c, 1),
            Typed::Store16 => return self.store(a, b, c, 2),
            Typed::Store32 => return self.store(a, b, c, 4),
            _ => {
                let (left, right) = (self.word_of(b)?, self.word_of(c)?);
                self.word_binary(operation, left, right, unsigned)?
            }
        };
        match unsigned {
            true => self.new_int_i64(word.into()),
            false => self.new_int_i64((word as i32).into()),
        }
    }

    fn word_binary(&mut self, operation: Typed, left: u32, right: u32, unsigned: bool) -> Res<u32> {
        let (dividend, divisor) = (left as i32, right as i32);
        if matches!(operation, Typed::FloorDiv | Typed::Mod) && divisor == 0 {
            return Err(self.raise_zero());
        }
        Ok(match operation {
            Typed::Or => left | right,
            Typed::Xor => left ^ right,
            Typed::And => left & right,
            Typed::Add => left.wrapping_add(right),
            Typed::Sub => left.wrapping_sub(right),
            Typed::Mul => left.wrapping_mul(right),
            Typed::Shl => left.wrapping_shl(right),
            Typed::Shr if unsigned => left.wrapping_shr(right),
            Typed::Shr => dividend.wrapping_shr(right) as u32,
            Typed::FloorDiv => {
                let quotient = dividend.wrapping_div(divisor);
                let inexact = dividend.wrapping_rem(divisor) != 0 && (dividend < 0) != (divisor < 0);
                (quotient - i32::from(inexact)) as u32
            }
            _ => {
                let rest = dividend.wrapping_rem(divisor);
                (if rest != 0 && (rest < 0) != (divisor < 0) { rest + divisor } else { rest }) as u32
            }
        })
    }

    /// The low 32 bits of an int.
    fn word_of(&mut self, value: Value) -> Res<u32> {
        if let Some(small) = value.as_small() {
            return Ok(small as u32);
        }
        match self.int_maybe(value)? {
            Some(int) => Ok(self.int_truncated(int).unwrap_or(0) as u32),
            None => Err(self.raise_conversion(value, "int")),
        }
    }

    // ---- pointers ----

    /// The address of an object's bytes; of an int: itself.
    ///
    /// # Errors
    /// TypeError if the object has no buffer.
    pub fn address_of(&mut self, value: Value) -> Res<u32> {
        match self.buffer(value) {
            Some(Span::Cell { at, first, .. }) => {
                self.share(at);
                Ok(self.heap.address_of(at, first))
            }
            Some(Span::Static(bytes)) => Ok(bytes.as_ptr() as usize as u32),
            None => self.word_of(value),
        }
    }

    /// What an object or address points to: an object with a buffer, or an int if the address is outside the heap.
    ///
    /// # Errors
    /// TypeError if the value is neither a buffer nor an int, MemoryError.
    pub fn pointer(&mut self, value: Value) -> Res {
        if self.buffer(value).is_some() {
            return Ok(value);
        }
        let address = self.word_of(value)?;
        match self.heap.find_bytes(address) {
            Some((at, first)) if first >= TEXT_START => {
                let len = self.heap.header(at).count() - first;
                self.share(at);
                self.new_view(at.into(), b'B', true, first - TEXT_START, len)
            }
            _ => self.new_int_i64(address.into()),
        }
    }

    /// Notes that addresses of a cell are known.
    fn share(&mut self, at: Ref) {
        if self.heap.kind(at) == Kind::Bytes {
            let word = self.heap.word(at, 0) | SHARED;
            self.heap.set_word(at, 0, word);
        }
    }

    /// Gives the storage of an array back, unless pointers to it may exist.
    pub(crate) fn free_storage(&mut self, at: Ref) {
        if self.heap.kind(at) != Kind::Bytes || self.heap.word(at, 0) & SHARED == 0 {
            self.heap.free(at);
        }
    }

    /// `size` bytes at a place behind a pointer, as a number.
    ///
    /// # Errors
    /// IndexError outside the buffer, ValueError where there is no memory.
    pub fn load_at(&mut self, pointer: Value, offset: i64, size: u32) -> Res<u32> {
        let mut bytes = [0; 4];
        if let Some(span) = self.buffer(pointer) {
            let part = self.part_of(span, offset, size)?;
            bytes[..size as usize].copy_from_slice(self.bytes_at(part));
            return Ok(u32::from_le_bytes(bytes));
        }
        let address = self.word_of(pointer)?.wrapping_add(offset as u32);
        match self.port.load(address, size) {
            Some(word) => Ok(word),
            None => Err(self.raise(ids::ValueError, "no memory at this address")),
        }
    }

    /// Sets `size` bytes at a place behind a pointer.
    ///
    /// # Errors
    /// As [`Vm::load_at`]; TypeError if the buffer cannot be changed.
    pub fn store_at(&mut self, pointer: Value, offset: i64, size: u32, word: u32) -> Res<()> {
        if self.buffer(pointer).is_some() {
            let span = self.buffer_mut_arg(pointer)?;
            let part = self.part_of(span, offset, size)?;
            self.bytes_at_mut(part).copy_from_slice(&word.to_le_bytes()[..size as usize]);
            return Ok(());
        }
        let address = self.word_of(pointer)?.wrapping_add(offset as u32);
        match self.port.store(address, size, word) {
            true => Ok(()),
            false => Err(self.raise(ids::ValueError, "no memory at this address")),
        }
    }

    fn part_of(&mut self, span: Span, offset: i64, size: u32) -> Res<Span> {
        match u32::try_from(offset) {
            Ok(first) if first.checked_add(size).is_some_and(|end| end <= span.len()) => {
                Ok(span.part(first, size))
            }
            _ => Err(self.raise(ids::IndexError, "index out of range")),
        }
    }

    fn load(&mut self, pointer: Value, index: Value, size: u32) -> Res<u32> {
        let index = self.word_of(index)? as i32;
        self.load_at(pointer, i64::from(index) * i64::from(size), size)
    }

    fn store(&mut self, pointer: Value, index: Value, value: Value, size: u32) -> Res {
        let (index, word) = (self.word_of(index)? as i32, self.word_of(value)?);
        self.store_at(pointer, i64::from(index) * i64::from(size), size, word)?;
        Ok(pointer)
    }
}
