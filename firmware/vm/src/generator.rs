//! Generators and coroutines: a function's frame that leaves the stack and comes back.
//!
//! A generator cell is `state | resume register << 8 | registers << 16`, then the place of its next instruction, the
//! function, and the registers.

use larch_bytecode::op::{self, Op};
use larch_bytecode::qstr::Qstr;
use larch_heap::{Frame, FrameKind, Header, Kind, Ref, Root, Value};

use crate::call::FUNCTION_CODE;
use crate::code::Code;
use crate::native::{Raised, Res};
use crate::types::ids;
use crate::vm::Vm;

const STARTED: u32 = 1;
const RUNNING: u32 = 2;
const FINISHED: u32 = 3;
const STATE: u32 = 3;
/// `pend_throw` left an exception: where the next sent value would go, or in place of the place before the start.
const PENDING: u32 = 4;

const PLACE: u32 = 1;
const FUNCTION: u32 = 2;
const REGISTERS: u32 = 3;
/// The place of a running generator that has gone on since it was resumed.
const MOVED_ON: Value = Value::small(0);

/// What came of going on with something that yields.
pub(crate) enum Resumed {
    /// A frame was pushed; the loop goes on in it.
    Frame,
    /// It yielded.
    Yielded(Value),
    /// It ended.
    Returned(Value),
}

impl Vm {
    /// Makes a generator of a function whose arguments are in the registers at `base`.
    pub(crate) fn new_generator(&mut self, function: Ref, code: Code, base: u32) -> Res {
        let count = u32::from(code.signature(self).registers);
        let bound =
            u32::from(code.signature(self).positional) + u32::from(code.signature(self).keyword_only) + 2;
        let at = self.alloc(Header::new(Kind::Generator, REGISTERS + count))?;
        self.heap.set_word(at, 0, count << 16);
        let place = self.heap.place_value(code.entry(self));
        self.heap.set_value(at, PLACE, place);
        self.heap.set_value(at, FUNCTION, function.into());
        for index in 0..count.min(bound) {
            let value = self.heap.stack(base + index);
            self.heap.set_slot(at, REGISTERS + index, value);
        }
        Ok(at.into())
    }

    /// Pushes a generator's frame. The value sent goes where its `yield` wants it.
    fn push_generator(&mut self, at: Ref, sent: Value, kind: FrameKind, register: u8) -> Res<()> {
        let word = self.heap.word(at, 0);
        match word & STATE {
            RUNNING => return Err(self.raise(ids::ValueError, "generator already executing")),
            0 if !sent.is_none() => {
                return Err(
                    self.raise(ids::TypeError, "can't send non-None value to a just-started generator")
                );
            }
            _ => {}
        }
        let function = self.heap.value(at, FUNCTION);
        let top = self.heap.top();
        let count = word >> 16;
        // slot: the generator, then its function, then the registers.
        let base = top + 2;
        let pc = self.heap.kept_place(self.heap.value(at, PLACE));
        let has_room = self.heap.window(base).is_some();
        let Some(frame) = self.frames.get_mut(self.depth).filter(|_| has_room) else {
            return Err(self.raise_recursion());
        };
        *frame = Frame { pc, base: base as u16, top: top as u16, kind, register };
        self.depth += 1;
        self.heap.push(at.into());
        self.heap.push(function);
        self.heap.push_values(at, REGISTERS, count);
        if word & STATE == STARTED {
            self.heap.set_stack(base + (word >> 8 & 0xff), sent);
        }
        self.heap.set_word(at, 0, word & !STATE | RUNNING);
        Ok(())
    }

    /// The generator whose frame is the newest.
    fn running_generator(&self) -> Ref {
        let base = u32::from(self.frames[self.depth - 1].base);
        self.heap.stack(base - 2).as_cell().expect("a generator's frame has its generator")
    }

    /// Pushes the frame of a generator that a loop instruction iterates over; false if it has ended already.
    pub(crate) fn resume_in_loop(&mut self, at: Ref, kind: FrameKind, register: u8) -> Res<bool> {
        if self.heap.word(at, 0) & STATE == FINISHED {
            return Ok(false);
        }
        self.push_generator(at, Value::NONE, kind, register)?;
        Ok(true)
    }

    /// Where a generator starts, as its cell keeps it.
    fn first_place(&self, at: Ref) -> Value {
        let function = self.heap.value(at, FUNCTION).as_cell().expect("a generator has a function");
        let code = self.heap.value(function, FUNCTION_CODE).as_cell().expect("a function has code");
        self.heap.place_value(Code::new(self, code).entry(self))
    }

    /// Whether `pend_throw` left an exception for a generator.
    #[inline(always)]
    pub(crate) fn generator_is_pending(&self, at: Ref) -> bool {
        self.heap.word(at, 0) & PENDING != 0
    }

