//! Shows that a code object can be executed without bounds checks.
//!
//! What is checked: every opcode is one; every register, constant, name and captured cell exists, windows of registers
//! included; every jump and handler goes to the start of an instruction; a test is followed by its jump, an
//! [`Op::UnpackEx`] or [`Op::Typed`] by its [`Op::Ext`], an `Ext` by an instruction that uses it; control cannot run off the end.
//!
//! What is not: that a register holds what an instruction expects. A machine that executes verified code still looks at
//! the tags of values, but not at indices.

use crate::code::CodeParts;
use crate::op::{self, Format, MAX_REGISTERS, Op};
use crate::operand::{Operand, is_terminator, is_test, operands};
use crate::typed::Typed;

/// Why a code object must not be executed: the word it concerns, and what is wrong there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Index of the word.
    pub at: u32,
    /// What is wrong.
    pub what: &'static str,
}

/// Checks a code object. `captured` says how many cells the function captures that a constant is the code of; none
/// if the constant is no code.
///
/// # Errors
/// The first flaw.
pub fn verify<Const>(
    parts: &CodeParts<'_, Const>,
    captured: impl Fn(&Const) -> Option<u8>,
) -> Result<(), Flaw> {
    check_frame(parts).map_err(|what| Flaw { at: 0, what })?;
    for at in 0..parts.words.len() {
        check_word(parts, at, &captured).map_err(|what| Flaw { at: at as u32, what })?;
    }
    let is_start = |index: u16| starts_instruction(parts.words, index.into());
    for handler in parts.handlers {
        let registers_fit = handler.register < parts.registers;
        let range_fits = handler.start < handler.end && usize::from(handler.end) <= parts.words.len();
        if !registers_fit || !range_fits || !is_start(handler.target) {
            return Err(Flaw { at: handler.start.into(), what: "handler out of range" });
        }
    }
    Ok(())
}

type Checked = Result<(), &'static str>;

fn check_frame<Const>(parts: &CodeParts<'_, Const>) -> Checked {
    let flags = parts.flags;
    let named = usize::from(parts.positional) + usize::from(parts.keyword_only);
    let all = named
        + usize::from(flags.has(crate::code::Flags::VAR_ARGS))
        + usize::from(flags.has(crate::code::Flags::VAR_KEYWORDS))
        + usize::from(flags.has(crate::code::Flags::NAMESPACE));
    let registers = usize::from(parts.registers);
    if registers == 0 || registers > MAX_REGISTERS || all > registers {
        return Err("wrong number of registers");
    }
    if parts.parameters.len() != named {
        return Err("wrong number of parameter names");
    }
    let last = parts.words.last().and_then(|word| Op::from_byte(*word as u8));
    if !last.is_some_and(is_terminator) {
        return Err("control runs off the end");
    }
    Ok(())
}

/// Whether control may go to word `index`: not to the jump of a test nor to what an extension belongs to, and not
/// into the second word of an unpacking.
fn starts_instruction(words: &[u32], index: usize) -> bool {
    if index >= words.len() {
        return false;
    }
    let before = index.checked_sub(1).and_then(|before| Op::from_byte(words[before] as u8));
    match before {
        None => true,
        Some(Op::UnpackEx | Op::Typed) => false,
        Some(Op::Ext) => is_second_word(words, index - 1),
        Some(before) => !is_test(before),
    }
}

/// Whether word `index`, an `Ext`, belongs to the unpacking or typed operation before it.
fn is_second_word(words: &[u32], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| Op::from_byte(words[before] as u8));
    matches!(before, Some(Op::UnpackEx | Op::Typed))
}

fn check_word<Const>(
    parts: &CodeParts<'_, Const>,
    at: usize,
    captured: &impl Fn(&Const) -> Option<u8>,
) -> Checked {
    let word = parts.words[at];
    let op = Op::from_byte(word as u8).ok_or("no such instruction")?;
    let following = parts.words.get(at + 1).and_then(|word| Op::from_byte(*word as u8));
    if !is_terminator(op) && following.is_none() {
        return Err("control runs off the end");
    }
    if is_test(op) && following != Some(Op::Jump) {
        return Err("a test without its jump");
    }
    if op == Op::Jump {
        return check_jump(parts.words, at, op::j(word));
    }
    if op == Op::Ext && !is_second_word(parts.words, at) && !following.is_some_and(uses_ext) {
        return Err("a lone extension");
    }
    let (values, shapes) = (fields(op, word), operands(op));
    for (value, operand) in values.into_iter().zip(shapes) {
        check_operand(parts, at, value, operand, word, captured)?;
    }
    match op {
        Op::UnpackEx => check_unpack(parts, at, word),
        Op::Typed => check_typed(parts.words, at),
        _ => Ok(()),
    }
}

