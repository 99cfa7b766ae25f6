//! What takes many slots: displays, unpacking, functions, calls, imports.

use super::super::flow::{Instruction, op};
use super::super::{Loaded, MpyError};
use super::{Tag, Translator};
use larch_bytecode::op::{self as ours, Op};

impl Translator<'_, '_> {
    pub(super) fn build(&mut self, instruction: Instruction, d: u16) -> Loaded {
        let count = u16::try_from(instruction.argument).map_err(|_| MpyError::Incompatible)?;
        match instruction.op {
            op::BUILD_MAP => self.push_word(d, ours::abx(Op::BuildDict, self.slot(d), count), Tag::Any),
            op::STORE_MAP => self.abc(Op::DictSet, self.slot(d - 3), self.slot(d - 1), self.slot(d - 2)),
            op::STORE_COMP => {
                let below = count >> 2;
                let made = d.checked_sub(1 + below).map(|depth| self.slot(depth));
                let (made, item) = (made.ok_or(MpyError::Incompatible)?, self.slot(d - 1));
                match count & 3 {
                    0 => self.abc(Op::ListAppend, made, item, 0),
                    1 => self.abc(Op::DictSet, made, item, self.slot(d - 2)),
                    _ => self.abc(Op::SetAdd, made, item, 0),
                }
            }
            op::BUILD_SLICE => {
                if count == 2 {
                    self.abc(Op::LoadNone, self.slot(d), 0, 0)?;
                } else if count != 3 {
                    return Err(MpyError::Incompatible);
                }
                let first = self.slot(d - count);
                self.tag(d - count, Tag::Any);
                self.abc(Op::BuildSlice, first, first, 0)
            }
            which => {
                let op = match which {
                    op::BUILD_TUPLE => Op::BuildTuple,
                    op::BUILD_LIST => Op::BuildList,
                    _ => Op::BuildSet,
                };
                let first = self.slot(d - count);
                self.tag(d - count, Tag::Any);
                self.abc(op, first, first, count as u8)
            }
        }
    }

    /// The first item ends up on top.
    pub(super) fn unpack(&mut self, instruction: Instruction, d: u16) -> Loaded {
        let (before, after) = instruction.arguments();
        let is_plain = instruction.op == op::UNPACK_SEQUENCE;
        let count = if is_plain { before } else { before + after + 1 };
        let first = self.slot(d - 1);
        match is_plain {
            true => self.abc(Op::Unpack, first, first, count as u8)?,
            false => {
                self.abc(Op::UnpackEx, first, first, before as u8)?;
                self.abx(Op::Ext, 0, after)?;
            }
        }
        for index in 0..count / 2 {
            let pair = [first + index as u8, first + (count - 1 - index) as u8];
            self.rotate(&pair)?;
        }
        for index in 0..count {
            self.tag(d - 1 + index, Tag::Any);
        }
        Ok(())
    }

    pub(super) fn make_function(&mut self, instruction: Instruction, d: u16) -> Loaded {
        let code = self.child(instruction.argument)?;
        let cells = u16::from(instruction.extra);
        let base = match instruction.op {
            op::MAKE_FUNCTION => {
                return self.push_word(d, ours::abx(Op::MakeFunction, self.slot(d), code), Tag::Any);
            }
            op::MAKE_FUNCTION_DEFARGS => d - 2,
            op::MAKE_CLOSURE_DEFARGS => d - 2 - cells,
            _ => {
                let base = d - cells;
                for index in (0..cells).rev() {
                    self.abc(Op::Move, self.slot(base + index + 2), self.slot(base + index), 0)?;
                }
                self.abc(Op::LoadNone, self.slot(base), 0, 0)?;
                self.abc(Op::LoadNone, self.slot(base + 1), 0, 0)?;
                base
            }
        };
        self.tag(base, Tag::Any);
        self.abx(Op::MakeClosure, self.slot(base), code)
    }

