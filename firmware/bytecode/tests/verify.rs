//! The verifier on words that no compiler wrote: it never panics, and what it accepts is safe to execute, as a model of
//! the machine that only looks at indices shows.

use larch_bytecode::code::{CodeParts, Flags, Handler, LineTable};
use larch_bytecode::disasm::{Show, list};
use larch_bytecode::op::{self, Format, Op};
use larch_bytecode::operand::{is_terminator, is_test};
use larch_bytecode::qstr::Qstr;
use larch_bytecode::verify;
use proptest::prelude::*;
use std::fmt::Write;

/// Constants are the number of cells that the code they stand for captures; none for other constants.
type Const = Option<u8>;

struct Plain;

impl Show<Const> for Plain {
    fn name(&self, name: Qstr, out: &mut dyn Write) -> std::fmt::Result {
        write!(out, "q{}", name.0)
    }

    fn constant(&self, constant: &Const, out: &mut dyn Write) -> std::fmt::Result {
        write!(out, "{constant:?}")
    }
}

const CONSTANTS: [Const; 3] = [None, Some(0), Some(2)];

fn parts<'a>(words: &'a [u32], handlers: &'a [Handler], names: &'a [Qstr]) -> CodeParts<'a, Const> {
    CodeParts {
        name: Qstr::MODULE,
        file: Qstr::STDIN,
        flags: Flags(0),
        registers: 12,
        positional: 1,
        keyword_only: 0,
        free: 2,
        parameters: &[Qstr::args],
        names,
        constants: &CONSTANTS,
        words,
        handlers,
        first_line: 1,
        lines: &[],
    }
}

/// A word of any opcode with operands that are mostly in range.
fn word() -> impl Strategy<Value = u32> {
    let operand = || prop_oneof![8 => 0u8..14, 1 => any::<u8>()];
    let plausible = (0..Op::ALL.len(), operand(), operand(), operand()).prop_map(|(op, a, b, c)| {
        let op = Op::ALL[op];
        match op.format() {
            Format::J => op::jump(op, i32::from(a as i8 % 8)),
            Format::Abx | Format::Asx => op::abx(op, a, u16::from(b)),
            _ => op::abc(op, a, b, c),
        }
    });
    prop_oneof![20 => plausible, 1 => any::<u32>()]
}

/// Tests are followed by jumps and unpackings by their extension, so that the verifier sees more than those flaws.
fn program() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(word(), 0..24).prop_map(|words| {
        let mut program = Vec::new();
        for word in words {
            program.push(word);
            match Op::from_byte(word as u8) {
                Some(Op::UnpackEx | Op::Typed) => program.push(op::abx(Op::Ext, 0, 1)),
                Some(op) if is_test(op) => program.push(op::jump(Op::Jump, (word >> 8) as i32 % 6)),
                _ => {}
            }
        }
        program.push(op::abc(Op::ReturnNone, 0, 0, 0));
        program
    })
}

/// Walks along all paths, indexing as the machine does: a panic means that the verifier let something through.
fn walk(parts: &CodeParts<'_, Const>) {
    let mut pending = vec![0usize];
    pending.extend(parts.handlers.iter().map(|handler| usize::from(handler.target)));
    let mut seen = vec![false; parts.words.len()];
    while let Some(at) = pending.pop() {
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        let word = parts.words[at];
        let op = Op::from_byte(word as u8).expect("an opcode");
        let jump = |at: usize| (at as i64 + 1 + i64::from(op::j(parts.words[at]))) as usize;
        match op {
            Op::Jump => pending.push(jump(at)),
            Op::UnpackEx | Op::Typed => pending.push(at + 2),
            Op::Ext => pending.push(at + 1),
            op if is_test(op) => pending.extend([at + 2, jump(at + 1)]),
            op if is_terminator(op) => {}
            _ => pending.push(at + 1),
        }
        if let Op::LoadConst | Op::MakeFunction | Op::MakeClosure = op {
            let _ = parts.constants[usize::from(op::x(word))];
        }
    }
}

