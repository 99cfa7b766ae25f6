//! `str.format`: fields, automatic and manual numbering, conversions, nested specifiers. Numbers are written by
//! [`super::number_format`].

use larch_heap::{Kind, Value};

use super::ids;
use super::number_format::{Align, FormatSpec, Sign};
use crate::native::{Args, Raised, Res};
use crate::print::{PrintKind, Sink};
use crate::text::Span;
use crate::vm::{Part, Vm};

/// `text.format(*args, **kwargs)`
pub(super) fn format(vm: &mut Vm, args: Args) -> Res {
    let pattern = vm.arg(args, 0);
    let pattern = vm.text_self(pattern)?;
    let scope = vm.scope();
    let sink = vm.begin_text(pattern.ty.kind(), pattern.span.len() + 16)?;
    let mut numbering = Numbering::Open;
    write_pattern(vm, sink, pattern.span, args, &mut numbering)?;
    let text = vm.end_text_like(pattern.ty, sink);
    vm.release(scope);
    text
}

/// How fields are numbered so far.
#[derive(Clone, Copy)]
enum Numbering {
    Open,
    Automatic(u16),
    Manual,
}

/// One `{…}`: positions behind the brace, in the pattern.
struct Field {
    name: (usize, usize),
    conversion: u8,
    /// Empty: none.
    spec: (usize, usize),
    /// Behind the closing brace.
    end: usize,
}

