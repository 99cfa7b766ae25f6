//! Words, jumps, lines, constants, names and registers of the unit under way.

use super::label::{Bits, Label};
use super::{Emitted, Emitter, Reg};
use crate::ast::{Item, Kind, Ref};
use crate::erase::Const;
use crate::error::{Failure, Fault};
use larch_bytecode::code::LineTable;
use larch_bytecode::op::{self, MAX_REGISTERS, Op};
use larch_bytecode::qstr::Qstr;

/// Words a code object can have: handlers and its own header count them in 16 bits.
const MAX_WORDS: u32 = u16::MAX as u32;

/// What a constant was made from.
#[derive(Clone, Copy)]
enum Key {
    Int(i64),
    Single(u8),
    Object(u32),
    /// Made for this use alone.
    Unique,
}

impl Key {
    const UNIQUE: u64 = u64::MAX;

    fn word(self) -> u64 {
        match self {
            Key::Int(value) if value << 2 >> 2 == value => value as u64 & (u64::MAX >> 2),
            Key::Int(_) => Key::UNIQUE,
            Key::Single(which) => 1 << 62 | u64::from(which),
            Key::Object(index) => 2 << 62 | u64::from(index),
            Key::Unique => Key::UNIQUE,
        }
    }
}

impl Emitter<'_, '_> {
    // ---- words ----

    /// Index of the next word in the unit.
    pub(super) fn here(&self) -> u32 {
        (self.words.len() - self.unit.words) as u32
    }

    /// Appends an instruction, if control can arrive here.
    pub(super) fn word(&mut self, word: u32) -> Emitted {
        if !self.unit.reachable {
            return Ok(());
        }
        if self.here() >= MAX_WORDS {
            return Err(Failure::at(0, Fault::Code));
        }
        self.mark_line()?;
        self.words.push(word)
    }

    pub(super) fn abc(&mut self, op: Op, a: Reg, b: Reg, c: u8) -> Emitted {
        self.word(op::abc(op, a, b, c))
    }

    pub(super) fn abx(&mut self, op: Op, a: Reg, x: u16) -> Emitted {
        self.word(op::abx(op, a, x))
    }

    /// `R[a] = R[b]`, unless they are one.
    pub(super) fn copy(&mut self, a: Reg, b: Reg) -> Emitted {
        if a == b { Ok(()) } else { self.abc(Op::Move, a, b, 0) }
    }

    /// What follows is on `line`, unless it is after that already: as in MicroPython, lines only go up in a code object.
    pub(super) fn at_line(&mut self, line: u32) {
        self.unit.line = self.unit.line.max(line);
    }

    /// Writes the line table's entry if the line has changed since the last instruction.
    fn mark_line(&mut self) -> Emitted {
        let line = if self.parser.options.level > 2 { 1 } else { self.unit.line };
        if self.unit.first_line.is_none() {
            self.unit.first_line = Some(line);
            self.unit.written_line = line;
        }
        if line == self.unit.written_line {
            return Ok(());
        }
        let at = self.here();
        let (words, step) = (at - self.unit.written_at, line as i32 - self.unit.written_line as i32);
        let mut result = Ok(());
        let lines = &mut self.lines;
        LineTable::write(words, step, |byte| {
            if result.is_ok() {
                result = lines.push(byte);
            }
        });
        (self.unit.written_line, self.unit.written_at) = (line, at);
        result
    }

    /// Locals that are checked somewhere begin unbound: puts the instructions for it before the others.
    pub(super) fn start_unbound(&mut self) -> Emitted {
        let mut count = 0u32;
        for register in 0..MAX_REGISTERS as u8 {
            if self.unit.checked[usize::from(register / 32)] & 1 << (register % 32) != 0 {
                let word = op::abc(Op::LoadUnbound, register, 0, 0);
                self.words.insert(self.unit.words + count as usize, &[word])?;
                count += 1;
            }
        }
        if count == 0 {
            return Ok(());
        }
        let mut entry = [0; 16];
        let mut len = 0;
        LineTable::write(count, 0, |byte| {
            entry[len] = byte;
            len += 1;
        });
        self.lines.insert(self.unit.lines, &entry[..len])?;
        for handler in &mut self.handlers[self.unit.handlers..] {
            for index in [&mut handler.start, &mut handler.end, &mut handler.target] {
                *index = index.checked_add(count as u16).ok_or(TOO_LONG)?;
            }
        }
        Ok(())
    }

    // ---- jumps ----

    /// Jumps to `label`; nothing follows.
    pub(super) fn jump(&mut self, label: &mut Label) -> Emitted {
        self.branch(label)?;
        self.unit.reachable = false;
        Ok(())
    }

    /// The jump word that a test takes or skips.
    pub(super) fn branch(&mut self, label: &mut Label) -> Emitted {
        if !self.unit.reachable {
            return Ok(());
        }
        let at = self.here();
        self.word(op::jump(Op::Jump, label.chain as i32))?;
        label.chain = at + 1;
        label.bound.intersect(self.unit.bound);
        Ok(())
    }

