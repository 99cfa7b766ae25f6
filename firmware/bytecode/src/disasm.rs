//! Listings of code, for snapshots and for people.
//!
//! One line per word: its index, the line of the source when it changes, the opcode and its operands. Registers are
//! `r0`, constants and names appear as what they are, jumps as the index they go to.

use crate::code::{CodeParts, LineTable};
use crate::op::{self, Format, Op};
use crate::operand::{Operand, operands};
use crate::qstr::Qstr;
use core::fmt::{self, Write};

/// Shows what a listing refers to.
pub trait Show<Const> {
    /// Writes a name.
    ///
    /// # Errors
    /// Those of `out`.
    fn name(&self, name: Qstr, out: &mut dyn Write) -> fmt::Result;
    /// Writes a constant.
    ///
    /// # Errors
    /// Those of `out`.
    fn constant(&self, constant: &Const, out: &mut dyn Write) -> fmt::Result;
}

/// Writes the listing of a code object. Anything can be listed, verified or not.
///
/// # Errors
/// Those of `out`.
pub fn list<Const>(parts: &CodeParts<'_, Const>, show: &dyn Show<Const>, out: &mut dyn Write) -> fmt::Result {
    let mut line = 0;
    for (index, word) in parts.words.iter().enumerate() {
        let its_line = LineTable::line(parts.first_line, parts.lines, index as u32);
        match its_line == line {
            true => write!(out, "      {index:4}  ")?,
            false => write!(out, "{its_line:5} {index:4}  ")?,
        }
        line = its_line;
        instruction(parts, index, *word, show, out)?;
        out.write_char('\n')?;
    }
    for handler in parts.handlers {
        let (start, end, target, register) = (handler.start, handler.end, handler.target, handler.register);
        writeln!(out, "      handler {start}..{end} -> {target} r{register}")?;
    }
    Ok(())
}

fn instruction<Const>(
    parts: &CodeParts<'_, Const>,
    index: usize,
    word: u32,
    show: &dyn Show<Const>,
    out: &mut dyn Write,
) -> fmt::Result {
    let Some(op) = Op::from_byte(word as u8) else {
        return write!(out, "{word:08x}");
    };
    write!(out, "{:<12}", op.name())?;
    let ext = match index.checked_sub(1).map(|before| parts.words[before]) {
        Some(before) if Op::from_byte(before as u8) == Some(Op::Ext) => usize::from(op::x(before)) << 8,
        _ => 0,
    };
    let mut separator = " ";
    for (operand, value) in operands(op).into_iter().zip(values(op, word)) {
        if operand == Operand::None {
            continue;
        }
        out.write_str(separator)?;
        separator = ", ";
        match operand {
            Operand::Register
            | Operand::Registers(_)
            | Operand::RegistersByC
            | Operand::Callee { .. }
            | Operand::Closure => write!(out, "r{value}")?,
            Operand::Constant | Operand::Code => match parts.constants.get(value as usize) {
                Some(constant) => show.constant(constant, out)?,
                None => write!(out, "constant {value}")?,
            },
            Operand::Qstr => show.name(Qstr(value as u16), out)?,
            Operand::Name | Operand::ShortName => match parts.names.get(value as usize + ext) {
                Some(name) => show.name(*name, out)?,
                None => write!(out, "name {value}")?,
            },
            Operand::Target => write!(out, "-> {}", index as i64 + 1 + i64::from(value))?,
            _ => write!(out, "{value}")?,
        }
    }
    Ok(())
}

/// The operands as [`operands`] orders them.
fn values(op: Op, word: u32) -> [i32; 3] {
    let (a, b, c) = (op::a(word).into(), op::b(word).into(), op::c(word).into());
    match op.format() {
        Format::Abc => [a, b, c],
        Format::Abi => [a, b, op::i(word).into()],
        Format::Abx => [a, op::x(word).into(), 0],
        Format::Asx => [a, op::s(word).into(), 0],
        Format::J => [op::j(word), 0, 0],
    }
}
