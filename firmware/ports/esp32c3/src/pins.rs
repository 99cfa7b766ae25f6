//! Digital pins.

use esp_hal::gpio::{AnyPin, DriveMode, Flex, InputConfig, OutputConfig, Pull as HalPull};
use larch_hal::{PinError, PinMode, Pull};

/// The chip's pins.
const PINS: usize = 22;
/// Pins that are wired to the flash.
const FLASH_PINS: core::ops::RangeInclusive<u8> = 11..=17;

/// The pins that a program uses.
pub struct PinBank([Option<Flex<'static>>; PINS]);

impl PinBank {
    /// No pin in use.
    pub const fn new() -> Self {
        Self([const { None }; PINS])
    }

    /// The pin, taken into use if it was not.
    fn take(&mut self, pin: u8) -> Result<&mut Flex<'static>, PinError> {
        if FLASH_PINS.contains(&pin) {
            return Err(PinError::NoSuchPin);
        }
        let slot = self.0.get_mut(usize::from(pin)).ok_or(PinError::NoSuchPin)?;
        // SAFETY: this bank is the only owner of the pins a program uses. If it takes one that the terminal uses, the
        // terminal loses it, as on every board.
        Ok(slot.get_or_insert_with(|| Flex::new(unsafe { AnyPin::steal(pin) })))
    }

    /// Makes a pin a digital one.
    pub fn configure(&mut self, pin: u8, mode: PinMode, pull: Pull) -> Result<(), PinError> {
        let pull = match pull {
            Pull::None => HalPull::None,
            Pull::Up => HalPull::Up,
            Pull::Down => HalPull::Down,
        };
        let flex = self.take(pin)?;
        let drive = if mode == PinMode::OpenDrain { DriveMode::OpenDrain } else { DriveMode::PushPull };
        flex.apply_input_config(&InputConfig::default().with_pull(pull));
        flex.apply_output_config(&OutputConfig::default().with_drive_mode(drive).with_pull(pull));
        flex.set_input_enable(true);
        flex.set_output_enable(mode != PinMode::Input);
        Ok(())
    }

    /// The level at the pin; low while its input is off, as it is before the first use.
    pub fn level(&self, pin: u8) -> Result<bool, PinError> {
        match self.0.get(usize::from(pin)) {
            Some(_) if FLASH_PINS.contains(&pin) => Err(PinError::NoSuchPin),
            Some(Some(flex)) => Ok(flex.is_high()),
            Some(None) => Ok(false),
            None => Err(PinError::NoSuchPin),
        }
    }

    /// Sets the level that the pin drives.
    pub fn set_level(&mut self, pin: u8, high: bool) -> Result<(), PinError> {
        self.take(pin)?.set_level(high.into());
        Ok(())
    }

    /// Lets go of all pins.
    pub fn release(&mut self) {
        self.0 = [const { None }; PINS];
    }
}
