//! The UART, without EasyDMA: a terminal wants each byte when it comes, and DMA would tell of whole buffers only.
//!
//! Source: PS chapter 6.33 (UART).

use core::sync::atomic::{AtomicBool, Ordering};

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use larch_board::receive;
use larch_cortex_m::mmio;

use crate::pins;

const UART: usize = 0x4000_2000;
const TASKS_STARTRX: usize = UART;
const TASKS_STARTTX: usize = UART + 0x08;
const EVENTS_RXDRDY: usize = UART + 0x108;
const EVENTS_TXDRDY: usize = UART + 0x11c;
const EVENTS_ERROR: usize = UART + 0x124;
const INTENSET: usize = UART + 0x304;
const ERRORSRC: usize = UART + 0x480;
const ENABLE: usize = UART + 0x500;
const PSEL_TXD: usize = UART + 0x50c;
const PSEL_RXD: usize = UART + 0x514;
const RXD: usize = UART + 0x518;
const TXD: usize = UART + 0x51c;
const BAUDRATE: usize = UART + 0x524;

const RXDRDY: u32 = 1 << 2;
const ERROR: u32 = 1 << 9;
const UART_ON: u32 = 4;
/// 115200 baud.
const BAUD: u32 = 0x01d7_e000;

/// The number of the interrupt.
pub const INTERRUPT: i16 = 2;

#[derive(Clone, Copy)]
struct Uart0;

// SAFETY: it is the number of an interrupt that exists.
unsafe impl InterruptNumber for Uart0 {
    fn number(self) -> u16 {
        INTERRUPT as u16
    }
}

/// A byte is on its way: TXDRDY will come.
static SENDS: AtomicBool = AtomicBool::new(false);

/// Starts sending and receiving.
pub fn set_up() {
    pins::idle_high(pins::TX);
    mmio::write(PSEL_TXD, pins::TX.into());
    mmio::write(PSEL_RXD, pins::RX.into());
    mmio::write(BAUDRATE, BAUD);
    mmio::write(ENABLE, UART_ON);
    mmio::write(INTENSET, RXDRDY | ERROR);
    mmio::write(TASKS_STARTRX, 1);
    mmio::write(TASKS_STARTTX, 1);
    // SAFETY: the handler shares only atomics with the program.
    unsafe { NVIC::unmask(Uart0) };
}

/// Takes in what has arrived. There is no flow control: what does not fit is lost.
pub fn on_interrupt() {
    if mmio::read(EVENTS_ERROR) != 0 {
        mmio::write(EVENTS_ERROR, 0);
        let errors = mmio::read(ERRORSRC);
        mmio::write(ERRORSRC, errors);
    }
    // The next byte of the queue tells again.
    while mmio::read(EVENTS_RXDRDY) != 0 {
        mmio::write(EVENTS_RXDRDY, 0);
        receive::push(mmio::read(RXD) as u8);
    }
}

/// Sends all bytes.
pub fn write(bytes: &[u8]) {
    for &byte in bytes {
        flush();
        mmio::write(EVENTS_TXDRDY, 0);
        mmio::write(TXD, byte.into());
        SENDS.store(true, Ordering::Relaxed);
    }
}

/// Waits until the last bit is out.
pub fn flush() {
    if SENDS.load(Ordering::Relaxed) {
        while mmio::read(EVENTS_TXDRDY) == 0 {}
        SENDS.store(false, Ordering::Relaxed);
    }
}
