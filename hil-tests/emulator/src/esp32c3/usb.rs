//! USB-Serial-JTAG's serial port as a byte stream. Source: TRM chapter 30.
//!
//! The USB bus itself is not modelled: a host that is plugged in takes a full packet at the next frame, one that is not
//! leaves the FIFO full, which is what firmware sees on a board whose USB connector is empty.

use super::io::Io;
use crate::time::{NEVER, TICKS_PER_US, Ticks};
use std::collections::VecDeque;

/// Base address.
pub const BASE: u32 = 0x6004_3000;
const EP1: u32 = 0x00;
const EP1_CONF: u32 = 0x04;
const INT_RAW: u32 = 0x08;
const INT_ST: u32 = 0x0C;
const INT_ENA: u32 = 0x10;
const INT_CLR: u32 = 0x14;
const FRAM_NUM: u32 = 0x24;

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[EP1, EP1_CONF, INT_RAW, INT_ST, INT_ENA, INT_CLR, FRAM_NUM];

const SOF: u32 = 1 << 1;
const OUT_RECEIVED: u32 = 1 << 2;
const IN_EMPTY: u32 = 1 << 3;
const PACKET: usize = 64;
/// A full-speed frame.
const FRAME: Ticks = 1000 * TICKS_PER_US;

/// The port.
#[derive(Clone)]
pub struct Usb {
    /// Whether a host is plugged in.
    pub plugged: bool,
    /// What the host has received.
    pub to_host: VecDeque<u8>,
    from_host: VecDeque<u8>,
    packet: VecDeque<u8>,
    /// The packet was handed over (WR_DONE or full) and waits for the host.
    handed_over: bool,
    raw: u32,
    next: Ticks,
}

impl Default for Usb {
    fn default() -> Self {
        Self {
            plugged: false,
            to_host: VecDeque::new(),
            from_host: VecDeque::new(),
            packet: VecDeque::new(),
            handed_over: false,
            raw: IN_EMPTY,
            next: NEVER,
        }
    }
}

impl Usb {
    /// Puts the port in its reset state; the host stays plugged in or not.
    pub fn reset(&mut self, io: &mut Io<'_>) {
        *self = Self { plugged: self.plugged, to_host: std::mem::take(&mut self.to_host), ..Self::default() };
        io.registers.reset(BASE, 0x84);
    }

    /// Whether the port asks for its interrupt.
    #[must_use]
    pub fn interrupt(&self, io: &Io<'_>) -> bool {
        self.raw & io.registers.get(BASE + INT_ENA) != 0
    }

    /// When something happens next.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        self.next
    }

    fn schedule(&mut self, io: &Io<'_>) {
        let busy =
            self.handed_over || !self.from_host.is_empty() || io.registers.get(BASE + INT_ENA) & SOF != 0;
        self.next = if self.plugged && busy { (io.now / FRAME + 1) * FRAME } else { NEVER };
    }

    /// The host sends bytes.
    pub fn send(&mut self, io: &Io<'_>, bytes: &[u8]) {
        self.from_host.extend(bytes);
        self.schedule(io);
    }

    /// Handles what is due: one frame.
    pub fn advance(&mut self, io: &mut Io<'_>) {
        if io.now < self.next {
            return;
        }
        self.raw |= SOF;
        if std::mem::take(&mut self.handed_over) {
            self.to_host.extend(self.packet.drain(..));
            self.raw |= IN_EMPTY;
        }
        if !self.from_host.is_empty() {
            self.raw |= OUT_RECEIVED;
        }
        self.schedule(io);
    }

    /// Reads a register.
    pub fn read(&mut self, io: &mut Io<'_>, offset: u32) -> u32 {
        match offset {
            EP1 => u32::from(self.from_host.pop_front().unwrap_or(0)),
            EP1_CONF => u32::from(!self.handed_over) << 1 | u32::from(!self.from_host.is_empty()) << 2,
            INT_RAW => self.raw,
            INT_ST => self.raw & io.registers.get(BASE + INT_ENA),
            FRAM_NUM => {
                *io.volatile = true;
                if self.plugged { (io.now / FRAME) as u32 & 0x7FF } else { 0 }
            }
            _ => io.registers.get(BASE + offset),
        }
    }

    /// Writes a register.
    pub fn write(&mut self, io: &mut Io<'_>, offset: u32, value: u32) {
        match offset {
            EP1 => {
                if !self.handed_over {
                    self.packet.push_back(value as u8);
                    self.handed_over = self.packet.len() == PACKET;
                }
            }
            EP1_CONF => self.handed_over |= value & 1 != 0 && !self.packet.is_empty(),
            INT_CLR => self.raw &= !value,
            INT_RAW | INT_ST | FRAM_NUM => {}
            _ => io.registers.set(BASE + offset, value),
        }
        self.schedule(io);
    }
}
