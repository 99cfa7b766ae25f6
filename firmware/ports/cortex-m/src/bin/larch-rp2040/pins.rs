//! GPIO0 to GPIO28.

use embassy_rp::gpio::{AnyPin, Flex, Pull as Resistor};
use embassy_rp::pac;
use embassy_rp::pac::io::vals::Gpio0ctrlFuncsel;
use larch_hal::{PinError, PinMode, Pins, Pull};

const PINS: usize = 29;
/// The console's pins.
pub const TX: u8 = 0;
/// As [`TX`].
pub const RX: u8 = 1;

/// Gives a pin to its UART, with the pull-up on.
pub fn use_uart(pin: u8) {
    pac::PADS_BANK0.gpio(pin.into()).modify(|pad| {
        pad.set_ie(true);
        pad.set_pde(false);
        pad.set_pue(true);
    });
    let function = Gpio0ctrlFuncsel::UART0_TX as u8;
    pac::IO_BANK0.gpio(pin.into()).ctrl().write(|control| control.set_funcsel(function));
}

/// A pin in use.
struct Used {
    flex: Flex<'static>,
    /// It drives low, or not at all: the HAL knows no open drain.
    is_open_drain: bool,
    is_high: bool,
}

impl Used {
    fn drive(&mut self) {
        match (self.is_open_drain, self.is_high) {
            (true, true) => self.flex.set_as_input(),
            (true, false) => {
                self.flex.set_low();
                self.flex.set_as_output();
            }
            (false, true) => self.flex.set_high(),
            (false, false) => self.flex.set_low(),
        }
    }
}

/// The pins; what was never used is as after a reset.
#[derive(Default)]
pub struct Ports([Option<Used>; PINS]);

impl Ports {
    fn used(&mut self, pin: u8) -> Result<&mut Used, PinError> {
        let place = self.0.get_mut(usize::from(pin)).filter(|_| pin != TX && pin != RX);
        Ok(place.ok_or(PinError::NoSuchPin)?.get_or_insert_with(|| {
            // SAFETY: it is taken once; the console's pins are not given.
            let flex = Flex::new(unsafe { AnyPin::steal(pin) });
            Used { flex, is_open_drain: false, is_high: false }
        }))
    }
}

impl Pins for Ports {
    fn configure_pin(&mut self, pin: u8, mode: PinMode, pull: Pull) -> Result<(), PinError> {
        let used = self.used(pin)?;
        used.flex.set_pull(match pull {
            Pull::None => Resistor::None,
            Pull::Up => Resistor::Up,
            Pull::Down => Resistor::Down,
        });
        used.is_open_drain = mode == PinMode::OpenDrain;
        if mode != PinMode::OpenDrain {
            used.flex.set_as_input();
        }
        used.drive();
        if mode == PinMode::Output {
            used.flex.set_as_output();
        }
        Ok(())
    }

    fn pin_level(&self, pin: u8) -> Result<bool, PinError> {
        match self.0.get(usize::from(pin)) {
            Some(Some(used)) => Ok(used.flex.is_high()),
            Some(None) if pin != TX && pin != RX => Ok(pac::SIO.gpio_in(0).read() >> pin & 1 != 0),
            _ => Err(PinError::NoSuchPin),
        }
    }

    fn set_pin_level(&mut self, pin: u8, high: bool) -> Result<(), PinError> {
        let used = self.used(pin)?;
        used.is_high = high;
        used.drive();
        Ok(())
    }
}
