//! One instruction of MicroPython: which words it becomes.

use super::super::block::Goal;
use super::super::flow::{ITERATOR, Instruction, State, op};
use super::super::{Loaded, MpyError};
use super::{Tag, Translator};
use larch_bytecode::op::{self as ours, Op};
use larch_bytecode::qstr::Qstr;

impl Translator<'_, '_> {
    pub(super) fn instruction(&mut self, instruction: Instruction, state: State) -> Loaded {
        let d = state.depth;
        let top = |translator: &Self, below: u16| translator.slot(d.wrapping_sub(1 + below));
        let (push, first, second) = (self.slot(d), top(self, 0), top(self, 1));
        let argument = instruction.argument;
        match instruction.op {
            op::LOAD_CONST_FALSE => self.push_word(d, ours::abc(Op::LoadBool, push, 0, 0), Tag::Any),
            op::LOAD_CONST_TRUE => self.push_word(d, ours::abc(Op::LoadBool, push, 1, 0), Tag::Any),
            op::LOAD_CONST_NONE => self.push_word(d, ours::abc(Op::LoadNone, push, 0, 0), Tag::Any),
            op::LOAD_NULL => self.load_null(d),
            op::LOAD_CONST_SMALL_INT => self.load_int(d, argument),
            op::LOAD_CONST_STRING => {
                let name = self.name(instruction)?;
                self.push_word(d, ours::abx(Op::LoadQstr, push, name.0), Tag::Any)
            }
            op::LOAD_CONST_OBJ => {
                let constant = self.tables.constants.get(argument as usize).copied();
                let index = self.constant(constant.ok_or(MpyError::Incompatible)?)?;
                self.push_word(d, ours::abx(Op::LoadConst, push, index), Tag::Any)
            }
            op::LOAD_BUILD_CLASS => {
                self.push_word(d, ours::abx(Op::LoadGlobal, push, Qstr::__build_class__.0), Tag::Any)
            }
            op::LOAD_FAST_N | op::STORE_FAST_N | op::DELETE_FAST => self.fast(instruction, d),
            op::LOAD_DEREF => {
                let cell = self.local(argument as u16)?;
                self.push_word(d, ours::abc(Op::LoadCell, push, cell, 0), Tag::Any)
            }
            op::STORE_DEREF => {
                let cell = self.local(argument as u16)?;
                self.abc(Op::StoreCell, first, cell, 0)
            }
            op::DELETE_DEREF => {
                let cell = self.local(argument as u16)?;
                self.abc(Op::DelCell, 0, cell, 0)
            }
            op::LOAD_NAME | op::LOAD_GLOBAL => {
                let is_name = instruction.op == op::LOAD_NAME;
                let (op, name) =
                    (if is_name { Op::LoadName } else { Op::LoadGlobal }, self.name(instruction)?);
                self.push_word(d, ours::abx(op, push, name.0), Tag::Any)
            }
            op::STORE_NAME | op::STORE_GLOBAL | op::DELETE_NAME | op::DELETE_GLOBAL => {
                let (op, register) = match instruction.op {
                    op::STORE_NAME => (Op::StoreName, first),
                    op::STORE_GLOBAL => (Op::StoreGlobal, first),
                    op::DELETE_NAME => (Op::DelName, 0),
                    _ => (Op::DelGlobal, 0),
                };
                let name = self.name(instruction)?;
                self.abx(op, register, name.0)
            }
            op::LOAD_ATTR..=op::LOAD_SUPER_METHOD | op::STORE_ATTR => self.attribute(instruction, d),
            op::LOAD_SUBSCR => {
                self.tag(d - 2, Tag::Any);
                self.abc(Op::GetItem, second, second, first)
            }
            // A null in place of the value deletes.
            op::STORE_SUBSCR if self.tag_of(d - 3) == Tag::Null => self.abc(Op::DelItem, second, first, 0),
            op::STORE_SUBSCR => self.abc(Op::SetItem, second, first, top(self, 2)),
            op::DUP_TOP => self.push_word(d, ours::abc(Op::Move, push, first, 0), Tag::Any),
            op::DUP_TOP_TWO => {
                self.push_word(d, ours::abc(Op::Move, push, second, 0), Tag::Any)?;
                self.push_word(d + 1, ours::abc(Op::Move, push + 1, first, 0), Tag::Any)
            }
            op::POP_TOP => Ok(()),
            op::ROT_TWO => {
                self.rotate_tags(d, 2);
                self.rotate(&[first, second])
            }
            op::ROT_THREE => {
                self.rotate_tags(d, 3);
                self.rotate(&[first, second, top(self, 2)])
            }
            op::UNARY => self.unary(argument, first),
            op::BINARY => self.binary(argument, d),
            op::JUMP..=op::JUMP_IF_FALSE_OR_POP => self.branch(instruction, first),
            op::POP_EXCEPT_JUMP => {
                let target = instruction.target()?;
                self.jump(target)
            }
            op::UNWIND_JUMP => {
                let goal = Goal::Jump(instruction.target()?);
                self.leave(state.open, (instruction.extra & 0x7f).into(), goal)
            }
            op::SETUP_WITH | op::SETUP_EXCEPT | op::SETUP_FINALLY => self.set_up(instruction, state),
            op::WITH_CLEANUP => self.clean_up(state),
            op::END_FINALLY => self.end_finally(state),
            op::GET_ITER => self.abc(Op::YieldIter, first, first, 0),
            op::GET_ITER_STACK => {
                self.tag(d - 1, Tag::Any);
                self.abc(Op::GetIter, first, first, 0)
            }
            op::FOR_ITER => {
                let iterator = self.slot(d - ITERATOR);
                self.tag(d, Tag::Any);
                self.abc(Op::ForIter, push, iterator, 0)?;
                let target = instruction.target()?;
                self.jump(target)
            }
            op::BUILD_TUPLE..=op::STORE_COMP | op::STORE_MAP => self.build(instruction, d),
            op::UNPACK_SEQUENCE | op::UNPACK_EX => self.unpack(instruction, d),
            op::MAKE_CLOSURE | op::MAKE_CLOSURE_DEFARGS | op::MAKE_FUNCTION | op::MAKE_FUNCTION_DEFARGS => {
                self.make_function(instruction, d)
            }
            op::CALL_FUNCTION..=op::CALL_METHOD_VAR_KW => self.call(instruction, d),
            op::RETURN_VALUE => self.return_value(state, first),
            op::RAISE_LAST => match self.flow.blocks.handled(state.open) {
                Some(block) => self.abc(Op::Reraise, self.exception(block), 0, 0),
                None => self.abc(Op::ReraiseNone, 0, 0, 0),
            },
            op::RAISE_OBJ => self.abc(Op::Raise, first, 0, 0),
            op::RAISE_FROM => self.abc(Op::RaiseFrom, second, first, 0),
            op::YIELD_VALUE => self.abc(Op::Yield, first, first, 0),
            op::YIELD_FROM => {
                self.abc(Op::YieldFrom, first, second, 0)?;
                self.abc(Op::Move, second, first, 0)
            }
            op::IMPORT_NAME..=op::IMPORT_FROM | op::IMPORT_STAR => self.import(instruction, d),
            _ => Err(MpyError::Incompatible),
        }
    }