enum FieldError {
    Message(&'static str),
    Conversion(u8),
}

/// Reads a field; `text` is what follows its opening brace.
fn read_field(text: &[u8]) -> Result<Field, FieldError> {
    let at = |position: usize| text.get(position).copied();
    let ends_name = |byte: &u8| matches!(byte, b'}' | b'!' | b':');
    let name_end = text.iter().position(ends_name).unwrap_or(text.len());
    let mut field = Field { name: (0, name_end), conversion: 0, spec: (0, 0), end: name_end };
    let mut next = name_end;
    if at(next) == Some(b'!') {
        field.conversion = match at(next + 1) {
            Some(conversion @ (b'r' | b's')) => conversion,
            Some(other) => return Err(FieldError::Conversion(other)),
            None => {
                return Err(FieldError::Message("end of format while looking for conversion specifier"));
            }
        };
        next += 2;
    }
    if at(next) == Some(b':') {
        next += 1;
        let start = next;
        let mut nesting = 1;
        while let Some(byte) = at(next) {
            match byte {
                b'{' => nesting += 1,
                b'}' => nesting -= 1,
                _ => {}
            }
            if nesting == 0 {
                break;
            }
            next += 1;
        }
        field.spec = (start, next);
    }
    match at(next) {
        None => Err(FieldError::Message("unmatched '{' in format")),
        Some(b'}') => Ok(Field { end: next + 1, ..field }),
        Some(_) => Err(FieldError::Message("expected ':' after format specifier")),
    }
}

fn write_pattern(vm: &mut Vm, sink: Sink, pattern: Span, args: Args, numbering: &mut Numbering) -> Res<()> {
    let mut at = 0;
    while at < pattern.len() {
        let rest = &vm.bytes_at(pattern)[at as usize..];
        let plain = rest.iter().take_while(|byte| !matches!(byte, b'{' | b'}')).count() as u32;
        if plain > 0 {
            vm.emit_span(sink, pattern.part(at, plain))?;
            at += plain;
            continue;
        }
        if rest.len() > 1 && rest[0] == rest[1] {
            vm.emit_span(sink, pattern.part(at, 1))?;
            at += 2;
            continue;
        }
        if rest[0] == b'}' {
            return Err(vm.raise(ids::ValueError, "single '}' encountered in format string"));
        }
        at += 1;
        match read_field(&rest[1..]) {
            Ok(field) => {
                write_field(vm, sink, pattern.part(at, field.end as u32), &field, args, numbering)?;
                at += field.end as u32;
            }
            Err(error) => return Err(raise_field(vm, error)),
        }
    }
    Ok(())
}

#[cold]
fn raise_field(vm: &mut Vm, error: FieldError) -> Raised {
    match error {
        FieldError::Message(message) => vm.raise(ids::ValueError, message),
        FieldError::Conversion(byte) => {
            let byte = Value::small(i32::from(byte));
            let parts = [Part::Text("unknown conversion specifier "), Part::Str(char_value(byte))];
            vm.raise_parts(ids::ValueError, &parts)
        }
    }
}

/// The one-character string of a byte.
fn char_value(byte: Value) -> Value {
    crate::text::ascii_str(byte.small_unchecked() as u8)
}

fn write_field(
    vm: &mut Vm,
    sink: Sink,
    text: Span,
    field: &Field,
    args: Args,
    numbering: &mut Numbering,
) -> Res<()> {
    let scope = vm.scope();
    let name = text.part(field.name.0 as u32, field.name.1 as u32);
    let mut value = field_value(vm, name, args, numbering)?;
    let spec = text.part(field.spec.0 as u32, (field.spec.1 - field.spec.0) as u32);
    let kind = if field.conversion == b'r' { PrintKind::Repr } else { PrintKind::Str };
    if spec.is_empty() {
        return vm.print_value(sink, value, kind);
    }
    match field.conversion {
        b'r' => value = vm.to_repr(value)?,
        b's' => value = vm.to_str(value)?,
        _ => {}
    }
    vm.root(value)?;
    let spec = match vm.bytes_at(spec).iter().any(|byte| matches!(byte, b'{' | b'}')) {
        false => spec,
        true => nested_spec(vm, spec, args, numbering)?,
    };
    let spec = match read_spec(vm.bytes_at(spec), vm.looks_numeric(value)) {
        Ok(spec) => spec,
        Err(message) => return Err(vm.raise(ids::ValueError, message)),
    };
    write_value(vm, sink, value, &spec)?;
    vm.release(scope);
    Ok(())
}

/// A specifier with fields of its own, written out; it stays alive until the caller releases its scope.
#[inline(never)]
fn nested_spec(vm: &mut Vm, spec: Span, args: Args, numbering: &mut Numbering) -> Res<Span> {
    let inner = vm.begin_text(Kind::Str, spec.len() + 8)?;
    vm.deeper(|vm| write_pattern(vm, inner, spec, args, numbering))?;
    Ok(vm.text_so_far(inner))
}

/// The argument that a field's name means.
fn field_value(vm: &mut Vm, name: Span, args: Args, numbering: &mut Numbering) -> Res {
    let bytes = vm.bytes_at(name);
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let index = match (bytes, *numbering) {
        ([], Numbering::Manual) => {
            let message = "can't switch from manual field specification to automatic field numbering";
            return Err(vm.raise(ids::ValueError, message));
        }
        ([], Numbering::Open) => 0,
        ([], Numbering::Automatic(next)) => u32::from(next),
        _ if digits == 0 => return keyword_value(vm, name, args),
        (_, Numbering::Automatic(_)) => {
            let message = "can't switch from automatic field numbering to manual field specification";
            return Err(vm.raise(ids::ValueError, message));
        }
        _ => number(&bytes[..digits]),
    };
    if index + 1 >= u32::from(args.positional) {
        return Err(vm.raise(ids::IndexError, "tuple index out of range"));
    }
    *numbering = match digits {
        0 => Numbering::Automatic(index as u16 + 1),
        _ => Numbering::Manual,
    };
    if digits < name.len() as usize {
        return Err(raise_attributes(vm));
    }
    Ok(vm.arg(args, index as u16 + 1))
}

fn keyword_value(vm: &mut Vm, name: Span, args: Args) -> Res {
    let bytes = vm.bytes_at(name);
    let len = bytes.iter().take_while(|byte| !matches!(byte, b'.' | b'[')).count();
    let wanted = &bytes[..len];
    let found = (0..args.keywords)
        .map(|index| vm.keyword(args, index))
        .find(|(keyword, _)| vm.qstr_text(*keyword).as_bytes() == wanted);
    match found {
        Some(_) if len < name.len() as usize => Err(raise_attributes(vm)),
        Some((_, value)) => Ok(value),
        None => {
            let key = vm.new_text_from(Kind::Str, name.part(0, len as u32))?;
            Err(vm.raise_arg(ids::KeyError, key))
        }
    }
}

#[cold]
fn raise_attributes(vm: &mut Vm) -> Raised {
    vm.raise(ids::NotImplementedError, "attributes not supported")
}

/// The value of decimal digits; a very large one for more than can be meant.
fn number(digits: &[u8]) -> u32 {
    let value =
        digits.iter().fold(0u32, |sum, digit| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
    value.min(1 << 26)
}

/// Takes a number from the front of `text`, if there is one.
fn take_number(text: &mut &[u8]) -> Option<u32> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number_text, rest) = text.split_at(digits);
    *text = rest;
    (digits > 0).then(|| number(number_text))
}

/// Takes the first byte of `text`, if `accepts` does.
fn take(text: &mut &[u8], accepts: impl Fn(u8) -> bool) -> Option<u8> {
    let (&first, rest) = text.split_first()?;
    if !accepts(first) {
        return None;
    }
    *text = rest;
    Some(first)
}

