//! UART controllers. Source: TRM chapter 26.
//!
//! Both directions are lines in simulated time ([`Wire`]); the controller samples and drives them at the rate that CLKDIV and
//! the clock selection give, so a wrong rate garbles bytes and the ROM's baud rate detection measures real edges.

use super::io::{Io, RC_FAST, XTAL};
use crate::time::{NEVER, Ticks};
use crate::wire::{FRACTION, Pulses, Receiver, Wire};
use std::collections::VecDeque;

const FIFO: u32 = 0x00;
const INT_RAW: u32 = 0x04;
const INT_ST: u32 = 0x08;
const INT_ENA: u32 = 0x0C;
const INT_CLR: u32 = 0x10;
const CLKDIV: u32 = 0x14;
/// What is received and to be sent.
pub const STATUS: u32 = 0x1C;
const CONF0: u32 = 0x20;
const CONF1: u32 = 0x24;
const LOWPULSE: u32 = 0x28;
const HIGHPULSE: u32 = 0x2C;
const RXD_CNT: u32 = 0x30;
const MEM_CONF: u32 = 0x60;
const MEM_TX_STATUS: u32 = 0x64;
const MEM_RX_STATUS: u32 = 0x68;
const FSM_STATUS: u32 = 0x6C;
const POSPULSE: u32 = 0x70;
const NEGPULSE: u32 = 0x74;
const CLK_CONF: u32 = 0x78;
const ID: u32 = 0x80;

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[
    FIFO,
    INT_RAW,
    INT_ST,
    INT_ENA,
    INT_CLR,
    CLKDIV,
    STATUS,
    CONF0,
    CONF1,
    LOWPULSE,
    HIGHPULSE,
    RXD_CNT,
    MEM_CONF,
    MEM_TX_STATUS,
    MEM_RX_STATUS,
    FSM_STATUS,
    POSPULSE,
    NEGPULSE,
    CLK_CONF,
    ID,
];

const RXFIFO_FULL: u32 = 1 << 0;
const TXFIFO_EMPTY: u32 = 1 << 1;
const FRAMING_ERROR: u32 = 1 << 3;
const RXFIFO_OVERFLOW: u32 = 1 << 4;
const BREAK_DETECTED: u32 = 1 << 7;
const RXFIFO_TIMEOUT: u32 = 1 << 8;
const TX_DONE: u32 = 1 << 14;

const LOOPBACK: u32 = 1 << 14;
const RXFIFO_RESET: u32 = 1 << 17;
const TXFIFO_RESET: u32 = 1 << 18;
const AUTOBAUD: u32 = 1 << 27;
const RX_TIMEOUT_ENABLE: u32 = 1 << 21;

/// Bytes in each FIFO.
const DEPTH: usize = 128;

/// One controller.
#[derive(Clone)]
pub struct Uart {
    base: u32,
    /// The line into the chip.
    pub rx: Wire,
    /// The line out of the chip.
    pub tx: Wire,
    receiver: Receiver,
    rx_fifo: VecDeque<u8>,
    tx_fifo: VecDeque<u8>,
    /// When the frame being sent ends.
    shifting_until: Option<Ticks>,
    raw: u32,
    times_out_at: Ticks,
    pulses: Pulses,
    next: Ticks,
}

impl Uart {
    /// The controller whose registers are at `base`.
    #[must_use]
    pub fn new(base: u32) -> Self {
        Self {
            base,
            rx: Wire::default(),
            tx: Wire::default(),
            receiver: Receiver::default(),
            rx_fifo: VecDeque::with_capacity(DEPTH),
            tx_fifo: VecDeque::with_capacity(DEPTH),
            shifting_until: None,
            raw: 0,
            times_out_at: NEVER,
            pulses: Pulses::default(),
            next: NEVER,
        }
    }

    /// Puts the controller in its reset state; the lines keep what is on its way.
    pub fn reset(&mut self, io: &mut Io<'_>) {
        let (rx, tx, receiver) =
            (std::mem::take(&mut self.rx), std::mem::take(&mut self.tx), self.receiver.clone());
        *self = Self { rx, tx, receiver, ..Self::new(self.base) };
        self.receiver.restart(&mut self.rx, io.now);
        io.registers.reset(self.base, 0x84);
        self.schedule(io);
    }

