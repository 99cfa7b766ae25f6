//! Timer groups: one general-purpose timer, one watchdog and the slow clock calibration each. Source: TRM chapters 11, 12, 6.

use super::io::{Io, RC_SLOW, XTAL};
use super::reset::Request;
use crate::time::{NEVER, Ticks};

const T0CONFIG: u32 = 0x00;
const T0LO: u32 = 0x04;
const T0HI: u32 = 0x08;
const T0UPDATE: u32 = 0x0C;
const T0ALARMLO: u32 = 0x10;
const T0ALARMHI: u32 = 0x14;
const T0LOADLO: u32 = 0x18;
const T0LOAD: u32 = 0x20;
const WDTCONFIG0: u32 = 0x48;
const WDTCONFIG1: u32 = 0x4C;
const WDTCONFIG2: u32 = 0x50;
const WDTFEED: u32 = 0x60;
const WDTWPROTECT: u32 = 0x64;
const RTCCALICFG: u32 = 0x68;
const RTCCALICFG1: u32 = 0x6C;
const INT_ENA: u32 = 0x70;
const INT_RAW: u32 = 0x74;
const INT_ST: u32 = 0x78;
const INT_CLR: u32 = 0x7C;

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[
    0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C, 0x20, 0x48, 0x4C, 0x50, 0x54, 0x58, 0x5C, 0x60, 0x64,
    0x68, 0x6C, 0x70, 0x74, 0x78, 0x7C,
];

const WRITE_KEY: u32 = 0x50D8_3AA1;
const ALARM_ENABLE: u32 = 1 << 10;
const AUTORELOAD: u32 = 1 << 29;
const INCREASE: u32 = 1 << 30;
const ENABLE: u32 = 1 << 31;
const MASK: u64 = (1 << 54) - 1;

/// Base addresses of the two groups.
pub const BASES: [u32; 2] = [0x6001_F000, 0x6002_0000];

/// One group.
#[derive(Clone)]
pub struct TimerGroup {
    base: u32,
    /// The chip was strapped to boot from flash, which arms the protection of group 0.
    flash_boot: bool,
    value: u64,
    value_at: Ticks,
    latched: u64,
    raw: u32,
    /// Stage the watchdog is in and when it began.
    stage: usize,
    stage_since: Ticks,
    calibrated_at: Ticks,
    next: Ticks,
}

impl TimerGroup {
    /// The group whose registers are at `base`, after reset at `now`.
    #[must_use]
    pub fn new(base: u32, now: Ticks, flash_boot: bool) -> Self {
        Self {
            base,
            flash_boot,
            value: 0,
            value_at: now,
            latched: 0,
            raw: 0,
            stage: 0,
            stage_since: now,
            calibrated_at: 0,
            // The flash boot protection is on after reset: look at once.
            next: now,
        }
    }

    /// Interrupts asked for: bit 0 the timer, bit 1 the watchdog.
    #[must_use]
    pub fn interrupts(&self, io: &Io<'_>) -> u32 {
        self.raw & io.registers.get(self.base + INT_ENA)
    }