    /// The jump word to a place already emitted.
    pub(super) fn branch_back(&mut self, target: u32) -> Emitted {
        let step = target as i32 - (self.here() as i32 + 1);
        self.word(op::jump(Op::Jump, step))
    }

    /// `label` is here.
    pub(super) fn bind(&mut self, label: Label) {
        if label.chain == 0 {
            return;
        }
        if self.unit.reachable {
            self.unit.bound.intersect(label.bound);
        } else {
            self.unit.bound = label.bound;
        }
        self.unit.reachable = true;
        self.bind_back(label, self.here());
    }

    /// Sends the jumps to `label` back to `target`, a place already emitted.
    pub(super) fn bind_back(&mut self, label: Label, target: u32) {
        let mut chain = label.chain;
        while chain != 0 {
            let word = &mut self.words[self.unit.words + chain as usize - 1];
            let next = op::j(*word) as u32;
            *word = op::jump(Op::Jump, target as i32 - chain as i32);
            chain = next;
        }
    }

    /// Goes on at a place that control reaches from where the state was `bound`, if `reachable`, with anything that can
    /// become unbound having become so: a handler, or the start of a loop.
    pub(super) fn resume(&mut self, reachable: bool, bound: Bits) {
        self.unit.reachable = reachable;
        self.unit.bound = bound;
        self.unit.bound.subtract(self.unit.deletable);
    }

    // ---- registers ----

    /// A new temporary.
    pub(super) fn temporary(&mut self) -> Emitted<Reg> {
        self.temporaries(1)
    }

    /// `count` new temporaries in a row; the first of them.
    pub(super) fn temporaries(&mut self, count: u16) -> Emitted<Reg> {
        let first = self.unit.top;
        self.unit.top += count;
        self.unit.most = self.unit.most.max(self.unit.top);
        if usize::from(self.unit.top) > MAX_REGISTERS {
            return Err(Failure::at(0, Fault::Registers));
        }
        Ok(first as Reg)
    }

    /// Whether the register is a temporary: it may be written before an expression is complete.
    pub(super) fn is_temporary(&self, register: Reg) -> bool {
        u16::from(register) >= self.unit.temporaries
    }

    /// `register` if it is the last temporary, so that those after it can follow; else a new one.
    pub(super) fn last_or_new(&mut self, register: Reg) -> Emitted<Reg> {
        let is_last = self.is_temporary(register) && u16::from(register) + 1 == self.unit.top;
        if is_last { Ok(register) } else { self.temporary() }
    }

    // ---- constants and names ----

    /// Index of a constant that is new.
    pub(super) fn new_constant(&mut self, constant: Const) -> Emitted<u16> {
        self.push_constant(constant, Key::Unique)
    }

    fn push_constant(&mut self, constant: Const, key: Key) -> Emitted<u16> {
        let index = self.constants.len() - self.unit.constants;
        let index = u16::try_from(index).map_err(|_| Failure::at(0, Fault::Constants))?;
        self.constants.push(constant)?;
        self.keys.push(key.word())?;
        Ok(index)
    }

    /// Index of the constant that a tree stands for.
    pub(super) fn constant(&mut self, item: Ref) -> Emitted<u16> {
        let key = match item.item() {
            Item::Int(value) => Key::Int(value.into()),
            Item::Single(which) => Key::Single(which as u8),
            Item::Node(node) if self.parser.ast.kind(node) == Kind::Int => {
                Key::Int(self.parser.ast.int(node))
            }
            Item::Node(node) if self.parser.ast.kind(node) == Kind::Object => {
                match self.parser.ast.word(node, 0) {
                    index if self.parser.is_kept(index) => Key::Object(index),
                    _ => Key::Unique,
                }
            }
            _ => Key::Unique,
        };
        let word = key.word();
        let found = self.keys[self.unit.constants..].iter().position(|known| *known == word);
        match found.filter(|_| word != Key::UNIQUE) {
            Some(index) => Ok(index as u16),
            None => {
                let constant = self.parser.constant(item)?;
                self.push_constant(constant, key)
            }
        }
    }

    /// Index of a name.
    pub(super) fn name_index(&mut self, name: Qstr) -> Emitted<u16> {
        let names = &self.names[self.unit.names..];
        if let Some(index) = names.iter().position(|known| *known == name) {
            return Ok(index as u16);
        }
        let index = u16::try_from(names.len()).map_err(|_| Failure::at(0, Fault::Names))?;
        self.names.push(name)?;
        Ok(index)
    }

    /// The low byte of a name's index; the rest goes into an `Ext` before the instruction.
    pub(super) fn short_name(&mut self, name: Qstr) -> Emitted<u8> {
        let index = self.name_index(name)?;
        if index > 0xff {
            self.abx(Op::Ext, 0, index >> 8)?;
        }
        Ok(index as u8)
    }
}

pub(super) const TOO_LONG: Failure = Failure::at(0, Fault::Code);
