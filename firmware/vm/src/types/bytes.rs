//! `bytes`, and what its methods share with bytearray and memoryview: hex and decoding.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};

use super::text_object::{TextType, find};
use super::{ids, str as text_type, str_format, str_methods as methods, str_percent, str_split as split};
use crate::native::{Args, BinaryOp, ItemOp, Native, Res, Rom, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink, hex_digit};
use crate::text::{Span, TEXT_START};
use crate::unicode;
use crate::vm::Vm;

/// `bytes`
pub static BYTES: TypeDef = TypeDef {
    make: Some(make),
    print: Some(print),
    unary: Some(unary),
    binary: Some(binary),
    item: Some(item),
    iter: Some(|vm, bytes| vm.text_iterator(bytes)),
    buffer: Some(|vm, bytes| vm.bytes_span(bytes)),
    entries: &[
        (Qstr::hex, Rom::Fn(Native::Var(1, 2, hex))),
        (Qstr::fromhex, Rom::ClassMethod(Native::F2(fromhex))),
        (Qstr::decode, Rom::Fn(Native::Var(1, 3, decode))),
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
    ],
    ..TypeDef::new(Qstr::bytes)
};

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.no_keywords(args)?;
    let Some(value) = vm.opt_arg(args, 0) else { return vm.new_bytes(&[]) };
    if vm.bytes_span(value).is_some() {
        return Ok(value);
    }
    if vm.is_a(value, ids::str) {
        if args.positional < 2 || args.positional > 3 {
            return Err(vm.raise(ids::TypeError, "string argument without an encoding"));
        }
        let encoding = super::str::encoding_arg(vm, args, 1)?;
        let span = vm.buffer_arg(value)?;
        super::str::check_encoding(vm, span, encoding)?;
    } else if args.positional > 1 {
        return Err(vm.raise(ids::TypeError, "wrong number of arguments"));
    }
    if let Some(len) = value.as_small() {
        return match u32::try_from(len) {
            Ok(len) => vm.alloc_text(Kind::Bytes, len).map(Value::cell),
            Err(_) => Err(vm.raise_empty(ids::ValueError)),
        };
    }
    match vm.buffer(value) {
        Some(span) => vm.new_text_from(Kind::Bytes, span),
        None => bytes_from(vm, value, true),
    }
}

/// Bytes of an iterable of ints, which must be in range (`strict`) or are cut.
pub(super) fn bytes_from(vm: &mut Vm, iterable: Value, strict: bool) -> Res {
    let scope = vm.scope();
    let capacity = vm.sequence_items(iterable).map_or(16, |(_, _, len)| len);
    let sink = vm.begin_text(Kind::Bytes, capacity)?;
    vm.for_each(iterable, |vm, item| {
        let byte = match strict {
            true => {
                let number = vm.int_arg(item)?;
                vm.byte_value(number)?
            }
            false => vm.int_low_word(item)? as u8,
        };
        vm.emit(sink, &[byte])?;
        Ok(true)
    })?;
    let bytes = vm.end_text(sink);
    vm.release(scope);
    bytes
}

fn print(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    let inner = vm.native_part(value);
    let Some(span) = vm.bytes_span(inner) else { return Ok(()) };
    vm.emit(sink, b"b")?;
    vm.emit_quoted(sink, span, true)
}

fn unary(vm: &mut Vm, op: UnaryOp, bytes: Value) -> Res {
    let Some(span) = vm.bytes_span(bytes) else { return Ok(Value::UNBOUND) };
    match op {
        UnaryOp::Bool => Ok(Value::bool(!span.is_empty())),
        UnaryOp::Len => Ok(Value::small(span.len() as i32)),
        UnaryOp::Hash => Ok(Value::small(i32::from(vm.keep_text_hash(bytes)))),
        _ => Ok(Value::UNBOUND),
    }
}

fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    match op {
        BinaryOp::Mod => return str_percent::percent(vm, left, right),
        BinaryOp::Mul => return methods::repeat(vm, left, right),
        BinaryOp::Eq | BinaryOp::Ne if vm.is_a(right, ids::str) || vm.is_a(right, ids::array) => {
            if vm.is_a(right, ids::str) {
                vm.warn("BytesWarning", "Comparison between bytes and str");
            }
            return Ok(Value::bool(op == BinaryOp::Ne));
        }
        _ => {}
    }
    let (Some(a), Some(b)) = (vm.bytes_span(left), vm.buffer(right)) else { return Ok(Value::UNBOUND) };
    match op {
        BinaryOp::Add | BinaryOp::IAdd => {
            concatenate(vm, left, a, b, vm.bytes_span(right).map(|_| vm.native_part(right)))
        }
        BinaryOp::Contains => Ok(Value::bool(find(vm.bytes_at(a), vm.bytes_at(b), false).is_some())),
        _ => Ok(text_type::compare(op, vm.bytes_at(a), vm.bytes_at(b))),
    }
}

