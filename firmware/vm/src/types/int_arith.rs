//! Operators on ints of any size. Operands are described by [`Int`]; small ones need no cell.
//!
//! Invariant: an int that fits the small range is never a cell. Operands must be alive by themselves: cells do not
//! move, so their limbs are read in place after the result was allocated.

use core::cmp::Ordering;

use larch_heap::{Header, Kind, Ref, Value};

use super::ids;
use crate::bigint::{self, Divisor};
use crate::native::{BinaryOp, Res};
use crate::vm::Vm;

/// Bytes of a big int's cell before its limbs.
const PREFIX: u32 = 4;
const SIGN: u32 = 1 << 31;

/// An int operand: sign, number of limbs, and where they are.
#[derive(Clone, Copy)]
pub struct Int {
    /// Whether it is below zero.
    pub negative: bool,
    /// How many limbs it has; 0 for zero.
    pub len: u32,
    cell: Option<Ref>,
    limb: [u32; 1],
}

impl Int {
    /// A number of one limb.
    pub const fn new(negative: bool, limb: u32) -> Int {
        Int { negative, len: (limb != 0) as u32, cell: None, limb: [limb] }
    }

    /// Its limbs, when those of its cell are given.
    fn pick<'a>(&'a self, cell: &'a [u32]) -> &'a [u32] {
        if self.cell.is_some() { cell } else { &self.limb[..self.len as usize] }
    }

    fn place(&self, other: Ref) -> (Ref, u32, u32) {
        self.cell.map_or((other, 0, 0), |at| (at, 1, self.len))
    }

    fn is_zero(&self) -> bool {
        self.len == 0
    }
}

/// Which results of a division are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Division {
    Quotient,
    Remainder,
    Both,
}

impl Vm {
    /// The parts of an int or bool; `None` for other values.
    #[inline(never)]
    pub fn as_int(&self, value: Value) -> Option<Int> {
        if let Some(small) = value.as_small() {
            return Some(Int::new(small < 0, small.unsigned_abs()));
        }
        if let Some(at) = self.heap.as_kind(value, Kind::BigInt) {
            let word = self.heap.word(at, 0);
            return Some(Int { negative: word & SIGN != 0, len: word & !SIGN, cell: Some(at), limb: [0] });
        }
        value.as_bool().map(|bit| Int::new(false, u32::from(bit)))
    }

    /// The limbs of an int, low first.
    pub fn limbs<'a>(&'a self, int: &'a Int) -> &'a [u32] {
        match int.cell {
            Some(at) => self.heap.words(at, 1, int.len),
            None => &int.limb[..int.len as usize],
        }
    }

    /// A cell for an int of up to `len` limbs, all zero.
    #[inline(never)]
    pub(crate) fn new_limbs(&mut self, len: u32) -> Res<Ref> {
        if len > (Header::MAX_COUNT - PREFIX) / 4 {
            return Err(self.raise_memory());
        }
        self.alloc(Header::new(Kind::BigInt, PREFIX + 4 * len))
    }

    /// The value of a cell made by [`Vm::new_limbs`], of which the first `len` limbs count. The cell is given back if
    /// the value is small.
    #[inline(never)]
    pub(crate) fn finish_int(&mut self, at: Ref, negative: bool, len: u32) -> Value {
        let limbs = self.heap.words(at, 1, len);
        let len = bigint::significant(limbs);
        if len <= 1 {
            let limb = limbs.first().copied().unwrap_or(0);
            if let Some(small) = small_of(negative, limb) {
                self.heap.free(at);
                return small;
            }
        }
        self.heap.set_word(at, 0, len as u32 | if negative { SIGN } else { 0 });
        self.heap.resize(at, PREFIX + 4 * len as u32);
        at.into()
    }

    /// An int value from sign and magnitude.
    #[inline(never)]
    pub(crate) fn new_int_parts(&mut self, negative: bool, magnitude: u64) -> Res {
        if magnitude <= u64::from(u32::MAX)
            && let Some(small) = small_of(negative, magnitude as u32)
        {
            return Ok(small);
        }
        let at = self.new_limbs(2)?;
        self.heap.set_word(at, 1, magnitude as u32);
        self.heap.set_word(at, 2, (magnitude >> 32) as u32);
        Ok(self.finish_int(at, negative, 2))
    }

    /// An int value.
    ///
    /// # Errors
    /// MemoryError.
    #[inline]
    pub fn new_int_i64(&mut self, value: i64) -> Res {
        if let Some(small) = i32::try_from(value).ok().and_then(Value::try_small) {
            return Ok(small);
        }
        self.new_int_parts(value < 0, value.unsigned_abs())
    }

    /// An int value.
    ///
    /// # Errors
    /// MemoryError.
    pub fn new_int_u64(&mut self, value: u64) -> Res {
        self.new_int_parts(false, value)
    }

