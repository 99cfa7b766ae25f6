//! Digits of floats, exactly: the shortest ones that read back as the same float, and those rounded at any place. All of
//! it is arithmetic on natural numbers of a fixed size: no tables, little code, and nothing to be inexact.
//!
//! Source: Steele and White, "How to print floating-point numbers accurately".

use core::cmp::Ordering;

use super::float::{Float, MIN_EXPONENT, PRECISION, SIZE, parts};
use crate::bigint;

/// Limbs of the numbers here: enough for the ratio of any float and, when reading, for [`super::float_parse::MAX_DIGITS`]
/// digits.
const LIMBS: usize = if SIZE == 4 { 24 } else { 128 };
/// Digits that any float needs at most to be told from its neighbours.
pub(super) const MOST_DIGITS: usize = if SIZE == 4 { 9 } else { 17 };
/// Digits that a float always keeps. Asked for more, MicroPython prefers the shortest digits and zeros.
const SAFE_DIGITS: i32 = if SIZE == 4 { 6 } else { 15 };

/// A natural number of fixed room.
#[derive(Clone)]
pub(super) struct Natural {
    pub(super) limbs: [u32; LIMBS],
    pub(super) len: usize,
}

impl Natural {
    #[inline(never)]
    pub(super) fn new(value: u64) -> Natural {
        let mut limbs = [0; LIMBS];
        (limbs[0], limbs[1]) = (value as u32, (value >> 32) as u32);
        Natural { limbs, len: bigint::significant(&limbs[..2]) }
    }

    pub(super) fn limbs(&self) -> &[u32] {
        &self.limbs[..self.len]
    }

    pub(super) fn bits(&self) -> i32 {
        bigint::bit_length(self.limbs()) as i32
    }

    #[inline(never)]
    pub(super) fn mul_add(&mut self, factor: u32, addend: u32) {
        let carry = bigint::mul_small(&mut self.limbs[..self.len], factor, addend);
        if carry > 0 {
            self.limbs[self.len] = carry;
            self.len += 1;
        }
    }

    #[inline(never)]
    pub(super) fn mul_power_of_ten(&mut self, mut power: u32) {
        while power >= 9 {
            self.mul_add(1_000_000_000, 0);
            power -= 9;
        }
        self.mul_add(10u32.pow(power), 0);
    }

    #[inline(never)]
    pub(super) fn shift_left(&mut self, bits: u32) {
        self.len += (bits / 32 + 1) as usize;
        bigint::shift_left_in_place(&mut self.limbs[..self.len], bits);
        self.len = bigint::significant(self.limbs());
    }

    #[inline(never)]
    pub(super) fn add(&mut self, other: &Natural) {
        self.len = self.len.max(other.len) + 1;
        bigint::add_assign(&mut self.limbs[..self.len], other.limbs());
        self.len = bigint::significant(self.limbs());
    }

    #[inline(never)]
    pub(super) fn sub(&mut self, other: &Natural) {
        bigint::sub_assign(&mut self.limbs[..self.len], other.limbs());
        self.len = bigint::significant(self.limbs());
    }

    #[inline(never)]
    pub(super) fn compare(&self, other: &Natural) -> Ordering {
        // Both lengths are exact.
        self.len.cmp(&other.len).then_with(|| self.limbs().iter().rev().cmp(other.limbs().iter().rev()))
    }
}

/// Decimal digits of a number: `0.d1d2d3… * 10 ** point`.
#[derive(Clone, Copy)]
pub(super) struct Digits {
    pub(super) digits: [u8; MOST_DIGITS],
    pub(super) len: usize,
    pub(super) point: i32,
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
    pub(super) fn new(value: Float, extra: u32) -> Ratio {
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
    pub(super) fn next_digit(&mut self) -> u8 {
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
    pub(super) fn reaches_one(&self, more: &Natural, equal_counts: bool) -> bool {
        let mut sum = self.value.clone();
        sum.add(more);
        let order = sum.compare(&self.unit);
        order.is_gt() || equal_counts && order.is_eq()
    }

    /// How what is left compares with one half.
    #[inline(never)]
    pub(super) fn rest_to_half(&self) -> Ordering {
        let mut twice = self.value.clone();
        twice.shift_left(1);
        twice.compare(&self.unit)
    }
}

/// The shortest digits that read back as `value` (positive and finite).
#[inline(never)]
pub(super) fn shortest(value: Float) -> Digits {
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
pub(super) struct Count {
    pub(super) digits: i32,
    /// They are counted from the point on, not from the first digit.
    pub(super) behind_point: bool,
    pub(super) most: i32,
}

impl Count {
    pub(super) fn significant(digits: i32) -> Count {
        Count { digits, behind_point: false, most: i32::MAX }
    }

    /// How many that is for a number whose point is here.
    pub(super) fn of(self, point: i32) -> i32 {
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
    pub(super) const ZERO: Digits = Digits { digits: [0; MOST_DIGITS], len: 0, point: 1 };

    pub(super) fn push(&mut self, digit: u8) {
        self.digits[self.len] = digit;
        self.len += 1;
    }

    pub(super) fn round_up(&mut self) {
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
    pub(super) fn get(&self, at: i32) -> u8 {
        let digit = usize::try_from(at).ok().filter(|at| *at < self.len).map_or(0, |at| self.digits[at]);
        b'0' + digit
    }

    pub(super) fn trim(&mut self) {
        while self.len > 0 && self.digits[self.len - 1] == 0 {
            self.len -= 1;
        }
    }
}

/// The digits of a float, as many as asked for, or the shortest and zeros.
#[inline(never)]
pub(super) fn pick(value: Float, count: Count) -> Digits {
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
