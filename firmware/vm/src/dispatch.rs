//! The instruction loop.
//!
//! [`Vm::run`] executes the newest frame until a frame that native code asked for returns. Python calls inside it push
//! frames and go on in the same loop; only built-in code that calls back makes Rust recurse.
//!
//! Invariants: code was verified when it was made, so operands are in range; the running frame's place is in the local
//! `pc` and is written to its record before anything can look at it (a call, an exception).

use core::sync::atomic::Ordering;

use larch_bytecode::op::{self, Op};
use larch_bytecode::qstr::Qstr;
use larch_heap::{FrameKind, Immediate, Kind, Ref, Root, Value, Window};

use crate::attr_cache::Found;
use crate::call::{Called, FUNCTION_CELLS, FUNCTION_CODE, FUNCTION_GLOBALS};
use crate::code::Code;
use crate::generator::Resumed;
use crate::native::{Args, AttrOp, BinaryOp, ItemOp, Native, Raised, Res, Rom, RomRef, UnaryOp};
use crate::types::ids;
use crate::vm::{PENDING, Part, Vm};

/// The running frame.
#[derive(Clone, Copy)]
struct State {
    pc: Ref,
    window: Window,
    code: Ref,
}

impl Vm {
    /// Runs the newest frame to its end.
    ///
    /// # Errors
    /// What it raises and does not catch.
    pub(crate) fn run(&mut self) -> Res {
        self.run_from(self.depth)
    }

    /// As [`Vm::run`], but first raises the exception that is kept as raised in the newest frame.
    ///
    /// # Errors
    /// What is not caught.
    pub(crate) fn run_throwing(&mut self) -> Res {
        let bottom = self.depth;
        self.unwind(bottom, Raised)?;
        self.run_from(bottom)
    }

    fn run_from(&mut self, bottom: usize) -> Res {
        loop {
            match self.run_frames() {
                Ok(value) => return Ok(value),
                Err(raised) => self.unwind(bottom, raised)?,
            }
        }
    }

    /// The registers of the newest frame.
    #[inline(always)]
    pub(crate) fn newest_window(&self) -> Window {
        self.heap.known_window(u32::from(self.frames[self.depth - 1].base))
    }

    #[inline]
    fn load_state(&self) -> State {
        let frame = &self.frames[self.depth - 1];
        let window = self.heap.known_window(u32::from(frame.base));
        let function = window.function().expect_cell("a frame has a function");
        let code = self.heap.value(function, FUNCTION_CODE).expect_cell("a function has code");
        State { pc: frame.pc, window, code }
    }

    /// Finds the handler of the exception that was raised: in the newest frame, or in those below it down to the one at
    /// depth `bottom`.
    fn unwind(&mut self, bottom: usize, raised: Raised) -> Res<()> {
        loop {
            let state = self.load_state();
            let exception = self.heap.root(Root::Raised);
            let code = Code::new(self, state.code);
            let position = code.position(self, state.pc).saturating_sub(1);
            let (word, _) = self.heap.fetch(code.place(self, position));
            if word as u8 != Op::Reraise as u8 {
                self.add_traceback(exception, code, position);
            }
            if let Some((target, register)) = code.handler(self, position) {
                state.window.set(register, exception);
                self.heap.set_root(Root::Raised, Value::UNBOUND);
                self.frames[self.depth - 1].pc = code.place(self, target);
                self.note_progress();
                return Ok(());
            }
            if self.close_generator_frame() {
                continue;
            }
            let depth = self.depth;
            let frame = self.pop_frame();
            if depth == bottom {
                return Err(raised);
            }
            debug_assert!(!matches!(frame.kind, FrameKind::Entry | FrameKind::Resume));
        }
    }

