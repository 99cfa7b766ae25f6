//! Arithmetic on natural numbers of any size: sequences of 32-bit limbs, low first. No memory is allocated here; the
//! caller provides the place of the result.
//!
//! Source: Knuth, The Art of Computer Programming 4.3.1 (multiplication, algorithm D); Möller and Granlund, "Improved
//! division by invariant integers" (division of two limbs by one, which RV32 has no instruction for).

use core::cmp::Ordering;

/// How many limbs are significant.
#[inline(never)]
pub fn significant(a: &[u32]) -> usize {
    let mut len = a.len();
    while len > 0 && a[len - 1] == 0 {
        len -= 1;
    }
    len
}

/// How many bits are significant.
#[inline(never)]
pub fn bit_length(a: &[u32]) -> u32 {
    match significant(a) {
        0 => 0,
        len => len as u32 * 32 - a[len - 1].leading_zeros(),
    }
}

/// Compares two numbers.
#[inline(never)]
pub fn compare(a: &[u32], b: &[u32]) -> Ordering {
    let (a, b) = (&a[..significant(a)], &b[..significant(b)]);
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// `out = a + b`; `out` is longer than both.
pub fn add(out: &mut [u32], a: &[u32], b: &[u32]) {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut carry = false;
    for (i, place) in out.iter_mut().enumerate() {
        let left = long.get(i).copied().unwrap_or(0);
        let (sum, over) = left.overflowing_add(short.get(i).copied().unwrap_or(0));
        let (sum, more) = sum.overflowing_add(u32::from(carry));
        *place = sum;
        carry = over | more;
    }
    debug_assert!(!carry);
}

/// `out = a - b`; `a` is not less than `b`, `out` as long as `a`.
pub fn sub(out: &mut [u32], a: &[u32], b: &[u32]) {
    let mut borrow = false;
    for (i, place) in out.iter_mut().enumerate() {
        let left = a.get(i).copied().unwrap_or(0);
        let (difference, under) = left.overflowing_sub(b.get(i).copied().unwrap_or(0));
        let (difference, more) = difference.overflowing_sub(u32::from(borrow));
        *place = difference;
        borrow = under | more;
    }
    debug_assert!(!borrow);
}

/// `a -= b` for `a` not less than `b`.
pub fn sub_assign(a: &mut [u32], b: &[u32]) {
    let borrow = sub_in_place(a, b);
    debug_assert!(!borrow);
}

#[inline(never)]
fn sub_in_place(a: &mut [u32], b: &[u32]) -> bool {
    let mut borrow = false;
    for (i, place) in a.iter_mut().enumerate() {
        if i >= b.len() && !borrow {
            return false;
        }
        let (difference, under) = place.overflowing_sub(b.get(i).copied().unwrap_or(0));
        let (difference, more) = difference.overflowing_sub(u32::from(borrow));
        *place = difference;
        borrow = under | more;
    }
    borrow
}

/// `a += b`; whether a carry is left over.
#[inline(never)]
pub fn add_assign(a: &mut [u32], b: &[u32]) -> bool {
    let mut carry = false;
    for (i, place) in a.iter_mut().enumerate() {
        if i >= b.len() && !carry {
            return false;
        }
        let (sum, over) = place.overflowing_add(b.get(i).copied().unwrap_or(0));
        let (sum, more) = sum.overflowing_add(u32::from(carry));
        *place = sum;
        carry = over | more;
    }
    carry
}

/// `a * b + c + d`, low and high limb. It cannot overflow.
#[inline(always)]
fn mul_add(a: u32, b: u32, c: u32, d: u32) -> (u32, u32) {
    let wide = u64::from(a) * u64::from(b) + u64::from(c) + u64::from(d);
    (wide as u32, (wide >> 32) as u32)
}

/// `a = a * factor + addend`; what does not fit is returned.
#[inline(never)]
pub fn mul_small(a: &mut [u32], factor: u32, addend: u32) -> u32 {
    let mut carry = addend;
    for place in a {
        (*place, carry) = mul_add(*place, factor, carry, 0);
    }
    carry
}

/// `out = a * b`; `out` is as long as both together and starts as zero.
pub fn mul(out: &mut [u32], a: &[u32], b: &[u32]) {
    for (i, factor) in b.iter().enumerate() {
        let mut carry = 0;
        for (place, limb) in out[i..].iter_mut().zip(a) {
            (*place, carry) = mul_add(*limb, *factor, *place, carry);
        }
        out[i + a.len()] = carry;
    }
}

/// A divisor of one limb, prepared: shifted so that its top bit is set, and its reciprocal.
#[derive(Clone, Copy)]
pub struct Divisor {
    value: u32,
    reciprocal: u32,
    shift: u32,
}

impl Divisor {
    /// `divisor` is not zero.
    pub const fn new(divisor: u32) -> Divisor {
        let shift = divisor.leading_zeros();
        let value = divisor << shift;
        // floor((2^64 - 1) / value) - 2^32
        let reciprocal = (u64::MAX / value as u64) as u32;
        Divisor { value, reciprocal, shift }
    }

    /// Quotient and remainder of `high:low` by the shifted divisor; `high` is below it.
    #[inline(always)]
    fn divide(self, high: u32, low: u32) -> (u32, u32) {
        let wide = u64::from(high) * u64::from(self.reciprocal) + (u64::from(high) << 32 | u64::from(low));
        let mut quotient = ((wide >> 32) as u32).wrapping_add(1);
        let mut rest = low.wrapping_sub(quotient.wrapping_mul(self.value));
        if rest > wide as u32 {
            quotient = quotient.wrapping_sub(1);
            rest = rest.wrapping_add(self.value);
        }
        if rest >= self.value {
            quotient = quotient.wrapping_add(1);
            rest -= self.value;
        }
        (quotient, rest)
    }
}

/// `a = a / divisor`; the remainder is returned.
#[inline(never)]
pub fn div_small(a: &mut [u32], divisor: Divisor) -> u32 {
    let shift = divisor.shift;
    // The number is shifted along with the divisor while it is read.
    let mut rest = match a.last() {
        Some(top) if shift > 0 => top >> (32 - shift),
        _ => 0,
    };
    for i in (0..a.len()).rev() {
        let below = if i > 0 { a[i - 1] } else { 0 };
        let limb = if shift > 0 { a[i] << shift | below >> (32 - shift) } else { a[i] };
        (a[i], rest) = divisor.divide(rest, limb);
    }
    rest >> shift
}

/// Divides `a` by `b` in place: afterwards `a[b.len()..]` is the quotient and `a[..b.len()]` the remainder.
/// `b` has at least two limbs and its top bit is set; `a` is longer than `b`, with its top limb less than `b`'s.
#[inline(never)]
pub fn divide(a: &mut [u32], b: &[u32]) {
    let n = b.len();
    let top = Divisor::new(b[n - 1]);
    for j in (n..a.len()).rev() {
        let mut guess = guess_digit(a[j], a[j - 1], a[j - 2], top, b[n - 2]);
        let borrow = sub_product(&mut a[j - n..j], b, guess);
        // The true digit is the guess or one less.
        if a[j] < borrow {
            guess -= 1;
            add_assign(&mut a[j - n..j], b);
        }
        a[j] = guess;
    }
}

/// Estimates one digit of a quotient from the top three limbs of the dividend and the top two of the divisor.
fn guess_digit(high: u32, middle: u32, low: u32, top: Divisor, second: u32) -> u32 {
    let (mut guess, mut rest) = if high >= top.value {
        let (rest, over) = middle.overflowing_add(top.value);
        if over {
            return u32::MAX;
        }
        (u32::MAX, rest)
    } else {
        top.divide(high, middle)
    };
    while u64::from(guess) * u64::from(second) > (u64::from(rest) << 32 | u64::from(low)) {
        guess -= 1;
        let (next, over) = rest.overflowing_add(top.value);
        if over {
            break;
        }
        rest = next;
    }
    guess
}

/// `a -= b * factor` over equal lengths; what is still to be taken from the limb above is returned.
fn sub_product(a: &mut [u32], b: &[u32], factor: u32) -> u32 {
    let mut carry = 0;
    for (place, limb) in a.iter_mut().zip(b) {
        let (low, high) = mul_add(*limb, factor, carry, 0);
        let (rest, under) = place.overflowing_sub(low);
        *place = rest;
        carry = high + u32::from(under);
    }
    carry
}

/// `out = a << bits`; `out` has room for it. May be the same place when read as [`shift_left_in_place`].
#[inline(never)]
pub fn shift_left(out: &mut [u32], a: &[u32], bits: u32) {
    let (limbs, shift) = ((bits / 32) as usize, bits % 32);
    out[..limbs].fill(0);
    let mut below = 0;
    for (i, place) in out[limbs..].iter_mut().enumerate() {
        let limb = a.get(i).copied().unwrap_or(0);
        *place = if shift > 0 { limb << shift | below >> (32 - shift) } else { limb };
        below = limb;
    }
}

/// `a <<= bits`; what leaves the top is lost.
#[inline(never)]
pub fn shift_left_in_place(a: &mut [u32], bits: u32) {
    let (limbs, shift) = ((bits / 32) as usize, bits % 32);
    for i in (0..a.len()).rev() {
        let limb = if i >= limbs { a[i - limbs] } else { 0 };
        let below = if i > limbs { a[i - limbs - 1] } else { 0 };
        a[i] = if shift > 0 { limb << shift | below >> (32 - shift) } else { limb };
    }
}

/// `a >>= bits`; whether a bit was lost.
#[inline(never)]
pub fn shift_right_in_place(a: &mut [u32], bits: u32) -> bool {
    let (limbs, shift) = (((bits / 32) as usize).min(a.len()), bits % 32);
    let mut lost = a[..limbs].iter().any(|limb| *limb != 0);
    if shift > 0 && limbs < a.len() {
        lost |= a[limbs] << (32 - shift) != 0;
    }
    for i in 0..a.len() {
        let limb = a.get(i + limbs).copied().unwrap_or(0);
        let above = a.get(i + limbs + 1).copied().unwrap_or(0);
        a[i] = if shift > 0 { limb >> shift | above << (32 - shift) } else { limb };
    }
    lost
}

/// The two's complement: `2^(32 * len) - a`.
#[inline(never)]
pub fn negate(a: &mut [u32]) {
    let mut carry = true;
    for place in a {
        (*place, carry) = (!*place).overflowing_add(u32::from(carry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    fn limbs(mut value: u128) -> Vec<u32> {
        let mut limbs = Vec::new();
        while value > 0 {
            limbs.push(value as u32);
            value >>= 32;
        }
        limbs
    }

    fn number(limbs: &[u32]) -> u128 {
        assert!(significant(limbs) <= 4);
        limbs.iter().take(4).rev().fold(0, |sum, limb| sum << 32 | u128::from(*limb))
    }

    /// Numbers whose limbs are often at their limits, where carries go wrong.
    fn limb() -> impl Strategy<Value = u32> {
        prop_oneof![any::<u32>(), Just(0), Just(1), Just(u32::MAX), Just(1 << 31), Just((1 << 31) - 1)]
    }

    fn big(len: core::ops::Range<usize>) -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec(limb(), len)
    }

    proptest! {
        #[test]
        fn sums_and_differences(a in any::<u128>(), b in any::<u128>()) {
            let (a, b) = (a.max(b) >> 1, a.min(b) >> 1);
            let mut out = vec![7; 5];
            add(&mut out, &limbs(a), &limbs(b));
            prop_assert_eq!(number(&out), a + b);
            let mut out = limbs(a);
            sub(&mut out, &limbs(a), &limbs(b));
            prop_assert_eq!(number(&out), a - b);
            prop_assert_eq!(compare(&limbs(a), &limbs(b)), a.cmp(&b));
        }

        #[test]
        fn shifts(a in any::<u128>(), bits in 0u32..140) {
            let mut out = limbs(a);
            let lost = shift_right_in_place(&mut out, bits);
            let expect = a.checked_shr(bits).unwrap_or(0);
            prop_assert_eq!(number(&out), expect);
            prop_assert_eq!(lost, expect.checked_shl(bits).unwrap_or(0) != a);
            let mut wide = vec![9; 10];
            shift_left(&mut wide, &limbs(a), bits);
            let mut same = limbs(a);
            same.resize(10, 0);
            shift_left_in_place(&mut same, bits);
            prop_assert_eq!(&same, &wide);
            shift_right_in_place(&mut wide, bits);
            prop_assert_eq!(number(&wide), a);
        }

        #[test]
        fn one_limb_divisor(a in big(0..8), b in 1u32..) {
            let mut quotient = a.clone();
            let rest = div_small(&mut quotient, Divisor::new(b));
            prop_assert!(rest < b);
            prop_assert_eq!(mul_small(&mut quotient, b, rest), 0);
            prop_assert_eq!(quotient, a);
        }

        #[test]
        fn long_division_is_undone_by_multiplication(a in big(2..12), mut b in big(2..8)) {
            let n = b.len();
            b[n - 1] |= 1 << 31;
            let mut work = a.clone();
            work.resize(a.len().max(n) + 1, 0);
            divide(&mut work, &b);
            let (rest, quotient) = work.split_at(n);
            prop_assert_eq!(compare(rest, &b), Ordering::Less);
            let mut product = vec![0; quotient.len() + n];
            mul(&mut product, quotient, &b);
            prop_assert!(!add_assign(&mut product, rest));
            prop_assert_eq!(compare(&product, &a), Ordering::Equal);
        }
    }
}