proptest! {
    // Miri takes a thousand times as long.
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 50 } else { 20_000 }, ..ProptestConfig::default() })]

    #[test]
    fn no_words_panic(words in proptest::collection::vec(any::<u32>(), 0..40), handler in any::<(u16, u16, u16, u8)>()) {
        let (start, end, target, register) = handler;
        let handlers = [Handler { start, end, target, register }];
        let parts = parts(&words, &handlers, &[Qstr::args]);
        let _ = verify(&parts, |constant| *constant);
        let mut text = String::new();
        list(&parts, &Plain, &mut text).unwrap();
    }

    #[test]
    fn what_is_accepted_stays_inside(words in program(), handler in (0u16..8, 0u16..9, 0u16..9, 0u8..13)) {
        let (start, end, target, register) = handler;
        let handlers = [Handler { start, end, target, register }];
        let names = [Qstr::args; 6];
        for count in [0, 1] {
            let parts = parts(&words, &handlers[..count], &names);
            if verify(&parts, |constant| *constant).is_ok() {
                walk(&parts);
            }
        }
    }

    #[test]
    fn any_line_table_reads(table in proptest::collection::vec(any::<u8>(), 0..40), index in any::<u32>()) {
        LineTable::line(1, &table, index);
    }
}

/// One flaw at a time in code that is otherwise right.
#[test]
fn flaws_are_named() {
    let end = op::abc(Op::ReturnNone, 0, 0, 0);
    let cases: &[(&[u32], &str)] = &[
        (&[], "control runs off the end"),
        (&[op::abc(Op::Move, 0, 1, 0)], "control runs off the end"),
        (&[0xff, end], "no such instruction"),
        (&[op::abc(Op::Move, 12, 0, 0), end], "register out of range"),
        (&[op::abc(Op::GetMethod, 11, 0, 0), end], "register out of range"),
        (&[op::abc(Op::Call, 9, 3, 0), end], "register out of range"),
        (&[op::abc(Op::CallKw, 8, 2, 1), end], "register out of range"),
        (&[op::abx(Op::LoadConst, 0, 3), end], "constant out of range"),
        (&[op::abx(Op::MakeFunction, 0, 2), end], "a function of what is no code, or captures cells"),
        (&[op::abx(Op::MakeClosure, 9, 2), end], "register out of range"),
        (&[op::abx(Op::MakeClosure, 0, 0), end], "a closure of what is no code"),
        (&[op::abc(Op::GetAttr, 0, 0, 1), end], "name out of range"),
        (&[op::abx(Op::Ext, 0, 1), op::abc(Op::GetAttr, 0, 0, 0), end], "name out of range"),
        (&[op::abx(Op::Ext, 0, 1), end], "a lone extension"),
        (&[op::abc(Op::LoadFree, 0, 2, 0), end], "captured cell out of range"),
        (&[op::abc(Op::Test, 1, 0, 0), end], "a test without its jump"),
        (&[op::abc(Op::Test, 2, 0, 0), op::jump(Op::Jump, 0), end], "neither true nor false"),
        (&[op::jump(Op::Jump, 1), end], "jump to the middle of nowhere"),
        (&[op::abc(Op::Test, 1, 0, 0), op::jump(Op::Jump, -1), end], "jump to the middle of nowhere"),
        (&[op::abc(Op::UnpackEx, 0, 0, 1), end], "an unpacking without its extension"),
        (&[op::abc(Op::Typed, 0, 0, 1), end], "no such typed operation"),
        (&[op::abc(Op::Typed, 0, 0, 1), op::abx(Op::Ext, 0, 0x7f), end], "no such typed operation"),
        (&[op::abc(Op::UnpackEx, 9, 0, 2), op::abx(Op::Ext, 0, 1), end], "register out of range"),
    ];
    for (words, what) in cases {
        let parts = parts(words, &[], &[Qstr::args]);
        let flaw = verify(&parts, |constant| *constant).expect_err(what);
        assert_eq!(flaw.what, *what, "{words:x?}");
    }
}
