//! Simulated time: one clock whose tick divides every clock of the chips evenly.
//!
//! A tick is 1/480 µs, the period of the ESP32-C3's PLL, so CPU (160/80/40/20 MHz), APB, crystal and SYSTIMER periods are whole
//! numbers of ticks and a run never rounds. Nothing here reads the host's clock.

use std::time::Duration;

/// Simulated time since power-on of the simulation, in ticks of [`TICKS_PER_SECOND`].
pub type Ticks = u64;

/// Ticks in a simulated second.
pub const TICKS_PER_SECOND: u64 = 480_000_000;

/// Ticks in a simulated microsecond.
pub const TICKS_PER_US: u64 = TICKS_PER_SECOND / 1_000_000;

/// A moment that never comes.
pub const NEVER: Ticks = u64::MAX;

/// Converts a duration to ticks, rounding up.
#[must_use]
pub fn ticks(duration: Duration) -> Ticks {
    u64::try_from((duration.as_nanos() * u128::from(TICKS_PER_SECOND)).div_ceil(1_000_000_000))
        .unwrap_or(NEVER)
}

/// Converts ticks to a duration, rounding down to nanoseconds.
#[must_use]
pub fn duration(ticks: Ticks) -> Duration {
    let nanoseconds = u128::from(ticks) * 1_000_000_000 / u128::from(TICKS_PER_SECOND);
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

/// The simulation's clock as the processor and the bus share it.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Time at the start of the block that is executing.
    pub base: Ticks,
    /// Time within that block; only set while a device is being accessed.
    pub within: Ticks,
    per_cycle: u64,
    /// The CPU's frequency from the next block on, so that time never runs backwards within one.
    wanted: u64,
    /// When the processor must leave its loop: the next event, the end of the run, or 0 for at once.
    pub attention: Ticks,
    /// CPU cycles counted until [`Clock::since`].
    counted: u64,
    /// When the present CPU frequency was set.
    since: Ticks,
    /// Subtracted from the cycles when the program reads its counter.
    counter_base: u32,
}

impl Clock {
    /// A clock at time zero for a CPU whose cycle takes `per_cycle` ticks.
    #[must_use]
    pub fn new(per_cycle: u64) -> Self {
        Self {
            base: 0,
            within: 0,
            per_cycle,
            wanted: per_cycle,
            attention: 0,
            counted: 0,
            since: 0,
            counter_base: 0,
        }
    }

    /// CPU cycles since time zero.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.counted + (self.now() - self.since) / self.per_cycle
    }

    /// Ticks of one CPU cycle.
    #[inline(always)]
    #[must_use]
    pub fn per_cycle(&self) -> u64 {
        self.per_cycle
    }

    /// The program's cycle counter.
    #[must_use]
    pub fn counter(&self) -> u32 {
        (self.cycles() as u32).wrapping_sub(self.counter_base)
    }

    /// The program sets its cycle counter.
    pub fn set_counter(&mut self, value: u32) {
        self.counter_base = (self.cycles() as u32).wrapping_sub(value);
    }

    /// Changes the CPU's frequency after the present block.
    pub fn set_per_cycle(&mut self, per_cycle: u64) {
        self.wanted = per_cycle;
        self.attention = 0;
    }

    /// Lets a changed frequency take effect; between blocks only.
    pub fn apply(&mut self) {
        if self.wanted != self.per_cycle {
            self.counted = self.cycles();
            self.since = self.now();
            self.per_cycle = self.wanted;
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Ticks {
        self.base + self.within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_both_ways() {
        assert_eq!(ticks(Duration::from_micros(1)), 480);
        assert_eq!(duration(480), Duration::from_micros(1));
        assert_eq!(duration(ticks(Duration::from_secs(3600))), Duration::from_secs(3600));
    }
}
