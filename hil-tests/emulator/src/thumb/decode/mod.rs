//! From half-words to [`Op`]. Sources: ARM A5 (encodings), A7 (instructions).

mod float;
mod long;
mod short;
#[cfg(test)]
mod tests;

use super::op::Op;

/// Whether an instruction that begins with this half-word has two.
#[must_use]
pub fn is_long(first: u16) -> bool {
    first >> 11 >= 0b11101
}

/// Decodes an instruction; `second` is only looked at if [`is_long`].
#[must_use]
pub fn decode(first: u16, second: u16) -> Op {
    if is_long(first) { long::decode(first, second) } else { short::decode(first) }
}

/// Bits `low..low + count` of an encoding.
fn field(word: impl Into<u32>, low: u32, count: u32) -> u32 {
    word.into() >> low & ((1 << count) - 1)
}

/// A register number at `low`.
fn register(word: u16, low: u32) -> u8 {
    field(word, low, 4) as u8
}

/// The bit at `low`.
fn bit(word: u16, low: u32) -> bool {
    word >> low & 1 != 0
}

/// A number of `bits` bits as a signed one.
fn signed(value: u32, bits: u32) -> i32 {
    (value << (32 - bits)) as i32 >> (32 - bits)
}