    /// Runs `work` with the limbs of a result cell and of two operands.
    fn combine<T>(
        &mut self,
        out: Ref,
        len: u32,
        a: &Int,
        b: &Int,
        work: impl FnOnce(&mut [u32], &[u32], &[u32]) -> T,
    ) -> T {
        let (target, [left, right]) = self.heap.words_split((out, 1, len), [a.place(out), b.place(out)]);
        work(target, a.pick(left), b.pick(right))
    }

    // ---- small ints ----

    /// An operator on two small ints. Unbound if ints do not have it.
    ///
    /// # Errors
    /// ZeroDivisionError, ValueError for a negative shift, MemoryError.
    #[inline]
    pub fn small_binary(&mut self, op: BinaryOp, a: i32, b: i32) -> Res {
        use BinaryOp::*;
        let wide = match op {
            Add | IAdd => i64::from(a + b),
            Sub | ISub => i64::from(a - b),
            Mul | IMul => i64::from(a) * i64::from(b),
            FloorDiv | IFloorDiv | Mod | IMod | TrueDiv | ITrueDiv if b == 0 => return Err(self.raise_zero()),
            FloorDiv | IFloorDiv => i64::from(floor_div(a, b)),
            Mod | IMod => i64::from(floor_mod(a, b)),
            And | IAnd => return Ok(Value::small(a & b)),
            Or | IOr => return Ok(Value::small(a | b)),
            Xor | IXor => return Ok(Value::small(a ^ b)),
            Lt => return Ok(Value::bool(a < b)),
            Le => return Ok(Value::bool(a <= b)),
            Gt => return Ok(Value::bool(a > b)),
            Ge => return Ok(Value::bool(a >= b)),
            Eq => return Ok(Value::bool(a == b)),
            Ne => return Ok(Value::bool(a != b)),
            Shl | IShl if (0..31).contains(&b) => i64::from(a) << b,
            Shr | IShr if b >= 0 => return Ok(Value::small(a >> b.min(31))),
            TrueDiv | ITrueDiv => return self.new_float(a as super::float::Float / b as super::float::Float),
            Pow | IPow if b >= 0 => match a.checked_pow(b as u32) {
                Some(power) => i64::from(power),
                None => return self.int_pow(Value::small(a), b as u32),
            },
            Shl | IShl | Shr | IShr | Pow | IPow => {
                let (a, b) = (Int::new(a < 0, a.unsigned_abs()), Int::new(b < 0, b.unsigned_abs()));
                return self.big_binary(op, &a, &b);
            }
            MatMul | IMatMul | Contains => return Ok(Value::UNBOUND),
        };
        self.new_int_i64(wide)
    }

    // ---- any ints ----

    /// An operator on two ints. Unbound if ints do not have it.
    ///
    /// # Errors
    /// ZeroDivisionError, ValueError for a negative shift, OverflowError for a huge one, MemoryError.
    #[inline(never)]
    pub(crate) fn big_binary(&mut self, op: BinaryOp, a: &Int, b: &Int) -> Res {
        use BinaryOp::*;
        match op {
            Add | IAdd => self.big_add(a, b, b.negative),
            Sub | ISub => self.big_add(a, b, !b.negative),
            Mul | IMul => self.big_mul(a, b),
            FloorDiv | IFloorDiv => self.big_divide(a, b, Division::Quotient),
            Mod | IMod => self.big_divide(a, b, Division::Remainder),
            TrueDiv | ITrueDiv if b.is_zero() => Err(self.raise_zero()),
            TrueDiv | ITrueDiv => self.new_float(self.big_to_float(a) / self.big_to_float(b)),
            Pow | IPow if b.negative => self.float_power(self.big_to_float(a), self.big_to_float(b)),
            Pow | IPow => {
                let base = self.int_value(a)?;
                let exponent = match *self.limbs(b) {
                    [] => 0,
                    [limb] => limb,
                    // A power this high has room only if the base is 0, 1 or -1: then the exponent's lowest bit decides.
                    [low, ..] if a.len == 0 || a.len == 1 && a.limb == [1] => 2 | low & 1,
                    _ => return Err(self.raise_memory()),
                };
                self.int_pow(base, exponent)
            }
            Shl | IShl | Shr | IShr => {
                let bits = self.shift_count(b)?;
                if matches!(op, Shl | IShl) { self.big_shl(a, bits) } else { self.big_shr(a, bits) }
            }
            And | IAnd => self.big_bitwise(a, b, |x, y| x & y),
            Or | IOr => self.big_bitwise(a, b, |x, y| x | y),
            Xor | IXor => self.big_bitwise(a, b, |x, y| x ^ y),
            Eq => Ok(Value::bool(self.big_compare(a, b).is_eq())),
            Ne => Ok(Value::bool(self.big_compare(a, b).is_ne())),
            Lt => Ok(Value::bool(self.big_compare(a, b).is_lt())),
            Le => Ok(Value::bool(self.big_compare(a, b).is_le())),
            Gt => Ok(Value::bool(self.big_compare(a, b).is_gt())),
            Ge => Ok(Value::bool(self.big_compare(a, b).is_ge())),
            MatMul | IMatMul | Contains => Ok(Value::UNBOUND),
        }
    }

