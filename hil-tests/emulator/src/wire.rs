//! An asynchronous serial line as levels over time, and the receiver at its end.
//!
//! Nothing passes a byte directly: a sender draws the byte's edges at its own bit time, a receiver samples the level in the
//! middle of its own bits. Equal rates give the byte back; different rates give what they give on a bench.

use crate::time::Ticks;
use std::collections::VecDeque;

/// Fixed-point fraction of a bit time: 1/256 tick.
pub const FRACTION: u64 = 256;

/// A line: idle high, with the edges that are still of interest.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    edges: VecDeque<(Ticks, bool)>,
    /// When the last frame drawn ends.
    free_at: Ticks,
}

impl Wire {
    /// When the last frame drawn ends.
    #[must_use]
    pub fn free_at(&self) -> Ticks {
        self.free_at
    }

    /// Draws a frame of start bit, eight data bits and a stop bit, `bit` (in 1/256 tick) long each, from `start` or
    /// the end of the last frame on. Gives the end of its stop bit.
    pub fn send(&mut self, byte: u8, start: Ticks, bit: u64) -> Ticks {
        let start = start.max(self.free_at);
        let mut level = true;
        let frame = u16::from(byte) << 1 | 1 << 9;
        for i in 0..10 {
            let next = frame >> i & 1 != 0;
            if next != level {
                self.edges.push_back((start + i * bit / FRACTION, next));
                level = next;
            }
        }
        self.free_at = start + 10 * bit / FRACTION;
        self.free_at
    }

    /// Drops everything that is on its way.
    pub fn clear(&mut self) {
        self.edges.clear();
        self.free_at = 0;
    }

    fn level_at(&self, when: Ticks) -> bool {
        self.edges.iter().take_while(|&&(at, _)| at <= when).last().is_none_or(|&(_, level)| level)
    }

    /// The level at `when`; only meaningful for times not yet consumed.
    #[must_use]
    pub fn level(&self, when: Ticks) -> bool {
        self.level_at(when)
    }
}

/// What a receiver made of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The byte.
    pub byte: u8,
    /// The stop bit was low.
    pub framing_error: bool,
    /// All bits, stop bit included, were low.
    pub is_break: bool,
}

/// Times between edges, for baud rate detection. Durations are in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulses {
    /// Edges seen.
    pub edges: u32,
    /// Shortest low and high pulse.
    pub low: Ticks,
    /// Shortest high pulse.
    pub high: Ticks,
    /// Shortest distance between rising edges.
    pub rising: Ticks,
    /// Shortest distance between falling edges.
    pub falling: Ticks,
}

impl Default for Pulses {
    fn default() -> Self {
        Self { edges: 0, low: Ticks::MAX, high: Ticks::MAX, rising: Ticks::MAX, falling: Ticks::MAX }
    }
}

/// The receiving end of a [`Wire`].
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    /// From when on a falling edge is a start bit.
    hunting_from: Ticks,
    /// Edges before this time went into the pulse counters.
    measured_to: Ticks,
    last_edge: Option<(Ticks, bool)>,
    last_rising: Option<Ticks>,
    last_falling: Option<Ticks>,
}

impl Receiver {
    /// When the frame that begins next on the wire will have been received, with bits of `bit` (1/256 tick).
    #[must_use]
    pub fn due(&self, wire: &Wire, bit: u64) -> Option<Ticks> {
        Some(self.start(wire)? + (19 * bit).div_ceil(2 * FRACTION))
    }

    fn start(&self, wire: &Wire) -> Option<Ticks> {
        wire.edges.iter().find(|&&(at, level)| !level && at >= self.hunting_from).map(|&(at, _)| at)
    }

    /// Forgets what is on the wire before `now`, as a receiver that was held in reset does.
    pub fn restart(&mut self, wire: &mut Wire, now: Ticks) {
        self.hunting_from = now;
        self.prune(wire);
    }

    /// Receives the next frame if it is complete at `now`.
    pub fn receive(&mut self, wire: &mut Wire, bit: u64, now: Ticks) -> Option<Frame> {
        let start = self.start(wire)?;
        let sample = |n: u64| start + (2 * n + 1) * bit / (2 * FRACTION);
        let due = self.due(wire, bit)?;
        if due > now {
            return None;
        }
        let (mut edges, mut level) = (wire.edges.iter().peekable(), true);
        let mut level_at = |when| {
            while let Some((_, next)) = edges.next_if(|&&(at, _)| at <= when) {
                level = *next;
            }
            level
        };
        let byte = (0..8).fold(0, |byte, i| byte | u8::from(level_at(sample(1 + i))) << i);
        let stop = level_at(sample(9));
        self.hunting_from = sample(9);
        let frame = Frame { byte, framing_error: !stop, is_break: !stop && byte == 0 };
        self.prune(wire);
        Some(frame)
    }

