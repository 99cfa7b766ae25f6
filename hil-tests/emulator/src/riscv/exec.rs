//! Executes one decoded block.
//!
//! Memory is reached through the page tables inline; whatever they do not answer goes through the cold functions below,
//! which give the device the time of the instruction.

use super::block::Slot;
use super::op::{Code, Op};
use super::{Bus, Cause, Cpu, Trap};

impl Cpu {
    /// Executes a block; gives the address of the next one.
    #[inline(always)]
    pub(super) fn execute<B: Bus>(&mut self, bus: &mut B, slot: Slot) -> Result<u32, Trap> {
        let Self { x, blocks, .. } = self;
        let mut next = slot.end;
        for (index, op) in blocks.ops(slot).iter().enumerate() {
            let a = x[usize::from(op.a) & 63];
            let b = x[usize::from(op.b) & 63];
            let rd = usize::from(op.rd) & 63;
            let address = a.wrapping_add(op.imm);
            macro_rules! branch {
                ($taken:expr) => {
                    if $taken {
                        next = op.imm;
                    }
                };
            }
            macro_rules! load {
                ($fast:ident, $size:literal, $extend:expr) => {{
                    let value = match bus.memory().$fast(address) {
                        Some(value) => u32::from(value),
                        None => slow_load(bus, slot, index, address, $size)?,
                    };
                    x[rd] = $extend(value);
                }};
            }
            macro_rules! store {
                ($fast:ident, $value:expr, $size:literal) => {
                    if bus.memory().$fast(address, $value).is_none() {
                        slow_store(bus, slot, index, address, $size, b)?;
                    }
                };
            }
            match op.code {
                Code::Li => x[rd] = op.imm,
                Code::Addi => x[rd] = address,
                Code::Slti => x[rd] = u32::from((a as i32) < op.imm as i32),
                Code::Sltiu => x[rd] = u32::from(a < op.imm),
                Code::Xori => x[rd] = a ^ op.imm,
                Code::Ori => x[rd] = a | op.imm,
                Code::Andi => x[rd] = a & op.imm,
                Code::Slli => x[rd] = a << (op.imm & 31),
                Code::Srli => x[rd] = a >> (op.imm & 31),
                Code::Srai => x[rd] = ((a as i32) >> (op.imm & 31)) as u32,
                Code::Add => x[rd] = a.wrapping_add(b),
                Code::Sub => x[rd] = a.wrapping_sub(b),
                Code::Sll => x[rd] = a << (b & 31),
                Code::Slt => x[rd] = u32::from((a as i32) < b as i32),
                Code::Sltu => x[rd] = u32::from(a < b),
                Code::Xor => x[rd] = a ^ b,
                Code::Srl => x[rd] = a >> (b & 31),
                Code::Sra => x[rd] = ((a as i32) >> (b & 31)) as u32,
                Code::Or => x[rd] = a | b,
                Code::And => x[rd] = a & b,
                Code::Mul => x[rd] = a.wrapping_mul(b),
                Code::Mulh => x[rd] = ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32,
                Code::Mulhsu => x[rd] = ((i64::from(a as i32) * i64::from(b)) >> 32) as u32,
                Code::Mulhu => x[rd] = ((u64::from(a) * u64::from(b)) >> 32) as u32,
                Code::Div => x[rd] = if b == 0 { u32::MAX } else { (a as i32).wrapping_div(b as i32) as u32 },
                Code::Divu => x[rd] = a.checked_div(b).unwrap_or(u32::MAX),
                Code::Rem => x[rd] = if b == 0 { a } else { (a as i32).wrapping_rem(b as i32) as u32 },
                Code::Remu => x[rd] = a.checked_rem(b).unwrap_or(a),
                Code::Lb => load!(load8, 1, |v: u32| v as u8 as i8 as u32),
                Code::Lh => load!(load16, 2, |v: u32| v as u16 as i16 as u32),
                Code::Lw => load!(load32, 4, |v: u32| v),
                Code::Lbu => load!(load8, 1, |v: u32| v),
                Code::Lhu => load!(load16, 2, |v: u32| v),
                Code::Sb => store!(store8, b as u8, 1),
                Code::Sh => store!(store16, b as u16, 2),
                Code::Sw => store!(store32, b, 4),
                Code::Nop => {}
                Code::Beq => branch!(a == b),
                Code::Bne => branch!(a != b),
                Code::Blt => branch!((a as i32) < b as i32),
                Code::Bge => branch!((a as i32) >= b as i32),
                Code::Bltu => branch!(a < b),
                Code::Bgeu => branch!(a >= b),
                Code::Jal => {
                    x[rd] = slot.end;
                    next = op.imm;
                }
                Code::Jalr => {
                    x[rd] = slot.end;
                    next = address & !1;
                }
                _ => return self.system(bus, slot, index),
            }
        }
        Ok(next)
    }

