//! The time counters of the MAC (TSF): four counters of microseconds, each with a timer and with target beacon transmission
//! times (TBTT), at which the driver sends beacons or wakes up for them.
//!
//! Source: the register accesses of `tsf_hal_*` and `pwr_hal_*` in the vendor's libpp.a (esp-wifi-sys-esp32c3 0.3.0), whose
//! names say what they do. Beacons that are received do not correct a counter; the driver does that itself.

use super::super::io::Io;
use crate::registers::Registers;
use crate::time::{NEVER, TICKS_PER_US, Ticks};

/// Base address.
pub const BASE: u32 = 0x6003_5000;
const NOW: u32 = 0x00;
/// Per counter: latch (bits 3:0), load (7:4), load the start of its beacon times (11:8).
const CONTROL: u32 = 0x0C;
/// What is loaded into a counter.
const LOAD_LOW: u32 = 0x10;
const LOAD_HIGH: u32 = 0x14;
/// What was latched.
const LOW: u32 = 0x18;
const HIGH: u32 = 0x1C;
/// The 26 lowest bits of the first beacon time.
const START: u32 = 0x20;
/// Counter 0's configuration; the others are 12 bytes apart.
const CONFIG: u32 = 0x28;
const CONFIG_BEACONS: u32 = 1 << 26;
/// Counter 0's beacon interval in time units of 1024 us (15:0), and how many microseconds earlier the driver wants to know (31:16).
const INTERVAL: u32 = 0x30;
const PER_COUNTER: u32 = 12;
/// Timer 0: enabled (bit 31); the counter's low word at which it strikes is behind. The others are 8 bytes apart.
const TIMER: u32 = 0x5C;
const TARGET: u32 = 0x60;
const PER_TIMER: u32 = 8;
/// A random number, another one at every read (`hal_random`).
pub const RANDOM: u32 = 0x7C;
const INT_ENA: u32 = 0x110;
const INT_RAW: u32 = 0x114;
const INT_ST: u32 = 0x118;
const INT_CLR: u32 = 0x11C;
/// Interrupt of counter 0's beacon time and of its timer; the others are below.
const BEACON_EVENT: u32 = 1 << 4;
const TIMER_EVENT: u32 = 1 << 8;

const COUNTERS: usize = 4;
const START_BITS: u32 = 26;

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[
    NOW, CONTROL, LOW, HIGH, 0x28, 0x30, 0x34, 0x3C, 0x40, 0x48, 0x4C, 0x54, 0x5C, 0x60, 0x64, 0x68, 0x6C,
    0x70, 0x74, 0x78, RANDOM, INT_ENA, INT_RAW, INT_ST, INT_CLR,
];

#[derive(Clone, Copy)]
struct Counter {
    /// Added to the microseconds since power-on.
    offset: u64,
    /// Low bits of the first beacon time.
    start: u64,
    beacon_at: Ticks,
    timer_at: Ticks,
}

impl Default for Counter {
    fn default() -> Self {
        Self { offset: 0, start: 0, beacon_at: NEVER, timer_at: NEVER }
    }
}

impl Counter {
    fn value(self, now: Ticks) -> u64 {
        (now / TICKS_PER_US).wrapping_add(self.offset)
    }

    /// When the counter will have come to `value`.
    fn moment(self, value: u64) -> Ticks {
        value.wrapping_sub(self.offset).saturating_mul(TICKS_PER_US)
    }

    /// The next time after `now` of which the driver wants to know `early` microseconds before.
    fn next_beacon(self, now: Ticks, interval: u64, early: u64) -> Ticks {
        // A program may load any value; beyond half of the range nothing is due any more.
        let (value, span) = (self.value(now).min(u64::MAX >> 1) + early, 1 << START_BITS);
        let mut first = value / span * span + self.start;
        if first > value + span / 2 {
            first = first.saturating_sub(span);
        }
        let next = if first > value { first } else { first + ((value - first) / interval + 1) * interval };
        self.moment(next - early)
    }
}

