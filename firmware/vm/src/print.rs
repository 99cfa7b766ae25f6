//! Writing values and text: to the console, into a string under construction, or to a Python stream.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use crate::modules::io;
use crate::native::Res;
use crate::text::{ASCII, Span, TEXT_START, ascii_str};
use crate::types::ids;
use crate::types::text_object::TextType;
use crate::unicode;
use crate::vm::Vm;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrintKind {
    /// As `str()` does.
    Str,
    /// As `repr()` does.
    Repr,
    /// An exception's arguments only.
    ExcArgs,
}

/// Where text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// The console (`sys.stdout` of the port).
    Console,
    /// A string under construction: stack index of its cell; the next slot holds its length. Made by
    /// [`Vm::begin_text`].
    Text(u32),
    /// An object with a `write` method: its stack index.
    Stream(u32),
}

impl Vm {
    /// Starts a string or bytes object of unknown length. The sink is valid until the enclosing [`Vm::release`] (or the
    /// return of the native function).
    pub fn begin_text(&mut self, kind: Kind, capacity: u32) -> Res<Sink> {
        let at = self.alloc_text(kind, capacity)?;
        let index = self.root(at.into())?;
        self.root(Value::small(0))?;
        Ok(Sink::Text(index))
    }

    /// Ends a string or bytes object started by [`Vm::begin_text`].
    ///
    /// # Panics
    /// If `sink` is not of that sort.
    pub fn end_text(&mut self, sink: Sink) -> Res {
        let Sink::Text(index) = sink else { panic!("not a text sink") };
        let at = self.heap.stack(index).expect_cell("a text cell");
        let len = self.text_len(sink);
        if let (Kind::Str, 0..=1) = (self.heap.kind(at), len) {
            return self.new_text_from(Kind::Str, Span::Cell { at, first: TEXT_START, len });
        }
        self.heap.resize(at, len + TEXT_START);
        self.finish_text(at);
        Ok(at.into())
    }

    /// The text so far under construction.
    pub fn text_so_far(&self, sink: Sink) -> Span {
        match sink {
            Sink::Text(index) => match self.heap.stack(index).as_cell() {
                Some(at) => Span::Cell { at, first: TEXT_START, len: self.text_len(sink) },
                None => Span::Static(&[]),
            },
            _ => Span::Static(&[]),
        }
    }

    /// Takes back what was written to a text under construction behind its first `len` bytes.
    pub fn truncate_text(&mut self, sink: Sink, len: u32) {
        if let Sink::Text(index) = sink {
            self.heap.set_stack(index + 1, Value::small(len as i32));
        }
    }

    /// Length so far of a text under construction.
    pub fn text_len(&self, sink: Sink) -> u32 {
        match sink {
            Sink::Text(index) => self.heap.stack(index + 1).small_unchecked() as u32,
            _ => 0,
        }
    }

    /// Writes bytes.
    pub fn emit(&mut self, sink: Sink, bytes: &[u8]) -> Res<()> {
        match sink {
            Sink::Console => {
                self.write(bytes);
                Ok(())
            }
            Sink::Text(index) => {
                let at = self.text_room(index, bytes.len() as u32)?;
                let len = self.text_len(sink);
                self.heap.bytes_mut(at, TEXT_START + len, bytes.len() as u32).copy_from_slice(bytes);
                self.truncate_text(sink, len + bytes.len() as u32);
                Ok(())
            }
            Sink::Stream(index) => {
                let stream = self.heap.stack(index);
                if let Some((at, first)) = io::advance(self, stream, bytes.len() as u32)? {
                    self.heap.bytes_mut(at, first, bytes.len() as u32).copy_from_slice(bytes);
                    return Ok(());
                }
                let at = self.alloc_text(Kind::Bytes, bytes.len() as u32)?;
                self.heap.bytes_mut(at, TEXT_START, bytes.len() as u32).copy_from_slice(bytes);
                self.write_to_stream(index, at)
            }
        }
    }

    /// Writes the bytes at a span, whose owner must be alive by itself.
    pub fn emit_span(&mut self, sink: Sink, span: Span) -> Res<()> {
        match (sink, span) {
            (_, Span::Static(bytes)) => self.emit(sink, bytes),
            (Sink::Console, _) => {
                self.write_span(span);
                Ok(())
            }
            (Sink::Text(index), Span::Cell { at: from, first, len: part }) => {
                let at = self.text_room(index, part)?;
                let len = self.text_len(sink);
                self.heap.copy(at, TEXT_START + len, from, first, part);
                self.truncate_text(sink, len + part);
                Ok(())
            }
            (Sink::Stream(index), _) => {
                let stream = self.heap.stack(index);
                if let Some((at, first)) = io::advance(self, stream, span.len())? {
                    self.copy_span(at, first, span);
                    return Ok(());
                }
                let at = self.alloc_text(Kind::Bytes, span.len())?;
                self.copy_span(at, TEXT_START, span);
                self.write_to_stream(index, at)
            }
        }
    }

