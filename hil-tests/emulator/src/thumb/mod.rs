//! The Armv7E-M processor with single-precision floating point (Cortex-M4F): decoder, executor, exceptions, the system
//! control space with NVIC and SysTick, and halting debug.
//!
//! The processor knows memory and devices through [`Bus`]; it knows no chip. Invariants: interrupts are taken between
//! instructions only; simulated time moves by whole instructions; what was decoded from memory that [`Bus`] calls constant is
//! kept until [`Cpu::forget_code`].
//!
//! Not modelled: the memory protection unit, and in FPSCR rounding modes, flush-to-zero, default NaN and the cumulative
//! flags, which read as written.
//!
//! Source: Armv7-M Architecture Reference Manual (DDI 0403E), "ARM" in comments; Cortex-M4 TRM (DDI 0439).

mod alu;
mod bus;
mod debug;
pub mod decode;
mod exception;
mod exec;
mod float;
mod nvic;
pub mod op;
mod registers;
mod signal;
mod system;
mod systick;
#[cfg(test)]
mod tests;

pub use bus::Bus;
pub use debug::{DHCSR, Debug, Halt, S_HALT, S_RESET};
pub use exception::{Exception, Fault};
pub use registers::Flags;

use crate::time::Ticks;
use nvic::Nvic;
use op::Op;
use std::ops::Range;
use system::System;
use systick::SysTick;

/// Why [`Cpu::run`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The limit was reached.
    Limit,
    /// The debugger has halted the processor, or a debug event has.
    Halted,
    /// [`Bus::stop`] said so.
    Stopped,
    /// The program asked for a reset.
    ResetRequest,
}

/// Decoded instructions that are kept.
const KEPT: usize = 1 << 16;

/// An instruction as it was decoded.
#[derive(Clone, Copy)]
struct Decoded {
    address: u32,
    op: Op,
    long: bool,
}

/// The address is one where no instruction is.
const NOTHING: Decoded = Decoded { address: 1, op: Op::Undefined, long: false };

/// The processor.
#[derive(Clone)]
pub struct Cpu {
    /// R0 to R12, the stack pointer in use, LR; the last is not used.
    r: [u32; 16],
    /// The stack pointer that is not in use.
    other_sp: u32,
    /// Where the instruction after the one that is executing is.
    pc: u32,
    /// Where the instruction that is executing is.
    place: u32,
    s: [u32; 32],
    fpscr: u32,
    flags: Flags,
    /// ITSTATE.
    it: u8,
    /// The instruction that is executing is in an IT block.
    in_it: bool,
    thumb: bool,
    primask: bool,
    faultmask: bool,
    basepri: u8,
    control: u8,
    /// The exception that is being handled; 0 in thread mode.
    ipsr: u8,
    exclusive: Option<u32>,
    event: bool,
    sleeping: bool,
    locked: bool,
    nvic: Nvic,
    systick: SysTick,
    system: System,
    debug: Debug,
    cycles: u64,
    now: Ticks,
    per_cycle: u64,
    attention: Ticks,
    instructions: u64,
    stores: u64,
    poll: Poll,
    kept: Vec<Decoded>,
}

/// The last load from a device, to find loops that only wait.
#[derive(Clone, Default)]
struct Poll {
    place: u32,
    registers: [u32; 16],
    flags: Flags,
    stores: u64,
    now: Ticks,
    cycles: u64,
    instructions: u64,
}

impl Cpu {
    /// A processor without power; [`Cpu::reset`] starts it.
    #[must_use]
    pub fn new() -> Self {
        Self::with_cache(vec![NOTHING; KEPT])
    }

    fn with_cache(kept: Vec<Decoded>) -> Self {
        Self {
            r: [0; 16],
            other_sp: 0,
            pc: 0,
            place: 0,
            s: [0; 32],
            fpscr: 0,
            flags: Flags::default(),
            it: 0,
            in_it: false,
            thumb: true,
            primask: false,
            faultmask: false,
            basepri: 0,
            control: 0,
            ipsr: 0,
            exclusive: None,
            event: false,
            sleeping: false,
            locked: false,
            nvic: Nvic::default(),
            systick: SysTick::default(),
            system: System::default(),
            debug: Debug::default(),
            cycles: 0,
            now: 0,
            per_cycle: 1,
            attention: 0,
            instructions: 0,
            stores: 0,
            poll: Poll::default(),
            kept,
        }
    }

    /// Resets everything but halting debug, which only a loss of power resets, and begins at the vector table's start.
    pub fn reset<B: Bus>(&mut self, bus: &mut B) {
        let (kept, debug) = (std::mem::take(&mut self.kept), std::mem::take(&mut self.debug));
        let (now, cycles, instructions) = (self.now, self.cycles, self.instructions);
        *self = Self { kept, debug, now, cycles, instructions, ..Self::with_cache(Vec::new()) };
        let word = |bus: &mut B, at| bus.load(at, 4).unwrap_or(u32::MAX);
        self.r[13] = word(bus, 0) & !3;
        self.r[14] = u32::MAX;
        let start = word(bus, 4);
        (self.pc, self.thumb) = (start & !1, start & 1 != 0);
        self.debug.on_reset();
    }

