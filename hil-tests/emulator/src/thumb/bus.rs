//! What the processor is connected to, and its loads and stores.

use super::exception::Fault;
use super::{Cpu, Poll};
use crate::time::Ticks;
use std::ops::Range;

/// What the processor is connected to: memories and devices of a chip.
pub trait Bus {
    /// Loads `size` (1, 2, 4) bytes; from devices only aligned. `None` is a bus fault.
    fn load(&mut self, address: u32, size: u32) -> Option<u32>;
    /// Stores `size` bytes; to devices only aligned. `None` is a bus fault.
    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()>;
    /// The half-word of code at `address`.
    fn fetch(&mut self, address: u32) -> Option<u16>;
    /// Whether code at `address` stays as it is until [`Bus::take_code_changed`] says otherwise. A store there is an
    /// operation of a device.
    fn is_constant(&self, address: u32) -> bool;
    /// The addresses of code that was called constant and has changed since the last call.
    fn take_code_changed(&mut self) -> Option<Range<u32>>;
    /// Whether `address` belongs to a device rather than to memory.
    fn is_device(&self, address: u32) -> bool;
    /// Tells where the processor is and what time it is, before a device is accessed.
    fn at(&mut self, place: u32, now: Ticks);
    /// Handles events that are due and says when the next one is.
    fn service(&mut self, now: Ticks) -> Ticks;
    /// The interrupt lines that are asserted, one bit each.
    fn interrupt_lines(&self) -> u128;
    /// Ticks of one processor cycle.
    fn ticks_per_cycle(&self) -> u64;
    /// Whether the processor must stop (power cut, strict mode).
    fn stop(&self) -> bool;
}

/// Everything from here on is the processor's own: the system control space, or the chip's debug components.
const PRIVATE: u32 = 0xe000_0000;
const PRIVATE_END: u32 = 0xe004_0000;

/// Whether the processor itself answers this address.
pub(super) fn is_private(address: u32) -> bool {
    (PRIVATE..PRIVATE_END).contains(&address)
}

impl Cpu {
    /// Loads `size` bytes; unaligned words and half-words are allowed.
    pub(super) fn load<B: Bus>(&mut self, bus: &mut B, address: u32, size: u32) -> Result<u32, Fault> {
        if address & (size - 1) != 0 {
            if self.system.traps_unaligned() || bus.is_device(address) || is_private(address) {
                return Err(Fault::Unaligned(address));
            }
            return bus.load(address, size).ok_or(Fault::Data(address));
        }
        if is_private(address) {
            self.attention = 0;
            return self.load_private(bus, address, size).ok_or(Fault::Data(address));
        }
        if bus.is_device(address) {
            bus.at(self.place, self.now);
            let value = bus.load(address, size).ok_or(Fault::Data(address));
            self.watch_polling(bus);
            return value;
        }
        bus.load(address, size).ok_or(Fault::Data(address))
    }

    /// Stores `size` bytes, as [`Cpu::load`].
    pub(super) fn store<B: Bus>(
        &mut self,
        bus: &mut B,
        address: u32,
        size: u32,
        value: u32,
    ) -> Result<(), Fault> {
        self.stores += 1;
        if address & (size - 1) != 0 {
            if self.system.traps_unaligned() || bus.is_device(address) || is_private(address) {
                return Err(Fault::Unaligned(address));
            }
            return bus.store(address, size, value).ok_or(Fault::Data(address));
        }
        if is_private(address) {
            self.attention = 0;
            return self.store_private(bus, address, size, value).ok_or(Fault::Data(address));
        }
        if bus.is_device(address) || bus.is_constant(address) {
            bus.at(self.place, self.now);
            self.attention = 0;
        }
        bus.store(address, size, value).ok_or(Fault::Data(address))
    }

    /// Loads a naturally aligned value; the instruction demands it.
    pub(super) fn load_natural<B: Bus>(
        &mut self,
        bus: &mut B,
        address: u32,
        size: u32,
    ) -> Result<u32, Fault> {
        if address & (size - 1) != 0 { Err(Fault::Unaligned(address)) } else { self.load(bus, address, size) }
    }

    /// Stores a naturally aligned value.
    pub(super) fn store_natural<B: Bus>(
        &mut self,
        bus: &mut B,
        address: u32,
        size: u32,
        value: u32,
    ) -> Result<(), Fault> {
        if address & (size - 1) != 0 {
            Err(Fault::Unaligned(address))
        } else {
            self.store(bus, address, size, value)
        }
    }

    /// Loads an aligned word.
    pub(super) fn load_aligned<B: Bus>(&mut self, bus: &mut B, address: u32) -> Result<u32, Fault> {
        self.load_natural(bus, address, 4)
    }

    /// Stores an aligned word.
    pub(super) fn store_aligned<B: Bus>(
        &mut self,
        bus: &mut B,
        address: u32,
        value: u32,
    ) -> Result<(), Fault> {
        self.store_natural(bus, address, 4, value)
    }

    /// A device was read. If since the last time nothing changed (same place, same registers before the load, nothing
    /// stored) the program only waits for the device: whole turns of its loop are skipped up to the next event.
    fn watch_polling<B: Bus>(&mut self, bus: &mut B) {
        let seen = Poll {
            place: self.place,
            registers: self.r,
            flags: self.flags,
            stores: self.stores,
            now: self.now,
            cycles: self.cycles,
            instructions: self.instructions,
        };
        let last = std::mem::replace(&mut self.poll, seen);
        let same = last.place == self.place
            && last.registers == self.r
            && last.flags == self.flags
            && last.stores == self.stores;
        if !same || self.debug.steps() {
            return;
        }
        let next = bus.service(self.now).min(self.attention);
        self.attention = next;
        let turn = self.now - last.now;
        let turns = next.saturating_sub(self.now) / turn.max(1);
        self.now += turns * turn;
        self.cycles += turns * (self.cycles - last.cycles);
        self.instructions += turns * (self.instructions - last.instructions);
        self.poll.now = self.now;
        self.poll.cycles = self.cycles;
        self.poll.instructions = self.instructions;
    }
}
