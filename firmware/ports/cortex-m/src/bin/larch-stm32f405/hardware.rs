//! The board behind the port's trait.

use core::ptr::with_exposed_provenance;
use core::slice;

use larch_board::Name;
use larch_cortex_m::{Hardware, mmio, rtt};
use larch_hal::ResetCause;
use larch_pages::Pages;

use crate::flash::Flash;
use crate::pins::Ports;
use crate::{clock_tree, console};

/// The chip's number, 96 bits. Source: RM0090 chapter 39.1.
const UNIQUE_ID: usize = 0x1fff_7a10;
const UNIQUE_ID_BYTES: usize = 12;

const RNG: usize = 0x5006_0800;
const RNG_STATUS: usize = RNG + 0x04;
const RNG_DATA: usize = RNG + 0x08;
const RNG_ON: u32 = 1 << 2;
const RNG_READY: u32 = 1;

/// Flags of RCC_CSR.
const WATCHDOGS: u32 = 1 << 29 | 1 << 30;
const POWER: u32 = 1 << 27 | 1 << 25;

/// The chip.
pub struct Stm32f405 {
    reset_flags: u32,
}

impl Hardware for Stm32f405 {
    const NAME: Name = Name { machine: "STM32F405 with STM32F405RG", platform: "stm32", build: "STM32F405" };
    const FREQUENCY_HZ: u32 = clock_tree::CORE_HZ;
    type Line = rtt::Beside<console::Usart1, { clock_tree::CORE_HZ }>;
    type Pins = Ports;
    type Disk = Pages<Flash>;

    fn set_up() -> Self {
        let reset_flags = clock_tree::take_reset_flags();
        clock_tree::set_up();
        mmio::write(RNG, RNG_ON);
        console::set_up();
        rtt::set_up();
        Self { reset_flags }
    }

    fn disk(&mut self) -> Option<Self::Disk> {
        Pages::mount(Flash).ok()
    }

    fn reset_cause(&self) -> ResetCause {
        match self.reset_flags {
            flags if flags & WATCHDOGS != 0 => ResetCause::Watchdog,
            flags if flags & POWER != 0 => ResetCause::PowerOn,
            _ => ResetCause::Hard,
        }
    }

    fn unique_id(&self) -> &[u8] {
        // SAFETY: read-only memory of the chip.
        unsafe { slice::from_raw_parts(with_exposed_provenance(UNIQUE_ID), UNIQUE_ID_BYTES) }
    }

    fn random(&mut self) -> u32 {
        while mmio::read(RNG_STATUS) & RNG_READY == 0 {}
        mmio::read(RNG_DATA)
    }
}