    /// A word that pushes at `depth`.
    pub(super) fn push_word(&mut self, depth: u16, word: u32, tag: Tag) -> Loaded {
        self.tag(depth, tag);
        self.word(word)
    }

    /// Three of them around an iterator are how a comprehension's loop begins: null, iterator, null, null.
    pub(super) fn load_null(&mut self, d: u16) -> Loaded {
        self.push_word(d, ours::abc(Op::LoadNone, self.slot(d), 0, 0), Tag::Null)?;
        let is_null = |below| d >= below && self.tag_of(d - below) == Tag::Null;
        if is_null(1) && is_null(3) && !is_null(2) {
            let pair = self.slot(d - 3);
            return self.abc(Op::GetIter, pair, pair + 1, 0);
        }
        Ok(())
    }

    pub(super) fn load_int(&mut self, d: u16, value: i32) -> Loaded {
        let register = self.slot(d);
        if let Ok(small) = i16::try_from(value) {
            return self.push_word(d, ours::asx(Op::LoadInt, register, small), Tag::Int(value));
        }
        let constant = self.backend.small_int(value)?;
        let index = self.constant(constant)?;
        self.push_word(d, ours::abx(Op::LoadConst, register, index), Tag::Int(value))
    }

    fn fast(&mut self, instruction: Instruction, d: u16) -> Loaded {
        let register = self.local(instruction.argument as u16)?;
        match instruction.op {
            op::LOAD_FAST_N => {
                self.abc(Op::CheckLocal, register, 0, 0)?;
                self.push_word(d, ours::abc(Op::Move, self.slot(d), register, 0), Tag::Any)
            }
            op::STORE_FAST_N => self.abc(Op::Move, register, self.slot(d - 1), 0),
            _ => {
                self.abc(Op::CheckLocal, register, 0, 0)?;
                self.abc(Op::LoadUnbound, register, 0, 0)
            }
        }
    }

