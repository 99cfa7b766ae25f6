//! Arithmetic without state. Source: ARM A2.2.1 (operations), D6 (pseudo-code).

use super::op::{Convert, Lanes, Overflow, Shift};

/// Sum, carry and signed overflow.
pub(super) fn add(a: u32, b: u32, carry: bool) -> (u32, bool, bool) {
    let wide = u64::from(a) + u64::from(b) + u64::from(carry);
    let sum = wide as u32;
    (sum, wide >> 32 != 0, (a ^ sum) & (b ^ sum) & 1 << 31 != 0)
}

/// Shifted value and carry.
pub(super) fn shift(value: u32, kind: Shift, amount: u32, carry: bool) -> (u32, bool) {
    if amount == 0 {
        return (value, carry);
    }
    let wide = u64::from(value);
    match kind {
        Shift::Lsl if amount > 32 => (0, false),
        Shift::Lsl => ((wide << amount) as u32, wide << amount >> 32 & 1 != 0),
        Shift::Lsr if amount > 32 => (0, false),
        Shift::Lsr => ((wide >> amount) as u32, wide >> (amount - 1) & 1 != 0),
        Shift::Asr => {
            let (wide, amount) = (i64::from(value as i32), amount.min(32));
            ((wide >> amount) as u32, wide >> (amount - 1) & 1 != 0)
        }
        Shift::Ror => {
            let result = value.rotate_right(amount % 32);
            (result, result >> 31 != 0)
        }
        Shift::Rrx => (u32::from(carry) << 31 | value >> 1, value & 1 != 0),
    }
}

/// The nearest value of `bits` bits, and whether it is another one.
pub(super) fn saturate(value: i64, bits: u32, signed: bool) -> (u32, bool) {
    let (low, high) =
        if signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1_i64 << bits) - 1) };
    let nearest = value.clamp(low, high);
    (nearest as u32, nearest != value)
}

/// The half of a register, as a signed number.
pub(super) fn half(word: u32, top: bool) -> i64 {
    i64::from((if top { word >> 16 } else { word }) as u16 as i16)
}

/// A parallel addition: the result, and the GE flags if it sets them.
pub(super) fn parallel(a: u32, b: u32, lanes: Lanes, overflow: Overflow, signed: bool) -> (u32, Option<u8>) {
    let bits = if matches!(lanes, Lanes::Add8 | Lanes::Sub8) { 8 } else { 16 };
    let count = 32 / bits;
    let lane = |word: u32, index: u32| {
        let raw = word >> (index * bits) & ((1 << bits) - 1);
        if signed { i64::from((raw << (32 - bits)) as i32 >> (32 - bits)) } else { i64::from(raw) }
    };
    let (mut result, mut ge) = (0, 0);
    for index in 0..count {
        let exchanges = matches!(lanes, Lanes::Asx | Lanes::Sax);
        let (x, y) = (lane(a, index), lane(b, if exchanges { index ^ 1 } else { index }));
        let subtracts = match lanes {
            Lanes::Add8 | Lanes::Add16 => false,
            Lanes::Sub8 | Lanes::Sub16 => true,
            Lanes::Asx => index == 0,
            Lanes::Sax => index == 1,
        };
        let sum = if subtracts { x - y } else { x + y };
        let kept = match overflow {
            Overflow::Wrap => sum as u32,
            Overflow::Saturate => saturate(sum, bits, signed).0,
            Overflow::Halve => (sum >> 1) as u32,
        };
        result |= (kept & ((1 << bits) - 1)) << (index * bits);
        let is_ge = if signed || subtracts { sum >= 0 } else { sum >> bits != 0 };
        let flags = if bits == 8 { 1 } else { 3 };
        ge |= (u8::from(is_ge) * flags) << (index * bits / 8);
    }
    (result, (overflow == Overflow::Wrap).then_some(ge))
}

/// What stands for "not a number" if none was given.
pub(super) const DEFAULT_NAN: u32 = 0x7fc0_0000;
const QUIET: u32 = 1 << 22;

