//! The 32-bit instructions, floating point aside. Source: ARM A5.3.

use super::super::op::{
    Address, Data, Extend, Field, Flags, Lanes, Multiply, Op, Operand, Overflow, Reverse, Saturating, Shift,
    Width,
};
use super::{bit, field, float, register, short, signed};

pub(super) fn decode(first: u16, second: u16) -> Op {
    match field(first, 11, 2) {
        0b01 => match field(first, 9, 2) {
            0b00 if bit(first, 6) => dual_or_exclusive(first, second),
            0b00 => multiple(first, second),
            0b01 => shifted_register(first, second),
            _ => float::decode(first, second),
        },
        0b10 if bit(second, 15) => branch(first, second),
        0b10 if bit(first, 9) => plain_immediate(first, second),
        0b10 => modified_immediate(first, second),
        _ => match field(first, 8, 3) {
            0b000 | 0b001 => single(first, second),
            0b010 => register_operation(first, second),
            0b011 if bit(first, 7) => long_multiply(first, second),
            0b011 => multiply(first, second),
            _ => float::decode(first, second),
        },
    }
}

/// The split constant of 12 bits.
fn immediate(first: u16, second: u16) -> u32 {
    field(first, 10, 1) << 11 | field(second, 12, 3) << 8 | field(second, 0, 8)
}

/// The constant that twelve bits stand for. Source: ARM A5.3.2, ThumbExpandImm_C.
fn expanded(first: u16, second: u16) -> Operand {
    let immediate = immediate(first, second);
    let byte = immediate & 0xff;
    if immediate >> 10 != 0 {
        let value = (0x80 | byte & 0x7f).rotate_right(immediate >> 7);
        return Operand::Constant(value, Some(value >> 31 != 0));
    }
    let value = match immediate >> 8 {
        0 => byte,
        1 => byte << 16 | byte,
        2 => byte << 24 | byte << 8,
        _ => byte << 24 | byte << 16 | byte << 8 | byte,
    };
    Operand::Constant(value, None)
}

/// A register and its shift by a constant. Source: ARM A7.4.2, DecodeImmShift.
fn shifted(second: u16) -> Operand {
    let amount = (field(second, 12, 3) << 2 | field(second, 6, 2)) as u8;
    let (kind, amount) = match (field(second, 4, 2), amount) {
        (0, amount) => (Shift::Lsl, amount),
        (1, 0) => (Shift::Lsr, 32),
        (1, amount) => (Shift::Lsr, amount),
        (2, 0) => (Shift::Asr, 32),
        (2, amount) => (Shift::Asr, amount),
        (_, 0) => (Shift::Rrx, 1),
        (_, amount) => (Shift::Ror, amount),
    };
    Operand::Shifted(register(second, 0), kind, amount)
}

/// The operation that both forms of data processing number alike.
fn data(first: u16, second: u16, operand: Operand) -> Op {
    let (set, n, d) = (bit(first, 4), register(first, 0), register(second, 8));
    let discards = d == 15 && set;
    let op = match field(first, 5, 4) {
        0 if discards => Data::Tst,
        0 => Data::And,
        1 => Data::Bic,
        2 if n == 15 => Data::Mov,
        2 => Data::Orr,
        3 if n == 15 => Data::Mvn,
        3 => Data::Orn,
        4 if discards => Data::Teq,
        4 => Data::Eor,
        8 if discards => Data::Cmn,
        8 => Data::Add,
        10 => Data::Adc,
        11 => Data::Sbc,
        13 if discards => Data::Cmp,
        13 => Data::Sub,
        14 => Data::Rsb,
        _ => return Op::Undefined,
    };
    Op::Data { op, flags: if set { Flags::Set } else { Flags::Keep }, d, n, operand }
}

fn modified_immediate(first: u16, second: u16) -> Op {
    data(first, second, expanded(first, second))
}

fn shifted_register(first: u16, second: u16) -> Op {
    if field(first, 5, 4) != 6 {
        return data(first, second, shifted(second));
    }
    let amount = (field(second, 12, 3) << 2 | field(second, 6, 2)) as u8;
    let top_bottom = bit(second, 5);
    let amount = if top_bottom && amount == 0 { 32 } else { amount };
    Op::Pack { top_bottom, d: register(second, 8), n: register(first, 0), m: register(second, 0), amount }
}

