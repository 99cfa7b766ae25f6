//! Instruction after instruction, over registers: the locals, MicroPython's value stack, two registers for every level of
//! blocks (why a `finally` runs, the exception that is handled), the value that is returned through blocks, and some
//! that only one translation uses.

use super::block::{Goal, Kind, Open};
use super::flow::{Flow, ITERATOR, Instruction, State, op};
use super::read::{Function, Reader, Tables, flag};
use super::{Loaded, MpyError};
use crate::buffer::Buffer;
use crate::erase::{Const, Maker};
use larch_bytecode::code::{CodeParts, Flags, Handler, LineTable};
use larch_bytecode::op::{self as ours, MAX_REGISTERS, Op};
use larch_bytecode::qstr::Qstr;

/// Registers that only one translation uses.
const SCRATCH: u16 = 5;
/// Slots above the stack that a closure's cells and unpacked items move through.
const SPARE: u16 = 3;

/// What is known of a slot of the stack that the next instructions look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Any,
    Null,
    Int(i32),
    /// Made by this word, a `GetMethod`.
    Method(u32),
}

struct Translator<'f, 'b> {
    tables: &'f Tables,
    backend: &'b mut dyn Maker,
    code: &'f [u8],
    flow: Flow,
    /// Captured cells, which MicroPython passes as the first parameters.
    closed: u16,
    /// Locals besides those.
    locals: u16,
    /// First register of the locals: 1 behind a namespace.
    first_local: u16,
    /// The code of inner functions, as constants.
    children: Buffer<Const>,
    words: Buffer<u32>,
    /// For each word the block whose handler an exception goes to, plus one.
    protection: Buffer<u16>,
    protecting: u16,
    names: Buffer<Qstr>,
    constants: Buffer<Const>,
    /// For each offset its first word.
    starts: Buffer<u32>,
    /// Jumps, and the offsets they go to.
    jumps: Buffer<(u32, u16)>,
    tags: Buffer<Tag>,
}

/// Reads a function and its children, and makes its code object. `closed` says how many cells it captures; the module is
/// the one at depth 0.
pub(super) fn function(
    reader: &mut Reader<'_>,
    tables: &Tables,
    file: Qstr,
    closed: u16,
    backend: &mut dyn Maker,
) -> Loaded<Const> {
    let is_module = reader.is_outermost();
    reader.enter()?;
    let function = reader.function()?;
    let named = (function.positional + function.keyword_only) as usize;
    let stars = [flag::VAR_ARGS, flag::VAR_KEYWORDS].iter().filter(|bit| function.flags & **bit != 0).count();
    let parameters = u16::try_from(named + stars).map_err(|_| MpyError::TooLarge)?;
    let mut flow = Flow::of(function.code, parameters)?;
    flow.is_namespace |= is_module;
    let mut children = Buffer::new();
    for index in 0..function.children {
        let cells = captured_by_child(&flow, function.code, index)?;
        let child = self::function(reader, tables, file, cells, backend)?;
        children.push(child)?;
    }
    reader.leave();
    let locals = flow.locals.checked_sub(closed).ok_or(MpyError::Incompatible)?;
    if u32::from(closed) > function.positional {
        return Err(MpyError::Incompatible);
    }
    let first_local = u16::from(flow.is_namespace);
    let mut translator = Translator {
        tables,
        backend,
        code: function.code,
        flow,
        closed,
        locals,
        first_local,
        children,
        words: Buffer::new(),
        protection: Buffer::new(),
        protecting: 0,
        names: Buffer::new(),
        constants: Buffer::new(),
        starts: Buffer::new(),
        jumps: Buffer::new(),
        tags: Buffer::new(),
    };
    translator.run(&function, parameters, file)
}

/// How many cells the child number `index` captures: its parent says so where it makes the closure.
fn captured_by_child(flow: &Flow, code: &[u8], index: usize) -> Loaded<u16> {
    let mut offset = 0;
    while usize::from(offset) < code.len() {
        let instruction = Instruction::at(code, offset)?;
        let is_closure = matches!(instruction.op, op::MAKE_CLOSURE | op::MAKE_CLOSURE_DEFARGS);
        if is_closure && instruction.argument as usize == index && flow.state(offset).is_some() {
            return Ok(instruction.extra.into());
        }
        offset = instruction.next;
    }
    Ok(0)
}

