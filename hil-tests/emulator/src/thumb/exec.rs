//! What each operation does. Source: ARM A7.7 (instructions), A2.3 (registers).

use super::alu;
use super::exception::Exception;
use super::op::{Address, Data, Extend, Field, Flags, Hint, Op, Operand, Reverse, Shift, Width};
use super::{Bus, Cpu, Fault};

pub(super) const PC: u8 = 15;
const LR: u8 = 14;
const SP: u8 = 13;

/// Cycles beyond the first of what takes longer, roughly as the Cortex-M4 TRM's table of instruction timings.
pub(super) mod cycles {
    pub const BRANCH: u32 = 2;
    pub const ACCESS: u32 = 1;
    pub const DIVIDE: u32 = 5;
    pub const FLOAT_DIVIDE: u32 = 13;
}

pub(super) type Done = Result<(), Fault>;

impl Cpu {
    /// Executes one decoded instruction; `pc` already points behind it.
    pub(super) fn execute<B: Bus>(&mut self, bus: &mut B, op: Op) -> Done {
        match op {
            Op::Data { op, flags, d, n, operand } => {
                self.data(op, flags, d, n, operand);
                Ok(())
            }
            Op::Branch { condition, offset } => {
                if self.holds(condition) {
                    self.jump(self.relative(offset));
                }
                Ok(())
            }
            Op::BranchLink { offset } => {
                let target = self.relative(offset);
                self.r[14] = self.pc | 1;
                self.jump(target);
                Ok(())
            }
            Op::BranchTo { m, link } => self.branch_to(bus, m, link),
            Op::CompareBranch { n, if_zero, offset } => {
                if (self.read(n) == 0) == if_zero {
                    self.jump(self.relative(offset));
                }
                Ok(())
            }
            Op::TableBranch { n, m, half_words } => self.table_branch(bus, n, m, half_words),
            Op::Load { t, width, address } => self.load_register(bus, t, width, address),
            Op::Store { t, width, address } => {
                let (at, back) = self.address(address);
                let value = self.read(t);
                self.store(bus, at, width.bytes.into(), value)?;
                self.write_back(back);
                Ok(())
            }
            Op::LoadMultiple { n, list, write_back, before } => {
                self.load_multiple(bus, n, list, write_back, before)
            }
            Op::StoreMultiple { n, list, write_back, before } => {
                self.store_multiple(bus, n, list, write_back, before)
            }
            Op::Adr { d, offset } => {
                let value = self.aligned_pc().wrapping_add_signed(offset);
                self.write(d, value);
                Ok(())
            }
            Op::Movt { d, half } => {
                let value = self.read(d) & 0xffff | u32::from(half) << 16;
                self.write(d, value);
                Ok(())
            }
            Op::Extend { kind, d, n, m, rotate } => {
                self.extend(kind, d, n, m, rotate);
                Ok(())
            }
            Op::Field { kind, d, n, low, width } => {
                self.field(kind, d, n, low, width);
                Ok(())
            }
            Op::Reverse { kind, d, m } => {
                let value = self.read(m);
                let value = match kind {
                    Reverse::Rev => value.swap_bytes(),
                    Reverse::Rev16 => value.swap_bytes().rotate_left(16),
                    Reverse::Revsh => (value as u16).swap_bytes() as i16 as u32,
                    Reverse::Rbit => value.reverse_bits(),
                    Reverse::Clz => value.leading_zeros(),
                };
                self.write(d, value);
                Ok(())
            }
            Op::Multiply { kind, flags, d, n, m, a } => self.multiply(kind, flags, d, n, m, a),
            Op::IfThen { state } => {
                self.it = state;
                Ok(())
            }
            Op::Hint(hint) => {
                self.hint(hint);
                Ok(())
            }
            Op::Barrier => Ok(()),
            other => self.execute_rare(bus, other),
        }
    }

