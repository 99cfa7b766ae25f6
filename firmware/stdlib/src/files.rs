//! Open files: `open`, and the file objects of text and binary mode.
//!
//! A file is a `RawObject`: its handle ([`crate::held`]), then its type.

use larch_bytecode::qstr::Qstr;
use larch_hal::{FileError, FileHandle, FileMode, FileSystem, Whence};
use larch_heap::{Header, Kind, Value};
use larch_vm::native::{Args, Entry, Native, Rom, TypeDef};
use larch_vm::print::{PrintKind, Sink};
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use crate::path::path_arg;
use crate::{held, ids};

const EBADF: i32 = 9;
const EMFILE: u16 = 24;
const EINVAL: i32 = 22;
const ENODEV: i32 = 19;
/// Bytes moved between heap and file system at a time.
const CHUNK: usize = 128;

/// `io.FileIO`
pub static FILE: TypeDef = file_type(Qstr::FileIO);
/// `io.TextIOWrapper`
pub static TEXT_FILE: TypeDef = file_type(Qstr::TextIOWrapper);

const fn file_type(name: Qstr) -> TypeDef {
    TypeDef {
        print: Some(print),
        iter: Some(|_vm, file| Ok(file)),
        next: Some(next),
        entries: METHODS,
        ..TypeDef::new(name)
    }
}

const METHODS: &[Entry] = &[
    (Qstr::read, Rom::Fn(Native::Var(1, 2, read))),
    (Qstr::readinto, Rom::Fn(Native::Var(2, 3, readinto))),
    (Qstr::readline, Rom::Fn(Native::Var(1, 2, readline))),
    (Qstr::readlines, Rom::Fn(Native::F1(readlines))),
    (Qstr::write, Rom::Fn(Native::Var(2, 4, write))),
    (Qstr::seek, Rom::Fn(Native::Var(2, 3, seek))),
    (Qstr::tell, Rom::Fn(Native::F1(tell))),
    (Qstr::flush, Rom::Fn(Native::F1(flush))),
    (Qstr::close, Rom::Fn(Native::F1(close))),
    // A file never makes anybody wait.
    (
        Qstr::ioctl,
        Rom::Fn(Native::F3(|_vm, _file, request, asked| {
            Ok(if request == Value::small(3) { asked } else { Value::small(0) })
        })),
    ),
    (Qstr::__enter__, Rom::Fn(Native::F1(|_vm, file| Ok(file)))),
    (Qstr::__exit__, Rom::Fn(Native::Var(4, 4, |vm, args| close(vm, vm.arg(args, 0))))),
    (Qstr::__del__, Rom::Fn(Native::F1(close))),
];

/// The board's file system.
///
/// # Errors
/// OSError ENODEV if it has none.
pub fn file_system(vm: &mut Vm) -> Res<&mut dyn FileSystem> {
    if vm.port.files().is_none() {
        return Err(vm.raise_os(ENODEV));
    }
    Ok(vm.port.files().expect("just seen"))
}

/// What the file system answered, an error as OSError.
///
/// # Errors
/// OSError.
pub fn checked<T>(vm: &mut Vm, answer: Result<T, FileError>) -> Res<T> {
    answer.map_err(|FileError(number)| vm.raise_os(i32::from(number)))
}

/// `open(file, mode='r', …)`
///
/// # Errors
/// OSError, ValueError for an unknown mode.
pub fn open(vm: &mut Vm, args: Args) -> Res {
    let names = [Qstr::file, Qstr::mode, Qstr::buffering, Qstr::encoding];
    let [file, mode, ..] = vm.named_args(args, 0, names, [Value::NONE; 4])?;
    let given =
        if mode.is_none() { Value::qstr(larch_bytecode::qstr::ASCII[usize::from(b'r')]) } else { mode };
    if let Some(opened) = crate::mount::redirect(vm, file, Qstr::open, &[given])? {
        return Ok(opened);
    }
    let mut how = FileMode { read: true, ..FileMode::default() };
    let mut is_text = true;
    if !mode.is_none() {
        let Some(span) = vm.str_span(mode) else { return Err(vm.raise_implicit(mode)) };
        let mut letters = [0; 4];
        let len = (span.len() as usize).min(letters.len());
        letters[..len].copy_from_slice(&vm.bytes_at(span)[..len]);
        for letter in &letters[..len] {
            match letter {
                b'r' => {}
                b'w' => how = FileMode { write: true, create: true, truncate: true, ..FileMode::default() },
                b'a' => how = FileMode { write: true, create: true, append: true, ..FileMode::default() },
                b'x' => how = FileMode { write: true, create: true, exclusive: true, ..FileMode::default() },
                b'+' => (how.read, how.write) = (true, true),
                b'b' => is_text = false,
                b't' => is_text = true,
                _ => return Err(vm.raise(core_ids::ValueError, "bad mode")),
            }
        }
    }
    let path = path_arg(vm, file)?;
    let class = if is_text { ids::TEXT_FILE } else { ids::FILE };
    // The object comes first: when memory is short, no file is left open.
    let at = vm.alloc(Header::new(Kind::RawObject, 2))?;
    vm.heap.set_word(at, 0, 0);
    vm.heap.set_value(at, 1, class.value());
    let mut answer = file_system(vm)?.open(path.as_bytes(), how);
    if answer == Err(FileError(EMFILE)) {
        vm.root(at.into())?;
        close_forgotten(vm)?;
        answer = file_system(vm)?.open(path.as_bytes(), how);
    }
    let FileHandle(handle) = checked(vm, answer)?;
    held::set(vm, at.into(), Some(handle));
    Ok(at.into())
}