impl Translator<'_, '_> {
    fn run(&mut self, function: &Function<'_>, parameters: u16, file: Qstr) -> Loaded<Const> {
        if usize::from(self.registers()) > MAX_REGISTERS {
            return Err(MpyError::TooLarge);
        }
        for _ in 0..=self.flow.deepest {
            self.tags.push(Tag::Any)?;
        }
        self.prologue(function, parameters)?;
        let mut lines = Lines::new(function.lines);
        let mut table = Buffer::new();
        let (first_line, mut written) = (lines.line(0), (0u32, lines.line(0)));
        let mut offset = 0u16;
        while usize::from(offset) < self.code.len() {
            self.starts.push(self.words.len() as u32)?;
            let instruction = Instruction::at(self.code, offset)?;
            let line = lines.line(offset);
            if let Some(state) = self.flow.state(offset) {
                if line != written.1 {
                    let at = self.words.len() as u32;
                    let mut full = Ok(());
                    LineTable::write(at - written.0, line as i32 - written.1 as i32, |byte| {
                        if full.is_ok() {
                            full = table.push(byte);
                        }
                    });
                    full?;
                    written = (at, line);
                }
                self.protecting = self.flow.blocks.protecting(state.open).map_or(0, |number| number + 1);
                self.instruction(instruction, state)?;
            }
            for _ in offset + 1..instruction.next {
                self.starts.push(u32::MAX)?;
            }
            offset = instruction.next;
        }
        self.protecting = 0;
        let handlers = self.handlers()?;
        self.patch_jumps()?;
        self.finish(function, file, first_line, &table, &handlers)
    }

    fn finish(
        &mut self,
        function: &Function<'_>,
        file: Qstr,
        first_line: u32,
        lines: &[u8],
        handlers: &[Handler],
    ) -> Loaded<Const> {
        let mut parameters = Buffer::new();
        for name in function.parameters.iter().skip(self.closed.into()) {
            parameters.push(self.qstr(*name)?)?;
        }
        let mut flags = if self.flow.is_namespace { Flags::NAMESPACE } else { 0 };
        let kinds = [
            (flag::GENERATOR, Flags::GENERATOR),
            (flag::VAR_ARGS, Flags::VAR_ARGS),
            (flag::VAR_KEYWORDS, Flags::VAR_KEYWORDS),
        ];
        for (theirs, own) in kinds {
            if function.flags & theirs != 0 {
                flags |= own;
            }
        }
        let positional = function.positional - u32::from(self.closed);
        if self.flow.is_namespace && !parameters.is_empty() || self.words.len() > 0xffff {
            return Err(MpyError::TooLarge);
        }
        let parts = CodeParts {
            name: self.qstr(function.name)?,
            file,
            flags: Flags(flags),
            registers: self.registers() as u8,
            positional: positional as u8,
            keyword_only: function.keyword_only as u8,
            free: self.closed as u8,
            parameters: &parameters,
            names: &self.names,
            constants: &self.constants,
            words: &self.words,
            handlers,
            first_line,
            lines,
        };
        if parts.fits() { Ok(self.backend.code(&parts)?) } else { Err(MpyError::TooLarge) }
    }

    // ---- registers ----

    fn stack(&self) -> u16 {
        self.first_local + self.locals + self.closed
    }

    fn block_registers(&self) -> u16 {
        self.stack() + self.flow.deepest + SPARE
    }

    fn scratch(&self, index: u16) -> u8 {
        (self.block_registers() + 2 * self.flow.blocks.levels() + 1 + index) as u8
    }

    fn registers(&self) -> u16 {
        self.block_registers() + 2 * self.flow.blocks.levels() + 1 + SCRATCH
    }

    /// A slot of the stack.
    fn slot(&self, depth: u16) -> u8 {
        self.stack().wrapping_add(depth) as u8
    }

    fn local(&self, index: u16) -> Loaded<u8> {
        if index >= self.locals + self.closed {
            return Err(MpyError::Incompatible);
        }
        Ok(match index.checked_sub(self.closed) {
            Some(index) => (self.first_local + index) as u8,
            None => (self.first_local + self.locals + index) as u8,
        })
    }

