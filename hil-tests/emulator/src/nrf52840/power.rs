//! CLOCK, POWER and APPROTECT, which share their addresses. Source: PS chapters 5.3, 5.4, 4.8.2.
//!
//! Oscillators are ready at once.

use crate::mcu::ResetCause;
use crate::registers::Registers;

/// Base address.
pub const BASE: u32 = 0x4000_0000;
/// Bytes of the registers.
pub const SIZE: u32 = 0x1000;
const TASKS_HFCLKSTART: u32 = 0x000;
const TASKS_HFCLKSTOP: u32 = 0x004;
const TASKS_LFCLKSTART: u32 = 0x008;
const TASKS_LFCLKSTOP: u32 = 0x00c;
const EVENTS_HFCLKSTARTED: u32 = 0x100;
const EVENTS_LFCLKSTARTED: u32 = 0x104;
const RESETREAS: u32 = 0x400;
const HFCLKSTAT: u32 = 0x40c;
const LFCLKSTAT: u32 = 0x418;
const LFCLKSRC: u32 = 0x518;
const DISABLE: u32 = 0x558;
/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] =
    &[TASKS_HFCLKSTART, TASKS_HFCLKSTOP, TASKS_LFCLKSTART, TASKS_LFCLKSTOP, RESETREAS];

/// Bits of HFCLKSTAT and LFCLKSTAT.
const RUNS: u32 = 1 << 16;
const CRYSTAL: u32 = 1;
const SW_DISABLE: u32 = 0x5a;

/// Puts the registers back, but for what tells why.
pub fn reset(registers: &mut Registers, cause: ResetCause) {
    let [before, disable] = [RESETREAS, DISABLE].map(|offset| registers.get(BASE + offset));
    registers.reset(BASE, SIZE);
    let (flags, disable) = match cause {
        ResetCause::PowerOn => (0, 0),
        ResetCause::Pin => (before | 1, 0),
        ResetCause::Software => (before | 1 << 2, disable),
    };
    registers.set(BASE + RESETREAS, flags);
    registers.set(BASE + DISABLE, disable);
}

/// Whether the program has opened the access port.
pub fn lets_debug(registers: &Registers) -> bool {
    registers.get(BASE + DISABLE) == SW_DISABLE
}

/// Writes a register that has behaviour.
pub fn write(registers: &mut Registers, offset: u32, value: u32) {
    let mut set = |offset, value| registers.set(BASE + offset, value);
    match offset {
        TASKS_HFCLKSTART if value == 1 => {
            set(EVENTS_HFCLKSTARTED, 1);
            set(HFCLKSTAT, RUNS | CRYSTAL);
        }
        TASKS_HFCLKSTOP if value == 1 => set(HFCLKSTAT, RUNS),
        TASKS_LFCLKSTART if value == 1 => {
            set(EVENTS_LFCLKSTARTED, 1);
            let source = registers.get(BASE + LFCLKSRC) & 3;
            registers.set(BASE + LFCLKSTAT, RUNS | source);
        }
        TASKS_LFCLKSTOP if value == 1 => set(LFCLKSTAT, 0),
        RESETREAS => registers.modify(BASE + RESETREAS, |flags| flags & !value),
        _ => {}
    }
}
