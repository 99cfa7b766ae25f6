//! Powers of ints, and products that replace their factor: intermediate results are given back at once.

use larch_heap::Value;

use super::int_arith::{Division, Int};
use crate::bigint;
use crate::native::Res;
use crate::vm::Vm;

impl Vm {
    /// Multiplies two ints.
    #[inline(never)]
    fn int_mul(&mut self, a: Value, b: Value) -> Res {
        if let (Some(a), Some(b)) = (a.as_small(), b.as_small()) {
            return self.new_int_i64(i64::from(a) * i64::from(b));
        }
        let (a, b) = self.both_ints(a, b);
        self.big_mul(&a, &b)
    }

    fn both_ints(&self, a: Value, b: Value) -> (Int, Int) {
        (self.as_int(a).unwrap_or(Int::new(false, 0)), self.as_int(b).unwrap_or(Int::new(false, 0)))
    }

    /// `base ** exponent`
    #[inline(never)]
    pub(crate) fn int_pow(&mut self, base: Value, exponent: u32) -> Res {
        if exponent == 0 {
            return Ok(Value::small(1));
        }
        let scope = self.root(base)?;
        let slot = self.root(base)?;
        for bit in (0..31 - exponent.leading_zeros()).rev() {
            let power = self.heap.stack(slot);
            let square = self.int_mul(power, power)?;
            self.replace_int(slot, square, base);
            if exponent >> bit & 1 != 0 {
                let next = self.int_mul(square, base)?;
                self.replace_int(slot, next, base);
            }
        }
        let power = self.heap.stack(slot);
        self.release(scope);
        Ok(power)
    }

    /// Multiplies the int at a stack slot, which no one else refers to.
    pub(crate) fn multiply_at(&mut self, slot: u32, factor: i32) -> Res<()> {
        let product = self.int_mul(self.heap.stack(slot), Value::small(factor))?;
        self.replace_int(slot, product, Value::NONE);
        Ok(())
    }

    /// Sets a stack slot to a new int and gives the old one's memory back, unless it is `keep`.
    #[inline(never)]
    fn replace_int(&mut self, slot: u32, new: Value, keep: Value) {
        let old = self.heap.stack(slot);
        self.heap.set_stack(slot, new);
        if old != keep
            && let Some(at) = old.as_cell()
        {
            self.heap.free(at);
        }
    }

    /// `pow(base, exponent, modulus)`; the modulus is not zero.
    pub(crate) fn int_pow_mod(&mut self, base: &Int, exponent: &Int, modulus: &Int) -> Res {
        if exponent.negative {
            // MicroPython's answer; there are no modular inverses.
            return Ok(Value::small(0));
        }
        let scope = self.scope();
        let base = self.big_divide(base, modulus, Division::Remainder)?;
        self.root(base)?;
        let one = self.big_divide(&Int::new(false, 1), modulus, Division::Remainder)?;
        let slot = self.root(one)?;
        for bit in (0..bigint::bit_length(self.limbs(exponent))).rev() {
            let power = self.heap.stack(slot);
            self.mul_mod(slot, power, modulus)?;
            if self.limbs(exponent)[bit as usize / 32] >> (bit % 32) & 1 != 0 {
                self.mul_mod(slot, base, modulus)?;
            }
        }
        let power = self.heap.stack(slot);
        self.release(scope);
        Ok(power)
    }

    /// Multiplies the int at a stack slot, modulo `modulus`.
    fn mul_mod(&mut self, slot: u32, factor: Value, modulus: &Int) -> Res<()> {
        let product = self.int_mul(self.heap.stack(slot), factor)?;
        self.replace_int(slot, product, factor);
        let product = self.both_ints(product, product).0;
        let rest = self.big_divide(&product, modulus, Division::Remainder)?;
        self.replace_int(slot, rest, factor);
        Ok(())
    }
}
