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
#[cfg(test)]
mod tests;

pub use csr::Csrs;

/// Where the `jal` instruction `word` at `pc` jumps to.
#[must_use]
pub fn jump_target(word: u32, pc: u32) -> u32 {
    decode::decode(word, pc).imm
}

use crate::bus::{Bus, State};
use crate::time::Ticks;
use block::{Blocks, Idle};

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
    /// Which operation of the block it was.
    index: usize,
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
            // Until something needs attention, the program counter and the count live in registers of the host.
            let (mut pc, mut instructions) = (self.pc, 0);
            let leave = 'blocks: loop {
                self.blocks.find(bus, pc);
                let slot = self.blocks.at(pc);
                // A loop onto itself stays here; how it is left says nothing about its branches.
                let mut looped = false;
                let done = loop {
                    let done = match exec::execute(&mut self.x, &self.blocks, slot, bus) {
                        Ok(done) => done,
                        Err(leave) => break 'blocks Some(leave),
                    };
                    let clock = bus.clock();
                    clock.base += u64::from(done.cycles) * clock.per_cycle();
                    instructions += u64::from(done.len);
                    if done.next != pc || slot.idle != Idle::No || clock.base >= clock.attention {
                        break done;
                    }
                    looped = true;
                };
                if done.next == pc && slot.idle != Idle::No {
                    instructions += self.skip_idle(bus, pc, &done);
                }
                if !looped {
                    self.blocks.note_exit(pc, done.len);
                }
                pc = done.next;
                let clock = bus.clock();
                if clock.base >= clock.attention {
                    break None;
                }
            };
            self.pc = pc;
            self.instructions += instructions;
            if let Some(leave) = leave {
                self.leave(bus, leave);
            }
        }
    }

    /// A loop that only waits just closed: skips the whole turns that fit before anything can change. Gives the
    /// instructions that they consist of.
    #[cold]
    #[inline(never)]
    fn skip_idle<B: Bus>(&mut self, bus: &mut B, pc: u32, done: &exec::Done) -> u64 {
        let slot = self.blocks.at(pc);
        let ops = &self.blocks.ops(slot)[..usize::from(slot.len)];
        let volatile = bus.take_volatile();
        let stable = bus.take_stable_until();
        let clock = bus.clock();
        let span = u64::from(done.cycles) * clock.per_cycle();
        let mut turns = clock.attention.min(stable).saturating_sub(clock.base) / span.max(1);
        match slot.idle {
            Idle::Delay => {
                let [_, difference, branch] = ops else { return 0 };
                let (passed, limit) = (self.x[usize::from(difference.rd)], self.x[usize::from(branch.b)]);
                turns = turns.min(u64::from((limit - 1).saturating_sub(passed) / done.cycles));
                let cycles = turns as u32 * done.cycles;
                let counter = usize::from(ops[0].rd);
                if ops[0].rd != difference.rd {
                    self.x[counter] = self.x[counter].wrapping_add(cycles);
                }
                self.x[usize::from(difference.rd)] = passed + cycles;
            }
            _ if volatile => return 0,
            _ => {}
        }
        clock.base += turns * span;
        let instructions = turns * u64::from(done.len);
        self.skipped += instructions;
        instructions
    }

    /// The block that began at the program counter ended with something rare.
    #[cold]
    #[inline(never)]
    fn leave<B: Bus>(&mut self, bus: &mut B, leave: exec::Leave) {
        let slot = *self.blocks.at(self.pc);
        let result = match leave {
            exec::Leave::System(index) => self.system(bus, slot, index),
            exec::Leave::Trap(trap) => Err(trap),
            exec::Leave::Changed(index) => {
                let done = index + 1;
                let last = done == usize::from(slot.len);
                self.pc = if last { slot.end } else { self.blocks.place(&slot, done) };
                bus.clock().base += done as u64 * bus.clock().per_cycle();
                self.instructions += done as u64;
                return;
            }
        };
        match result {
            Ok(next) => {
                bus.clock().base += u64::from(slot.cycles) * bus.clock().per_cycle();
                self.instructions += u64::from(slot.len);
                self.pc = next;
            }
            Err(trap) => self.trap(bus, self.blocks.place(&slot, trap.index), trap),
        }
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

    fn trap<B: Bus>(&mut self, bus: &mut B, pc: u32, trap: Trap) {
        let done = trap.index as u64;
        bus.clock().base += done * bus.clock().per_cycle();
        self.instructions += done;
        let value = if trap.cause == Cause::Breakpoint { pc } else { trap.value };
        self.pc = self.csrs.enter(pc, trap.cause as u32, value);
        // Entering a handler takes a few cycles; without them a handler that faults at once would stop the clock.
        bus.clock().base += 4 * bus.clock().per_cycle();
    }
}
