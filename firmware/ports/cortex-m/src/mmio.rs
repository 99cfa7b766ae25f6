//! Device registers.

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

/// Reads a word register.
pub fn read(address: usize) -> u32 {
    // SAFETY: the callers' addresses are devices of this machine; aligned.
    unsafe { with_exposed_provenance::<u32>(address).read_volatile() }
}

/// Writes a word register.
pub fn write(address: usize, word: u32) {
    // SAFETY: as in `read`.
    unsafe { with_exposed_provenance_mut::<u32>(address).write_volatile(word) }
}

/// Changes bits of a word register.
pub fn change(address: usize, clear: u32, set: u32) {
    write(address, read(address) & !clear | set);
}
