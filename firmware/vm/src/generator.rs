//! Generators and coroutines: a function's frame that leaves the stack and comes back.
//!
//! A generator cell is `state | resume register << 8 | registers << 16`, then the place of its next instruction, the
//! function, and the registers.
//!
//! When a generator is resumed that is suspended in a `yield from` of a generator, and that one perhaps likewise, only the
//! last of the chain gets a frame, so a value costs the same at every depth. The others stay suspended; each gets the frame
//! when the one it waits for ends. Below a generator's frame lie the generator that was resumed, the one that runs, and its
//! function.

use larch_bytecode::op;
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
/// Suspended at a `YieldFrom`.
const DELEGATING: u32 = 8;

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

    /// Pushes the frame of a generator, or of the last one in its chain of delegates. The value sent goes where its `yield`
    /// wants it.
    fn push_generator(&mut self, resumed: Ref, sent: Value, kind: FrameKind, register: u8) -> Res<()> {
        let at = self.innermost(resumed);
        let word = self.heap.word(at, 0);
        if word & STATE == RUNNING || (word & STATE == 0 && !sent.is_none()) {
            return Err(self.raise_not_resumable(word));
        }
        let pc = self.heap.kept_place(self.heap.value(at, PLACE));
        let top = self.heap.top();
        let base = top + 3;
        let has_room = self.heap.window(base).is_some();
        let Some(frame) = self.frames.get_mut(self.depth).filter(|_| has_room) else {
            return Err(self.raise_recursion());
        };
        *frame = Frame { pc, base: base as u16, top: top as u16, kind, register };
        self.depth += 1;
        self.lay_out_generator(resumed, at);
        if word & STATE == STARTED {
            self.heap.set_stack(base + (word >> 8 & 0xff), sent);
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn raise_not_resumable(&mut self, word: u32) -> Raised {
        match word & STATE {
            RUNNING => self.raise(ids::ValueError, "generator already executing"),
            _ => self.raise(ids::TypeError, "can't send non-None value to a just-started generator"),
        }
    }

    /// Puts on the stack what a generator's frame needs.
    #[inline(always)]
    fn lay_out_generator(&mut self, resumed: Ref, at: Ref) {
        let word = self.heap.word(at, 0);
        let before = [resumed.into(), at.into(), self.heap.value(at, FUNCTION)];
        self.heap.push_values(before, at, REGISTERS, word >> 16);
        self.heap.set_word(at, 0, word & !STATE | RUNNING);
    }

    /// The last of the chain of generators that wait in a `yield from`, each for the next.
    #[inline(always)]
    fn innermost(&self, at: Ref) -> Ref {
        if self.heap.word(at, 0) & (STATE | DELEGATING) == STARTED | DELEGATING {
            return self.end_of_chain(at);
        }
        at
    }

    #[inline(never)]
    fn end_of_chain(&self, mut at: Ref) -> Ref {
        while self.heap.word(at, 0) & (STATE | DELEGATING) == STARTED | DELEGATING {
            match self.inner_of(at) {
                Some(inner) => at = inner,
                None => break,
            }
        }
        at
    }

    /// The generator for which one waits that is suspended at a `YieldFrom`. There is none if it waits for another kind of
    /// iterator, or its next step is its own: the other one has ended or not begun, or is to raise an exception.
    #[inline(always)]
    fn inner_of(&self, at: Ref) -> Option<Ref> {
        let (word, _) = self.heap.fetch(self.heap.kept_place(self.heap.value(at, PLACE)));
        let iterator = self.heap.slot(at, REGISTERS + u32::from(op::b(word)));
        let inner = self.heap.as_kind(iterator, Kind::Generator)?;
        let word = self.heap.word(inner, 0);
        (matches!(word & STATE, STARTED | RUNNING) && word & PENDING == 0).then_some(inner)
    }

    /// Whether a generator, or the last one in its chain of delegates, is running.
    fn is_executing(&self, at: Ref) -> bool {
        self.heap.word(self.innermost(at), 0) & STATE == RUNNING
    }

    /// The generator that waits for the one of the newest frame, if that was not resumed for its own sake.
    fn delegator(&self) -> Option<Ref> {
        let running = self.running_generator();
        let base = u32::from(self.frames[self.depth - 1].base);
        let mut at = self.heap.stack(base - 3).expect_cell("a generator's frame has what was resumed");
        while at != running {
            let inner = self.inner_of(at)?;
            if inner == running {
                return Some(at);
            }
            at = inner;
        }
        None
    }

    /// Gives the newest frame, whose generator has ended, to the generator that waits for it, behind its `YieldFrom`.
    fn enter_delegator(&mut self, at: Ref, result: Value) {
        let frame = self.frames[self.depth - 1];
        let base = u32::from(frame.base);
        let resumed = self.heap.stack(base - 3).expect_cell("a generator's frame has what was resumed");
        let register = self.heap.word(at, 0) >> 8 & 0xff;
        let place = self.heap.kept_place(self.heap.value(at, PLACE));
        self.frames[self.depth - 1].pc = self.heap.offset(place, 1);
        self.heap.set_top(u32::from(frame.top));
        self.lay_out_generator(resumed, at);
        self.heap.set_stack(base + register, result);
        self.heap.set_value(at, PLACE, MOVED_ON);
    }

    /// The generator whose frame is the newest.
    fn running_generator(&self) -> Ref {
        let base = u32::from(self.frames[self.depth - 1].base);
        self.heap.stack(base - 2).expect_cell("a generator's frame has its generator")
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
        let function = self.heap.value(at, FUNCTION).expect_cell("a generator has a function");
        let code = self.heap.value(function, FUNCTION_CODE).expect_cell("a function has code");
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
        if self.is_executing(at) {
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
    #[inline(always)]
    fn leave_suspended(&mut self, value: Value) -> Option<Value> {
        let mut frame = self.pop_frame();
        if frame.kind == FrameKind::YieldFrom {
            frame = self.leave_delegators(frame);
        }
        if frame.kind == FrameKind::Resume {
            return Some(value);
        }
        self.newest_window().set(frame.register, value);
        self.loop_jump(frame.kind == FrameKind::IterNext);
        None
    }

    /// Leaves the frames of the generators that delegate to the one whose frame was popped. They yield the same value and
    /// will go on at their `YieldFrom`.
    #[inline(never)]
    fn leave_delegators(&mut self, mut frame: Frame) -> Frame {
        while frame.kind == FrameKind::YieldFrom {
            let pc = self.heap.offset(self.frames[self.depth - 1].pc, -1);
            self.save_delegating(pc, frame.register);
            frame = self.pop_frame();
        }
        frame
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
            self.save_generator(pc, register);
        }
        let word = self.heap.word(at, 0);
        self.heap.set_word(at, 0, word & 0xffff_0000 | u32::from(register) << 8 | DELEGATING | STARTED);
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

    /// The generator of the newest frame returned. If native code waits, the answer is true, and it gets the value from
    /// [`Root::Returned`]; else the loop goes on.
    pub(crate) fn finish_generator(&mut self, kind: FrameKind, value: Value) -> bool {
        let delegator = self.delegator();
        self.end_generator(self.running_generator());
        if let Some(delegator) = delegator {
            self.enter_delegator(delegator, value);
            return false;
        }
        if kind != FrameKind::Resume {
            self.finish_generator_in_loop(kind, value);
            return false;
        }
        self.pop_frame();
        self.heap.set_root(Root::Returned, value);
        true
    }

    /// The generator of the newest frame has ended for a loop or a delegating generator.
    fn finish_generator_in_loop(&mut self, kind: FrameKind, value: Value) {
        let frame = self.pop_frame();
        if kind == FrameKind::YieldFrom {
            self.newest_window().set(frame.register, value);
            self.note_progress();
        } else {
            self.loop_jump(kind == FrameKind::ForIter);
        }
    }

    /// If the newest frame is a generator's, marks the generator as ended: an exception leaves it. True if the frame is now
    /// that of a generator that waited for it.
    pub(crate) fn close_generator_frame(&mut self) -> bool {
        let kind = self.frames[self.depth - 1].kind;
        if !matches!(
            kind,
            FrameKind::ForIter | FrameKind::IterNext | FrameKind::YieldFrom | FrameKind::Resume
        ) {
            return false;
        }
        let delegator = self.delegator();
        self.end_generator(self.running_generator());
        let exception = self.heap.root(Root::Raised);
        if self.is_instance(exception, ids::StopIteration.value()) {
            self.raise(ids::RuntimeError, "generator raised StopIteration");
        }
        if let Some(delegator) = delegator {
            self.enter_delegator(delegator, Value::NONE);
        }
        delegator.is_some()
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
        let word = self.heap.word(at, 0);
        if word & STATE == FINISHED {
            self.heap.set_root(Root::Returned, Value::NONE);
            return Ok(None);
        }
        if word & PENDING != 0
            && let Some(exception) = self.take_pending(at)
        {
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
        if self.is_executing(at) {
            return Err(self.raise(ids::ValueError, "generator already executing"));
        }
        match self.heap.word(at, 0) & STATE {
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
        if self.heap.word(at, 0) & DELEGATING == 0 {
            return None;
        }
        let (word, _) = self.heap.fetch(self.heap.kept_place(self.heap.value(at, PLACE)));
        Some(self.heap.slot(at, REGISTERS + u32::from(op::b(word))))
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
        let word = self.heap.word(at, 0);
        self.heap.set_word(at, 0, word & !DELEGATING);
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
