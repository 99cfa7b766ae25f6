//! `str`: text in UTF-8, indexed by character. What is ASCII only is indexed directly.

use larch_bytecode::qstr::{Qstr, STATIC, STATIC_COUNT};
use larch_heap::{Header, Kind, Value};

use super::text_object::{TextType, find};
use super::{ids, str_format, str_methods as methods, str_percent, str_split as split};
use crate::native::{Args, BinaryOp, ItemOp, Native, Res, Rom, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::text::{ASCII, Span, TEXT_START, ascii_str};
use crate::unicode;
use crate::vm::{Part, Vm};

/// `str`
pub static STR: TypeDef = TypeDef {
    make: Some(make),
    print: Some(print),
    unary: Some(unary),
    binary: Some(binary),
    item: Some(item),
    iter: Some(|vm, text| vm.text_iterator(text)),
    buffer: Some(|vm, text| vm.str_span(text)),
    entries: &[
        (Qstr::find, Rom::Fn(Native::Var(2, 4, methods::find_method))),
        (Qstr::rfind, Rom::Fn(Native::Var(2, 4, methods::rfind))),
        (Qstr::index, Rom::Fn(Native::Var(2, 4, methods::index))),
        (Qstr::rindex, Rom::Fn(Native::Var(2, 4, methods::rindex))),
        (Qstr::join, Rom::Fn(Native::F2(split::join))),
        (Qstr::split, Rom::Fn(Native::Var(1, 3, split::split))),
        (Qstr::splitlines, Rom::Fn(Native::Kw(1, 2, split::splitlines))),
        (Qstr::rsplit, Rom::Fn(Native::Var(1, 3, split::rsplit))),
        (Qstr::startswith, Rom::Fn(Native::Var(2, 4, methods::startswith))),
        (Qstr::endswith, Rom::Fn(Native::Var(2, 4, methods::endswith))),
        (Qstr::strip, Rom::Fn(Native::Var(1, 2, methods::strip))),
        (Qstr::lstrip, Rom::Fn(Native::Var(1, 2, methods::lstrip))),
        (Qstr::rstrip, Rom::Fn(Native::Var(1, 2, methods::rstrip))),
        (Qstr::format, Rom::Fn(Native::Kw(1, u8::MAX, str_format::format))),
        (Qstr::replace, Rom::Fn(Native::Var(3, 4, methods::replace))),
        (Qstr::count, Rom::Fn(Native::Var(2, 4, methods::count))),
        (Qstr::partition, Rom::Fn(Native::F2(split::partition))),
        (Qstr::rpartition, Rom::Fn(Native::F2(split::rpartition))),
        (Qstr::center, Rom::Fn(Native::F2(methods::center))),
        (Qstr::lower, Rom::Fn(Native::F1(methods::lower))),
        (Qstr::upper, Rom::Fn(Native::F1(methods::upper))),
        (Qstr::isspace, Rom::Fn(Native::F1(methods::isspace))),
        (Qstr::isalpha, Rom::Fn(Native::F1(methods::isalpha))),
        (Qstr::isdigit, Rom::Fn(Native::F1(methods::isdigit))),
        (Qstr::isupper, Rom::Fn(Native::F1(methods::isupper))),
        (Qstr::islower, Rom::Fn(Native::F1(methods::islower))),
        (Qstr::encode, Rom::Fn(Native::Var(1, 3, encode))),
    ],
    ..TypeDef::new(Qstr::str)
};

/// Iterates over str, bytes, bytearray, array and memoryview.
pub static TEXT_ITERATOR: TypeDef = TypeDef { next: Some(next), ..TypeDef::new(Qstr::iterator) };

/// What an encoding argument names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `utf-8`, `utf8`
    Utf8,
    /// `ascii`
    Ascii,
}

/// The encoding argument `index`, if there is one.
///
/// # Errors
/// LookupError for an unknown one.
pub(crate) fn encoding_arg(vm: &mut Vm, args: Args, index: u16) -> Res<Encoding> {
    let Some(name) = vm.opt_arg(args, index) else { return Ok(Encoding::Utf8) };
    let span = vm.str_arg(name)?;
    match vm.bytes_at(span) {
        b"utf-8" | b"utf8" => Ok(Encoding::Utf8),
        b"ascii" => Ok(Encoding::Ascii),
        _ => Err(vm.raise_arg(ids::LookupError, name)),
    }
}