    /// Why the handler of a block runs: 0 the normal end, 1 an exception, else the number of a way out.
    fn reason(&self, block: u16) -> u8 {
        (self.block_registers() + 2 * self.flow.blocks.get(block).level) as u8
    }

    /// The exception that it handles.
    fn exception(&self, block: u16) -> u8 {
        self.reason(block) + 1
    }

    fn returned(&self) -> u8 {
        self.scratch(0) - 1
    }

    // ---- words ----

    fn word(&mut self, word: u32) -> Loaded {
        self.words.push(word)?;
        self.protection.push(self.protecting)?;
        Ok(())
    }

    fn abc(&mut self, op: Op, a: u8, b: u8, c: u8) -> Loaded {
        self.word(ours::abc(op, a, b, c))
    }

    fn abx(&mut self, op: Op, a: u8, x: u16) -> Loaded {
        self.word(ours::abx(op, a, x))
    }

    fn jump(&mut self, offset: u16) -> Loaded {
        self.jumps.push((self.words.len() as u32, offset))?;
        self.word(ours::jump(Op::Jump, 0))
    }

    /// A test and its jump over the words that `skipped` makes.
    fn unless(&mut self, test: u32, skipped: impl FnOnce(&mut Self) -> Loaded) -> Loaded {
        self.word(test)?;
        let at = self.words.len();
        self.word(0)?;
        skipped(self)?;
        self.words[at] = ours::jump(Op::Jump, (self.words.len() - at - 1) as i32);
        Ok(())
    }

    fn qstr(&self, index: usize) -> Loaded<Qstr> {
        self.tables.names.get(index).copied().ok_or(MpyError::Incompatible)
    }

    fn name(&self, instruction: Instruction) -> Loaded<Qstr> {
        self.qstr(instruction.argument as usize)
    }

