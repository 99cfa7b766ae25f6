//! Executes decoded blocks, one after the other, until the chip is needed.
//!
//! Memory is reached through the page tables inline, registers that are plain storage by one call. Whatever those do not
//! answer, and every rare operation, stops the execution: [`super::rare`] does it, and execution goes on behind it.

use super::block::{Blocks, HOT, Idle, NO_LIST, slot_of};
use super::op::{Code, sequences};
use crate::memory::Memory;
use crate::registers::Registers;
use crate::time::{Clock, Ticks};

/// Where execution is, and what it has cost.
#[derive(Default)]
pub(super) struct Cursor {
    /// The block.
    pub pc: u32,
    /// The operation in it to go on with.
    pub index: usize,
    /// The block is in another turn of a loop onto itself; how that is left says nothing about its branches.
    pub looped: bool,
    /// CPU cycles until something needs attention, whole blocks counted.
    pub left: i64,
    /// When that is.
    pub attention: Ticks,
    /// What was left when the cycle counter was `counter`.
    budget: i64,
    counter: u32,
    /// Instructions executed, whole blocks counted.
    pub instructions: u64,
    /// The program read its cycle counter.
    pub looked: bool,
}

impl Cursor {
    /// At the beginning of the block at `pc`.
    pub fn new(pc: u32, clock: &Clock) -> Self {
        let mut this = Self { pc, ..Self::default() };
        this.set_time(clock);
        this
    }

    /// Works out what is left when it was not execution that moved time, or attention is due earlier.
    pub fn set_time(&mut self, clock: &Clock) {
        self.attention = clock.attention;
        let left = clock.attention.saturating_sub(clock.base).div_ceil(clock.per_cycle());
        self.left = i64::try_from(left).unwrap_or(i64::MAX);
        self.budget = self.left;
        self.counter = clock.counter();
    }
}

/// Why execution stopped.
pub(super) enum Stop {
    /// No cycles are left.
    Attention,
    /// The block is not in its slot.
    Missing,
    /// Execution goes on with this operation of the block, from which on there is no list of steps yet.
    NoTail(usize),
    /// A loop that waits closed after a pass of `len` operations.
    Idle { cycles: u8, len: u8 },
    /// Operation `index` needs the chip.
    Rare(usize),
    /// The block is a loop of many turns.
    Loop,
    /// The block at `pc` is often left at operation `index`.
    Hot { pc: u32, index: usize },
}

/// The register file: x0 to x31, the sink, and as many unused ones as an index of eight bits can name, so that no access
/// needs a check.
pub(super) type File = [u32; 256];

