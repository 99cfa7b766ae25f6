//! The RV32IMC processor: decoder, decoded-block cache, executor, CSRs and traps.
//!
//! The processor knows memory through its page tables and everything else through [`Bus`]; it knows no chip.
//! Invariants: a block is decoded once and executed until the memory it came from changes; interrupts are taken between
//! blocks only; simulated time moves by whole blocks, and a device that is accessed sees the time of that instruction.

mod block;
mod csr;
mod decode;
mod exec;
mod op;
mod poll;
mod rare;
#[cfg(test)]
mod tests;

pub use csr::Csrs;

/// Where the `jal` instruction `word` at `pc` jumps to.
#[must_use]
pub fn jump_target(word: u32, pc: u32) -> u32 {
    decode::decode(word, pc).imm
}

use crate::bus::Bus;
use crate::time::Ticks;
use block::{Blocks, Idle};
use exec::{Cursor, Stop};
use rare::Outcome;

/// Why [`Cpu::run`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The limit was reached.
    Limit,
    /// [`Bus::stop`] said so.
    Stopped,
}

/// Exception causes of the RISC-V privileged specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of the RISC-V manual")]
pub enum Cause {
    FetchFault = 1,
    Illegal = 2,
    Breakpoint = 3,
    LoadFault = 5,
    StoreFault = 7,
    EnvironmentCall = 11,
}

/// An exception on its way to the trap handler.
#[derive(Clone, Copy, Debug)]
struct Trap {
    cause: Cause,
    value: u32,
}

/// The processor.
#[derive(Clone)]
pub struct Cpu {
    x: exec::File,
    pc: u32,
    csrs: Csrs,
    blocks: Blocks,
    instructions: u64,
    /// Of those, the ones that idle loops would have executed and that were skipped.
    skipped: u64,
    /// The program read its cycle counter since a device was polled last.
    looked: bool,
    poll: poll::Poll,
    /// Set by `wfi` until an interrupt is pending.
    waiting: bool,
    reset_vector: u32,
}

impl Cpu {
    /// A processor that starts at `reset_vector`.
    #[must_use]
    pub fn new(reset_vector: u32) -> Self {
        Self {
            x: [0; 256],
            pc: reset_vector,
            csrs: Csrs::default(),
            blocks: Blocks::new(),
            instructions: 0,
            skipped: 0,
            looked: false,
            poll: poll::Poll::default(),
            waiting: false,
            reset_vector,
        }
    }

    /// Resets registers, CSRs and program counter; the decoded blocks stay, because memory does.
    pub fn reset(&mut self) {
        self.x = [0; 256];
        self.pc = self.reset_vector;
        self.csrs = Csrs::default();
        self.waiting = false;
    }

    /// Program counter.
    #[must_use]
    pub fn pc(&self) -> u32 {
        self.pc
    }

    /// Sets the program counter; for debuggers and tests.
    pub fn set_pc(&mut self, pc: u32) {
        self.pc = pc;
    }

    /// Register `n` (0 to 31).
    #[must_use]
    pub fn register(&self, n: usize) -> u32 {
        self.x[n & 31]
    }

    /// Sets register `n`; writes to x0 are ignored.
    pub fn set_register(&mut self, n: usize, value: u32) {
        if n & 31 != 0 {
            self.x[n & 31] = value;
        }
    }

    /// Control and status registers.
    #[must_use]
    pub fn csrs(&self) -> &Csrs {
        &self.csrs
    }

    /// Instructions executed, those skipped in idle loops included.
    #[must_use]
    pub fn instructions(&self) -> u64 {
        self.instructions
    }

    /// Instructions that were executed one by one; what idle loops would have executed besides is skipped.
    #[must_use]
    pub fn executed(&self) -> u64 {
        self.instructions - self.skipped
    }

    /// Whether the processor waits for an interrupt.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Runs until `limit` is reached or the bus stops it.
    pub fn run<B: Bus>(&mut self, bus: &mut B, limit: Ticks) -> Exit {
        bus.clock().attention = 0;
        loop {
            if bus.clock().base >= bus.clock().attention
                && let Some(exit) = self.attend(bus, limit)
            {
                return exit;
            }
            self.proceed(bus);
        }
    }

