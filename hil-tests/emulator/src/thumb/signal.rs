//! Multiplication, division and saturating addition. Source: ARM A7.7.

use super::exec::{PC, cycles};
use super::op::{Flags, Multiply, Saturating};
use super::{Cpu, Fault, alu};

impl Cpu {
    pub(super) fn saturating(&mut self, kind: Saturating, d: u8, n: u8, m: u8) {
        let [n, m] = [n, m].map(|register| i64::from(self.read(register) as i32));
        let mut saturated = false;
        let mut within = |value| {
            let (value, changed) = alu::saturate(value, 32, true);
            saturated |= changed;
            i64::from(value as i32)
        };
        let value = match kind {
            Saturating::Qadd => within(m + n),
            Saturating::Qsub => within(m - n),
            Saturating::Qdadd => {
                let doubled = within(2 * n);
                within(m + doubled)
            }
            Saturating::Qdsub => {
                let doubled = within(2 * n);
                within(m - doubled)
            }
        };
        self.flags.q |= saturated;
        self.write(d, value as u32);
    }

    pub(super) fn multiply(
        &mut self,
        kind: Multiply,
        flags: Flags,
        d: u8,
        n: u8,
        m: u8,
        a: u8,
    ) -> Result<(), Fault> {
        let (x, y) = (self.read(n), self.read(m));
        match kind {
            Multiply::Mul => {
                let value = x.wrapping_mul(y);
                if self.sets(flags) {
                    self.flags.n = value >> 31 != 0;
                    self.flags.z = value == 0;
                }
                self.write(d, value);
            }
            Multiply::Mla => self.write(d, self.read(a).wrapping_add(x.wrapping_mul(y))),
            Multiply::Mls => self.write(d, self.read(a).wrapping_sub(x.wrapping_mul(y))),
            Multiply::Sdiv | Multiply::Udiv => {
                self.spend(cycles::DIVIDE);
                if y == 0 && self.traps_division() {
                    return Err(Fault::DivideByZero);
                }
                let signed = |x: u32, y: u32| (x as i32).wrapping_div(y as i32) as u32;
                let quotient = match (y, kind) {
                    (0, _) => 0,
                    (_, Multiply::Sdiv) => signed(x, y),
                    _ => x / y,
                };
                self.write(d, quotient);
            }
            _ => self.multiply_signal(kind, d, x, y, a),
        }
        Ok(())
    }

    /// The multiplications of signal processing, and the long ones.
    fn multiply_signal(&mut self, kind: Multiply, d: u8, x: u32, y: u32, a: u8) {
        let signed = |word: u32| i64::from(word as i32);
        let half = alu::half;
        let products =
            |exchange: bool| (half(x, false) * half(y, exchange), half(x, true) * half(y, !exchange));
        let differences = || {
            let bytes = x.to_le_bytes().into_iter().zip(y.to_le_bytes());
            bytes.map(|(x, y)| u32::from(x.abs_diff(y))).sum::<u32>()
        };
        let added = if a == PC { 0 } else { self.read(a) };
        // The long ones accumulate in two registers, `d` the upper one.
        let long = u64::from(self.read(d)) << 32 | u64::from(added);
        let wide = match kind {
            Multiply::Smull => Some((signed(x) * signed(y)) as u64),
            Multiply::Umull => Some(u64::from(x) * u64::from(y)),
            Multiply::Smlal => Some(long.wrapping_add((signed(x) * signed(y)) as u64)),
            Multiply::Umlal => Some(long.wrapping_add(u64::from(x) * u64::from(y))),
            Multiply::Umaal => Some(u64::from(x) * u64::from(y) + u64::from(added) + u64::from(self.read(d))),
            Multiply::SmlalHalf { top_n, top_m } => {
                Some(long.wrapping_add((half(x, top_n) * half(y, top_m)) as u64))
            }
            Multiply::Smlald { exchange } => {
                let (low, high) = products(exchange);
                Some(long.wrapping_add((low + high) as u64))
            }
            Multiply::Smlsld { exchange } => {
                let (low, high) = products(exchange);
                Some(long.wrapping_add((low - high) as u64))
            }
            _ => None,
        };
        if let Some(wide) = wide {
            self.write(a, wide as u32);
            self.write(d, (wide >> 32) as u32);
            return;
        }
        let upper = |exact: i64, round: bool| ((exact + i64::from(round) * 0x8000_0000) >> 32) as u32;
        let (exact, may_overflow) = match kind {
            Multiply::Smla { top_n, top_m } => (half(x, top_n) * half(y, top_m) + signed(added), true),
            Multiply::Smul { top_n, top_m } => (half(x, top_n) * half(y, top_m), false),
            Multiply::Smlaw { top } => (((signed(x) * half(y, top)) >> 16) + signed(added), true),
            Multiply::Smulw { top } => ((signed(x) * half(y, top)) >> 16, false),
            Multiply::Smlad { exchange } | Multiply::Smuad { exchange } => {
                let (low, high) = products(exchange);
                (low + high + signed(added), true)
            }
            Multiply::Smlsd { exchange } => {
                let (low, high) = products(exchange);
                (low - high + signed(added), true)
            }
            Multiply::Smusd { exchange } => {
                let (low, high) = products(exchange);
                (low - high, false)
            }
            Multiply::Smmla { round } => {
                (upper((signed(added) << 32).wrapping_add(signed(x) * signed(y)), round).into(), false)
            }
            Multiply::Smmul { round } => (upper(signed(x) * signed(y), round).into(), false),
            Multiply::Smmls { round } => {
                (upper((signed(added) << 32).wrapping_sub(signed(x) * signed(y)), round).into(), false)
            }
            Multiply::Usada8 => (i64::from(differences().wrapping_add(added)), false),
            _ => (i64::from(differences()), false),
        };
        self.flags.q |= may_overflow && i64::from(exact as i32) != exact;
        self.write(d, exact as u32);
    }
}
