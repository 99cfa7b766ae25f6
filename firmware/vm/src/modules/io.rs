//! `io`: StringIO, BytesIO, and IOBase, from which Python classes derive that native code is to read or write as streams.
//! Files are the port's.
//!
//! A StringIO or BytesIO is a `RawObject`: position, type, content. The content is the string or bytes it was made of
//! until something is written, then a bytearray; None when it is closed.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use crate::native::{Args, Entry, ModuleDef, Native, Res, Rom, TypeDef};
use crate::print::{PrintKind, Sink};
use crate::text::{Span, TEXT_START};
use crate::types::ids;
use crate::unicode;
use crate::vm::Vm;

/// The module.
pub static IO: ModuleDef = ModuleDef {
    name: Qstr::io,
    entries: &[
        (Qstr::__name__, Rom::Str(Qstr::io)),
        (Qstr::open, Rom::Fn(Native::Kw(1, 8, |vm, args| (vm.hooks.open)(vm, args)))),
        (Qstr::IOBase, Rom::Type(ids::IOBase)),
        (Qstr::StringIO, Rom::Type(ids::StringIO)),
        (Qstr::BytesIO, Rom::Type(ids::BytesIO)),
        (Qstr::BufferedWriter, Rom::Type(ids::BufferedWriter)),
    ],
    attr: None,
};

/// `StringIO`
pub static STRING_IO: TypeDef = TypeDef {
    make: Some(|vm, _class, args| make(vm, ids::StringIO.value(), args)),
    print: Some(print),
    iter: Some(|_vm, stream| Ok(stream)),
    next: Some(next_line),
    entries: METHODS,
    ..TypeDef::new(Qstr::StringIO)
};

/// `BytesIO`
pub static BYTES_IO: TypeDef = TypeDef {
    make: Some(|vm, _class, args| make(vm, ids::BytesIO.value(), args)),
    print: Some(print),
    iter: Some(|_vm, stream| Ok(stream)),
    next: Some(next_line),
    entries: METHODS,
    ..TypeDef::new(Qstr::BytesIO)
};

/// `IOBase`
pub static IO_BASE: TypeDef = TypeDef {
    make: Some(|vm, _class, _args| vm.alloc_values(Kind::Object, &[ids::IOBase.value()])),
    ..TypeDef::new(Qstr::IOBase)
};

const METHODS: &[Entry] = &[
    (Qstr::read, Rom::Fn(Native::Var(1, 2, read))),
    (Qstr::readinto, Rom::Fn(Native::Var(2, 3, readinto))),
    (Qstr::readline, Rom::Fn(Native::Var(1, 2, readline))),
    (Qstr::write, Rom::Fn(Native::Var(2, 4, write))),
    (Qstr::seek, Rom::Fn(Native::Var(2, 3, seek))),
    (Qstr::tell, Rom::Fn(Native::F1(|vm, stream| Ok(Value::small(opened(vm, stream)?.position as i32))))),
    (Qstr::flush, Rom::Fn(Native::F1(|_vm, _stream| Ok(Value::NONE)))),
    (Qstr::close, Rom::Fn(Native::F1(close))),
    (Qstr::getvalue, Rom::Fn(Native::F1(getvalue))),
    (Qstr::__enter__, Rom::Fn(Native::F1(|_vm, stream| Ok(stream)))),
    (Qstr::__exit__, Rom::Fn(Native::Var(4, 4, |vm, args| close(vm, vm.arg(args, 0))))),
];

/// EINVAL
const INVALID: i32 = 22;

fn make(vm: &mut Vm, ty: Value, args: Args) -> Res {
    let source = vm.opt_arg(args, 0).unwrap_or(Value::NONE);
    let content = if source.is_none() || vm.is_a(source, ids::int) {
        let array = vm.new_array(Kind::ByteArray, b'B', 0)?;
        if let Some(room @ 1..) = source.as_small() {
            let scope = vm.root(array.into())?;
            vm.array_room(array, TEXT_START + room as u32)?;
            vm.release(scope);
        }
        array.into()
    } else {
        let span = vm.buffer_arg(source)?;
        let native = vm.native_part(source);
        match vm.str_span(native).is_some() || vm.bytes_span(native).is_some() {
            true => native,
            false => own_content(vm, span)?,
        }
    };
    vm.root(content)?;
    let at = vm.alloc(Header::new(Kind::RawObject, 3))?;
    vm.heap.set_value(at, 1, ty);
    vm.heap.set_value(at, 2, content);
    Ok(at.into())
}

/// A bytearray with the bytes of a span.
fn own_content(vm: &mut Vm, span: Span) -> Res {
    let bytes = vm.new_text_from(Kind::Bytes, span)?;
    vm.bytearray_around(bytes.expect_cell("a bytes cell"))
}

