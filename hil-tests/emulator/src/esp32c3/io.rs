//! What a peripheral may use while it is accessed.

use crate::registers::Registers;
use crate::time::Ticks;

/// The surroundings of a peripheral during one access or event.
pub struct Io<'a> {
    /// Storage of all registers.
    pub registers: &'a mut Registers,
    /// The present moment.
    pub now: Ticks,
    /// Ticks of an APB cycle.
    pub apb: u64,
    /// Set when a register that changes by itself was read.
    pub volatile: &'a mut bool,
    /// When the registers read so far may change without an event of the chip.
    pub stable_until: &'a mut Ticks,
}

/// Ticks of a crystal cycle (40 MHz).
pub const XTAL: u64 = 12;
/// Ticks of an RC_FAST cycle (17.5 MHz on silicon; the nearest whole number of ticks).
pub const RC_FAST: u64 = 27;
/// Ticks of an RC_SLOW cycle (136 kHz).
pub const RC_SLOW: u64 = 3529;
