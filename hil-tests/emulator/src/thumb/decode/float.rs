//! The floating point instructions of a processor with single precision (FPv4-SP). Source: ARM A6.

use super::super::op::{Convert, Float, Op};
use super::{bit, field, register};

pub(super) fn decode(first: u16, second: u16) -> Op {
    let is_float = matches!(field(second, 9, 3), 0b101);
    if !is_float || bit(first, 12) {
        return Op::Undefined;
    }
    match (field(first, 8, 2), bit(second, 4)) {
        (0b00 | 0b01, _) if field(first, 5, 4) == 0b0010 => pair(first, second),
        (0b00 | 0b01, _) => memory(first, second),
        (0b10, true) => transfer(first, second),
        (0b10, false) if !bit(second, 8) => arithmetic(first, second),
        _ => Op::Undefined,
    }
}

/// A single register: four bits at `low`, and its lowest bit elsewhere.
fn single(word: u16, low: u32, lowest: bool) -> u8 {
    register(word, low) << 1 | u8::from(lowest)
}

fn memory(first: u16, second: u16) -> Op {
    let (n, double) = (register(first, 0), bit(second, 8));
    let (add, write_back, load) = (bit(first, 7), bit(first, 5), bit(first, 4));
    let extra = bit(first, 6);
    if double && extra {
        return Op::Undefined;
    }
    // A double register is the pair of singles that begins at twice its number.
    let d = if double { register(second, 12) << 1 } else { single(second, 12, extra) };
    let words = field(second, 0, 8) as u8;
    let offset = i32::from(words) * 4;
    match (bit(first, 8), add, write_back) {
        (true, _, false) => {
            let offset = if add { offset } else { -offset };
            if load {
                Op::FloatLoad { d, double, n, offset }
            } else {
                Op::FloatStore { d, double, n, offset }
            }
        }
        (false, true, _) | (true, false, true) => {
            let count = if double { words & !1 } else { words };
            let before = bit(first, 8);
            if usize::from(d) + usize::from(count) > 32 || count == 0 {
                return Op::Undefined;
            }
            if load {
                Op::FloatLoadMultiple { d, count, n, write_back, before }
            } else {
                Op::FloatStoreMultiple { d, count, n, write_back, before }
            }
        }
        _ => Op::Undefined,
    }
}

fn pair(first: u16, second: u16) -> Op {
    if field(second, 6, 2) != 0 || !bit(second, 4) {
        return Op::Undefined;
    }
    let s = if bit(second, 8) { register(second, 0) << 1 } else { single(second, 0, bit(second, 5)) };
    if s > 30 || bit(second, 8) && bit(second, 5) {
        return Op::Undefined;
    }
    Op::FloatMovePair { t: register(second, 12), t2: register(first, 0), s, to_float: !bit(first, 4) }
}

fn transfer(first: u16, second: u16) -> Op {
    let (t, to_float) = (register(second, 12), !bit(first, 4));
    match (bit(second, 8), field(first, 5, 3)) {
        (false, 0) => Op::FloatMove { t, s: single(first, 0, bit(second, 7)), to_float },
        (false, 0b111) if register(first, 0) == 1 => {
            if to_float {
                Op::WriteFloatStatus { t }
            } else {
                Op::ReadFloatStatus { t }
            }
        }
        // One half of a double register.
        (true, half @ (0 | 1)) if !bit(second, 7) => {
            Op::FloatMove { t, s: register(first, 0) << 1 | half as u8, to_float }
        }
        _ => Op::Undefined,
    }
}

fn arithmetic(first: u16, second: u16) -> Op {
    let d = single(second, 12, bit(first, 6));
    let n = single(first, 0, bit(second, 7));
    let m = single(second, 0, bit(second, 5));
    let op = match (bit(first, 7), field(first, 4, 2), bit(second, 6)) {
        (false, 0, false) => Float::Vmla,
        (false, 0, true) => Float::Vmls,
        (false, 1, false) => Float::Vnmls,
        (false, 1, true) => Float::Vnmla,
        (false, 2, false) => Float::Vmul,
        (false, 2, true) => Float::Vnmul,
        (false, _, false) => Float::Vadd,
        (false, _, true) => Float::Vsub,
        (true, 0, false) => Float::Vdiv,
        (true, 1, false) => Float::Vfnms,
        (true, 1, true) => Float::Vfnma,
        (true, 2, false) => Float::Vfma,
        (true, 2, true) => Float::Vfms,
        (true, 3, false) => {
            return Op::FloatConstant { d, bits: constant(field(first, 0, 4) << 4 | field(second, 0, 4)) };
        }
        (true, 3, true) => return other(first, second, d, m),
        _ => return Op::Undefined,
    };
    Op::Float { op, d, n, m }
}

/// The number that eight bits stand for. Source: ARM A6.4.1, VFPExpandImm.
fn constant(bits: u32) -> u32 {
    let (sign, wide) = (bits >> 7, bits >> 6 & 1);
    let exponent = (1 ^ wide) << 7 | (wide * 0b1_1111) << 2 | bits >> 4 & 3;
    sign << 31 | exponent << 23 | (bits & 15) << 19
}

fn other(first: u16, second: u16, d: u8, m: u8) -> Op {
    let float = |op| Op::Float { op, d, n: 0, m };
    let convert = |kind| Op::Convert { kind, d, m };
    let high = bit(second, 7);
    match (register(first, 0), high) {
        (0, false) => float(Float::Vmov),
        (0, true) => float(Float::Vabs),
        (1, false) => float(Float::Vneg),
        (1, true) => float(Float::Vsqrt),
        (2, top) => convert(Convert::FromHalf { top }),
        (3, top) => convert(Convert::ToHalf { top }),
        (4, signal) => Op::FloatCompare { d, m: Some(m), signal },
        (5, signal) => Op::FloatCompare { d, m: None, signal },
        (8, signed) => convert(Convert::FromInt { signed }),
        (12, truncate) => convert(Convert::ToInt { signed: false, truncate }),
        (13, truncate) => convert(Convert::ToInt { signed: true, truncate }),
        (kind @ (10 | 11 | 14 | 15), wide) => {
            let bits = if wide { 32 } else { 16 };
            let immediate = register(second, 0) << 1 | u8::from(bit(second, 5));
            let Some(fraction) = u8::checked_sub(bits, immediate) else { return Op::Undefined };
            let signed = kind & 1 == 0;
            let kind = if kind & 4 == 0 {
                Convert::FromFixed { signed, bits, fraction }
            } else {
                Convert::ToFixed { signed, bits, fraction }
            };
            Op::Convert { kind, d, m: d }
        }
        _ => Op::Undefined,
    }
}