    /// What programs seldom do: kept apart so that the common path stays small.
    fn execute_rare<B: Bus>(&mut self, bus: &mut B, op: Op) -> Done {
        match op {
            Op::LoadDual { t, t2, address } => {
                let (at, back) = self.address(address);
                let low = self.load_aligned(bus, at)?;
                let high = self.load_aligned(bus, at.wrapping_add(4))?;
                self.write_back(back);
                self.write(t, low);
                self.write(t2, high);
            }
            Op::StoreDual { t, t2, address } => {
                let (at, back) = self.address(address);
                self.store_aligned(bus, at, self.read(t))?;
                self.store_aligned(bus, at.wrapping_add(4), self.read(t2))?;
                self.write_back(back);
            }
            Op::LoadExclusive { t, n, offset, bytes } => {
                let at = self.read(n).wrapping_add(offset.into());
                let value = self.load_natural(bus, at, bytes.into())?;
                self.exclusive = Some(at);
                self.write(t, value);
            }
            Op::StoreExclusive { d, t, n, offset, bytes } => {
                let at = self.read(n).wrapping_add(offset.into());
                let owned = self.exclusive.take() == Some(at);
                if owned {
                    self.store_natural(bus, at, bytes.into(), self.read(t))?;
                }
                self.write(d, u32::from(!owned));
            }
            Op::ClearExclusive => self.exclusive = None,
            Op::Saturate { signed, d, n, bits, shift, amount } => {
                let (value, _) = alu::shift(self.read(n), shift, amount.into(), false);
                let (value, saturated) = alu::saturate(i64::from(value as i32), bits.into(), signed);
                self.flags.q |= saturated;
                self.write(d, value);
            }
            Op::Saturate16 { signed, d, n, bits } => {
                let value = self.read(n);
                let [low, high] =
                    [false, true].map(|top| alu::saturate(alu::half(value, top), bits.into(), signed));
                self.flags.q |= low.1 | high.1;
                self.write(d, high.0 << 16 | low.0 & 0xffff);
            }
            Op::Pack { top_bottom, d, n, m, amount } => {
                let kind = if top_bottom { Shift::Asr } else { Shift::Lsl };
                let (shifted, _) = alu::shift(self.read(m), kind, amount.into(), false);
                let n = self.read(n);
                let packed =
                    if top_bottom { n & !0xffff | shifted & 0xffff } else { shifted & !0xffff | n & 0xffff };
                self.write(d, packed);
            }
            Op::Parallel { lanes, overflow, signed, d, n, m } => {
                let (value, ge) = alu::parallel(self.read(n), self.read(m), lanes, overflow, signed);
                self.flags.ge = ge.unwrap_or(self.flags.ge);
                self.write(d, value);
            }
            Op::Saturating { kind, d, n, m } => self.saturating(kind, d, n, m),
            Op::Select { d, n, m } => {
                let mask = (0..4).filter(|lane| self.flags.ge >> lane & 1 != 0);
                let mask = mask.fold(0, |mask, lane| mask | 0xff << (8 * lane));
                let value = self.read(n) & mask | self.read(m) & !mask;
                self.write(d, value);
            }
            Op::ChangeState { disable, primask, faultmask } => {
                self.change_state(disable, primask, faultmask);
            }
            Op::ReadSpecial { d, special } => {
                let value = self.read_special(special);
                self.write(d, value);
            }
            Op::WriteSpecial { n, special, mask } => self.write_special(special, mask, self.read(n)),
            Op::SupervisorCall => return Err(Fault::Exception(Exception::SupervisorCall)),
            Op::Breakpoint => return Err(Fault::Breakpoint),
            Op::Undefined => return Err(Fault::Undefined),
            other => return self.execute_float(bus, other),
        }
        Ok(())
    }

    /// The register; the program counter is four bytes ahead of the instruction.
    pub(super) fn read(&self, n: u8) -> u32 {
        if n == PC { self.place.wrapping_add(4) } else { self.r[usize::from(n)] }
    }

    pub(super) fn write(&mut self, d: u8, value: u32) {
        match d {
            PC => self.jump(value),
            SP => self.r[13] = value & !3,
            _ => self.r[usize::from(d)] = value,
        }
    }

    fn jump(&mut self, target: u32) {
        self.pc = target & !1;
        self.spend(cycles::BRANCH);
    }

    fn relative(&self, offset: i32) -> u32 {
        self.read(PC).wrapping_add_signed(offset)
    }

    pub(super) fn aligned_pc(&self) -> u32 {
        self.read(PC) & !3
    }