fn plain_immediate(first: u16, second: u16) -> Op {
    let (n, d) = (register(first, 0), register(second, 8));
    let immediate = immediate(first, second);
    let low = (field(second, 12, 3) << 2 | field(second, 6, 2)) as u8;
    let width = field(second, 0, 5) as u8 + 1;
    let half = immediate as u16 | u16::from(n) << 12;
    let add = |op| {
        let operand = Operand::Constant(immediate, None);
        Op::Data { op, flags: Flags::Keep, d, n, operand }
    };
    match field(first, 4, 5) {
        0b00000 if n == 15 => Op::Adr { d, offset: immediate as i32 },
        0b00000 => add(Data::Add),
        0b01010 if n == 15 => Op::Adr { d, offset: -(immediate as i32) },
        0b01010 => add(Data::Sub),
        0b00100 => {
            let operand = Operand::Constant(half.into(), None);
            Op::Data { op: Data::Mov, flags: Flags::Keep, d, n: 0, operand }
        }
        0b01100 => Op::Movt { d, half },
        0b10010 | 0b11010 if low == 0 => {
            let signed = !bit(first, 7);
            Op::Saturate16 { signed, d, n, bits: field(second, 0, 4) as u8 + u8::from(signed) }
        }
        0b10000 | 0b10010 | 0b11000 | 0b11010 => {
            let signed = !bit(first, 7);
            let shift = if bit(first, 5) { Shift::Asr } else { Shift::Lsl };
            let bits = field(second, 0, 5) as u8 + u8::from(signed);
            Op::Saturate { signed, d, n, bits, shift, amount: low }
        }
        0b10100 => Op::Field { kind: Field::Sbfx, d, n, low, width },
        0b11100 => Op::Field { kind: Field::Ubfx, d, n, low, width },
        // Here the second number is the highest bit.
        0b10110 if width > low => {
            let kind = if n == 15 { Field::Bfc } else { Field::Bfi };
            Op::Field { kind, d, n, low, width: width - low }
        }
        _ => Op::Undefined,
    }
}

fn branch(first: u16, second: u16) -> Op {
    let [sign, j1, j2] = [field(first, 10, 1), field(second, 13, 1), field(second, 11, 1)];
    let wide = || {
        let [i1, i2] = [j1, j2].map(|bit| 1 ^ bit ^ sign);
        let bits = sign << 23 | i1 << 22 | i2 << 21 | field(first, 0, 10) << 11 | field(second, 0, 11);
        signed(bits, 24) * 2
    };
    match field(second, 12, 3) & 0b101 {
        0b000 if field(first, 7, 3) != 0b111 => {
            let bits = sign << 19 | j2 << 18 | j1 << 17 | field(first, 0, 6) << 11 | field(second, 0, 11);
            Op::Branch { condition: field(first, 6, 4) as u8, offset: signed(bits, 20) * 2 }
        }
        0b000 => control(first, second),
        0b001 => Op::Branch { condition: 14, offset: wide() },
        0b101 => Op::BranchLink { offset: wide() },
        _ => Op::Undefined,
    }
}

fn control(first: u16, second: u16) -> Op {
    match field(first, 4, 7) {
        0b011_1000 | 0b011_1001 => Op::WriteSpecial {
            n: register(first, 0),
            special: field(second, 0, 8) as u8,
            mask: field(second, 10, 2) as u8,
        },
        0b011_1010 if field(second, 8, 3) == 0 => Op::Hint(short::hint(field(second, 0, 8))),
        0b011_1011 => match field(second, 4, 4) {
            2 => Op::ClearExclusive,
            4..=6 => Op::Barrier,
            _ => Op::Undefined,
        },
        0b011_1110 | 0b011_1111 => {
            Op::ReadSpecial { d: register(second, 8), special: field(second, 0, 8) as u8 }
        }
        _ => Op::Undefined,
    }
}

fn multiple(first: u16, second: u16) -> Op {
    let (n, write_back) = (register(first, 0), bit(first, 5));
    let before = match field(first, 7, 2) {
        0b01 => false,
        0b10 => true,
        _ => return Op::Undefined,
    };
    if bit(first, 4) {
        Op::LoadMultiple { n, list: second & 0xdfff, write_back, before }
    } else {
        Op::StoreMultiple { n, list: second & 0x5fff, write_back, before }
    }
}