/// Reads `[[fill]align][sign][#][0][width][,][.precision][type]`.
fn read_spec(mut text: &[u8], numeric: bool) -> Result<FormatSpec, &'static str> {
    let is_align = |byte| matches!(byte, b'<' | b'>' | b'=' | b'^');
    let mut fill = None;
    if let [first, second, ..] = *text
        && is_align(second)
        && !is_align(first)
    {
        fill = Some(first);
        text = &text[1..];
    }
    let mut align = take(&mut text, is_align);
    let sign = take(&mut text, |byte| matches!(byte, b'+' | b'-' | b' '));
    let alternate = take(&mut text, |byte| byte == b'#').is_some();
    if text.first() == Some(&b'0') {
        if align.is_none() && numeric {
            align = Some(b'=');
        }
        fill = fill.or(Some(b'0'));
    }
    let width = take_number(&mut text);
    let separator = take(&mut text, |byte| matches!(byte, b',' | b'_')).unwrap_or(0);
    let precision = match take(&mut text, |byte| byte == b'.') {
        Some(_) => take_number(&mut text),
        None => None,
    };
    let kind = take(&mut text, |byte| b"bcdeEfFgGnosxX%".contains(&byte)).unwrap_or(0);
    if !text.is_empty() {
        return Err("invalid format specifier");
    }
    if matches!(sign, Some(b'+' | b' ')) {
        match kind {
            b's' => return Err("sign not allowed in string format specifier"),
            b'c' => return Err("sign not allowed with integer format specifier 'c'"),
            _ => {}
        }
    }
    if !numeric && align == Some(b'=') {
        return Err("'=' alignment not allowed in string format specifier");
    }
    Ok(FormatSpec {
        fill: fill.unwrap_or(b' '),
        align: match align {
            Some(b'<') => Align::Left,
            Some(b'^') => Align::Center,
            None if !numeric => Align::Left,
            _ => Align::Right,
        },
        after_sign: align == Some(b'='),
        sign: match sign {
            Some(b'+') => Sign::Plus,
            Some(b' ') => Sign::Space,
            _ => Sign::Minus,
        },
        alternate,
        separator,
        width: width.unwrap_or(0),
        precision,
        kind,
    })
}

fn write_value(vm: &mut Vm, sink: Sink, value: Value, spec: &FormatSpec) -> Res<()> {
    if vm.format_number(sink, value, spec)? {
        return Ok(());
    }
    if !matches!(spec.kind, 0 | b's') || vm.looks_numeric(value) {
        let kind = crate::text::ascii_str(spec.kind);
        let parts = [
            Part::Text("unknown format code '"),
            Part::Str(kind),
            Part::Text("' for object of type '"),
            Part::TypeOf(value),
            Part::Text("'"),
        ];
        return Err(vm.raise_parts(ids::ValueError, &parts));
    }
    let text = vm.str_or_bytes_arg(value)?;
    let len = spec.precision.unwrap_or(u32::MAX).min(text.span.len());
    vm.emit_padded(sink, text.span.part(0, len), spec)
}

impl Vm {
    /// Whether a value is an int, a bool or a float.
    pub(crate) fn looks_numeric(&self, value: Value) -> bool {
        value.is_small()
            || value.as_bool().is_some()
            || matches!(self.heap.kind_of(value), Some(Kind::BigInt | Kind::Float))
    }

    /// `format(value, spec)` of an f-string or of a call: as `"{:spec}".format(value)`.
    ///
    /// # Errors
    /// ValueError for a specifier that does not fit.
    pub fn format_value(&mut self, sink: Sink, value: Value, spec: Span) -> Res<()> {
        if spec.is_empty() {
            return self.print_value(sink, value, PrintKind::Str);
        }
        match read_spec(self.bytes_at(spec), self.looks_numeric(value)) {
            Ok(spec) => write_value(self, sink, value, &spec),
            Err(message) => Err(self.raise(ids::ValueError, message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifiers_are_read_in_order() {
        let spec = read_spec(b"*^+#012,.3f", true).unwrap();
        assert_eq!((spec.fill, spec.align, spec.sign), (b'*', Align::Center, Sign::Plus));
        assert_eq!((spec.alternate, spec.separator, spec.width), (true, b',', 12));
        assert_eq!((spec.precision, spec.kind, spec.after_sign), (Some(3), b'f', false));
        let zero = read_spec(b"05", true).unwrap();
        assert_eq!((zero.fill, zero.after_sign, zero.width), (b'0', true, 5));
        assert_eq!(read_spec(b"5", false).unwrap().align, Align::Left);
        assert!(read_spec(b"5q", true).is_err());
        assert!(read_spec(b"=5", false).is_err());
    }

    #[test]
    fn fields_end_at_their_own_brace() {
        let field = read_field(b"a!r:{w}>3}tail").ok().unwrap();
        assert_eq!((field.name, field.conversion, field.spec, field.end), ((0, 1), b'r', (4, 9), 10));
        assert!(matches!(read_field(b"a"), Err(FieldError::Message(_))));
        assert!(matches!(read_field(b"!x}"), Err(FieldError::Conversion(b'x'))));
    }
}
