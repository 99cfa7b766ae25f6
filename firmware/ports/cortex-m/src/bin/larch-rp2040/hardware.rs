//! The board behind the port's trait.

use larch_board::Name;
use larch_cortex_m::{Hardware, rtt};
use larch_hal::{PinError, PinMode, Pins, Pull, ResetCause};

use crate::clock_tree::{self, Cause};
use crate::flash::Flash;
use crate::{console, pins};

/// Bits of the ring oscillator for each random one.
const FOLDED: u32 = 8;

/// The chip.
pub struct Rp2040 {
    cause: Cause,
}

impl Hardware for Rp2040 {
    const NAME: Name = Name { machine: "Raspberry Pi Pico with RP2040", platform: "rp2", build: "RPI_PICO" };
    const FREQUENCY_HZ: u32 = clock_tree::CORE_HZ;
    type Disk = Flash;

    fn set_up() -> Self {
        let cause = clock_tree::cause();
        clock_tree::set_up();
        console::set_up();
        rtt::set_up();
        Self { cause }
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
        match self.cause {
            Cause::Power => ResetCause::PowerOn,
            Cause::Watchdog => ResetCause::Watchdog,
            Cause::Run | Cause::Other => ResetCause::Hard,
        }
    }

    /// The chip has no number of its own, and that of the flash cannot be read as memory: none.
    fn unique_id(&self) -> &[u8] {
        &[0; 8]
    }

    /// The ring oscillator jitters; parity of some bits takes most of its bias away. Good enough to seed `random`, not for secrets.
    fn random(&mut self) -> u32 {
        let bit = |_| (0..FOLDED).fold(0, |parity, _| parity ^ clock_tree::random_bit());
        (0..32).map(bit).fold(0, |word, bit| word << 1 | bit)
    }
}

impl Pins for Rp2040 {
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
