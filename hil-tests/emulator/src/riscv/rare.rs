//! What execution leaves to the chip: device accesses, unaligned ones, stores to code, and the rare operations.

use super::block::Operation;
use super::op::{Code, Op};
use super::{Bus, Cause, Cpu, Trap, csr};

/// What became of an operation.
pub(super) enum Outcome {
    /// It is done; the one behind it is next.
    Done,
    /// It is done, and its block with it; this address is next.
    Ended(u32),
    /// It is done and has changed code, perhaps that of its block.
    Changed,
}

impl Cpu {
    /// Performs an operation of a block that began at the clock's base.
    #[inline(never)]
    pub(super) fn perform<B: Bus>(&mut self, bus: &mut B, at: Operation) -> Result<Outcome, Trap> {
        let op = at.op;
        let Some(size) = op.code.size() else { return self.system(bus, at) };
        let address = self.x[usize::from(op.a)].wrapping_add(op.imm);
        if op.is_load() {
            let value =
                load(bus, at, address, size).ok_or(Trap { cause: Cause::LoadFault, value: address })?;
            self.x[usize::from(op.rd)] = match op.code {
                Code::Lb => value as u8 as i8 as u32,
                Code::Lh => value as u16 as i16 as u32,
                _ => value,
            };
            return Ok(Outcome::Done);
        }
        let value = self.x[usize::from(op.b)];
        store(bus, at, address, (size, value)).ok_or(Trap { cause: Cause::StoreFault, value: address })?;
        if bus.memory().is_stale() && !bus.is_device(address) {
            bus.clock().attention = 0;
            return Ok(Outcome::Changed);
        }
        Ok(Outcome::Done)
    }

    /// The operations that end a block.
    fn system<B: Bus>(&mut self, bus: &mut B, at: Operation) -> Result<Outcome, Trap> {
        let op = at.op;
        let fail = |cause, value| Err(Trap { cause, value });
        match op.code {
            Code::FenceI => bus.clock().attention = 0,
            Code::Ecall => return fail(Cause::EnvironmentCall, 0),
            Code::Ebreak => return fail(Cause::Breakpoint, 0),
            Code::FetchFault => return fail(Cause::FetchFault, op.imm),
            Code::Mret => {
                bus.clock().attention = 0;
                return Ok(Outcome::Ended(self.csrs.leave()));
            }
            Code::Wfi => {
                self.waiting = true;
                bus.clock().attention = 0;
            }
            Code::Csr => {
                if self.csr(bus, at.index, op).is_none() {
                    return fail(Cause::Illegal, op.imm);
                }
            }
            _ => return fail(Cause::Illegal, op.imm),
        }
        Ok(Outcome::Ended(at.end))
    }

    fn csr<B: Bus>(&mut self, bus: &mut B, index: usize, op: Op) -> Option<()> {
        let number = (op.imm >> 20) as u16;
        let funct3 = op.imm >> 12 & 7;
        let source = if funct3 & 4 != 0 { u32::from(op.a) } else { self.x[usize::from(op.a)] };
        let mut counter = 0;
        if csr::is_counter(number) {
            counter = bus.clock().counter().wrapping_add(index as u32);
            self.looked = true;
        }
        let old = self.csrs.read(number, counter)?;
        let new = match funct3 & 3 {
            1 => Some(source),
            _ if op.a == 0 => None,
            2 => Some(old | source),
            _ => Some(old & !source),
        };
        if let Some(new) = new {
            self.csrs.write(number, new, bus.clock())?;
            bus.clock().attention = 0;
        }
        self.x[usize::from(op.rd)] = old;
        Some(())
    }
}

fn load<B: Bus>(bus: &mut B, at: Operation, address: u32, size: u32) -> Option<u32> {
    if bus.is_device(address) {
        return device(bus, at, |bus| bus.load(address, size));
    }
    match size {
        1 => bus.memory().load_slow(address).map(|[byte]| u32::from(byte)),
        2 => bus.memory().load_slow(address).map(|bytes| u32::from(u16::from_le_bytes(bytes))),
        _ => bus.memory().load_slow(address).map(u32::from_le_bytes),
    }
}

fn store<B: Bus>(bus: &mut B, at: Operation, address: u32, (size, value): (u32, u32)) -> Option<()> {
    if bus.is_device(address) {
        return device(bus, at, |bus| bus.store(address, size, value));
    }
    bus.memory().store_slow(address, &value.to_le_bytes()[..size as usize])
}

/// Accesses a device at the time of the operation that does it.
fn device<B: Bus, R>(bus: &mut B, at: Operation, access: impl FnOnce(&mut B) -> R) -> R {
    bus.at(at.place);
    let clock = bus.clock();
    clock.within = at.index as u64 * clock.per_cycle();
    let result = access(bus);
    bus.clock().within = 0;
    result
}
