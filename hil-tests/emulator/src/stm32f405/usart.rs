//! USART1 as an asynchronous receiver and transmitter. Source: RM0090 chapter 30.

use super::clock;
use crate::registers::Registers;
use crate::time::{NEVER, Ticks};
use crate::wire::{FRACTION, Receiver, Wire};

/// Base address.
pub const BASE: u32 = 0x4001_1000;
/// Its interrupt.
pub const LINE: u32 = 37;
const SR: u32 = 0x00;
const DR: u32 = 0x04;
const BRR: u32 = 0x08;
const CR1: u32 = 0x0c;
/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[SR, DR];

const FE: u32 = 1 << 1;
const ORE: u32 = 1 << 3;
const RXNE: u32 = 1 << 5;
const TC: u32 = 1 << 6;
const TXE: u32 = 1 << 7;
const RE: u32 = 1 << 2;
const TE: u32 = 1 << 3;
const RXNEIE: u32 = 1 << 5;
const TCIE: u32 = 1 << 6;
const TXEIE: u32 = 1 << 7;
const OVER8: u32 = 1 << 15;
const UE: u32 = 1 << 13;

/// The USART and its lines.
#[derive(Clone, Default)]
pub struct Usart {
    /// The line from the chip.
    pub tx: Wire,
    rx: Wire,
    receiver: Receiver,
    received: u8,
    /// RXNE, FE and ORE.
    status: u32,
    /// SR was read while ORE or FE was set; reading DR next clears them.
    status_read: bool,
    /// A byte that waits for the shift register.
    waiting: Option<u8>,
    /// When the shift register is free.
    free_at: Ticks,
}

impl Usart {
    /// Draws a byte on the line to the chip.
    pub fn send(&mut self, byte: u8, now: Ticks, bit: u64) -> Ticks {
        self.rx.send(byte, now, bit)
    }

    /// The chip is reset: what it was sending ends.
    pub fn reset(&mut self, now: Ticks) {
        self.receiver.restart(&mut self.rx, now);
        (self.status, self.status_read, self.waiting, self.free_at) = (0, false, None, now);
    }

    fn bit(registers: &Registers) -> u64 {
        let divider = u64::from(registers.get(BASE + BRR) & 0xffff);
        let cycles = if registers.get(BASE + CR1) & OVER8 == 0 {
            divider
        } else {
            (divider & 0xfff0) / 2 + (divider & 7)
        };
        (cycles * clock::ticks_per_apb2_cycle(registers) * FRACTION).max(1)
    }

    fn is_on(registers: &Registers, direction: u32) -> bool {
        registers.get(BASE + CR1) & (UE | direction) == UE | direction
    }

    /// Moves on to `now`; gives when something happens next.
    pub fn service(&mut self, registers: &Registers, now: Ticks) -> Ticks {
        let bit = Self::bit(registers);
        if !Self::is_on(registers, RE) {
            self.receiver.restart(&mut self.rx, now);
        }
        while let Some(frame) = self.receiver.receive(&mut self.rx, bit, now) {
            if self.status & RXNE != 0 {
                self.status |= ORE;
                continue;
            }
            self.received = frame.byte;
            self.status |= RXNE | if frame.framing_error { FE } else { 0 };
        }
        if self.free_at <= now
            && Self::is_on(registers, TE)
            && let Some(byte) = self.waiting.take()
        {
            self.free_at = self.tx.send(byte, now, bit);
        }
        let shifting = if self.free_at > now { self.free_at } else { NEVER };
        self.receiver.due(&self.rx, bit).unwrap_or(NEVER).min(shifting)
    }

    fn status(&self, now: Ticks) -> u32 {
        let idle = self.free_at <= now && self.waiting.is_none();
        self.status | if self.waiting.is_none() { TXE } else { 0 } | if idle { TC } else { 0 }
    }

    /// Whether the interrupt line is asserted.
    pub fn interrupts(&self, registers: &Registers, now: Ticks) -> bool {
        let (control, status) = (registers.get(BASE + CR1), self.status(now));
        let causes = [(RXNEIE, RXNE | ORE), (TCIE, TC), (TXEIE, TXE)];
        causes.iter().any(|(enable, cause)| control & enable != 0 && status & cause != 0)
    }

    /// Reads a register that has behaviour.
    pub fn read(&mut self, offset: u32, now: Ticks) -> u32 {
        if offset == SR {
            self.status_read = true;
            return self.status(now);
        }
        self.status &= !RXNE;
        if std::mem::take(&mut self.status_read) {
            self.status &= !(ORE | FE);
        }
        self.received.into()
    }

    /// Writes a register that has behaviour.
    pub fn write(&mut self, registers: &Registers, offset: u32, value: u32, now: Ticks) {
        if offset == SR {
            self.status &= value | !RXNE;
            return;
        }
        // A byte that is written while one waits replaces it, as on the chip.
        self.waiting = Some(value as u8);
        self.service(registers, now);
    }
}