    /// Gives the content of a new bytes cell to a stream's `write`: as text, or if it is a Python class's, as a bytearray
    /// until all of it is written, as MicroPython does.
    fn write_to_stream(&mut self, index: u32, content: Ref) -> Res<()> {
        let scope = self.root(content.into())?;
        let stream = self.heap.stack(index);
        let len = self.heap.header(content).count() - TEXT_START;
        if !self.is_a(stream, ids::IOBase) {
            let text = self.new_text_from(Kind::Str, Span::Cell { at: content, first: TEXT_START, len })?;
            self.root(text)?;
            self.call_method(stream, Qstr::write, &[text])?;
            self.release(scope);
            return Ok(());
        }
        let mut rest = self.bytearray_around(content)?;
        let mut left = len;
        while left > 0 {
            let inner = self.root(rest)?;
            let written = self.call_method(stream, Qstr::write, &[rest])?;
            let written = self.stream_count(written, left)?;
            if written == 0 {
                break;
            }
            left -= written;
            self.release(inner);
            let span = Span::Cell { at: content, first: TEXT_START + len - left, len: left };
            rest = self.text_like(TextType::ByteArray, span)?;
        }
        self.release(scope);
        Ok(())
    }

    /// How many bytes a Python stream says it has read or written, of `most`.
    ///
    /// # Errors
    /// OSError if it says so by a negative number or None, or if it cannot be.
    pub(crate) fn stream_count(&mut self, answer: Value, most: u32) -> Res<u32> {
        const EIO: i32 = 5;
        const EAGAIN: i32 = 11;
        let count = if answer.is_none() { -EAGAIN } else { self.int_arg(answer)? };
        match u32::try_from(count) {
            Ok(count) if count <= most => Ok(count),
            Ok(_) => Err(self.raise_os(EIO)),
            Err(_) => Err(self.raise_os(count.saturating_neg())),
        }
    }

    /// Whether `print` can write to a value: its type, or the built-in type it derives from, is a stream.
    pub fn is_stream(&self, value: Value) -> bool {
        let class = self.type_of(value);
        self.is_a(value, ids::IOBase)
            || self
                .native_slot(class, |def| {
                    def.entries.iter().find(|(name, _)| *name == Qstr::write).map(|_| ())
                })
                .is_some()
    }

    /// # Errors
    /// OSError if `value` is no stream.
    pub fn stream_arg(&mut self, value: Value) -> Res<()> {
        if self.is_stream(value) {
            return Ok(());
        }
        Err(self.raise(ids::OSError, "stream operation not supported"))
    }

    /// The cell of a text under construction, with room for `more` bytes.
    fn text_room(&mut self, index: u32, more: u32) -> Res<Ref> {
        let at = self.heap.stack(index).expect_cell("a text cell");
        let len = self.heap.stack(index + 1).small_unchecked() as u32;
        let capacity = self.heap.header(at).count() - TEXT_START;
        if len + more <= capacity {
            return Ok(at);
        }
        let wanted = (len + more).max(capacity + capacity / 2).next_multiple_of(16) - 8 + TEXT_START;
        let wanted = wanted.max(len + more + TEXT_START);
        if wanted > Header::MAX_COUNT {
            return Err(self.raise_memory());
        }
        if self.heap.resize(at, wanted) {
            return Ok(at);
        }
        let new = self.alloc(Header::new(self.heap.kind(at), wanted))?;
        self.heap.copy(new, TEXT_START, at, TEXT_START, len);
        self.heap.free(at);
        self.heap.set_stack(index, new.into());
        Ok(new)
    }

    /// Writes a text literal.
    pub fn emit_str(&mut self, sink: Sink, text: &str) -> Res<()> {
        self.emit(sink, text.as_bytes())
    }

    /// Writes a value as `str()` or `repr()` would.
    pub fn print_value(&mut self, sink: Sink, value: Value, kind: PrintKind) -> Res<()> {
        if let Some(small) = value.as_small() {
            return self.emit_int(sink, small);
        }
        if let (PrintKind::Str, Some(span)) = (kind, self.str_span(value)) {
            return self.emit_span(sink, span);
        }
        self.deeper(|vm| vm.print_slowly(sink, value, kind))
    }

    fn print_slowly(&mut self, sink: Sink, value: Value, kind: PrintKind) -> Res<()> {
        let scope = self.scope();
        self.root(value)?;
        if self.is_python_instance(value)
            && let Some(text) = self.instance_text(value, kind)?
        {
            self.root(text)?;
            let result = self.print_value(sink, text, PrintKind::Str);
            self.release(scope);
            return result;
        }
        let class = self.type_of(value);
        let inner = self.native_part(value);
        let result = match self.native_slot(class, |def| def.print) {
            Some(print) => print(self, sink, inner, kind),
            None => {
                self.emit_str(sink, "<")?;
                self.print_type_name(sink, class)?;
                self.emit_str(sink, ">")
            }
        };
        self.release(scope);
        result
    }