fn uses_ext(op: Op) -> bool {
    operands(op).contains(&Operand::ShortName)
}

fn check_jump(words: &[u32], at: usize, step: i32) -> Checked {
    let target = at as i64 + 1 + i64::from(step);
    let fits = usize::try_from(target).is_ok_and(|target| starts_instruction(words, target));
    if fits { Ok(()) } else { Err("jump to the middle of nowhere") }
}

/// `Typed`: the next word names the operation.
fn check_typed(words: &[u32], at: usize) -> Checked {
    let extension = words.get(at + 1).filter(|next| Op::from_byte(**next as u8) == Some(Op::Ext));
    match extension.and_then(|next| Typed::from_number(op::x(*next))) {
        Some(_) => Ok(()),
        None => Err("no such typed operation"),
    }
}

/// `UnpackEx`: the names before, the starred one, and those after it, whose number is in the next word.
fn check_unpack<Const>(parts: &CodeParts<'_, Const>, at: usize, word: u32) -> Checked {
    let after = match parts.words.get(at + 1) {
        Some(next) if Op::from_byte(*next as u8) == Some(Op::Ext) => usize::from(op::x(*next)),
        _ => return Err("an unpacking without its extension"),
    };
    let last = usize::from(op::a(word)) + usize::from(op::c(word)) + after;
    if last < usize::from(parts.registers) { Ok(()) } else { Err("register out of range") }
}

/// The operands as [`operands`] orders them, without sign.
fn fields(op: Op, word: u32) -> [usize; 3] {
    let (a, b, c) = (op::a(word).into(), op::b(word).into(), op::c(word).into());
    match op.format() {
        Format::Abc | Format::Abi => [a, b, c],
        Format::Abx | Format::Asx => [a, op::x(word).into(), 0],
        Format::J => [0, 0, 0],
    }
}

fn check_operand<Const>(
    parts: &CodeParts<'_, Const>,
    at: usize,
    value: usize,
    operand: Operand,
    word: u32,
    captured: &impl Fn(&Const) -> Option<u8>,
) -> Checked {
    let (b, c) = (usize::from(op::b(word)), usize::from(op::c(word)));
    let registers = |count: usize| match value + count <= usize::from(parts.registers) {
        true => Ok(()),
        false => Err("register out of range"),
    };
    match operand {
        Operand::Register => registers(1),
        Operand::Registers(count) => registers(count.into()),
        // An empty window may start anywhere, even after the last register.
        Operand::RegistersByC if c == 0 => Ok(()),
        Operand::RegistersByC => registers(c),
        Operand::Callee { extra } => registers(usize::from(extra) + b + 2 * c),
        Operand::Closure => {
            let code = parts.constants.get(usize::from(op::x(word)));
            let cells = code.and_then(captured).ok_or("a closure of what is no code")?;
            registers(2 + usize::from(cells))
        }
        Operand::Constant if value < parts.constants.len() => Ok(()),
        Operand::Constant => Err("constant out of range"),
        Operand::Code => match parts.constants.get(value).and_then(captured) {
            Some(0) => Ok(()),
            _ => Err("a function of what is no code, or captures cells"),
        },
        Operand::Name if value < parts.names.len() => Ok(()),
        Operand::Name => Err("name out of range"),
        Operand::ShortName => {
            let before = at.checked_sub(1).filter(|before| !is_second_word(parts.words, *before));
            let word = before.map(|before| parts.words[before]);
            let extension = word.filter(|word| Op::from_byte(*word as u8) == Some(Op::Ext));
            let index = value | extension.map_or(0, |word| usize::from(op::x(word)) << 8);
            if index < parts.names.len() { Ok(()) } else { Err("name out of range") }
        }
        Operand::Cell if value < usize::from(parts.free) => Ok(()),
        Operand::Cell => Err("captured cell out of range"),
        Operand::Truth if value <= 1 => Ok(()),
        Operand::Truth => Err("neither true nor false"),
        Operand::None | Operand::Count | Operand::Number | Operand::Qstr | Operand::Target => Ok(()),
    }
}
