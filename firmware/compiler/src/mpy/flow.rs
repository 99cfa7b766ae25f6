//! Instructions, and what holds where each begins: values on the stack and open blocks.

use super::block::{Block, Blocks, Kind, Open};
use super::{Loaded, MpyError};
use crate::buffer::Buffer;

/// The opcodes, as `py/bc0.h` numbers them.
pub(super) mod op {
    pub(in super::super) const LOAD_CONST_STRING: u8 = 0x10;
    pub(in super::super) const LOAD_NAME: u8 = 0x11;
    pub(in super::super) const LOAD_GLOBAL: u8 = 0x12;
    pub(in super::super) const LOAD_ATTR: u8 = 0x13;
    pub(in super::super) const LOAD_METHOD: u8 = 0x14;
    pub(in super::super) const LOAD_SUPER_METHOD: u8 = 0x15;
    pub(in super::super) const STORE_NAME: u8 = 0x16;
    pub(in super::super) const STORE_GLOBAL: u8 = 0x17;
    pub(in super::super) const STORE_ATTR: u8 = 0x18;
    pub(in super::super) const DELETE_NAME: u8 = 0x19;
    pub(in super::super) const DELETE_GLOBAL: u8 = 0x1a;
    pub(in super::super) const IMPORT_NAME: u8 = 0x1b;
    pub(in super::super) const IMPORT_FROM: u8 = 0x1c;
    pub(in super::super) const MAKE_CLOSURE: u8 = 0x20;
    pub(in super::super) const MAKE_CLOSURE_DEFARGS: u8 = 0x21;
    pub(in super::super) const LOAD_CONST_SMALL_INT: u8 = 0x22;
    pub(in super::super) const LOAD_CONST_OBJ: u8 = 0x23;
    pub(in super::super) const LOAD_FAST_N: u8 = 0x24;
    pub(in super::super) const LOAD_DEREF: u8 = 0x25;
    pub(in super::super) const STORE_FAST_N: u8 = 0x26;
    pub(in super::super) const STORE_DEREF: u8 = 0x27;
    pub(in super::super) const DELETE_FAST: u8 = 0x28;
    pub(in super::super) const DELETE_DEREF: u8 = 0x29;
    pub(in super::super) const BUILD_TUPLE: u8 = 0x2a;
    pub(in super::super) const BUILD_LIST: u8 = 0x2b;
    pub(in super::super) const BUILD_MAP: u8 = 0x2c;
    pub(in super::super) const BUILD_SET: u8 = 0x2d;
    pub(in super::super) const BUILD_SLICE: u8 = 0x2e;
    pub(in super::super) const STORE_COMP: u8 = 0x2f;
    pub(in super::super) const UNPACK_SEQUENCE: u8 = 0x30;
    pub(in super::super) const UNPACK_EX: u8 = 0x31;
    pub(in super::super) const MAKE_FUNCTION: u8 = 0x32;
    pub(in super::super) const MAKE_FUNCTION_DEFARGS: u8 = 0x33;
    pub(in super::super) const CALL_FUNCTION: u8 = 0x34;
    pub(in super::super) const CALL_FUNCTION_VAR_KW: u8 = 0x35;
    pub(in super::super) const CALL_METHOD: u8 = 0x36;
    pub(in super::super) const CALL_METHOD_VAR_KW: u8 = 0x37;
    pub(in super::super) const UNWIND_JUMP: u8 = 0x40;
    pub(in super::super) const JUMP: u8 = 0x42;
    pub(in super::super) const POP_JUMP_IF_TRUE: u8 = 0x43;
    pub(in super::super) const POP_JUMP_IF_FALSE: u8 = 0x44;
    pub(in super::super) const JUMP_IF_TRUE_OR_POP: u8 = 0x45;
    pub(in super::super) const JUMP_IF_FALSE_OR_POP: u8 = 0x46;
    pub(in super::super) const SETUP_WITH: u8 = 0x47;
    pub(in super::super) const SETUP_EXCEPT: u8 = 0x48;
    pub(in super::super) const SETUP_FINALLY: u8 = 0x49;
    pub(in super::super) const POP_EXCEPT_JUMP: u8 = 0x4a;
    pub(in super::super) const FOR_ITER: u8 = 0x4b;
    pub(in super::super) const LOAD_CONST_FALSE: u8 = 0x50;
    pub(in super::super) const LOAD_CONST_NONE: u8 = 0x51;
    pub(in super::super) const LOAD_CONST_TRUE: u8 = 0x52;
    pub(in super::super) const LOAD_NULL: u8 = 0x53;
    pub(in super::super) const LOAD_BUILD_CLASS: u8 = 0x54;
    pub(in super::super) const LOAD_SUBSCR: u8 = 0x55;
    pub(in super::super) const STORE_SUBSCR: u8 = 0x56;
    pub(in super::super) const DUP_TOP: u8 = 0x57;
    pub(in super::super) const DUP_TOP_TWO: u8 = 0x58;
    pub(in super::super) const POP_TOP: u8 = 0x59;
    pub(in super::super) const ROT_TWO: u8 = 0x5a;
    pub(in super::super) const ROT_THREE: u8 = 0x5b;
    pub(in super::super) const WITH_CLEANUP: u8 = 0x5c;
    pub(in super::super) const END_FINALLY: u8 = 0x5d;
    pub(in super::super) const GET_ITER: u8 = 0x5e;
    pub(in super::super) const GET_ITER_STACK: u8 = 0x5f;
    pub(in super::super) const STORE_MAP: u8 = 0x62;
    pub(in super::super) const RETURN_VALUE: u8 = 0x63;
    pub(in super::super) const RAISE_LAST: u8 = 0x64;
    pub(in super::super) const RAISE_OBJ: u8 = 0x65;
    pub(in super::super) const RAISE_FROM: u8 = 0x66;
    pub(in super::super) const YIELD_VALUE: u8 = 0x67;
    pub(in super::super) const YIELD_FROM: u8 = 0x68;
    pub(in super::super) const IMPORT_STAR: u8 = 0x69;
    pub(in super::super) const SMALL_INTS: u8 = 0x70;
    pub(in super::super) const LOAD_FASTS: u8 = 0xb0;
    pub(in super::super) const STORE_FASTS: u8 = 0xc0;
    pub(in super::super) const UNARY: u8 = 0xd0;
    pub(in super::super) const BINARY: u8 = 0xd7;
}