    /// Goes to an address that says in its lowest bit that it is Thumb code; a magic one ends an exception handler.
    fn interwork<B: Bus>(&mut self, bus: &mut B, target: u32) -> Done {
        if self.is_handler() && target >> 28 == 0xf {
            return self.return_from_exception(bus, target);
        }
        self.thumb = target & 1 != 0;
        self.jump(target);
        Ok(())
    }

    fn branch_to<B: Bus>(&mut self, bus: &mut B, m: u8, link: bool) -> Done {
        let target = self.read(m);
        if link {
            self.r[usize::from(LR)] = self.pc | 1;
            self.thumb = target & 1 != 0;
            self.jump(target);
            return Ok(());
        }
        self.interwork(bus, target)
    }

    fn table_branch<B: Bus>(&mut self, bus: &mut B, n: u8, m: u8, half_words: bool) -> Done {
        let (base, index) = (self.read(n), self.read(m));
        let entry = if half_words {
            self.load(bus, base.wrapping_add(index << 1), 2)?
        } else {
            self.load(bus, base.wrapping_add(index), 1)?
        };
        self.jump(self.read(PC).wrapping_add(2 * entry));
        Ok(())
    }

    fn operand(&self, operand: Operand) -> (u32, bool) {
        let carry = self.flags.c;
        match operand {
            Operand::Constant(value, made) => (value, made.unwrap_or(carry)),
            Operand::Shifted(m, kind, amount) => alu::shift(self.read(m), kind, amount.into(), carry),
            Operand::ByRegister(m, kind, by) => alu::shift(self.read(m), kind, self.read(by) & 0xff, carry),
        }
    }

    fn data(&mut self, op: Data, flags: Flags, d: u8, n: u8, operand: Operand) {
        let (b, shifted) = self.operand(operand);
        let (a, carry_in) = (self.read(n), self.flags.c);
        let (mut carry, mut overflow) = (shifted, self.flags.v);
        let mut sum = |a, b, c| {
            let result;
            (result, carry, overflow) = alu::add(a, b, c);
            result
        };
        let value = match op {
            Data::And | Data::Tst => a & b,
            Data::Bic => a & !b,
            Data::Orr => a | b,
            Data::Orn => a | !b,
            Data::Eor | Data::Teq => a ^ b,
            Data::Mov => b,
            Data::Mvn => !b,
            Data::Add | Data::Cmn => sum(a, b, false),
            Data::Adc => sum(a, b, carry_in),
            Data::Sbc => sum(a, !b, carry_in),
            Data::Sub | Data::Cmp => sum(a, !b, true),
            Data::Rsb => sum(!a, b, true),
        };
        if self.sets(flags) {
            self.flags.n = value >> 31 != 0;
            self.flags.z = value == 0;
            self.flags.c = carry;
            self.flags.v = overflow;
        }
        if !matches!(op, Data::Tst | Data::Teq | Data::Cmn | Data::Cmp) {
            self.write(d, value);
        }
    }

    pub(super) fn sets(&self, flags: Flags) -> bool {
        match flags {
            Flags::Keep => false,
            Flags::Set => true,
            Flags::OutsideIt => !self.in_it,
        }
    }

    /// The address that is accessed, and what a base register becomes.
    fn address(&self, address: Address) -> (u32, Option<(u8, u32)>) {
        match address {
            Address::Offset(n, offset) => (self.read(n).wrapping_add_signed(offset), None),
            Address::PreIndexed(n, offset) => {
                let at = self.read(n).wrapping_add_signed(offset);
                (at, Some((n, at)))
            }
            Address::PostIndexed(n, offset) => {
                let base = self.read(n);
                (base, Some((n, base.wrapping_add_signed(offset))))
            }
            Address::Register(n, m, shift) => (self.read(n).wrapping_add(self.read(m) << shift), None),
            Address::Literal(offset) => (self.aligned_pc().wrapping_add_signed(offset), None),
        }
    }

    pub(super) fn write_back(&mut self, back: Option<(u8, u32)>) {
        if let Some((n, value)) = back {
            self.write(n, value);
        }
    }

