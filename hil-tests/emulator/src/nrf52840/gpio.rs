//! General-purpose pins of ports 0 (32 pins) and 1 (16). Source: PS chapter 6.9.

use crate::registers::Registers;

/// Base address of port 0; port 1 follows at a distance of [`PORT`].
pub const BASE: u32 = 0x5000_0000;
/// Bytes of the space of both.
pub const SIZE: u32 = 0x1000;
const PORT: u32 = 0x300;
const OUT: u32 = 0x504;
const OUTSET: u32 = 0x508;
const OUTCLR: u32 = 0x50c;
const IN: u32 = 0x510;
const DIR: u32 = 0x514;
const DIRSET: u32 = 0x518;
const DIRCLR: u32 = 0x51c;
const PIN_CNF: u32 = 0x700;
const PIN_CNF_END: u32 = 0x780;
/// Pins, numbered through.
pub const PINS: u8 = 48;

/// Bits of PIN_CNF.
const OUTPUT: u32 = 1;
const INPUT_OFF: u32 = 1 << 1;
const PULL_UP: u32 = 3;

/// What the outside does to the pins.
#[derive(Clone)]
pub struct Gpio {
    driven: [Option<bool>; PINS as usize],
}

impl Default for Gpio {
    fn default() -> Self {
        Self { driven: [None; PINS as usize] }
    }
}

/// The registers that have behaviour.
pub fn modelled() -> Vec<(u32, Vec<u32>)> {
    let port = |number: u32, pins: u32| {
        let configurations = (0..pins).map(|pin| PIN_CNF + 4 * pin);
        let offsets = [OUTSET, OUTCLR, IN, DIR, DIRSET, DIRCLR].into_iter().chain(configurations);
        (BASE + number * PORT, offsets.collect())
    };
    vec![port(0, 32), port(1, 16)]
}

/// The port of an address, and the offset in it.
fn split(address: u32) -> (u32, u32) {
    // The registers of port 1 begin where those of port 0 have ended.
    let port = u32::from((0x800..0xb00).contains(&(address - BASE)));
    (port, address - BASE - port * PORT)
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
        let base = BASE + u32::from(pin / 32) * PORT;
        let number = u32::from(pin % 32);
        let configuration = registers.get(base + PIN_CNF + 4 * number);
        let out = registers.get(base + OUT) >> number & 1 != 0;
        // Drive 4 and 5 let go for low, 6 and 7 for high.
        let lets_go = match configuration >> 8 & 7 {
            4 | 5 => !out,
            6 | 7 => out,
            _ => false,
        };
        if configuration & OUTPUT != 0 && !lets_go {
            return out;
        }
        let outside = self.driven.get(usize::from(pin)).copied().flatten();
        outside.unwrap_or(configuration >> 2 & 3 == PULL_UP)
    }

    /// Reads a register that has behaviour.
    pub fn read(&self, registers: &Registers, address: u32) -> u32 {
        let (port, offset) = split(address);
        let base = BASE + port * PORT;
        let pins = if port == 0 { 32 } else { 16 };
        let configuration = |pin: u32| registers.get(base + PIN_CNF + 4 * pin);
        let fold =
            |bit: &dyn Fn(u32) -> bool| (0..pins).fold(0, |word, pin| word | u32::from(bit(pin)) << pin);
        match offset {
            IN => fold(&|pin| {
                configuration(pin) & INPUT_OFF == 0 && self.level(registers, (port * 32 + pin) as u8)
            }),
            OUTSET | OUTCLR => registers.get(base + OUT),
            DIR | DIRSET | DIRCLR => fold(&|pin| configuration(pin) & OUTPUT != 0),
            _ => registers.get(address),
        }
    }

    /// Writes a register that has behaviour.
    pub fn write(registers: &mut Registers, address: u32, value: u32) {
        let (port, offset) = split(address);
        let base = BASE + port * PORT;
        let pins = if port == 0 { 32 } else { 16 };
        let mut direct = |change: &dyn Fn(u32, u32) -> u32| {
            for pin in 0..pins {
                registers.modify(base + PIN_CNF + 4 * pin, |old| change(old, value >> pin & 1));
            }
        };
        match offset {
            DIR => direct(&|old, bit| old & !OUTPUT | bit),
            DIRSET => direct(&|old, bit| old | bit),
            DIRCLR => direct(&|old, bit| old & !bit),
            OUTSET => registers.modify(base + OUT, |old| old | value),
            OUTCLR => registers.modify(base + OUT, |old| old & !value),
            PIN_CNF..PIN_CNF_END => registers.set(address, value & 0x0003_070f),
            _ => {}
        }
    }
}