/// Base register with an offset of eight bits, as the bits for pre-indexing, adding and write-back say.
fn indexed(n: u8, offset: i32, pre: bool, add: bool, write_back: bool) -> Address {
    let offset = if add { offset } else { -offset };
    match (pre, write_back) {
        (true, false) => Address::Offset(n, offset),
        (true, true) => Address::PreIndexed(n, offset),
        (false, _) => Address::PostIndexed(n, offset),
    }
}

fn dual_or_exclusive(first: u16, second: u16) -> Op {
    let (n, t, d) = (register(first, 0), register(second, 12), register(second, 8));
    let load = bit(first, 4);
    let word_offset = field(second, 0, 8) as u16 * 4;
    if bit(first, 8) || bit(first, 5) {
        let (pre, add) = (bit(first, 8), bit(first, 7));
        let address = if n == 15 {
            Address::Literal(if add { word_offset.into() } else { -i32::from(word_offset) })
        } else {
            indexed(n, word_offset.into(), pre, add, bit(first, 5))
        };
        return if load { Op::LoadDual { t, t2: d, address } } else { Op::StoreDual { t, t2: d, address } };
    }
    if !bit(first, 7) {
        return if load {
            Op::LoadExclusive { t, n, offset: word_offset, bytes: 4 }
        } else {
            Op::StoreExclusive { d, t, n, offset: word_offset, bytes: 4 }
        };
    }
    match (load, field(second, 4, 4)) {
        (true, kind @ (0 | 1)) => Op::TableBranch { n, m: register(second, 0), half_words: kind == 1 },
        (true, kind @ (4 | 5)) => Op::LoadExclusive { t, n, offset: 0, bytes: kind as u8 - 3 },
        (false, kind @ (4 | 5)) => {
            Op::StoreExclusive { d: register(second, 0), t, n, offset: 0, bytes: kind as u8 - 3 }
        }
        _ => Op::Undefined,
    }
}

fn single(first: u16, second: u16) -> Op {
    let (n, t) = (register(first, 0), register(second, 12));
    let load = bit(first, 4);
    let bytes = match field(first, 5, 2) {
        0 => 1,
        1 => 2,
        2 => 4,
        _ => return Op::Undefined,
    };
    let width = Width { bytes, signed: bit(first, 8) };
    if width.signed && (!load || bytes == 4) {
        return Op::Undefined;
    }
    let address = if n == 15 {
        let offset = field(second, 0, 12) as i32;
        Address::Literal(if bit(first, 7) { offset } else { -offset })
    } else if bit(first, 7) {
        Address::Offset(n, field(second, 0, 12) as i32)
    } else if bit(second, 11) {
        let offset = field(second, 0, 8) as i32;
        indexed(n, offset, bit(second, 10), bit(second, 9), bit(second, 8))
    } else if field(second, 6, 5) == 0 {
        Address::Register(n, register(second, 0), field(second, 4, 2) as u8)
    } else {
        return Op::Undefined;
    };
    match (load, t) {
        // Preload hints.
        (true, 15) if bytes < 4 => Op::Hint(super::super::op::Hint::Nop),
        (true, _) => Op::Load { t, width, address },
        (false, _) if n == 15 => Op::Undefined,
        (false, _) => Op::Store { t, width, address },
    }
}

fn register_operation(first: u16, second: u16) -> Op {
    let (n, d, m) = (register(first, 0), register(second, 8), register(second, 0));
    if register(second, 12) != 15 {
        return Op::Undefined;
    }
    match (bit(first, 7), field(second, 6, 2)) {
        (false, 0b00) if field(second, 4, 4) == 0 => {
            let kind = [Shift::Lsl, Shift::Lsr, Shift::Asr, Shift::Ror][field(first, 5, 2) as usize];
            let flags = if bit(first, 4) { Flags::Set } else { Flags::Keep };
            Op::Data { op: Data::Mov, flags, d, n: 0, operand: Operand::ByRegister(n, kind, m) }
        }
        (false, 0b10 | 0b11) => {
            let kind = match field(first, 4, 3) {
                0 => Extend::Sxth,
                1 => Extend::Uxth,
                2 => Extend::Sxtb16,
                3 => Extend::Uxtb16,
                4 => Extend::Sxtb,
                5 => Extend::Uxtb,
                _ => return Op::Undefined,
            };
            Op::Extend { kind, d, n, m, rotate: field(second, 4, 2) as u8 * 8 }
        }
        (true, 0b00 | 0b01) => parallel(first, second, d, n, m),
        (true, 0b10) => miscellaneous(first, second, d, n, m),
        _ => Op::Undefined,
    }
}