/// Makes sure that text is of an encoding.
///
/// # Errors
/// UnicodeError.
pub(crate) fn check_encoding(vm: &mut Vm, span: Span, encoding: Encoding) -> Res<()> {
    match encoding == Encoding::Utf8 || vm.bytes_at(span).is_ascii() {
        true => Ok(()),
        false => Err(vm.raise_empty(ids::UnicodeError)),
    }
}

impl Vm {
    /// Whether a string has only ASCII characters.
    #[inline]
    pub fn is_ascii(&self, value: Value) -> bool {
        match value.as_qstr() {
            Some(Qstr(number)) if (number as usize) < STATIC_COUNT => true,
            Some(Qstr(number)) => {
                self.heap.word(self.interned(number as usize - STATIC_COUNT), 0) & ASCII != 0
            }
            None => self.heap.as_kind(value, Kind::Str).is_some_and(|at| self.heap.word(at, 0) & ASCII != 0),
        }
    }

    /// Where a string's bytes are, and whether they are known to be ASCII.
    #[inline(always)]
    pub(crate) fn str_parts(&self, value: Value) -> Option<(Span, bool)> {
        let at = match value.as_cell() {
            Some(at) => at,
            None => match value.as_qstr()? {
                Qstr(number) if (number as usize) < STATIC_COUNT => {
                    return Some((Span::Static(STATIC[number as usize].as_bytes()), true));
                }
                Qstr(number) => self.interned(number as usize - STATIC_COUNT),
            },
        };
        let header = self.heap.header(at);
        if header.kind() != Kind::Str {
            return None;
        }
        let span = Span::Cell { at, first: TEXT_START, len: header.count() - TEXT_START };
        Some((span, self.heap.word(at, 0) & ASCII != 0))
    }

    /// `left + right` of two strings, which must be alive by themselves.
    pub fn concat_str(&mut self, left: Value, right: Value) -> Res {
        let (Some((a, a_ascii)), Some((b, b_ascii))) = (self.str_parts(left), self.str_parts(right)) else {
            return Ok(Value::UNBOUND);
        };
        let (a_len, b_len) = (a.len(), b.len());
        if a_len == 0 {
            return Ok(right);
        }
        if b_len == 0 {
            return Ok(left);
        }
        let at = self.alloc_text(Kind::Str, a_len + b_len)?;
        self.copy_span(at, TEXT_START, a);
        self.copy_span(at, TEXT_START + a_len, b);
        if a_ascii && b_ascii {
            self.heap.set_word(at, 0, ASCII);
        }
        Ok(at.into())
    }

