//! The Wi-Fi MAC: receive ring, transmit queues, key slots, events, time counters.
//!
//! The vendor does not document it; what is here was measured on its driver (esp-radio 1.0.0-beta.1). What the driver only writes
//! is stored. Not modelled: aggregation (access points decline it), the beacon filter, Bluetooth.

mod damage;
mod keys;
mod receive;
mod transmit;
pub mod tsf;

use super::analog;
use super::io::Io;
use crate::air::Air;
use crate::memory::Memory;
use crate::registers::Registers;
use crate::time::{NEVER, Ticks};
pub use damage::Damage;
use receive::Ring;
use transmit::Queues;
use tsf::Tsf;

/// Base address of the MAC.
pub const BASE: u32 = 0x6003_3000;
/// Base address of its transmit parameters and keys.
pub const TX_BASE: u32 = 0x6003_4000;

const RX_CONTROL: u32 = 0x84;
const RX_BASE: u32 = 0x88;
const RX_NEXT: u32 = 0x8C;
const RX_LAST: u32 = 0x90;
const EVENTS: u32 = 0xC3C;
const EVENTS_CLEAR: u32 = 0xC40;
const MAC_STATE: u32 = 0xCA0;
const TX_COMPLETE_CLEAR: u32 = 0xCAC;
const TX_COMPLETE: u32 = 0xCB0;
/// Queue 0's descriptor; the others are below, eight bytes apart.
const TX_DESCRIPTOR: u32 = 0xD08;
const MAC_READY: u32 = 0xD14;

/// Offsets of the MAC's registers that have behaviour.
pub const MODELLED: &[u32] = &[
    RX_CONTROL,
    RX_BASE,
    RX_NEXT,
    RX_LAST,
    EVENTS,
    EVENTS_CLEAR,
    MAC_STATE,
    TX_COMPLETE_CLEAR,
    TX_COMPLETE,
    0xCE0,
    0xCE8,
    0xCF0,
    0xCF8,
    0xD00,
    TX_DESCRIPTOR,
    MAC_READY,
];

/// A frame arrived. Several bits; the driver looks at them together.
const EVENT_RECEIVED: u32 = 0x0100_4024;
/// A transmission is over.
const EVENT_SENT: u32 = 0x80;

/// The register that tunes the synthesiser, beside the analog blocks.
const TUNING: u32 = analog::BASE + 0x150;

/// The radio, and the air around the board, which no reset of the chip changes.
#[derive(Clone, Default)]
pub struct Radio {
    /// The air around the board.
    pub air: Air,
    /// What damages frames that the driver gets, if a test wants that.
    pub damage: Option<Damage>,
    ring: Ring,
    queues: Queues,
    /// The time counters.
    pub tsf: Tsf,
}

/// Channel that the synthesiser is tuned to, 0 for none.
fn channel(registers: &Registers) -> u8 {
    // MHz above 2400: channel 1 is at 2412, 5 MHz apart, but channel 14 is at 2484.
    match registers.get(TUNING) >> 20 & 0xFF {
        84 => 14,
        frequency @ 12..=72 => ((frequency - 7) / 5) as u8,
        _ => 0,
    }
}

fn is_receiving(registers: &Registers) -> bool {
    registers.get(BASE + RX_CONTROL) >> 31 != 0
}

/// A MAC address in two registers.
fn address(registers: &Registers, at: u32) -> [u8; 6] {
    let [a, b, c, d] = registers.get(at).to_le_bytes();
    let [e, f, ..] = registers.get(at + 4).to_le_bytes();
    [a, b, c, d, e, f]
}

/// The addresses at which the receiver acknowledges frames, and its channel.
#[must_use]
pub fn stations(registers: &Registers) -> Vec<([u8; 6], u8)> {
    if !is_receiving(registers) {
        return Vec::new();
    }
    let own = [receive::STATION, receive::ACCESS_POINT].map(|at| address(registers, at));
    own.into_iter().filter(|own| *own != [0; 6]).map(|own| (own, channel(registers))).collect()
}

impl Radio {
    /// The chip was reset.
    pub fn reset(&mut self) {
        self.ring = Ring::default();
        self.queues = Queues::default();
        self.tsf = Tsf::default();
    }

    /// Whether the MAC asks for an interrupt.
    #[must_use]
    pub fn interrupt(&self, io: &Io<'_>) -> bool {
        io.registers.get(BASE + EVENTS) != 0
    }

    /// When something happens next. While the receiver is off, nothing on the air concerns the board.
    #[must_use]
    pub fn next_event(&self, io: &Io<'_>) -> Ticks {
        let concerned = is_receiving(io.registers) || self.air.is_shared();
        let air = if concerned { self.air.next_event() } else { NEVER };
        air.min(self.queues.next_event()).min(self.tsf.next_event())
    }

    /// Handles what is due.
    pub fn advance(&mut self, io: &mut Io<'_>, memory: &mut Memory) {
        if self.next_event(io) > io.now {
            return;
        }
        self.queues.finish(io);
        self.tsf.advance(io);
        let receiving = is_receiving(io.registers);
        if receiving || self.air.is_shared() {
            self.air.advance(io.now);
            while let Some(heard) = self.air.hear(io.now) {
                if receiving {
                    self.ring.receive(io.registers, memory, &heard, self.damage.as_mut());
                }
            }
        }
    }

    /// Reads a register of the MAC.
    #[must_use]
    pub fn read(&self, io: &Io<'_>, offset: u32) -> u32 {
        let value = io.registers.get(BASE + offset);
        match offset {
            MAC_STATE => value & !(3 << 13),
            MAC_READY => value | 1,
            _ => value,
        }
    }

    /// Writes a register of the MAC; says whether events or interrupts may have changed.
    pub fn write(&mut self, io: &mut Io<'_>, memory: &Memory, offset: u32, value: u32) -> bool {
        match offset {
            EVENTS_CLEAR => io.registers.modify(BASE + EVENTS, |events| events & !value),
            TX_COMPLETE_CLEAR => io.registers.modify(BASE + TX_COMPLETE, |done| done & !value),
            EVENTS | TX_COMPLETE | RX_NEXT | RX_LAST => return false,
            RX_BASE => self.ring.start(io.registers, value),
            RX_CONTROL => {
                io.registers.set(BASE + offset, value & !1);
                if value & 1 != 0 {
                    self.ring.reload(io.registers, memory);
                }
            }
            0xCE0..=TX_DESCRIPTOR => {
                io.registers.set(BASE + offset, value);
                let channel = channel(io.registers);
                self.queues.start(io, memory, &mut self.air, (TX_DESCRIPTOR - offset) / 8, channel);
            }
            _ => {
                io.registers.set(BASE + offset, value);
                return false;
            }
        }
        true
    }
}