fn parallel(first: u16, second: u16, d: u8, n: u8, m: u8) -> Op {
    let lanes = match field(first, 4, 3) {
        0b000 => Lanes::Add8,
        0b001 => Lanes::Add16,
        0b010 => Lanes::Asx,
        0b100 => Lanes::Sub8,
        0b101 => Lanes::Sub16,
        0b110 => Lanes::Sax,
        _ => return Op::Undefined,
    };
    let overflow = match field(second, 4, 2) {
        0 => Overflow::Wrap,
        1 => Overflow::Saturate,
        2 => Overflow::Halve,
        _ => return Op::Undefined,
    };
    Op::Parallel { lanes, overflow, signed: !bit(second, 6), d, n, m }
}

fn miscellaneous(first: u16, second: u16, d: u8, n: u8, m: u8) -> Op {
    let number = field(second, 4, 2);
    match (field(first, 4, 3), number) {
        (0b000, 0) => Op::Saturating { kind: Saturating::Qadd, d, n, m },
        (0b000, 1) => Op::Saturating { kind: Saturating::Qdadd, d, n, m },
        (0b000, 2) => Op::Saturating { kind: Saturating::Qsub, d, n, m },
        (0b000, _) => Op::Saturating { kind: Saturating::Qdsub, d, n, m },
        (0b001, 0) => Op::Reverse { kind: Reverse::Rev, d, m },
        (0b001, 1) => Op::Reverse { kind: Reverse::Rev16, d, m },
        (0b001, 2) => Op::Reverse { kind: Reverse::Rbit, d, m },
        (0b001, _) => Op::Reverse { kind: Reverse::Revsh, d, m },
        (0b010, 0) => Op::Select { d, n, m },
        (0b011, 0) => Op::Reverse { kind: Reverse::Clz, d, m },
        _ => Op::Undefined,
    }
}

fn multiply(first: u16, second: u16) -> Op {
    let (n, a, d, m) = (register(first, 0), register(second, 12), register(second, 8), register(second, 0));
    let (top_n, top_m) = (bit(second, 5), bit(second, 4));
    let adds = a != 15;
    let kind = match (field(first, 4, 3), field(second, 4, 4)) {
        (0, 0) if adds => Multiply::Mla,
        (0, 0) => Multiply::Mul,
        (0, 1) => Multiply::Mls,
        (1, 0..=3) if adds => Multiply::Smla { top_n, top_m },
        (1, 0..=3) => Multiply::Smul { top_n, top_m },
        (2, 0 | 1) if adds => Multiply::Smlad { exchange: top_m },
        (2, 0 | 1) => Multiply::Smuad { exchange: top_m },
        (3, 0 | 1) if adds => Multiply::Smlaw { top: top_m },
        (3, 0 | 1) => Multiply::Smulw { top: top_m },
        (4, 0 | 1) if adds => Multiply::Smlsd { exchange: top_m },
        (4, 0 | 1) => Multiply::Smusd { exchange: top_m },
        (5, 0 | 1) if adds => Multiply::Smmla { round: top_m },
        (5, 0 | 1) => Multiply::Smmul { round: top_m },
        (6, 0 | 1) => Multiply::Smmls { round: top_m },
        (7, 0) if adds => Multiply::Usada8,
        (7, 0) => Multiply::Usad8,
        _ => return Op::Undefined,
    };
    Op::Multiply { kind, flags: Flags::Keep, d, n, m, a }
}

fn long_multiply(first: u16, second: u16) -> Op {
    let (n, a, d, m) = (register(first, 0), register(second, 12), register(second, 8), register(second, 0));
    let exchange = bit(second, 4);
    let kind = match (field(first, 4, 3), field(second, 4, 4)) {
        (0, 0) => Multiply::Smull,
        (1, 15) => Multiply::Sdiv,
        (2, 0) => Multiply::Umull,
        (3, 15) => Multiply::Udiv,
        (4, 0) => Multiply::Smlal,
        (4, 8..=11) => Multiply::SmlalHalf { top_n: bit(second, 5), top_m: exchange },
        (4, 12 | 13) => Multiply::Smlald { exchange },
        (5, 12 | 13) => Multiply::Smlsld { exchange },
        (6, 0) => Multiply::Umlal,
        (6, 6) => Multiply::Umaal,
        _ => return Op::Undefined,
    };
    Op::Multiply { kind, flags: Flags::Keep, d, n, m, a }
}