    fn name_index(&mut self, name: Qstr) -> Loaded<u16> {
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
    fn short_name(&mut self, name: Qstr) -> Loaded<u8> {
        let index = self.name_index(name)?;
        if index > 0xff {
            self.abx(Op::Ext, 0, index >> 8)?;
        }
        Ok(index as u8)
    }

    fn constant(&mut self, constant: Const) -> Loaded<u16> {
        self.constants.push(constant)?;
        u16::try_from(self.constants.len() - 1).map_err(|_| MpyError::TooLarge)
    }

    fn child(&mut self, index: i32) -> Loaded<u16> {
        let child = self.children.get(index as usize).copied().ok_or(MpyError::Incompatible)?;
        self.constant(child)
    }

    fn tag(&mut self, depth: u16, tag: Tag) {
        if let Some(place) = self.tags.get_mut(usize::from(depth)) {
            *place = tag;
        }
    }

    fn tag_of(&self, depth: u16) -> Tag {
        self.tags.get(usize::from(depth)).copied().unwrap_or(Tag::Any)
    }

    // ---- beginning and end ----

    fn prologue(&mut self, function: &Function<'_>, parameters: u16) -> Loaded {
        for index in 0..self.closed {
            let register = self.local(index)?;
            self.abc(Op::FreeCell, register, index as u8, 0)?;
        }
        for index in parameters..self.locals + self.closed {
            let register = self.local(index)?;
            self.abc(Op::LoadUnbound, register, 0, 0)?;
        }
        for index in function.cells {
            let register = self.local(u16::from(*index))?;
            self.abc(Op::MakeCell, register, 0, 0)?;
        }
        Ok(())
    }

    /// The ranges that blocks protect, and the words that take an exception to a block's handler.
    fn handlers(&mut self) -> Loaded<Buffer<Handler>> {
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

    fn patch_jumps(&mut self) -> Loaded {
        for index in 0..self.jumps.len() {
            let (word, offset) = self.jumps[index];
            let target = self.starts.get(usize::from(offset)).copied().filter(|target| *target != u32::MAX);
            let target = target.ok_or(MpyError::Incompatible)?;
            self.words[word as usize] = ours::jump(Op::Jump, target as i32 - word as i32 - 1);
        }
        Ok(())
    }

    // ---- instructions ----

    fn instruction(&mut self, instruction: Instruction, state: State) -> Loaded {
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
    fn push_word(&mut self, depth: u16, word: u32, tag: Tag) -> Loaded {
        self.tag(depth, tag);
        self.word(word)
    }

    /// Three of them around an iterator are how a comprehension's loop begins: null, iterator, null, null.
    fn load_null(&mut self, d: u16) -> Loaded {
        self.push_word(d, ours::abc(Op::LoadNone, self.slot(d), 0, 0), Tag::Null)?;
        let is_null = |below| d >= below && self.tag_of(d - below) == Tag::Null;
        if is_null(1) && is_null(3) && !is_null(2) {
            let pair = self.slot(d - 3);
            return self.abc(Op::GetIter, pair, pair + 1, 0);
        }
        Ok(())
    }

    fn load_int(&mut self, d: u16, value: i32) -> Loaded {
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
    fn method(&mut self, depth: u16, name: Qstr) -> Loaded {
        let (name, register) = (self.short_name(name)?, self.slot(depth));
        let word = self.words.len() as u32;
        self.tag(depth + 1, Tag::Any);
        self.push_word(depth, ours::abc(Op::GetMethod, register, register, name), Tag::Method(word))
    }

    /// The first register gets the value of the second and so on, the last that of the first.
    fn rotate(&mut self, registers: &[u8]) -> Loaded {
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

    // ---- blocks ----

    /// Leaves blocks, through the handlers that must run.
    fn leave(&mut self, open: Option<Open>, left: u16, goal: Goal) -> Loaded {
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

    fn return_value(&mut self, state: State, value: u8) -> Loaded {
        let left = self.flow.blocks.level(state.open);
        if self.flow.blocks.leave(state.open, left)?.0.is_none() {
            return self.abc(Op::Return, value, 0, 0);
        }
        self.abc(Op::Move, self.returned(), value, 0)?;
        self.leave(state.open, left, Goal::Return)
    }

    fn set_up(&mut self, instruction: Instruction, state: State) -> Loaded {
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
    fn clean_up(&mut self, state: State) -> Loaded {
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

    fn end_finally(&mut self, state: State) -> Loaded {
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

    // ---- building ----

    fn build(&mut self, instruction: Instruction, d: u16) -> Loaded {
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
    fn unpack(&mut self, instruction: Instruction, d: u16) -> Loaded {
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

    fn make_function(&mut self, instruction: Instruction, d: u16) -> Loaded {
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

    fn call(&mut self, instruction: Instruction, d: u16) -> Loaded {
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
    fn make_attribute(&mut self, depth: u16) -> Loaded {
        let Tag::Method(word) = self.tag_of(depth) else { return Err(MpyError::TooLarge) };
        let made = self.words[word as usize];
        self.words[word as usize] = ours::abc(Op::GetAttr, ours::a(made), ours::b(made), ours::c(made));
        Ok(())
    }

    fn import(&mut self, instruction: Instruction, d: u16) -> Loaded {
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

/// Lines of offsets, which must be asked for in ascending order.
struct Lines<'m> {
    rest: &'m [u8],
    line: u32,
    /// Offset from which the next entry holds.
    until: u32,
    next_line: u32,
}

impl<'m> Lines<'m> {
    fn new(table: &'m [u8]) -> Self {
        let mut lines = Lines { rest: table, line: 1, until: 0, next_line: 1 };
        lines.advance();
        lines
    }

    /// Reads an entry: how many bytes of code the line so far has, and how many lines it goes on.
    fn advance(&mut self) {
        self.line = self.next_line;
        let (bytes, lines) = match self.rest {
            [] => (u32::MAX, 0),
            [low, high, rest @ ..] if low & 0x80 != 0 => {
                self.rest = rest;
                (u32::from(low & 0xf), u32::from(low & 0x70) << 4 | u32::from(*high))
            }
            [byte, rest @ ..] => {
                self.rest = rest;
                (u32::from(byte & 0x1f), u32::from(byte >> 5))
            }
        };
        self.until = self.until.saturating_add(bytes);
        self.next_line = self.line.saturating_add(lines);
    }

    fn line(&mut self, offset: u16) -> u32 {
        while u32::from(offset) >= self.until {
            self.advance();
        }
        self.line
    }
}