    /// An operator of two strings where it is most used; `None`: not both are strings, or it is another operator.
    #[inline]
    pub(crate) fn text_fast(&mut self, op: BinaryOp, left: Value, right: Value) -> Option<Res> {
        let is_text = |value: Value| value.is_qstr() || self.heap.as_kind(value, Kind::Str).is_some();
        if !is_text(left) || !is_text(right) {
            return None;
        }
        match op {
            BinaryOp::Add | BinaryOp::IAdd => Some(self.concat_str(left, right)),
            BinaryOp::Eq | BinaryOp::Ne => {
                let same = match (left.as_cell(), right.as_cell()) {
                    (Some(a), Some(b)) => self.same_str_cells(a, b),
                    _ => self.same_text(left, right),
                };
                Some(Ok(Value::bool(same == (op == BinaryOp::Eq))))
            }
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                let (a, b) = (self.str_span(left)?, self.str_span(right)?);
                Some(Ok(compare(op, self.bytes_at(a), self.bytes_at(b))))
            }
            _ => None,
        }
    }

    /// How many characters a string has.
    pub fn str_len(&self, value: Value) -> u32 {
        let Some(span) = self.str_span(value) else { return 0 };
        if self.is_ascii(value) { span.len() } else { unicode::count(self.bytes_at(span)) }
    }

    /// The character position of a byte position.
    pub fn char_index(&self, value: Value, at: u32) -> u32 {
        match self.str_span(value) {
            Some(span) if !self.is_ascii(value) => unicode::count(self.bytes_at(span.part(0, at))),
            _ => at,
        }
    }

    /// The byte position of a character; beyond the ends: the end.
    pub(crate) fn clamped_position(&self, value: Value, span: Span, index: i32) -> u32 {
        if self.is_ascii(value) {
            let len = span.len() as i32;
            let at = if index < 0 { index.saturating_add(len) } else { index };
            return at.clamp(0, len) as u32;
        }
        match unicode::position(self.bytes_at(span), index) {
            Ok(at) => at as u32,
            Err(false) => 0,
            Err(true) => span.len(),
        }
    }

    /// An iterator over text or a buffer.
    pub(crate) fn text_iterator(&mut self, text: Value) -> Res {
        let at = self.alloc_keeping(Header::new(Kind::Iterator, 3), text)?;
        self.heap.set_value(at, 0, ids::text_iterator.value());
        self.heap.set_value(at, 1, text);
        self.heap.set_value(at, 2, Value::small(0));
        Ok(at.into())
    }

    /// Index of a character, as an int.
    pub(crate) fn char_index_arg(&mut self, index: Value) -> Res<i32> {
        match self.as_index(index)? {
            Some(index) => Ok(index),
            None => {
                let parts = [Part::Text("string indices must be integers, not "), Part::TypeOf(index)];
                Err(self.raise_parts(ids::TypeError, &parts))
            }
        }
    }

    /// `str(bytes, encoding)`: checks that they are text.
    pub(crate) fn decode_text(&mut self, source: Span, keep: Value) -> Res {
        if !unicode::is_valid(self.bytes_at(source)) {
            return Err(self.raise_empty(ids::UnicodeError));
        }
        let scope = self.root(keep)?;
        let text = self.new_text_from(Kind::Str, source);
        self.release(scope);
        text
    }
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.no_keywords(args)?;
    match args.positional {
        0 => Ok(Value::qstr(Qstr::EMPTY)),
        1 => {
            let value = vm.arg(args, 0);
            match value.as_small() {
                Some(small) => vm.int_to_str(small),
                None => vm.to_str(value),
            }
        }
        2..=3 => {
            let value = vm.arg(args, 0);
            let span = vm.buffer_arg(value)?;
            let encoding = encoding_arg(vm, args, 1)?;
            check_encoding(vm, span, encoding)?;
            vm.decode_text(span, value)
        }
        _ => vm.check_args(args, 0, 3).map(|()| Value::NONE),
    }
}

fn print(vm: &mut Vm, sink: Sink, value: Value, kind: PrintKind) -> Res<()> {
    let inner = vm.native_part(value);
    let Some(span) = vm.str_span(inner) else { return Ok(()) };
    if kind == PrintKind::Str { vm.emit_span(sink, span) } else { vm.emit_quoted(sink, span, false) }
}

fn unary(vm: &mut Vm, op: UnaryOp, text: Value) -> Res {
    match op {
        UnaryOp::Bool => Ok(Value::bool(vm.str_span(text).is_some_and(|span| !span.is_empty()))),
        UnaryOp::Len => Ok(Value::small(vm.str_len(text) as i32)),
        UnaryOp::Hash => Ok(Value::small(i32::from(vm.keep_text_hash(text)))),
        _ => Ok(Value::UNBOUND),
    }
}

fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    let other = vm.native_part(right);
    let Some(b) = vm.str_span(other) else { return binary_other(vm, op, left, right) };
    let Some(a) = vm.str_span(left) else { return Ok(Value::UNBOUND) };
    match op {
        BinaryOp::Add | BinaryOp::IAdd => vm.concat_str(left, other),
        BinaryOp::Contains => Ok(Value::bool(find(vm.bytes_at(a), vm.bytes_at(b), false).is_some())),
        BinaryOp::Mod => str_percent::percent(vm, left, right),
        _ => Ok(compare(op, vm.bytes_at(a), vm.bytes_at(b))),
    }
}

#[inline(never)]
fn binary_other(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    match op {
        BinaryOp::Mod => str_percent::percent(vm, left, right),
        BinaryOp::Mul => methods::repeat(vm, left, right),
        BinaryOp::Contains => Err(vm.raise_implicit(right)),
        BinaryOp::Eq | BinaryOp::Ne if vm.is_a(right, ids::bytes) => {
            vm.warn("BytesWarning", "Comparison between bytes and str");
            Ok(Value::UNBOUND)
        }
        _ => Ok(Value::UNBOUND),
    }
}