    /// The rare operations, all of which end a block.
    #[cold]
    #[inline(never)]
    fn system<B: Bus>(&mut self, bus: &mut B, slot: Slot, index: usize) -> Result<u32, Trap> {
        let op = self.blocks.ops(slot)[index];
        let fail = |cause, value| Err(Trap { index, cause, value });
        match op.code {
            Code::FenceI => bus.clock().attention = 0,
            Code::Ecall => return fail(Cause::EnvironmentCall, 0),
            Code::Ebreak => return fail(Cause::Breakpoint, 0),
            Code::FetchFault => return fail(Cause::FetchFault, op.imm),
            Code::Mret => {
                bus.clock().attention = 0;
                return Ok(self.csrs.leave());
            }
            Code::Wfi => {
                self.waiting = true;
                bus.wait_for_interrupt();
                bus.clock().attention = 0;
            }
            Code::Csr => {
                if self.csr(bus, index, op).is_none() {
                    return fail(Cause::Illegal, op.imm);
                }
            }
            _ => return fail(Cause::Illegal, op.imm),
        }
        Ok(slot.end)
    }

    fn csr<B: Bus>(&mut self, bus: &mut B, index: usize, op: Op) -> Option<()> {
        let number = (op.imm >> 20) as u16;
        let funct3 = op.imm >> 12 & 7;
        let source = if funct3 & 4 != 0 { u32::from(op.a) } else { self.x[usize::from(op.a) & 63] };
        let clock = bus.clock();
        clock.within = index as u64 * clock.per_cycle();
        let cycles = clock.cycles();
        clock.within = 0;
        let old = self.csrs.read(number, cycles)?;
        let new = match funct3 & 3 {
            1 => Some(source),
            _ if op.a == 0 => None,
            2 => Some(old | source),
            _ => Some(old & !source),
        };
        if let Some(new) = new {
            self.csrs.write(number, new, cycles)?;
            bus.clock().attention = 0;
        }
        self.x[usize::from(op.rd) & 63] = old;
        Some(())
    }
}

#[cold]
#[inline(never)]
fn slow_load<B: Bus>(bus: &mut B, slot: Slot, index: usize, address: u32, size: u32) -> Result<u32, Trap> {
    let value = match size {
        1 => bus.memory().load_slow(address).map(|[byte]| u32::from(byte)),
        2 => bus.memory().load_slow(address).map(|bytes| u32::from(u16::from_le_bytes(bytes))),
        _ => bus.memory().load_slow(address).map(u32::from_le_bytes),
    };
    if let Some(value) = value {
        return Ok(value);
    }
    device(bus, slot, index, |bus| bus.load(address, size)).ok_or(Trap {
        index,
        cause: Cause::LoadFault,
        value: address,
    })
}

#[cold]
#[inline(never)]
fn slow_store<B: Bus>(
    bus: &mut B,
    slot: Slot,
    index: usize,
    address: u32,
    size: u32,
    value: u32,
) -> Result<(), Trap> {
    if bus.memory().store_slow(address, &value.to_le_bytes()[..size as usize]).is_some() {
        if bus.memory().is_stale() {
            bus.clock().attention = 0;
        }
        return Ok(());
    }
    device(bus, slot, index, |bus| bus.store(address, size, value)).ok_or(Trap {
        index,
        cause: Cause::StoreFault,
        value: address,
    })
}

/// Accesses a device at the time of operation `index`.
fn device<B: Bus, R>(bus: &mut B, slot: Slot, index: usize, access: impl FnOnce(&mut B) -> R) -> R {
    let clock = bus.clock();
    clock.within = index as u64 * clock.per_cycle();
    bus.at(slot.pc, index);
    let result = access(bus);
    bus.clock().within = 0;
    result
}
