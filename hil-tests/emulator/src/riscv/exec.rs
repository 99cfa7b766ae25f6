//! Executes one decoded block.
//!
//! Memory is reached through the page tables inline; whatever they do not answer goes through the cold functions below,
//! which give the device the time of the instruction.

use super::block::{Blocks, ROOM, Slot};
use super::op::{Code, Op};
use super::{Bus, Cause, Cpu, Trap};

/// How far a block was executed, and where to go on.
pub(super) struct Done {
    pub next: u32,
    pub cycles: u32,
    pub len: u32,
}

/// Why a block ended before its end.
pub(super) enum Leave {
    /// An exception.
    Trap(Trap),
    /// Operation `index` is one of the rare ones, see [`Cpu::system`].
    System(usize),
    /// Operation `index` changed code, perhaps that of this block.
    Changed(usize),
}

/// The register file: x0 to x31, the sink, and as many unused ones as an index of eight bits can name, so that no access
/// needs a check.
pub(super) type File = [u32; 256];

/// Executes a block: to its end, or to the first forward branch in it that is taken.
#[inline(always)]
pub(super) fn execute<B: Bus>(
    x: &mut File,
    blocks: &Blocks,
    slot: &Slot,
    bus: &mut B,
) -> Result<Done, Leave> {
    let ops = blocks.ops(slot);
    let whole = |next| Ok(Done { next, cycles: u32::from(slot.cycles), len: u32::from(slot.len) });
    let mut index = 0;
    loop {
        let op = &ops[index];
        // Position of the next operation; the mask tells the compiler that no check is needed.
        index = (index + 1) % ROOM;
        macro_rules! a {
            () => {
                x[usize::from(op.a)]
            };
        }
        macro_rules! b {
            () => {
                x[usize::from(op.b)]
            };
        }
        macro_rules! set {
            ($value:expr) => {
                x[usize::from(op.rd)] = $value
            };
        }
        macro_rules! branch {
            ($taken:expr) => {
                if $taken {
                    // A branch writes no register: `rd` holds the cycles up to and including it.
                    let len = index as u32;
                    return Ok(Done { next: op.imm, cycles: u32::from(op.rd), len });
                }
            };
        }
        macro_rules! load {
            ($fast:ident, $size:literal, $extend:expr) => {{
                let address = a!().wrapping_add(op.imm);
                let value = match bus.memory().$fast(address) {
                    Some(value) => u32::from(value),
                    None => slow_load::<B, $size>(bus, blocks, slot, index - 1, address)?,
                };
                set!($extend(value));
            }};
        }
        macro_rules! store {
            ($fast:ident, $type:ty, $size:literal) => {{
                let (address, value) = (a!().wrapping_add(op.imm), b!());
                if bus.memory().$fast(address, value as $type).is_none() {
                    slow_store::<B, $size>(bus, blocks, slot, (index - 1, address, value))?;
                }
            }};
        }
        match op.code {
            Code::Li => set!(op.imm),
            Code::Addi => set!(a!().wrapping_add(op.imm)),
            Code::Slti => set!(u32::from((a!() as i32) < op.imm as i32)),
            Code::Sltiu => set!(u32::from(a!() < op.imm)),
            Code::Xori => set!(a!() ^ op.imm),
            Code::Ori => set!(a!() | op.imm),
            Code::Andi => set!(a!() & op.imm),
            Code::Slli => set!(a!() << (op.imm & 31)),
            Code::Srli => set!(a!() >> (op.imm & 31)),
            Code::Srai => set!(((a!() as i32) >> (op.imm & 31)) as u32),
            Code::Add => set!(a!().wrapping_add(b!())),
            Code::Sub => set!(a!().wrapping_sub(b!())),
            Code::Sll => set!(a!() << (b!() & 31)),
            Code::Slt => set!(u32::from((a!() as i32) < b!() as i32)),
            Code::Sltu => set!(u32::from(a!() < b!())),
            Code::Xor => set!(a!() ^ b!()),
            Code::Srl => set!(a!() >> (b!() & 31)),
            Code::Sra => set!(((a!() as i32) >> (b!() & 31)) as u32),
            Code::Or => set!(a!() | b!()),
            Code::And => set!(a!() & b!()),
            Code::Mul => set!(a!().wrapping_mul(b!())),
            Code::Mulh => set!(((i64::from(a!() as i32) * i64::from(b!() as i32)) >> 32) as u32),
            Code::Mulhsu => set!(((i64::from(a!() as i32) * i64::from(b!())) >> 32) as u32),
            Code::Mulhu => set!(((u64::from(a!()) * u64::from(b!())) >> 32) as u32),
            Code::Div => set!(divide(a!() as i32, b!() as i32) as u32),
            Code::Divu => set!(a!().checked_div(b!()).unwrap_or(u32::MAX)),
            Code::Rem => set!(remainder(a!() as i32, b!() as i32) as u32),
            Code::Remu => set!(a!().checked_rem(b!()).unwrap_or(a!())),
            Code::Lb => load!(load8, 1, |v: u32| v as u8 as i8 as u32),
            Code::Lh => load!(load16, 2, |v: u32| v as u16 as i16 as u32),
            Code::Lw => load!(load32, 4, |v: u32| v),
            Code::Lbu => load!(load8, 1, |v: u32| v),
            Code::Lhu => load!(load16, 2, |v: u32| v),
            Code::Sb => store!(store8, u8, 1),
            Code::Sh => store!(store16, u16, 2),
            Code::Sw => store!(store32, u32, 4),
            Code::Nop => {}
            Code::Cycles => {
                let clock = bus.clock();
                set!(clock.counter().wrapping_add(index as u32 - 1));
            }
            Code::Beq => branch!(a!() == b!()),
            Code::Bne => branch!(a!() != b!()),
            Code::Blt => branch!((a!() as i32) < b!() as i32),
            Code::Bge => branch!((a!() as i32) >= b!() as i32),
            Code::Bltu => branch!(a!() < b!()),
            Code::Bgeu => branch!(a!() >= b!()),
            Code::Jal => {
                set!(slot.end);
                return whole(op.imm);
            }
            Code::Jalr => {
                let next = a!().wrapping_add(op.imm) & !1;
                set!(slot.end);
                return whole(next);
            }
            Code::End => return whole(slot.end),
            // Named one by one, so that the compiler needs no range check in front of its jump table.
            Code::FenceI
            | Code::Ecall
            | Code::Ebreak
            | Code::Mret
            | Code::Wfi
            | Code::Csr
            | Code::Illegal
            | Code::FetchFault => return Err(Leave::System(index - 1)),
        }
    }
}