/// Executes from `cursor` on.
#[inline(always)]
pub(super) fn run(
    x: &mut File,
    blocks: &mut Blocks,
    memory: &mut Memory,
    registers: &mut Registers,
    cursor: &mut Cursor,
) -> Stop {
    let mut view = memory.view();
    let (slots, pool, tails) = blocks.parts();
    let (mut pc, mut looped, mut left, mut instructions) = (cursor.pc, cursor.looped, cursor.left, 0);
    let mut resume = Some(cursor.index).filter(|&index| index != 0);
    let stop = 'blocks: loop {
        if left <= 0 && resume.is_none() {
            break Stop::Attention;
        }
        let slot = &mut slots[slot_of(pc)];
        if slot.pc != pc {
            break Stop::Missing;
        }
        let first = match resume.take() {
            None => slot.steps,
            Some(index) => match tails[slot.ops as usize + index] {
                NO_LIST => break Stop::NoTail(index),
                first => first,
            },
        };
        let mut steps = pool[first as usize..].iter();
        let (next, cycles, len) = 'step: loop {
            let Some(chunk) = steps.as_slice().first() else { unreachable!("an end closes every list") };
            let mut step = &chunk[0];
            macro_rules! a {
                ($n:literal) => {
                    x[usize::from(step.a[$n])]
                };
            }
            macro_rules! b {
                ($n:literal) => {
                    x[usize::from(step.b[$n])]
                };
            }
            macro_rules! set {
                ($n:literal, $value:expr) => {
                    x[usize::from(step.rd[$n])] = $value
                };
            }
            macro_rules! rare {
                ($n:literal) => {
                    break 'blocks Stop::Rare(usize::from(step.index) + $n)
                };
            }
            macro_rules! immediate {
                ($n:literal, $value:expr) => {{
                    let value: fn(u32, u32) -> u32 = $value;
                    set!($n, value(a!($n), step.imm[$n]))
                }};
            }
            macro_rules! binary {
                ($n:literal, $value:expr) => {{
                    let value: fn(u32, u32) -> u32 = $value;
                    set!($n, value(a!($n), b!($n)))
                }};
            }
            macro_rules! branch {
                ($n:literal, $taken:expr) => {{
                    let taken: fn(u32, u32) -> bool = $taken;
                    if taken(a!($n), b!($n)) {
                        // A branch writes no register: `rd` holds the cycles up to and including it.
                        break 'step (step.imm[$n], step.rd[$n], step.index + 1 + $n);
                    }
                }};
            }
            macro_rules! load {
                ($n:literal, $load:ident, $extend:expr) => {{
                    match view.$load(a!($n).wrapping_add(step.imm[$n])) {
                        Some(value) => set!($n, $extend(value)),
                        None => rare!($n),
                    }
                }};
            }
            macro_rules! store {
                ($n:literal, $store:ident, $type:ty) => {{
                    if view.$store(a!($n).wrapping_add(step.imm[$n]), b!($n) as $type).is_none() {
                        rare!($n);
                    }
                }};
            }
            macro_rules! perform {
                (Li, $n:literal) => {
                    set!($n, step.imm[$n])
                };
                (Addi, $n:literal) => {
                    immediate!($n, u32::wrapping_add)
                };
                (Slti, $n:literal) => {
                    immediate!($n, |a, b| u32::from((a as i32) < b as i32))
                };
                (Sltiu, $n:literal) => {
                    immediate!($n, |a, b| u32::from(a < b))
                };
                (Xori, $n:literal) => {
                    immediate!($n, |a, b| a ^ b)
                };
                (Ori, $n:literal) => {
                    immediate!($n, |a, b| a | b)
                };
                (Andi, $n:literal) => {
                    immediate!($n, |a, b| a & b)
                };
                (Slli, $n:literal) => {
                    immediate!($n, |a, b| a << (b & 31))
                };
                (Srli, $n:literal) => {
                    immediate!($n, |a, b| a >> (b & 31))
                };
                (Srai, $n:literal) => {
                    immediate!($n, |a, b| ((a as i32) >> (b & 31)) as u32)
                };
                (Add, $n:literal) => {
                    binary!($n, u32::wrapping_add)
                };
                (Xor, $n:literal) => {
                    binary!($n, |a, b| a ^ b)
                };
                (Lw, $n:literal) => {{
                    let address = a!($n).wrapping_add(step.imm[$n]);
                    if let Some(value) = view.load32(address) {
                        set!($n, value);
                    } else if let Some(value) = registers.load_plain(address) {
                        set!($n, value);
                    } else {
                        rare!($n);
                    }
                }};
                (Lbu, $n:literal) => {
                    load!($n, load8, u32::from)
                };
                (Sb, $n:literal) => {
                    store!($n, store8, u8)
                };
                (Sw, $n:literal) => {{
                    let (address, value) = (a!($n).wrapping_add(step.imm[$n]), b!($n));
                    if view.store32(address, value).is_none()
                        && registers.store_plain(address, value).is_none()
                    {
                        rare!($n);
                    }
                }};
                (Beq, $n:literal) => {
                    branch!($n, |a, b| a == b)
                };
                (Bne, $n:literal) => {
                    branch!($n, |a, b| a != b)
                };
                (Blt, $n:literal) => {
                    branch!($n, |a, b| (a as i32) < b as i32)
                };
                (Bge, $n:literal) => {
                    branch!($n, |a, b| a as i32 >= b as i32)
                };
                (Bltu, $n:literal) => {
                    branch!($n, |a, b| a < b)
                };
                (Bgeu, $n:literal) => {
                    branch!($n, |a, b| a >= b)
                };
                (Beqz, $n:literal) => {
                    branch!($n, |a, _| a == 0)
                };
                (Bnez, $n:literal) => {
                    branch!($n, |a, _| a != 0)
                };
                (Mv, $n:literal) => {
                    set!($n, a!($n))
                };
                (Sub, $n:literal) => {
                    binary!($n, u32::wrapping_sub)
                };
                (And, $n:literal) => {
                    binary!($n, |a, b| a & b)
                };
                (Sltu, $n:literal) => {
                    binary!($n, |a, b| u32::from(a < b))
                };
                (Or, $n:literal) => {
                    binary!($n, |a, b| a | b)
                };
                (Mul, $n:literal) => {
                    binary!($n, u32::wrapping_mul)
                };
                (Mulhu, $n:literal) => {
                    binary!($n, |a, b| ((u64::from(a) * u64::from(b)) >> 32) as u32)
                };
                (Lb, $n:literal) => {
                    load!($n, load8, |v: u8| v as i8 as u32)
                };
                (Lhu, $n:literal) => {
                    load!($n, load16, u32::from)
                };
                (Nop, $n:literal) => {{}};
                (Jalr, $n:literal) => {{
                    let next = a!($n).wrapping_add(step.imm[$n]) & !1;
                    set!($n, slot.end);
                    break 'step (next, slot.cycles, slot.len);
                }};
            }
            macro_rules! dispatch {
                ($($name:ident = $first:ident + $second:ident $(+ $third:ident $(+ $fourth:ident)?)?,)*) => {
                    match step.code {
                        Code::Li => perform!(Li, 0),
                        Code::Addi => perform!(Addi, 0),
                        Code::Slti => perform!(Slti, 0),
                        Code::Sltiu => perform!(Sltiu, 0),
                        Code::Xori => perform!(Xori, 0),
                        Code::Ori => perform!(Ori, 0),
                        Code::Andi => perform!(Andi, 0),
                        Code::Slli => perform!(Slli, 0),
                        Code::Srli => perform!(Srli, 0),
                        Code::Srai => perform!(Srai, 0),
                        Code::Add => perform!(Add, 0),
                        Code::Sub => perform!(Sub, 0),
                        Code::Sll => binary!(0, |a, b| a << (b & 31)),
                        Code::Slt => binary!(0, |a, b| u32::from((a as i32) < b as i32)),
                        Code::Sltu => perform!(Sltu, 0),
                        Code::Xor => perform!(Xor, 0),
                        Code::Srl => binary!(0, |a, b| a >> (b & 31)),
                        Code::Sra => binary!(0, |a, b| ((a as i32) >> (b & 31)) as u32),
                        Code::Or => perform!(Or, 0),
                        Code::And => perform!(And, 0),
                        Code::Mul => perform!(Mul, 0),
                        Code::Mulh => {
                            binary!(0, |a, b| ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32);
                        }
                        Code::Mulhsu => binary!(0, |a, b| ((i64::from(a as i32) * i64::from(b)) >> 32) as u32),
                        Code::Mulhu => perform!(Mulhu, 0),
                        Code::Div => binary!(0, divide),
                        Code::Divu => binary!(0, |a, b| a.checked_div(b).unwrap_or(u32::MAX)),
                        Code::Rem => binary!(0, remainder),
                        Code::Remu => binary!(0, |a, b| a.checked_rem(b).unwrap_or(a)),
                        Code::Lb => perform!(Lb, 0),
                        Code::Lh => load!(0, load16, |v: u16| v as i16 as u32),
                        Code::Lw => perform!(Lw, 0),
                        Code::Lbu => perform!(Lbu, 0),
                        Code::Lhu => perform!(Lhu, 0),
                        Code::Sb => perform!(Sb, 0),
                        Code::Sh => store!(0, store16, u16),
                        Code::Sw => perform!(Sw, 0),
                        Code::Nop => perform!(Nop, 0),
                        Code::Cycles => {
                            cursor.looked = true;
                            // Hidden from the compiler, which would work it out for every pass.
                            let left = std::hint::black_box(left);
                            let passed = (cursor.budget - left) as u32 + u32::from(step.index);
                            set!(0, cursor.counter.wrapping_add(passed));
                        }
                        Code::Beq => perform!(Beq, 0),
                        Code::Bne => perform!(Bne, 0),
                        Code::Blt => perform!(Blt, 0),
                        Code::Bge => perform!(Bge, 0),
                        Code::Bltu => perform!(Bltu, 0),
                        Code::Bgeu => perform!(Bgeu, 0),
                        Code::Beqz => perform!(Beqz, 0),
                        Code::Bnez => perform!(Bnez, 0),
                        Code::Mv => perform!(Mv, 0),
                        Code::Jal => {
                            set!(0, slot.end);
                            break 'step (step.imm[0], slot.cycles, slot.len);
                        }
                        Code::Jalr => perform!(Jalr, 0),
                        Code::End => break 'step (slot.end, slot.cycles, slot.len),
                        // Named one by one, so that the compiler needs no range check in front of its jump table.
                        Code::FenceI
                        | Code::Ecall
                        | Code::Ebreak
                        | Code::Mret
                        | Code::Wfi
                        | Code::Csr
                        | Code::Illegal
                        | Code::FetchFault => rare!(0),
                        $(Code::$name => {
                            perform!($first, 0);
                            perform!($second, 1);
                            $(
                                perform!($third, 2);
                                $(perform!($fourth, 3);)?
                            )?
                        })*
                    }
                };
            }
            // One after the other by hand: no counting and no check between them.
            sequences!(dispatch);
            step = &chunk[1];
            sequences!(dispatch);
            step = &chunk[2];
            sequences!(dispatch);
            step = &chunk[3];
            sequences!(dispatch);
            steps.next();
        };
        left -= i64::from(cycles);
        instructions += u64::from(len);
        if next == pc {
            if slot.idle != Idle::No {
                slot.exits = 0;
                break Stop::Idle { cycles, len };
            }
            if left <= 0 {
                break Stop::Attention;
            }
            looped = true;
            slot.turns = slot.turns.wrapping_add(1);
            if slot.turns == HOT {
                break Stop::Loop;
            }
            continue;
        }
        let from = std::mem::replace(&mut pc, next);
        if std::mem::take(&mut looped) {
            continue;
        }
        if len == slot.len {
            slot.exits = 0;
            continue;
        }
        slot.exits += 1;
        if slot.exits == HOT {
            break Stop::Hot { pc: from, index: usize::from(len) - 1 };
        }
    };
    cursor.index = 0;
    (cursor.pc, cursor.looped, cursor.left) = (pc, looped, left);
    cursor.instructions += instructions;
    stop
}

/// Signed division as RISC-V defines it for zero and overflow.
fn divide(a: u32, b: u32) -> u32 {
    if b == 0 { u32::MAX } else { (a as i32).wrapping_div(b as i32) as u32 }
}

/// Signed remainder as RISC-V defines it for zero and overflow.
fn remainder(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { (a as i32).wrapping_rem(b as i32) as u32 }
}