    /// The value that an operand was made from.
    fn int_value(&mut self, a: &Int) -> Res {
        match a.cell {
            Some(at) => Ok(at.into()),
            None => self.new_int_parts(a.negative, a.limb[0].into()),
        }
    }

    /// Compares two ints.
    #[inline(never)]
    pub(crate) fn big_compare(&self, a: &Int, b: &Int) -> Ordering {
        match (a.negative, b.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => bigint::compare(self.limbs(a), self.limbs(b)),
            (true, true) => bigint::compare(self.limbs(b), self.limbs(a)),
        }
    }

    fn big_add(&mut self, a: &Int, b: &Int, b_negative: bool) -> Res {
        let len = a.len.max(b.len) + 1;
        let out = self.new_limbs(len)?;
        if a.negative == b_negative {
            self.combine(out, len, a, b, bigint::add);
            return Ok(self.finish_int(out, a.negative, len));
        }
        let negative = match bigint::compare(self.limbs(a), self.limbs(b)) {
            Ordering::Less => {
                self.combine(out, len, b, a, bigint::sub);
                b_negative
            }
            _ => {
                self.combine(out, len, a, b, bigint::sub);
                a.negative
            }
        };
        Ok(self.finish_int(out, negative, len))
    }

    #[inline(never)]
    pub(super) fn big_mul(&mut self, a: &Int, b: &Int) -> Res {
        let len = a.len + b.len;
        let out = self.new_limbs(len)?;
        self.combine(out, len, a, b, bigint::mul);
        Ok(self.finish_int(out, a.negative != b.negative, len))
    }

    #[inline(never)]
    pub(super) fn big_divide(&mut self, a: &Int, b: &Int, want: Division) -> Res {
        if b.is_zero() {
            return Err(self.raise_zero());
        }
        // One limb more for the dividend's shift, one for the quotient's rounding.
        let (n, len) = (b.len, a.len.max(b.len) + 2);
        let work = self.new_limbs(len)?;
        if n == 1 {
            let divisor = self.limbs(b)[0];
            let rest = self.combine(work, len, a, b, |out, a, _| {
                out[1..=a.len()].copy_from_slice(a);
                bigint::div_small(&mut out[1..], Divisor::new(divisor))
            });
            self.heap.set_word(work, 1, rest);
        } else {
            self.divide_long(work, len, a, b)?;
        }
        let limbs = self.heap.words_mut(work, 1, len);
        let (rest, quotient) = limbs.split_at_mut(n as usize);
        if a.negative != b.negative && bigint::significant(rest) > 0 {
            bigint::add_assign(quotient, &[1]);
            bigint::negate(rest);
            self.combine(work, n, b, b, |rest, b, _| bigint::add_assign(rest, b));
        }
        self.division_result(work, n, len, a.negative != b.negative, b.negative, want)
    }

    /// Puts remainder and quotient of the magnitudes into `work`; the divisor has more than one limb.
    fn divide_long(&mut self, work: Ref, len: u32, a: &Int, b: &Int) -> Res<()> {
        let shift = self.limbs(b)[b.len as usize - 1].leading_zeros();
        let scope = self.root(work.into())?;
        let divisor = self.new_limbs(b.len)?;
        self.release(scope);
        self.combine(divisor, b.len, b, b, |out, b, _| bigint::shift_left(out, b, shift));
        self.combine(work, len, a, b, |out, a, _| bigint::shift_left(out, a, shift));
        let (dividend, [normal]) = self.heap.words_split((work, 1, len), [(divisor, 1, b.len)]);
        bigint::divide(dividend, normal);
        bigint::shift_right_in_place(&mut dividend[..b.len as usize], shift);
        self.heap.free(divisor);
        Ok(())
    }

