//! GDMA, as far as the modelled peripherals use it: fetching a peripheral's input from memory. Source: TRM chapter 2.

use crate::memory::Memory;
use crate::registers::Registers;

/// Base address.
const BASE: u32 = 0x6003_F000;
/// First channel's registers and the distance between channels.
const CHANNEL: (u32, u32) = (0x70, 0xC0);
const OUT_LINK: u32 = 0x70;
const OUT_PERI_SEL: u32 = 0x90;

/// The SHA accelerator's number.
pub const SHA: u32 = 7;

/// Up to `length` bytes for `peripheral` from the descriptor list of the channel that is connected to it.
#[must_use]
pub fn read(registers: &Registers, memory: &Memory, peripheral: u32, length: usize) -> Vec<u8> {
    let channel = (0..3)
        .map(|n| BASE + CHANNEL.0 + n * CHANNEL.1)
        .find(|channel| registers.get(channel + OUT_PERI_SEL) & 0x3F == peripheral);
    let Some(channel) = channel else { return Vec::new() };
    let mut next = map_descriptor(registers.get(channel + OUT_LINK) & 0xF_FFFF);
    let mut data = Vec::new();
    // A list that never ends is cut by the length; an empty descriptor in a ring by the count.
    for _ in 0..4096 {
        let word = |offset| memory.load32(next + offset).unwrap_or(0);
        if next == 0 || data.len() >= length {
            break;
        }
        let (size, buffer) = ((word(0) >> 12 & 0xFFF) as usize, word(4));
        data.extend((0..size).map(|i| memory.load8(buffer + i as u32).unwrap_or(0)));
        next = word(8);
    }
    data.truncate(length);
    data
}

/// The link register holds the low 20 bits of an address in SRAM.
fn map_descriptor(low: u32) -> u32 {
    if low == 0 { 0 } else { 0x3FC0_0000 | low }
}
