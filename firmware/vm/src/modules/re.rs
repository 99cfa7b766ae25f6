//! `re`: MicroPython's regular expressions: bytes, not characters; greedy and lazy `* + ?`, groups, classes, `\d\s\w`,
//! alternatives, `^ $`.
//!
//! A pattern is an `Object`: its program (bytes) and number of groups. A match is an `Object`: the text it is of, then
//! start and end of every group, None where a group took no part.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Value};

use super::re_match::{MAX_SLOTS, Search, UNSET};
use super::re_program;
use crate::native::{Args, Entry, ModuleDef, Native, Res, Rom, TypeDef};
use crate::print::{PrintKind, Sink};
use crate::text::Span;
use crate::types::ids;
use crate::types::text_object::{Text, TextType};
use crate::vm::Vm;

/// The module.
pub static RE: ModuleDef = ModuleDef { name: Qstr::re, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::re)),
    (Qstr::compile, Rom::Fn(Native::Var(1, 2, compile))),
    (Qstr::match_, Rom::Fn(Native::Var(2, 4, match_start))),
    (Qstr::search, Rom::Fn(Native::Var(2, 4, search))),
    (Qstr::sub, Rom::Fn(Native::Var(3, 5, sub))),
];

/// A compiled pattern.
pub static PATTERN: TypeDef = TypeDef {
    print: Some(print_pattern),
    entries: &[
        (Qstr::match_, Rom::Fn(Native::Var(2, 4, match_start))),
        (Qstr::search, Rom::Fn(Native::Var(2, 4, search))),
        (Qstr::split, Rom::Fn(Native::Var(2, 3, split))),
        (Qstr::sub, Rom::Fn(Native::Var(3, 5, sub))),
    ],
    ..TypeDef::new(Qstr::re)
};

/// A match.
pub static MATCH: TypeDef = TypeDef {
    print: Some(print_match),
    entries: &[
        (Qstr::group, Rom::Fn(Native::F2(group))),
        (Qstr::groups, Rom::Fn(Native::F1(groups))),
        (Qstr::span, Rom::Fn(Native::Var(1, 2, span))),
        (Qstr::start, Rom::Fn(Native::Var(1, 2, |vm, args| Ok(ends(vm, args)?.0)))),
        (Qstr::end, Rom::Fn(Native::Var(1, 2, |vm, args| Ok(ends(vm, args)?.1)))),
    ],
    ..TypeDef::new(Qstr::match_)
};

/// Values of a match before the groups' ends: type, text.
const FIRST_END: u32 = 2;

fn compile(vm: &mut Vm, args: Args) -> Res {
    let pattern = vm.arg(args, 0);
    compiled(vm, pattern)
}

fn compiled(vm: &mut Vm, pattern: Value) -> Res {
    let text = vm.str_or_bytes_arg(pattern)?;
    let (program, groups) = re_program::compile(vm, text.span)?;
    vm.alloc_values(Kind::Object, &[ids::re.value(), program, Value::small(groups as i32)])
}

/// A search with a pattern, which is compiled if it is text.
fn start_search(vm: &mut Vm, pattern: Value, text: Text) -> Res<Search> {
    let pattern = match vm.type_of(pattern) == ids::re.value() {
        true => pattern,
        false => compiled(vm, pattern)?,
    };
    vm.root(pattern)?;
    let at = pattern.expect_cell("a pattern");
    let program = vm.heap.value(at, 1);
    let program = vm.buffer_arg(program)?;
    let groups = vm.heap.value(at, 2).small_unchecked() as usize;
    Search::new(vm, program, text.span, groups)
}

fn match_start(vm: &mut Vm, args: Args) -> Res {
    search_once(vm, args, true)
}

fn search(vm: &mut Vm, args: Args) -> Res {
    search_once(vm, args, false)
}

