//! Clock, random numbers, identity, causes of resets. Source: PS chapters 4.4 (FICR), 5.3 (POWER), 5.4 (CLOCK), 6.19 (RNG).

use larch_cortex_m::mmio;

const CLOCK: usize = 0x4000_0000;
const TASKS_HFCLKSTART: usize = CLOCK;
const EVENTS_HFCLKSTARTED: usize = CLOCK + 0x100;
const RESETREAS: usize = CLOCK + 0x400;

const RNG: usize = 0x4000_d000;
const RNG_START: usize = RNG;
const RNG_VALRDY: usize = RNG + 0x100;
const RNG_CONFIG: usize = RNG + 0x504;
const RNG_VALUE: usize = RNG + 0x508;
/// Equal numbers of zeros and ones.
const BIAS_CORRECTION: u32 = 1;

const NVMC_ICACHECNF: usize = 0x4001_e540;

/// The processor's clock, whatever the oscillator.
pub const CORE_HZ: u32 = 64_000_000;

/// The chip's number, 64 bits.
pub const DEVICE_ID: usize = 0x1000_0060;
/// Its length.
pub const DEVICE_ID_BYTES: usize = 8;

/// Flags of RESETREAS; none: the supply came up.
pub mod reset {
    /// The watchdog.
    pub const WATCHDOG: u32 = 1 << 1;
    /// The reset pin, the program's request, lockup.
    pub const HARD: u32 = 1 | 1 << 2 | 1 << 3;
    /// Woken from System OFF.
    pub const WOKEN: u32 = 0b1111 << 16;
}

/// Why the chip started: flags, which are cleared.
pub fn take_reset_flags() -> u32 {
    let flags = mmio::read(RESETREAS);
    mmio::write(RESETREAS, flags);
    flags
}

/// Starts the crystal, which a UART needs, the cache of the flash, and the source of random numbers.
pub fn set_up() {
    mmio::write(EVENTS_HFCLKSTARTED, 0);
    mmio::write(TASKS_HFCLKSTART, 1);
    while mmio::read(EVENTS_HFCLKSTARTED) == 0 {}
    mmio::write(NVMC_ICACHECNF, 1);
    mmio::write(RNG_CONFIG, BIAS_CORRECTION);
    mmio::write(RNG_START, 1);
}

/// 32 random bits.
pub fn random() -> u32 {
    let mut word = 0;
    for _ in 0..4 {
        while mmio::read(RNG_VALRDY) == 0 {}
        mmio::write(RNG_VALRDY, 0);
        word = word << 8 | mmio::read(RNG_VALUE) & 0xff;
    }
    word
}
