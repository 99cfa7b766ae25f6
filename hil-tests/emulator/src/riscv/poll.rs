//! Finds loops that poll a device over several blocks, and skips their turns.
//!
//! A program that waits for the flash sends it a command, waits for the command, looks at the answer and starts over: calls,
//! stores to the stack, device accesses. If processor, memories and devices are the same after a turn as before it, nothing
//! can end the loop but an event, and any whole number of turns until then may be left out. Nothing is assumed about the
//! code: the state is compared. What a turn stores is logged ([`crate::memory::Memory::watch`]), so that nothing is copied.

use super::Cpu;
use super::csr::Csrs;
use crate::bus::{Bus, State};
use crate::time::Ticks;

/// Everything but memory when the device was polled last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    pc: u32,
    registers: [u32; 32],
    csrs: Csrs,
    effects: u64,
    devices: State,
}

/// When the device was polled last, and how it was then.
#[derive(Clone, Debug, Default)]
pub(super) struct Poll {
    seen: Option<Seen>,
    at: Ticks,
    instructions: u64,
}

impl Cpu {
    /// A device was polled: notes it, and skips whole turns until `until` if the last one turned out to change nothing. Gives
    /// whether time moved.
    pub(super) fn skip_polling<B: Bus>(&mut self, bus: &mut B, effects: u64, until: Ticks) -> bool {
        let now = bus.clock().base;
        let mut registers = [0; 32];
        registers.copy_from_slice(&self.x[..32]);
        let seen = Seen { pc: self.pc, registers, csrs: self.csrs.clone(), effects, devices: bus.state() };
        // Who looks at a clock may leave the loop for its sake, though nothing of what it saw is left.
        let looked = std::mem::take(&mut self.looked) | bus.take_volatile();
        let same = !looked && bus.memory().is_unchanged() && self.poll.seen.as_ref() == Some(&seen);
        let period = now - self.poll.at;
        let turn = self.instructions - self.poll.instructions;
        bus.memory().watch();
        self.poll = Poll { seen: Some(seen), at: now, instructions: self.instructions };
        if !same {
            return false;
        }
        // The answer to the poll is worked out for a moment within the turn that follows it: that turn is executed.
        let turns = (until.saturating_sub(now) / period.max(1)).saturating_sub(1);
        if turns == 0 {
            return false;
        }
        bus.clock().base += turns * period;
        bus.skipped(turns * period);
        bus.memory().unwatch();
        self.instructions += turns * turn;
        self.skipped += turns * turn;
        self.poll = Poll::default();
        true
    }
}