fn search_once(vm: &mut Vm, args: Args, anchored: bool) -> Res {
    let (pattern, text) = (vm.arg(args, 0), vm.arg(args, 1));
    let text = vm.str_or_bytes_arg(text)?;
    let is_compiled = vm.type_of(pattern) == ids::re.value();
    let mut search = start_search(vm, pattern, text)?;
    let len = text.span.len() as i32;
    let mut from = 0;
    if let (true, Some(position)) = (is_compiled, vm.opt_arg(args, 2)) {
        from = vm.int_arg(position)?.clamp(0, len);
        if let Some(end) = vm.opt_arg(args, 3) {
            search.end = vm.int_arg(end)?.min(len).max(from) as u32;
        }
    }
    match search.find(vm, from as u32, anchored)? {
        true => new_match(vm, text, &search),
        false => Ok(Value::NONE),
    }
}

fn new_match(vm: &mut Vm, text: Text, search: &Search) -> Res {
    let count = 2 * search.groups as u32 + 2;
    let at = vm.alloc(larch_heap::Header::new(Kind::Object, FIRST_END + count))?;
    vm.heap.set_value(at, 0, ids::match_.value());
    vm.heap.set_value(at, 1, text.value);
    for index in 0..count {
        let end = search.slots[index as usize];
        let end = if end == UNSET { Value::NONE } else { Value::small(end as i32) };
        vm.heap.set_value(at, FIRST_END + index, end);
    }
    Ok(at.into())
}

/// Part of the text as a value of its type.
fn part(vm: &mut Vm, text: Text, from: u32, to: u32) -> Res {
    let span = text.span.part(from, to - from);
    match text.ty {
        TextType::Str => vm.decode_text(span, text.value),
        _ => vm.new_text_from(Kind::Bytes, span),
    }
}

// ---- matches ----

fn print_match(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    let at = value.expect_cell("a match");
    vm.emit_str(sink, "<match num=")?;
    vm.emit_int(sink, group_count(vm, at) as i32)?;
    vm.emit_str(sink, ">")
}

/// How many groups there are, the whole match included.
fn group_count(vm: &Vm, at: Ref) -> u32 {
    (vm.heap.header(at).count() - FIRST_END) / 2
}

/// Start and end of a group, if it took part.
fn group_ends(vm: &mut Vm, at: Ref, number: Value) -> Res<Option<(u32, u32)>> {
    let group = vm.int_arg(number)?;
    if group < 0 || group as u32 >= group_count(vm, at) {
        return Err(vm.raise_arg(ids::IndexError, number));
    }
    let end = |index| vm.heap.value(at, FIRST_END + 2 * group as u32 + index).as_small();
    Ok(end(0).zip(end(1)).map(|(start, end)| (start as u32, end as u32)))
}

fn group(vm: &mut Vm, matched: Value, number: Value) -> Res {
    let at = matched.expect_cell("a match");
    let text = vm.heap.value(at, 1);
    let text = vm.text_self(text)?;
    match group_ends(vm, at, number)? {
        Some((from, to)) => part(vm, text, from, to),
        None => Ok(Value::NONE),
    }
}

fn groups(vm: &mut Vm, matched: Value) -> Res {
    let count = group_count(vm, matched.expect_cell("a match"));
    let scope = vm.scope();
    for number in 1..count {
        let value = group(vm, matched, Value::small(number as i32))?;
        vm.root(value)?;
    }
    vm.new_tuple_from_stack(scope, count - 1)
}

/// Start and end of a group in characters, -1 if it took no part.
fn ends(vm: &mut Vm, args: Args) -> Res<(Value, Value)> {
    let at = vm.arg(args, 0).expect_cell("a match");
    let number = vm.opt_arg(args, 1).unwrap_or(Value::small(0));
    let text = vm.heap.value(at, 1);
    let ends = group_ends(vm, at, number)?;
    let place = |at: u32| match vm.is_str(text) {
        true => Value::small(vm.char_index(text, at) as i32),
        false => Value::small(at as i32),
    };
    Ok(ends.map_or((Value::small(-1), Value::small(-1)), |(start, end)| (place(start), place(end))))
}

fn span(vm: &mut Vm, args: Args) -> Res {
    let (start, end) = ends(vm, args)?;
    vm.new_tuple(&[start, end])
}

// ---- patterns ----

fn print_pattern(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    let at = value.expect_cell("a pattern");
    vm.emit_str(sink, "<re ")?;
    vm.emit_hex(sink, at.bits(), 1)?;
    vm.emit_str(sink, ">")
}

