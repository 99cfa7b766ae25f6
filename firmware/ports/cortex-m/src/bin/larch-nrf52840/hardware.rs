//! The board behind the port's trait.

use core::ptr::with_exposed_provenance;
use core::slice;

use larch_board::Name;
use larch_cortex_m::{Hardware, rtt};
use larch_hal::{PinError, PinMode, Pins, Pull, ResetCause};

use crate::chip::{self, reset};
use crate::flash::Flash;
use crate::{console, pins};

/// The chip.
pub struct Nrf52840 {
    reset_flags: u32,
}

impl Hardware for Nrf52840 {
    const NAME: Name = Name { machine: "nRF52840-DK with NRF52840", platform: "nrf52", build: "PCA10056" };
    const FREQUENCY_HZ: u32 = chip::CORE_HZ;
    type Disk = Flash;

    fn set_up() -> Self {
        let reset_flags = chip::take_reset_flags();
        chip::set_up();
        console::set_up();
        rtt::set_up();
        Self { reset_flags }
    }

    fn disk(&mut self) -> Option<Flash> {
        Some(Flash)
    }

    fn write(bytes: &[u8]) {
        rtt::write(bytes, Self::FREQUENCY_HZ);
        console::write(bytes);
    }

    fn flush() {
        console::flush();
    }

    fn before_reset() {
        console::flush();
        rtt::flush(Self::FREQUENCY_HZ);
    }

    fn receive() {}

    fn on_interrupt(number: i16) {
        if number == console::INTERRUPT {
            console::on_interrupt();
        }
    }

    fn on_turn() {
        rtt::poll();
    }

    fn reset_cause(&self) -> ResetCause {
        match self.reset_flags {
            flags if flags & reset::WATCHDOG != 0 => ResetCause::Watchdog,
            flags if flags & reset::HARD != 0 => ResetCause::Hard,
            flags if flags & reset::WOKEN != 0 => ResetCause::DeepSleep,
            _ => ResetCause::PowerOn,
        }
    }

    fn unique_id(&self) -> &[u8] {
        // SAFETY: read-only memory of the chip.
        unsafe { slice::from_raw_parts(with_exposed_provenance(chip::DEVICE_ID), chip::DEVICE_ID_BYTES) }
    }

    fn random(&mut self) -> u32 {
        chip::random()
    }
}

impl Pins for Nrf52840 {
    fn configure_pin(&mut self, pin: u8, mode: PinMode, pull: Pull) -> Result<(), PinError> {
        pins::configure(pin, mode, pull)
    }

    fn pin_level(&self, pin: u8) -> Result<bool, PinError> {
        pins::level(pin)
    }

    fn set_pin_level(&mut self, pin: u8, high: bool) -> Result<(), PinError> {
        pins::set_level(pin, high)
    }
}
