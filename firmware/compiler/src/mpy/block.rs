//! Blocks that `try`, `with` and their like open, and the ways out of them.

use super::{Loaded, MpyError};
use crate::buffer::Buffer;

/// What opened a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Except,
    Finally,
    With,
}

/// The number of a block in [`Blocks`], with whether control is in its handler; none outside all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) number: u16,
    pub(super) in_handler: bool,
}

/// A block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) kind: Kind,
    /// Offset of its handler.
    pub(super) handler: u16,
    /// Values on the stack where an exception is pushed.
    pub(super) depth: u16,
    /// The block around it.
    pub(super) around: Option<Open>,
    /// How many blocks are around it: it has registers by that.
    pub(super) level: u16,
}

/// Where a way out of blocks leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Return,
    /// This offset.
    Jump(u16),
}

/// A way out through a handler that must run first: the block, the number in its reason register, what comes next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) block: u16,
    pub(super) reason: i8,
    /// The blocks that are still open behind it, and how many of them are left too (all, to return).
    pub(super) around: Option<Open>,
    pub(super) left: u16,
    pub(super) goal: Goal,
}

/// The blocks of a function, by the offset of the instruction that opens them.
pub(super) struct Blocks {
    all: Buffer<(u16, Block)>,
    pub(super) routes: Buffer<Route>,
}

/// Most blocks of a function.
const MOST: usize = 1000;

impl Blocks {
    pub(super) const fn new() -> Self {
        Blocks { all: Buffer::new(), routes: Buffer::new() }
    }

    pub(super) fn get(&self, number: u16) -> Block {
        self.all[usize::from(number)].1
    }

    /// The block opened at `offset`, which is always the same.
    pub(super) fn open(&mut self, offset: u16, block: Block) -> Loaded<Open> {
        let number = match self.all.iter().position(|(at, _)| *at == offset) {
            Some(number) => number,
            None if self.all.len() >= MOST => return Err(MpyError::TooLarge),
            None => {
                self.all.push((offset, block))?;
                self.all.len() - 1
            }
        };
        let known = self.get(number as u16);
        if known.depth != block.depth || known.around != block.around {
            return Err(MpyError::Incompatible);
        }
        Ok(Open { number: number as u16, in_handler: false })
    }

    /// Nesting of blocks, over the whole function.
    pub(super) fn levels(&self) -> u16 {
        self.all.iter().map(|(_, block)| block.level + 1).max().unwrap_or(0)
    }

    /// How many blocks are open.
    pub(super) fn level(&self, open: Option<Open>) -> u16 {
        open.map_or(0, |open| self.get(open.number).level + 1)
    }

    /// The innermost block that protects: an exception goes to its handler.
    pub(super) fn protecting(&self, mut open: Option<Open>) -> Option<u16> {
        while let Some(Open { number, in_handler }) = open {
            if !in_handler {
                return Some(number);
            }
            open = self.get(number).around;
        }
        None
    }

    /// The innermost block whose handler control is in.
    pub(super) fn handled(&self, mut open: Option<Open>) -> Option<u16> {
        while let Some(Open { number, in_handler }) = open {
            if in_handler {
                return Some(number);
            }
            open = self.get(number).around;
        }
        None
    }

    /// What is around a block.
    pub(super) fn around(&self, open: Option<Open>) -> Loaded<Option<Open>> {
        open.map(|open| self.get(open.number).around).ok_or(MpyError::Incompatible)
    }

    /// Leaves `left` blocks from `open` on: the first whose handler must run, with what is behind it and how many are
    /// left there; or none, and what is around the last.
    pub(super) fn leave(
        &self,
        mut open: Option<Open>,
        mut left: u16,
    ) -> Loaded<(Option<u16>, Option<Open>, u16)> {
        while left > 0 {
            let Some(top) = open else { return Err(MpyError::Incompatible) };
            let block = self.get(top.number);
            (open, left) = (block.around, left - 1);
            if !top.in_handler && block.kind != Kind::Except {
                return Ok((Some(top.number), open, left));
            }
        }
        Ok((None, open, 0))
    }

    /// The number of a new way out through a block.
    pub(super) fn route(&mut self, block: u16, around: Option<Open>, left: u16, goal: Goal) -> Loaded<i8> {
        let used = self.routes.iter().filter(|route| route.block == block).count();
        // 0 is the normal end, 1 an exception.
        let reason = i8::try_from(used + 2).map_err(|_| MpyError::TooLarge)?;
        self.routes.push(Route { block, reason, around, left, goal })?;
        Ok(reason)
    }
}
