//! The nRF52840 from power-on, revision 3: memories and peripherals around the processor of [`crate::thumb`].
//!
//! Source: nRF52840 Product Specification 1.7 ("PS"). Modelled: CLOCK, POWER's causes of resets, NVMC with UICR, UART0, GPIO, RNG, the
//! protection of the access port and CTRL-AP, through which a debugger ends it; SysTick and NVIC (in [`crate::thumb`]). TEMP is stored.
//!
//! Not modelled: UARTE and all else with EasyDMA, PPI, timers, RTC, GPIOTE, USB, QSPI, the radio, cryptography, power saving, the
//! protection of single flash pages (ACL). Oscillators are ready at once. Where the manual leaves open what a reset of the program's
//! own does to the access port, it stays as it is: that is what debuggers rely on.

mod gpio;
mod nvmc;
mod power;
mod random;
mod soc;
#[cfg(test)]
mod tests;
mod uart;

pub use nvmc::{FLASH_SIZE, PAGE};
pub use soc::Soc;

use crate::mcu::{Mcu, McuBoard, Soc as _};

/// The chip.
pub type Nrf52840 = Mcu<Soc>;
/// A board with it; its serial adapter is wired as on Nordic's nRF52840-DK: P0.06 to it, P0.08 from it.
pub type NrfBoard = McuBoard<Soc>;

/// Ticks in a simulated second: cycles of the processor.
pub const TICKS_PER_SECOND: u64 = Soc::TICKS_PER_SECOND;