    #[expect(
        clippy::too_many_lines,
        non_upper_case_globals,
        reason = "one arm for each instruction, named as in the table"
    )]
    fn run_frames(&mut self) -> Res {
        use op::byte::*;
        'frame: loop {
            let State { window: w, code, mut pc } = self.load_state();

            macro_rules! fetch {
                () => {{
                    let (word, next) = self.heap.fetch(pc);
                    pc = next;
                    word
                }};
            }
            // Runs something that may raise.
            macro_rules! attempt {
                ($e:expr) => {
                    match $e {
                        Ok(value) => value,
                        Err(raised) => {
                            self.frames[self.depth - 1].pc = pc;
                            return Err(raised);
                        }
                    }
                };
            }
            // Goes on in the frame that was just pushed.
            macro_rules! enter {
                () => {{
                    let caller = self.depth - 2;
                    self.frames[caller].pc = pc;
                    continue 'frame;
                }};
            }
            // Goes on below a frame that was left, or is done with what native code waits for.
            macro_rules! leave {
                ($result:expr) => {
                    match $result {
                        Some(value) => return Ok(value),
                        None => continue 'frame,
                    }
                };
            }
            macro_rules! binary {
                ($word:expr, $op:expr) => {{
                    let value = attempt!(self.binary($op, w.get(op::b($word)), w.get(op::c($word))));
                    w.set(op::a($word), value);
                }};
            }
            // A binary operator whose small-int case is `checked`.
            macro_rules! arithmetic {
                ($word:expr, $op:expr, |$l:ident, $r:ident| $checked:expr) => {{
                    let (left, right) = (w.get(op::b($word)), w.get(op::c($word)));
                    if left.both_small(right) {
                        let ($l, $r) = (left.small_unchecked(), right.small_unchecked());
                        if let Some(value) = $checked {
                            w.set(op::a($word), value);
                            continue;
                        }
                    }
                    let value = attempt!(self.arithmetic_slow($op, left, right));
                    w.set(op::a($word), value);
                }};
            }
            macro_rules! arithmetic_immediate {
                ($word:expr, $op:expr, |$l:ident, $r:ident| $checked:expr) => {{
                    let left = w.get(op::b($word));
                    if let Some($l) = left.as_small() {
                        let $r = i32::from(op::i($word));
                        if let Some(value) = $checked {
                            w.set(op::a($word), value);
                            continue;
                        }
                    }
                    let right = Value::small(i32::from(op::i($word)));
                    let value = attempt!(self.arithmetic_slow($op, left, right));
                    w.set(op::a($word), value);
                }};
            }
            macro_rules! take_jump {
                ($taken:expr) => {{
                    let jump = fetch!();
                    if $taken {
                        let offset = op::j(jump);
                        if offset < 0 && PENDING.load(Ordering::Relaxed) {
                            attempt!(self.handle_pending());
                        }
                        pc = self.heap.offset(pc, offset);
                    }
                }};
            }
            macro_rules! compare {
                ($word:expr, $op:expr, |$l:ident, $r:ident| $small:expr) => {{
                    let ($l, $r) = (w.get(op::b($word)), w.get(op::c($word)));
                    let answer = if $l.both_small($r) {
                        let ($l, $r) = ($l.small_unchecked(), $r.small_unchecked());
                        Value::bool($small)
                    } else {
                        attempt!(self.arithmetic_slow($op, $l, $r))
                    };
                    w.set(op::a($word), answer);
                }};
            }
            macro_rules! test {
                ($word:expr, $op:expr, |$l:ident, $r:ident| $small:expr) => {{
                    let ($l, $r) = (w.get(op::b($word)), w.get(op::c($word)));
                    let truth = if $l.both_small($r) {
                        let ($l, $r) = ($l.small_unchecked(), $r.small_unchecked());
                        $small
                    } else {
                        attempt!(self.compare_slow($op, $l, $r))
                    };
                    take_jump!(truth == (op::a($word) != 0));
                }};
            }
            macro_rules! test_immediate {
                ($word:expr, $op:expr, |$l:ident, $r:ident| $small:expr) => {{
                    let left = w.get(op::b($word));
                    let $r = i32::from(op::i($word));
                    let truth = match left.as_small() {
                        Some($l) => $small,
                        None => attempt!(self.compare_slow($op, left, Value::small($r))),
                    };
                    take_jump!(truth == (op::a($word) != 0));
                }};
            }

            loop {
                let word = fetch!();
                let a = op::a(word);
                let opcode = word as u8;
                // Every byte has an arm, so no range is checked.
                match opcode {
                    // These do not pass the verifier.
                    op::no_opcode!() => attempt!(Err(self.raise(ids::RuntimeError, "bad bytecode"))),
                    Move => w.set(a, w.get(op::b(word))),
                    LoadInt => w.set(a, Value::small(i32::from(op::s(word)))),
                    LoadConst => w.set(a, self.heap.slot(code, 1 + u32::from(op::x(word)))),
                    LoadQstr => w.set(a, Value::qstr(Qstr(op::x(word)))),
                    LoadNone => w.set(a, Value::NONE),
                    LoadBool => w.set(a, Value::bool(op::b(word) != 0)),
                    LoadUnbound => w.set(a, Value::UNBOUND),
                    CheckLocal => {
                        if w.get(a).is_unbound() {
                            attempt!(Err(self.raise_unbound()));
                        }
                    }
                    Ext => {
                        let next = fetch!();
                        attempt!(self.run_extended(w, code, next, u32::from(op::x(word)) << 8));
                    }

                    LoadName => {
                        let value = attempt!(self.load_name(w, Qstr(op::x(word))));
                        w.set(a, value);
                    }
                    StoreName => attempt!(self.store_name(w, Qstr(op::x(word)), w.get(a))),
                    DelName => {
                        let namespace = w.get(0).as_cell().unwrap_or(code);
                        attempt!(self.delete_name(namespace, Qstr(op::x(word))));
                    }
                    LoadGlobal => {
                        let value = attempt!(self.load_global(w, Qstr(op::x(word))));
                        w.set(a, value);
                    }
                    StoreGlobal => {
                        let globals = self.globals_of(w);
                        attempt!(self.store_global(globals, Qstr(op::x(word)), w.get(a)));
                    }
                    DelGlobal => {
                        let globals = self.globals_of(w);
                        attempt!(self.delete_name(globals, Qstr(op::x(word))));
                    }
                    MakeCell => {
                        let cell = attempt!(self.alloc_values(Kind::Cell, &[w.get(a)]));
                        w.set(a, cell);
                    }
                    LoadCell => {
                        let value = self.cell_value(w.get(op::b(word)));
                        if value.is_unbound() {
                            attempt!(Err(self.raise_unbound()));
                        }
                        w.set(a, value);
                    }
                    StoreCell => self.set_cell(w.get(op::b(word)), w.get(a)),
                    DelCell => {
                        if self.cell_value(w.get(op::b(word))).is_unbound() {
                            attempt!(Err(self.raise_unbound()));
                        }
                        self.set_cell(w.get(op::b(word)), Value::UNBOUND);
                    }
                    LoadFree => {
                        let value = self.cell_value(self.free_cell(w, op::b(word)));
                        if value.is_unbound() {
                            attempt!(Err(self.raise_unbound()));
                        }
                        w.set(a, value);
                    }
                    StoreFree => self.set_cell(self.free_cell(w, op::b(word)), w.get(a)),
                    DelFree => {
                        let cell = self.free_cell(w, op::b(word));
                        if self.cell_value(cell).is_unbound() {
                            attempt!(Err(self.raise_unbound()));
                        }
                        self.set_cell(cell, Value::UNBOUND);
                    }
                    FreeCell => w.set(a, self.free_cell(w, op::b(word))),

                    GetAttr => {
                        let name = Code::new(self, code).name_at(self, u32::from(op::c(word)));
                        let value = attempt!(self.get_attr_fast(w.get(op::b(word)), name));
                        w.set(a, value);
                    }
                    SetAttr => {
                        let name = Code::new(self, code).name_at(self, u32::from(op::b(word)));
                        attempt!(self.set_attr_fast(w.get(a), name, w.get(op::c(word))));
                    }
                    DelAttr => {
                        let name = Code::new(self, code).name_at(self, u32::from(op::b(word)));
                        attempt!(self.change_attr(w.get(a), name, AttrOp::Delete));
                    }
                    GetMethod => {
                        let name = Code::new(self, code).name_at(self, u32::from(op::c(word)));
                        attempt!(self.get_method(w, a, w.get(op::b(word)), name));
                    }
                    GetItem => {
                        let (object, index) = (w.get(op::b(word)), w.get(op::c(word)));
                        let value = match self.item_fast(object, index) {
                            Some(value) => value,
                            None => attempt!(self.item(object, index, ItemOp::Get)),
                        };
                        w.set(a, value);
                    }
                    GetItemI => {
                        let (object, index) = (w.get(op::b(word)), Value::small(i32::from(op::i(word))));
                        let value = match self.item_fast(object, index) {
                            Some(value) => value,
                            None => attempt!(self.item(object, index, ItemOp::Get)),
                        };
                        w.set(a, value);
                    }
                    SetItem => {
                        let (object, index, value) = (w.get(a), w.get(op::b(word)), w.get(op::c(word)));
                        if !self.set_item_fast(object, index, value) {
                            attempt!(self.item(object, index, ItemOp::Set(value)));
                        }
                    }
                    DelItem => {
                        attempt!(self.item(w.get(a), w.get(op::b(word)), ItemOp::Delete));
                    }
                    BuildSlice => {
                        let b = op::b(word);
                        let slice = attempt!(self.new_slice(w.get(b), w.get(b + 1), w.get(b + 2)));
                        w.set(a, slice);
                    }

                    Add => arithmetic!(word, BinaryOp::Add, |l, r| Value::try_small(l + r)),
                    Sub => arithmetic!(word, BinaryOp::Sub, |l, r| Value::try_small(l - r)),
                    Mul => {
                        arithmetic!(word, BinaryOp::Mul, |l, r| l.checked_mul(r).and_then(Value::try_small))
                    }
                    TrueDiv => binary!(word, BinaryOp::TrueDiv),
                    FloorDiv => arithmetic!(word, BinaryOp::FloorDiv, |l, r| floor_div(l, r)),
                    Mod => arithmetic!(word, BinaryOp::Mod, |l, r| floor_mod(l, r)),
                    Pow => binary!(word, BinaryOp::Pow),
                    MatMul => binary!(word, BinaryOp::MatMul),
                    And => arithmetic!(word, BinaryOp::And, |l, r| Some(Value::small(l & r))),
                    Or => arithmetic!(word, BinaryOp::Or, |l, r| Some(Value::small(l | r))),
                    Xor => arithmetic!(word, BinaryOp::Xor, |l, r| Some(Value::small(l ^ r))),
                    Shl => arithmetic!(word, BinaryOp::Shl, |l, r| shift_left(l, r)),
                    Shr => arithmetic!(word, BinaryOp::Shr, |l, r| shift_right(l, r)),
                    IAdd => arithmetic!(word, BinaryOp::IAdd, |l, r| Value::try_small(l + r)),
                    ISub => arithmetic!(word, BinaryOp::ISub, |l, r| Value::try_small(l - r)),
                    IMul => {
                        arithmetic!(word, BinaryOp::IMul, |l, r| l.checked_mul(r).and_then(Value::try_small))
                    }
                    ITrueDiv => binary!(word, BinaryOp::ITrueDiv),
                    IFloorDiv => arithmetic!(word, BinaryOp::IFloorDiv, |l, r| floor_div(l, r)),
                    IMod => arithmetic!(word, BinaryOp::IMod, |l, r| floor_mod(l, r)),
                    IPow => binary!(word, BinaryOp::IPow),
                    IMatMul => binary!(word, BinaryOp::IMatMul),
                    IAnd => arithmetic!(word, BinaryOp::IAnd, |l, r| Some(Value::small(l & r))),
                    IOr => arithmetic!(word, BinaryOp::IOr, |l, r| Some(Value::small(l | r))),
                    IXor => arithmetic!(word, BinaryOp::IXor, |l, r| Some(Value::small(l ^ r))),
                    IShl => arithmetic!(word, BinaryOp::IShl, |l, r| shift_left(l, r)),
                    IShr => arithmetic!(word, BinaryOp::IShr, |l, r| shift_right(l, r)),
                    AddI | IAddI => {
                        let left = w.get(op::b(word));
                        let by = i32::from(op::i(word));
                        if let Some(value) = left.as_small().and_then(|left| Value::try_small(left + by)) {
                            w.set(a, value);
                            continue;
                        }
                        let in_place = opcode == IAddI;
                        let value = attempt!(self.add_constant(left, by, in_place));
                        w.set(a, value);
                    }
                    MulI => arithmetic_immediate!(word, BinaryOp::Mul, |l, r| l
                        .checked_mul(r)
                        .and_then(Value::try_small)),
                    FloorDivI => arithmetic_immediate!(word, BinaryOp::FloorDiv, |l, r| floor_div(l, r)),
                    ModI => arithmetic_immediate!(word, BinaryOp::Mod, |l, r| floor_mod(l, r)),
                    AndI => arithmetic_immediate!(word, BinaryOp::And, |l, r| Some(Value::small(l & r))),
                    ShlI => arithmetic_immediate!(word, BinaryOp::Shl, |l, r| shift_left(l, r)),
                    ShrI => arithmetic_immediate!(word, BinaryOp::Shr, |l, r| shift_right(l, r)),
                    Eq => compare!(word, BinaryOp::Eq, |l, r| l == r),
                    Ne => compare!(word, BinaryOp::Ne, |l, r| l != r),
                    Lt => compare!(word, BinaryOp::Lt, |l, r| l < r),
                    Le => compare!(word, BinaryOp::Le, |l, r| l <= r),
                    Gt => compare!(word, BinaryOp::Gt, |l, r| l > r),
                    Ge => compare!(word, BinaryOp::Ge, |l, r| l >= r),
                    In => {
                        let answer =
                            attempt!(self.binary(BinaryOp::Contains, w.get(op::c(word)), w.get(op::b(word))));
                        w.set(a, answer);
                    }
                    NotIn => {
                        let answer =
                            attempt!(self.binary(BinaryOp::Contains, w.get(op::c(word)), w.get(op::b(word))));
                        w.set(a, Value::bool(answer == Value::FALSE));
                    }
                    Is => w.set(a, Value::bool(w.get(op::b(word)) == w.get(op::c(word)))),
                    IsNot => w.set(a, Value::bool(w.get(op::b(word)) != w.get(op::c(word)))),
                    Neg => {
                        let value = w.get(op::b(word));
                        let negated = match value.as_small().and_then(|small| Value::try_small(-small)) {
                            Some(negated) => negated,
                            None => attempt!(self.unary(UnaryOp::Neg, value)),
                        };
                        w.set(a, negated);
                    }
                    Pos => {
                        let value = attempt!(self.unary(UnaryOp::Pos, w.get(op::b(word))));
                        w.set(a, value);
                    }
                    Invert => {
                        let value = attempt!(self.unary(UnaryOp::Invert, w.get(op::b(word))));
                        w.set(a, value);
                    }
                    Not => {
                        let truth = attempt!(self.truth(w.get(op::b(word))));
                        w.set(a, Value::bool(!truth));
                    }

                    Jump => {
                        let offset = op::j(word);
                        if offset < 0 && PENDING.load(Ordering::Relaxed) {
                            attempt!(self.handle_pending());
                        }
                        pc = self.heap.offset(pc, offset);
                    }
                    Test => {
                        let truth = attempt!(self.truth(w.get(op::b(word))));
                        take_jump!(truth == (a != 0));
                    }
                    TestEq => test!(word, BinaryOp::Eq, |l, r| l == r),
                    TestNe => test!(word, BinaryOp::Ne, |l, r| l != r),
                    TestLt => test!(word, BinaryOp::Lt, |l, r| l < r),
                    TestLe => test!(word, BinaryOp::Le, |l, r| l <= r),
                    TestGt => test!(word, BinaryOp::Gt, |l, r| l > r),
                    TestGe => test!(word, BinaryOp::Ge, |l, r| l >= r),
                    TestIs => take_jump!((w.get(op::b(word)) == w.get(op::c(word))) == (a != 0)),
                    TestIn => {
                        let answer =
                            attempt!(self.binary(BinaryOp::Contains, w.get(op::c(word)), w.get(op::b(word))));
                        take_jump!((answer == Value::TRUE) == (a != 0));
                    }
                    TestNone => take_jump!(w.get(op::b(word)).is_none() == (a != 0)),
                    TestEqI => test_immediate!(word, BinaryOp::Eq, |l, r| l == r),
                    TestNeI => test_immediate!(word, BinaryOp::Ne, |l, r| l != r),
                    TestLtI => test_immediate!(word, BinaryOp::Lt, |l, r| l < r),
                    TestLeI => test_immediate!(word, BinaryOp::Le, |l, r| l <= r),
                    TestGtI => test_immediate!(word, BinaryOp::Gt, |l, r| l > r),
                    TestGeI => test_immediate!(word, BinaryOp::Ge, |l, r| l >= r),

                    GetIter => attempt!(self.get_iter(w, a, w.get(op::b(word)))),
                    ForIter | IterNext => {
                        let b = op::b(word);
                        let (iterator, index) = (w.get(b), w.get(b + 1));
                        let item = if let Some(position) = index.as_small() {
                            w.set(b + 1, Value::small(position + 1));
                            attempt!(self.sequence_next(iterator, position as u32))
                        } else if let Some(at) = self.heap.as_kind(iterator, Kind::Generator)
                            && !self.generator_is_pending(at)
                        {
                            let kind =
                                if opcode == ForIter { FrameKind::ForIter } else { FrameKind::IterNext };
                            if attempt!(self.resume_in_loop(at, kind, a)) {
                                enter!();
                            }
                            Value::UNBOUND
                        } else {
                            attempt!(self.next(iterator))
                        };
                        let ended = item.is_unbound();
                        if !ended {
                            w.set(a, item);
                        }
                        take_jump!(ended == (opcode == ForIter));
                    }
                    RangePrep => attempt!(self.range_prepare(w, a, op::b(word))),
                    RangeNext => {
                        let step = w.get(a + 2);
                        if let Some(step) = step.as_small() {
                            let (next, stop) = (w.get(a).small_unchecked(), w.get(a + 1).small_unchecked());
                            if (step > 0 && next < stop) || (step < 0 && next > stop) {
                                w.set(op::b(word), Value::small(next));
                                // Saturates beyond the small range only past the stop.
                                let after = next + step;
                                match Value::try_small(after) {
                                    Some(value) => w.set(a, value),
                                    None => w.set(a, w.get(a + 1)),
                                }
                                take_jump!(true);
                            } else {
                                pc = self.heap.offset(pc, 1);
                            }
                            continue;
                        }
                        let item = if let Some(position) = w.get(a + 1).as_small() {
                            w.set(a + 1, Value::small(position + 1));
                            attempt!(self.sequence_next(w.get(a), position as u32))
                        } else {
                            attempt!(self.next(w.get(a)))
                        };
                        let ended = item.is_unbound();
                        if !ended {
                            w.set(op::b(word), item);
                        }
                        take_jump!(!ended);
                    }

                    Call | CallKw => {
                        let slot = self.heap.base_of(w) + u32::from(a);
                        if opcode == Call && self.enter_plainly(w.get(a), slot, op::b(word), a) {
                            enter!();
                        }
                        let keywords = if opcode == CallKw { u16::from(op::c(word)) } else { 0 };
                        match attempt!(self.start_call(
                            slot,
                            u16::from(op::b(word)),
                            keywords,
                            FrameKind::Call,
                            a
                        )) {
                            Called::Value(value) => w.set(a, value),
                            Called::Frame => enter!(),
                        }
                    }
                    CallMethod | CallMethodKw => {
                        if opcode == CallMethod
                            && let Some(rom) = w.get(a).as_immediate(Immediate::Rom)
                        {
                            let first = self.heap.base_of(w) + u32::from(a) + 1;
                            let given = u16::from(op::b(word)) + 1;
                            let result = attempt!(self.call_found_method(RomRef(rom), first, given));
                            if !result.is_unbound() {
                                w.set(a, result);
                                continue;
                            }
                        }
                        let keywords = if opcode == CallMethodKw { u16::from(op::c(word)) } else { 0 };
                        let mut slot = self.heap.base_of(w) + u32::from(a);
                        let mut positional = u16::from(op::b(word)) + 1;
                        if opcode == CallMethod && self.enter_plainly(w.get(a), slot, positional as u8, a) {
                            enter!();
                        }
                        if w.get(a).is_unbound() {
                            slot += 1;
                            positional -= 1;
                        }
                        match attempt!(self.start_call(slot, positional, keywords, FrameKind::Call, a)) {
                            Called::Value(value) => w.set(a, value),
                            Called::Frame => enter!(),
                        }
                    }
                    CallEx => {
                        let slot = self.heap.base_of(w) + u32::from(a);
                        let value = attempt!(self.start_spread_call(slot));
                        w.set(a, value);
                    }
                    Return => {
                        self.frames[self.depth - 1].pc = pc;
                        leave!(self.return_value(w.get(a))?)
                    }
                    ReturnNone => {
                        self.frames[self.depth - 1].pc = pc;
                        leave!(self.return_value(Value::NONE)?)
                    }
                    Yield => {
                        let value = w.get(op::b(word));
                        leave!(self.suspend(pc, a, value))
                    }
                    YieldIter => {
                        let iterator = attempt!(self.yield_iter(w.get(op::b(word)), op::c(word) != 0));
                        w.set(a, iterator);
                    }
                    YieldFrom => {
                        let (sent, iterator) = (w.get(a), w.get(op::b(word)));
                        let here = self.heap.offset(pc, -1);
                        match attempt!(self.delegate(iterator, sent, a)) {
                            Resumed::Frame => enter!(),
                            Resumed::Returned(value) => {
                                self.note_progress();
                                w.set(a, value);
                            }
                            Resumed::Yielded(value) => leave!(self.suspend_delegating(here, a, value)),
                        }
                    }

                    BuildTuple => {
                        let first = self.heap.base_of(w) + u32::from(op::b(word));
                        let tuple = attempt!(self.new_tuple_from_stack(first, u32::from(op::c(word))));
                        w.set(a, tuple);
                    }
                    BuildList => {
                        let first = self.heap.base_of(w) + u32::from(op::b(word));
                        let list = attempt!(self.new_list_from_stack(first, u32::from(op::c(word))));
                        w.set(a, list);
                    }
                    BuildSet => {
                        let first = self.heap.base_of(w) + u32::from(op::b(word));
                        let set = attempt!(self.new_set_from_stack(first, u32::from(op::c(word))));
                        w.set(a, set);
                    }
                    BuildDict => {
                        let dict = attempt!(self.new_dict(u32::from(op::x(word))));
                        w.set(a, dict);
                    }
                    ListAppend => {
                        let list = w.get(a).as_cell().unwrap_or(code);
                        attempt!(self.list_append(list, w.get(op::b(word))));
                    }
                    ListExtend => {
                        let list = w.get(a).as_cell().unwrap_or(code);
                        attempt!(self.list_extend(list, w.get(op::b(word))));
                    }
                    ListToTuple => {
                        let list = w.get(op::b(word)).as_cell().unwrap_or(code);
                        let tuple = attempt!(self.list_to_tuple(list));
                        w.set(a, tuple);
                    }
                    SetAdd => {
                        let set = w.get(a).as_cell().unwrap_or(code);
                        attempt!(self.set_add(set, w.get(op::b(word))));
                    }
                    SetUpdate => {
                        let set = w.get(a).as_cell().unwrap_or(code);
                        attempt!(self.set_update(set, w.get(op::b(word))));
                    }
                    DictSet => {
                        let dict = w.get(a).as_cell().unwrap_or(code);
                        attempt!(self.table_set(dict, w.get(op::b(word)), w.get(op::c(word))));
                    }
                    DictUpdate => {
                        let dict = w.get(a).as_cell().unwrap_or(code);
                        attempt!(self.dict_update(dict, w.get(op::b(word)), op::c(word) != 0));
                    }
                    Unpack => {
                        let first = self.heap.base_of(w) + u32::from(a);
                        attempt!(self.unpack_to_stack(w.get(op::b(word)), first, u32::from(op::c(word))));
                    }
                    UnpackEx => {
                        let after = op::x(fetch!());
                        let first = self.heap.base_of(w) + u32::from(a);
                        let value = w.get(op::b(word));
                        attempt!(self.unpack_ex(value, first, u32::from(op::c(word)), u32::from(after)));
                    }

                    Typed => {
                        let number = op::x(fetch!());
                        let (left, right) = (w.get(op::b(word)), w.get(op::c(word)));
                        let value = attempt!(self.typed(w.get(a), left, right, number));
                        w.set(a, value);
                    }

                    MakeFunction => {
                        let inner = self.heap.slot(code, 1 + u32::from(op::x(word)));
                        let globals = self.globals_value(w);
                        let function = attempt!(self.new_function(inner, globals));
                        w.set(a, function);
                    }
                    MakeClosure => {
                        let inner = self.heap.slot(code, 1 + u32::from(op::x(word)));
                        let globals = self.globals_value(w);
                        let first = self.heap.base_of(w) + u32::from(a);
                        let function = attempt!(self.new_closure(inner, globals, first));
                        w.set(a, function);
                    }
                    MakeClass => {
                        let slot = self.heap.base_of(w) + u32::from(a);
                        self.frames[self.depth - 1].pc = pc;
                        let class = attempt!(self.build_class(slot, op::b(word), op::c(word)));
                        w.set(a, class);
                    }
                    Import => {
                        let name = Code::new(self, code).name_at(self, u32::from(op::x(word)));
                        let globals = self.globals_value(w);
                        let module = attempt!(self.import_statement(name, w.get(a), w.get(a + 1), globals));
                        w.set(a, module);
                    }
                    ImportFrom => {
                        let name = Code::new(self, code).name_at(self, u32::from(op::c(word)));
                        let value = attempt!(self.import_from(w.get(op::b(word)), name));
                        w.set(a, value);
                    }
                    ImportStar => attempt!(self.import_star(w.get(a), w.get(0))),

                    Raise => attempt!(Err(self.raise_object(w.get(a)))),
                    RaiseFrom => {
                        if !w.get(op::b(word)).is_none() {
                            self.warn("Warning", "exception chaining not supported");
                        }
                        attempt!(Err(self.raise_object(w.get(a))));
                    }
                    Reraise => attempt!(Err(self.raise_value(w.get(a)))),
                    ReraiseNone => {
                        attempt!(Err(self.raise(ids::RuntimeError, "no active exception to reraise")))
                    }
                    ExcMatch => {
                        let answer = attempt!(self.exception_matches(w.get(op::b(word)), w.get(op::c(word))));
                        w.set(a, Value::bool(answer));
                    }
                    TypeOf => w.set(a, self.type_of(w.get(op::b(word)))),
                }
            }
        }
    }

    /// An instruction whose name index has more than 8 bits.
    #[cold]
    #[inline(never)]
    fn run_extended(&mut self, w: Window, code: Ref, word: u32, high: u32) -> Res<()> {
        let a = op::a(word);
        let name = |vm: &Vm, low: u8| Code::new(vm, code).name_at(vm, high | u32::from(low));
        match Op::from_byte(word as u8) {
            Some(Op::GetAttr) => {
                let name = name(self, op::c(word));
                let value = self.get_attr(w.get(op::b(word)), name)?;
                w.set(a, value);
            }
            Some(Op::SetAttr) => {
                let name = name(self, op::b(word));
                self.change_attr(w.get(a), name, AttrOp::Set(w.get(op::c(word))))?;
            }
            Some(Op::DelAttr) => {
                let name = name(self, op::b(word));
                self.change_attr(w.get(a), name, AttrOp::Delete)?;
            }
            Some(Op::GetMethod) => {
                let name = name(self, op::c(word));
                self.get_method(w, a, w.get(op::b(word)), name)?;
            }
            Some(Op::ImportFrom) => {
                let name = name(self, op::c(word));
                let value = self.import_from(w.get(op::b(word)), name)?;
                w.set(a, value);
            }
            _ => return Err(self.raise(ids::RuntimeError, "bad bytecode")),
        }
        Ok(())
    }

    // ---- names ----

    #[inline(always)]
    fn globals_value(&self, w: Window) -> Value {
        let function = w.function().expect_cell("a frame has a function");
        self.heap.value(function, FUNCTION_GLOBALS)
    }

    #[inline(always)]
    fn globals_of(&self, w: Window) -> Ref {
        self.globals_value(w).expect_cell("a function has globals")
    }

    #[inline(always)]
    fn load_global(&mut self, w: Window, name: Qstr) -> Res {
        let globals = self.globals_value(w);
        match self.cache.get(globals, name) {
            Some(Found::Own(position)) => {
                let at = globals.expect_cell("a function has globals");
                if let Some(value) = self.dict_value_at(at, position, name) {
                    return Ok(value);
                }
            }
            Some(Found::Plain(value)) => return Ok(value),
            _ => {}
        }
        self.load_global_slow(globals, name)
    }

    #[inline(never)]
    fn load_global_slow(&mut self, globals: Value, name: Qstr) -> Res {
        let at = globals.expect_cell("a function has globals");
        if let Some(position) = self.dict_find_qstr(at, name) {
            self.cache.put(globals, name, Found::Own(position));
            if let Some(value) = self.dict_value_at(at, position, name) {
                return Ok(value);
            }
            return Ok(self.dict_get_qstr(at, name).unwrap_or(Value::UNBOUND));
        }
        match self.find_builtin(name)? {
            Some(value) => {
                if self.is_namespace(at) {
                    self.cache.put(globals, name, Found::Plain(value));
                }
                Ok(value)
            }
            None => Err(self.raise_no_name(name)),
        }
    }

    fn find_builtin(&mut self, name: Qstr) -> Res<Option<Value>> {
        let value = self.find_in_rom_module(crate::modules::BUILTINS_ID, name)?;
        Ok((!value.is_unbound()).then_some(value))
    }

    fn load_name(&mut self, w: Window, name: Qstr) -> Res {
        if let Some(namespace) = w.get(0).as_cell()
            && w.get(0) != self.globals_value(w)
            && let Some(value) = self.dict_get_qstr(namespace, name)
        {
            return Ok(value);
        }
        self.load_global(w, name)
    }

    fn store_name(&mut self, w: Window, name: Qstr, value: Value) -> Res<()> {
        match w.get(0).as_cell() {
            Some(namespace) => self.store_global(namespace, name, value),
            None => Err(self.raise(ids::RuntimeError, "bad bytecode")),
        }
    }

    #[inline]
    fn store_global(&mut self, globals: Ref, name: Qstr, value: Value) -> Res<()> {
        if let Some(Found::Own(position)) = self.cache.get(globals.into(), name)
            && self.dict_set_value_at(globals, position, name, value)
        {
            return Ok(());
        }
        self.dict_set_qstr(globals, name, value)
    }

    fn delete_name(&mut self, namespace: Ref, name: Qstr) -> Res<()> {
        match self.table_remove(namespace, Value::qstr(name))? {
            Some(_) => {
                self.cache.clear();
                Ok(())
            }
            None => Err(self.raise_no_name(name)),
        }
    }

    #[cold]
    fn raise_no_name(&mut self, name: Qstr) -> Raised {
        let parts = [Part::Text("name '"), Part::Name(name), Part::Text("' isn't defined")];
        self.raise_parts(ids::NameError, &parts)
    }

    #[cold]
    fn raise_unbound(&mut self) -> Raised {
        self.raise(ids::NameError, "local variable referenced before assignment")
    }

    #[inline(always)]
    fn cell_value(&self, cell: Value) -> Value {
        cell.as_cell().map_or(Value::UNBOUND, |at| self.heap.value(at, 0))
    }

    #[inline(always)]
    fn set_cell(&mut self, cell: Value, value: Value) {
        if let Some(at) = cell.as_cell() {
            self.heap.set_value(at, 0, value);
        }
    }

    #[inline(always)]
    fn free_cell(&self, w: Window, index: u8) -> Value {
        let function = w.function().expect_cell("a frame has a function");
        self.heap.slot(function, FUNCTION_CELLS + u32::from(index))
    }

    // ---- fast paths ----

    #[inline(always)]
    fn get_attr_fast(&mut self, object: Value, name: Qstr) -> Res {
        if let Some(at) = self.heap.as_kind(object, Kind::Instance)
            && let Some(Found::Own(position)) = self.cache.get(self.heap.value(at, 0), name)
        {
            return Ok(self.heap.slot(at, 1 + position));
        }
        self.get_attr(object, name)
    }

    #[inline(always)]
    fn set_attr_fast(&mut self, object: Value, name: Qstr, value: Value) -> Res<()> {
        if let Some(at) = self.heap.as_kind(object, Kind::Instance) {
            let shape = self.heap.value(at, 0);
            if let Some(Found::Own(position)) = self.cache.get(shape, name) {
                let class = self.class_of_instance(at).as_cell();
                if !class.is_some_and(|class| self.class_has_accessors(class)) {
                    self.heap.set_slot(at, 1 + position, value);
                    return Ok(());
                }
            }
        }
        self.change_attr(object, name, AttrOp::Set(value))
    }

    #[inline(always)]
    fn get_method(&mut self, w: Window, a: u8, object: Value, name: Qstr) -> Res<()> {
        if let Some(at) = self.heap.as_kind(object, Kind::Instance)
            && let Some(Found::Method(function)) = self.cache.get(self.heap.value(at, 0), name)
        {
            w.set(a, function);
            w.set(a + 1, object);
            return Ok(());
        }
        if let Some(function) = self.known_method(object, name) {
            w.set(a, function);
            w.set(a + 1, object);
            return Ok(());
        }
        self.get_method_slow(w, a, object, name)
    }

    /// A method of a built-in object that was looked up before.
    #[inline(never)]
    fn known_method(&self, object: Value, name: Qstr) -> Option<Value> {
        if let Some(Kind::Instance | Kind::GrownInstance | Kind::Class | Kind::Module | Kind::Super) =
            self.heap.kind_of(object)
        {
            return None;
        }
        let class = self.type_of(object);
        if class == ids::type_.value() || class == ids::module.value() {
            return None;
        }
        let Some(Found::Plain(value)) = self.cache.get(class, name) else { return None };
        let rom = RomRef(value.as_immediate(Immediate::Rom)?);
        match self.registry.entry(rom).1 {
            Rom::Fn(_) if rom.is_type_table() => Some(value),
            _ => None,
        }
    }

    /// Calls a built-in method that [`Op::GetMethod`] found, so that the object's type is known to be right. Unbound, and
    /// nothing done: the arguments do not fit, or the object is inside an instance.
    #[inline(never)]
    fn call_found_method(&mut self, rom: RomRef, first: u32, given: u16) -> Res {
        let object = self.heap.stack(first);
        let Rom::Fn(native) = self.registry.entry(rom).1 else { return Ok(Value::UNBOUND) };
        if !rom.is_type_table() || self.is_python_instance(object) {
            return Ok(Value::UNBOUND);
        }
        let top = self.heap.top();
        let args = Args { base: first, positional: given, keywords: 0 };
        let result = match native {
            Native::F1(function) if given == 1 => function(self, object),
            Native::F2(function) if given == 2 => function(self, object, self.heap.stack(first + 1)),
            Native::F3(function) if given == 3 => {
                function(self, object, self.heap.stack(first + 1), self.heap.stack(first + 2))
            }
            Native::Var(min, max, function) | Native::Kw(min, max, function)
                if given >= u16::from(min) && (max == u8::MAX || given <= u16::from(max)) =>
            {
                function(self, args)
            }
            _ => return Ok(Value::UNBOUND),
        };
        self.heap.set_top(top);
        result
    }

    #[inline(never)]
    fn get_method_slow(&mut self, w: Window, a: u8, object: Value, name: Qstr) -> Res<()> {
        let method = self.find_method(object, name)?;
        if method.function.is_unbound() {
            return Err(self.raise_no_attr(object, name));
        }
        if method.object.is_unbound() {
            w.set(a, Value::UNBOUND);
            w.set(a + 1, method.function);
        } else {
            w.set(a, method.function);
            w.set(a + 1, method.object);
        }
        Ok(())
    }

    /// `object[index]` of a list or tuple with a small index in range.
    #[inline(always)]
    fn item_fast(&self, object: Value, index: Value) -> Option<Value> {
        let at = object.as_cell()?;
        let header = self.heap.header(at);
        if header.kind() == Kind::List {
            let index = place(index, header.count())?;
            return Some(self.heap.slot(self.list_storage(at)?, index));
        }
        if header.kind() == Kind::Tuple {
            return Some(self.heap.slot(at, place(index, header.count())?));
        }
        if header.kind() == Kind::Dict { self.dict_get_simple(at, index) } else { None }
    }

    #[inline(always)]
    fn set_item_fast(&mut self, object: Value, index: Value, value: Value) -> bool {
        let Some(at) = object.as_cell() else { return false };
        let header = self.heap.header(at);
        if header.kind() == Kind::Dict {
            return self.table_set_simple(at, index, value);
        }
        if header.kind() == Kind::List
            && let Some(index) = place(index, header.count())
            && let Some(storage) = self.list_storage(at)
        {
            self.heap.set_slot(storage, index, value);
            return true;
        }
        false
    }

    /// The operators that have a fast path for small ints, for everything else: floats first.
    #[inline(never)]
    fn arithmetic_slow(&mut self, op: BinaryOp, left: Value, right: Value) -> Res {
        if let Some(result) = self.float_fast(op, left, right) {
            return result;
        }
        if let Some(result) = self.text_fast(op, left, right) {
            return result;
        }
        self.binary(op, left, right)
    }

    #[inline(never)]
    fn compare_slow(&mut self, op: BinaryOp, left: Value, right: Value) -> Res<bool> {
        let answer = self.arithmetic_slow(op, left, right)?;
        self.truth(answer)
    }

    #[inline(never)]
    fn add_constant(&mut self, left: Value, by: i32, in_place: bool) -> Res {
        let op = match (by < 0, in_place) {
            (false, false) => BinaryOp::Add,
            (false, true) => BinaryOp::IAdd,
            (true, false) => BinaryOp::Sub,
            (true, true) => BinaryOp::ISub,
        };
        self.arithmetic_slow(op, left, Value::small(by.abs()))
    }

    // ---- loops ----

    fn get_iter(&mut self, w: Window, a: u8, iterable: Value) -> Res<()> {
        let is_sequence = matches!(self.heap.kind_of(iterable), Some(Kind::List | Kind::Tuple));
        if is_sequence {
            w.set(a, iterable);
            w.set(a + 1, Value::small(0));
            return Ok(());
        }
        let iterator = self.iter(iterable)?;
        w.set(a, iterator);
        w.set(a + 1, Value::NONE);
        Ok(())
    }

    /// Item `position` of a list or tuple under iteration; unbound at the end.
    #[inline(always)]
    fn sequence_next(&mut self, sequence: Value, position: u32) -> Res {
        let Some(at) = sequence.as_cell() else { return Ok(Value::UNBOUND) };
        let header = self.heap.header(at);
        if header.kind() == Kind::List {
            if position < header.count()
                && let Some(storage) = self.list_storage(at)
            {
                return Ok(self.heap.slot(storage, position));
            }
            return Ok(Value::UNBOUND);
        }
        Ok(if position < header.count() { self.heap.slot(at, position) } else { Value::UNBOUND })
    }

    fn range_prepare(&mut self, w: Window, a: u8, given: u8) -> Res<()> {
        let is_builtin = w.get(a + 3) == ids::range.value();
        let (start, stop, step) = (w.get(a), w.get(a + 1), w.get(a + 2));
        if is_builtin && start.both_small(stop) && step.is_small() && step != Value::small(0) {
            return Ok(());
        }
        let iterable = match given {
            1 => self.call(w.get(a + 3), &[stop])?,
            2 => self.call(w.get(a + 3), &[start, stop])?,
            _ => self.call(w.get(a + 3), &[start, stop, step])?,
        };
        w.set(a, iterable);
        self.get_iter(w, a, iterable)?;
        w.set(a + 2, Value::NONE);
        Ok(())
    }

    // ---- leaving frames ----

    /// Leaves the running frame with its result: `Some` if native code waits for it.
    #[inline(always)]
    fn return_value(&mut self, value: Value) -> Res<Option<Value>> {
        let kind = self.frames[self.depth - 1].kind;
        if kind == FrameKind::Call {
            let frame = self.pop_frame();
            self.newest_window().set(frame.register, value);
            return Ok(None);
        }
        self.return_specially(kind, value)
    }

    #[inline(never)]
    fn return_specially(&mut self, kind: FrameKind, value: Value) -> Res<Option<Value>> {
        match kind {
            FrameKind::Entry | FrameKind::Call | FrameKind::ClassBody => {
                self.pop_frame();
                Ok(Some(value))
            }
            FrameKind::Init => {
                let slot = u32::from(self.frames[self.depth - 1].base) - 2;
                // A complaint is raised in the frame of `__init__`, which still exists.
                let instance = self.finish_init(slot, value)?;
                let frame = self.pop_frame();
                self.newest_window().set(frame.register, instance);
                Ok(None)
            }
            FrameKind::Resume | FrameKind::ForIter | FrameKind::IterNext | FrameKind::YieldFrom => {
                Ok(self.finish_generator(kind, value).then_some(Value::UNBOUND))
            }
        }
    }
}