    /// `pend_throw`: the exception (None: none) is raised when the generator goes on; the one before is returned.
    ///
    /// # Errors
    /// ValueError if it is running.
    pub(crate) fn generator_pend(&mut self, at: Ref, exception: Value) -> Res {
        let word = self.heap.word(at, 0);
        if word & STATE == RUNNING {
            return Err(self.raise(ids::ValueError, "generator already executing"));
        }
        let before = self.take_pending(at).unwrap_or(Value::NONE);
        if word & STATE == FINISHED || exception.is_none() {
            return Ok(before);
        }
        let place = if word & STATE == STARTED { REGISTERS + (word >> 8 & 0xff) } else { PLACE };
        self.heap.set_slot(at, place, exception);
        self.heap.set_word(at, 0, word | PENDING);
        Ok(before)
    }

    fn take_pending(&mut self, at: Ref) -> Option<Value> {
        let word = self.heap.word(at, 0);
        if word & PENDING == 0 {
            return None;
        }
        self.heap.set_word(at, 0, word & !PENDING);
        let (place, rest) = match word & STATE == STARTED {
            true => (REGISTERS + (word >> 8 & 0xff), Value::NONE),
            false => (PLACE, self.first_place(at)),
        };
        let pending = self.heap.slot(at, place);
        self.heap.set_slot(at, place, rest);
        Some(pending)
    }

    /// Suspends the running generator at `pc` with a value: `Some` if native code waits for it.
    pub(crate) fn suspend(&mut self, pc: Ref, register: u8, value: Value) -> Option<Value> {
        self.save_generator(pc, register);
        self.leave_suspended(value)
    }

    /// Suspends the running generator at its `YieldFrom` at `pc`, with a value of what it delegates to.
    pub(crate) fn suspend_delegating(&mut self, pc: Ref, register: u8, value: Value) -> Option<Value> {
        self.save_delegating(pc, register);
        self.leave_suspended(value)
    }

    /// Leaves the frame of a generator that was saved, and of all those that delegate to it.
    fn leave_suspended(&mut self, value: Value) -> Option<Value> {
        loop {
            let frame = self.pop_frame();
            match frame.kind {
                FrameKind::ForIter | FrameKind::IterNext => {
                    let window = self
                        .heap
                        .window(u32::from(self.frames[self.depth - 1].base))
                        .expect("a frame has room");
                    window.set(frame.register, value);
                    self.loop_jump(frame.kind == FrameKind::IterNext);
                    return None;
                }
                FrameKind::YieldFrom => {
                    // The delegating generator yields the same value and will go on at its `YieldFrom`.
                    let pc = self.heap.offset(self.frames[self.depth - 1].pc, -1);
                    self.save_delegating(pc, frame.register);
                }
                _ => return Some(value),
            }
        }
    }

    fn save_generator(&mut self, pc: Ref, register: u8) {
        let at = self.running_generator();
        let base = u32::from(self.frames[self.depth - 1].base);
        let word = self.heap.word(at, 0);
        self.heap.set_values(at, REGISTERS, base, word >> 16);
        let place = self.heap.place_value(pc);
        self.heap.set_value(at, PLACE, place);
        self.heap.set_word(at, 0, word & 0xffff_0000 | u32::from(register) << 8 | STARTED);
    }

    /// As [`Vm::save_generator`]. If the generator was resumed at this `YieldFrom` and did nothing since, its registers are
    /// in its cell already.
    fn save_delegating(&mut self, pc: Ref, register: u8) {
        let at = self.running_generator();
        if self.heap.value(at, PLACE) != self.heap.place_value(pc) {
            return self.save_generator(pc, register);
        }
        let word = self.heap.word(at, 0);
        self.heap.set_word(at, 0, word & 0xffff_0000 | u32::from(register) << 8 | STARTED);
    }

    /// The newest frame, if it is a generator's, goes on behind a `YieldFrom` at which it may have been resumed.
    pub(crate) fn note_progress(&mut self) {
        let kind = self.frames[self.depth - 1].kind;
        if matches!(kind, FrameKind::ForIter | FrameKind::IterNext | FrameKind::YieldFrom | FrameKind::Resume)
        {
            let at = self.running_generator();
            self.heap.set_value(at, PLACE, MOVED_ON);
        }
    }

    /// Takes or skips the jump that follows a loop instruction of the newest frame.
    fn loop_jump(&mut self, taken: bool) {
        let pc = self.frames[self.depth - 1].pc;
        let (jump, next) = self.heap.fetch(pc);
        let target = if taken { self.heap.offset(next, op::j(jump)) } else { next };
        self.frames[self.depth - 1].pc = target;
    }

