//! `try`, `with` and loops: handlers of exceptions, and the ways out that lead through `finally`.

use super::super::block::{Goal, Kind, Open};
use super::super::flow::{Instruction, State, op};
use super::super::{Loaded, MpyError};
use super::{Tag, Translator};
use crate::buffer::Buffer;
use larch_bytecode::code::Handler;
use larch_bytecode::op::{self as ours, Op};
use larch_bytecode::qstr::Qstr;

impl Translator<'_, '_> {
    /// The ranges that blocks protect, and the words that take an exception to a block's handler.
    pub(super) fn handlers(&mut self) -> Loaded<Buffer<Handler>> {
        let end = self.words.len();
        let mut handlers = Buffer::new();
        let mut entries: Buffer<(u16, u32)> = Buffer::new();
        let mut at = 0;
        while at < end {
            let (start, block) = (at, self.protection[at]);
            while at < end && self.protection[at] == block {
                at += 1;
            }
            let Some(block) = block.checked_sub(1) else { continue };
            let known = entries.iter().find(|entry| entry.0 == block).map(|entry| entry.1);
            let target = match known {
                Some(target) => target,
                None => {
                    let target = self.words.len() as u32;
                    self.enter_handler(block)?;
                    entries.push((block, target))?;
                    target
                }
            };
            let half = |word: usize| u16::try_from(word).map_err(|_| MpyError::TooLarge);
            handlers.push(Handler {
                start: half(start)?,
                end: half(at)?,
                target: half(target as usize)?,
                register: self.exception(block),
            })?;
        }
        Ok(handlers)
    }

    fn enter_handler(&mut self, number: u16) -> Loaded {
        let block = self.flow.blocks.get(number);
        self.word(ours::asx(Op::LoadInt, self.reason(number), 1))?;
        let (slot, exception) = (self.slot(block.depth), self.exception(number));
        self.abc(Op::Move, slot, exception, 0)?;
        self.jump(block.handler)
    }

    /// Leaves blocks, through the handlers that must run.
    pub(super) fn leave(&mut self, open: Option<Open>, left: u16, goal: Goal) -> Loaded {
        let (through, around, left) = self.flow.blocks.leave(open, left)?;
        let Some(number) = through else {
            return match goal {
                Goal::Return => self.abc(Op::Return, self.returned(), 0, 0),
                Goal::Jump(offset) => self.jump(offset),
            };
        };
        let reason = self.flow.blocks.route(number, around, left, goal)?;
        let block = self.flow.blocks.get(number);
        self.word(ours::asx(Op::LoadInt, self.reason(number), reason.into()))?;
        self.abc(Op::LoadNone, self.slot(block.depth), 0, 0)?;
        self.jump(block.handler)
    }

    pub(super) fn return_value(&mut self, state: State, value: u8) -> Loaded {
        let left = self.flow.blocks.level(state.open);
        if self.flow.blocks.leave(state.open, left)?.0.is_none() {
            return self.abc(Op::Return, value, 0, 0);
        }
        self.abc(Op::Move, self.returned(), value, 0)?;
        self.leave(state.open, left, Goal::Return)
    }

    pub(super) fn set_up(&mut self, instruction: Instruction, state: State) -> Loaded {
        let level = self.flow.blocks.level(state.open);
        let reason = (self.block_registers() + 2 * level) as u8;
        if instruction.op == op::SETUP_WITH {
            let (context, value) = (self.slot(state.depth - 1), self.slot(state.depth + 1));
            let (copy, enter) = (self.scratch(0), self.scratch(1));
            self.abc(Op::Move, copy, context, 0)?;
            self.method(state.depth - 1, Qstr::__exit__)?;
            let name = self.short_name(Qstr::__enter__)?;
            self.abc(Op::GetMethod, enter, copy, name)?;
            self.abc(Op::CallMethod, enter, 0, 0)?;
            self.tag(state.depth - 1, Tag::Any);
            self.tag(state.depth + 1, Tag::Any);
            self.abc(Op::Move, value, enter, 0)?;
        }
        self.word(ours::asx(Op::LoadInt, reason, 0))
    }

    /// Calls the exit method of a `with`: with the exception if there is one, which it may swallow.
    pub(super) fn clean_up(&mut self, state: State) -> Loaded {
        let number = self.flow.blocks.handled(state.open).ok_or(MpyError::Incompatible)?;
        if self.flow.blocks.get(number).kind != Kind::With {
            return Err(MpyError::Incompatible);
        }
        let (reason, exception) = (self.reason(number), self.exception(number));
        let call: [u8; 5] = core::array::from_fn(|index| self.scratch(index as u16));
        for (index, register) in call.iter().enumerate() {
            match index {
                0 => self.abc(Op::Move, *register, self.slot(state.depth - 3), 0)?,
                1 => self.abc(Op::Move, *register, self.slot(state.depth - 2), 0)?,
                _ => self.abc(Op::LoadNone, *register, 0, 0)?,
            }
        }
        self.unless(ours::abi(Op::TestNeI, 1, reason, 1), |translator| {
            translator.abc(Op::TypeOf, call[2], exception, 0)?;
            translator.abc(Op::Move, call[3], exception, 0)
        })?;
        self.abc(Op::CallMethod, call[0], 3, 0)?;
        // Only an exception can be swallowed: then this is the normal end.
        self.unless(ours::abi(Op::TestNeI, 1, reason, 1), |translator| {
            translator.unless(ours::abc(Op::Test, 0, call[0], 0), |translator| {
                translator.word(ours::asx(Op::LoadInt, reason, 0))
            })
        })
    }

    pub(super) fn end_finally(&mut self, state: State) -> Loaded {
        let open = state.open.filter(|open| open.in_handler).ok_or(MpyError::Incompatible)?;
        let (reason, exception) = (self.reason(open.number), self.exception(open.number));
        self.protecting =
            self.flow.blocks.protecting(self.flow.blocks.around(state.open)?).map_or(0, |number| number + 1);
        if self.flow.blocks.get(open.number).kind == Kind::Except {
            return self.abc(Op::Reraise, exception, 0, 0);
        }
        let mut index = 0;
        while let Some(route) = self.flow.blocks.routes.get(index).copied() {
            index += 1;
            if route.block == open.number {
                self.unless(ours::abi(Op::TestNeI, 1, reason, route.reason), |translator| {
                    translator.leave(route.around, route.left, route.goal)
                })?;
            }
        }
        self.unless(ours::abi(Op::TestNeI, 1, reason, 1), |translator| {
            translator.abc(Op::Reraise, exception, 0, 0)
        })
    }
}
