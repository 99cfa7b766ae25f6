//! General-purpose pins. Source: RM0090 chapter 8.

use crate::registers::Registers;

/// Base address of port A; the others follow at distances of [`PORT`].
pub const BASE: u32 = 0x4002_0000;
/// Bytes of a port's registers.
pub const PORT: u32 = 0x400;
/// Ports that are described: A to D.
pub const PORTS: u32 = 4;
const MODER: u32 = 0x00;
const OTYPER: u32 = 0x04;
const PUPDR: u32 = 0x0c;
const IDR: u32 = 0x10;
const ODR: u32 = 0x14;
const BSRR: u32 = 0x18;
/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[IDR, ODR, BSRR];

/// PA13 (SWDIO) and PA14 (SWCLK) in MODER of port A, and what they are after a reset: the debug port's.
const DEBUG_PINS: u32 = 0xf << 26;
const DEBUG_PINS_ON: u32 = 0xa << 26;

/// Whether the program has left its pins to the debug port.
pub fn leaves_debug_pins(registers: &Registers) -> bool {
    registers.get(BASE + MODER) & DEBUG_PINS == DEBUG_PINS_ON
}

/// What the outside does to the pins.
#[derive(Clone)]
pub struct Gpio {
    driven: [Option<bool>; 16 * PORTS as usize],
}

impl Default for Gpio {
    fn default() -> Self {
        Self { driven: [None; 16 * PORTS as usize] }
    }
}

impl Gpio {
    /// Drives a pin from outside, or leaves it open.
    pub fn drive(&mut self, pin: u8, level: Option<bool>) {
        if let Some(driven) = self.driven.get_mut(usize::from(pin)) {
            *driven = level;
        }
    }

    /// The level at a pin: the chip's if it drives, else the outside's, else what the resistor makes of it, else low.
    pub fn level(&self, registers: &Registers, pin: u8) -> bool {
        let base = BASE + u32::from(pin / 16) * PORT;
        let number = u32::from(pin % 16);
        let two = |offset| registers.get(base + offset) >> (2 * number) & 3;
        let one = |offset| registers.get(base + offset) >> number & 1 != 0;
        let outside = self.driven.get(usize::from(pin)).copied().flatten();
        let open_drain_high = one(OTYPER) && one(ODR);
        if two(MODER) == 1 && !open_drain_high {
            return one(ODR);
        }
        outside.unwrap_or(two(PUPDR) == 1)
    }

    /// Reads a register that has behaviour.
    pub fn read(&self, registers: &Registers, address: u32) -> u32 {
        let first = ((address - BASE) / PORT * 16) as u8;
        match address % PORT {
            IDR => (0..16)
                .fold(0, |word, number| word | u32::from(self.level(registers, first + number)) << number),
            ODR => registers.get(address),
            _ => 0,
        }
    }

    /// Writes a register that has behaviour.
    pub fn write(registers: &mut Registers, address: u32, value: u32) {
        match address % PORT {
            ODR => registers.set(address, value & 0xffff),
            BSRR => {
                let output = address - BSRR + ODR;
                registers.modify(output, |old| old & !(value >> 16) | value & 0xffff);
            }
            _ => {}
        }
    }
}
