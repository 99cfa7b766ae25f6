//! UART0, without EasyDMA. Source: PS chapter 6.33.

use super::TICKS_PER_SECOND;
use crate::registers::Registers;
use crate::time::{NEVER, Ticks};
use crate::wire::{FRACTION, Receiver, Wire};
use std::collections::VecDeque;

/// Base address.
pub const BASE: u32 = 0x4000_2000;
/// Its interrupt.
pub const LINE: u32 = 2;
const TASKS_STARTRX: u32 = 0x000;
const TASKS_STOPRX: u32 = 0x004;
const TASKS_STARTTX: u32 = 0x008;
const TASKS_STOPTX: u32 = 0x00c;
const TASKS_SUSPEND: u32 = 0x01c;
const EVENTS_RXDRDY: u32 = 0x108;
const EVENTS_TXDRDY: u32 = 0x11c;
const EVENTS_ERROR: u32 = 0x124;
const EVENTS_RXTO: u32 = 0x144;
const INTENSET: u32 = 0x304;
const INTENCLR: u32 = 0x308;
const ERRORSRC: u32 = 0x480;
const ENABLE: u32 = 0x500;
const PSEL_TXD: u32 = 0x50c;
const PSEL_RXD: u32 = 0x514;
const RXD: u32 = 0x518;
const TXD: u32 = 0x51c;
const BAUDRATE: u32 = 0x524;
/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[
    TASKS_STARTRX,
    TASKS_STOPRX,
    TASKS_STARTTX,
    TASKS_STOPTX,
    TASKS_SUSPEND,
    INTENSET,
    INTENCLR,
    ERRORSRC,
    RXD,
    TXD,
];
/// Events, and their bits in INTEN.
const EVENTS: [(u32, u32); 4] =
    [(EVENTS_RXDRDY, 1 << 2), (EVENTS_TXDRDY, 1 << 7), (EVENTS_ERROR, 1 << 9), (EVENTS_RXTO, 1 << 17)];

const ON: u32 = 4;
const OVERRUN: u32 = 1;
const FRAMING: u32 = 1 << 2;
/// Where the adapter is wired.
const TX_PIN: u32 = 6;
const RX_PIN: u32 = 8;
/// Bytes that wait behind the one in RXD.
const QUEUE: usize = 5;

/// The UART and its lines.
#[derive(Clone, Default)]
pub struct Uart {
    /// The line from the chip.
    pub tx: Wire,
    rx: Wire,
    receiver: Receiver,
    receives: bool,
    sends: bool,
    enabled: u32,
    errors: u32,
    /// The byte in RXD, and whether it was not read yet.
    received: (u8, bool),
    queue: VecDeque<u8>,
    /// When the byte that is being sent will be out.
    sent_at: Option<Ticks>,
}

impl Uart {
    /// Draws a byte on the line to the chip.
    pub fn send(&mut self, byte: u8, now: Ticks, bit: u64) -> Ticks {
        self.rx.send(byte, now, bit)
    }

    /// The chip is reset: what it was sending ends.
    pub fn reset(&mut self, now: Ticks) {
        self.receiver.restart(&mut self.rx, now);
        let (tx, rx, receiver) =
            (std::mem::take(&mut self.tx), std::mem::take(&mut self.rx), std::mem::take(&mut self.receiver));
        *self = Self { tx, rx, receiver, ..Self::default() };
    }

    /// Length of a bit, in 1/256 tick: BAUDRATE is a fraction of 16 MHz.
    fn bit(registers: &Registers) -> u64 {
        let rate = u64::from(registers.get(BASE + BAUDRATE)).max(1);
        (((TICKS_PER_SECOND / 16_000_000 * FRACTION) << 32) / rate).max(1)
    }

    fn is_on(registers: &Registers, select: u32, pin: u32) -> bool {
        registers.get(BASE + ENABLE) == ON && registers.get(BASE + select) == pin
    }

    /// Moves on to `now`; gives when something happens next.
    pub fn service(&mut self, registers: &mut Registers, now: Ticks) -> Ticks {
        let bit = Self::bit(registers);
        if !self.receives || !Self::is_on(registers, PSEL_RXD, RX_PIN) {
            self.receiver.restart(&mut self.rx, now);
        }
        while let Some(frame) = self.receiver.receive(&mut self.rx, bit, now) {
            let error = if frame.framing_error {
                FRAMING
            } else if self.queue.len() >= QUEUE {
                OVERRUN
            } else {
                0
            };
            if error != 0 {
                self.errors |= error;
                registers.set(BASE + EVENTS_ERROR, 1);
            }
            if error != OVERRUN {
                self.queue.push_back(frame.byte);
            }
            self.offer(registers);
        }
        if self.sent_at.is_some_and(|at| at <= now) {
            self.sent_at = None;
            registers.set(BASE + EVENTS_TXDRDY, 1);
        }
        self.receiver.due(&self.rx, bit).unwrap_or(NEVER).min(self.sent_at.unwrap_or(NEVER))
    }

    /// The next byte moves on to RXD.
    fn offer(&mut self, registers: &mut Registers) {
        if !self.received.1
            && let Some(byte) = self.queue.pop_front()
        {
            self.received = (byte, true);
            registers.set(BASE + EVENTS_RXDRDY, 1);
        }
    }

    /// Whether the interrupt line is asserted.
    pub fn interrupts(&self, registers: &Registers) -> bool {
        EVENTS.iter().any(|(event, bit)| self.enabled & bit != 0 && registers.get(BASE + event) != 0)
    }

    /// Reads a register that has behaviour.
    pub fn read(&mut self, registers: &mut Registers, offset: u32) -> u32 {
        match offset {
            INTENSET | INTENCLR => self.enabled,
            ERRORSRC => self.errors,
            RXD => {
                let byte = self.received.0;
                self.received.1 = false;
                self.offer(registers);
                byte.into()
            }
            _ => 0,
        }
    }

    /// Writes a register that has behaviour.
    pub fn write(&mut self, registers: &mut Registers, offset: u32, value: u32, now: Ticks) {
        match offset {
            TASKS_STARTRX if value == 1 => self.receives = true,
            TASKS_STOPRX if value == 1 => {
                self.receives = false;
                registers.set(BASE + EVENTS_RXTO, 1);
            }
            TASKS_STARTTX if value == 1 => self.sends = true,
            TASKS_STOPTX if value == 1 => self.sends = false,
            TASKS_SUSPEND if value == 1 => (self.receives, self.sends) = (false, false),
            INTENSET => self.enabled |= value,
            INTENCLR => self.enabled &= !value,
            ERRORSRC => self.errors &= !value,
            TXD if self.sent_at.is_some() => tracing::warn!("UART0: a byte is written while one is sent"),
            TXD if self.sends && registers.get(BASE + ENABLE) == ON => {
                let bit = Self::bit(registers);
                let is_wired = Self::is_on(registers, PSEL_TXD, TX_PIN);
                let alone = now + 10 * bit / FRACTION;
                self.sent_at = Some(if is_wired { self.tx.send(value as u8, now, bit) } else { alone });
            }
            _ => {}
        }
    }
}
