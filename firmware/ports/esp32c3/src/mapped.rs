//! Memory and registers by address, for programs that know what they do: `machine.mem32`, viper's pointers, `uctypes`.
//!
//! Where nothing answers, the processor would stop with an access fault; such addresses are refused. Source: ESP32-C3
//! Technical Reference Manual, chapter "System and Memory", table "Address Mapping".

use core::ops::Range;
use core::ptr::{read_volatile, write_volatile};

/// What answers reads: caches of flash, RAM by both buses, mask ROM, RTC fast memory, registers.
const READABLE: [Range<u32>; 8] = [
    0x3c00_0000..0x3c80_0000,
    0x3fc8_0000..0x3fce_0000,
    0x3ff0_0000..0x3ff2_0000,
    0x4000_0000..0x4006_0000,
    0x4037_c000..0x403e_0000,
    0x4200_0000..0x4280_0000,
    0x5000_0000..0x5000_2000,
    0x6000_0000..0x600d_1000,
];
/// What takes writes.
const WRITABLE: [Range<u32>; 4] =
    [0x3fc8_0000..0x3fce_0000, 0x4037_c000..0x403e_0000, 0x5000_0000..0x5000_2000, 0x6000_0000..0x600d_1000];

fn answers(ranges: &[Range<u32>], address: u32, size: u32) -> bool {
    let is_inside = |range: &Range<u32>| range.contains(&address) && address + size <= range.end;
    address.is_multiple_of(size) && ranges.iter().any(is_inside)
}

/// What `size` bytes at an address are.
pub fn load(address: u32, size: u32) -> Option<u32> {
    if !answers(&READABLE, address, size) {
        return None;
    }
    let at = address as usize as *const u8;
    // SAFETY: aligned memory or a register that answers reads (just checked). What reading a register does is the
    // program's business.
    Some(unsafe {
        match size {
            1 => read_volatile(at).into(),
            2 => read_volatile(at.cast::<u16>()).into(),
            _ => read_volatile(at.cast::<u32>()),
        }
    })
}

/// Sets `size` bytes at an address.
pub fn store(address: u32, size: u32, word: u32) -> bool {
    if !answers(&WRITABLE, address, size) {
        return false;
    }
    let at = address as usize as *mut u8;
    // SAFETY: aligned memory or a register (just checked). A program that names an address vouches for what it
    // overwrites there, as it does in MicroPython.
    unsafe {
        match size {
            1 => write_volatile(at, word as u8),
            2 => write_volatile(at.cast::<u16>(), word as u16),
            _ => write_volatile(at.cast::<u32>(), word),
        }
    }
    true
}
