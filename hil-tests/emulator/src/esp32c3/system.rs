//! SYSTEM: clocks and software interrupts. Source: TRM chapters 6.2 and 16.

use crate::registers::Registers;

/// Base address.
pub const BASE: u32 = 0x600C_0000;
/// The random number register.
pub const RNG: u32 = 0x6002_60B0;
const CPU_PER_CONF: u32 = 0x08;
const CPU_INTR_FROM_CPU_0: u32 = 0x28;
const SYSCLK_CONF: u32 = 0x58;

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[CPU_PER_CONF, 0x28, 0x2C, 0x30, 0x34, SYSCLK_CONF];

/// Puts in what the hardware itself sets after reset: the crystal's frequency.
pub fn reset(registers: &mut Registers) {
    registers.modify(BASE + SYSCLK_CONF, |conf| conf & !(0x7F << 12) | 40 << 12);
}

/// Ticks of a CPU cycle.
#[must_use]
pub fn cpu_period(registers: &Registers) -> u64 {
    let conf = registers.get(BASE + SYSCLK_CONF);
    let divider = u64::from(conf & 0x3FF) + 1;
    match conf >> 10 & 3 {
        1 => {
            if registers.get(BASE + CPU_PER_CONF) & 3 == 1 {
                3
            } else {
                6
            }
        }
        2 => super::io::RC_FAST * divider,
        _ => super::io::XTAL * divider,
    }
}

/// Ticks of an APB cycle: 80 MHz from the PLL, the CPU's clock otherwise.
#[must_use]
pub fn apb_period(cpu_period: u64) -> u64 {
    cpu_period.max(6)
}

/// The four software interrupts as bits.
#[must_use]
pub fn software_interrupts(registers: &Registers) -> u32 {
    (0..4).fold(0, |bits, i| bits | (registers.get(BASE + CPU_INTR_FROM_CPU_0 + 4 * i) & 1) << i)
}