fn print(vm: &mut Vm, sink: Sink, stream: Value, _kind: PrintKind) -> Res<()> {
    let Some(at) = vm.native_part(stream).as_cell() else { return Ok(()) };
    vm.emit_str(
        sink,
        if vm.heap.value(at, 1) == ids::StringIO.value() { "<io.StringIO 0x" } else { "<io.BytesIO 0x" },
    )?;
    vm.emit_hex(sink, at.bits(), 1)?;
    vm.emit_str(sink, ">")
}

/// An open stream.
#[derive(Clone, Copy)]
struct Stream {
    at: Ref,
    position: u32,
    content: Span,
}

impl Stream {
    /// What is behind the position.
    fn rest(&self) -> Span {
        let from = self.position.min(self.content.len());
        self.content.part(from, self.content.len() - from)
    }

    /// Takes `len` bytes of the rest as a new str or bytes.
    fn take(&self, vm: &mut Vm, len: u32) -> Res {
        let part = self.rest().part(0, len);
        let taken = text(vm, self.at, part)?;
        vm.heap.set_word(self.at, 0, self.position + len);
        Ok(taken)
    }
}

/// A str or bytes, as the stream's type asks for.
fn text(vm: &mut Vm, at: Ref, part: Span) -> Res {
    match is_text(vm, at) {
        true => vm.decode_text(part, at.into()),
        false => vm.new_text_from(Kind::Bytes, part),
    }
}

fn is_text(vm: &Vm, at: Ref) -> bool {
    vm.heap.value(at, 1) == ids::StringIO.value()
}

/// # Errors
/// ValueError if the stream is closed.
fn opened(vm: &mut Vm, stream: Value) -> Res<Stream> {
    let at = vm.heap.as_kind(stream, Kind::RawObject).expect("a StringIO or BytesIO");
    let content = vm.heap.value(at, 2);
    match vm.buffer(content) {
        Some(span) => Ok(Stream { at, position: vm.heap.word(at, 0), content: span }),
        None => Err(vm.raise(ids::ValueError, "I/O operation on closed file")),
    }
}

/// A limit argument: `None` if it is absent, None or negative.
fn limit(vm: &mut Vm, args: Args) -> Res<Option<u32>> {
    match vm.opt_arg(args, 1) {
        None | Some(Value::NONE) => Ok(None),
        Some(given) => Ok(u32::try_from(vm.int_arg(given)?).ok()),
    }
}

fn read(vm: &mut Vm, args: Args) -> Res {
    let stream = vm.arg(args, 0);
    let stream = opened(vm, stream)?;
    let rest = stream.rest();
    let len = match limit(vm, args)? {
        None => rest.len(),
        Some(most) if is_text(vm, stream.at) => {
            unicode::position(vm.bytes_at(rest), most as i32).map_or(rest.len(), |at| at as u32)
        }
        Some(most) => most.min(rest.len()),
    };
    stream.take(vm, len)
}

fn readline(vm: &mut Vm, args: Args) -> Res {
    let stream = vm.arg(args, 0);
    let stream = opened(vm, stream)?;
    let most = limit(vm, args)?.unwrap_or(u32::MAX);
    take_line(vm, stream, most)
}

fn take_line(vm: &mut Vm, stream: Stream, most: u32) -> Res {
    let rest = vm.bytes_at(stream.rest());
    let line = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1) as u32;
    stream.take(vm, line.min(most))
}

fn next_line(vm: &mut Vm, stream: Value) -> Res {
    let stream = opened(vm, stream)?;
    if stream.rest().is_empty() {
        return Ok(Value::UNBOUND);
    }
    take_line(vm, stream, u32::MAX)
}

fn readinto(vm: &mut Vm, args: Args) -> Res {
    let (stream, target) = (vm.arg(args, 0), vm.arg(args, 1));
    let target = vm.buffer_mut_arg(target)?;
    let stream = opened(vm, stream)?;
    let most = match vm.opt_arg(args, 2) {
        Some(most) => vm.int_low_word(most)? as u32,
        None => u32::MAX,
    };
    let len = stream.rest().len().min(target.len()).min(most);
    if let Span::Cell { at, first, .. } = target {
        vm.copy_span(at, first, stream.rest().part(0, len));
    }
    vm.heap.set_word(stream.at, 0, stream.position + len);
    Ok(Value::small(len as i32))
}