    /// When something happens next.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        self.next
    }

    fn register(&self, io: &Io<'_>, offset: u32) -> u32 {
        io.registers.get(self.base + offset)
    }

    fn step(&self, io: &Io<'_>) -> u64 {
        let config = self.register(io, T0CONFIG);
        let divider = match config >> 13 & 0xFFFF {
            0 => 0x1_0000,
            1 => 2,
            divider => u64::from(divider),
        };
        divider * if config & 1 << 9 != 0 { XTAL } else { io.apb }
    }

    fn count(&self, io: &Io<'_>) -> u64 {
        let config = self.register(io, T0CONFIG);
        if config & ENABLE == 0 {
            return self.value;
        }
        let steps = (io.now - self.value_at) / self.step(io);
        if config & INCREASE != 0 {
            self.value.wrapping_add(steps) & MASK
        } else {
            self.value.wrapping_sub(steps) & MASK
        }
    }

    fn set(&mut self, value: u64, now: Ticks) {
        (self.value, self.value_at) = (value, now);
    }

    fn pair(&self, io: &Io<'_>, offset: u32) -> u64 {
        (u64::from(self.register(io, offset + 4) & 0x3F_FFFF) << 32) | u64::from(self.register(io, offset))
    }

    fn alarm_at(&self, io: &Io<'_>) -> Ticks {
        let config = self.register(io, T0CONFIG);
        if config & (ENABLE | ALARM_ENABLE) != ENABLE | ALARM_ENABLE {
            return NEVER;
        }
        let alarm = self.pair(io, T0ALARMLO);
        let steps = if config & INCREASE != 0 {
            alarm.saturating_sub(self.value)
        } else {
            self.value.saturating_sub(alarm)
        };
        self.value_at.saturating_add(steps.saturating_mul(self.step(io)))
    }

    fn watchdog_runs(&self, io: &Io<'_>) -> bool {
        let config = self.register(io, WDTCONFIG0);
        // Flash boot protection, group 0 only, resets a chip whose flash holds nothing bootable.
        let protects = self.base == BASES[0] && self.flash_boot;
        config & ENABLE != 0 || protects && config & 1 << 14 != 0
    }

    fn stage_ends(&self, io: &Io<'_>) -> Ticks {
        if !self.watchdog_runs(io) || self.stage > 3 {
            return NEVER;
        }
        let prescale = u64::from(self.register(io, WDTCONFIG1) >> 16).max(1);
        let clock = if self.register(io, WDTCONFIG0) & 1 << 21 != 0 { XTAL } else { io.apb };
        let hold = u64::from(self.register(io, WDTCONFIG2 + 4 * self.stage as u32));
        self.stage_since + hold * prescale * clock
    }

    fn schedule(&mut self, io: &Io<'_>) {
        let calibration = if self.calibrated_at > io.now { self.calibrated_at } else { NEVER };
        self.next = self.alarm_at(io).min(self.stage_ends(io)).min(calibration);
    }

    /// Handles what is due; gives the reset that a watchdog demands.
    pub fn advance(&mut self, io: &mut Io<'_>) -> Option<Request> {
        if io.now < self.next {
            return None;
        }
        if self.alarm_at(io) <= io.now {
            self.raw |= 1;
            let config = self.register(io, T0CONFIG);
            if config & AUTORELOAD != 0 {
                let load = self.pair(io, T0LOADLO);
                self.set(load, io.now);
            }
            io.registers.set(self.base + T0CONFIG, config & !ALARM_ENABLE);
        }
        let mut request = None;
        if self.stage_ends(io) <= io.now {
            let action = self.register(io, WDTCONFIG0) >> (29 - 2 * self.stage) & 3;
            self.stage += 1;
            self.stage_since = io.now;
            match action {
                // With flash boot protection alone (not enabled otherwise) stage 0 resets the system.
                _ if self.stage == 1 && self.register(io, WDTCONFIG0) & ENABLE == 0 => {
                    request = Some(self.system_reset())
                }
                1 => self.raw |= 2,
                2 => request = Some(self.cpu_reset()),
                3 => request = Some(self.system_reset()),
                _ => {}
            }
        }
        self.schedule(io);
        request
    }

    fn system_reset(&self) -> Request {
        if self.base == BASES[0] { Request::Timg0System } else { Request::Timg1System }
    }

    fn cpu_reset(&self) -> Request {
        if self.base == BASES[0] { Request::Timg0Cpu } else { Request::Timg1Cpu }
    }

    /// Reads a register.
    pub fn read(&mut self, io: &mut Io<'_>, offset: u32) -> u32 {
        match offset {
            T0LO => self.latched as u32,
            T0HI => (self.latched >> 32) as u32,
            T0UPDATE => self.register(io, offset) & !ENABLE,
            RTCCALICFG => {
                let config = self.register(io, offset) & !(1 << 15);
                if io.now < self.calibrated_at {
                    return config;
                }
                let cycling = config & 1 << 12 != 0;
                config | if self.calibrated_at != 0 || cycling { 1 << 15 } else { 0 }
            }
            RTCCALICFG1 => self.calibration(io) << 7 | 1,
            INT_RAW => self.raw,
            INT_ST => self.interrupts(io),
            _ => self.register(io, offset),
        }
    }

    /// Crystal cycles in as many cycles of the clock under test as were asked for.
    fn calibration(&self, io: &Io<'_>) -> u32 {
        let config = self.register(io, RTCCALICFG);
        let period = match config >> 13 & 3 {
            0 => RC_SLOW,
            // RC_FAST divided by 256
            1 => super::io::RC_FAST * 256,
            _ => 480_000_000 / 32_768,
        };
        (u64::from(config >> 16 & 0x7FFF) * period / XTAL) as u32 & 0x1FF_FFFF
    }

    /// Writes a register; says whether events or interrupts may have changed.
    pub fn write(&mut self, io: &mut Io<'_>, offset: u32, value: u32) -> bool {
        match offset {
            T0CONFIG | T0ALARMLO | T0ALARMHI => {
                let count = self.count(io);
                self.set(count, io.now);
                io.registers.set(self.base + offset, value);
            }
            T0UPDATE => {
                self.latched = self.count(io);
                return false;
            }
            T0LOAD => {
                let load = self.pair(io, T0LOADLO);
                self.set(load, io.now);
            }
            WDTCONFIG0..WDTWPROTECT => self.write_watchdog(io, offset, value),
            RTCCALICFG => {
                io.registers.set(self.base + offset, value);
                if value & ENABLE != 0 {
                    let cycles = u64::from(self.calibration(io));
                    self.calibrated_at = io.now + cycles * XTAL;
                }
            }
            INT_CLR => self.raw &= !value,
            INT_RAW | INT_ST | T0LO | T0HI | RTCCALICFG1 => return false,
            _ => io.registers.set(self.base + offset, value),
        }
        self.schedule(io);
        true
    }

    fn write_watchdog(&mut self, io: &mut Io<'_>, offset: u32, value: u32) {
        if self.register(io, WDTWPROTECT) != WRITE_KEY {
            return;
        }
        let ran = self.watchdog_runs(io);
        io.registers.set(self.base + offset, value);
        if offset == WDTFEED || !ran {
            self.stage = 0;
            self.stage_since = io.now;
        }
    }
}
