//! The chip as a whole: identity, reset, randomness.

/// Why the chip started, as MicroPython's `machine.reset_cause()` numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ResetCause {
    /// The supply came up.
    PowerOn = 1,
    /// The reset input.
    Hard = 2,
    /// A watchdog.
    Watchdog = 3,
    /// Woken from deep sleep.
    DeepSleep = 4,
    /// The interpreter restarted; the chip did not.
    Soft = 5,
}

/// The chip as a whole.
pub trait Board {
    /// Restarts the chip.
    fn reset(&mut self) -> !;

    /// Restarts the chip into its loader, so that new firmware can be written.
    fn enter_bootloader(&mut self) -> !;

    /// Why the chip started.
    fn reset_cause(&self) -> ResetCause;

    /// What no other board has: on Espressif's chips the MAC address.
    fn unique_id(&self) -> &[u8];

    /// How fast the processor runs.
    fn frequency_hz(&self) -> u32;

    /// What memory outside the heap holds at `address`: 1, 2 or 4 bytes, aligned. None where there is no memory, or
    /// programs cannot reach it.
    fn load(&mut self, address: u32, size: u32) -> Option<u32> {
        let _ = (address, size);
        None
    }

    /// Sets memory, as [`Board::load`]. False where that is not possible.
    fn store(&mut self, address: u32, size: u32, word: u32) -> bool {
        let _ = (address, size, word);
        false
    }

    /// 32 bits from the chip's noise source.
    fn random(&mut self) -> u32;
}