/// Whether it is no number, and an operation on it is invalid.
pub(super) fn is_signalling(bits: u32) -> bool {
    f32::from_bits(bits).is_nan() && bits & QUIET == 0
}

/// The number that the processor gives for a result the host has computed from these operands: the first signalling
/// operand made quiet, else the first that is no number, else the default one.
pub(super) fn tidy(result: f32, operands: &[u32]) -> u32 {
    if !result.is_nan() {
        return result.to_bits();
    }
    let signalling = operands.iter().find(|&&bits| is_signalling(bits));
    let quiet = || operands.iter().find(|&&bits| f32::from_bits(bits).is_nan());
    signalling.or_else(quiet).map_or(DEFAULT_NAN, |bits| bits | QUIET)
}

/// The flags N, Z, C, V of a comparison, as the upper four bits of a word.
pub(super) fn compare(a: f32, b: f32) -> u32 {
    match a.partial_cmp(&b) {
        Some(std::cmp::Ordering::Less) => 0x8000_0000,
        Some(std::cmp::Ordering::Equal) => 0x6000_0000,
        Some(std::cmp::Ordering::Greater) => 0x2000_0000,
        None => 0x3000_0000,
    }
}

/// A conversion of the content of register `m`; `old` is what the destination held.
pub(super) fn convert(kind: Convert, old: u32, m: u32) -> u32 {
    let float = f32::from_bits(m);
    match kind {
        Convert::FromInt { signed: true } => (m as i32 as f32).to_bits(),
        Convert::FromInt { signed: false } => (m as f32).to_bits(),
        // Casts of Rust round to zero, saturate, and give zero for what is no number, as the processor does.
        Convert::ToInt { signed, truncate } => {
            let whole = if truncate { float } else { float.round_ties_even() };
            if signed { whole as i32 as u32 } else { whole as u32 }
        }
        Convert::FromFixed { signed, bits, fraction } => {
            let raw = m << (32 - bits);
            let value =
                if signed { i64::from(raw as i32 >> (32 - bits)) } else { i64::from(raw >> (32 - bits)) };
            // Exact until the last step: an integer of 32 bits times a power of two.
            ((value as f64 * 0.5_f64.powi(fraction.into())) as f32).to_bits()
        }
        Convert::ToFixed { signed, bits, fraction } => {
            let scaled = f64::from(float) * 2_f64.powi(fraction.into());
            let (value, _) = saturate(scaled as i64, bits.into(), signed);
            if signed { ((value << (32 - bits)) as i32 >> (32 - bits)) as u32 } else { value }
        }
        Convert::FromHalf { top } => widen((if top { m >> 16 } else { m }) as u16),
        Convert::ToHalf { top } => {
            let half = u32::from(narrow(m));
            if top { old & 0xffff | half << 16 } else { old & !0xffff | half }
        }
    }
}

/// Single precision of a half-precision number.
fn widen(half: u16) -> u32 {
    let (sign, exponent, fraction) =
        (u32::from(half >> 15) << 31, u32::from(half >> 10 & 0x1f), u32::from(half & 0x3ff));
    match exponent {
        0 => sign | (fraction as f32 * 0.5_f32.powi(24)).to_bits(),
        0x1f if fraction == 0 => sign | 0x7f80_0000,
        0x1f => sign | 0x7f80_0000 | QUIET | fraction << 13,
        _ => sign | (exponent + 112) << 23 | fraction << 13,
    }
}

/// Half precision of a single-precision number, to the nearest.
fn narrow(bits: u32) -> u16 {
    let (sign, magnitude) = ((bits >> 16 & 0x8000) as u16, bits & 0x7fff_ffff);
    if magnitude > 0x7f80_0000 {
        return sign | 0x7e00 | (magnitude >> 13) as u16 & 0x3ff;
    }
    if magnitude >= 0x4780_0000 {
        return sign | 0x7c00;
    }
    // Below the smallest normal number a unit is 2^-24.
    if magnitude < 0x3880_0000 {
        let units = f32::from_bits(magnitude) * 2_f32.powi(24);
        return sign | units.round_ties_even() as u16;
    }
    let rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    sign | ((rounded >> 13) - (112 << 10)) as u16
}
