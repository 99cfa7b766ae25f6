//! What else than the air's frames reaches the driver: damaged copies of what the receiver takes, or given frames. For tests.
//!
//! It is put behind the modelled hardware, so that it reaches the driver: the check sequence is right, the frame decrypted, and
//! who shall receive it stays as it was. Equal seeds give equal copies.

use crate::air::frame::flag;
use std::collections::VecDeque;

/// Protocol version, type and flags; then the receiver's address, behind a duration.
const KIND: usize = 0;
const FLAGS: usize = 1;
const RECEIVER: std::ops::Range<usize> = 4..10;
const HEADER: usize = 24;
/// Shortest copy: up to the receiver's address.
const SHORTEST: usize = RECEIVER.end;
/// Longest copy: what a receive buffer holds beside what the hardware adds.
const LONGEST: usize = 1500;
/// Frames that are remembered.
const LATEST: usize = 12;
/// Types that are tried in place of the right one.
const KINDS: [u8; 14] = [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x80, 0xA0, 0xB0, 0xC0, 0xD0, 0x08, 0x88, 0x48];
/// Bytes that mean something as a length or a number.
const LIKELY: [u8; 8] = [0, 1, 2, 0x7F, 0x80, 0xDD, 0xFE, 0xFF];

/// Makes damaged copies, or puts given frames behind each.
#[derive(Clone, Debug)]
pub struct Damage {
    noise: u64,
    copies: u32,
    given: Vec<Vec<u8>>,
    made: u64,
    latest: VecDeque<Vec<u8>>,
}

impl Damage {
    /// So many copies of each frame.
    #[must_use]
    pub fn new(seed: u64, copies: u32) -> Self {
        // Seeds that are near each other begin far from each other.
        let noise = (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x6A09_E667_F3BC_C909).max(1);
        Self { noise, copies, given: Vec::new(), made: 0, latest: VecDeque::new() }
    }

    /// No copies: these frames follow each that the receiver takes, whatever is in them.
    #[must_use]
    pub fn given(frames: Vec<Vec<u8>>) -> Self {
        Self { given: frames, ..Self::new(0, 0) }
    }

    /// How many damaged frames were made.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made
    }

    /// What the driver got last, the newest frame last.
    pub fn latest(&self) -> impl Iterator<Item = &[u8]> {
        self.latest.iter().map(Vec::as_slice)
    }

    /// A frame somewhere among its copies: some meet the driver in the state that the frame is for, some in the one behind it.
    pub fn among_copies(&mut self, frame: Vec<u8>) -> Vec<Vec<u8>> {
        self.made += u64::from(self.copies) + self.given.len() as u64;
        let mut frames: Vec<_> = (0..self.copies).map(|_| self.copy(&frame)).collect();
        frames.insert(self.below(frames.len() + 1), frame);
        frames.extend_from_slice(&self.given);
        self.latest.extend(frames.iter().cloned());
        while self.latest.len() > LATEST {
            self.latest.pop_front();
        }
        frames
    }

    fn below(&mut self, limit: usize) -> usize {
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 7;
        self.noise ^= self.noise << 17;
        (self.noise >> 11) as usize % limit.max(1)
    }

    fn copy(&mut self, frame: &[u8]) -> Vec<u8> {
        let mut copy = frame.to_vec();
        for _ in 0..1 + self.below(4) {
            self.harm(&mut copy);
        }
        copy.resize(copy.len().clamp(SHORTEST, LONGEST), 0);
        copy[RECEIVER].copy_from_slice(&frame[RECEIVER]);
        copy[FLAGS] = copy[FLAGS] & !flag::PROTECTED | frame[FLAGS] & flag::PROTECTED;
        copy
    }

    fn harm(&mut self, copy: &mut Vec<u8>) {
        let at = self.below(copy.len());
        match self.below(7) {
            0 => copy[at] ^= 1 << self.below(8),
            1 => copy[at] = LIKELY[self.below(LIKELY.len())],
            // Elements are where harm is most likely.
            2 if copy.len() > HEADER => {
                let at = HEADER + self.below(copy.len() - HEADER);
                copy[at] = self.below(256) as u8;
            }
            3 => copy.truncate(at),
            4 => {
                let more = self.below(300);
                copy.extend((0..more).map(|n| (n * 7) as u8));
            }
            5 => {
                let end = (at + self.below(40)).min(copy.len());
                let again = copy[at..end].to_vec();
                copy.splice(at..at, again);
            }
            _ => copy[KIND] = KINDS[self.below(KINDS.len())],
        }
        if copy.is_empty() {
            copy.push(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_repeatable_and_for_the_same_receiver() {
        let frame: Vec<u8> = (0..60).collect();
        let copies = |seed| Damage::new(seed, 500).among_copies(frame.clone());
        assert_eq!(copies(7), copies(7));
        assert_ne!(copies(7), copies(8));
        for copy in copies(7) {
            assert!((SHORTEST..=LONGEST).contains(&copy.len()));
            assert_eq!(copy[RECEIVER], frame[RECEIVER]);
        }
        assert!(copies(7).iter().filter(|copy| **copy != frame).count() > 450);
        assert!(copies(7).iter().any(|copy| copy.len() < HEADER));
    }

    #[test]
    fn given_frames_follow_as_they_are() {
        let given = vec![vec![0x80; 24], vec![1, 2, 3]];
        let frames = Damage::given(given.clone()).among_copies(vec![7; 30]);
        assert_eq!(frames, [vec![vec![7; 30]], given].concat());
    }
}
