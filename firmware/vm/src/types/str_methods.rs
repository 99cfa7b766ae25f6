//! Methods that str, bytes and bytearray share: searching, stripping, replacing, case, classes of characters.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};

use super::ids;
use super::text_object::{Text, TextType, find};
use crate::native::{Args, Res};
use crate::text::{Span, TEXT_START};
use crate::unicode;
use crate::vm::Vm;

/// The byte range that optional start and end arguments from argument `first` on mean. The end may be before the start.
fn range_args(vm: &mut Vm, text: Text, args: Args, first: u16) -> Res<(u32, u32)> {
    let mut ends = [0, text.span.len()];
    for (i, end) in ends.iter_mut().enumerate() {
        match vm.opt_arg(args, first + i as u16) {
            None | Some(Value::NONE) => {}
            Some(given) => *end = position_arg(vm, text, given)?,
        }
    }
    Ok((ends[0], ends[1]))
}

fn position_arg(vm: &mut Vm, text: Text, index: Value) -> Res<u32> {
    if text.ty == TextType::Str {
        let index = vm.char_index_arg(index)?;
        return Ok(vm.clamped_position(text.value, text.span, index));
    }
    let len = text.span.len() as i32;
    let name = if text.ty == TextType::Bytes { Qstr::bytes } else { Qstr::bytearray };
    let index = match vm.as_index(index)? {
        Some(index) => index,
        // Raises what an index of this type raises.
        None => vm.index_arg(name, 0, index)? as i32,
    };
    Ok(if index < 0 { index.saturating_add(len) } else { index }.clamp(0, len) as u32)
}

/// The byte position of the argument in the text, if it is there.
fn search(vm: &mut Vm, args: Args, last: bool) -> Res<Option<u32>> {
    let text = vm.arg(args, 0);
    let text = vm.text_self(text)?;
    let needle = vm.arg(args, 1);
    let mut byte = [0];
    let mut needle_span = Span::Static(&[]);
    let number = if text.ty == TextType::Str { None } else { vm.as_index(needle)? };
    match number {
        Some(number) => byte[0] = vm.byte_value(number)?,
        None => needle_span = vm.text_arg(text.ty, needle)?.span,
    }
    let (start, end) = range_args(vm, text, args, 2)?;
    if end < start {
        return Ok(None);
    }
    let needle = if number.is_some() { &byte[..] } else { vm.bytes_at(needle_span) };
    let found = find(vm.bytes_at(text.span.part(start, end - start)), needle, last);
    Ok(found.map(|at| match text.ty {
        TextType::Str => vm.char_index(text.value, start + at as u32),
        _ => start + at as u32,
    }))
}

fn found_or(vm: &mut Vm, found: Option<u32>, must: bool) -> Res {
    match found {
        Some(at) => Ok(Value::small(at as i32)),
        None if must => Err(vm.raise(ids::ValueError, "substring not found")),
        None => Ok(Value::small(-1)),
    }
}

pub(super) fn find_method(vm: &mut Vm, args: Args) -> Res {
    let found = search(vm, args, false)?;
    found_or(vm, found, false)
}

pub(super) fn rfind(vm: &mut Vm, args: Args) -> Res {
    let found = search(vm, args, true)?;
    found_or(vm, found, false)
}

pub(super) fn index(vm: &mut Vm, args: Args) -> Res {
    let found = search(vm, args, false)?;
    found_or(vm, found, true)
}

pub(super) fn rindex(vm: &mut Vm, args: Args) -> Res {
    let found = search(vm, args, true)?;
    found_or(vm, found, true)
}

pub(super) fn count(vm: &mut Vm, args: Args) -> Res {
    let (text, needle) = (vm.arg(args, 0), vm.arg(args, 1));
    let text = vm.text_self(text)?;
    let needle = vm.text_arg(text.ty, needle)?.span;
    let (start, end) = range_args(vm, text, args, 2)?;
    let haystack = vm.bytes_at(text.span.part(start, end.saturating_sub(start)));
    let needle = vm.bytes_at(needle);
    if needle.is_empty() {
        return Ok(Value::small(unicode::count(haystack) as i32 + 1));
    }
    let (mut count, mut at) = (0, 0);
    while let Some(found) = find(&haystack[at..], needle, false) {
        (count, at) = (count + 1, at + found + needle.len());
    }
    Ok(Value::small(count))
}

pub(super) fn startswith(vm: &mut Vm, args: Args) -> Res {
    starts_or_ends(vm, args, <[u8]>::starts_with)
}

