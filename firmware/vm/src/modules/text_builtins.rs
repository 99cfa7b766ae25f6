//! Builtins about text: print, repr, ord, chr.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use crate::native::{Args, Res};
use crate::print::{PrintKind, Sink};
use crate::text::Span;
use crate::types::ids;
use crate::types::text_object::TextType;
use crate::unicode;
use crate::vm::{Part, Vm};

/// `print(*values, sep=" ", end="\n", file=stdout)`
pub(crate) fn print(vm: &mut Vm, args: Args) -> Res {
    let (mut separator, mut end) = (Span::Static(b" "), Span::Static(b"\n"));
    let mut sink = Sink::Console;
    for index in 0..args.keywords {
        let (name, value) = vm.keyword(args, index);
        match name {
            Qstr::sep => separator = vm.str_or_bytes_arg(value)?.span,
            Qstr::end => end = vm.str_or_bytes_arg(value)?.span,
            Qstr::file if value.is_none() => {}
            Qstr::file => {
                vm.stream_arg(value)?;
                sink = Sink::Stream(vm.root(value)?);
            }
            _ => return Err(vm.raise(ids::TypeError, "extra keyword arguments given")),
        }
    }
    for index in 0..args.positional {
        if index > 0 {
            vm.emit_span(sink, separator)?;
        }
        let value = vm.arg(args, index);
        vm.print_value(sink, value, PrintKind::Str)?;
    }
    vm.emit_span(sink, end)?;
    Ok(Value::NONE)
}

/// `repr(value)`
pub(crate) fn repr(vm: &mut Vm, value: Value) -> Res {
    vm.to_repr(value)
}

/// `ord(character)`
pub(crate) fn ord(vm: &mut Vm, value: Value) -> Res {
    let text = vm.str_or_bytes_arg(value)?;
    let bytes = vm.bytes_at(text.span);
    let (len, code) = match text.ty {
        TextType::Str => (unicode::count(bytes), unicode::decode(bytes)),
        _ => (text.span.len(), bytes.first().map_or(0, |byte| u32::from(*byte))),
    };
    if len != 1 {
        let parts = [
            Part::Text("ord() expected a character, but string of length "),
            Part::Int(len as i32),
            Part::Text(" found"),
        ];
        return Err(vm.raise_parts(ids::TypeError, &parts));
    }
    Ok(Value::small(code as i32))
}

/// `chr(code)`
pub(crate) fn chr(vm: &mut Vm, code: Value) -> Res {
    let code = vm.int_arg(code)?;
    match u32::try_from(code) {
        Ok(code @ 0..0x11_0000) => vm.char_str(code),
        _ => Err(vm.raise(ids::ValueError, "chr() arg not in range(0x110000)")),
    }
}
