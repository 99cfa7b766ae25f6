//! Device registers.

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

/// Reads a byte register.
pub fn read_byte(address: usize) -> u8 {
    // SAFETY: the callers' addresses are devices of this machine.
    unsafe { with_exposed_provenance::<u8>(address).read_volatile() }
}

/// Writes a byte register.
pub fn write_byte(address: usize, byte: u8) {
    // SAFETY: as in `read_byte`.
    unsafe { with_exposed_provenance_mut::<u8>(address).write_volatile(byte) }
}

/// Reads a word register.
pub fn read(address: usize) -> u32 {
    // SAFETY: as in `read_byte`; aligned.
    unsafe { with_exposed_provenance::<u32>(address).read_volatile() }
}

/// Writes a word register.
pub fn write(address: usize, word: u32) {
    // SAFETY: as in `read`.
    unsafe { with_exposed_provenance_mut::<u32>(address).write_volatile(word) }
}
