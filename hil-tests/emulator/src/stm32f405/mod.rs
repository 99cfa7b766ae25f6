//! The STM32F405 from power-on: memories and peripherals around the processor of [`crate::thumb`].
//!
//! Sources: RM0090 (reference manual), DS8626 (data sheet). Modelled: RCC, the flash memory interface, USART1, GPIO, RNG,
//! SysTick and NVIC (in [`crate::thumb`]). What the manual documents besides is stored, everything else is reported.
//!
//! Not modelled: DMA, timers, analog, the other communication interfaces, the boot loader in system memory, flash wait states.

mod clock;
mod flash;
mod gpio;
mod random;
mod soc;
#[cfg(test)]
mod tests;
mod usart;

pub use flash::{FLASH_SIZE, sector_of};
pub use soc::Soc;

use crate::mcu::{Mcu, McuBoard, Soc as _};
use crate::time::Ticks;
use std::time::Duration;

/// The chip.
pub type Stm32f405 = Mcu<Soc>;
/// A board with it.
pub type Stm32Board = McuBoard<Soc>;

/// Ticks in a simulated second: what divides 168, 84, 42, 16 and 8 MHz evenly.
pub const TICKS_PER_SECOND: u64 = Soc::TICKS_PER_SECOND;

fn ticks(duration: Duration) -> Ticks {
    Stm32f405::ticks(duration)
}

impl Mcu<Soc> {
    /// Protects the flash against reading (level 1), as somebody did who shipped the board.
    pub fn protect_reading(&mut self) {
        self.soc.flash.protect_reading();
        self.soc.flash.set_up(&mut self.soc.registers);
    }
}
