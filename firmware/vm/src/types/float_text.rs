//! Floats as text. What is chosen (shortest or rounded digits, where an exponent is used, how long a field can be) is
//! MicroPython's; the digits are exact.

use super::float::{Float, SIZE};
use super::float_digits::{Count, Digits, MOST_DIGITS, pick, shortest};

/// The text of one float: sign, digits, point, exponent, percent sign.
pub(crate) struct Buffer {
    bytes: [u8; 44],
    len: usize,
}

impl Buffer {
    pub(crate) fn new() -> Buffer {
        Buffer { bytes: [0; 44], len: 0 }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    #[inline(never)]
    pub(crate) fn push(&mut self, byte: u8) {
        if self.len < self.bytes.len() {
            self.bytes[self.len] = byte;
            self.len += 1;
        }
    }

    fn push_all(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.push(*byte));
    }
}

/// Longest text without the sign that MicroPython's buffer has room for.
const FIELD: i32 = 32;
/// Bytes of an exponent at its longest, and of a point and what ends the text.
const EXPONENT_BYTES: i32 = if SIZE == 4 { 7 } else { 8 };

/// Writes what `repr` shows. `point`: a whole number gets `.0`.
#[inline(never)]
pub(crate) fn write_repr(value: Float, point: bool, out: &mut Buffer) {
    if write_special(value, b'g', b'\0', out) {
        return;
    }
    let digits = if value == 0.0 { Digits::ZERO } else { shortest(value.abs()) };
    let start = out.len;
    write_general(digits, 16, b'e', out);
    if point && !out.bytes[start..out.len].iter().any(|byte| matches!(byte, b'.' | b'e')) {
        out.push_all(b".0");
    }
}

/// Writes the sign, and infinity and NaN: true if that was all.
#[inline(never)]
fn write_special(value: Float, kind: u8, sign: u8, out: &mut Buffer) -> bool {
    if value.is_sign_negative() && !value.is_nan() {
        out.push(b'-');
    } else if sign != 0 {
        out.push(sign);
    }
    if value.is_finite() {
        return false;
    }
    let name = if value.is_nan() { b"nan" } else { b"inf" };
    name.iter().for_each(|letter| out.push(letter & !0x20 | kind & 0x20));
    true
}

/// Writes a float as conversion `kind` (one of `eEfFgG`) with `precision` digits; `sign`, if not 0, goes before a
/// positive number.
#[inline(never)]
pub(crate) fn write_formatted(value: Float, kind: u8, precision: Option<u32>, sign: u8, out: &mut Buffer) {
    if write_special(value, kind, sign, out) {
        return;
    }
    let room = FIELD + 1 - out.len as i32;
    let precision = precision.map_or(6, |precision| precision.min(1000) as i32);
    let (value, letter) = (value.abs(), kind & 0x20 | b'E');
    match kind | 0x20 {
        b'f' => write_fixed(value, precision, room, letter, out),
        b'g' => write_general(
            pick(value, Count::significant(precision.max(1))),
            precision.min(room - 3),
            letter,
            out,
        ),
        _ => {
            let most = room - EXPONENT_BYTES;
            let count = (precision + 1).min(most.max(MOST_DIGITS as i32));
            write_exponent(pick(value, Count::significant(count)), count, letter, out);
        }
    }
}

#[inline(never)]
fn write_fixed(value: Float, precision: i32, room: i32, letter: u8, out: &mut Buffer) {
    let decimals = precision.min(room - 3);
    let mut digits = pick(value, Count { digits: decimals, behind_point: true, most: i32::MAX });
    // Numbers that do not fit are written with an exponent.
    if digits.point > 1 && digits.point + 1 + precision > room {
        digits = pick(value, Count::significant(precision + 1));
        return write_general(digits, decimals, letter, out);
    }
    for at in 0..digits.point.max(1) {
        out.push(if digits.point > 0 { digits.get(at) } else { b'0' });
    }
    if decimals > 0 {
        out.push(b'.');
    }
    for place in 0..decimals {
        out.push(digits.get(digits.point.max(0) + place + digits.point.min(0)));
    }
}

/// Writes digits without trailing zeros: whole numbers of up to `most` digits and small fractions as they are, others
/// with an exponent.
#[inline(never)]
fn write_general(mut digits: Digits, most: i32, letter: u8, out: &mut Buffer) {
    let exponent = digits.point - 1;
    digits.trim();
    if exponent < -4 || exponent > 0 && exponent >= most {
        return write_exponent(digits, digits.len.max(1) as i32, letter, out);
    }
    for at in exponent.min(0)..(digits.len as i32).max(exponent + 1) {
        if at == exponent.min(0) + 1 && exponent < 0 || at == exponent + 1 && exponent >= 0 {
            out.push(b'.');
        }
        out.push(digits.get(at));
    }
}

/// Writes `d.ddde±xx` with `count` digits.
#[inline(never)]
fn write_exponent(digits: Digits, count: i32, letter: u8, out: &mut Buffer) {
    for at in 0..count {
        if at == 1 {
            out.push(b'.');
        }
        out.push(digits.get(at));
    }
    let exponent = digits.point - 1;
    out.push(letter);
    out.push(if exponent < 0 { b'-' } else { b'+' });
    let exponent = exponent.unsigned_abs();
    if exponent >= 100 {
        out.push(b'0' + (exponent / 100) as u8);
    }
    out.push(b'0' + (exponent / 10 % 10) as u8);
    out.push(b'0' + (exponent % 10) as u8);
}

