//! Finds loops that poll a device over several blocks, and skips their turns.
//!
//! A program that waits for the flash sends it a command, waits for the command, looks at the answer and starts over: calls,
//! stores to the stack, device accesses. If processor, memories and devices are the same after a turn as before it, nothing
//! can end the loop but an event, and any whole number of turns until then may be left out. Nothing is assumed about the
//! code: the state is compared.

use super::Cpu;
use super::csr::Csrs;
use crate::bus::{Bus, State};
use crate::time::Ticks;

/// Equal looking turns before the whole state is copied.
const BEFORE_COPY: u32 = 4;
/// Turns without another try after one failed.
const PENALTY: u32 = 200;

/// The processor when the device was polled last, and what was found out since.
#[derive(Clone, Debug, Default)]
pub(super) struct Poll {
    pc: u32,
    registers: Vec<u32>,
    effects: u64,
    at: Ticks,
    instructions: u64,
    repeats: u32,
    penalty: u32,
    state: Option<(State, Csrs)>,
}

impl Cpu {
    /// A device was polled: notes it, and skips whole turns until `until` if the loop turned out to change nothing. Gives
    /// whether time moved.
    pub(super) fn skip_polling<B: Bus>(&mut self, bus: &mut B, effects: u64, until: Ticks) -> bool {
        let poll = &mut self.poll;
        if poll.penalty > 0 {
            poll.penalty -= 1;
            return false;
        }
        let now = bus.clock().base;
        let period = now - poll.at;
        let turn = self.instructions - poll.instructions;
        let same = poll.pc == self.pc && poll.effects == effects && poll.registers == self.x[..32];
        poll.at = now;
        poll.instructions = self.instructions;
        // Who looks at a clock may leave the loop for its sake, though nothing of what it saw is left.
        let looked = std::mem::take(&mut self.looked) | bus.take_volatile();
        if !same || looked {
            poll.pc = self.pc;
            poll.effects = effects;
            poll.registers = self.x[..32].to_vec();
            poll.repeats = 0;
            poll.state = None;
            return false;
        }
        poll.repeats += 1;
        if poll.repeats < BEFORE_COPY {
            return false;
        }
        let Some((before, csrs)) = poll.state.take() else {
            poll.state = Some((bus.state(), self.csrs.clone()));
            return false;
        };
        if csrs != self.csrs || !bus.is_state(&before) {
            poll.penalty = PENALTY;
            poll.repeats = 0;
            return false;
        }
        // The answer to the poll is worked out for a moment within the turn that follows it: that turn is executed.
        let turns = (until.saturating_sub(now) / period.max(1)).saturating_sub(1);
        bus.clock().base += turns * period;
        bus.skipped(turns * period);
        self.instructions += turns * turn;
        self.skipped += turns * turn;
        *poll = Poll::default();
        turns > 0
    }
}