/// `pattern.split(text[, limit])`; stops at an empty match.
fn split(vm: &mut Vm, args: Args) -> Res {
    let (pattern, text) = (vm.arg(args, 0), vm.arg(args, 1));
    let text = vm.str_or_bytes_arg(text)?;
    let mut left = match vm.opt_arg(args, 2) {
        Some(limit) => vm.int_arg(limit)?,
        None => 0,
    };
    let mut search = start_search(vm, pattern, text)?;
    let list = vm.new_list(&[])?;
    vm.root(list)?;
    let list = list.expect_cell("a list");
    let mut from = 0;
    while search.find(vm, from, false)? && search.slots[0] != search.slots[1] {
        let piece = part(vm, text, from, search.slots[0])?;
        vm.list_append(list, piece)?;
        if search.groups > 0 {
            return Err(vm.raise(ids::NotImplementedError, "splitting with sub-captures"));
        }
        from = search.slots[1];
        left -= 1;
        if left == 0 {
            break;
        }
    }
    let piece = part(vm, text, from, text.span.len())?;
    vm.list_append(list, piece)?;
    Ok(list.into())
}

/// `sub(pattern, replacement, text[, count[, flags]])`; stops at an empty match.
fn sub(vm: &mut Vm, args: Args) -> Res {
    let (pattern, replacement, value) = (vm.arg(args, 0), vm.arg(args, 1), vm.arg(args, 2));
    let mut left = match vm.opt_arg(args, 3) {
        Some(count) => vm.int_arg(count)?,
        None => 0,
    };
    let text = vm.str_or_bytes_arg(value)?;
    let mut search = start_search(vm, pattern, text)?;
    let sink = vm.begin_text(text.ty.kind(), text.span.len() + 8)?;
    let is_text = vm.as_text(replacement).is_some();
    let (mut from, mut any) = (0, false);
    while search.find(vm, from, false)? && search.slots[0] != search.slots[1] {
        any = true;
        let scope = vm.scope();
        vm.emit_span(sink, text.span.part(from, search.slots[0] - from))?;
        let mut by = replacement;
        if !is_text {
            let matched = new_match(vm, text, &search)?;
            by = vm.call(replacement, &[matched])?;
            vm.root(by)?;
        }
        let by = vm.str_or_bytes_arg(by)?.span;
        replace(vm, sink, text, &search, by)?;
        vm.release(scope);
        from = search.slots[1];
        left -= 1;
        if left == 0 {
            break;
        }
    }
    if !any {
        return Ok(value);
    }
    vm.emit_span(sink, text.span.part(from, text.span.len() - from))?;
    vm.end_text(sink)
}

/// Writes a replacement; `\1` and `\g<1>` in it are groups.
fn replace(vm: &mut Vm, sink: Sink, text: Text, search: &Search, by: Span) -> Res<()> {
    let mut at = 0;
    while at < by.len() {
        let rest = &vm.bytes_at(by)[at as usize..];
        let plain = rest.iter().take_while(|byte| **byte != b'\\').count() as u32;
        if plain > 0 {
            vm.emit_span(sink, by.part(at, plain))?;
            at += plain;
            continue;
        }
        let named = rest[1..].starts_with(b"g<");
        let digits_at = if named { 3 } else { 1 };
        let digits = rest[digits_at..].iter().take_while(|byte| byte.is_ascii_digit());
        let (mut len, mut number) = (0, 0usize);
        for digit in digits {
            (len, number) = (len + 1, (number * 10 + usize::from(digit - b'0')).min(MAX_SLOTS));
        }
        if len == 0 {
            if rest.get(1) == Some(&b'\\') {
                vm.emit(sink, b"\\")?;
                at += 1;
            }
            at += 1;
            continue;
        }
        let closed = named && rest.get(digits_at + len) == Some(&b'>');
        at += (digits_at + len) as u32 + u32::from(closed);
        if number > search.groups {
            return Err(vm.raise_arg(ids::IndexError, Value::small(number as i32)));
        }
        let (start, end) = (search.slots[2 * number], search.slots[2 * number + 1]);
        if start != UNSET && end != UNSET {
            vm.emit_span(sink, text.span.part(start, end - start))?;
        }
    }
    Ok(())
}