fn concatenate(vm: &mut Vm, left: Value, a: Span, b: Span, plain_bytes: Option<Value>) -> Res {
    if b.is_empty() {
        return Ok(left);
    }
    if a.is_empty()
        && let Some(right) = plain_bytes
    {
        return Ok(right);
    }
    let at = vm.alloc_text(Kind::Bytes, a.len() + b.len())?;
    vm.copy_span(at, TEXT_START, a);
    vm.copy_span(at, TEXT_START + a.len(), b);
    Ok(at.into())
}

fn item(vm: &mut Vm, bytes: Value, index: Value, op: ItemOp) -> Res {
    let Some(span) = vm.bytes_span(bytes) else { return Ok(Value::UNBOUND) };
    if op != ItemOp::Get {
        return Ok(Value::UNBOUND);
    }
    if vm.heap.as_kind(index, Kind::Slice).is_some() {
        let (start, len) = vm.simple_slice(index, span.len())?;
        return match len == span.len() {
            true => Ok(bytes),
            false => vm.new_text_from(Kind::Bytes, span.part(start, len)),
        };
    }
    let at = vm.index_arg(Qstr::bytes, span.len(), index)?;
    Ok(Value::small(i32::from(vm.byte_at(span, at))))
}

impl Vm {
    /// What `str` and `bytes` say to keyword arguments.
    ///
    /// # Errors
    /// NotImplementedError if there are any.
    pub(crate) fn no_keywords(&mut self, args: Args) -> Res<()> {
        if args.keywords == 0 {
            return Ok(());
        }
        let message = "keyword argument(s) not implemented - use normal args instead";
        Err(self.raise(ids::NotImplementedError, message))
    }

    /// First item and number of items of a slice with step 1 of a sequence of `len` items.
    ///
    /// # Errors
    /// NotImplementedError for other steps.
    pub(crate) fn simple_slice(&mut self, slice: Value, len: u32) -> Res<(u32, u32)> {
        let bounds = self.slice_of(slice, len)?;
        if bounds.step != 1 {
            let message = "only slices with step=1 (aka None) are supported";
            return Err(self.raise(ids::NotImplementedError, message));
        }
        Ok((bounds.start as u32, (bounds.stop.max(bounds.start) - bounds.start) as u32))
    }

    /// The hexadecimal digits of a buffer, with a separator between bytes if one is given.
    pub(crate) fn hex_of(&mut self, args: Args, kind: Kind) -> Res {
        let value = self.arg(args, 0);
        let span = self.buffer_arg(value)?;
        if span.is_empty() {
            return self.new_text_from(kind, Span::Static(&[]));
        }
        let separator = match self.opt_arg(args, 1) {
            None => None,
            Some(given) => {
                let given = self.str_or_bytes_arg(given)?.span;
                Some(self.bytes_at(given).first().copied().unwrap_or(0))
            }
        };
        let step = if separator.is_some() { 3 } else { 2 };
        let at = self.alloc_text(kind, span.len().saturating_mul(step) + 2 - step)?;
        for index in 0..span.len() {
            let byte = self.byte_at(span, index);
            let pair = [hex_digit(byte >> 4), hex_digit(byte)];
            let to = TEXT_START + index * step;
            self.heap.bytes_mut(at, to, 2).copy_from_slice(&pair);
            if let (Some(separator), true) = (separator, index + 1 < span.len()) {
                self.heap.bytes_mut(at, to + 2, 1)[0] = separator;
            }
        }
        let ty = if kind == Kind::Str { TextType::Str } else { TextType::Bytes };
        self.wrap_text(ty, at, false)
    }

    /// Bytes or a bytearray of hexadecimal digits.
    pub(crate) fn bytes_from_hex(&mut self, ty: TextType, digits: Value) -> Res {
        let digits = self.buffer_arg(digits)?;
        let scope = self.scope();
        let sink = self.begin_text(Kind::Bytes, digits.len() / 2)?;
        let mut at = 0;
        while at < digits.len() {
            let first = self.byte_at(digits, at);
            at += 1;
            if unicode::is_space(first) {
                continue;
            }
            let second = if at < digits.len() { self.byte_at(digits, at) } else { 0 };
            let value = |digit: u8| char::from(digit).to_digit(16);
            let (Some(high), Some(low)) = (value(first), value(second)) else {
                return Err(self.raise(ids::ValueError, "non-hex digit"));
            };
            at += 1;
            self.emit(sink, &[(high << 4 | low) as u8])?;
        }
        let bytes = self.end_text_like(ty, sink);
        self.release(scope);
        bytes
    }
}

pub(super) fn hex(vm: &mut Vm, args: Args) -> Res {
    vm.hex_of(args, Kind::Str)
}

pub(super) fn fromhex(vm: &mut Vm, class: Value, digits: Value) -> Res {
    let ty =
        if vm.is_subclass(class, ids::bytearray.value()) { TextType::ByteArray } else { TextType::Bytes };
    vm.bytes_from_hex(ty, digits)
}

pub(super) fn decode(vm: &mut Vm, args: Args) -> Res {
    let value = vm.arg(args, 0);
    let span = vm.buffer_arg(value)?;
    let encoding = super::str::encoding_arg(vm, args, 1)?;
    super::str::check_encoding(vm, span, encoding)?;
    vm.decode_text(span, value)
}