/// The counters.
#[derive(Clone, Default)]
pub struct Tsf {
    counters: [Counter; COUNTERS],
    raw: u32,
}

fn word(registers: &Registers, offset: u32) -> u32 {
    registers.get(BASE + offset)
}

impl Tsf {
    /// Whether an interrupt is asked for.
    #[must_use]
    pub fn interrupt(&self, io: &Io<'_>) -> bool {
        self.raw & word(io.registers, INT_ENA) != 0
    }

    /// When something happens next.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        self.counters.iter().map(|counter| counter.beacon_at.min(counter.timer_at)).min().unwrap_or(NEVER)
    }

    /// Handles what is due.
    pub fn advance(&mut self, io: &Io<'_>) {
        for n in 0..COUNTERS {
            if self.counters[n].timer_at <= io.now {
                self.raw |= TIMER_EVENT >> n;
                self.counters[n].timer_at = NEVER;
            }
            if self.counters[n].beacon_at <= io.now {
                self.raw |= BEACON_EVENT >> n;
                self.schedule_beacon(io, n);
            }
        }
    }

    /// Reads a register.
    #[must_use]
    pub fn read(&self, io: &mut Io<'_>, offset: u32) -> u32 {
        match offset {
            NOW => {
                *io.volatile = true;
                (io.now / TICKS_PER_US) as u32
            }
            INT_RAW => self.raw,
            INT_ST => self.raw & word(io.registers, INT_ENA),
            _ => word(io.registers, offset),
        }
    }

    /// Writes a register.
    pub fn write(&mut self, io: &mut Io<'_>, offset: u32, value: u32) {
        match offset {
            CONTROL => self.control(io, value),
            INT_CLR => self.raw &= !value,
            NOW | LOW | HIGH | INT_RAW | INT_ST => {}
            _ => io.registers.set(BASE + offset, value),
        }
        for n in 0..COUNTERS {
            let (config, timer) = (PER_COUNTER * n as u32, TIMER + PER_TIMER * n as u32);
            if offset == CONTROL || offset == CONFIG + config || offset == INTERVAL + config {
                self.schedule_beacon(io, n);
            }
            if offset == CONTROL || offset == timer || offset == timer + TARGET - TIMER {
                self.schedule_timer(io, n);
            }
        }
    }

    /// The command bits clear themselves.
    fn control(&mut self, io: &mut Io<'_>, value: u32) {
        for (n, counter) in self.counters.iter_mut().enumerate() {
            if value >> n & 1 != 0 {
                let value = counter.value(io.now);
                // What was latched depends on the moment.
                *io.volatile = true;
                io.registers.set(BASE + LOW, value as u32);
                io.registers.set(BASE + HIGH, (value >> 32) as u32);
            }
            if value >> (4 + n) & 1 != 0 {
                let (low, high) = (word(io.registers, LOAD_LOW), word(io.registers, LOAD_HIGH));
                let value = u64::from(high) << 32 | u64::from(low);
                counter.offset = value.wrapping_sub(io.now / TICKS_PER_US);
            }
            if value >> (8 + n) & 1 != 0 {
                counter.start = u64::from(word(io.registers, START) & ((1 << START_BITS) - 1));
            }
        }
        io.registers.set(BASE + CONTROL, value & !0xFFF);
    }

    fn schedule_beacon(&mut self, io: &Io<'_>, n: usize) {
        let at = PER_COUNTER * n as u32;
        let [low, high] = [0, 16].map(|shift| u64::from(word(io.registers, INTERVAL + at) >> shift & 0xFFFF));
        let on = word(io.registers, CONFIG + at) & CONFIG_BEACONS != 0 && low != 0;
        let counter = &mut self.counters[n];
        counter.beacon_at = if on { counter.next_beacon(io.now, low * 1024, high) } else { NEVER };
    }

    fn schedule_timer(&mut self, io: &Io<'_>, n: usize) {
        let at = TIMER + PER_TIMER * n as u32;
        let (on, target) = (word(io.registers, at) >> 31 != 0, word(io.registers, at + TARGET - TIMER));
        let counter = &mut self.counters[n];
        let value = counter.value(io.now);
        let wait = target.wrapping_sub(value as u32);
        counter.timer_at = if on { counter.moment(value.wrapping_add(wait.into())) } else { NEVER };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        registers: Registers,
        tsf: Tsf,
        now: Ticks,
    }

    impl Bench {
        fn new() -> Self {
            Self { registers: Registers::new(BASE, 0x1000, &[], &[], &[]), tsf: Tsf::default(), now: 0 }
        }

        fn io<T>(&mut self, act: impl FnOnce(&mut Tsf, &mut Io<'_>) -> T) -> T {
            let (mut volatile, mut stable_until) = (false, 0);
            let mut io = Io {
                registers: &mut self.registers,
                now: self.now,
                apb: 6,
                volatile: &mut volatile,
                stable_until: &mut stable_until,
            };
            act(&mut self.tsf, &mut io)
        }

        fn write(&mut self, offset: u32, value: u32) {
            self.io(|tsf, io| tsf.write(io, offset, value));
        }

        fn read(&mut self, offset: u32) -> u32 {
            self.io(|tsf, io| tsf.read(io, offset))
        }

        /// Goes to the next event; gives its time in microseconds and the interrupts, which are cleared.
        fn next(&mut self) -> (u64, u32) {
            self.now = self.tsf.next_event();
            self.io(|tsf, io| tsf.advance(io));
            let raw = self.read(INT_RAW);
            self.write(INT_CLR, raw);
            (self.now / TICKS_PER_US, raw)
        }
    }

    #[test]
    fn a_counter_is_loaded_and_latched() {
        let mut bench = Bench::new();
        bench.now = 1000 * TICKS_PER_US;
        bench.write(LOAD_LOW, 0xFFFF_FFF0);
        bench.write(LOAD_HIGH, 7);
        bench.write(CONTROL, 1 << 5);
        bench.now += 32 * TICKS_PER_US;
        bench.write(CONTROL, 1 << 1);
        assert_eq!((bench.read(LOW), bench.read(HIGH)), (0x10, 8));
        bench.write(CONTROL, 1);
        assert_eq!((bench.read(LOW), bench.read(HIGH)), (1032, 0), "counter 0 is another one");
    }

    #[test]
    fn beacon_times_come_at_their_interval_and_as_early_as_asked() {
        let mut bench = Bench::new();
        bench.write(START, 5000);
        bench.write(CONTROL, 1 << 9);
        bench.write(INTERVAL + PER_COUNTER, 300 << 16 | 100);
        bench.write(CONFIG + PER_COUNTER, CONFIG_BEACONS);
        assert_eq!(bench.next(), (4700, BEACON_EVENT >> 1));
        assert_eq!(bench.next(), (4700 + 102_400, BEACON_EVENT >> 1));
        bench.write(CONFIG + PER_COUNTER, 0);
        assert_eq!(bench.tsf.next_event(), NEVER);
    }

    #[test]
    fn a_timer_strikes_once_and_only_if_enabled() {
        let mut bench = Bench::new();
        bench.write(TARGET + 3 * PER_TIMER, 250);
        assert_eq!(bench.tsf.next_event(), NEVER);
        bench.write(TIMER + 3 * PER_TIMER, 1 << 31);
        bench.write(INT_ENA, TIMER_EVENT >> 3);
        bench.now = bench.tsf.next_event();
        bench.io(|tsf, io| tsf.advance(io));
        assert_eq!(bench.now, 250 * TICKS_PER_US);
        assert_eq!(bench.read(INT_ST), TIMER_EVENT >> 3);
        assert!(bench.io(|tsf, io| tsf.interrupt(io)));
        bench.write(INT_CLR, TIMER_EVENT >> 3);
        assert_eq!((bench.read(INT_ST), bench.tsf.next_event()), (0, NEVER));
    }
}