    fn attribute(&mut self, instruction: Instruction, d: u16) -> Loaded {
        let name = self.name(instruction)?;
        let object = self.slot(d - 1);
        if name == Qstr::__aexit__ {
            return Err(MpyError::AsyncWith);
        }
        match instruction.op {
            op::LOAD_ATTR => {
                let name = self.short_name(name)?;
                self.tag(d - 1, Tag::Any);
                self.abc(Op::GetAttr, object, object, name)
            }
            op::STORE_ATTR => {
                let name = self.short_name(name)?;
                match self.tag_of(d - 2) {
                    Tag::Null => self.abc(Op::DelAttr, object, name, 0),
                    _ => self.abc(Op::SetAttr, object, name, self.slot(d - 2)),
                }
            }
            op::LOAD_METHOD => self.method(d - 1, name),
            _ => {
                self.abc(Op::Call, self.slot(d - 3), 2, 0)?;
                self.method(d - 3, name)
            }
        }
    }

    /// The pair of a method and its object in place of the object at `depth`.
    pub(super) fn method(&mut self, depth: u16, name: Qstr) -> Loaded {
        let (name, register) = (self.short_name(name)?, self.slot(depth));
        let word = self.words.len() as u32;
        self.tag(depth + 1, Tag::Any);
        self.push_word(depth, ours::abc(Op::GetMethod, register, register, name), Tag::Method(word))
    }

    /// The first register gets the value of the second and so on, the last that of the first.
    pub(super) fn rotate(&mut self, registers: &[u8]) -> Loaded {
        let scratch = self.scratch(0);
        self.abc(Op::Move, scratch, registers[0], 0)?;
        for pair in registers.windows(2) {
            self.abc(Op::Move, pair[0], pair[1], 0)?;
        }
        self.abc(Op::Move, registers[registers.len() - 1], scratch, 0)
    }

    /// The tags of the uppermost slots go with their values.
    fn rotate_tags(&mut self, d: u16, count: u16) {
        let end = usize::from(d);
        if let Some(tags) = self.tags.get_mut(end - usize::from(count)..end) {
            tags.rotate_right(1);
        }
    }

    fn unary(&mut self, which: i32, register: u8) -> Loaded {
        let op = [Op::Pos, Op::Neg, Op::Invert, Op::Not][(which & 3) as usize];
        self.abc(op, register, register, 0)
    }

    fn binary(&mut self, which: i32, d: u16) -> Loaded {
        const OPERATIONS: [Op; 35] = [
            Op::Lt,
            Op::Gt,
            Op::Eq,
            Op::Le,
            Op::Ge,
            Op::Ne,
            Op::In,
            Op::Is,
            Op::ExcMatch,
            Op::IOr,
            Op::IXor,
            Op::IAnd,
            Op::IShl,
            Op::IShr,
            Op::IAdd,
            Op::ISub,
            Op::IMul,
            Op::IMatMul,
            Op::IFloorDiv,
            Op::ITrueDiv,
            Op::IMod,
            Op::IPow,
            Op::Or,
            Op::Xor,
            Op::And,
            Op::Shl,
            Op::Shr,
            Op::Add,
            Op::Sub,
            Op::Mul,
            Op::MatMul,
            Op::FloorDiv,
            Op::TrueDiv,
            Op::Mod,
            Op::Pow,
        ];
        let op = OPERATIONS.get(which as usize).copied().ok_or(MpyError::Incompatible)?;
        let (left, right) = (self.slot(d - 2), self.slot(d - 1));
        self.tag(d - 2, Tag::Any);
        self.abc(op, left, left, right)
    }

    fn branch(&mut self, instruction: Instruction, first: u8) -> Loaded {
        let sense = match instruction.op {
            op::JUMP => None,
            op::POP_JUMP_IF_TRUE | op::JUMP_IF_TRUE_OR_POP => Some(1),
            _ => Some(0),
        };
        if let Some(sense) = sense {
            self.abc(Op::Test, sense, first, 0)?;
        }
        let target = instruction.target()?;
        self.jump(target)
    }
}