/// Slots of the stack that an iterator takes.
pub(super) const ITERATOR: u16 = 4;

/// An instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction {
    pub(super) op: u8,
    /// A number, or the offset of a target.
    pub(super) argument: i32,
    /// The byte behind the argument.
    pub(super) extra: u8,
    /// Offset of the next instruction.
    pub(super) next: u16,
}

impl Instruction {
    /// The instruction at an offset. Those with many numbers in their opcodes get the general opcode.
    pub(super) fn at(code: &[u8], offset: u16) -> Loaded<Instruction> {
        let mut at = usize::from(offset);
        let mut byte = || {
            let byte = code.get(at).copied().ok_or(MpyError::Incompatible);
            at += 1;
            byte
        };
        let opcode = byte()?;
        let (mut op, mut argument, mut extra) = (opcode, 0, 0);
        match opcode {
            0x10..=0x3f => {
                let is_signed = opcode == op::LOAD_CONST_SMALL_INT;
                let mut more = byte()?;
                argument = if is_signed && more & 0x40 != 0 { -1 } else { 0 };
                loop {
                    if !(-0x100_0000..0x100_0000).contains(&argument) {
                        return Err(MpyError::Incompatible);
                    }
                    argument = argument << 7 | i32::from(more & 0x7f);
                    if more & 0x80 == 0 {
                        break;
                    }
                    more = byte()?;
                }
                if matches!(opcode, op::MAKE_CLOSURE | op::MAKE_CLOSURE_DEFARGS) {
                    extra = byte()?;
                }
            }
            0x40..=0x4f => {
                let low = byte()?;
                let is_signed = opcode <= op::POP_JUMP_IF_FALSE;
                let step = match low & 0x80 {
                    0 => i32::from(low) - if is_signed { 0x40 } else { 0 },
                    _ => {
                        let step = i32::from(low & 0x7f) | i32::from(byte()?) << 7;
                        step - if is_signed { 0x4000 } else { 0 }
                    }
                };
                let base = at as i32;
                if opcode == op::UNWIND_JUMP {
                    extra = code.get(at).copied().ok_or(MpyError::Incompatible)?;
                    at += 1;
                }
                argument = base + step;
            }
            0x70..=0xaf => {
                (op, argument) = (op::LOAD_CONST_SMALL_INT, i32::from(opcode - op::SMALL_INTS) - 16);
            }
            0xb0..=0xbf => (op, argument) = (op::LOAD_FAST_N, i32::from(opcode - op::LOAD_FASTS)),
            0xc0..=0xcf => (op, argument) = (op::STORE_FAST_N, i32::from(opcode - op::STORE_FASTS)),
            0xd0..=0xd3 => (op, argument) = (op::UNARY, i32::from(opcode - op::UNARY)),
            0xd7..=0xf9 => (op, argument) = (op::BINARY, i32::from(opcode - op::BINARY)),
            _ => {}
        }
        let next = u16::try_from(at).map_err(|_| MpyError::TooLarge)?;
        Ok(Instruction { op, argument, extra, next })
    }