pub(super) fn endswith(vm: &mut Vm, args: Args) -> Res {
    starts_or_ends(vm, args, <[u8]>::ends_with)
}

fn starts_or_ends(vm: &mut Vm, args: Args, test: fn(&[u8], &[u8]) -> bool) -> Res {
    let (text, wanted) = (vm.arg(args, 0), vm.arg(args, 1));
    let text = vm.text_self(text)?;
    let (start, end) = range_args(vm, text, args, 2)?;
    let part = text.span.part(start.min(end), end.saturating_sub(start));
    let mut index = 0;
    let is_tuple = vm.is_a(wanted, ids::tuple);
    loop {
        let candidate = match is_tuple {
            false => wanted,
            true => match vm.sequence_get(wanted, index) {
                Some(candidate) => candidate,
                None => return Ok(Value::FALSE),
            },
        };
        let affix = vm.str_or_bytes_arg(candidate)?.span;
        let found = test(vm.bytes_at(part), vm.bytes_at(affix));
        if found || !is_tuple {
            return Ok(Value::bool(found));
        }
        index += 1;
    }
}

pub(super) fn strip(vm: &mut Vm, args: Args) -> Res {
    strip_ends(vm, args, true, true)
}

pub(super) fn lstrip(vm: &mut Vm, args: Args) -> Res {
    strip_ends(vm, args, true, false)
}

pub(super) fn rstrip(vm: &mut Vm, args: Args) -> Res {
    strip_ends(vm, args, false, true)
}

fn strip_ends(vm: &mut Vm, args: Args, left: bool, right: bool) -> Res {
    let text = vm.arg(args, 0);
    let text = vm.text_self(text)?;
    let characters = match vm.opt_arg(args, 1) {
        None => Span::Static(b" \t\n\r\x0b\x0c"),
        Some(given) => vm.text_arg(text.ty, given)?.span,
    };
    let (bytes, characters) = (vm.bytes_at(text.span), vm.bytes_at(characters));
    let keeps = |byte: &u8| !characters.contains(byte);
    let start = if left { bytes.iter().position(keeps) } else { Some(0) };
    let end = if right { bytes.iter().rposition(keeps).map(|at| at + 1) } else { Some(bytes.len()) };
    match (start, end) {
        (Some(start), Some(end)) if start < end => vm.text_part(text, start as u32, (end - start) as u32),
        _ => vm.text_like(text.ty, Span::Static(&[])),
    }
}

pub(super) fn replace(vm: &mut Vm, args: Args) -> Res {
    let value = vm.arg(args, 0);
    let mut most = u32::MAX;
    if let Some(given) = vm.opt_arg(args, 3) {
        let given = vm.int_arg(given)?;
        if given == 0 {
            return Ok(value);
        }
        most = u32::try_from(given).unwrap_or(u32::MAX);
    }
    let text = vm.text_self(value)?;
    let (old, new) = (vm.arg(args, 1), vm.arg(args, 2));
    let old = vm.text_arg(text.ty, old)?.span;
    let new = vm.text_arg(text.ty, new)?.span;
    let places = count_places(text.ty, vm.bytes_at(text.span), vm.bytes_at(old), most);
    if places == 0 {
        return Ok(value);
    }
    let kept = text.span.len() - places * old.len();
    let len = u64::from(kept) + u64::from(places) * u64::from(new.len());
    if len > u64::from(larch_heap::Header::MAX_COUNT) {
        return Err(vm.raise_memory());
    }
    let target = vm.alloc_text(text.ty.kind(), len as u32)?;
    let (mut from, mut to) = (0, TEXT_START);
    for place in 0..places {
        let rest = text.span.part(from, text.span.len() - from);
        // An empty `old` is at the start and then behind every character.
        let found = match (old.len(), place) {
            (0, 0) => 0,
            (0, _) if text.ty == TextType::Str => unicode::next(vm.bytes_at(rest), 0) as u32,
            (0, _) => 1,
            _ => find(vm.bytes_at(rest), vm.bytes_at(old), false).unwrap_or(0) as u32,
        };
        vm.copy_span(target, to, rest.part(0, found));
        vm.copy_span(target, to + found, new);
        to += found + new.len();
        from += found + old.len();
    }
    vm.copy_span(target, to, text.span.part(from, text.span.len() - from));
    vm.wrap_text(text.ty, target, false)
}

