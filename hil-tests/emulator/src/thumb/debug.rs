//! Halting debug: the core debug registers and the breakpoint unit. Source: ARM C1.6, C1.11.
//!
//! Invariant: the registers survive a reset of the processor, as a debugger expects; only the loss of power clears them.

use super::bus::is_private;
use super::{Bus, Cpu};

/// The processor's halting control and status register.
pub const DHCSR: u32 = 0xe000_edf0;
/// Bits of DHCSR.
const C_DEBUGEN: u32 = 1;
const C_HALT: u32 = 2;
const C_STEP: u32 = 4;
const C_MASKINTS: u32 = 8;
const S_REGRDY: u32 = 1 << 16;
/// The processor is in debug state.
pub const S_HALT: u32 = 1 << 17;
const S_SLEEP: u32 = 1 << 18;
const S_LOCKUP: u32 = 1 << 19;
const S_RETIRE: u32 = 1 << 24;
/// There was a reset since this register was read, or there is one.
pub const S_RESET: u32 = 1 << 25;
const KEY: u32 = 0xa05f;
/// Bits of DEMCR.
const VC_CORERESET: u32 = 1;
const VC_HARDERR: u32 = 1 << 10;
/// DWT and ITM are on.
const TRCENA: u32 = 1 << 24;
/// The breakpoint unit: six comparators for code, two for literals, version 1.
const COMPARATORS: usize = 6;
const FP_CTRL: u32 = 0x260;

/// Why the processor halted; bits of DFSR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Halt {
    /// The debugger asked, or stepped.
    Requested = 1,
    /// A breakpoint.
    Breakpoint = 2,
    /// A vector that is caught.
    VectorCatch = 8,
}

/// The state of halting debug.
#[derive(Clone, Debug, Default)]
pub struct Debug {
    /// The control bits of DHCSR.
    control: u32,
    halted: bool,
    /// There was a reset since DHCSR was read.
    was_reset: bool,
    /// An instruction was executed since DHCSR was read.
    retired: bool,
    transfer: u32,
    monitor: u32,
    status: u32,
    units_on: bool,
    comparators: [u32; 8],
    breakpoints: Vec<u32>,
}

impl Debug {
    /// Whether a debugger is at work.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.control & C_DEBUGEN != 0
    }

    /// Whether the processor is halted.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.halted
    }

    pub(super) fn steps(&self) -> bool {
        self.is_on() && self.control & C_STEP != 0
    }

    pub(super) fn masks_interrupts(&self) -> bool {
        self.is_on() && self.control & C_MASKINTS != 0
    }

    pub(super) fn catches_hard_fault(&self) -> bool {
        self.is_on() && self.monitor & VC_HARDERR != 0
    }

    pub(super) fn has_breakpoint(&self, address: u32) -> bool {
        self.breakpoints.contains(&address)
    }

    /// Whether the cycle counter may count.
    pub(super) fn traces(&self) -> bool {
        self.monitor & TRCENA != 0
    }

    pub(super) fn halt(&mut self, why: Halt) {
        self.halted = true;
        self.control |= C_HALT;
        self.status |= why as u32;
        self.retired = true;
    }

    /// The processor was reset.
    pub(super) fn on_reset(&mut self) {
        self.was_reset = true;
        self.halted = false;
        self.control &= !C_HALT;
        if self.is_on() && self.monitor & VC_CORERESET != 0 {
            self.halt(Halt::VectorCatch);
        }
    }

    fn write_control(&mut self, value: u32) {
        if value >> 16 != KEY {
            return;
        }
        self.control = value & (C_DEBUGEN | C_HALT | C_STEP | C_MASKINTS);
        if value & C_DEBUGEN == 0 {
            self.control = 0;
        }
        let asks = self.control & C_HALT != 0;
        if asks && !self.halted {
            self.status |= Halt::Requested as u32;
        }
        self.halted = asks;
    }

    pub(super) fn load_breakpoint_unit(&self, offset: u32) -> Option<u32> {
        match offset {
            0 => Some(FP_CTRL | u32::from(self.units_on)),
            // No remapping.
            4 => Some(1 << 29),
            8..0x28 => self.comparators.get((offset as usize - 8) / 4).copied(),
            _ => None,
        }
    }

    pub(super) fn store_breakpoint_unit(&mut self, offset: u32, value: u32) -> Option<()> {
        match offset {
            0 if value & 2 != 0 => self.units_on = value & 1 != 0,
            0 | 4 => {}
            8..0x28 => *self.comparators.get_mut((offset as usize - 8) / 4)? = value,
            _ => return None,
        }
        self.breakpoints.clear();
        let on = self.comparators[..COMPARATORS].iter().filter(|comparator| *comparator & 1 != 0);
        for comparator in on.filter(|_| self.units_on) {
            let word = comparator & 0x1fff_fffc;
            self.breakpoints.extend((comparator >> 30 & 1 != 0).then_some(word));
            self.breakpoints.extend((comparator >> 31 != 0).then_some(word + 2));
        }
        Some(())
    }
}

