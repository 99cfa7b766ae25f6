//! Inputs made of other inputs.

use crate::LONGEST;

/// Values at which something ends or begins.
const EDGES: [u32; 12] =
    [0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF];
/// What the formats that are text consist of.
const TEXT: &[u8] = b"0123456789abcdefxKM,:#=_\n\" ";
/// Most changes to one input.
const MOST_CHANGES: u64 = 6;

/// A small generator (xorshift).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as this seed says.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678) | 1)
    }

    /// A number below `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.below(256).to_le_bytes()[0]
    }
}

/// One of the corpus, changed in a few places; now and then nonsense.
pub(crate) fn mutated(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = match corpus.get(dice.index(corpus.len())) {
        Some(example) if dice.below(50) > 0 => example.clone(),
        _ => (0..dice.below(300)).map(|_| dice.byte()).collect(),
    };
    for _ in 0..=dice.below(MOST_CHANGES) {
        change(&mut input, corpus, dice);
    }
    input.truncate(LONGEST);
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.index(input.len() + 1);
    let end = (at + 1 + dice.index(32)).min(input.len());
    match dice.below(9) {
        0 => set(input, at, |byte, dice| byte ^ (1 << dice.below(8)), dice),
        1 => set(input, at, |_, dice| dice.byte(), dice),
        2 => {
            // A field of two or four bytes, wherever it is aligned in the known formats.
            let len = if dice.below(2) == 0 { 2 } else { 4 };
            let edge = EDGES[dice.index(EDGES.len())].wrapping_sub(u32::from(dice.below(3) == 0));
            let bytes = edge.to_le_bytes();
            for (to, from) in input.iter_mut().skip(at / 2 * 2).zip(&bytes[..len]) {
                *to = *from;
            }
        }
        3 => input.truncate(at),
        4 => drop(input.drain(at.min(end)..end)),
        5 => {
            let copy = input[at.min(end)..end].to_vec();
            input.splice(at..at, copy);
        }
        6 => {
            let other = &corpus[dice.index(corpus.len())..];
            let Some(other) = other.first() else { return };
            let from = dice.index(other.len() + 1);
            let to = (from + dice.index(256)).min(other.len());
            input.splice(at..at, other[from..to].iter().copied());
        }
        7 => input.insert(at, dice.byte()),
        _ => set(input, at, |_, dice| TEXT[dice.index(TEXT.len())], dice),
    }
}

fn set(input: &mut [u8], at: usize, new: impl Fn(u8, &mut Dice) -> u8, dice: &mut Dice) {
    if let Some(byte) = input.get_mut(at) {
        *byte = new(*byte, dice);
    }
}