/// A comparison of two texts.
pub(crate) fn compare(op: BinaryOp, left: &[u8], right: &[u8]) -> Value {
    Value::bool(match op {
        BinaryOp::Eq => left == right,
        BinaryOp::Ne => left != right,
        BinaryOp::Lt => left < right,
        BinaryOp::Le => left <= right,
        BinaryOp::Gt => left > right,
        BinaryOp::Ge => left >= right,
        _ => return Value::UNBOUND,
    })
}

fn item(vm: &mut Vm, text: Value, index: Value, op: ItemOp) -> Res {
    if op != ItemOp::Get {
        return Ok(Value::UNBOUND);
    }
    let Some(span) = vm.str_span(text) else { return Ok(Value::UNBOUND) };
    if let (Some(index), true) = (index.as_small(), vm.is_ascii(text)) {
        let at = if index < 0 { index + span.len() as i32 } else { index } as u32;
        if at < span.len() {
            return Ok(ascii_str(vm.byte_at(span, at)));
        }
    }
    if vm.heap.as_kind(index, Kind::Slice).is_some() {
        return slice(vm, text, span, index);
    }
    let index = vm.char_index_arg(index)?;
    match unicode::position(vm.bytes_at(span), index) {
        Ok(at) => {
            let code = unicode::decode(&vm.bytes_at(span)[at..]);
            vm.char_str(code)
        }
        Err(_) => Err(vm.raise(ids::IndexError, "string index out of range")),
    }
}

fn slice(vm: &mut Vm, text: Value, span: Span, slice: Value) -> Res {
    let Some(at) = vm.heap.as_kind(slice, Kind::Slice) else { return Ok(Value::UNBOUND) };
    if !matches!(vm.heap.value(at, 2), Value::NONE) && vm.heap.value(at, 2) != Value::small(1) {
        return Err(vm.raise(ids::NotImplementedError, "only slices with step=1 (aka None) are supported"));
    }
    let mut ends = [0, span.len()];
    for (i, end) in ends.iter_mut().enumerate() {
        let given = vm.heap.value(at, i as u32);
        if !given.is_none() {
            let index = vm.char_index_arg(given)?;
            *end = vm.clamped_position(text, span, index);
        }
    }
    let [start, stop] = ends;
    let len = stop.saturating_sub(start);
    if len == span.len() {
        return Ok(text);
    }
    let ascii = vm.is_ascii(text);
    if len <= 1 {
        return vm.new_text_from(Kind::Str, span.part(start.min(stop), len));
    }
    let at = vm.alloc_text(Kind::Str, len)?;
    vm.copy_span(at, TEXT_START, span.part(start, len));
    vm.wrap_text(TextType::Str, at, ascii)
}

fn next(vm: &mut Vm, iterator: Value) -> Res {
    let Some(at) = iterator.as_cell() else { return Ok(Value::UNBOUND) };
    let (source, position) = (vm.heap.value(at, 1), vm.heap.value(at, 2).small_unchecked() as u32);
    let Some((span, _)) = vm.str_parts(source) else {
        return super::bytearray::next_item(vm, at, source, position);
    };
    if position >= span.len() {
        return Ok(Value::UNBOUND);
    }
    let rest = &vm.bytes_at(span)[position as usize..];
    if rest[0] < 0x80 {
        let character = ascii_str(rest[0]);
        vm.heap.set_value(at, 2, Value::small(position as i32 + 1));
        return Ok(character);
    }
    let (code, len) = (unicode::decode(rest), unicode::next(rest, 0) as u32);
    vm.heap.set_value(at, 2, Value::small((position + len) as i32));
    vm.char_str(code)
}

fn encode(vm: &mut Vm, args: Args) -> Res {
    let text = vm.arg(args, 0);
    let span = vm.str_arg(text)?;
    let encoding = encoding_arg(vm, args, 1)?;
    check_encoding(vm, span, encoding)?;
    vm.new_text_from(Kind::Bytes, span)
}