    pub(super) fn call(&mut self, instruction: Instruction, d: u16) -> Loaded {
        let (positional, keywords) = instruction.arguments();
        let arguments = positional + 2 * keywords;
        let (op, extra) = match (instruction.op, keywords) {
            (op::CALL_FUNCTION, 0) => (Op::Call, 1),
            (op::CALL_FUNCTION, _) => (Op::CallKw, 1),
            (op::CALL_METHOD, 0) => (Op::CallMethod, 2),
            (op::CALL_METHOD, _) => (Op::CallMethodKw, 2),
            _ => return self.call_unpacked(instruction, d),
        };
        let base = d - arguments - extra;
        self.tag(base, Tag::Any);
        self.abc(op, self.slot(base), positional as u8, keywords as u8)
    }

    /// A call with `*` or `**`: a number on top says which positional arguments are starred; a null in place of a keyword is `**`.
    fn call_unpacked(&mut self, instruction: Instruction, d: u16) -> Loaded {
        let (positional, keywords) = instruction.arguments();
        let Tag::Int(starred) = self.tag_of(d - 1) else { return Err(MpyError::TooLarge) };
        let is_method = instruction.op == op::CALL_METHOD_VAR_KW;
        let base = d - 1 - positional - 2 * keywords - if is_method { 2 } else { 1 };
        if is_method {
            self.make_attribute(base)?;
        }
        let first = base + if is_method { 2 } else { 1 };
        let [callable, list, dict, entry]: [u8; 4] = core::array::from_fn(|index| self.scratch(index as u16));
        self.abc(Op::BuildList, list, list, 0)?;
        for index in 0..positional {
            let is_starred = index < 31 && starred >> index & 1 != 0;
            let op = if is_starred { Op::ListExtend } else { Op::ListAppend };
            self.abc(op, list, self.slot(first + index), 0)?;
        }
        match keywords {
            0 => self.abc(Op::LoadNone, dict, 0, 0)?,
            _ => self.abx(Op::BuildDict, dict, 0)?,
        }
        for index in 0..keywords {
            let key = first + positional + 2 * index;
            let (name, value) = (self.slot(key), self.slot(key + 1));
            let source = if self.tag_of(key) == Tag::Null {
                value
            } else {
                self.abx(Op::BuildDict, entry, 1)?;
                self.abc(Op::DictSet, entry, name, value)?;
                entry
            };
            self.abc(Op::DictUpdate, dict, source, 1)?;
        }
        self.abc(Op::Move, callable, self.slot(base), 0)?;
        self.abc(Op::CallEx, callable, 0, 0)?;
        self.push_word(base, ours::abc(Op::Move, self.slot(base), callable, 0), Tag::Any)
    }

    /// The pair that was looked up for a method call becomes a bound method, in its first register.
    pub(super) fn make_attribute(&mut self, depth: u16) -> Loaded {
        let Tag::Method(word) = self.tag_of(depth) else { return Err(MpyError::TooLarge) };
        let made = self.words[word as usize];
        self.words[word as usize] = ours::abc(Op::GetAttr, ours::a(made), ours::b(made), ours::c(made));
        Ok(())
    }

    pub(super) fn import(&mut self, instruction: Instruction, d: u16) -> Loaded {
        let (first, second) = (self.slot(d - 1), self.slot(d.wrapping_sub(2)));
        match instruction.op {
            op::IMPORT_NAME => {
                let name = self.name(instruction)?;
                let index = self.name_index(name)?;
                let (names, level) = (self.scratch(0), self.scratch(1));
                self.abc(Op::Move, names, first, 0)?;
                self.abc(Op::Move, level, second, 0)?;
                self.abx(Op::Import, names, index)?;
                self.push_word(d - 2, ours::abc(Op::Move, second, names, 0), Tag::Any)
            }
            op::IMPORT_FROM => {
                let name = self.name(instruction)?;
                let index = self.short_name(name)?;
                self.push_word(d, ours::abc(Op::ImportFrom, self.slot(d), first, index), Tag::Any)
            }
            _ => self.abc(Op::ImportStar, first, 0, 0),
        }
    }
}
