//! The 16-bit instructions. Source: ARM A5.2.

use super::super::op::{Address, Data, Extend, Flags, Hint, Multiply, Op, Operand, Reverse, Shift, Width};
use super::{bit, field, signed};

const WORD: Width = Width { bytes: 4, signed: false };
const HALF: Width = Width { bytes: 2, signed: false };
const BYTE: Width = Width { bytes: 1, signed: false };
const SIGNED_HALF: Width = Width { bytes: 2, signed: true };
const SIGNED_BYTE: Width = Width { bytes: 1, signed: true };
const SP: u8 = 13;
const ALWAYS: u8 = 14;

/// A low register at `low`.
fn low(word: u16, at: u32) -> u8 {
    field(word, at, 3) as u8
}

fn constant(value: u32) -> Operand {
    Operand::Constant(value, None)
}

fn plain(m: u8) -> Operand {
    Operand::Shifted(m, Shift::Lsl, 0)
}

pub(super) fn decode(word: u16) -> Op {
    match field(word, 11, 5) {
        0b00000..=0b00010 => shift(word),
        0b00011 => add_small(word),
        0b00100..=0b00111 => add_byte(word),
        0b01000 if !bit(word, 10) => data(word),
        0b01000 => high_registers(word),
        0b01001 => {
            Op::Load { t: low(word, 8), width: WORD, address: Address::Literal(field(word, 0, 8) as i32 * 4) }
        }
        0b01010 | 0b01011 => transfer_indexed(word),
        0b01100..=0b10001 => transfer(word),
        0b10010 | 0b10011 => {
            let address = Address::Offset(SP, field(word, 0, 8) as i32 * 4);
            load_store(bit(word, 11), low(word, 8), WORD, address)
        }
        0b10100 => Op::Adr { d: low(word, 8), offset: field(word, 0, 8) as i32 * 4 },
        0b10101 => Op::Data {
            op: Data::Add,
            flags: Flags::Keep,
            d: low(word, 8),
            n: SP,
            operand: constant(field(word, 0, 8) * 4),
        },
        0b10110 | 0b10111 => miscellaneous(word),
        0b11000 => {
            let list = word & 0xff;
            Op::StoreMultiple { n: low(word, 8), list, write_back: true, before: false }
        }
        0b11001 => {
            let (n, list) = (low(word, 8), word & 0xff);
            Op::LoadMultiple { n, list, write_back: list >> n & 1 == 0, before: false }
        }
        0b11010 | 0b11011 => match field(word, 8, 4) {
            14 => Op::Undefined,
            15 => Op::SupervisorCall,
            condition => Op::Branch { condition: condition as u8, offset: signed(field(word, 0, 8), 8) * 2 },
        },
        _ => Op::Branch { condition: ALWAYS, offset: signed(field(word, 0, 11), 11) * 2 },
    }
}

fn load_store(load: bool, t: u8, width: Width, address: Address) -> Op {
    if load { Op::Load { t, width, address } } else { Op::Store { t, width, address } }
}

fn shift(word: u16) -> Op {
    let amount = field(word, 6, 5) as u8;
    let (kind, amount) = match field(word, 11, 2) {
        0 => (Shift::Lsl, amount),
        1 => (Shift::Lsr, if amount == 0 { 32 } else { amount }),
        _ => (Shift::Asr, if amount == 0 { 32 } else { amount }),
    };
    let operand = Operand::Shifted(low(word, 3), kind, amount);
    Op::Data { op: Data::Mov, flags: Flags::OutsideIt, d: low(word, 0), n: 0, operand }
}

fn add_small(word: u16) -> Op {
    let op = if bit(word, 9) { Data::Sub } else { Data::Add };
    let operand = if bit(word, 10) { constant(field(word, 6, 3)) } else { plain(low(word, 6)) };
    Op::Data { op, flags: Flags::OutsideIt, d: low(word, 0), n: low(word, 3), operand }
}

fn add_byte(word: u16) -> Op {
    let (op, flags) = match field(word, 11, 2) {
        0 => (Data::Mov, Flags::OutsideIt),
        1 => (Data::Cmp, Flags::Set),
        2 => (Data::Add, Flags::OutsideIt),
        _ => (Data::Sub, Flags::OutsideIt),
    };
    let d = low(word, 8);
    Op::Data { op, flags, d, n: d, operand: constant(field(word, 0, 8)) }
}

