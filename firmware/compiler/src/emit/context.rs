//! What surrounds a statement: loops and protected regions, and how control leaves them.
//!
//! A `return`, `break` or `continue` runs what the regions it leaves must run (the exit of a `with`, the unbinding of
//! an exception's name) where it stands; that code lies in the middle of the regions but outside their protection, so
//! it is a [`Hole`] in their ranges. A `finally` body exists once: leaving through it means noting the reason in a
//! register and jumping to it.

use super::code::TOO_LONG;
use super::label::Label;
use super::{Emitted, Emitter, Reg};
use crate::error::{Failure, Fault};
use larch_bytecode::code::Handler;
use larch_bytecode::op::{self, Op};
use larch_bytecode::qstr::Qstr;

/// What a context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Around {
    Loop,
    /// The body of a `try` with handlers.
    Try,
    /// A handler, with its exception in the register.
    Except,
    /// A handler that unbinds its name at the end.
    Named,
    /// The body of a `with`; the register has its exit method, the next one its object.
    With,
    AsyncWith,
    /// The body of a `try` with `finally`; the register has the reason, the next one the value.
    Finally,
    /// A `finally` body, with the same registers.
    FinallyBody,
}

/// Ways out of a `finally` body, and the numbers that stand for them in the reason register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Reason {
    Normal,
    Exception,
    Return,
    Break,
    Continue,
}

/// A loop or region around what is emitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) around: Around,
    pub(super) register: Reg,
    pub(super) name: Qstr,
    /// First word of the region.
    pub(super) start: u32,
    /// Where `break` goes; where the `finally` body is.
    pub(super) end: Label,
    /// Where `continue` goes.
    pub(super) next: Label,
    /// Bit set of the [`Reason`]s met.
    pub(super) reasons: u8,
}

/// Words inside regions that they do not protect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hole {
    start: u32,
    end: u32,
    /// Contexts from this one on are left.
    depth: usize,
}

impl Emitter<'_, '_> {
    pub(super) fn push_context(&mut self, around: Around, register: Reg, name: Qstr) -> Emitted {
        let start = self.here();
        let (end, next) = (Label::NEW, Label::NEW);
        self.contexts.push(Context { around, register, name, start, end, next, reasons: 0 })
    }

    pub(super) fn pop_context(&mut self) -> Emitted<Context> {
        self.contexts.pop().ok_or(Failure::RECURSION)
    }

    /// Sends exceptions raised since `region` began to `target`, here, with the exception in `register`. `region` has
    /// just been popped; `end` is the word after it. False if nothing is protected.
    pub(super) fn protect(&mut self, region: Context, end: u32, register: Reg) -> Emitted<bool> {
        let depth = self.contexts.len();
        let target = u16::try_from(self.here()).map_err(|_| TOO_LONG)?;
        let (mut start, mut any) = (region.start, false);
        for index in 0..=self.holes.len() {
            let hole = self.holes.get(index).copied().unwrap_or(Hole { start: end, end, depth: 0 });
            if hole.depth > depth || hole.end <= start {
                continue;
            }
            if hole.start > start {
                let range = Handler {
                    start: u16::try_from(start).map_err(|_| TOO_LONG)?,
                    end: u16::try_from(hole.start.min(end)).map_err(|_| TOO_LONG)?,
                    target,
                    register,
                };
                self.handlers.push(range)?;
                any = true;
            }
            start = hole.end;
        }
        let unit_start = self.unit.contexts;
        while self.holes.last().is_some_and(|hole| hole.depth >= depth && depth >= unit_start) {
            self.holes.pop();
        }
        Ok(any)
    }

    /// Leaves the function, or the innermost loop, through what is in between. `value` is what a `return` returns.
    pub(super) fn leave(&mut self, reason: Reason, value: Reg) -> Emitted {
        let holes = self.holes.len();
        let mut index = self.contexts.len();
        while index > self.unit.contexts {
            index -= 1;
            let context = self.contexts[index];
            match context.around {
                Around::Loop if reason == Reason::Break => {
                    let mut label = context.end;
                    self.jump(&mut label)?;
                    self.contexts[index].end = label;
                    return self.close_holes(holes);
                }
                Around::Loop if reason == Reason::Continue => {
                    let mut label = context.next;
                    self.jump(&mut label)?;
                    self.contexts[index].next = label;
                    return self.close_holes(holes);
                }
                Around::Finally => {
                    self.note_reason(context.register, reason)?;
                    if reason == Reason::Return {
                        self.copy(context.register + 1, value)?;
                    }
                    let mut label = context.end;
                    self.jump(&mut label)?;
                    let context = &mut self.contexts[index];
                    context.end = label;
                    context.reasons |= 1 << reason as u8;
                    return self.close_holes(holes);
                }
                Around::Named => {
                    self.open_hole(index)?;
                    self.unbind(context.name)?;
                }
                Around::With | Around::AsyncWith => {
                    self.open_hole(index)?;
                    self.exit_early(context)?;
                }
                Around::Loop | Around::Try | Around::Except | Around::FinallyBody => {}
            }
        }
        if reason != Reason::Return {
            return Err(Failure::at(0, Fault::OutsideLoop));
        }
        self.abc(Op::Return, value, 0, 0)?;
        self.unit.reachable = false;
        self.close_holes(holes)
    }

    /// Whether leaving runs code that could disturb a value in a local.
    pub(super) fn leaving_runs_code(&self) -> bool {
        let contexts = &self.contexts[self.unit.contexts..];
        contexts.iter().any(|context| {
            let runs = [Around::Named, Around::With, Around::AsyncWith, Around::Finally];
            runs.contains(&context.around)
        })
    }

    fn open_hole(&mut self, depth: usize) -> Emitted {
        let start = self.here();
        self.holes.push(Hole { start, end: u32::MAX, depth })
    }

    /// Ends the holes opened since there were `count`.
    fn close_holes(&mut self, count: usize) -> Emitted {
        let end = self.here();
        self.holes[count..].iter_mut().for_each(|hole| hole.end = end);
        Ok(())
    }

    pub(super) fn note_reason(&mut self, register: Reg, reason: Reason) -> Emitted {
        self.word(op::asx(Op::LoadInt, register, reason as i16))
    }

    /// The exit of a `with` that is left in the middle: the registers after its own are in use.
    fn exit_early(&mut self, context: Context) -> Emitted {
        let top = self.unit.top;
        let call = self.temporaries(5)?;
        self.copy(call, context.register)?;
        self.copy(call + 1, context.register + 1)?;
        self.exit_call(call, context.around == Around::AsyncWith)?;
        self.unit.top = top;
        Ok(())
    }

    /// Calls the exit method at `call` with three times None. The result is in `call`.
    pub(super) fn exit_call(&mut self, call: Reg, is_async: bool) -> Emitted {
        for register in call + 2..call + 5 {
            self.abc(Op::LoadNone, register, 0, 0)?;
        }
        self.abc(Op::CallMethod, call, 3, 0)?;
        if is_async { self.await_in(call) } else { Ok(()) }
    }
}
