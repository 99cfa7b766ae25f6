//! Pins of ports A to D, numbered 16 times the port (A is 0) plus the pin's number. Source: RM0090 chapter 8.

use larch_cortex_m::mmio;
use larch_hal::{PinError, PinMode, Pins, Pull};

const PORT_A: usize = 0x4002_0000;
const PORT_BYTES: usize = 0x400;
const MODER: usize = 0x00;
const OTYPER: usize = 0x04;
const PUPDR: usize = 0x0c;
const IDR: usize = 0x10;
const BSRR: usize = 0x18;
const AFR: usize = 0x20;

/// Ports A to D have 16 pins each.
const PINS: u8 = 64;
/// The console, and the debugger's two wires.
const TAKEN: [u8; 4] = [9, 10, 13, 14];

const MODE_FUNCTION: u32 = 2;

fn port(pin: u8) -> (usize, u32) {
    (PORT_A + usize::from(pin / 16) * PORT_BYTES, u32::from(pin % 16))
}

fn set_two_bits(register: usize, number: u32, value: u32) {
    mmio::change(register, 3 << (2 * number), value << (2 * number));
}

fn check(pin: u8) -> Result<(usize, u32), PinError> {
    if pin < PINS && !TAKEN.contains(&pin) { Ok(port(pin)) } else { Err(PinError::NoSuchPin) }
}

/// Gives a pin to a peripheral, with its pull-up on.
pub fn use_function(pin: u8, function: u32) {
    let (port, number) = port(pin);
    let register = port + AFR + 4 * (number as usize / 8);
    let shift = 4 * (number % 8);
    mmio::change(register, 15 << shift, function << shift);
    set_two_bits(port + PUPDR, number, 1);
    set_two_bits(port + MODER, number, MODE_FUNCTION);
}

/// The pins.
#[derive(Default)]
pub struct Ports;

impl Pins for Ports {
    fn configure_pin(&mut self, pin: u8, mode: PinMode, pull: Pull) -> Result<(), PinError> {
        let (port, number) = check(pin)?;
        let pull = match pull {
            Pull::None => 0,
            Pull::Up => 1,
            Pull::Down => 2,
        };
        set_two_bits(port + PUPDR, number, pull);
        mmio::change(port + OTYPER, 1 << number, u32::from(mode == PinMode::OpenDrain) << number);
        set_two_bits(port + MODER, number, u32::from(mode != PinMode::Input));
        Ok(())
    }

    fn pin_level(&self, pin: u8) -> Result<bool, PinError> {
        let (port, number) = check(pin)?;
        Ok(mmio::read(port + IDR) >> number & 1 != 0)
    }

    fn set_pin_level(&mut self, pin: u8, high: bool) -> Result<(), PinError> {
        let (port, number) = check(pin)?;
        mmio::write(port + BSRR, if high { 1 << number } else { 1 << (16 + number) });
        Ok(())
    }
}