    pub(super) fn target(&self) -> Loaded<u16> {
        u16::try_from(self.argument).map_err(|_| MpyError::Incompatible)
    }

    /// Positional arguments and keyword pairs of a call.
    pub(super) fn arguments(&self) -> (u16, u16) {
        ((self.argument & 0xff) as u16, (self.argument >> 8 & 0xff) as u16)
    }

    /// What it takes from the stack, and what it leaves there instead; where it goes on at the next instruction.
    fn effect(&self) -> Loaded<(u16, u16)> {
        let count = u16::try_from(self.argument).unwrap_or(u16::MAX);
        let (positional, keywords) = self.arguments();
        let arguments = positional + 2 * keywords;
        Ok(match self.op {
            op::LOAD_CONST_FALSE..=op::LOAD_BUILD_CLASS
            | op::LOAD_CONST_STRING
            | op::LOAD_NAME
            | op::LOAD_GLOBAL
            | op::LOAD_CONST_SMALL_INT
            | op::LOAD_CONST_OBJ
            | op::LOAD_FAST_N
            | op::LOAD_DEREF
            | op::BUILD_MAP
            | op::MAKE_FUNCTION => (0, 1),
            op::LOAD_ATTR | op::GET_ITER | op::UNARY | op::YIELD_VALUE => (1, 1),
            op::LOAD_METHOD | op::DUP_TOP | op::IMPORT_FROM => (1, 2),
            op::LOAD_SUPER_METHOD => (3, 2),
            op::LOAD_SUBSCR | op::IMPORT_NAME | op::YIELD_FROM | op::BINARY => (2, 1),
            op::MAKE_FUNCTION_DEFARGS => (2, 1),
            op::STORE_NAME | op::STORE_GLOBAL | op::STORE_FAST_N | op::STORE_DEREF => (1, 0),
            op::POP_TOP | op::IMPORT_STAR | op::POP_JUMP_IF_TRUE | op::POP_JUMP_IF_FALSE => (1, 0),
            op::JUMP_IF_TRUE_OR_POP | op::JUMP_IF_FALSE_OR_POP => (1, 0),
            op::STORE_ATTR => (2, 0),
            op::STORE_SUBSCR => (3, 0),
            op::DELETE_NAME | op::DELETE_GLOBAL | op::DELETE_FAST | op::DELETE_DEREF => (0, 0),
            op::DUP_TOP_TWO => (2, 4),
            op::ROT_TWO => (2, 2),
            op::ROT_THREE => (3, 3),
            op::STORE_MAP => (3, 1),
            op::GET_ITER_STACK => (1, ITERATOR),
            op::FOR_ITER => (ITERATOR, ITERATOR + 1),
            op::BUILD_TUPLE | op::BUILD_LIST | op::BUILD_SET | op::BUILD_SLICE => (count, 1),
            op::STORE_COMP => (if self.argument & 3 == 1 { 2 } else { 1 }, 0),
            op::UNPACK_SEQUENCE => (1, count),
            op::UNPACK_EX => (1, positional + keywords + 1),
            op::MAKE_CLOSURE => (self.extra.into(), 1),
            op::MAKE_CLOSURE_DEFARGS => (u16::from(self.extra) + 2, 1),
            op::CALL_FUNCTION => (arguments + 1, 1),
            op::CALL_FUNCTION_VAR_KW | op::CALL_METHOD => (arguments + 2, 1),
            op::CALL_METHOD_VAR_KW => (arguments + 3, 1),
            op::WITH_CLEANUP => (3, 1),
            op::END_FINALLY => (1, 0),
            op::SETUP_WITH => (1, 3),
            op::SETUP_EXCEPT | op::SETUP_FINALLY | op::POP_EXCEPT_JUMP | op::JUMP | op::UNWIND_JUMP => (0, 0),
            op::RETURN_VALUE | op::RAISE_OBJ => (1, 0),
            op::RAISE_FROM => (2, 0),
            op::RAISE_LAST => (0, 0),
            _ => return Err(MpyError::Incompatible),
        })
    }
}

