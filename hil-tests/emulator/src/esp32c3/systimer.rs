//! SYSTIMER: two 52-bit counters at 16 MHz and three comparators. Source: TRM chapter 10.

use super::io::Io;
use crate::time::{NEVER, Ticks};

/// Base address.
pub const BASE: u32 = 0x6002_3000;
/// Ticks of a counter step.
const STEP: u64 = 30;
const MASK: u64 = (1 << 52) - 1;

const CONF: u32 = 0x00;
const UNIT_OP: u32 = 0x04;
const UNITLOAD: u32 = 0x0C;
const TARGET: u32 = 0x1C;
const TARGET_CONF: u32 = 0x34;
const UNIT_VALUE: u32 = 0x40;
const COMP_LOAD: u32 = 0x50;
const UNIT_LOAD: u32 = 0x5C;
const INT_ENA: u32 = 0x64;
const INT_RAW: u32 = 0x68;
const INT_CLR: u32 = 0x6C;
const INT_ST: u32 = 0x70;

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[
    0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C, 0x20, 0x24, 0x28, 0x2C, 0x30, 0x34, 0x38, 0x3C, 0x40,
    0x44, 0x48, 0x4C, 0x50, 0x54, 0x58, 0x5C, 0x60, 0x64, 0x68, 0x6C, 0x70,
];

/// A counter: its value at some moment, from which it runs or where it stands.
#[derive(Clone, Copy, Debug, Default)]
struct Unit {
    value: u64,
    at: Ticks,
    running: bool,
}

impl Unit {
    fn read(&self, now: Ticks) -> u64 {
        let steps = if self.running { now / STEP - self.at / STEP } else { 0 };
        (self.value + steps) & MASK
    }

    fn set(&mut self, value: u64, now: Ticks) {
        (self.value, self.at) = (value, now);
    }
}

/// The timer.
#[derive(Clone)]
pub struct Systimer {
    units: [Unit; 2],
    latched: [u64; 2],
    /// Counter value at which each comparator fires next.
    targets: [Option<u64>; 3],
    raw: u32,
    next: Ticks,
}

impl Systimer {
    /// The timer after reset at `now`.
    #[must_use]
    pub fn new(now: Ticks) -> Self {
        let unit = Unit { value: 0, at: now, running: false };
        Self {
            units: [Unit { running: true, ..unit }, unit],
            latched: [0; 2],
            targets: [None; 3],
            raw: 0,
            next: NEVER,
        }
    }

    /// Comparators that ask for their interrupt, as bits.
    #[must_use]
    pub fn interrupts(&self, io: &Io<'_>) -> u32 {
        self.raw & io.registers.get(BASE + INT_ENA)
    }

    /// When a comparator fires next.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        self.next
    }

    fn unit_of(&self, io: &Io<'_>, comparator: usize) -> Unit {
        self.units[(io.registers.get(BASE + TARGET_CONF + 4 * comparator as u32) >> 31) as usize]
    }

    fn schedule(&mut self, io: &Io<'_>) {
        let enabled = io.registers.get(BASE + CONF);
        self.next = NEVER;
        for i in 0..3 {
            let unit = self.unit_of(io, i);
            if let Some(target) = self.targets[i].filter(|_| enabled >> (24 - i) & 1 != 0 && unit.running) {
                let steps = target.saturating_sub(unit.read(io.now));
                self.next = self.next.min((io.now / STEP + steps) * STEP);
            }
        }
    }

    /// Handles what is due.
    pub fn advance(&mut self, io: &mut Io<'_>) {
        if io.now < self.next {
            return;
        }
        let enabled = io.registers.get(BASE + CONF);
        for i in 0..3 {
            let unit = self.unit_of(io, i);
            let value = unit.read(io.now);
            let Some(target) = self.targets[i]
                .filter(|&target| target <= value && enabled >> (24 - i) & 1 != 0 && unit.running)
            else {
                continue;
            };
            self.raw |= 1 << i;
            let conf = io.registers.get(BASE + TARGET_CONF + 4 * i as u32);
            let period = u64::from(conf & 0x03FF_FFFF);
            self.targets[i] = (conf >> 30 & 1 != 0 && period != 0)
                .then(|| target + (value - target) / period * period + period);
        }
        self.schedule(io);
    }

    /// Reads a register.
    pub fn read(&mut self, io: &mut Io<'_>, offset: u32) -> u32 {
        self.advance(io);
        match offset {
            // The value is valid as soon as it was asked for.
            0x04 | 0x08 => io.registers.get(BASE + offset) & !(1 << 30) | 1 << 29,
            UNIT_VALUE..0x50 => {
                let value = self.latched[(offset as usize - 0x40) / 8];
                if offset & 4 == 0 { (value >> 32) as u32 } else { value as u32 }
            }
            INT_RAW => self.raw,
            INT_ST => self.interrupts(io),
            _ => io.registers.get(BASE + offset),
        }
    }

    /// Writes a register; says whether events or interrupts may have changed.
    pub fn write(&mut self, io: &mut Io<'_>, offset: u32, value: u32) -> bool {
        self.advance(io);
        let index = |first: u32| ((offset - first) / 4) as usize;
        match offset {
            UNIT_OP | 0x08 => {
                if value >> 30 & 1 != 0 {
                    self.latched[index(UNIT_OP)] = self.units[index(UNIT_OP)].read(io.now);
                }
                return false;
            }
            INT_CLR => self.raw &= !value,
            COMP_LOAD..UNIT_LOAD => self.load_target(io, index(COMP_LOAD)),
            UNIT_LOAD | 0x60 => {
                let unit = index(UNIT_LOAD);
                let load = self.pair(io, UNITLOAD + 8 * unit as u32);
                self.units[unit].set(load, io.now);
            }
            INT_RAW | INT_ST | UNIT_VALUE..COMP_LOAD => return false,
            CONF => {
                io.registers.set(BASE + CONF, value);
                for (unit, bit) in [(0, 30), (1, 29)] {
                    let count = self.units[unit].read(io.now);
                    self.units[unit].set(count, io.now);
                    self.units[unit].running = value >> bit & 1 != 0;
                }
            }
            _ => io.registers.set(BASE + offset, value),
        }
        self.schedule(io);
        true
    }

    fn pair(&self, io: &Io<'_>, offset: u32) -> u64 {
        (u64::from(io.registers.get(BASE + offset) & 0xF_FFFF) << 32)
            | u64::from(io.registers.get(BASE + offset + 4))
    }

    fn load_target(&mut self, io: &Io<'_>, i: usize) {
        let conf = io.registers.get(BASE + TARGET_CONF + 4 * i as u32);
        let target = if conf >> 30 & 1 != 0 {
            self.unit_of(io, i).read(io.now) + u64::from(conf & 0x03FF_FFFF)
        } else {
            self.pair(io, TARGET + 8 * i as u32)
        };
        self.targets[i] = Some(target);
    }
}
