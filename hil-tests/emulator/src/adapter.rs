//! The serial adapter that is wired to a chip's UART: the far end of its transmit line.

use crate::time::{NEVER, TICKS_PER_SECOND, Ticks};
use crate::wire::{FRACTION, Receiver, Wire};
use std::collections::{BTreeMap, VecDeque};

/// Bytes that a test damages or drops, counted from 0 since the adapter was made.
#[derive(Clone, Debug, Default)]
pub struct SerialFaults {
    /// Bits to invert in the n-th byte.
    pub corrupt: BTreeMap<u64, u8>,
    /// Bytes that never arrive.
    pub drop: std::collections::BTreeSet<u64>,
}

impl SerialFaults {
    /// What becomes of the `n`-th byte.
    #[must_use]
    pub fn apply(&self, n: u64, byte: u8) -> Option<u8> {
        if self.drop.contains(&n) {
            return None;
        }
        Some(byte ^ self.corrupt.get(&n).copied().unwrap_or(0))
    }
}

/// The receiving half of the adapter.
#[derive(Clone)]
pub struct Adapter {
    receiver: Receiver,
    ticks_per_second: u64,
    baud: u32,
    /// What arrived and was not read yet.
    pub heard: VecDeque<u8>,
    /// Stop the run as soon as something was heard.
    pub wake: bool,
    /// Damage on the way from the chip.
    pub faults: SerialFaults,
    count: u64,
    /// When the frame that is on its way will be complete, if one is.
    due: Ticks,
}

impl Adapter {
    /// An adapter at `baud`.
    #[must_use]
    pub fn new(baud: u32) -> Self {
        Self::with_clock(baud, TICKS_PER_SECOND)
    }

    /// An adapter at `baud`, to a chip whose time has other ticks.
    #[must_use]
    pub fn with_clock(baud: u32, ticks_per_second: u64) -> Self {
        Self {
            receiver: Receiver::default(),
            ticks_per_second,
            baud: baud.max(1),
            heard: VecDeque::new(),
            wake: false,
            faults: SerialFaults::default(),
            count: 0,
            due: NEVER,
        }
    }

    /// Bytes that came since the adapter was made, damaged and lost ones included.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Changes its rate.
    pub fn set_baud(&mut self, baud: u32) {
        self.baud = baud.max(1);
        self.due = NEVER;
    }

    /// Length of a bit in 1/256 tick.
    #[must_use]
    pub fn bit(&self) -> u64 {
        (self.ticks_per_second * FRACTION / u64::from(self.baud)).max(1)
    }

    /// Receives what is complete at `now`; gives when the next frame will be.
    pub fn listen(&mut self, wire: &mut Wire, now: Ticks) -> Ticks {
        if self.due != NEVER && now < self.due {
            return self.due;
        }
        let bit = self.bit();
        while let Some(frame) = self.receiver.receive(wire, bit, now) {
            if let Some(byte) = self.faults.apply(self.count, frame.byte) {
                self.heard.push_back(byte);
            }
            self.count += 1;
        }
        self.due = self.receiver.due(wire, bit).unwrap_or(NEVER);
        self.due
    }

    /// Takes what was heard, as much as fits; how much.
    pub fn take(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.heard.len());
        for (byte, heard) in buffer.iter_mut().zip(self.heard.drain(..count)) {
            *byte = heard;
        }
        count
    }

    /// Whether the run must stop because something was heard.
    #[must_use]
    pub fn wakes(&self) -> bool {
        self.wake && !self.heard.is_empty()
    }
}
