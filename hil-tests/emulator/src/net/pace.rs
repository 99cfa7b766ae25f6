//! While the host takes part, simulated time must not run ahead of the host's: a server on the host answers in its own time, and
//! a board that sleeps would otherwise find its time-outs over before the host has moved.
//!
//! This is, beside `serve`, the only place that reads the host's clock.

use crate::time::{Ticks, duration};
use std::time::{Duration, Instant};

/// A pair of moments that are the same.
#[derive(Default)]
pub struct Pace(Option<(Ticks, Instant)>);

impl Pace {
    /// Says whether the host takes part from now on.
    pub fn set(&mut self, with_host: bool, now: Ticks) {
        if !with_host {
            self.0 = None;
        } else if self.0.is_none() {
            self.0 = Some((now, Instant::now()));
        }
    }

    /// Waits until the host's clock has come as far as the simulated one. `look` waits a moment for the host and says whether it
    /// did something, which ends the wait.
    pub fn wait(&mut self, now: Ticks, mut look: impl FnMut() -> bool) {
        let Some((since, started)) = self.0 else { return };
        let simulated = duration(now.saturating_sub(since));
        while started.elapsed() < simulated {
            if look() {
                break;
            }
        }
        if started.elapsed() > simulated + Duration::from_millis(20) {
            // The simulation is slower: what was lost is not made up for by running ahead later.
            self.0 = Some((now, Instant::now()));
        }
    }
}
