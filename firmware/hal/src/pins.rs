//! Digital pins.

/// Which way a pin works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinMode {
    /// The pin is read.
    Input,
    /// The pin drives high and low.
    Output,
    /// The pin drives low and floats.
    OpenDrain,
}

/// What holds a pin that nobody drives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pull {
    /// Nothing.
    #[default]
    None,
    /// A resistor to the supply.
    Up,
    /// A resistor to ground.
    Down,
}

/// Why a pin cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// The chip has no such pin, or it is wired to the flash.
    #[error("no such pin; use one that the board's documentation lists as free")]
    NoSuchPin,
    /// The pin cannot do that.
    #[error("the pin cannot work this way; choose another pin or mode")]
    NotPossible,
}

/// Digital pins, by the chip's own numbers.
pub trait Pins {
    /// Makes a pin a digital one.
    ///
    /// # Errors
    /// [`PinError`] if the chip has no such pin or the pin cannot do that.
    fn configure_pin(&mut self, pin: u8, mode: PinMode, pull: Pull) -> Result<(), PinError>;

    /// The level at the pin.
    ///
    /// # Errors
    /// [`PinError::NoSuchPin`].
    fn pin_level(&self, pin: u8) -> Result<bool, PinError>;

    /// Sets the level that the pin drives.
    ///
    /// # Errors
    /// [`PinError::NoSuchPin`].
    fn set_pin_level(&mut self, pin: u8, high: bool) -> Result<(), PinError>;
}
