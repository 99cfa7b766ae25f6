//! RCC: reset causes, oscillators, PLL, and how fast everything runs. Source: RM0090 chapter 7.
//!
//! Oscillators and PLL are ready at once. The crystal has 8 MHz.

use super::TICKS_PER_SECOND;
use crate::mcu::ResetCause;
use crate::registers::Registers;

/// Base address.
pub const BASE: u32 = 0x4002_3800;
const CR: u32 = 0x00;
const PLLCFGR: u32 = 0x04;
const CFGR: u32 = 0x08;
const BDCR: u32 = 0x70;
const CSR: u32 = 0x74;
/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[CR, PLLCFGR, CFGR, BDCR, CSR];

const HSI_HZ: u64 = 16_000_000;
const HSE_HZ: u64 = 8_000_000;
/// Bits of CR that turn something on; the next bit says that it is ready.
const SWITCHES: u32 = 1 | 1 << 16 | 1 << 24 | 1 << 26;
const RMVF: u32 = 1 << 24;
const PORRST: u32 = 1 << 27 | 1 << 26 | 1 << 25;
const PINRST: u32 = 1 << 26;
const SFTRST: u32 = 1 << 28;

/// Peripherals and the bit that gives them their clock: base address, offset of the enable register, bit.
const GATES: &[(u32, u32, u32)] = &[
    (0x4000_2800, 0x40, 28), // RTC, through PWR
    (0x4000_4400, 0x40, 17),
    (0x4000_4800, 0x40, 18),
    (0x4000_7000, 0x40, 28),
    (0x4001_1000, 0x44, 4),
    (0x4001_3800, 0x44, 14),
    (0x4002_0000, 0x30, 0),
    (0x4002_0400, 0x30, 1),
    (0x4002_0800, 0x30, 2),
    (0x4002_0c00, 0x30, 3),
    (0x5006_0800, 0x34, 6),
];

/// Whether the peripheral at `address` has its clock.
#[must_use]
pub fn is_on(registers: &Registers, address: u32) -> bool {
    let gate = GATES.iter().find(|(base, ..)| *base == address & !0x3ff);
    gate.is_none_or(|(_, offset, bit)| registers.get(BASE + offset) >> bit & 1 != 0)
}

/// Puts the registers back, but for what tells why.
pub fn reset(registers: &mut Registers, cause: ResetCause) {
    let before = registers.get(BASE + CSR) & 0xfe00_0000;
    registers.reset(BASE, 0x400);
    let flags = match cause {
        ResetCause::PowerOn => PORRST,
        ResetCause::Pin => before | PINRST,
        ResetCause::Software => before | SFTRST | PINRST,
    };
    registers.set(BASE + CSR, flags);
}

/// Reads a register.
#[must_use]
pub fn read(registers: &Registers, offset: u32) -> u32 {
    let stored = registers.get(BASE + offset);
    match offset {
        CR => stored & !(SWITCHES << 1) | (stored & SWITCHES) << 1,
        CFGR => stored & !0xc | (stored & 3) << 2,
        BDCR | CSR => stored & !2 | (stored & 1) << 1,
        _ => stored,
    }
}

/// Writes a register.
pub fn write(registers: &mut Registers, offset: u32, value: u32) {
    let value = match offset {
        CSR if value & RMVF != 0 => value & 1,
        CSR => registers.get(BASE + CSR) & 0xfe00_0000 | value & 1,
        _ => value,
    };
    registers.set(BASE + offset, value);
}

/// The system clock.
#[must_use]
pub fn system_hz(registers: &Registers) -> u64 {
    match registers.get(BASE + CFGR) & 3 {
        0 => HSI_HZ,
        1 => HSE_HZ,
        _ => pll_hz(registers),
    }
}

fn pll_hz(registers: &Registers) -> u64 {
    let configuration = u64::from(registers.get(BASE + PLLCFGR));
    let source = if configuration >> 22 & 1 != 0 { HSE_HZ } else { HSI_HZ };
    let (m, n, p) = (configuration & 0x3f, configuration >> 6 & 0x1ff, (configuration >> 16 & 3) * 2 + 2);
    source / m.max(1) * n / p
}

/// Ticks of one processor cycle, rounded if the frequency does not divide a tick evenly.
#[must_use]
pub fn ticks_per_cycle(registers: &Registers) -> u64 {
    let prescaler = match registers.get(BASE + CFGR) >> 4 & 15 {
        bits @ 8..=11 => 2 << (bits - 8),
        bits @ 12..=15 => 64 << (bits - 12),
        _ => 1,
    };
    (TICKS_PER_SECOND * prescaler / system_hz(registers).max(1)).max(1)
}

/// Ticks of one cycle of APB2, where USART1 is.
#[must_use]
pub fn ticks_per_apb2_cycle(registers: &Registers) -> u64 {
    let prescaler = match registers.get(BASE + CFGR) >> 13 & 7 {
        bits @ 4..=7 => 2 << (bits - 4),
        _ => 1,
    };
    ticks_per_cycle(registers) * prescaler
}
