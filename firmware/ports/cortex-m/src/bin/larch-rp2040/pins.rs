//! GPIO0 to GPIO28. Source: data sheet chapters 2.19 (GPIO), 2.3.1.7 (SIO).

use core::sync::atomic::{AtomicU32, Ordering};

use larch_cortex_m::mmio;
use larch_hal::{PinError, PinMode, Pull};

const IO_CTRL: usize = 0x4001_4004;
const PADS: usize = 0x4001_c004;
const SIO: usize = 0xd000_0000;
const GPIO_IN: usize = SIO + 0x04;
const OUT: usize = SIO + 0x10;
const OUT_SET: usize = SIO + 0x14;
const OUT_CLR: usize = SIO + 0x18;
const OE_SET: usize = SIO + 0x24;
const OE_CLR: usize = SIO + 0x28;

const FUNCTION_UART: u32 = 2;
const FUNCTION_SIO: u32 = 5;
/// Pads: Schmitt trigger, pulls, 4 mA, input on.
const PAD: u32 = 1 << 1 | 1 << 4 | INPUT_ON;
const PULL_DOWN: u32 = 1 << 2;
const PULL_UP: u32 = 1 << 3;
const INPUT_ON: u32 = 1 << 6;

const PINS: u8 = 29;
/// The console's pins.
pub const TX: u8 = 0;
/// As [`TX`].
pub const RX: u8 = 1;

/// Pins whose level is the direction: they drive low, or not at all. Only the main program touches it.
static OPEN_DRAIN: AtomicU32 = AtomicU32::new(0);

fn use_function(pin: u8, function: u32, pad: u32) {
    mmio::write(PADS + 4 * usize::from(pin), pad);
    mmio::write(IO_CTRL + 8 * usize::from(pin), function);
}

fn check(pin: u8) -> Result<u32, PinError> {
    if pin < PINS && pin != TX && pin != RX { Ok(1 << pin) } else { Err(PinError::NoSuchPin) }
}

/// Gives a pin to its UART, with the pull-up on.
pub fn use_uart(pin: u8) {
    use_function(pin, FUNCTION_UART, PAD | PULL_UP);
}

/// Makes a pin a digital one.
pub fn configure(pin: u8, mode: PinMode, pull: Pull) -> Result<(), PinError> {
    let bit = check(pin)?;
    let pull = match pull {
        Pull::None => 0,
        Pull::Down => PULL_DOWN,
        Pull::Up => PULL_UP,
    };
    let is_high = mmio::read(OUT) & bit != 0;
    let others = OPEN_DRAIN.load(Ordering::Relaxed) & !bit;
    OPEN_DRAIN.store(if mode == PinMode::OpenDrain { others | bit } else { others }, Ordering::Relaxed);
    match mode {
        PinMode::Input => mmio::write(OE_CLR, bit),
        PinMode::Output => mmio::write(OE_SET, bit),
        PinMode::OpenDrain => {
            mmio::write(OUT_CLR, bit);
            mmio::write(if is_high { OE_CLR } else { OE_SET }, bit);
        }
    }
    use_function(pin, FUNCTION_SIO, PAD | pull);
    Ok(())
}

/// The level at a pin.
pub fn level(pin: u8) -> Result<bool, PinError> {
    Ok(mmio::read(GPIO_IN) & check(pin)? != 0)
}

/// Sets the level that a pin drives.
pub fn set_level(pin: u8, high: bool) -> Result<(), PinError> {
    let bit = check(pin)?;
    let register = match (OPEN_DRAIN.load(Ordering::Relaxed) & bit != 0, high) {
        (true, true) => OE_CLR,
        (true, false) => OE_SET,
        (false, true) => OUT_SET,
        (false, false) => OUT_CLR,
    };
    mmio::write(register, bit);
    Ok(())
}
