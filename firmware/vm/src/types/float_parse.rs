//! Text as floats: the nearest float, always.
//!
//! Source: Clinger, "How to read floating point numbers accurately"; what is accepted is MicroPython's.

use core::cmp::Ordering;

use super::float::{Float, MIN_EXPONENT, PRECISION, SIZE, from_parts};
use super::float_digits::Natural;
use super::int_text::is_space;

/// Digits of a number that are read; more can decide nothing but whether there is anything behind them.
pub(super) const MAX_DIGITS: u32 = if SIZE == 4 { 120 } else { 780 };
/// Powers of ten up to this are floats.
const EXACT_POWER: i32 = if SIZE == 4 { 10 } else { 22 };
/// Decimal exponents beyond this are infinity or zero.
const MAX_EXPONENT: i32 = if SIZE == 4 { 60 } else { 400 };

/// Reads a real number as `float(text)` does: spaces around, a sign, `inf`, `nan`, underscores. `None` if it is none.
pub(crate) fn parse_float(text: &[u8]) -> Option<Float> {
    let (value, imaginary, rest) = parse_part(text, false)?;
    (rest.is_empty() && !imaginary).then_some(value)
}

/// Reads a complex number as `complex(text)` does: real and imaginary part.
pub(crate) fn parse_complex(text: &[u8]) -> Option<(Float, Float)> {
    let (first, imaginary, rest) = parse_part(text, true)?;
    match (imaginary, rest) {
        (true, []) => Some((0.0, first)),
        (false, []) => Some((first, 0.0)),
        (false, _) => match parse_part(rest, true)? {
            (second, true, []) => Some((first, second)),
            _ => None,
        },
        _ => None,
    }
}

/// Reads one signed number, with a `j` behind it if that is allowed, and the spaces around it: value, whether it had
/// a `j`, and what is behind.
#[inline(never)]
fn parse_part(text: &[u8], allow_imaginary: bool) -> Option<(Float, bool, &[u8])> {
    let spaces = text.iter().take_while(|byte| is_space(**byte)).count();
    let text = &text[spaces..];
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (mut value, mut rest) = match word(text, b"infinity").or_else(|| word(text, b"inf")) {
        Some(rest) => (Float::INFINITY, rest),
        None => match word(text, b"nan") {
            Some(rest) => (Float::NAN, rest),
            None => parse_decimal(text)?,
        },
    };
    let mut imaginary = false;
    if let (true, [b'j' | b'J', behind @ ..]) = (allow_imaginary, rest) {
        if rest.len() == text.len() {
            value = 1.0;
        }
        (imaginary, rest) = (true, behind);
    }
    if rest.len() == text.len() {
        return None;
    }
    let spaces = rest.iter().take_while(|byte| is_space(**byte)).count();
    Some((if negative { -value } else { value }, imaginary, &rest[spaces..]))
}

fn word<'a>(text: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

/// The digits of a number while they are read.
struct Decimal {
    /// The first digits as far as they fit.
    head: u64,
    head_digits: u32,
    digits: u32,
    /// How many places the point is from the end of the digits that count.
    exponent: i32,
    /// Something other than zeros follows the digits that count.
    more: bool,
}

/// Digits that fit [`Decimal::head`].
const HEAD_DIGITS: u32 = 19;

impl Decimal {
    fn push(&mut self, digit: u8, fraction: bool) {
        let counts = self.digits > 0 || digit > 0;
        if counts && self.digits >= MAX_DIGITS {
            self.more |= digit > 0;
            self.exponent += i32::from(!fraction);
            return;
        }
        self.digits += u32::from(counts);
        if counts && self.head_digits < HEAD_DIGITS {
            self.head = self.head * 10 + u64::from(digit);
            self.head_digits += 1;
        }
        self.exponent -= i32::from(fraction);
    }
}

/// Reads digits, point and exponent: the value and what is behind. `None` for an exponent without digits.
#[inline(never)]
fn parse_decimal(text: &[u8]) -> Option<(Float, &[u8])> {
    let mut decimal = Decimal { head: 0, head_digits: 0, digits: 0, exponent: 0, more: false };
    let (mut at, mut fraction) = (0, false);
    let mut end = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'0'..=b'9' => decimal.push(byte - b'0', fraction),
            b'.' if !fraction => fraction = true,
            b'_' => {}
            b'e' | b'E' => {
                let (exponent, len) = parse_exponent(&text[at + 1..])?;
                decimal.exponent = decimal.exponent.saturating_add(exponent);
                end = at;
                at += 1 + len;
                break;
            }
            _ => break,
        }
        at += 1;
        end = at;
    }
    Some((decimal_value(&text[..end], &decimal), &text[at..]))
}

