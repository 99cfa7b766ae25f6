//! GPIO and its pins as the outside sees them. Source: TRM chapter 5.
//!
//! Pads are driven by the outside, by the output register, or pulled by IO_MUX; the UART0 pads are lines of their own
//! ([`crate::wire`]) and not routed through here.

use super::io::Io;
use crate::registers::Registers;

/// Base address.
pub const BASE: u32 = 0x6000_4000;
const IO_MUX: u32 = 0x6000_9000;
const OUT: u32 = 0x04;
const OUT_W1TS: u32 = 0x08;
const OUT_W1TC: u32 = 0x0C;
const ENABLE: u32 = 0x20;
const ENABLE_W1TS: u32 = 0x24;
const ENABLE_W1TC: u32 = 0x28;
const STRAP: u32 = 0x38;
const IN: u32 = 0x3C;
const STATUS: u32 = 0x44;
const STATUS_W1TS: u32 = 0x48;
const STATUS_W1TC: u32 = 0x4C;
const PCPU_INT: u32 = 0x5C;
const PIN0: u32 = 0x74;

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[
    OUT,
    OUT_W1TS,
    OUT_W1TC,
    ENABLE,
    ENABLE_W1TS,
    ENABLE_W1TC,
    STRAP,
    IN,
    STATUS,
    STATUS_W1TS,
    STATUS_W1TC,
    PCPU_INT,
    0x74,
    0x78,
    0x7C,
    0x80,
    0x84,
    0x88,
    0x8C,
    0x90,
    0x94,
    0x98,
    0x9C,
    0xA0,
    0xA4,
    0xA8,
    0xAC,
    0xB0,
    0xB4,
    0xB8,
    0xBC,
    0xC0,
    0xC4,
    0xC8,
];

/// Pins that the chip brings out.
pub const PINS: u8 = 22;

/// Level at which the chip itself drives `pin`; `None` if it does not.
#[must_use]
pub fn driven(registers: &Registers, pin: u8) -> Option<bool> {
    let bit = 1_u32.checked_shl(u32::from(pin)).unwrap_or(0);
    let level = registers.get(BASE + OUT) & bit != 0;
    (registers.get(BASE + ENABLE) & bit != 0).then_some(level)
}

/// The pins.
#[derive(Clone, Default)]
pub struct Gpio {
    /// Level that the outside drives, per pin; `None` is open.
    outside: [Option<bool>; PINS as usize],
    strap: u32,
    levels: u32,
    status: u32,
}

impl Gpio {
    /// Latches the strapping pins, as at the end of a chip reset. GPIO9 is pulled up by the chip, GPIO8 by the resistor that
    /// boards have there. GPIO2 has neither: left open it floats, and is sampled low here, as on the boards whose ROM
    /// prints `boot:0xc`.
    pub fn latch_straps(&mut self) {
        let level = |pin: usize, open| u32::from(self.outside[pin].unwrap_or(open));
        self.strap = level(9, true) << 3 | level(8, true) << 2 | level(2, false);
    }

    /// Whether the latched straps select booting from flash.
    #[must_use]
    pub fn boots_from_flash(&self) -> bool {
        self.strap & 8 != 0
    }

    /// Puts the registers that a core reset covers back; the strap stays latched.
    pub fn reset(&mut self, io: &mut Io<'_>) {
        io.registers.reset(BASE, 0x700);
        io.registers.reset(IO_MUX, 0x100);
        self.status = 0;
        self.update(io);
    }

    /// The outside drives `pin`, or leaves it open.
    ///
    /// # Panics
    /// If the chip has no such pin.
    pub fn drive(&mut self, io: &mut Io<'_>, pin: u8, level: Option<bool>) {
        self.outside[usize::from(pin)] = level;
        self.update(io);
    }

    /// Level of `pin` as the outside measures it; `None` if nothing drives or pulls it.
    #[must_use]
    pub fn level(&self, io: &Io<'_>, pin: u8) -> Option<bool> {
        let bit = 1 << pin;
        if io.registers.get(BASE + ENABLE) & bit != 0 {
            return Some(io.registers.get(BASE + OUT) & bit != 0);
        }
        let mux = io.registers.get(IO_MUX + 4 + 4 * u32::from(pin));
        self.outside.get(usize::from(pin)).copied().flatten().or(match mux >> 7 & 3 {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        })
    }

    /// Samples all pins and latches interrupt conditions.
    fn update(&mut self, io: &mut Io<'_>) {
        let mut levels = 0;
        for pin in 0..PINS {
            let input_enabled = io.registers.get(IO_MUX + 4 + 4 * u32::from(pin)) & 1 << 9 != 0;
            levels |= u32::from(input_enabled && self.level(io, pin).unwrap_or(false)) << pin;
        }
        let (rose, fell) = (levels & !self.levels, self.levels & !levels);
        self.levels = levels;
        for pin in 0..PINS {
            let bit = 1 << pin;
            let hit = match io.registers.get(BASE + PIN0 + 4 * u32::from(pin)) >> 7 & 7 {
                1 => rose & bit != 0,
                2 => fell & bit != 0,
                3 => (rose | fell) & bit != 0,
                4 => levels & bit == 0,
                5 => levels & bit != 0,
                _ => false,
            };
            if hit {
                self.status |= bit;
            }
        }
    }

    fn interrupts(&self, io: &Io<'_>) -> u32 {
        (0..PINS)
            .filter(|&pin| io.registers.get(BASE + PIN0 + 4 * u32::from(pin)) & 1 << 13 != 0)
            .fold(0, |bits, pin| bits | 1 << pin)
            & self.status
    }

    /// Whether a pin asks for the interrupt.
    #[must_use]
    pub fn interrupt(&self, io: &Io<'_>) -> bool {
        self.status != 0 && self.interrupts(io) != 0
    }

    /// Whether a pin has the level at which it ends light sleep.
    #[must_use]
    pub fn wakes(&self, io: &Io<'_>) -> bool {
        (0..PINS).any(|pin| {
            let config = io.registers.get(BASE + PIN0 + 4 * u32::from(pin));
            let high = self.levels >> pin & 1 != 0;
            config & 1 << 10 != 0 && matches!((config >> 7 & 7, high), (4, false) | (5, true))
        })
    }

    /// Reads a register.
    pub fn read(&mut self, io: &mut Io<'_>, offset: u32) -> u32 {
        match offset {
            STRAP => self.strap,
            IN => {
                self.update(io);
                self.levels
            }
            STATUS => self.status,
            PCPU_INT => self.interrupts(io),
            OUT_W1TS | OUT_W1TC | ENABLE_W1TS | ENABLE_W1TC | STATUS_W1TS | STATUS_W1TC => 0,
            _ => io.registers.get(BASE + offset),
        }
    }

    /// Writes a register.
    pub fn write(&mut self, io: &mut Io<'_>, offset: u32, value: u32) {
        match offset {
            OUT_W1TS => io.registers.modify(BASE + OUT, |out| out | value),
            OUT_W1TC => io.registers.modify(BASE + OUT, |out| out & !value),
            ENABLE_W1TS => io.registers.modify(BASE + ENABLE, |enabled| enabled | value),
            ENABLE_W1TC => io.registers.modify(BASE + ENABLE, |enabled| enabled & !value),
            STATUS => self.status = value,
            STATUS_W1TS => self.status |= value,
            STATUS_W1TC => self.status &= !value,
            STRAP | IN | PCPU_INT => return,
            _ => io.registers.set(BASE + offset, value),
        }
        self.update(io);
    }
}