    /// What an instance's own `__str__` or `__repr__` says.
    fn instance_text(&mut self, value: Value, kind: PrintKind) -> Res<Option<Value>> {
        if kind == PrintKind::Str
            && let Some(text) = self.call_special(value, Qstr::__str__, &[])?
        {
            return Ok(Some(text));
        }
        self.call_special(value, Qstr::__repr__, &[])
    }

    /// Writes a class's name.
    pub fn print_type_name(&mut self, sink: Sink, class: Value) -> Res<()> {
        let name = self.type_name(class);
        self.print_value(sink, Value::qstr(name), PrintKind::Str)
    }

    /// `str(value)`
    pub fn to_str(&mut self, value: Value) -> Res {
        if self.is_str(value) { Ok(value) } else { self.make_text(value, PrintKind::Str) }
    }

    /// `repr(value)`
    pub fn to_repr(&mut self, value: Value) -> Res {
        self.make_text(value, PrintKind::Repr)
    }

    fn make_text(&mut self, value: Value, kind: PrintKind) -> Res {
        if let Some(small) = value.as_small() {
            return self.int_to_str(small);
        }
        let scope = self.scope();
        self.root(value)?;
        let sink = self.begin_text(Kind::Str, 12)?;
        self.print_value(sink, value, kind)?;
        let text = self.end_text(sink);
        self.release(scope);
        text
    }

    /// `str(value)` of an int.
    pub(crate) fn int_to_str(&mut self, value: i32) -> Res {
        let mut buffer = [0; 11];
        let digits = decimal(value, &mut buffer);
        if let [digit] = *digits {
            return Ok(ascii_str(digit));
        }
        let at = self.alloc_text(Kind::Str, digits.len() as u32)?;
        self.heap.bytes_mut(at, TEXT_START, digits.len() as u32).copy_from_slice(digits);
        self.heap.set_word(at, 0, ASCII);
        Ok(at.into())
    }

    /// Writes an int in decimal.
    pub fn emit_int(&mut self, sink: Sink, value: i32) -> Res<()> {
        let mut buffer = [0; 11];
        let digits = decimal(value, &mut buffer);
        self.emit(sink, digits)
    }

    /// Writes a word in hexadecimal with at least `width` digits.
    pub fn emit_hex(&mut self, sink: Sink, value: u32, width: usize) -> Res<()> {
        let mut digits = [b'0'; 8];
        for (shift, digit) in digits.iter_mut().rev().enumerate() {
            *digit = hex_digit((value >> (4 * shift)) as u8);
        }
        let significant = 8 - value.leading_zeros() as usize / 4;
        self.emit(sink, &digits[8 - significant.max(width).max(1)..])
    }

    /// Writes text in quotes with escapes, as `repr()` does: of a string, or (`bytes`) of what is behind the `b`.
    pub fn emit_quoted(&mut self, sink: Sink, span: Span, bytes: bool) -> Res<()> {
        let text = self.bytes_at(span);
        let quote = if text.contains(&b'\'') && !text.contains(&b'"') { b'"' } else { b'\'' };
        self.emit(sink, &[quote])?;
        let mut at = 0;
        while at < span.len() {
            let rest = &self.bytes_at(span)[at as usize..];
            let plain = rest.iter().take_while(|byte| is_plain(**byte, quote)).count() as u32;
            if plain > 0 {
                self.emit_span(sink, span.part(at, plain))?;
                at += plain;
                continue;
            }
            let (code, len) = match bytes {
                true => (u32::from(rest[0]), 1),
                false => (unicode::decode(rest), unicode::next(rest, 0) as u32),
            };
            self.emit_escaped(sink, code)?;
            at += len;
        }
        self.emit(sink, &[quote])
    }

    fn emit_escaped(&mut self, sink: Sink, code: u32) -> Res<()> {
        match code {
            0x0a => self.emit(sink, b"\\n"),
            0x0d => self.emit(sink, b"\\r"),
            0x09 => self.emit(sink, b"\\t"),
            0x20..0x7f => self.emit(sink, &[b'\\', code as u8]),
            _ => {
                let (letter, width) = match code {
                    0..0x100 => (b'x', 2),
                    0x100..0x1_0000 => (b'u', 4),
                    _ => (b'U', 8),
                };
                self.emit(sink, &[b'\\', letter])?;
                self.emit_hex(sink, code, width)
            }
        }
    }
}

/// Whether `repr()` writes a byte as it is.
fn is_plain(byte: u8, quote: u8) -> bool {
    (0x20..0x7f).contains(&byte) && byte != quote && byte != b'\\'
}

/// A digit of base 16.
pub fn hex_digit(value: u8) -> u8 {
    b"0123456789abcdef"[(value & 15) as usize]
}

/// The decimal digits of `value`, at the end of `buffer`.
pub fn decimal(value: i32, buffer: &mut [u8; 11]) -> &[u8] {
    let mut at = buffer.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    &buffer[at..]
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;

    #[test]
    fn decimal_writes_every_length_and_sign() {
        for value in [0, 7, -7, 10, 99, 100, 12345, i32::MAX, i32::MIN] {
            assert_eq!(decimal(value, &mut [0; 11]), std::format!("{value}").as_bytes());
        }
    }
}