fn data(word: u16) -> Op {
    let (d, m) = (low(word, 0), low(word, 3));
    let flags = Flags::OutsideIt;
    let two = |op| Op::Data { op, flags, d, n: d, operand: plain(m) };
    let compare = |op| Op::Data { op, flags: Flags::Set, d, n: d, operand: plain(m) };
    let shift = |kind| {
        let operand = Operand::ByRegister(d, kind, m);
        Op::Data { op: Data::Mov, flags, d, n: 0, operand }
    };
    match field(word, 6, 4) {
        0 => two(Data::And),
        1 => two(Data::Eor),
        2 => shift(Shift::Lsl),
        3 => shift(Shift::Lsr),
        4 => shift(Shift::Asr),
        5 => two(Data::Adc),
        6 => two(Data::Sbc),
        7 => shift(Shift::Ror),
        8 => compare(Data::Tst),
        9 => Op::Data { op: Data::Rsb, flags, d, n: m, operand: constant(0) },
        10 => compare(Data::Cmp),
        11 => compare(Data::Cmn),
        12 => two(Data::Orr),
        13 => Op::Multiply { kind: Multiply::Mul, flags, d, n: m, m: d, a: 0 },
        14 => two(Data::Bic),
        _ => Op::Data { op: Data::Mvn, flags, d, n: 0, operand: plain(m) },
    }
}

fn high_registers(word: u16) -> Op {
    let d = low(word, 0) | u8::from(bit(word, 7)) << 3;
    let m = field(word, 3, 4) as u8;
    match field(word, 8, 2) {
        0 => Op::Data { op: Data::Add, flags: Flags::Keep, d, n: d, operand: plain(m) },
        1 => Op::Data { op: Data::Cmp, flags: Flags::Set, d, n: d, operand: plain(m) },
        2 => Op::Data { op: Data::Mov, flags: Flags::Keep, d, n: 0, operand: plain(m) },
        _ => Op::BranchTo { m, link: bit(word, 7) },
    }
}

fn transfer_indexed(word: u16) -> Op {
    let t = low(word, 0);
    let address = Address::Register(low(word, 3), low(word, 6), 0);
    let (load, width) = match field(word, 9, 3) {
        0 => (false, WORD),
        1 => (false, HALF),
        2 => (false, BYTE),
        3 => (true, SIGNED_BYTE),
        4 => (true, WORD),
        5 => (true, HALF),
        6 => (true, BYTE),
        _ => (true, SIGNED_HALF),
    };
    load_store(load, t, width, address)
}

fn transfer(word: u16) -> Op {
    let width = match field(word, 12, 4) {
        0b0110 => WORD,
        0b0111 => BYTE,
        _ => HALF,
    };
    let offset = field(word, 6, 5) as i32 * i32::from(width.bytes);
    load_store(bit(word, 11), low(word, 0), width, Address::Offset(low(word, 3), offset))
}

fn miscellaneous(word: u16) -> Op {
    let list = word & 0xff;
    match field(word, 8, 4) {
        0b0000 => {
            let op = if bit(word, 7) { Data::Sub } else { Data::Add };
            let operand = constant(field(word, 0, 7) * 4);
            Op::Data { op, flags: Flags::Keep, d: SP, n: SP, operand }
        }
        0b0001 | 0b0011 | 0b1001 | 0b1011 => Op::CompareBranch {
            n: low(word, 0),
            if_zero: !bit(word, 11),
            offset: (field(word, 9, 1) << 6 | field(word, 3, 5) << 1) as i32,
        },
        0b0010 => {
            let kind = match field(word, 6, 2) {
                0 => Extend::Sxth,
                1 => Extend::Sxtb,
                2 => Extend::Uxth,
                _ => Extend::Uxtb,
            };
            Op::Extend { kind, d: low(word, 0), n: 15, m: low(word, 3), rotate: 0 }
        }
        0b0100 | 0b0101 => {
            let list = list | u16::from(bit(word, 8)) << 14;
            Op::StoreMultiple { n: SP, list, write_back: true, before: true }
        }
        0b0110 if field(word, 5, 3) == 0b011 => {
            let [primask, faultmask] = [1, 0].map(|at| bit(word, at));
            Op::ChangeState { disable: bit(word, 4), primask, faultmask }
        }
        0b1010 => {
            let kind = match field(word, 6, 2) {
                0 => Reverse::Rev,
                1 => Reverse::Rev16,
                3 => Reverse::Revsh,
                _ => return Op::Undefined,
            };
            Op::Reverse { kind, d: low(word, 0), m: low(word, 3) }
        }
        0b1100 | 0b1101 => {
            let list = list | u16::from(bit(word, 8)) << 15;
            Op::LoadMultiple { n: SP, list, write_back: true, before: false }
        }
        0b1110 => Op::Breakpoint,
        0b1111 if field(word, 0, 4) != 0 => Op::IfThen { state: list as u8 },
        0b1111 => Op::Hint(hint(field(word, 4, 4))),
        _ => Op::Undefined,
    }
}

/// Hints are numbered alike in both lengths.
pub(super) fn hint(number: u32) -> Hint {
    match number {
        2 => Hint::Wfe,
        3 => Hint::Wfi,
        4 => Hint::Sev,
        _ => Hint::Nop,
    }
}
