//! Pins of ports 0 and 1: P1.00 is 32.

use embassy_nrf::gpio::{AnyPin, Flex, OutputDrive, Pull as Resistor};
use larch_hal::{PinError, PinMode, Pins, Pull};

/// Port 0 has 32 pins, port 1 has 16.
const PINS: u8 = 48;
/// The console's pins.
pub const TX: u8 = 6;
/// As [`TX`].
pub const RX: u8 = 8;
/// The console, and on most boards the crystal of 32768 Hz and the reset button.
const TAKEN: [u8; 5] = [0, 1, TX, RX, 18];

/// Does something with a pin, which then stays as it is.
fn with<T>(pin: u8, work: impl FnOnce(&mut Flex<'static>) -> T) -> T {
    // SAFETY: all pins are this module's; the HAL's drivers in use have none.
    let mut flex = Flex::new(unsafe { AnyPin::steal(pin) });
    let outcome = work(&mut flex);
    flex.persist();
    outcome
}

fn check(pin: u8) -> Result<u8, PinError> {
    if pin < PINS && !TAKEN.contains(&pin) { Ok(pin) } else { Err(PinError::NoSuchPin) }
}

/// Makes a pin an output that is high until a peripheral takes it.
pub fn idle_high(pin: u8) {
    with(pin, |flex| {
        flex.set_high();
        flex.set_as_output(OutputDrive::Standard);
    });
}

/// The pins.
#[derive(Default)]
pub struct Ports;

impl Pins for Ports {
    fn configure_pin(&mut self, pin: u8, mode: PinMode, pull: Pull) -> Result<(), PinError> {
        let pull = match pull {
            Pull::None => Resistor::None,
            Pull::Up => Resistor::Up,
            Pull::Down => Resistor::Down,
        };
        with(check(pin)?, |flex| match mode {
            PinMode::Input => flex.set_as_input(pull),
            // An output's level can be read.
            PinMode::Output => flex.set_as_input_output(pull, OutputDrive::Standard),
            PinMode::OpenDrain => flex.set_as_input_output(pull, OutputDrive::Standard0Disconnect1),
        });
        Ok(())
    }

    fn pin_level(&self, pin: u8) -> Result<bool, PinError> {
        Ok(with(check(pin)?, |flex| flex.is_high()))
    }

    fn set_pin_level(&mut self, pin: u8, high: bool) -> Result<(), PinError> {
        with(check(pin)?, |flex| if high { flex.set_high() } else { flex.set_low() });
        Ok(())
    }
}