#[inline(always)]
fn floor_div(left: i32, right: i32) -> Option<Value> {
    if right == 0 {
        return None;
    }
    let quotient = left / right;
    let floor = if left % right != 0 && (left < 0) != (right < 0) { quotient - 1 } else { quotient };
    Value::try_small(floor)
}

#[inline(always)]
fn floor_mod(left: i32, right: i32) -> Option<Value> {
    if right == 0 {
        return None;
    }
    let remainder = left % right;
    let floor = if remainder != 0 && (remainder < 0) != (right < 0) { remainder + right } else { remainder };
    Some(Value::small(floor))
}

#[inline(always)]
fn shift_left(left: i32, right: i32) -> Option<Value> {
    if !(0..31).contains(&right) {
        return None;
    }
    let shifted = left << right;
    if shifted >> right == left { Value::try_small(shifted) } else { None }
}

#[inline(always)]
fn shift_right(left: i32, right: i32) -> Option<Value> {
    if right < 0 {
        return None;
    }
    Some(Value::small(left >> right.min(31)))
}

/// The place in a sequence of `len` items that a small int means, if there is one.
#[inline(always)]
fn place(index: Value, len: u32) -> Option<u32> {
    let index = index.as_small()?;
    let index = if index < 0 { index + len as i32 } else { index } as u32;
    (index < len).then_some(index)
}