    /// Executes blocks until something needs attention.
    fn proceed<B: Bus>(&mut self, bus: &mut B) {
        let mut cursor = Cursor::new(self.pc, bus.clock());
        loop {
            let before = cursor.left;
            let (memory, registers) = bus.storage();
            let stop = exec::run(&mut self.x, &mut self.blocks, memory, registers, &mut cursor);
            let clock = bus.clock();
            clock.base += (before - cursor.left).unsigned_abs() * clock.per_cycle();
            match stop {
                Stop::Attention => break,
                Stop::Missing => self.blocks.fill(bus.memory(), cursor.pc),
                Stop::Idle { cycles, len } => {
                    cursor.instructions += self.skip_idle(bus, cursor.pc, u32::from(cycles), len);
                    cursor.set_time(bus.clock());
                }
                Stop::NoTail(index) => {
                    self.blocks.list_tail(cursor.pc, index);
                    cursor.index = index;
                }
                Stop::Loop => self.blocks.unroll(cursor.pc),
                Stop::Hot { pc, index } => self.blocks.follow(pc, index),
                Stop::Rare(index) => {
                    let at = self.blocks.operation(cursor.pc, index);
                    match self.perform(bus, at) {
                        Ok(Outcome::Done) => cursor.index = index + 1,
                        other => self.leave(bus, index, other, &mut cursor),
                    }
                    if bus.clock().attention != cursor.attention {
                        cursor.set_time(bus.clock());
                    }
                }
            }
        }
        self.pc = cursor.pc;
        self.instructions += cursor.instructions;
        self.looked |= cursor.looked;
    }

    /// A loop that only waits just closed: skips the whole turns that fit before anything can change. Gives the
    /// instructions that they consist of.
    #[cold]
    #[inline(never)]
    fn skip_idle<B: Bus>(&mut self, bus: &mut B, pc: u32, cycles: u32, len: u8) -> u64 {
        let slot = self.blocks.at(pc);
        let volatile = bus.take_volatile();
        let stable = bus.take_stable_until();
        let clock = bus.clock();
        let span = u64::from(cycles) * clock.per_cycle();
        let mut turns = clock.attention.min(stable).saturating_sub(clock.base) / span.max(1);
        match slot.idle {
            Idle::Delay => {
                let &[count, difference, branch] = self.blocks.ops(slot) else { return 0 };
                let (passed, limit) = (self.x[usize::from(difference.rd)], self.x[usize::from(branch.b)]);
                turns = turns.min(u64::from((limit - 1).saturating_sub(passed) / cycles));
                let cycles = turns as u32 * cycles;
                let counter = usize::from(count.rd);
                if count.rd != difference.rd {
                    self.x[counter] = self.x[counter].wrapping_add(cycles);
                }
                self.x[usize::from(difference.rd)] = passed + cycles;
            }
            _ if volatile => return 0,
            _ => {}
        }
        clock.base += turns * span;
        let instructions = turns * u64::from(len);
        self.skipped += instructions;
        instructions
    }

    /// The block at `cursor.pc` ended with something rare, its operation `index`.
    #[cold]
    fn leave<B: Bus>(
        &mut self,
        bus: &mut B,
        index: usize,
        outcome: Result<Outcome, Trap>,
        cursor: &mut Cursor,
    ) {
        let slot = self.blocks.at(cursor.pc);
        let last = usize::from(slot.len);
        let (next, cycles, done) = match outcome {
            Ok(Outcome::Ended(next)) => (next, u64::from(slot.cycles), last),
            Ok(_) => {
                let done = index + 1;
                (self.blocks.place(slot, done), done as u64, done)
            }
            Err(trap) => {
                let pc = self.blocks.place(slot, index);
                let value = if trap.cause == Cause::Breakpoint { pc } else { trap.value };
                // Entering a handler takes a few cycles; without them one that faults at once would stop the clock.
                (self.csrs.enter(pc, trap.cause as u32, value), index as u64 + 4, index)
            }
        };
        cursor.pc = next;
        cursor.looped = false;
        cursor.instructions += done as u64;
        bus.clock().base += cycles * bus.clock().per_cycle();
        cursor.set_time(bus.clock());
    }

    /// Everything that happens between blocks: events, stale code, interrupts, waiting. Returns why to leave, if so.
    #[cold]
    fn attend<B: Bus>(&mut self, bus: &mut B, limit: Ticks) -> Option<Exit> {
        bus.clock().apply();
        loop {
            let next = bus.service();
            if bus.memory().is_stale() {
                self.blocks.clear();
                bus.memory().forget_code();
            }
            if bus.stop() {
                return Some(Exit::Stopped);
            }
            if let Some(line) = bus.interrupt() {
                self.waiting = false;
                if self.csrs.interrupts_enabled() {
                    bus.acknowledge(line);
                    self.pc = self.csrs.enter(self.pc, 0x8000_0000 | u32::from(line), 0);
                    continue;
                }
            }
            if bus.clock().base >= limit {
                return Some(Exit::Limit);
            }
            let until = next.min(limit);
            if self.waiting {
                let base = &mut bus.clock().base;
                *base = (*base).max(until);
                continue;
            }
            if let Some(effects) = bus.polled()
                && self.skip_polling(bus, effects, until)
            {
                continue;
            }
            bus.clock().attention = until;
            return None;
        }
    }
}