/// How many places of `text` hold `old`, counted up to `most`.
fn count_places(ty: TextType, text: &[u8], old: &[u8], most: u32) -> u32 {
    if old.is_empty() {
        let characters = if ty == TextType::Str { unicode::count(text) } else { text.len() as u32 };
        return most.min(characters + 1);
    }
    let (mut count, mut at) = (0, 0);
    while count < most
        && let Some(found) = find(&text[at..], old, false)
    {
        (count, at) = (count + 1, at + found + old.len());
    }
    count
}

pub(super) fn center(vm: &mut Vm, value: Value, width: Value) -> Res {
    let text = vm.text_self(value)?;
    let width = vm.int_arg(width)?.max(0) as u32;
    let characters = match text.ty.kind() {
        Kind::Str => vm.str_at(text.span).chars().count() as u32,
        _ => text.span.len(),
    };
    if characters >= width {
        return Ok(value);
    }
    let (pad, len) = (width - characters, width - characters + text.span.len());
    let at = vm.alloc_text(text.ty.kind(), len)?;
    vm.heap.bytes_mut(at, TEXT_START, len).fill(b' ');
    vm.copy_span(at, TEXT_START + pad / 2, text.span);
    vm.wrap_text(text.ty, at, false)
}

pub(super) fn lower(vm: &mut Vm, value: Value) -> Res {
    convert(vm, value, <[u8]>::make_ascii_lowercase)
}

pub(super) fn upper(vm: &mut Vm, value: Value) -> Res {
    convert(vm, value, <[u8]>::make_ascii_uppercase)
}

fn convert(vm: &mut Vm, value: Value, change: fn(&mut [u8])) -> Res {
    let text = vm.text_self(value)?;
    let len = text.span.len();
    let at = vm.alloc_text(text.ty.kind(), len)?;
    vm.copy_span(at, TEXT_START, text.span);
    change(vm.heap.bytes_mut(at, TEXT_START, len));
    vm.wrap_text(text.ty, at, false)
}

fn all(vm: &mut Vm, value: Value, test: fn(u8) -> bool) -> Res {
    let text = vm.text_self(value)?;
    let bytes = vm.bytes_at(text.span);
    Ok(Value::bool(!bytes.is_empty() && bytes.iter().all(|byte| test(*byte))))
}

pub(super) fn isspace(vm: &mut Vm, value: Value) -> Res {
    all(vm, value, unicode::is_space)
}

pub(super) fn isalpha(vm: &mut Vm, value: Value) -> Res {
    all(vm, value, |byte| byte.is_ascii_alphabetic())
}

pub(super) fn isdigit(vm: &mut Vm, value: Value) -> Res {
    all(vm, value, |byte| byte.is_ascii_digit())
}

/// Whether there are letters and all of them pass the test.
fn all_letters(vm: &mut Vm, value: Value, test: fn(&u8) -> bool) -> Res {
    let text = vm.text_self(value)?;
    let mut letters = vm.bytes_at(text.span).iter().filter(|byte| byte.is_ascii_alphabetic()).peekable();
    Ok(Value::bool(letters.peek().is_some() && letters.all(test)))
}

pub(super) fn isupper(vm: &mut Vm, value: Value) -> Res {
    all_letters(vm, value, u8::is_ascii_uppercase)
}

pub(super) fn islower(vm: &mut Vm, value: Value) -> Res {
    all_letters(vm, value, u8::is_ascii_lowercase)
}

/// `text * times` of a str or bytes.
pub(super) fn repeat(vm: &mut Vm, value: Value, times: Value) -> Res {
    let Some(times) = vm.repeat_count(times)? else { return Ok(Value::UNBOUND) };
    let text = vm.text_self(value)?;
    let total = vm.repeated_len(text.span.len(), times)?;
    if total == 0 {
        return vm.text_like(text.ty, Span::Static(&[]));
    }
    let at = vm.alloc_text(text.ty.kind(), total)?;
    if let (1, [byte]) = (text.span.len(), vm.bytes_at(text.span)) {
        let byte = *byte;
        vm.heap.bytes_mut(at, TEXT_START, total).fill(byte);
    } else {
        let mut filled = 0;
        while filled < total {
            vm.copy_span(at, TEXT_START + filled, text.span);
            filled += text.span.len();
        }
    }
    vm.wrap_text(text.ty, at, false)
}

impl Vm {
    /// A number as a byte.
    ///
    /// # Errors
    /// ValueError if it is none.
    pub(crate) fn byte_value(&mut self, number: i32) -> Res<u8> {
        match u8::try_from(number) {
            Ok(byte) => Ok(byte),
            Err(_) => Err(self.raise(ids::ValueError, "bytes value out of range")),
        }
    }
}