/// Reads what is behind an `e`: its value and length.
fn parse_exponent(text: &[u8]) -> Option<(i32, usize)> {
    let (negative, start) = match text {
        [b'-', ..] => (true, 1),
        [b'+', ..] => (false, 1),
        _ => (false, 0),
    };
    if start == text.len() {
        return None;
    }
    let (mut exponent, mut at) = (0i32, start);
    while let Some(byte @ (b'0'..=b'9' | b'_')) = text.get(at) {
        if *byte != b'_' && exponent < 100_000_000 {
            exponent = exponent * 10 + i32::from(byte - b'0');
        }
        at += 1;
    }
    Some((if negative { -exponent } else { exponent }, at))
}

/// The float nearest to the digits in `text` (which has points and underscores between them).
#[inline(never)]
fn decimal_value(text: &[u8], decimal: &Decimal) -> Float {
    if decimal.digits == 0 {
        return 0.0;
    }
    let magnitude = decimal.exponent.saturating_add(decimal.digits as i32);
    if magnitude > MAX_EXPONENT {
        return Float::INFINITY;
    }
    if magnitude < -MAX_EXPONENT {
        return 0.0;
    }
    if decimal.digits == decimal.head_digits
        && decimal.head >> PRECISION == 0
        && decimal.exponent.abs() <= EXACT_POWER
    {
        let power = power_of_ten(decimal.exponent.unsigned_abs());
        let head = decimal.head as Float;
        return if decimal.exponent < 0 { head / power } else { head * power };
    }
    let mut value = Natural::new(0);
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0'));
    let digits = digits.skip_while(|digit| *digit == 0).take(decimal.digits as usize);
    let (mut group, mut factor) = (0, 1);
    for digit in digits {
        (group, factor) = (group * 10 + digit, factor * 10);
        if factor == 1_000_000_000 {
            value.mul_add(factor, group);
            (group, factor) = (0, 1);
        }
    }
    value.mul_add(factor, group);
    let mut exponent = decimal.exponent;
    if decimal.more {
        value.mul_add(10, 1);
        exponent -= 1;
    }
    ratio_value(value, exponent)
}

fn power_of_ten(power: u32) -> Float {
    let (mut value, mut left) = (1.0, power);
    while left > 0 {
        value *= 10.0;
        left -= 1;
    }
    value
}

/// The float nearest to `value * 10 ** exponent`; the value is not zero.
#[inline(never)]
fn ratio_value(mut value: Natural, exponent: i32) -> Float {
    let mut unit = Natural::new(1);
    if exponent >= 0 {
        value.mul_power_of_ten(exponent as u32);
    } else {
        unit.mul_power_of_ten(exponent.unsigned_abs());
    }
    // Make the ratio one of [1, 2), times 2 ** log2.
    let mut log2 = value.bits() - unit.bits();
    if log2 > 0 {
        unit.shift_left(log2 as u32);
    } else {
        value.shift_left(log2.unsigned_abs());
    }
    if value.compare(&unit).is_lt() {
        value.shift_left(1);
        log2 -= 1;
    }
    // As many bits as the float has here, fewer near zero.
    let lowest = (log2 + 1 - PRECISION as i32).max(MIN_EXPONENT);
    let mut mantissa = 0u64;
    for _ in lowest..=log2 {
        mantissa <<= 1;
        if value.compare(&unit).is_ge() {
            value.sub(&unit);
            mantissa |= 1;
        }
        value.shift_left(1);
    }
    // What is left is twice the rest: it compares with one as the rest does with one half.
    let order = if log2 < lowest - 1 { Ordering::Less } else { value.compare(&unit) };
    if order.is_gt() || order.is_eq() && mantissa & 1 == 1 {
        mantissa += 1;
    }
    // Rounding up may have carried into one more bit, which is then zero.
    match mantissa >> PRECISION {
        0 => from_parts(mantissa, lowest),
        _ => from_parts(mantissa >> 1, lowest + 1),
    }
}