/// `write(buffer[, len])`, `write(buffer, offset, len)`
fn write(vm: &mut Vm, args: Args) -> Res {
    let (stream, source) = (vm.arg(args, 0), vm.arg(args, 1));
    let mut numbers = [0, u32::MAX];
    let given = args.positional - 2;
    for index in 0..given {
        let number = vm.arg(args, 2 + index);
        numbers[usize::from(2 - given + index)] = vm.int_low_word(number)? as u32;
    }
    let len = vm.buffer_arg(source)?.len();
    let offset = numbers[0].min(len);
    let len = (len - offset).min(numbers[1]);
    let stream = opened(vm, stream)?;
    let (position, end) = (stream.position, stream.position.checked_add(len));
    let Some(end) = end else { return Err(vm.raise_memory()) };
    let storage = room(vm, stream, end)?;
    // The source may be the content itself, which may just have moved.
    let source = vm.buffer_arg(source)?.part(offset, len);
    vm.copy_span(storage, TEXT_START + position, source);
    vm.heap.set_word(stream.at, 0, end);
    Ok(Value::small(len as i32))
}

/// The storage of the content, with room for `len` bytes; the content is at least as long as that then.
fn room(vm: &mut Vm, stream: Stream, len: u32) -> Res<Ref> {
    let mut content = vm.heap.value(stream.at, 2);
    if vm.heap.as_kind(content, Kind::ByteArray).is_none() {
        content = own_content(vm, stream.content)?;
        vm.heap.set_value(stream.at, 2, content);
    }
    let array = content.expect_cell("a bytearray");
    let old_len = stream.content.len();
    let storage = match vm.heap.value(array, 1).as_cell() {
        Some(storage) if vm.heap.header(storage).count() >= len + TEXT_START => storage,
        _ => vm.array_room(array, len.saturating_add(len / 4 + 12))?,
    };
    vm.set_array_len(array, len.max(old_len));
    if stream.position > old_len {
        vm.heap.bytes_mut(storage, TEXT_START + old_len, stream.position - old_len).fill(0);
    }
    Ok(storage)
}

/// Makes room for `len` bytes at the position of a stream and steps over them: where they go. `None`: the object is no
/// StringIO or BytesIO.
pub(crate) fn advance(vm: &mut Vm, stream: Value, len: u32) -> Res<Option<(Ref, u32)>> {
    let Some(at) = vm.heap.as_kind(stream, Kind::RawObject) else { return Ok(None) };
    let class = vm.heap.value(at, 1);
    if class != ids::StringIO.value() && class != ids::BytesIO.value() {
        return Ok(None);
    }
    let stream = opened(vm, stream)?;
    let end = stream.position.saturating_add(len);
    let storage = room(vm, stream, end)?;
    vm.heap.set_word(at, 0, end);
    Ok(Some((storage, TEXT_START + stream.position)))
}

fn seek(vm: &mut Vm, args: Args) -> Res {
    let (stream, offset) = (vm.arg(args, 0), vm.arg(args, 1));
    let offset = vm.int_arg(offset)?;
    let whence = match vm.opt_arg(args, 2) {
        Some(whence) => vm.int_arg(whence)?,
        None => 0,
    };
    if whence == 0 && offset < 0 {
        return Err(vm.raise_os(INVALID));
    }
    let stream = opened(vm, stream)?;
    let from = match whence {
        1 => stream.position,
        2 => stream.content.len(),
        _ => 0,
    };
    let position = (i64::from(from) + i64::from(offset)).max(0);
    if position > i64::from(Value::SMALL_MAX) {
        return Err(vm.raise_os(INVALID));
    }
    vm.heap.set_word(stream.at, 0, position as u32);
    Ok(Value::small(position as i32))
}

fn close(vm: &mut Vm, stream: Value) -> Res {
    if let Some(at) = vm.heap.as_kind(stream, Kind::RawObject) {
        vm.heap.set_value(at, 2, Value::NONE);
    }
    Ok(Value::NONE)
}

fn getvalue(vm: &mut Vm, stream: Value) -> Res {
    let stream = opened(vm, stream)?;
    text(vm, stream.at, stream.content)
}

impl Vm {
    /// Everything that a stream still has to give, as bytes-like or str.
    ///
    /// # Errors
    /// OSError if `stream` is no stream; what reading raises.
    pub fn read_stream(&mut self, stream: Value) -> Res {
        if !self.is_a(stream, ids::IOBase) {
            return match self.find_attr(stream, Qstr::read)? {
                Value::UNBOUND => Err(self.raise(ids::OSError, "stream operation not supported")),
                read => self.call(read, &[]),
            };
        }
        let scope = self.scope();
        let buffer = self.new_array(Kind::ByteArray, b'B', CHUNK)?;
        self.root(buffer.into())?;
        let sink = self.begin_text(Kind::Bytes, CHUNK)?;
        loop {
            let got = self.call_method(stream, Qstr::readinto, &[buffer.into()])?;
            let got = self.stream_count(got, CHUNK)?;
            let span = self.array_span(buffer);
            if got == 0 {
                break;
            }
            self.emit_span(sink, span.part(0, got.min(span.len())))?;
        }
        let content = self.end_text(sink);
        self.release(scope);
        content
    }
}

/// Bytes asked of a Python stream at a time: MicroPython too reads no further than it must.
const CHUNK: u32 = 1;