    /// Length of a bit in 1/256 tick.
    #[must_use]
    pub fn bit(&self, io: &Io<'_>) -> u64 {
        let divider = io.registers.get(self.base + CLKDIV);
        let sixteenths = u64::from(divider & 0xFFF) * 16 + u64::from(divider >> 20 & 15);
        (self.clock(io) * sixteenths * FRACTION / 16 / 256).max(FRACTION)
    }

    /// Period of the controller's clock in 1/256 tick.
    fn clock(&self, io: &Io<'_>) -> u64 {
        let conf = io.registers.get(self.base + CLK_CONF);
        let source = match conf >> 20 & 3 {
            2 => RC_FAST,
            3 => XTAL,
            _ => io.apb,
        };
        let (b, a) = (u64::from(conf & 63), u64::from(conf >> 6 & 63));
        let whole = u64::from(conf >> 12 & 0xFF) + 1;
        let fraction = (256 * a).checked_div(b).unwrap_or(0);
        source * (256 * whole + fraction)
    }

    /// Whether the controller asks for its interrupt.
    #[must_use]
    pub fn interrupt(&self, io: &Io<'_>) -> bool {
        self.raw & io.registers.get(self.base + INT_ENA) != 0
    }

    /// When something happens next.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        self.next
    }

    /// Recomputes when something happens next; needed after drawing on [`Uart::rx`].
    pub fn schedule(&mut self, io: &Io<'_>) {
        let due = self.receiver.due(&self.rx, self.bit(io)).unwrap_or(NEVER);
        self.next = due.min(self.shifting_until.unwrap_or(NEVER)).min(self.times_out_at);
    }

    /// Handles what is due.
    pub fn advance(&mut self, io: &mut Io<'_>) {
        if io.now < self.next {
            return;
        }
        let bit = self.bit(io);
        while let Some(end) = self.shifting_until.filter(|&end| end <= io.now) {
            self.shifting_until = None;
            match self.tx_fifo.pop_front() {
                Some(byte) => self.shift(byte, end, bit, io),
                None => self.raw |= TX_DONE,
            }
        }
        self.measure(io);
        while let Some(frame) = self.receiver.receive(&mut self.rx, bit, io.now) {
            if frame.is_break {
                self.raw |= BREAK_DETECTED;
            } else if frame.framing_error {
                self.raw |= FRAMING_ERROR;
            }
            if self.rx_fifo.len() < DEPTH {
                self.rx_fifo.push_back(frame.byte);
            } else {
                self.raw |= RXFIFO_OVERFLOW;
            }
            let quiet = u64::from(io.registers.get(self.base + MEM_CONF) >> 16 & 0x3FF) * bit / FRACTION;
            self.times_out_at = io.now + quiet;
        }
        if self.times_out_at <= io.now {
            self.times_out_at = NEVER;
            if io.registers.get(self.base + CONF1) & RX_TIMEOUT_ENABLE != 0 && !self.rx_fifo.is_empty() {
                self.raw |= RXFIFO_TIMEOUT;
            }
        }
        self.levels(io);
        self.schedule(io);
    }

    fn shift(&mut self, byte: u8, start: Ticks, bit: u64, io: &Io<'_>) {
        self.shifting_until = Some(self.tx.send(byte, start, bit));
        if io.registers.get(self.base + CONF0) & LOOPBACK != 0 {
            self.rx.send(byte, start, bit);
        }
    }

    /// Interrupts that follow the fill level of the FIFOs.
    fn levels(&mut self, io: &Io<'_>) {
        let conf1 = io.registers.get(self.base + CONF1);
        if self.rx_fifo.len() >= (conf1 & 0x1FF) as usize && !self.rx_fifo.is_empty() {
            self.raw |= RXFIFO_FULL;
        }
        if self.tx_fifo.len() < (conf1 >> 9 & 0x1FF) as usize {
            self.raw |= TXFIFO_EMPTY;
        }
    }

    fn measure(&mut self, io: &Io<'_>) {
        if io.registers.get(self.base + CONF0) & AUTOBAUD != 0 {
            self.receiver.measure(&self.rx, io.now, &mut self.pulses);
        }
    }

    /// A pulse length as the detection registers show it: clock cycles less one, saturating at 4095.
    fn pulse(&mut self, io: &mut Io<'_>, choose: impl Fn(&Pulses) -> Ticks) -> u32 {
        self.measure(io);
        *io.volatile = true;
        let cycles = choose(&self.pulses).saturating_mul(256) / self.clock(io);
        u32::try_from(cycles.saturating_sub(1).min(0xFFF)).unwrap_or(0xFFF)
    }

    /// Reads a register.
    pub fn read(&mut self, io: &mut Io<'_>, offset: u32) -> u32 {
        self.advance(io);
        let (received, queued) = (self.rx_fifo.len() as u32, self.tx_fifo.len() as u32);
        match offset {
            FIFO => self.pop(io),
            INT_RAW => self.raw,
            INT_ST => self.raw & io.registers.get(self.base + INT_ENA),
            INT_CLR => 0,
            STATUS => {
                0xE000_C000 & !(1 << 15) | u32::from(self.rx.level(io.now)) << 15 | queued << 16 | received
            }
            LOWPULSE => self.pulse(io, |pulses| pulses.low),
            HIGHPULSE => self.pulse(io, |pulses| pulses.high),
            POSPULSE => self.pulse(io, |pulses| pulses.rising),
            NEGPULSE => self.pulse(io, |pulses| pulses.falling),
            RXD_CNT => {
                self.measure(io);
                *io.volatile = true;
                self.pulses.edges.min(0x3FF)
            }
            MEM_TX_STATUS => queued,
            MEM_RX_STATUS => 0x80100 | received,
            FSM_STATUS => u32::from(self.shifting_until.is_some()) << 4,
            _ => io.registers.get(self.base + offset),
        }
    }

    fn pop(&mut self, io: &mut Io<'_>) -> u32 {
        let byte = self.rx_fifo.pop_front().unwrap_or(0);
        if self.rx_fifo.is_empty() {
            self.times_out_at = NEVER;
            self.schedule(io);
        }
        u32::from(byte)
    }

    /// Writes a register; says whether events or interrupts may have changed.
    pub fn write(&mut self, io: &mut Io<'_>, offset: u32, value: u32) -> bool {
        self.advance(io);
        match offset {
            FIFO => return self.push(io, value as u8),
            INT_CLR => {
                self.raw &= !value;
                self.levels(io);
                return true;
            }
            INT_RAW | INT_ST | STATUS | LOWPULSE | HIGHPULSE | RXD_CNT | MEM_TX_STATUS | MEM_RX_STATUS
            | FSM_STATUS | POSPULSE | NEGPULSE => return false,
            // The update bit clears itself once the configuration has crossed into the controller's clock domain.
            ID => io.registers.set(self.base + ID, value & !(1 << 31)),
            CONF0 => self.configure(io, value),
            _ => io.registers.set(self.base + offset, value),
        }
        self.levels(io);
        self.schedule(io);
        true
    }

    fn push(&mut self, io: &mut Io<'_>, byte: u8) -> bool {
        if self.shifting_until.is_none() {
            let bit = self.bit(io);
            self.shift(byte, io.now, bit, io);
            self.schedule(io);
            return true;
        }
        if self.tx_fifo.len() < DEPTH {
            self.tx_fifo.push_back(byte);
        }
        false
    }

    fn configure(&mut self, io: &mut Io<'_>, value: u32) {
        let before = io.registers.get(self.base + CONF0);
        io.registers.set(self.base + CONF0, value);
        if value & RXFIFO_RESET != 0 {
            self.rx_fifo.clear();
            self.times_out_at = NEVER;
        }
        if value & TXFIFO_RESET != 0 {
            self.tx_fifo.clear();
        }
        if value & !before & AUTOBAUD != 0 {
            self.pulses = Pulses::default();
            self.receiver.restart_measuring(io.now);
        }
    }
}