#[cfg(test)]
mod tests {
    use super::super::float::{Bits, parts};
    use super::super::float_digits::Natural;
    use super::super::float_parse::{parse_complex, parse_float};
    use super::*;
    use crate::bigint;
    extern crate std;
    use proptest::prelude::*;
    use std::format;
    use std::string::String;

    fn repr(value: Float) -> String {
        let mut out = Buffer::new();
        write_repr(value, true, &mut out);
        String::from_utf8(out.bytes().to_vec()).unwrap()
    }

    fn formatted(value: Float, kind: u8, precision: u32) -> String {
        let mut out = Buffer::new();
        write_formatted(value, kind, Some(precision), 0, &mut out);
        String::from_utf8(out.bytes().to_vec()).unwrap()
    }

    /// Digits and exponent as Rust's own shortest printing has them.
    fn oracle(value: Float) -> (String, i32) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap();
        (digits.replace('.', ""), exponent.parse().unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn shortest_digits_are_rusts(bits in any::<Bits>()) {
            let value = Float::from_bits(bits).abs();
            prop_assume!(value.is_finite() && value != 0.0);
            let mut digits = shortest(value);
            let (text, exponent) = oracle(value);
            digits.trim();
            let ours: String = digits.digits[..digits.len].iter().map(|d| (d + b'0') as char).collect();
            let text = text.trim_end_matches('0');
            prop_assert_eq!((ours.len(), digits.point - 1), (text.len(), exponent));
            // Halfway between two shortest texts, Rust takes the upper one and Python the even one.
            let (ours, text): (u64, u64) = (ours.parse().unwrap(), text.parse().unwrap());
            prop_assert!(ours == text || ours + 1 == text && ours % 2 == 0);
            prop_assert_eq!(parse_float(repr(value).as_bytes()), Some(value));
        }

        #[test]
        fn parsing_is_rusts(digits in "[0-9]{1,30}", fraction in "[0-9]{0,900}", exponent in -360i32..330) {
            let text = format!("{digits}.{fraction}e{exponent}");
            prop_assert_eq!(parse_float(text.as_bytes()), Some(text.parse::<Float>().unwrap()), "{}", text);
        }

        #[test]
        fn a_number_between_two_floats_is_read_as_the_even_one(bits in 1..Float::MAX.to_bits() - 1) {
            let (low, high) = (Float::from_bits(bits), Float::from_bits(bits + 1));
            // Exactly halfway, written with all its digits.
            let (_, mantissa, exponent) = parts(low);
            let mut value = Natural::new(2 * mantissa + 1);
            let exponent = exponent - 1;
            let mut point = 0;
            if exponent >= 0 {
                value.shift_left(exponent as u32);
            } else {
                for _ in 0..-exponent {
                    value.mul_add(5, 0);
                }
                point = exponent;
            }
            let mut text = String::new();
            while value.len > 0 {
                let digit = bigint::div_small(&mut value.limbs[..value.len], bigint::Divisor::new(10));
                value.len = bigint::significant(value.limbs());
                text.insert(0, (b'0' + digit as u8) as char);
            }
            let even = if bits & 1 == 0 { low } else { high };
            prop_assert_eq!(parse_float(format!("{text}e{point}").as_bytes()), Some(even));
            prop_assert_eq!(parse_float(format!("{text}00000000000001e{}", point - 14).as_bytes()), Some(high));
        }

        #[test]
        fn any_text_is_survived(text in "[-+0-9.eE_jinfa ]{0,40}") {
            let _ = (parse_float(text.as_bytes()), parse_complex(text.as_bytes()));
        }

        #[test]
        fn any_format_is_survived(bits in any::<Bits>(), kind in "[eEfFgG]", precision in 0u32..2000) {
            formatted(Float::from_bits(bits), kind.as_bytes()[0], precision);
        }
    }

    #[test]
    fn repr_is_pythons() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (0.0001, "0.0001"),
            (1e-5, "1e-05"),
            (123.456, "123.456"),
            (1.5e-7, "1.5e-07"),
            (1e22, "1e+22"),
            (Float::INFINITY, "inf"),
            (Float::NEG_INFINITY, "-inf"),
            (Float::NAN, "nan"),
            (0.1, "0.1"),
            (100.0, "100.0"),
            (-2.5, "-2.5"),
        ];
        for (value, text) in cases {
            assert_eq!(repr(value), text);
        }
    }

    #[test]
    fn halves_are_rounded_up() {
        for (value, precision, text) in
            [(0.5, 0, "1"), (1.5, 0, "2"), (2.5, 0, "3"), (0.25, 1, "0.3"), (0.125, 2, "0.13")]
        {
            assert_eq!(formatted(value, b'f', precision), text);
        }
        assert_eq!(formatted(9.96, b'e', 1), "1.0e+01");
        assert_eq!(formatted(0.04, b'f', 1), "0.0");
        assert_eq!(formatted(0.05, b'f', 1), "0.1");
        assert_eq!(formatted(0.001, b'f', 1), "0.0");
        assert_eq!(formatted(1e30, b'f', 3), "1e+30");
        assert_eq!(formatted(1e6, b'g', 6), "1e+06");
        assert_eq!(formatted(123456.0, b'g', 6), "123456");
        assert_eq!(formatted(1e-30, b'f', 40), "0.000000000000000000000000000001");
    }
}