/// Signed division as RISC-V defines it for zero and overflow.
fn divide(a: i32, b: i32) -> i32 {
    if b == 0 { -1 } else { a.wrapping_div(b) }
}

/// Signed remainder as RISC-V defines it for zero and overflow.
fn remainder(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { a.wrapping_rem(b) }
}

impl From<Trap> for Leave {
    fn from(trap: Trap) -> Self {
        Self::Trap(trap)
    }
}

impl Cpu {
    /// The rare operations, all of which end a block.
    #[cold]
    #[inline(never)]
    pub(super) fn system<B: Bus>(&mut self, bus: &mut B, slot: Slot, index: usize) -> Result<u32, Trap> {
        let op = self.blocks.ops(&slot)[index];
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
        let source = if funct3 & 4 != 0 { u32::from(op.a) } else { self.x[usize::from(op.a)] };
        let clock = bus.clock();
        clock.within = index as u64 * clock.per_cycle();
        let counter = clock.counter();
        clock.within = 0;
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

#[cold]
#[inline(never)]
fn slow_load<B: Bus, const SIZE: u32>(
    bus: &mut B,
    blocks: &Blocks,
    slot: &Slot,
    index: usize,
    address: u32,
) -> Result<u32, Trap> {
    let fault = Trap { index, cause: Cause::LoadFault, value: address };
    if bus.is_device(address) {
        return device(bus, blocks.place(slot, index), index, |bus| bus.load(address, SIZE)).ok_or(fault);
    }
    let value = match SIZE {
        1 => bus.memory().load_slow(address).map(|[byte]| u32::from(byte)),
        2 => bus.memory().load_slow(address).map(|bytes| u32::from(u16::from_le_bytes(bytes))),
        _ => bus.memory().load_slow(address).map(u32::from_le_bytes),
    };
    value.ok_or(fault)
}

#[cold]
#[inline(never)]
fn slow_store<B: Bus, const SIZE: u32>(
    bus: &mut B,
    blocks: &Blocks,
    slot: &Slot,
    (index, address, value): (usize, u32, u32),
) -> Result<(), Leave> {
    let fault = Leave::Trap(Trap { index, cause: Cause::StoreFault, value: address });
    if bus.is_device(address) {
        return device(bus, blocks.place(slot, index), index, |bus| bus.store(address, SIZE, value))
            .ok_or(fault);
    }
    bus.memory().store_slow(address, &value.to_le_bytes()[..SIZE as usize]).ok_or(fault)?;
    if bus.memory().is_stale() {
        bus.clock().attention = 0;
        return Err(Leave::Changed(index));
    }
    Ok(())
}

/// Accesses a device at the time of operation `index`, whose address is `pc`.
#[inline(always)]
fn device<B: Bus, R>(bus: &mut B, pc: u32, index: usize, access: impl FnOnce(&mut B) -> R) -> R {
    let clock = bus.clock();
    clock.within = index as u64 * clock.per_cycle();
    bus.at(pc);
    let result = access(bus);
    bus.clock().within = 0;
    result
}
