//! `text % values`.

use larch_heap::{Kind, Value};

use super::ids;
use super::number_format::{Align, FormatSpec, Sign};
use super::text_object::{Text, TextType};
use crate::native::{Raised, Res};
use crate::print::{PrintKind, Sink};
use crate::text::{Span, ascii_str};
use crate::vm::{Part, Vm};

/// The values to be written.
struct Values {
    /// What is on the right of the operator.
    right: Value,
    /// How many values there are; a tuple's items, else one.
    count: u32,
    /// How many were used.
    used: u32,
    is_tuple: bool,
    is_dict: bool,
}

impl Values {
    fn new(vm: &Vm, right: Value) -> Values {
        let tuple = vm.is_tuple(vm.native_part(right));
        let count = if tuple { vm.sequence_items(right).map_or(0, |(_, _, len)| len) } else { 1 };
        let is_dict = vm.heap.kind_of(right) == Some(Kind::Dict);
        Values { right, count, used: 0, is_tuple: tuple, is_dict }
    }

    fn next(&mut self, vm: &mut Vm) -> Res {
        if self.used >= self.count {
            return Err(vm.raise(ids::TypeError, "format string needs more arguments"));
        }
        self.used += 1;
        match self.is_tuple {
            true => Ok(vm.sequence_get(self.right, self.used - 1).unwrap_or(Value::NONE)),
            false => Ok(self.right),
        }
    }
}

/// `pattern % right`
pub(super) fn percent(vm: &mut Vm, pattern: Value, right: Value) -> Res {
    let pattern = vm.text_self(pattern)?;
    let mut values = Values::new(vm, right);
    let scope = vm.scope();
    let sink = vm.begin_text(pattern.ty.kind(), pattern.span.len() + 16)?;
    let mut at = 0;
    while at < pattern.span.len() {
        let rest = &vm.bytes_at(pattern.span)[at as usize..];
        let plain = rest.iter().take_while(|byte| **byte != b'%').count() as u32;
        if plain > 0 {
            vm.emit_span(sink, pattern.span.part(at, plain))?;
            at += plain;
        } else if rest.get(1) == Some(&b'%') {
            vm.emit(sink, b"%")?;
            at += 2;
        } else {
            at = write_field(vm, sink, pattern, at + 1, &mut values)?;
        }
    }
    if !values.is_dict && values.used != values.count {
        return Err(vm.raise(ids::TypeError, "format string didn't convert all arguments"));
    }
    let text = vm.end_text_like(pattern.ty, sink);
    vm.release(scope);
    text
}

#[cold]
fn raise_incomplete(vm: &mut Vm) -> Raised {
    vm.raise(ids::ValueError, "incomplete format")
}

/// Writes the field whose text starts at `at` (behind the percent sign): the position behind it.
fn write_field(vm: &mut Vm, sink: Sink, pattern: Text, at: u32, values: &mut Values) -> Res<u32> {
    let mut reader = Reader { pattern: pattern.span, at };
    let scope = vm.scope();
    let mut value = None;
    if reader.peek(vm) == Some(b'(') {
        let found = dict_value(vm, &mut reader, values)?;
        vm.root(found)?;
        value = Some(found);
    }
    let mut spec = FormatSpec::PLAIN;
    let alternate = read_flags(vm, &mut reader, &mut spec);
    if let Some(width) = read_number(vm, &mut reader, values)? {
        spec.width = width.max(0) as u32;
    }
    if reader.peek(vm) == Some(b'.') {
        reader.at += 1;
        let precision = read_number(vm, &mut reader, values)?.unwrap_or(0);
        spec.precision = u32::try_from(precision).ok();
    }
    let Some(kind) = reader.peek(vm) else { return Err(raise_incomplete(vm)) };
    spec.kind = kind;
    let value = match value {
        Some(value) => value,
        None => values.next(vm)?,
    };
    match kind {
        b'c' => write_char(vm, sink, value, &spec)?,
        b'd' | b'i' | b'u' => {
            spec.kind = b'd';
            let value = match vm.heap.kind_of(value) {
                Some(Kind::Float) => vm.call(ids::int.value(), &[value])?,
                _ => value,
            };
            vm.root(value)?;
            vm.format_int(sink, value, &spec)?;
        }
        b'o' | b'x' | b'X' => {
            spec.alternate = alternate;
            vm.format_int(sink, value, &spec)?;
        }
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
            let number = vm.float_arg(value)?;
            vm.format_float(sink, number, &spec)?;
        }
        b'r' | b's' => write_text(vm, sink, pattern.ty, value, &mut spec)?,
        _ => return Err(raise_character(vm, kind, reader.at)),
    }
    vm.release(scope);
    Ok(reader.at + 1)
}

