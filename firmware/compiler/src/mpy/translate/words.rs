//! Words, and the tables they refer to: names, constants, jumps; and what is known of the slots of the stack.

use super::super::flow::Instruction;
use super::super::{Loaded, MpyError};
use super::{Tag, Translator};
use crate::erase::Const;
use larch_bytecode::op::{self as ours, Op};
use larch_bytecode::qstr::Qstr;

impl Translator<'_, '_> {
    pub(super) fn word(&mut self, word: u32) -> Loaded {
        self.words.push(word)?;
        self.protection.push(self.protecting)?;
        Ok(())
    }

    pub(super) fn abc(&mut self, op: Op, a: u8, b: u8, c: u8) -> Loaded {
        self.word(ours::abc(op, a, b, c))
    }

    pub(super) fn abx(&mut self, op: Op, a: u8, x: u16) -> Loaded {
        self.word(ours::abx(op, a, x))
    }

    pub(super) fn jump(&mut self, offset: u16) -> Loaded {
        self.jumps.push((self.words.len() as u32, offset))?;
        self.word(ours::jump(Op::Jump, 0))
    }

    /// A test and its jump over the words that `skipped` makes.
    pub(super) fn unless(&mut self, test: u32, skipped: impl FnOnce(&mut Self) -> Loaded) -> Loaded {
        self.word(test)?;
        let at = self.words.len();
        self.word(0)?;
        skipped(self)?;
        self.words[at] = ours::jump(Op::Jump, (self.words.len() - at - 1) as i32);
        Ok(())
    }

    pub(super) fn qstr(&self, index: usize) -> Loaded<Qstr> {
        self.tables.names.get(index).copied().ok_or(MpyError::Incompatible)
    }

    pub(super) fn name(&self, instruction: Instruction) -> Loaded<Qstr> {
        self.qstr(instruction.argument as usize)
    }

    pub(super) fn name_index(&mut self, name: Qstr) -> Loaded<u16> {
        let index = match self.names.iter().position(|known| *known == name) {
            Some(index) => index,
            None => {
                self.names.push(name)?;
                self.names.len() - 1
            }
        };
        u16::try_from(index).map_err(|_| MpyError::TooLarge)
    }

    /// The low byte of a name's index; the rest goes into an `Ext` before.
    pub(super) fn short_name(&mut self, name: Qstr) -> Loaded<u8> {
        let index = self.name_index(name)?;
        if index > 0xff {
            self.abx(Op::Ext, 0, index >> 8)?;
        }
        Ok(index as u8)
    }

    pub(super) fn constant(&mut self, constant: Const) -> Loaded<u16> {
        self.constants.push(constant)?;
        u16::try_from(self.constants.len() - 1).map_err(|_| MpyError::TooLarge)
    }

    pub(super) fn child(&mut self, index: i32) -> Loaded<u16> {
        let child = self.children.get(index as usize).copied().ok_or(MpyError::Incompatible)?;
        self.constant(child)
    }

    pub(super) fn tag(&mut self, depth: u16, tag: Tag) {
        if let Some(place) = self.tags.get_mut(usize::from(depth)) {
            *place = tag;
        }
    }

    pub(super) fn tag_of(&self, depth: u16) -> Tag {
        self.tags.get(usize::from(depth)).copied().unwrap_or(Tag::Any)
    }
}