/// What holds at an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) depth: u16,
    pub(super) open: Option<Open>,
}

/// What is known of a function's code.
pub(super) struct Flow {
    /// By offset; none where control does not arrive.
    states: Buffer<Option<State>>,
    pub(super) blocks: Blocks,
    /// Most values on the stack.
    pub(super) deepest: u16,
    /// Locals that are used.
    pub(super) locals: u16,
    /// It uses names of a module's or class's namespace.
    pub(super) is_namespace: bool,
    pending: Buffer<(u16, State)>,
}

/// Longest code of a function, in bytes.
const LONGEST: usize = 0x7fff;

impl Flow {
    /// Follows all ways through the code.
    pub(super) fn of(code: &[u8], parameters: u16) -> Loaded<Flow> {
        if code.len() > LONGEST {
            return Err(MpyError::TooLarge);
        }
        let mut flow = Flow {
            states: Buffer::new(),
            blocks: Blocks::new(),
            deepest: 0,
            locals: parameters,
            is_namespace: false,
            pending: Buffer::new(),
        };
        for _ in code {
            flow.states.push(None)?;
        }
        flow.pending.push((0, State { depth: 0, open: None }))?;
        while let Some((offset, state)) = flow.pending.pop() {
            flow.visit(code, offset, state)?;
        }
        Ok(flow)
    }

    pub(super) fn state(&self, offset: u16) -> Option<State> {
        self.states.get(usize::from(offset)).copied().flatten()
    }

    /// Notes what holds at an offset; false if that is known already.
    fn note(&mut self, offset: u16, state: State) -> Loaded<bool> {
        let known = self.states.get_mut(usize::from(offset)).ok_or(MpyError::Incompatible)?;
        if let Some(known) = known {
            return if *known == state { Ok(false) } else { Err(MpyError::Incompatible) };
        }
        *known = Some(state);
        self.deepest = self.deepest.max(state.depth);
        Ok(true)
    }

    /// Where control arrives at the handler of the innermost block, it is in the handler.
    fn arrive(&self, offset: u16, mut state: State) -> State {
        if let Some(open) = &mut state.open
            && self.blocks.get(open.number).handler == offset
        {
            open.in_handler = true;
        }
        state
    }

    /// Follows the code from an offset to where it ends or is known.
    fn visit(&mut self, code: &[u8], mut offset: u16, mut state: State) -> Loaded {
        loop {
            state = self.arrive(offset, state);
            if !self.note(offset, state)? {
                return Ok(());
            }
            let instruction = Instruction::at(code, offset)?;
            let (taken, left) = instruction.effect()?;
            let depth = state.depth.checked_sub(taken).ok_or(MpyError::Incompatible)?;
            let depth = depth.checked_add(left).filter(|depth| *depth < 0x100).ok_or(MpyError::TooLarge)?;
            self.deepest = self.deepest.max(depth);
            let after = State { depth, open: state.open };
            self.note_use(&instruction);
            match self.branch(offset, &instruction, state, after)? {
                Some(after) => (offset, state) = (instruction.next, after),
                None => return Ok(()),
            }
        }
    }