    /// Loses power: halting debug is reset, too.
    pub fn power_off(&mut self) {
        self.debug = Debug::default();
    }

    /// Memory that was called constant has changed: there, or anywhere.
    pub fn forget_code(&mut self, changed: Option<Range<u32>>) {
        let Some(range) = changed.filter(|range| range.len() < KEPT) else {
            self.kept.fill(NOTHING);
            return;
        };
        // An instruction of two half-words may begin before the range.
        for address in (range.start.saturating_sub(2) & !1..range.end).step_by(2) {
            let kept = &mut self.kept[address as usize / 2 % KEPT];
            if kept.address == address {
                *kept = NOTHING;
            }
        }
    }

    /// Simulated time.
    #[must_use]
    pub fn now(&self) -> Ticks {
        self.now
    }

    /// Lets time pass while the processor does nothing.
    pub fn pass_time(&mut self, until: Ticks) {
        self.now = self.now.max(until);
    }

    /// Instructions executed, those skipped in loops that only wait included.
    #[must_use]
    pub fn instructions(&self) -> u64 {
        self.instructions
    }

    /// Processor cycles.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Runs until `limit`, or until something else ends it.
    pub fn run<B: Bus>(&mut self, bus: &mut B, limit: Ticks) -> Exit {
        self.attention = 0;
        loop {
            if self.now >= self.attention
                && let Some(exit) = self.attend(bus, limit)
            {
                return exit;
            }
            self.step(bus);
        }
    }

    /// Everything that happens between instructions: events, interrupts, waiting, debug. Returns why to leave, if so.
    #[cold]
    fn attend<B: Bus>(&mut self, bus: &mut B, limit: Ticks) -> Option<Exit> {
        loop {
            self.per_cycle = bus.ticks_per_cycle();
            let mut next = bus.service(self.now);
            if let Some(changed) = bus.take_code_changed() {
                self.forget_code(Some(changed));
            }
            if bus.stop() {
                return Some(Exit::Stopped);
            }
            if self.system.take_reset_request() {
                return Some(Exit::ResetRequest);
            }
            if self.debug.is_halted() {
                return Some(Exit::Halted);
            }
            if let Some(wraps_at) = self.systick.service(self.cycles) {
                let left = (wraps_at - self.cycles).saturating_mul(self.per_cycle);
                next = next.min(self.now.saturating_add(left));
            }
            if self.systick.take_pending() {
                self.nvic.pend(Exception::SysTick);
            }
            self.nvic.observe(bus.interrupt_lines());
            if !self.debug.masks_interrupts() {
                self.take_pending(bus);
            }
            if self.now >= limit {
                return Some(Exit::Limit);
            }
            let until = next.min(limit);
            if self.sleeping || self.locked {
                let cycles = (until.saturating_sub(self.now)).div_ceil(self.per_cycle);
                self.cycles += cycles;
                self.now += cycles * self.per_cycle;
                continue;
            }
            self.attention = if self.debug.steps() { 0 } else { until };
            return None;
        }
    }

    /// Executes one instruction.
    fn step<B: Bus>(&mut self, bus: &mut B) {
        self.place = self.pc;
        let before = self.it;
        let outcome = match self.fetch(bus) {
            Ok((op, long)) => {
                self.pc = self.place.wrapping_add(if long { 4 } else { 2 });
                self.in_it = before != 0;
                let passes = !self.in_it || self.holds(before >> 4);
                self.it = if before & 7 == 0 { 0 } else { before & 0xe0 | before << 1 & 0x1f };
                if passes { self.execute(bus, op) } else { Ok(()) }
            }
            Err(fault) => Err(fault),
        };
        self.spend(1);
        self.instructions += 1;
        if let Err(fault) = outcome {
            self.fault(bus, fault, before);
        }
        if self.debug.steps() {
            self.halt(Halt::Requested);
        }
    }

    fn fetch<B: Bus>(&mut self, bus: &mut B) -> Result<(Op, bool), Fault> {
        let address = self.pc;
        if self.debug.has_breakpoint(address) {
            return Err(Fault::Breakpoint);
        }
        let slot = address as usize / 2 % KEPT;
        let decoded = self.kept[slot];
        if decoded.address == address {
            return Ok((decoded.op, decoded.long));
        }
        if !self.thumb {
            return Err(Fault::InvalidState);
        }
        let first = bus.fetch(address).ok_or(Fault::Fetch)?;
        let long = decode::is_long(first);
        let second = if long { bus.fetch(address.wrapping_add(2)).ok_or(Fault::Fetch)? } else { 0 };
        let op = decode::decode(first, second);
        if bus.is_constant(address) {
            self.kept[slot] = Decoded { address, op, long };
        }
        Ok((op, long))
    }

    fn spend(&mut self, cycles: u32) {
        self.cycles += u64::from(cycles);
        self.now += u64::from(cycles) * self.per_cycle;
    }

    fn sleep(&mut self) {
        self.sleeping = true;
        self.attention = 0;
    }

    /// Stops for the debugger.
    fn halt(&mut self, why: Halt) {
        self.debug.halt(why);
        self.attention = 0;
    }
}

impl Default for Cpu {
    fn default() -> Self {
        Self::new()
    }
}
