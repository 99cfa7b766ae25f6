//! `io.BufferedWriter`: collects what is written and hands it to another stream in pieces of a fixed size.
//!
//! An `Object`: type, stream, buffer (a bytearray), how much of it is filled.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Value};

use crate::native::{Args, Native, Res, Rom, TypeDef};
use crate::types::ids;
use crate::vm::Vm;

/// `BufferedWriter`
pub static BUFFERED_WRITER: TypeDef = TypeDef {
    make: Some(make),
    entries: &[(Qstr::write, Rom::Fn(Native::F2(write))), (Qstr::flush, Rom::Fn(Native::F1(flush)))],
    ..TypeDef::new(Qstr::BufferedWriter)
};

const STREAM: u32 = 1;
const BUFFER: u32 = 2;
const FILLED: u32 = 3;
/// EIO: the stream took less than everything.
const EIO: i32 = 5;

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 2, 2)?;
    let (stream, size) = (vm.arg(args, 0), vm.arg(args, 1));
    let Ok(size @ 1..) = u32::try_from(vm.int_arg(size)?) else {
        return Err(vm.raise(ids::ValueError, "buffer size must be positive"));
    };
    let buffer = vm.new_array(Kind::ByteArray, b'B', size)?;
    vm.alloc_values(Kind::Object, &[ids::BufferedWriter.value(), stream, buffer.into(), Value::small(0)])
}

fn cell(writer: Value) -> Ref {
    writer.expect_cell("a writer is a cell")
}

fn filled(vm: &Vm, at: Ref) -> u32 {
    vm.heap.value(at, FILLED).small_unchecked() as u32
}

fn write(vm: &mut Vm, writer: Value, data: Value) -> Res {
    let at = cell(writer);
    let total = vm.buffer_arg(data)?.len();
    let mut done = 0;
    while done < total {
        let size = vm.buffer_arg(vm.heap.value(at, BUFFER))?.len();
        let have = filled(vm, at);
        let len = (total - done).min(size - have);
        let target = vm.buffer_mut_arg(vm.heap.value(at, BUFFER))?;
        let source = vm.buffer_arg(data)?.part(done, len);
        if let crate::text::Span::Cell { at: to, first, .. } = target {
            vm.copy_span(to, first + have, source);
        }
        vm.heap.set_value(at, FILLED, Value::small((have + len) as i32));
        done += len;
        if have + len == size {
            flush(vm, writer)?;
        }
    }
    Ok(Value::small(total as i32))
}

/// Hands over what was collected; it stays collected if the stream does not take all of it.
fn flush(vm: &mut Vm, writer: Value) -> Res {
    let at = cell(writer);
    let have = filled(vm, at);
    if have == 0 {
        return Ok(Value::NONE);
    }
    let buffer = vm.heap.value(at, BUFFER);
    let span = vm.buffer_arg(buffer)?.part(0, have);
    let piece = vm.new_text_from(Kind::Bytes, span)?;
    let piece = vm.bytearray_around(piece.expect_cell("bytes"))?;
    vm.root(piece)?;
    let stream = vm.heap.value(at, STREAM);
    let taken = vm.call_method(stream, Qstr::write, &[piece])?;
    if taken.as_small() != Some(have as i32) {
        return Err(vm.raise_os(EIO));
    }
    vm.heap.set_value(at, FILLED, Value::small(0));
    Ok(Value::NONE)
}
