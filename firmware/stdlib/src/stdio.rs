//! `sys.stdin`, `sys.stdout`, `sys.stderr`: the console as streams, of text and (`.buffer`) of bytes; and `input`.
//!
//! A stream is an `Object`: type, 0 for input, 1 for output or 2 for errors (which go to the same terminal).

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};
use larch_repl::{CTRL_C, CTRL_D, End, History, Host, LineBuffer, Prompt, Readline, SliceBuffer};
use larch_vm::native::{Args, AttrOp, Entry, Native, Rom, TypeDef};
use larch_vm::print::PrintKind;
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use crate::ids;

/// The text streams.
pub static STDIO: TypeDef =
    TypeDef { attr: Some(attr), entries: METHODS, ..TypeDef::new(Qstr::TextIOWrapper) };
/// The byte streams.
pub static STDIO_BUFFER: TypeDef = TypeDef { entries: METHODS, ..TypeDef::new(Qstr::FileIO) };

const METHODS: &[Entry] = &[
    (Qstr::read, Rom::Fn(Native::Var(1, 2, read))),
    (Qstr::readinto, Rom::Fn(Native::Var(2, 3, readinto))),
    (Qstr::readline, Rom::Fn(Native::Var(1, 2, readline))),
    (Qstr::write, Rom::Fn(Native::F2(write))),
    (
        Qstr::flush,
        Rom::Fn(Native::F1(|vm, _| {
            vm.port.flush();
            Ok(Value::NONE)
        })),
    ),
    (Qstr::close, Rom::Fn(Native::F1(|_vm, _| Ok(Value::NONE)))),
    (
        Qstr::fileno,
        Rom::Fn(Native::F1(|vm, stream| Ok(stream.as_cell().map_or(Value::NONE, |at| vm.heap.value(at, 1))))),
    ),
    (Qstr::ioctl, Rom::Fn(Native::F3(ioctl))),
    (Qstr::__enter__, Rom::Fn(Native::F1(|_vm, stream| Ok(stream)))),
    (Qstr::__exit__, Rom::Fn(Native::Var(4, 4, |_vm, _args| Ok(Value::NONE)))),
];

const EPERM: i32 = 1;
const EINVAL: i32 = 22;
/// Longest line of `input`.
const INPUT_MAX: usize = 256;

/// The machine's hook for `sys.stdin` and its like.
///
/// # Errors
/// MemoryError.
pub fn stream(vm: &mut Vm, name: Qstr) -> Res {
    let number = match name {
        Qstr::stdin => 0,
        Qstr::stdout => 1,
        _ => 2,
    };
    vm.alloc_values(Kind::Object, &[ids::STDIO.value(), Value::small(number)])
}

fn attr(vm: &mut Vm, stream: Value, name: Qstr, op: AttrOp) -> Res {
    if name != Qstr::buffer || op != AttrOp::Get {
        return Ok(Value::UNBOUND);
    }
    let direction = stream.as_cell().map_or(Value::small(0), |at| vm.heap.value(at, 1));
    vm.alloc_values(Kind::Object, &[ids::STDIO_BUFFER.value(), direction])
}

fn is_output(vm: &Vm, stream: Value) -> bool {
    stream.as_cell().is_some_and(|at| vm.heap.value(at, 1) != Value::small(0))
}

fn is_text(vm: &Vm, stream: Value) -> bool {
    vm.type_of(stream) == ids::STDIO.value()
}

/// The request of `select.poll`, and its flags.
const POLL: i32 = 3;
const READABLE: i32 = 1;
const WRITABLE: i32 = 4;

fn ioctl(vm: &mut Vm, stream: Value, request: Value, asked: Value) -> Res {
    if vm.int_arg(request)? != POLL {
        return Err(vm.raise_os(EINVAL));
    }
    let asked = vm.int_arg(asked)?;
    let can = match is_output(vm, stream) {
        true => WRITABLE,
        false if vm.is_typed() => READABLE,
        false => 0,
    };
    Ok(Value::small(asked & can))
}

/// Waits for a byte from the terminal; KeyboardInterrupt and scheduled work come through.
fn next_byte(vm: &mut Vm) -> Res<u8> {
    loop {
        if larch_vm::vm::PENDING.load(core::sync::atomic::Ordering::Relaxed) {
            vm.handle_pending()?;
        }
        if let Some(byte) = vm.read_typed() {
            return Ok(byte);
        }
        vm.port.idle(None);
    }
}

