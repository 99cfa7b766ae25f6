//! What a processor is connected to: the seam between processors and chips.
//!
//! A processor model (RISC-V here, Xtensa to come) is generic over [`Bus`]; a chip implements it.

use crate::memory::Memory;
use crate::registers::Registers;
use crate::time::{Clock, Ticks};

/// What the processor is connected to.
pub trait Bus {
    /// Plain memory and its page tables.
    fn memory(&mut self) -> &mut Memory;
    /// Plain memory, and the device registers of which some are plain storage.
    fn storage(&mut self) -> (&mut Memory, &mut Registers);
    /// The simulation's clock.
    fn clock(&mut self) -> &mut Clock;
    /// Whether `address` belongs to device registers.
    fn is_device(&self, address: u32) -> bool;
    /// Loads `size` (1, 2, 4) bytes from a device. `None` is a bus fault.
    fn load(&mut self, address: u32, size: u32) -> Option<u32>;
    /// Stores `size` bytes to a device. `None` is a bus fault.
    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()>;
    /// Handles events that are due and says when the next one is.
    fn service(&mut self) -> Ticks;
    /// The interrupt line to take now, if one is pending, enabled and above the threshold.
    fn interrupt(&self) -> Option<u8>;
    /// Tells the interrupt controller that the processor took `line`.
    fn acknowledge(&mut self, line: u8);
    /// Why the processor must stop, if it must (reset, power cut, strict mode).
    fn stop(&self) -> bool;
    /// Whether a register that changes by itself was read since the last call.
    fn take_volatile(&mut self) -> bool;
    /// Until when what was read since the last call stays the same, events aside.
    fn take_stable_until(&mut self) -> Ticks;
    /// If a device was polled since the last call and answered as before: a number that stays the same as long as
    /// nothing but such polling happened to the devices.
    fn polled(&mut self) -> Option<u64>;
    /// Registers of devices that polling may change back and forth, but not from turn to turn.
    fn state(&self) -> State;
    /// Time was moved on by whole turns of a polling loop: moves what devices keep relative to its turns.
    fn skipped(&mut self, time: Ticks);
    /// Where the processor is, for reports about the access that follows.
    fn at(&mut self, pc: u32);
}

/// A copy of device registers, to see whether anything changed.
pub type State = Vec<u32>;