/// Closes the files whose objects nothing refers to any more.
fn close_forgotten(vm: &mut Vm) -> Res<()> {
    held::close_forgotten(vm, &[ids::FILE, ids::TEXT_FILE], FileHandle, |vm, held| {
        file_system(vm)?.close_unheld(held);
        Ok(())
    })
}

fn handle(vm: &mut Vm, file: Value) -> Res<FileHandle> {
    held::number(vm, file).map(FileHandle).ok_or_else(|| vm.raise_os(EBADF))
}

fn is_text(vm: &Vm, file: Value) -> bool {
    vm.type_of(file) == ids::TEXT_FILE.value()
}

fn print(vm: &mut Vm, sink: Sink, file: Value, _kind: PrintKind) -> Res<()> {
    let name = if is_text(vm, file) { "<io.TextIOWrapper " } else { "<io.FileIO " };
    vm.emit_str(sink, name)?;
    vm.emit_address(sink, file)?;
    vm.emit_str(sink, ">")
}

/// Reads into `bytes`: how many there were.
fn fill(vm: &mut Vm, file: FileHandle, bytes: &mut [u8]) -> Res<usize> {
    let answer = file_system(vm)?.read(file, bytes);
    checked(vm, answer)
}

fn kind_of(vm: &Vm, file: Value) -> Kind {
    if is_text(vm, file) { Kind::Str } else { Kind::Bytes }
}

fn read(vm: &mut Vm, args: Args) -> Res {
    let file = vm.arg(args, 0);
    let handle = handle(vm, file)?;
    let limit = match vm.opt_arg(args, 1).filter(|n| !n.is_none()) {
        Some(count) => vm.int_arg(count)?,
        None => -1,
    };
    let kind = kind_of(vm, file);
    if kind == Kind::Str && limit >= 0 {
        return read_characters(vm, handle, limit as u32);
    }
    let capacity = if limit >= 0 { (limit as u32).min(4096) } else { CHUNK as u32 };
    let sink = vm.begin_text(kind, capacity)?;
    let mut chunk = [0; CHUNK];
    let mut remaining = if limit >= 0 { limit as usize } else { usize::MAX };
    while remaining > 0 {
        let wanted = remaining.min(CHUNK);
        let count = fill(vm, handle, &mut chunk[..wanted])?;
        if count == 0 {
            break;
        }
        vm.emit(sink, &chunk[..count])?;
        remaining -= count;
    }
    finish(vm, sink, kind)
}

/// Ends a text; what is no UTF-8 is an error, as everywhere.
fn finish(vm: &mut Vm, sink: Sink, kind: Kind) -> Res {
    let text = vm.end_text(sink)?;
    let is_valid = match vm.str_span(text) {
        Some(span) if kind == Kind::Str => core::str::from_utf8(vm.bytes_at(span)).is_ok(),
        _ => true,
    };
    if is_valid { Ok(text) } else { Err(vm.raise_empty(core_ids::UnicodeError)) }
}

fn read_characters(vm: &mut Vm, file: FileHandle, count: u32) -> Res {
    let sink = vm.begin_text(Kind::Str, count.min(256))?;
    let mut chunk = [0; CHUNK];
    let mut missing = count as usize;
    // Every character has at least one byte, so this many bytes are surely wanted.
    while missing > 0 {
        let got = {
            let wanted = missing.min(CHUNK);
            fill(vm, file, &mut chunk[..wanted])?
        };
        if got == 0 {
            break;
        }
        vm.emit(sink, &chunk[..got])?;
        missing -= chunk[..got].iter().filter(|byte| **byte & 0xc0 != 0x80).count().min(missing);
        let tail = incomplete(&chunk[..got]);
        if tail > 0 {
            let more = fill(vm, file, &mut chunk[..tail])?;
            vm.emit(sink, &chunk[..more])?;
        }
    }
    finish(vm, sink, Kind::Str)
}

/// How many bytes the last character still lacks.
fn incomplete(bytes: &[u8]) -> usize {
    for (back, byte) in bytes.iter().rev().take(4).enumerate() {
        let len = match byte {
            0xf0.. => 4,
            0xe0.. => 3,
            0xc0.. => 2,
            0x80.. => continue,
            _ => 1,
        };
        return (len as usize).saturating_sub(back + 1);
    }
    0
}

