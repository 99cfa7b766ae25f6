//! Floating point instructions. The host computes; what is no number is made as the processor makes it. Source: ARM A7.7, A2.5.

use super::exec::{PC, cycles};
use super::op::{Float, Op};
use super::{Bus, Cpu, Fault, alu};

impl Cpu {
    pub(super) fn execute_float<B: Bus>(&mut self, bus: &mut B, op: Op) -> Result<(), Fault> {
        self.use_float()?;
        match op {
            Op::FloatLoad { d, double, n, offset } => {
                let at = self.base(n).wrapping_add_signed(offset);
                for word in 0..1 + u8::from(double) {
                    let value = self.load_aligned(bus, at.wrapping_add(4 * u32::from(word)))?;
                    self.s[usize::from(d + word)] = value;
                }
            }
            Op::FloatStore { d, double, n, offset } => {
                let at = self.base(n).wrapping_add_signed(offset);
                for word in 0..1 + u8::from(double) {
                    let value = self.s[usize::from(d + word)];
                    self.store_aligned(bus, at.wrapping_add(4 * u32::from(word)), value)?;
                }
            }
            Op::FloatLoadMultiple { d, count, n, write_back, before } => {
                let (start, end) = self.float_range(n, count, before);
                for word in 0..count {
                    let value = self.load_aligned(bus, start.wrapping_add(4 * u32::from(word)))?;
                    self.s[usize::from(d + word)] = value;
                }
                self.write_back(write_back.then_some((n, end)));
            }
            Op::FloatStoreMultiple { d, count, n, write_back, before } => {
                let (start, end) = self.float_range(n, count, before);
                for word in 0..count {
                    let value = self.s[usize::from(d + word)];
                    self.store_aligned(bus, start.wrapping_add(4 * u32::from(word)), value)?;
                }
                self.write_back(write_back.then_some((n, end)));
            }
            Op::Float { op, d, n, m } => self.float(op, d, n, m),
            Op::FloatConstant { d, bits } => self.s[usize::from(d)] = bits,
            Op::FloatCompare { d, m, .. } => {
                let value = |bits: u32| f32::from_bits(bits);
                let other = m.map_or(0.0, |m| value(self.s[usize::from(m)]));
                let flags = alu::compare(value(self.s[usize::from(d)]), other);
                self.fpscr = self.fpscr & 0x0fff_ffff | flags;
            }
            Op::Convert { kind, d, m } => {
                let value = alu::convert(kind, self.s[usize::from(d)], self.s[usize::from(m)]);
                self.s[usize::from(d)] = value;
            }
            Op::FloatMove { t, s, to_float: true } => self.s[usize::from(s)] = self.read(t),
            Op::FloatMove { t, s, to_float: false } => self.write(t, self.s[usize::from(s)]),
            Op::FloatMovePair { t, t2, s, to_float } => {
                for (register, s) in [(t, s), (t2, s + 1)] {
                    if to_float {
                        self.s[usize::from(s)] = self.read(register);
                    } else {
                        self.write(register, self.s[usize::from(s)]);
                    }
                }
            }
            Op::ReadFloatStatus { t: PC } => self.flags.set_word(self.fpscr),
            Op::ReadFloatStatus { t } => self.write(t, self.fpscr),
            Op::WriteFloatStatus { t } => self.write_fpscr(self.read(t)),
            _ => return Err(Fault::Undefined),
        }
        Ok(())
    }

    fn float(&mut self, op: Float, d: u8, n: u8, m: u8) {
        let [bits_d, bits_n, bits_m] = [d, n, m].map(|register| self.s[usize::from(register)]);
        let [a, b] = [bits_n, bits_m].map(f32::from_bits);
        let negated = |bits: u32| bits ^ 1 << 31;
        let product = alu::tidy(a * b, &[bits_n, bits_m]);
        let accumulate = |old: u32, product: u32| {
            alu::tidy(f32::from_bits(old) + f32::from_bits(product), &[old, product])
        };
        let fused = |old: u32, n: u32| {
            let (n_value, old_value) = (f32::from_bits(n), f32::from_bits(old));
            // Zero times infinity is invalid, even if what is added is no number.
            if (n_value * b).is_nan() && !n_value.is_nan() && !b.is_nan() && !alu::is_signalling(old) {
                return alu::DEFAULT_NAN;
            }
            alu::tidy(n_value.mul_add(b, old_value), &[old, n, bits_m])
        };
        let value = match op {
            Float::Vmla => accumulate(bits_d, product),
            Float::Vmls => accumulate(bits_d, negated(product)),
            Float::Vnmla => accumulate(negated(bits_d), negated(product)),
            Float::Vnmls => accumulate(negated(bits_d), product),
            Float::Vmul => product,
            Float::Vnmul => negated(product),
            Float::Vadd => alu::tidy(a + b, &[bits_n, bits_m]),
            Float::Vsub => alu::tidy(a - b, &[bits_n, bits_m]),
            Float::Vdiv => {
                self.spend(cycles::FLOAT_DIVIDE);
                alu::tidy(a / b, &[bits_n, bits_m])
            }
            Float::Vfma => fused(bits_d, bits_n),
            Float::Vfms => fused(bits_d, negated(bits_n)),
            Float::Vfnma => fused(negated(bits_d), negated(bits_n)),
            Float::Vfnms => fused(negated(bits_d), bits_n),
            Float::Vmov => bits_m,
            Float::Vabs => bits_m & !(1 << 31),
            Float::Vneg => negated(bits_m),
            Float::Vsqrt => {
                self.spend(cycles::FLOAT_DIVIDE);
                alu::tidy(b.sqrt(), &[bits_m])
            }
        };
        self.s[usize::from(d)] = value;
    }

    /// Where a list of floating point registers begins, and what the base becomes.
    fn float_range(&self, n: u8, count: u8, before: bool) -> (u32, u32) {
        let (base, bytes) = (self.base(n), 4 * u32::from(count));
        if before {
            (base.wrapping_sub(bytes), base.wrapping_sub(bytes))
        } else {
            (base, base.wrapping_add(bytes))
        }
    }

    /// A base register of a floating point transfer; the program counter counts rounded down.
    fn base(&self, n: u8) -> u32 {
        if n == PC { self.aligned_pc() } else { self.read(n) }
    }
}