    /// Makes values of the `n` limbs of remainder and the limbs of quotient behind them.
    fn division_result(
        &mut self,
        work: Ref,
        n: u32,
        len: u32,
        quotient_negative: bool,
        rest_negative: bool,
        want: Division,
    ) -> Res {
        if want == Division::Remainder {
            return Ok(self.finish_int(work, rest_negative, n));
        }
        let scope = self.root(work.into())?;
        let mut rest = Value::NONE;
        if want == Division::Both {
            let cell = self.new_limbs(n)?;
            let (out, [limbs]) = self.heap.words_split((cell, 1, n), [(work, 1, n)]);
            out.copy_from_slice(limbs);
            rest = self.finish_int(cell, rest_negative, n);
        }
        self.release(scope);
        self.heap.words_mut(work, 1, len).copy_within(n as usize.., 0);
        let quotient = self.finish_int(work, quotient_negative, len - n);
        if want == Division::Quotient {
            return Ok(quotient);
        }
        self.alloc_values(Kind::Tuple, &[quotient, rest])
    }

    /// `divmod` of two ints.
    ///
    /// # Errors
    /// ZeroDivisionError, MemoryError.
    pub(crate) fn int_divmod(&mut self, a: &Int, b: &Int) -> Res {
        self.big_divide(a, b, Division::Both)
    }

    #[inline(never)]
    fn shift_count(&mut self, count: &Int) -> Res<u32> {
        if count.negative {
            return Err(self.raise(ids::ValueError, "negative shift count"));
        }
        match *self.limbs(count) {
            [] => Ok(0),
            [bits] => Ok(bits),
            _ => Err(self.raise_int_overflow()),
        }
    }

    fn big_shl(&mut self, a: &Int, bits: u32) -> Res {
        if a.is_zero() {
            return Ok(Value::small(0));
        }
        let len = a.len + bits / 32 + 1;
        let out = self.new_limbs(len)?;
        self.combine(out, len, a, a, |out, a, _| bigint::shift_left(out, a, bits));
        Ok(self.finish_int(out, a.negative, len))
    }

    fn big_shr(&mut self, a: &Int, bits: u32) -> Res {
        if a.len <= bits / 32 {
            return Ok(Value::small(if a.negative { -1 } else { 0 }));
        }
        let out = self.new_limbs(a.len)?;
        let negative = a.negative;
        self.combine(out, a.len, a, a, |out, a, _| {
            out.copy_from_slice(a);
            // Rounding is towards minus infinity.
            if bigint::shift_right_in_place(out, bits) && negative {
                bigint::add_assign(out, &[1]);
            }
        });
        Ok(self.finish_int(out, a.negative, a.len))
    }

    /// A bitwise operator, as on two's complement of unlimited length.
    fn big_bitwise(&mut self, a: &Int, b: &Int, op: fn(u32, u32) -> u32) -> Res {
        let len = a.len.max(b.len) + 1;
        let out = self.new_limbs(len)?;
        let (a_negative, b_negative) = (a.negative, b.negative);
        let negative = self.combine(out, len, a, b, |out, a, b| {
            out[..a.len()].copy_from_slice(a);
            if a_negative {
                bigint::negate(out);
            }
            let (mask, mut carry) = if b_negative { (u32::MAX, true) } else { (0, false) };
            for (i, place) in out.iter_mut().enumerate() {
                let limb = b.get(i).copied().unwrap_or(0) ^ mask;
                let (limb, over) = limb.overflowing_add(u32::from(carry));
                carry = over;
                *place = op(*place, limb);
            }
            let negative = out[out.len() - 1] >> 31 != 0;
            if negative {
                bigint::negate(out);
            }
            negative
        });
        Ok(self.finish_int(out, negative, len))
    }

    // ---- one operand ----

    /// `-a` or `abs(a)`: the magnitude with another sign.
    pub(crate) fn with_sign(&mut self, value: Value, a: &Int, negative: bool) -> Res {
        if a.negative == negative {
            return Ok(value);
        }
        let out = self.new_limbs(a.len)?;
        self.combine(out, a.len, a, a, |out, a, _| out.copy_from_slice(a));
        Ok(self.finish_int(out, negative, a.len))
    }
}

/// The small int of this sign and magnitude, if it is one.
fn small_of(negative: bool, limb: u32) -> Option<Value> {
    if limb <= Value::SMALL_MAX as u32 {
        return Some(Value::small(if negative { -(limb as i32) } else { limb as i32 }));
    }
    (negative && limb == Value::SMALL_MIN.unsigned_abs()).then_some(Value::small(Value::SMALL_MIN))
}

/// `a // b` of small ints: the quotient of the smallest by -1 is no overflow.
#[inline(always)]
fn floor_div(a: i32, b: i32) -> i32 {
    let quotient = a.wrapping_div(b);
    if (a ^ b) < 0 && quotient.wrapping_mul(b) != a { quotient - 1 } else { quotient }
}

/// `a % b` of small ints: it has the sign of `b`.
#[inline(always)]
fn floor_mod(a: i32, b: i32) -> i32 {
    let rest = a.wrapping_rem(b);
    if rest != 0 && (rest ^ b) < 0 { rest + b } else { rest }
}
