//! `json`: as MicroPython's: commas and colons count as white space when reading, and what JSON has no word for is
//! written as `repr` writes it.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};

use super::json_read;
use crate::native::{Args, Entry, ModuleDef, Native, Res, Rom};
use crate::print::{PrintKind, Sink};
use crate::text::Span;
use crate::types::ids;
use crate::vm::{Part, Vm};

/// The module.
pub static JSON: ModuleDef = ModuleDef { name: Qstr::json, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::json)),
    (Qstr::dump, Rom::Fn(Native::Kw(2, 2, dump))),
    (Qstr::dumps, Rom::Fn(Native::Kw(1, 1, dumps))),
    (Qstr::load, Rom::Fn(Native::F1(load))),
    (Qstr::loads, Rom::Fn(Native::F1(loads))),
];

fn loads(vm: &mut Vm, text: Value) -> Res {
    let span = vm.buffer_arg(text)?;
    let checked = vm.is_a(text, ids::str);
    json_read::read(vm, span, checked)
}

fn load(vm: &mut Vm, stream: Value) -> Res {
    let text = vm.read_stream(stream)?;
    vm.root(text)?;
    loads(vm, text)
}

/// What is written between items, and between keys and values.
#[derive(Clone, Copy)]
struct Separators {
    item: Span,
    key: Span,
}

fn separators(vm: &mut Vm, args: Args) -> Res<Separators> {
    let [given] = vm.named_args(args, args.positional, [Qstr::separators], [Value::NONE])?;
    if given.is_none() {
        return Ok(Separators { item: Span::Static(b", "), key: Span::Static(b": ") });
    }
    let (item, key) = match vm.sequence_items(given) {
        Some((cell, first, 2)) => (vm.heap.slot(cell, first), vm.heap.slot(cell, first + 1)),
        Some((_, _, len)) => {
            let parts = [Part::Text("requested length 2 but object has length "), Part::Int(len as i32)];
            return Err(vm.raise_parts(ids::ValueError, &parts));
        }
        None => {
            let parts = [Part::Text("object '"), Part::TypeOf(given), Part::Text("' isn't a tuple or list")];
            return Err(vm.raise_parts(ids::TypeError, &parts));
        }
    };
    Ok(Separators { item: vm.str_or_bytes_arg(item)?.span, key: vm.str_or_bytes_arg(key)?.span })
}

fn dumps(vm: &mut Vm, args: Args) -> Res {
    let separators = separators(vm, args)?;
    let value = vm.arg(args, 0);
    let sink = vm.begin_text(Kind::Str, 32)?;
    write(vm, sink, value, separators)?;
    vm.end_text(sink)
}

fn dump(vm: &mut Vm, args: Args) -> Res {
    let separators = separators(vm, args)?;
    let (value, stream) = (vm.arg(args, 0), vm.arg(args, 1));
    vm.stream_arg(stream)?;
    let sink = Sink::Stream(vm.root(stream)?);
    write(vm, sink, value, separators)?;
    Ok(Value::NONE)
}

fn write(vm: &mut Vm, sink: Sink, value: Value, separators: Separators) -> Res<()> {
    let value = vm.native_part(value);
    let word = match value {
        Value::NONE => "null",
        Value::TRUE => "true",
        Value::FALSE => "false",
        _ => "",
    };
    if !word.is_empty() {
        return vm.emit_str(sink, word);
    }
    if let Some(span) = vm.str_span(value).or_else(|| vm.bytes_span(value)) {
        return write_text(vm, sink, span);
    }
    match vm.heap.kind_of(value) {
        Some(Kind::List | Kind::Tuple) => vm.deeper(|vm| write_items(vm, sink, value, separators)),
        Some(Kind::Dict) => vm.deeper(|vm| write_dict(vm, sink, value, separators)),
        _ => vm.print_value(sink, value, PrintKind::Repr),
    }
}

fn write_items(vm: &mut Vm, sink: Sink, sequence: Value, separators: Separators) -> Res<()> {
    vm.emit_str(sink, "[")?;
    let mut index = 0;
    while let Some(item) = vm.sequence_get(sequence, index) {
        if index > 0 {
            vm.emit_span(sink, separators.item)?;
        }
        write_kept(vm, sink, item, separators)?;
        index += 1;
    }
    vm.emit_str(sink, "]")
}

/// Writes a value that Python code run meanwhile may drop from its container.
fn write_kept(vm: &mut Vm, sink: Sink, value: Value, separators: Separators) -> Res<()> {
    let scope = vm.root(value)?;
    write(vm, sink, value, separators)?;
    vm.release(scope);
    Ok(())
}

fn write_dict(vm: &mut Vm, sink: Sink, dict: Value, separators: Separators) -> Res<()> {
    let Some(at) = dict.as_cell() else { return Ok(()) };
    vm.emit_str(sink, "{")?;
    let (mut position, mut first) = (0, true);
    while let Some((found, key, _)) = vm.table_next(at, position) {
        if !first {
            vm.emit_span(sink, separators.item)?;
        }
        first = false;
        let quote = if vm.is_str(key) || vm.bytes_span(key).is_some() { "" } else { "\"" };
        vm.emit_str(sink, quote)?;
        write_kept(vm, sink, key, separators)?;
        vm.emit_str(sink, quote)?;
        vm.emit_span(sink, separators.key)?;
        if let Some((same, _, value)) = vm.table_next(at, found)
            && same == found
        {
            write_kept(vm, sink, value, separators)?;
        }
        position = found + 1;
    }
    vm.emit_str(sink, "}")
}

fn write_text(vm: &mut Vm, sink: Sink, span: Span) -> Res<()> {
    let is_plain = |byte: &u8| *byte >= 32 && !matches!(byte, b'"' | b'\\');
    vm.emit_str(sink, "\"")?;
    let mut at = 0;
    while at < span.len() {
        let rest = &vm.bytes_at(span)[at as usize..];
        let plain = rest.iter().take_while(|byte| is_plain(byte)).count() as u32;
        let escaped = rest.get(plain as usize).copied();
        vm.emit_span(sink, span.part(at, plain))?;
        at += plain + 1;
        match escaped {
            None => {}
            Some(byte @ (b'"' | b'\\')) => vm.emit(sink, &[b'\\', byte])?,
            Some(b'\n') => vm.emit(sink, b"\\n")?,
            Some(b'\r') => vm.emit(sink, b"\\r")?,
            Some(b'\t') => vm.emit(sink, b"\\t")?,
            Some(byte) => {
                vm.emit(sink, b"\\u")?;
                vm.emit_hex(sink, u32::from(byte), 4)?;
            }
        }
    }
    vm.emit_str(sink, "\"")
}