    fn note_use(&mut self, instruction: &Instruction) {
        match instruction.op {
            op::LOAD_FAST_N
            | op::STORE_FAST_N
            | op::DELETE_FAST
            | op::LOAD_DEREF
            | op::STORE_DEREF
            | op::DELETE_DEREF => {
                let index = u16::try_from(instruction.argument).unwrap_or(u16::MAX - 1);
                self.locals = self.locals.max(index + 1);
            }
            op::LOAD_NAME | op::STORE_NAME | op::DELETE_NAME | op::IMPORT_STAR => self.is_namespace = true,
            _ => {}
        }
    }

    fn later(&mut self, offset: u16, depth: u16, open: Option<Open>) -> Loaded {
        Ok(self.pending.push((offset, State { depth, open }))?)
    }

    /// Notes the other ways out of an instruction; what holds at the next one, if control goes on there.
    fn branch(
        &mut self,
        offset: u16,
        instruction: &Instruction,
        before: State,
        after: State,
    ) -> Loaded<Option<State>> {
        let State { depth, open } = after;
        match instruction.op {
            op::POP_JUMP_IF_TRUE | op::POP_JUMP_IF_FALSE => self.later(instruction.target()?, depth, open)?,
            op::JUMP_IF_TRUE_OR_POP | op::JUMP_IF_FALSE_OR_POP => {
                self.later(instruction.target()?, before.depth, open)?;
            }
            op::FOR_ITER => self.later(instruction.target()?, before.depth - ITERATOR, open)?,
            op::JUMP => {
                self.later(instruction.target()?, depth, open)?;
                return Ok(None);
            }
            op::POP_EXCEPT_JUMP => {
                let around = self.blocks.around(open)?;
                self.later(instruction.target()?, depth, around)?;
                return Ok(None);
            }
            op::UNWIND_JUMP => {
                self.unwind(instruction, before)?;
                return Ok(None);
            }
            op::SETUP_WITH | op::SETUP_EXCEPT | op::SETUP_FINALLY => {
                let (kind, depth) = match instruction.op {
                    op::SETUP_WITH => (Kind::With, depth - 1),
                    op::SETUP_EXCEPT => (Kind::Except, depth),
                    _ => (Kind::Finally, depth),
                };
                let (handler, level) = (instruction.target()?, self.blocks.level(open));
                let block = Block { kind, handler, depth, around: open, level };
                let inner = self.blocks.open(offset, block)?;
                self.later(handler, depth + 1, Some(Open { in_handler: true, ..inner }))?;
                return Ok(Some(State { depth: after.depth, open: Some(inner) }));
            }
            op::END_FINALLY => {
                let around = self.blocks.around(open)?;
                let is_except = open.is_some_and(|open| self.blocks.get(open.number).kind == Kind::Except);
                return Ok((!is_except).then_some(State { depth, open: around }));
            }
            op::RETURN_VALUE | op::RAISE_OBJ | op::RAISE_FROM | op::RAISE_LAST => return Ok(None),
            _ => {}
        }
        Ok(Some(after))
    }

    /// A jump out of blocks: where it arrives the stack is as before the outermost of them.
    fn unwind(&mut self, instruction: &Instruction, before: State) -> Loaded {
        let (mut open, mut depth) = (before.open, before.depth);
        for _ in 0..instruction.extra & 0x7f {
            let block = self.blocks.get(open.ok_or(MpyError::Incompatible)?.number);
            depth = block.depth - if block.kind == Kind::With { 2 } else { 0 };
            open = block.around;
        }
        if instruction.extra & 0x80 != 0 {
            depth = depth.checked_sub(ITERATOR).ok_or(MpyError::Incompatible)?;
        }
        self.later(instruction.target()?, depth, open)
    }
}
