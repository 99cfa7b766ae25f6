//! The terminal: the port's console, and a stream beside it (`os.dupterm`) that is told what is written and asked what is typed.
//!
//! Invariants:
//! - Whoever writes keeps alive what it still needs, as for every [`crate::Sink`]: the stream's methods may be Python.
//! - While the stream works nothing is told it, scheduled work and Ctrl-C wait, and what the machine was about stays as it was.
//! - A stream that raises is taken away; nothing of that reaches the program that printed.
//!
//! Output is told in pieces: at the end of a line, when the buffer is full, and when the machine looks up.
//!
//! Source: MicroPython's `extmod/os_dupterm.c`.

use core::sync::atomic::Ordering;

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Root, Value};

use crate::native::{Raised, Res};
use crate::print::Sink;
use crate::vm::{INTERRUPTED, PENDING, Vm, interrupt};

/// Bytes that wait to be told.
const OUT: usize = 64;
/// Bytes that wait to be read.
const TYPED: usize = 32;
/// What must be left of frames, registers and native stack for the stream to be told; less, and its text waits.
const FRAMES: usize = 16;
const REGISTERS: u32 = 256;
const NATIVE_STACK: usize = 4096;
/// The request of `ioctl` that asks what can be done without waiting.
const POLL: Value = Value::small(3);

const EOF: &[u8] = b"dupterm: EOF received, deactivating\n";
const READ_FAILED: &[u8] = b"dupterm: Exception in read() method, deactivating: ";
const WRITE_FAILED: &[u8] = b"dupterm: Exception in write() method, deactivating: ";

/// What is on its way between the machine and the stream.
pub(crate) struct Terminal {
    out: [u8; OUT],
    out_len: usize,
    typed: [u8; TYPED],
    typed_len: usize,
    interrupt_byte: Option<u8>,
    has_stream: bool,
    is_busy: bool,
}

impl Terminal {
    pub(crate) const fn new() -> Self {
        Self {
            out: [0; OUT],
            out_len: 0,
            typed: [0; TYPED],
            typed_len: 0,
            interrupt_byte: None,
            has_stream: false,
            is_busy: false,
        }
    }
}

impl Vm {
    /// Writes text.
    pub fn write(&mut self, bytes: &[u8]) {
        self.port.write_text(bytes);
        if self.terminal.has_stream {
            self.tell_text(bytes);
        }
    }

    /// Writes bytes as they are.
    pub fn write_raw(&mut self, bytes: &[u8]) {
        self.port.write(bytes);
        if self.terminal.has_stream {
            self.tell(bytes);
        }
    }

    /// Chooses the byte that stops the running program instead of being read.
    pub fn set_interrupt_byte(&mut self, byte: Option<u8>) {
        self.terminal.interrupt_byte = byte;
        self.port.set_interrupt_byte(byte);
    }

    /// The next byte that was typed, if there is one.
    pub fn read_typed(&mut self) -> Option<u8> {
        if let Some(byte) = self.port.read() {
            return Some(byte);
        }
        let Terminal { typed, typed_len, .. } = &mut self.terminal;
        if *typed_len > 0 {
            let byte = typed[0];
            typed.copy_within(1..*typed_len, 0);
            *typed_len -= 1;
            return Some(byte);
        }
        self.ask_for_byte()
    }

    /// Whether [`Vm::read_typed`] would give a byte.
    pub fn is_typed(&mut self) -> bool {
        const READABLE: i32 = 1;
        if self.port.readable() || self.terminal.typed_len > 0 {
            return true;
        }
        let asked =
            |vm: &mut Vm, stream| vm.call_method(stream, Qstr::ioctl, &[POLL, Value::small(READABLE)]);
        match self.with_stream(asked) {
            Some(Ok(events)) => events.as_small().is_some_and(|events| events & READABLE != 0),
            _ => false,
        }
    }

    /// The stream, or None.
    pub fn duplicate(&self) -> Value {
        match self.heap.root(Root::Duplicate) {
            Value::UNBOUND => Value::NONE,
            stream => stream,
        }
    }

    /// Sets the stream, or takes it away (None).
    pub fn set_duplicate(&mut self, stream: Value) {
        self.tell_rest();
        self.terminal.has_stream = !stream.is_none();
        self.terminal.out_len = 0;
        self.heap.set_root(Root::Duplicate, if stream.is_none() { Value::UNBOUND } else { stream });
    }

    /// Reads what the stream has, so that Ctrl-C among it stops the running program.
    pub fn listen_to_duplicate(&mut self) {
        while self.terminal.typed_len < TYPED {
            let Some(byte) = self.ask_for_byte() else { return };
            self.terminal.typed[self.terminal.typed_len] = byte;
            self.terminal.typed_len += 1;
        }
    }

