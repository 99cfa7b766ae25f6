//! Instruction after instruction, over registers: the locals, MicroPython's value stack, two registers for every level of
//! blocks (why a `finally` runs, the exception that is handled), the value that is returned through blocks, and some
//! that only one translation uses.

mod blocks;
mod build;
mod instructions;
mod lines;
mod words;

use super::flow::{Flow, Instruction, op};
use super::read::{Function, Reader, Tables, flag};
use super::{Loaded, MpyError};
use crate::buffer::Buffer;
use crate::erase::{Const, Maker};
use larch_bytecode::code::{CodeParts, Flags, Handler, LineTable};
use larch_bytecode::op::{self as ours, MAX_REGISTERS, Op};
use larch_bytecode::qstr::Qstr;
use lines::Lines;

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

    fn patch_jumps(&mut self) -> Loaded {
        for index in 0..self.jumps.len() {
            let (word, offset) = self.jumps[index];
            let target = self.starts.get(usize::from(offset)).copied().filter(|target| *target != u32::MAX);
            let target = target.ok_or(MpyError::Incompatible)?;
            self.words[word as usize] = ours::jump(Op::Jump, target as i32 - word as i32 - 1);
        }
        Ok(())
    }
}