    /// Drops edges that neither sampling nor measuring will look at again.
    fn prune(&mut self, wire: &mut Wire) {
        while wire.edges.len() > 1 && wire.edges[1].0 <= self.hunting_from {
            self.measure_one(wire.edges[0], &mut None);
            wire.edges.pop_front();
        }
    }

    /// Adds the edges up to `now` to `pulses`.
    pub fn measure(&mut self, wire: &Wire, now: Ticks, pulses: &mut Pulses) {
        let edges: Vec<(Ticks, bool)> =
            wire.edges.iter().copied().filter(|&(at, _)| at >= self.measured_to && at <= now).collect();
        for edge in edges {
            self.measure_one(edge, &mut Some(pulses));
        }
    }

    /// Forgets earlier edges, so that measuring starts with the next one after `now`.
    pub fn restart_measuring(&mut self, now: Ticks) {
        self.measured_to = now + 1;
        self.last_edge = None;
        self.last_rising = None;
        self.last_falling = None;
    }

    fn measure_one(&mut self, (at, level): (Ticks, bool), pulses: &mut Option<&mut Pulses>) {
        if at < self.measured_to {
            return;
        }
        self.measured_to = at + 1;
        let previous = if level { self.last_rising.replace(at) } else { self.last_falling.replace(at) };
        let before = self.last_edge.replace((at, level));
        let Some(pulses) = pulses else { return };
        pulses.edges += 1;
        if let Some((since, was)) = before {
            let shortest = if was { &mut pulses.high } else { &mut pulses.low };
            *shortest = (*shortest).min(at - since);
        }
        if let Some(since) = previous {
            let shortest = if level { &mut pulses.rising } else { &mut pulses.falling };
            *shortest = (*shortest).min(at - since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const BIT: u64 = 1000 * FRACTION;

    fn receive_all(wire: &mut Wire, bit: u64) -> Vec<Frame> {
        let mut receiver = Receiver::default();
        let mut frames = Vec::new();
        while let Some(due) = receiver.due(wire, bit) {
            frames.extend(receiver.receive(wire, bit, due));
        }
        frames
    }

    #[rstest]
    #[case(BIT)]
    #[case(BIT * 103 / 100)]
    #[case(BIT * 97 / 100)]
    fn receives_what_was_sent_within_tolerance(#[case] bit: u64) {
        let mut wire = Wire::default();
        let sent: Vec<u8> = (0..=255).collect();
        for &byte in &sent {
            wire.send(byte, 0, BIT);
        }
        let received: Vec<u8> = receive_all(&mut wire, bit).iter().map(|frame| frame.byte).collect();
        assert_eq!(received, sent);
    }

    #[test]
    fn a_wrong_rate_gives_rubbish() {
        let mut wire = Wire::default();
        for &byte in b"hello" {
            wire.send(byte, 0, BIT);
        }
        let received: Vec<u8> = receive_all(&mut wire, BIT * 2).iter().map(|frame| frame.byte).collect();
        assert_ne!(received, b"hello");
    }

    #[test]
    fn a_slow_zero_is_a_break_for_a_fast_receiver() {
        let mut wire = Wire::default();
        wire.send(0, 0, BIT * 4);
        assert!(receive_all(&mut wire, BIT)[0].is_break);
    }

    #[test]
    fn a_receiver_that_restarts_hears_only_what_comes() {
        let mut wire = Wire::default();
        let end = wire.send(b'a', 0, BIT);
        let mut receiver = Receiver::default();
        receiver.restart(&mut wire, end + 1);
        assert_eq!(receiver.due(&wire, BIT), None);
        wire.send(b'b', end + 10, BIT);
        let due = receiver.due(&wire, BIT).unwrap();
        assert_eq!(receiver.receive(&mut wire, BIT, due).unwrap().byte, b'b');
    }

    #[test]
    fn measures_pulses() {
        let mut wire = Wire::default();
        for _ in 0..4 {
            wire.send(0x55, 0, BIT);
        }
        let (mut receiver, mut pulses) = (Receiver::default(), Pulses::default());
        receiver.measure(&wire, u64::MAX - 1, &mut pulses);
        assert_eq!(pulses, Pulses { edges: 40, low: 1000, high: 1000, rising: 2000, falling: 2000 });
    }
}
