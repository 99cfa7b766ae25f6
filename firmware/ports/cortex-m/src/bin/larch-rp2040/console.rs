//! UART0 on GPIO0 and GPIO1, an Arm PL011. Source: data sheet chapter 4.2.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use larch_board::receive;
use larch_cortex_m::mmio;

use crate::{clock_tree, pins};

const UART: usize = 0x4003_4000;
const DR: usize = UART;
const FR: usize = UART + 0x18;
const IBRD: usize = UART + 0x24;
const FBRD: usize = UART + 0x28;
const LCR_H: usize = UART + 0x2c;
const CR: usize = UART + 0x30;
const IMSC: usize = UART + 0x38;
const ICR: usize = UART + 0x44;

const BUSY: u32 = 1 << 3;
const RXFE: u32 = 1 << 4;
const TXFF: u32 = 1 << 5;
/// Eight bits, FIFOs on.
const FRAME: u32 = 3 << 5 | 1 << 4;
/// UART, transmitter and receiver on.
const ON: u32 = 1 | 1 << 8 | 1 << 9;
/// The receive FIFO is half full, or its bytes wait for long.
const RECEIVED: u32 = 1 << 4 | 1 << 6;
const BAUD: u32 = 115_200;
/// The divider in units of 1/64.
const DIVIDER: u32 = (clock_tree::PERIPHERAL_HZ * 4 + BAUD / 2) / BAUD;

/// The number of the interrupt.
pub const INTERRUPT: i16 = 20;

#[derive(Clone, Copy)]
struct Uart0;

// SAFETY: it is the number of an interrupt that exists.
unsafe impl InterruptNumber for Uart0 {
    fn number(self) -> u16 {
        INTERRUPT as u16
    }
}

/// Starts sending and receiving.
pub fn set_up() {
    mmio::write(IBRD, DIVIDER / 64);
    mmio::write(FBRD, DIVIDER % 64);
    mmio::write(LCR_H, FRAME);
    mmio::write(CR, ON);
    pins::use_uart(pins::TX);
    pins::use_uart(pins::RX);
    mmio::write(IMSC, RECEIVED);
    // SAFETY: the handler shares only atomics with the program.
    unsafe { NVIC::unmask(Uart0) };
}

/// Takes in what has arrived. There is no flow control: what does not fit is lost.
pub fn on_interrupt() {
    while mmio::read(FR) & RXFE == 0 {
        receive::push(mmio::read(DR) as u8);
    }
    mmio::write(ICR, RECEIVED);
}

/// Sends all bytes.
pub fn write(bytes: &[u8]) {
    for &byte in bytes {
        while mmio::read(FR) & TXFF != 0 {}
        mmio::write(DR, byte.into());
    }
}

/// Waits until the last bit is out.
pub fn flush() {
    while mmio::read(FR) & BUSY != 0 {}
}