fn read(vm: &mut Vm, args: Args) -> Res {
    let stream = vm.arg(args, 0);
    if is_output(vm, stream) {
        return Err(vm.raise_os(EPERM));
    }
    let limit = match vm.opt_arg(args, 1).filter(|n| !n.is_none()) {
        Some(count) => vm.int_arg(count)?,
        None => -1,
    };
    let kind = if is_text(vm, stream) { Kind::Str } else { Kind::Bytes };
    let sink = vm.begin_text(kind, 16)?;
    let mut count = 0;
    while limit < 0 || count < limit {
        let byte = next_byte(vm)?;
        if limit < 0 && byte == CTRL_D {
            break;
        }
        vm.emit(sink, &[byte])?;
        // A character's continuation bytes belong to it.
        if kind == Kind::Bytes || byte & 0xc0 != 0x80 {
            count += 1;
        }
    }
    vm.end_text(sink)
}

fn readinto(vm: &mut Vm, args: Args) -> Res {
    let target = vm.arg(args, 1);
    let Some(span) = vm.buffer_mut(target) else {
        return Err(vm.raise(core_ids::TypeError, "object with buffer protocol required"));
    };
    let limit = match vm.opt_arg(args, 2) {
        Some(count) => (vm.int_arg(count)?.max(0) as u32).min(span.len()),
        None => span.len(),
    };
    for index in 0..limit {
        let byte = next_byte(vm)?;
        vm.bytes_at_mut(span.part(index, 1))[0] = byte;
    }
    Ok(Value::small(limit as i32))
}

fn readline(vm: &mut Vm, args: Args) -> Res {
    let stream = vm.arg(args, 0);
    let kind = if is_text(vm, stream) { Kind::Str } else { Kind::Bytes };
    let limit = match vm.opt_arg(args, 1).filter(|n| !n.is_none()) {
        Some(count) => vm.int_arg(count)?,
        None => i32::MAX,
    };
    let sink = vm.begin_text(kind, 32)?;
    let mut count = 0;
    while count < limit {
        let byte = next_byte(vm)?;
        // A terminal's Enter key is a carriage return.
        let byte = if byte == b'\r' { b'\n' } else { byte };
        vm.emit(sink, &[byte])?;
        count += 1;
        if byte == b'\n' {
            break;
        }
    }
    vm.end_text(sink)
}

fn write(vm: &mut Vm, stream: Value, value: Value) -> Res {
    if !is_output(vm, stream) {
        return Err(vm.raise_os(EPERM));
    }
    let Some(span) = vm.str_span(value).or_else(|| vm.buffer(value)) else {
        return Err(vm.raise(core_ids::TypeError, "object with buffer protocol required"));
    };
    let is_text = is_text(vm, stream);
    let mut piece = [0; 64];
    let mut done = 0;
    let whole = span.len();
    // The terminal's duplicate may be Python code that changes what is being written.
    while let Some(span) = vm.str_span(value).or_else(|| vm.buffer(value)).filter(|span| done < span.len()) {
        let len = (span.len() - done).min(piece.len() as u32);
        piece[..len as usize].copy_from_slice(vm.bytes_at(span.part(done, len)));
        if is_text {
            vm.write(&piece[..len as usize]);
        } else {
            vm.write_raw(&piece[..len as usize]);
        }
        done += len;
    }
    Ok(Value::small(whole as i32))
}

/// The terminal, for a line of `input`.
struct Terminal<'v>(&'v mut Vm);

impl Host for Terminal<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write_raw(bytes);
    }

    fn write_banner(&mut self) {}

    fn write_prompt(&mut self, _prompt: Prompt) {}
}

/// The machine's hook for `input([prompt])`: one line, edited as at the prompt.
///
/// # Errors
/// EOFError on Ctrl-D at the start of the line, KeyboardInterrupt on Ctrl-C.
pub fn input(vm: &mut Vm, args: Args) -> Res {
    if let Some(prompt) = vm.opt_arg(args, 0) {
        vm.print(prompt, PrintKind::Str)?;
    }
    let (mut text, mut history) = ([0; INPUT_MAX], [0; 0]);
    let mut line = SliceBuffer::new(&mut text);
    let mut history = History::new(&mut history);
    let mut readline = Readline::default();
    readline.begin(Prompt::Primary, &mut line, &mut Terminal(vm));
    let end = loop {
        let byte = next_byte(vm)?;
        if let Some(end) = readline.push(byte, &mut line, &mut history, &mut Terminal(vm)) {
            break end;
        }
    };
    match end {
        End::Control(CTRL_C) => Err(vm.raise_empty(core_ids::KeyboardInterrupt)),
        End::Control(CTRL_D) if line.len() == 0 => Err(vm.raise_empty(core_ids::EOFError)),
        _ => match core::str::from_utf8(line.as_bytes()) {
            Ok(text) => vm.new_str(text),
            Err(_) => Err(vm.raise_empty(core_ids::UnicodeError)),
        },
    }
}