    fn end_generator(&mut self, at: Ref) {
        let word = self.heap.word(at, 0);
        self.heap.set_word(at, 0, word & !STATE | FINISHED);
        for index in 0..word >> 16 {
            self.heap.set_slot(at, REGISTERS + index, Value::UNBOUND);
        }
    }

    /// The generator of the newest frame returned to native code, which gets the value from [`Root::Returned`].
    pub(crate) fn finish_generator(&mut self, value: Value) {
        let at = self.running_generator();
        self.end_generator(at);
        self.pop_frame();
        self.heap.set_root(Root::Returned, value);
    }

    /// The generator of the newest frame returned to a loop or a delegating generator.
    pub(crate) fn finish_generator_in_loop(&mut self, kind: FrameKind, value: Value) {
        let at = self.running_generator();
        self.end_generator(at);
        let frame = self.pop_frame();
        if kind == FrameKind::YieldFrom {
            let window =
                self.heap.window(u32::from(self.frames[self.depth - 1].base)).expect("a frame has room");
            window.set(frame.register, value);
            self.note_progress();
        } else {
            self.loop_jump(kind == FrameKind::ForIter);
        }
    }

    /// If the newest frame is a generator's, marks the generator as ended: an exception leaves it.
    pub(crate) fn close_generator_frame(&mut self) {
        let kind = self.frames[self.depth - 1].kind;
        if matches!(kind, FrameKind::ForIter | FrameKind::IterNext | FrameKind::YieldFrom | FrameKind::Resume)
        {
            let at = self.running_generator();
            self.end_generator(at);
            let exception = self.heap.root(Root::Raised);
            if self.is_instance(exception, ids::StopIteration.value()) {
                self.raise(ids::RuntimeError, "generator raised StopIteration");
            }
        }
    }

    // ---- for native code ----

    /// The next value of a generator; unbound when it returned.
    pub(crate) fn generator_next(&mut self, at: Ref) -> Res {
        Ok(self.generator_send(at, Value::NONE)?.unwrap_or(Value::UNBOUND))
    }

    /// Goes on with a generator: a yielded value, or `None` when it returned (the value is in [`Root::Returned`]).
    ///
    /// # Errors
    /// What the generator raises.
    pub fn generator_send(&mut self, at: Ref, sent: Value) -> Res<Option<Value>> {
        if self.heap.word(at, 0) & STATE == FINISHED {
            self.heap.set_root(Root::Returned, Value::NONE);
            return Ok(None);
        }
        if let Some(exception) = self.take_pending(at) {
            return self.generator_throw(at, exception);
        }
        self.push_generator(at, sent, FrameKind::Resume, 0)?;
        let value = self.deeper_run()?;
        Ok((!value.is_unbound()).then_some(value))
    }

    /// Raises an exception (an object or a class) inside a generator, where it is suspended.
    ///
    /// # Errors
    /// What the generator raises (the exception itself, if it does not catch it).
    pub fn generator_throw(&mut self, at: Ref, exception: Value) -> Res<Option<Value>> {
        let scope = self.root(exception)?;
        self.take_pending(at);
        let result = self.throw_at(at, exception);
        self.release(scope);
        result
    }

    fn throw_at(&mut self, at: Ref, exception: Value) -> Res<Option<Value>> {
        match self.heap.word(at, 0) & STATE {
            RUNNING => return Err(self.raise(ids::ValueError, "generator already executing")),
            STARTED => {}
            _ => {
                self.end_generator(at);
                self.heap.set_root(Root::Returned, Value::NONE);
                let exception = self.exception_of(exception);
                return Err(self.raise_value(exception));
            }
        }
        if let Some(iterator) = self.delegate_of(at) {
            return self.throw_into_delegate(at, iterator, exception);
        }
        let exception = self.exception_of(exception);
        self.root(exception)?;
        self.push_generator(at, Value::NONE, FrameKind::Resume, 0)?;
        self.throw_in_newest(exception)
    }

    /// Raises in the frame that was just pushed, then runs it. Its place is behind the `Yield`, which is where the
    /// exception seems to come from.
    fn throw_in_newest(&mut self, exception: Value) -> Res<Option<Value>> {
        self.heap.set_root(Root::Raised, exception);
        let depth = self.depth;
        let result = self.deeper(Vm::run_throwing);
        if result.is_err() && self.depth >= depth {
            self.close_generator_frame();
            self.pop_frame();
        }
        let value = result?;
        Ok((!value.is_unbound()).then_some(value))
    }

    /// What a generator delegates to: the iterator of the `YieldFrom` at which it is suspended.
    fn delegate_of(&self, at: Ref) -> Option<Value> {
        let (word, _) = self.heap.fetch(self.heap.kept_place(self.heap.value(at, PLACE)));
        match Op::from_byte(word as u8) {
            Some(Op::YieldFrom) => Some(self.heap.slot(at, REGISTERS + u32::from(op::b(word)))),
            _ => None,
        }
    }

