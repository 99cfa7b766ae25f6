//! Floats as text, exactly: the shortest digits that read back as the same float, digits rounded at any place, and
//! parsing to the nearest float. All of it is arithmetic on natural numbers of a fixed size: no tables, little code, and
//! nothing to be inexact.
//!
//! What is chosen (shortest or rounded digits, where an exponent is used, how long a field can be) is MicroPython's.
//! Source: Steele and White, "How to print floating-point numbers accurately"; Clinger, "How to read floating point
//! numbers accurately".

use core::cmp::Ordering;

use super::float::{Bits, Float, MIN_EXPONENT, PRECISION, SIZE, from_parts, parts};
use super::int_text::is_space;
use crate::bigint;

/// Limbs of the numbers here: enough for the ratio of any float and, when reading, for [`MAX_DIGITS`] digits.
const LIMBS: usize = if SIZE == 4 { 24 } else { 128 };
/// Digits of a number that are read; more can decide nothing but whether there is anything behind them.
const MAX_DIGITS: u32 = if SIZE == 4 { 120 } else { 780 };
/// Digits that any float needs at most to be told from its neighbours.
const MOST_DIGITS: usize = if SIZE == 4 { 9 } else { 17 };
/// Digits that a float always keeps. Asked for more, MicroPython prefers the shortest digits and zeros.
const SAFE_DIGITS: i32 = if SIZE == 4 { 6 } else { 15 };
/// Powers of ten up to this are floats.
const EXACT_POWER: i32 = if SIZE == 4 { 10 } else { 22 };
/// Decimal exponents beyond this are infinity or zero.
const MAX_EXPONENT: i32 = if SIZE == 4 { 60 } else { 400 };

/// A natural number of fixed room.
#[derive(Clone)]
struct Natural {
    limbs: [u32; LIMBS],
    len: usize,
}

impl Natural {
    #[inline(never)]
    fn new(value: u64) -> Natural {
        let mut limbs = [0; LIMBS];
        (limbs[0], limbs[1]) = (value as u32, (value >> 32) as u32);
        Natural { limbs, len: bigint::significant(&limbs[..2]) }
    }

    fn limbs(&self) -> &[u32] {
        &self.limbs[..self.len]
    }

    fn bits(&self) -> i32 {
        bigint::bit_length(self.limbs()) as i32
    }

    #[inline(never)]
    fn mul_add(&mut self, factor: u32, addend: u32) {
        let carry = bigint::mul_small(&mut self.limbs[..self.len], factor, addend);
        if carry > 0 {
            self.limbs[self.len] = carry;
            self.len += 1;
        }
    }

    #[inline(never)]
    fn mul_power_of_ten(&mut self, mut power: u32) {
        while power >= 9 {
            self.mul_add(1_000_000_000, 0);
            power -= 9;
        }
        self.mul_add(10u32.pow(power), 0);
    }

    #[inline(never)]
    fn shift_left(&mut self, bits: u32) {
        self.len += (bits / 32 + 1) as usize;
        bigint::shift_left_in_place(&mut self.limbs[..self.len], bits);
        self.len = bigint::significant(self.limbs());
    }

    #[inline(never)]
    fn add(&mut self, other: &Natural) {
        self.len = self.len.max(other.len) + 1;
        bigint::add_assign(&mut self.limbs[..self.len], other.limbs());
        self.len = bigint::significant(self.limbs());
    }

    #[inline(never)]
    fn sub(&mut self, other: &Natural) {
        bigint::sub_assign(&mut self.limbs[..self.len], other.limbs());
        self.len = bigint::significant(self.limbs());
    }

    #[inline(never)]
    fn compare(&self, other: &Natural) -> Ordering {
        bigint::compare(self.limbs(), other.limbs())
    }
}

// ---- digits ----

/// Decimal digits of a number: `0.d1d2d3… * 10 ** point`.
#[derive(Clone, Copy)]
struct Digits {
    digits: [u8; MOST_DIGITS],
    len: usize,
    point: i32,
}

/// A positive float as a ratio, scaled so that it is below one: `value / unit * 10 ** point`.
struct Ratio {
    value: Natural,
    unit: Natural,
    point: i32,
}

impl Ratio {
    /// `extra` bits are added to both, for a caller that needs halves.
    #[inline(never)]
    fn new(value: Float, extra: u32) -> Ratio {
        let (_, mantissa, exponent) = parts(value);
        let mut ratio = Ratio { value: Natural::new(mantissa), unit: Natural::new(1), point: 0 };
        ratio.value.shift_left(exponent.max(0) as u32 + extra);
        ratio.unit.shift_left((-exponent).max(0) as u32 + extra);
        // log10 of the value, at most one too small.
        let log2 = exponent + 63 - mantissa.leading_zeros() as i32;
        ratio.point = (log2 * 1233) >> 12;
        ratio
    }

    /// One digit: the whole part of ten times what is left.
    #[inline(never)]
    fn next_digit(&mut self) -> u8 {
        self.value.mul_add(10, 0);
        let mut digit = 0;
        while self.value.compare(&self.unit).is_ge() {
            self.value.sub(&self.unit);
            digit += 1;
        }
        digit
    }

    /// Whether what is left and `more` are above one, or as much as that.
    #[inline(never)]
    fn reaches_one(&self, more: &Natural, equal_counts: bool) -> bool {
        let mut sum = self.value.clone();
        sum.add(more);
        let order = sum.compare(&self.unit);
        order.is_gt() || equal_counts && order.is_eq()
    }

