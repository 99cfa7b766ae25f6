//! Pins of ports 0 and 1: P1.00 is 32. Source: PS chapter 6.9 (GPIO).

use larch_cortex_m::mmio;
use larch_hal::{PinError, PinMode, Pull};

const PORT_0: usize = 0x5000_0000;
const PORT_BYTES: usize = 0x300;
const OUTSET: usize = 0x508;
const OUTCLR: usize = 0x50c;
const IN: usize = 0x510;
const PIN_CNF: usize = 0x700;

const OUTPUT: u32 = 1;
const INPUT_OFF: u32 = 1 << 1;
const PULL_SHIFT: u32 = 2;
/// Drives low, and lets go for high.
const OPEN_DRAIN: u32 = 6 << 8;

/// Port 0 has 32 pins, port 1 has 16.
const PINS: u8 = 48;
/// The console's pins.
pub const TX: u8 = 6;
/// As [`TX`].
pub const RX: u8 = 8;
/// The console, and on most boards the crystal of 32768 Hz and the reset button.
const TAKEN: [u8; 5] = [0, 1, TX, RX, 18];

fn port(pin: u8) -> (usize, u32) {
    (PORT_0 + usize::from(pin / 32) * PORT_BYTES, u32::from(pin % 32))
}

fn check(pin: u8) -> Result<(usize, u32), PinError> {
    if pin < PINS && !TAKEN.contains(&pin) { Ok(port(pin)) } else { Err(PinError::NoSuchPin) }
}

/// Makes a pin an output that is high until a peripheral takes it.
pub fn idle_high(pin: u8) {
    let (port, number) = port(pin);
    mmio::write(port + OUTSET, 1 << number);
    mmio::write(port + PIN_CNF + 4 * number as usize, OUTPUT | INPUT_OFF);
}

/// Makes a pin a digital one.
pub fn configure(pin: u8, mode: PinMode, pull: Pull) -> Result<(), PinError> {
    let (port, number) = check(pin)?;
    let pull = match pull {
        Pull::None => 0,
        Pull::Down => 1,
        Pull::Up => 3,
    };
    let mode = match mode {
        PinMode::Input => 0,
        PinMode::OpenDrain => OUTPUT | OPEN_DRAIN,
        _ => OUTPUT,
    };
    mmio::write(port + PIN_CNF + 4 * number as usize, mode | pull << PULL_SHIFT);
    Ok(())
}

/// The level at a pin.
pub fn level(pin: u8) -> Result<bool, PinError> {
    let (port, number) = check(pin)?;
    Ok(mmio::read(port + IN) >> number & 1 != 0)
}

/// Sets the level that a pin drives.
pub fn set_level(pin: u8, high: bool) -> Result<(), PinError> {
    let (port, number) = check(pin)?;
    mmio::write(port + if high { OUTSET } else { OUTCLR }, 1 << number);
    Ok(())
}