fn readinto(vm: &mut Vm, args: Args) -> Res {
    let file = vm.arg(args, 0);
    let handle = handle(vm, file)?;
    let target = vm.arg(args, 1);
    let Some(span) = vm.buffer_mut(target) else {
        return Err(vm.raise(core_ids::TypeError, "object with buffer protocol required"));
    };
    let limit = match vm.opt_arg(args, 2) {
        Some(count) => (vm.int_arg(count)?.max(0) as u32).min(span.len()),
        None => span.len(),
    };
    let mut chunk = [0; CHUNK];
    let mut done = 0;
    while done < limit {
        let wanted = (limit - done).min(CHUNK as u32);
        let count = fill(vm, handle, &mut chunk[..wanted as usize])? as u32;
        if count == 0 {
            break;
        }
        vm.bytes_at_mut(span.part(done, count)).copy_from_slice(&chunk[..count as usize]);
        done += count;
    }
    Ok(Value::small(done as i32))
}

/// One line with its line feed, at most `limit` bytes; empty at the end.
fn line(vm: &mut Vm, file: Value, limit: usize) -> Res {
    let handle = handle(vm, file)?;
    let kind = kind_of(vm, file);
    let sink = vm.begin_text(kind, 32)?;
    let mut chunk = [0; 64];
    let mut remaining = limit;
    while remaining > 0 {
        let wanted = remaining.min(chunk.len());
        let count = fill(vm, handle, &mut chunk[..wanted])?;
        let end = chunk[..count].iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let used = end.unwrap_or(count);
        vm.emit(sink, &chunk[..used])?;
        remaining -= used;
        if used < count {
            let answer = file_system(vm)?.seek(handle, used as i32 - count as i32, Whence::Current);
            checked(vm, answer)?;
        }
        if end.is_some() || count == 0 {
            break;
        }
    }
    finish(vm, sink, kind)
}

fn readline(vm: &mut Vm, args: Args) -> Res {
    let limit = match vm.opt_arg(args, 1).filter(|n| !n.is_none()) {
        Some(count) => vm.int_arg(count)?,
        None => -1,
    };
    line(vm, vm.arg(args, 0), if limit < 0 { usize::MAX } else { limit as usize })
}

fn next(vm: &mut Vm, file: Value) -> Res {
    let text = line(vm, file, usize::MAX)?;
    let is_end = vm.len(text)? == 0;
    Ok(if is_end { Value::UNBOUND } else { text })
}

fn readlines(vm: &mut Vm, file: Value) -> Res {
    let list = vm.new_list(&[])?;
    vm.root(list)?;
    let cell = list.expect_cell("a list");
    loop {
        let scope = vm.scope();
        let text = next(vm, file)?;
        if text.is_unbound() {
            return Ok(list);
        }
        vm.root(text)?;
        vm.list_append(cell, text)?;
        vm.release(scope);
    }
}

fn write(vm: &mut Vm, args: Args) -> Res {
    let file = vm.arg(args, 0);
    let handle = handle(vm, file)?;
    let value = vm.arg(args, 1);
    let text = vm.str_span(value).filter(|_| is_text(vm, file));
    let Some(span) = text.or_else(|| vm.buffer(value)) else {
        return Err(vm.raise(core_ids::TypeError, "object with buffer protocol required"));
    };
    let mut chunk = [0; CHUNK];
    let mut done = 0;
    while done < span.len() {
        let count = (span.len() - done).min(CHUNK as u32);
        chunk[..count as usize].copy_from_slice(vm.bytes_at(span.part(done, count)));
        let answer = file_system(vm)?.write(handle, &chunk[..count as usize]);
        done += checked(vm, answer)? as u32;
    }
    Ok(Value::small(done as i32))
}

fn seek(vm: &mut Vm, args: Args) -> Res {
    let file = vm.arg(args, 0);
    let handle = handle(vm, file)?;
    let offset = vm.int_arg(vm.arg(args, 1))?;
    let whence = match vm.opt_arg(args, 2) {
        Some(whence) => vm.int_arg(whence)?,
        None => 0,
    };
    let whence = match whence {
        0 => Whence::Start,
        1 => Whence::Current,
        2 => Whence::End,
        _ => return Err(vm.raise_os(EINVAL)),
    };
    let answer = file_system(vm)?.seek(handle, offset, whence);
    let position = checked(vm, answer)?;
    Ok(Value::small(position as i32))
}

fn tell(vm: &mut Vm, file: Value) -> Res {
    let handle = handle(vm, file)?;
    let answer = file_system(vm)?.seek(handle, 0, Whence::Current);
    let position = checked(vm, answer)?;
    Ok(Value::small(position as i32))
}

fn flush(vm: &mut Vm, file: Value) -> Res {
    let handle = handle(vm, file)?;
    let answer = file_system(vm)?.sync(handle);
    checked(vm, answer)?;
    Ok(Value::NONE)
}

fn close(vm: &mut Vm, file: Value) -> Res {
    let Some(number) = held::number(vm, file) else { return Ok(Value::NONE) };
    held::set(vm, file, None);
    let answer = file_system(vm)?.close(FileHandle(number));
    checked(vm, answer)?;
    Ok(Value::NONE)
}