impl Cpu {
    /// Whether the processor is halted.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.debug.is_halted()
    }

    /// Halting debug.
    #[must_use]
    pub fn debug(&self) -> &Debug {
        &self.debug
    }

    pub(super) fn load_debug(&mut self, address: u32) -> Option<u32> {
        let debug = &mut self.debug;
        match address {
            0xe000_ed30 => Some(debug.status),
            DHCSR => {
                let states = [
                    (true, S_REGRDY),
                    (debug.halted, S_HALT),
                    (self.sleeping, S_SLEEP),
                    (self.locked, S_LOCKUP),
                    (std::mem::take(&mut debug.retired), S_RETIRE),
                    (std::mem::take(&mut debug.was_reset), S_RESET),
                ];
                Some(states.iter().filter(|(set, _)| *set).fold(debug.control, |word, (_, bit)| word | bit))
            }
            0xe000_edf4 => Some(0),
            0xe000_edf8 => Some(debug.transfer),
            0xe000_edfc => Some(debug.monitor),
            _ => None,
        }
    }

    pub(super) fn store_debug(&mut self, address: u32, value: u32) -> Option<()> {
        match address {
            0xe000_ed30 => self.debug.status &= !value,
            DHCSR => {
                let was_halted = self.debug.halted;
                self.debug.write_control(value);
                self.debug.retired |= was_halted && !self.debug.halted;
                if self.debug.halted {
                    // Entering debug state ends lockup and waiting for interrupts (B1.5.15, B1.5.19).
                    (self.sleeping, self.locked) = (false, false);
                }
            }
            0xe000_edf4 => {
                let register = (value & 0x7f) as u8;
                if value >> 16 & 1 != 0 {
                    self.set_debug_register(register, self.debug.transfer);
                } else {
                    self.debug.transfer = self.debug_register(register);
                }
            }
            0xe000_edf8 => self.debug.transfer = value,
            0xe000_edfc => self.debug.monitor = value & 0x010f_07f1,
            _ => return None,
        }
        Some(())
    }

    /// A register as DCRSR numbers it.
    #[must_use]
    pub fn debug_register(&self, number: u8) -> u32 {
        match number {
            0..=14 => self.r[usize::from(number)],
            15 => self.pc,
            16 => self.xpsr(),
            17 => self.stack_pointers()[0],
            18 => self.stack_pointers()[1],
            20 => {
                u32::from_le_bytes([self.primask.into(), self.basepri, self.faultmask.into(), self.control])
            }
            33 => self.fpscr,
            64..=95 => self.s[usize::from(number - 64)],
            _ => 0,
        }
    }

    /// Sets a register as DCRSR numbers it.
    pub fn set_debug_register(&mut self, number: u8, value: u32) {
        match number {
            13 => self.r[13] = value & !3,
            0..=14 => self.r[usize::from(number)] = value,
            15 => self.pc = value & !1,
            16 => {
                let stacks = self.stack_pointers();
                self.with_stacks(stacks, |cpu| cpu.set_xpsr(value));
            }
            17 | 18 => {
                let [main, process] = self.stack_pointers();
                let stacks = if number == 17 { [value & !3, process] } else { [main, value & !3] };
                self.with_stacks(stacks, |_| {});
            }
            20 => {
                let [primask, basepri, faultmask, control] = value.to_le_bytes();
                (self.primask, self.faultmask) = (primask & 1 != 0, faultmask & 1 != 0);
                self.basepri = basepri & self.nvic.priority_mask();
                self.set_control(control);
            }
            33 => self.fpscr = value,
            64..=95 => self.s[usize::from(number - 64)] = value,
            _ => {}
        }
        // The debugger may have moved the processor out of whatever it was waiting in.
        (self.sleeping, self.locked) = (false, false);
    }

    /// Loads through the debug port: the processor's private space, then the bus. `None` is a bus fault.
    pub fn debug_load<B: Bus>(&mut self, bus: &mut B, address: u32, size: u32) -> Option<u32> {
        let address = address & !(size - 1);
        bus.at(self.pc, self.now);
        if is_private(address) { self.load_private(bus, address, size) } else { bus.load(address, size) }
    }

    /// Stores through the debug port.
    pub fn debug_store<B: Bus>(&mut self, bus: &mut B, address: u32, size: u32, value: u32) -> Option<()> {
        let address = address & !(size - 1);
        bus.at(self.pc, self.now);
        if is_private(address) {
            self.store_private(bus, address, size, value)
        } else {
            bus.store(address, size, value)
        }
    }
}
