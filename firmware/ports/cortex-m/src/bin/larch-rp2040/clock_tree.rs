//! Clocks: 125 MHz from the crystal of 12 MHz. Source: data sheet chapters 2.14 (resets), 2.15 (clocks), 2.16 (XOSC), 2.18 (PLL).

use larch_cortex_m::mmio;

/// The processor's clock.
pub const CORE_HZ: u32 = 125_000_000;
/// The clock of peripherals.
pub const PERIPHERAL_HZ: u32 = CORE_HZ;

const RESETS: usize = 0x4000_c000;
const RESET_DONE: usize = RESETS + 0x08;
const IO_BANK0: u32 = 1 << 5;
const PADS_BANK0: u32 = 1 << 8;
const PLL_SYS: u32 = 1 << 12;
const UART0: u32 = 1 << 22;

const XOSC_CTRL: usize = 0x4002_4000;
const XOSC_STATUS: usize = 0x4002_4004;
const XOSC_STARTUP: usize = 0x4002_400c;
/// On, for a crystal of 1 to 15 MHz; a millisecond to start, in units of 256 periods.
const XOSC_ON: u32 = 0xfab << 12 | 0xaa0;
const XOSC_DELAY: u32 = 47;
const STABLE: u32 = 1 << 31;

const CLK_REF_CTRL: usize = 0x4000_8030;
const CLK_REF_SELECTED: usize = 0x4000_8038;
const REF_XOSC: u32 = 2;
const CLK_SYS_CTRL: usize = 0x4000_803c;
const CLK_SYS_SELECTED: usize = 0x4000_8044;
/// From its auxiliary multiplexer, which is at PLL_SYS.
const SYS_AUX: u32 = 1;
const CLK_PERI_CTRL: usize = 0x4000_8048;
const PERI_ON: u32 = 1 << 11;

const PLL: usize = 0x4002_8000;
const PLL_PWR: usize = PLL + 0x04;
const PLL_FBDIV: usize = PLL + 0x08;
const PLL_PRIM: usize = PLL + 0x0c;
const LOCKED: u32 = 1 << 31;
/// 12 MHz * 125 / 6 / 2.
const FEEDBACK: u32 = 125;
const POST_DIVIDERS: u32 = 6 << 16 | 2 << 12;
/// Bits of PWR that switch parts off: the PLL, its oscillator, the dividers behind it.
const PD: u32 = 1;
const VCOPD: u32 = 1 << 5;
const POSTDIVPD: u32 = 1 << 3;

const WATCHDOG_REASON: usize = 0x4005_8008;
const CHIP_RESET: usize = 0x4006_4008;
const ROSC_RANDOM: usize = 0x4006_001c;

/// Flags of CHIP_RESET.
const HAD_RUN: u32 = 1 << 16;
const HAD_POR: u32 = 1 << 8;

/// Lets peripherals start.
fn release(bits: u32) {
    mmio::change(RESETS, bits, 0);
    while mmio::read(RESET_DONE) & bits != bits {}
}

/// Sets the speed, and lets the peripherals in use start.
pub fn set_up() {
    mmio::write(XOSC_STARTUP, XOSC_DELAY);
    mmio::write(XOSC_CTRL, XOSC_ON);
    while mmio::read(XOSC_STATUS) & STABLE == 0 {}
    mmio::write(CLK_REF_CTRL, REF_XOSC);
    while mmio::read(CLK_REF_SELECTED) & 1 << REF_XOSC == 0 {}
    // After a reset of the processor alone, the PLL may be in use.
    mmio::change(CLK_SYS_CTRL, SYS_AUX, 0);
    while mmio::read(CLK_SYS_SELECTED) & 1 == 0 {}
    mmio::change(RESETS, 0, PLL_SYS);
    release(PLL_SYS);
    mmio::write(PLL, 1);
    mmio::write(PLL_FBDIV, FEEDBACK);
    mmio::change(PLL_PWR, PD | VCOPD, 0);
    while mmio::read(PLL) & LOCKED == 0 {}
    mmio::write(PLL_PRIM, POST_DIVIDERS);
    mmio::change(PLL_PWR, POSTDIVPD, 0);
    mmio::write(CLK_SYS_CTRL, 0);
    mmio::write(CLK_SYS_CTRL, SYS_AUX);
    while mmio::read(CLK_SYS_SELECTED) & 1 << SYS_AUX == 0 {}
    mmio::write(CLK_PERI_CTRL, PERI_ON);
    release(IO_BANK0 | PADS_BANK0 | UART0);
}

/// Why the chip started.
pub enum Cause {
    /// The supply came up.
    Power,
    /// The RUN pin.
    Run,
    /// The watchdog.
    Watchdog,
    /// The program, or a debugger.
    Other,
}

/// Why the chip started.
pub fn cause() -> Cause {
    if mmio::read(WATCHDOG_REASON) != 0 {
        return Cause::Watchdog;
    }
    match mmio::read(CHIP_RESET) {
        flags if flags & HAD_RUN != 0 => Cause::Run,
        flags if flags & HAD_POR != 0 => Cause::Power,
        _ => Cause::Other,
    }
}

/// A bit of the ring oscillator, which jitters.
pub fn random_bit() -> u32 {
    mmio::read(ROSC_RANDOM) & 1
}