    /// `throw` while delegating: the inner iterator gets the exception first.
    fn throw_into_delegate(&mut self, at: Ref, iterator: Value, exception: Value) -> Res<Option<Value>> {
        let word = self.heap.word(at, 0);
        let register = word >> 8 & 0xff;
        self.heap.set_word(at, 0, word & !STATE | RUNNING);
        let scope = self.root(iterator)?;
        self.root(at.into())?;
        let inner = self.throw_into(iterator, exception);
        self.release(scope);
        let word = self.heap.word(at, 0);
        self.heap.set_word(at, 0, word & !STATE | STARTED);
        match inner {
            Ok(Some(value)) => Ok(Some(value)),
            Ok(None) if self.is_exit(exception) => {
                // Even a delegate that ends at it does not stop a GeneratorExit.
                let exception = self.exception_of(exception);
                self.root(exception)?;
                self.skip_delegation(at, register, Value::NONE);
                self.push_generator(at, Value::NONE, FrameKind::Resume, 0)?;
                self.throw_in_newest(exception)
            }
            Ok(None) => {
                // The delegate returned: the outer generator goes on behind its `YieldFrom`.
                let result = self.heap.root(Root::Returned);
                self.skip_delegation(at, register, result);
                self.push_generator(at, result, FrameKind::Resume, 0)?;
                let value = self.deeper_run()?;
                Ok((!value.is_unbound()).then_some(value))
            }
            Err(Raised) => {
                let exception = self.heap.root(Root::Raised);
                self.skip_delegation(at, register, Value::NONE);
                self.push_generator(at, Value::NONE, FrameKind::Resume, 0)?;
                self.throw_in_newest(exception)
            }
        }
    }

    fn skip_delegation(&mut self, at: Ref, register: u32, result: Value) {
        let place = self.heap.offset(self.heap.kept_place(self.heap.value(at, PLACE)), 1);
        let place = self.heap.place_value(place);
        self.heap.set_value(at, PLACE, place);
        self.heap.set_slot(at, REGISTERS + register, result);
    }

    /// Whether that is a GeneratorExit or its class.
    fn is_exit(&self, exception: Value) -> bool {
        let class = if self.is_class(exception) { exception } else { self.type_of(exception) };
        self.is_subclass(class, ids::GeneratorExit.value())
    }

    /// Throws into any iterator that yields values: a generator, or an object with `throw`.
    fn throw_into(&mut self, iterator: Value, exception: Value) -> Res<Option<Value>> {
        if let Some(at) = self.heap.as_kind(iterator, Kind::Generator) {
            return self.deeper(|vm| vm.generator_throw(at, exception));
        }
        let is_exit = self.is_exit(exception);
        let name = if is_exit { Qstr::close } else { Qstr::throw };
        let method = self.find_attr(iterator, name)?;
        if method.is_unbound() {
            let exception = self.exception_of(exception);
            return Err(self.raise_value(exception));
        }
        if is_exit {
            let value = self.call(method, &[])?;
            self.heap.set_root(Root::Returned, value);
            return Ok(None);
        }
        match self.call(method, &[exception]) {
            Ok(value) => Ok(Some(value)),
            Err(raised) => self.end_of_iteration(raised).map(|_| None),
        }
    }

    // ---- delegation ----

    /// The iterator of `yield from` or `await`.
    pub(crate) fn yield_iter(&mut self, value: Value, _is_await: bool) -> Res {
        if self.heap.as_kind(value, Kind::Generator).is_some() {
            return Ok(value);
        }
        self.iter(value)
    }

    /// One step of `yield from`.
    pub(crate) fn delegate(&mut self, iterator: Value, sent: Value, register: u8) -> Res<Resumed> {
        if let Some(at) = self.heap.as_kind(iterator, Kind::Generator) {
            if self.heap.word(at, 0) & STATE == FINISHED {
                return Ok(Resumed::Returned(Value::NONE));
            }
            if self.generator_is_pending(at) {
                return Ok(match self.generator_send(at, sent)? {
                    Some(value) => Resumed::Yielded(value),
                    None => Resumed::Returned(self.heap.root(Root::Returned)),
                });
            }
            self.push_generator(at, sent, FrameKind::YieldFrom, register)?;
            return Ok(Resumed::Frame);
        }
        self.heap.set_root(Root::Returned, Value::NONE);
        let next = match sent.is_none() {
            true => self.next(iterator),
            false => self.call_method(iterator, Qstr::send, &[sent]),
        };
        let value = match next {
            Ok(value) => value,
            Err(raised) => self.end_of_iteration(raised)?,
        };
        Ok(match value.is_unbound() {
            true => Resumed::Returned(self.heap.root(Root::Returned)),
            false => Resumed::Yielded(value),
        })
    }
}