    /// How what is left compares with one half.
    #[inline(never)]
    fn rest_to_half(&self) -> Ordering {
        let mut twice = self.value.clone();
        twice.shift_left(1);
        twice.compare(&self.unit)
    }
}

/// The shortest digits that read back as `value` (positive and finite).
#[inline(never)]
fn shortest(value: Float) -> Digits {
    let (_, mantissa, exponent) = parts(value);
    let even = mantissa & 1 == 0;
    // Below a power of two the neighbour is nearer.
    let uneven = mantissa == 1 << (PRECISION - 1) && exponent > MIN_EXPONENT;
    let mut ratio = Ratio::new(value, 1 + u32::from(uneven));
    // Half the distance to the next float, up and down.
    let mut low = Natural::new(1);
    low.shift_left(exponent.max(0) as u32);
    let mut high = low.clone();
    if uneven {
        high.shift_left(1);
    }
    if ratio.point >= 0 {
        ratio.unit.mul_power_of_ten(ratio.point as u32);
    } else {
        let power = (-ratio.point) as u32;
        ratio.value.mul_power_of_ten(power);
        low.mul_power_of_ten(power);
        high.mul_power_of_ten(power);
    }
    while ratio.reaches_one(&high, even) {
        ratio.unit.mul_add(10, 0);
        ratio.point += 1;
    }
    let mut out = Digits { digits: [0; MOST_DIGITS], len: 0, point: ratio.point };
    loop {
        let digit = ratio.next_digit();
        low.mul_add(10, 0);
        high.mul_add(10, 0);
        let order = ratio.value.compare(&low);
        let down = order.is_lt() || even && order.is_eq();
        let up = ratio.reaches_one(&high, even);
        let full = out.len + 1 == MOST_DIGITS;
        let round_up = match (down, up) {
            (false, false) if !full => {
                out.push(digit);
                continue;
            }
            (true, false) => false,
            (false, true) => true,
            _ => ratio
                .rest_to_half()
                .then(if digit & 1 == 1 { Ordering::Greater } else { Ordering::Less })
                .is_gt(),
        };
        out.push(digit + u8::from(round_up));
        return out;
    }
}

/// How many digits are wanted.
#[derive(Clone, Copy)]
struct Count {
    digits: i32,
    /// They are counted from the point on, not from the first digit.
    behind_point: bool,
    most: i32,
}

impl Count {
    fn significant(digits: i32) -> Count {
        Count { digits, behind_point: false, most: i32::MAX }
    }

    /// How many that is for a number whose point is here.
    fn of(self, point: i32) -> i32 {
        (self.digits + if self.behind_point { point } else { 0 }).min(self.most)
    }
}

/// `count` digits of `value` (positive and finite), of which the last is rounded, halves upwards. A count of zero or
/// less gives no digit, or the one that rounding up brings.
#[inline(never)]
fn rounded(value: Float, count: Count) -> Digits {
    let mut ratio = Ratio::new(value, 0);
    if ratio.point >= 0 {
        ratio.unit.mul_power_of_ten(ratio.point as u32);
    } else {
        ratio.value.mul_power_of_ten((-ratio.point) as u32);
    }
    while ratio.value.compare(&ratio.unit).is_ge() {
        ratio.unit.mul_add(10, 0);
        ratio.point += 1;
    }
    let mut out = Digits { digits: [0; MOST_DIGITS], len: 0, point: ratio.point };
    let count = count.of(ratio.point);
    if count < 0 {
        return out;
    }
    for _ in 0..count.min(MOST_DIGITS as i32) {
        let digit = ratio.next_digit();
        out.push(digit);
    }
    if ratio.rest_to_half().is_ge() {
        out.round_up();
    }
    out
}

impl Digits {
    const ZERO: Digits = Digits { digits: [0; MOST_DIGITS], len: 0, point: 1 };

    fn push(&mut self, digit: u8) {
        self.digits[self.len] = digit;
        self.len += 1;
    }

    fn round_up(&mut self) {
        for at in (0..self.len).rev() {
            if self.digits[at] < 9 {
                self.digits[at] += 1;
                return;
            }
            self.digits[at] = 0;
        }
        // All nines, or nothing: one, at the next place.
        self.digits[0] = 1;
        self.len = self.len.max(1);
        self.point += 1;
    }

    #[inline(never)]
    fn get(&self, at: i32) -> u8 {
        let digit = usize::try_from(at).ok().filter(|at| *at < self.len).map_or(0, |at| self.digits[at]);
        b'0' + digit
    }

    fn trim(&mut self) {
        while self.len > 0 && self.digits[self.len - 1] == 0 {
            self.len -= 1;
        }
    }
}

// ---- writing ----

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

/// The digits of a float, as many as asked for, or the shortest and zeros.
#[inline(never)]
fn pick(value: Float, count: Count) -> Digits {
    if value == 0.0 {
        return Digits::ZERO;
    }
    let digits = rounded(value, Count { most: SAFE_DIGITS, ..count });
    if count.of(digits.point) <= SAFE_DIGITS {
        return digits;
    }
    let short = shortest(value);
    let wanted = count.of(short.point);
    if short.len as i32 <= wanted { short } else { rounded(value, Count::significant(wanted)) }
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

// ---- reading ----

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

const _: () = assert!(size_of::<Bits>() == size_of::<Float>());

#[cfg(test)]
mod tests {
    use super::*;
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