#[cold]
fn raise_character(vm: &mut Vm, kind: u8, at: u32) -> Raised {
    let hex = [ascii_str(crate::print::hex_digit(kind >> 4)), ascii_str(crate::print::hex_digit(kind))];
    let parts = [
        Part::Text("unsupported format character '"),
        Part::Str(ascii_str(kind)),
        Part::Text("' (0x"),
        if kind < 16 { Part::Text("") } else { Part::Str(hex[0]) },
        Part::Str(hex[1]),
        Part::Text(") at index "),
        Part::Int(at as i32),
    ];
    vm.raise_parts(ids::ValueError, &parts)
}

struct Reader {
    pattern: Span,
    at: u32,
}

impl Reader {
    fn peek(&self, vm: &Vm) -> Option<u8> {
        vm.bytes_at(self.pattern).get(self.at as usize).copied()
    }
}

/// The value of `(key)`.
fn dict_value(vm: &mut Vm, reader: &mut Reader, values: &mut Values) -> Res {
    let Some(dict) = vm.heap.as_kind(values.right, Kind::Dict) else {
        return Err(vm.raise(ids::TypeError, "format needs a dict"));
    };
    let start = reader.at + 1;
    let rest = &vm.bytes_at(reader.pattern)[start as usize..];
    let Some(len) = rest.iter().position(|byte| *byte == b')') else {
        return Err(vm.raise(ids::ValueError, "incomplete format key"));
    };
    reader.at = start + len as u32 + 1;
    values.used = 1;
    let key = vm.new_text_from(Kind::Str, reader.pattern.part(start, len as u32))?;
    vm.root(key)?;
    vm.dict_item(dict, key)
}

/// Reads flags into the specifier; the answer is whether `#` is among them.
fn read_flags(vm: &Vm, reader: &mut Reader, spec: &mut FormatSpec) -> bool {
    let mut alternate = false;
    while let Some(flag) = reader.peek(vm) {
        match flag {
            b'-' => spec.align = Align::Left,
            b'+' => spec.sign = Sign::Plus,
            b' ' if spec.sign == Sign::Minus => spec.sign = Sign::Space,
            b' ' => {}
            b'#' => alternate = true,
            b'0' => (spec.fill, spec.after_sign) = (b'0', true),
            _ => break,
        }
        reader.at += 1;
    }
    alternate
}

/// A number of the pattern, or for `*` the next value.
fn read_number(vm: &mut Vm, reader: &mut Reader, values: &mut Values) -> Res<Option<i32>> {
    if reader.peek(vm) == Some(b'*') {
        reader.at += 1;
        let value = values.next(vm)?;
        return vm.int_arg(value).map(Some);
    }
    let mut number = None;
    while let Some(digit @ b'0'..=b'9') = reader.peek(vm) {
        let value: i32 = number.unwrap_or(0);
        number = Some(value.saturating_mul(10).saturating_add(i32::from(digit - b'0')).min(1 << 26));
        reader.at += 1;
    }
    Ok(number)
}

fn write_char(vm: &mut Vm, sink: Sink, value: Value, spec: &FormatSpec) -> Res<()> {
    let spec = FormatSpec { fill: b' ', ..*spec };
    if let Some(span) = vm.str_span(vm.native_part(value)) {
        if span.len() != 1 {
            return Err(vm.raise(ids::TypeError, "%c needs int or char"));
        }
        return vm.emit_padded(sink, span, &spec);
    }
    if !vm.looks_numeric(value) || vm.heap.kind_of(value) == Some(Kind::Float) {
        return Err(vm.raise(ids::TypeError, "integer needed"));
    }
    let code = vm.int_arg(value)?;
    let text = vm.format_char(code)?;
    vm.root(text)?;
    let Some(span) = vm.str_span(text) else { return Ok(()) };
    vm.emit_padded(sink, span, &spec)
}

fn write_text(vm: &mut Vm, sink: Sink, ty: TextType, value: Value, spec: &mut FormatSpec) -> Res<()> {
    let kind = if spec.kind == b'r' { PrintKind::Repr } else { PrintKind::Str };
    let raw = kind == PrintKind::Str && ty == TextType::Bytes && vm.bytes_span(value).is_some();
    if !raw && spec.width == 0 && spec.precision.is_none() {
        return vm.print_value(sink, value, kind);
    }
    let text = match (raw, kind) {
        (true, _) => value,
        (_, PrintKind::Repr) => vm.to_repr(value)?,
        _ => vm.to_str(value)?,
    };
    vm.root(text)?;
    let span = vm.text_self(text)?.span;
    let len = spec.precision.unwrap_or(u32::MAX).min(span.len());
    spec.fill = b' ';
    vm.emit_padded(sink, span.part(0, len), spec)
}

impl Vm {
    /// The character of a code, as formatting writes it.
    ///
    /// # Errors
    /// OverflowError if there is none.
    pub(crate) fn format_char(&mut self, code: i32) -> Res {
        match u32::try_from(code) {
            Ok(code @ 0..0x11_0000) => self.char_str(code),
            _ => Err(self.raise(ids::OverflowError, "char not in range(0x110000)")),
        }
    }
}
