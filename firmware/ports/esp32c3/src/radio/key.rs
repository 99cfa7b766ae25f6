//! The key of a network from its password, on the chip's accelerator for SHA.
//!
//! The vendor's supplicant has a function for it that hashes in software: 32768 blocks, about a second of the processor for
//! every connection, during which nothing else runs. That function has a file of its own in the library; the linker finds
//! this one first, and never opens the file.
//!
//! Invariant: nothing else in the firmware uses the accelerator; the supplicant derives one key at a time.
//!
//! Source: ESP32-C3 TRM chapter 19; `esp_pbkdf2_sha1_t` of `esp-wifi-sys` for the signature.

use core::ffi::{CStr, c_char, c_int};
use core::{array, slice};

use esp_hal::peripherals::SHA;
use esp_hal::sha::Sha;
use larch_board::pbkdf2::{Sha1, State, derive};

/// The accelerator, which has its clock as long as this lives.
struct Accelerator<'a> {
    _clock: Sha<'a>,
}

impl Accelerator<'_> {
    fn new() -> Self {
        // SAFETY: nobody else has it (the module's invariant).
        let clock = Sha::new(unsafe { SHA::steal() });
        // SAFETY: 0 is SHA-1.
        SHA::regs().mode().write(|w| unsafe { w.mode().bits(0) });
        Self { _clock: clock }
    }
}

impl Sha1 for Accelerator<'_> {
    fn block(&mut self, state: Option<&State>, block: &[u32; 16]) -> State {
        let sha = SHA::regs();
        for (n, &word) in block.iter().enumerate() {
            // SAFETY: any word is a part of a message.
            sha.m_mem(n).write(|w| unsafe { w.bits(word) });
        }
        if let Some(state) = state {
            for (n, &word) in state.iter().enumerate() {
                // SAFETY: any word is a part of a state.
                sha.h_mem(n).write(|w| unsafe { w.bits(word) });
            }
            sha.continue_().write(|w| w.continue_().set_bit());
        } else {
            sha.start().write(|w| w.start().set_bit());
        }
        // It takes 80 cycles.
        while sha.busy().read().state().bit_is_set() {}
        array::from_fn(|n| sha.h_mem(n).read().bits())
    }
}

/// The supplicant's function; it gives 0 for success.
///
/// # Safety
/// `password` ends with a zero, `salt` has `salt_length` bytes, `key` has room for `key_length`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pbkdf2_sha1(
    password: *const c_char,
    salt: *const u8,
    salt_length: usize,
    turns: c_int,
    key: *mut u8,
    key_length: usize,
) -> c_int {
    // SAFETY: as this function's.
    let (password, salt, key) = unsafe {
        (
            CStr::from_ptr(password).to_bytes(),
            slice::from_raw_parts(salt, salt_length),
            slice::from_raw_parts_mut(key, key_length),
        )
    };
    derive(&mut Accelerator::new(), password, salt, turns.cast_unsigned(), key);
    0
}