    fn load_register<B: Bus>(&mut self, bus: &mut B, t: u8, width: Width, address: Address) -> Done {
        let (at, back) = self.address(address);
        let raw = self.load(bus, at, width.bytes.into())?;
        let value = match (width.bytes, width.signed) {
            (1, true) => raw as u8 as i8 as u32,
            (2, true) => raw as u16 as i16 as u32,
            _ => raw,
        };
        self.spend(cycles::ACCESS);
        self.write_back(back);
        if t == PC {
            return self.interwork(bus, value);
        }
        self.write(t, value);
        Ok(())
    }

    fn load_multiple<B: Bus>(
        &mut self,
        bus: &mut B,
        n: u8,
        list: u16,
        write_back: bool,
        before: bool,
    ) -> Done {
        let bytes = 4 * list.count_ones();
        let base = self.read(n);
        let mut at = if before { base.wrapping_sub(bytes) } else { base };
        let end = if before { at } else { base.wrapping_add(bytes) };
        let mut values = [0; 16];
        for (_, value) in values.iter_mut().enumerate().filter(|(t, _)| list >> t & 1 != 0) {
            *value = self.load_aligned(bus, at)?;
            at = at.wrapping_add(4);
        }
        self.spend(list.count_ones());
        // A base that is loaded is not written back.
        if write_back && list >> n & 1 == 0 {
            self.write(n, end);
        }
        for t in (0..15).filter(|t| list >> t & 1 != 0) {
            self.write(t, values[usize::from(t)]);
        }
        if list >> PC & 1 != 0 { self.interwork(bus, values[15]) } else { Ok(()) }
    }

    fn store_multiple<B: Bus>(
        &mut self,
        bus: &mut B,
        n: u8,
        list: u16,
        write_back: bool,
        before: bool,
    ) -> Done {
        let bytes = 4 * list.count_ones();
        let base = self.read(n);
        let mut at = if before { base.wrapping_sub(bytes) } else { base };
        let end = if before { at } else { base.wrapping_add(bytes) };
        for t in (0..15).filter(|t| list >> t & 1 != 0) {
            self.store_aligned(bus, at, self.read(t))?;
            at = at.wrapping_add(4);
        }
        self.spend(list.count_ones());
        self.write_back(write_back.then_some((n, end)));
        Ok(())
    }

    fn extend(&mut self, kind: Extend, d: u8, n: u8, m: u8, rotate: u8) {
        let rotated = self.read(m).rotate_right(rotate.into());
        let base = if n == PC { 0 } else { self.read(n) };
        let halves = |low: u16, high: u16| {
            let sum = |base: u32, part: u16| u32::from((base as u16).wrapping_add(part));
            sum(base >> 16, high) << 16 | sum(base, low)
        };
        let value = match kind {
            Extend::Sxtb => base.wrapping_add(rotated as u8 as i8 as u32),
            Extend::Uxtb => base.wrapping_add(rotated & 0xff),
            Extend::Sxth => base.wrapping_add(rotated as u16 as i16 as u32),
            Extend::Uxth => base.wrapping_add(rotated & 0xffff),
            Extend::Sxtb16 => halves(rotated as u8 as i8 as u16, (rotated >> 16) as u8 as i8 as u16),
            Extend::Uxtb16 => halves(rotated as u8 as u16, (rotated >> 16) as u8 as u16),
        };
        self.write(d, value);
    }

    fn field(&mut self, kind: Field, d: u8, n: u8, low: u8, width: u8) {
        let mask = u32::MAX >> (32 - width);
        let value = match kind {
            // A field that reaches beyond the register is unpredictable; here it is what is left of it.
            Field::Ubfx => self.read(n) >> low & mask,
            Field::Sbfx => {
                let top = 32 - width;
                ((self.read(n) >> low << top) as i32 >> top) as u32
            }
            Field::Bfi => self.read(d) & !(mask << low) | (self.read(n) & mask) << low,
            Field::Bfc => self.read(d) & !(mask << low),
        };
        self.write(d, value);
    }

    fn hint(&mut self, hint: Hint) {
        match hint {
            Hint::Nop => {}
            Hint::Wfi => self.sleep(),
            Hint::Wfe if self.event => self.event = false,
            Hint::Wfe => self.sleep(),
            Hint::Sev => self.event = true,
        }
    }
}
