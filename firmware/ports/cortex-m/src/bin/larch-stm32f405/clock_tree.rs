//! Clocks: 168 MHz from the internal oscillator, so that no crystal is needed; it is within 1 % at room temperature, which is
//! enough for a UART. Source: RM0090 chapters 3.5.1 (wait states), 7.

use larch_cortex_m::mmio;

/// The processor's clock.
pub const CORE_HZ: u32 = 168_000_000;
/// The clock of USART1.
pub const APB2_HZ: u32 = CORE_HZ / 2;

const RCC: usize = 0x4002_3800;
const CR: usize = RCC;
const PLLCFGR: usize = RCC + 0x04;
const CFGR: usize = RCC + 0x08;
const AHB1ENR: usize = RCC + 0x30;
const AHB2ENR: usize = RCC + 0x34;
const APB2ENR: usize = RCC + 0x44;
const CSR: usize = RCC + 0x74;
const ACR: usize = 0x4002_3c00;

const PLLON: u32 = 1 << 24;
const PLLRDY: u32 = 1 << 25;
/// 16 MHz / 16 * 336 / 2; / 7 is 48 MHz for the random number generator.
const PLL: u32 = 16 | 336 << 6 | 7 << 24;
/// APB1 at a quarter, APB2 at half of the processor's clock.
const PRESCALERS: u32 = 5 << 10 | 4 << 13;
const USE_PLL: u32 = 2;
const SWS: u32 = 0b1100;
const SWS_PLL: u32 = 0b1000;
/// Five wait states at 168 MHz; prefetch, instruction and data cache.
const FLASH_SPEED: u32 = 5 | 1 << 8 | 1 << 9 | 1 << 10;
/// Ports A to D.
const PORTS: u32 = 0b1111;
const RNG: u32 = 1 << 6;
const USART1: u32 = 1 << 4;
/// Forgets the causes of earlier resets.
const RMVF: u32 = 1 << 24;

/// Why the chip started: RCC_CSR's flags, which are cleared.
pub fn take_reset_flags() -> u32 {
    let flags = mmio::read(CSR);
    mmio::change(CSR, 0, RMVF);
    flags
}

/// Sets the speed, and gives the peripherals in use their clocks.
pub fn set_up() {
    mmio::write(ACR, FLASH_SPEED);
    mmio::write(PLLCFGR, PLL);
    mmio::change(CR, 0, PLLON);
    while mmio::read(CR) & PLLRDY == 0 {}
    mmio::write(CFGR, PRESCALERS | USE_PLL);
    while mmio::read(CFGR) & SWS != SWS_PLL {}
    mmio::change(AHB1ENR, 0, PORTS);
    mmio::change(AHB2ENR, 0, RNG);
    mmio::change(APB2ENR, 0, USART1);
    // The clock arrives two cycles later; reading the register back takes longer.
    mmio::read(APB2ENR);
}