    /// Tells the stream what waits, if there is room for it to work.
    pub fn tell_rest(&mut self) {
        if self.terminal.out_len == 0 || self.terminal.is_busy || !self.has_room_for_stream() {
            return;
        }
        let (text, len) = (self.terminal.out, core::mem::take(&mut self.terminal.out_len));
        let told = |vm: &mut Vm, stream| {
            let Ok(array) = vm.new_bytes(&text[..len]).and_then(|bytes| {
                let at = bytes.expect_cell("bytes of more than one");
                vm.bytearray_around(at)
            }) else {
                // Not even that much memory: this text is lost, the stream is not.
                vm.take_raised();
                return Ok(Value::NONE);
            };
            vm.call_method(stream, Qstr::write, &[array])
        };
        if let Some(Err(exception)) = self.with_stream(told) {
            self.deactivate(WRITE_FAILED, exception);
        }
    }

    #[cold]
    fn tell_text(&mut self, bytes: &[u8]) {
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                self.tell(b"\r\n");
                self.tell_rest();
            }
            self.tell(line);
        }
    }

    fn tell(&mut self, bytes: &[u8]) {
        if self.terminal.is_busy {
            return;
        }
        for byte in bytes {
            if self.terminal.out_len == OUT {
                self.tell_rest();
            }
            if let Some(place) = self.terminal.out.get_mut(self.terminal.out_len) {
                *place = *byte;
                self.terminal.out_len += 1;
            }
        }
        PENDING.store(true, Ordering::Relaxed);
    }

    fn has_room_for_stream(&self) -> bool {
        self.heap_locked == 0
            && self.depth + FRAMES < self.frames.len()
            && self.heap.stack_room() > REGISTERS
            && (self.hooks.stack_room)() > NATIVE_STACK
    }

    /// Has the stream do something; None if there is none, or it is at work.
    fn with_stream(&mut self, work: impl FnOnce(&mut Vm, Value) -> Res) -> Option<Result<Value, Value>> {
        if !self.terminal.has_stream || self.terminal.is_busy || !self.has_room_for_stream() {
            return None;
        }
        let stream = self.duplicate();
        let scope = self.root(stream).ok()?;
        let kept = [Root::Raised, Root::Returned].map(|root| (root, self.heap.root(root)));
        for (_, value) in kept {
            self.root(value).ok()?;
        }
        self.terminal.is_busy = true;
        let was_locked = core::mem::replace(&mut self.scheduler_locked, true);
        let answer = work(self, stream);
        self.scheduler_locked = was_locked;
        self.terminal.is_busy = false;
        let answer = answer.map_err(|Raised| self.take_raised());
        for (root, value) in kept {
            self.heap.set_root(root, value);
        }
        self.release(scope);
        if INTERRUPTED.load(Ordering::Relaxed) || !self.heap.root(Root::Scheduled).is_unbound() {
            PENDING.store(true, Ordering::Relaxed);
        }
        Some(answer)
    }

    /// One byte of the stream's; Ctrl-C is none.
    fn ask_for_byte(&mut self) -> Option<u8> {
        let mut byte = 0;
        let answer = self.with_stream(|vm, stream| {
            let array = vm.new_array(Kind::ByteArray, b'B', 1)?;
            vm.root(array.into())?;
            let count = vm.call_method(stream, Qstr::readinto, &[array.into()])?;
            if let Some(span) = vm.buffer(array.into()).filter(|span| !span.is_empty()) {
                byte = vm.byte_at(span, 0);
            }
            Ok(count)
        })?;
        match answer {
            Ok(Value::NONE) => None,
            Ok(count) if count == Value::small(0) => {
                self.deactivate(EOF, Value::UNBOUND);
                None
            }
            Ok(_) if self.terminal.interrupt_byte == Some(byte) => {
                interrupt();
                None
            }
            Ok(_) => Some(byte),
            Err(exception) => {
                self.deactivate(READ_FAILED, exception);
                None
            }
        }
    }

    /// Takes the stream away, says why, and closes it.
    fn deactivate(&mut self, why: &[u8], exception: Value) {
        let scope = self.scope();
        let stream = self.duplicate();
        let kept = self.heap.root(Root::Raised);
        let is_kept = [exception, stream, kept].into_iter().all(|value| self.root(value).is_ok());
        self.terminal.out_len = 0;
        self.set_duplicate(Value::NONE);
        self.write(why);
        if is_kept {
            let shown = match exception {
                Value::UNBOUND => Ok(()),
                exception => self.print_exception(Sink::Console, exception),
            };
            // A stream that is not a stream any more may fail to close.
            if shown.and_then(|()| self.call_method(stream, Qstr::close, &[])).is_err() {
                self.take_raised();
            }
        }
        self.heap.set_root(Root::Raised, kept);
        self.release(scope);
    }
}
