//! The UART, without EasyDMA: a terminal wants each byte when it comes, and DMA would tell of whole buffers only.
//!
//! Source: PS chapter 6.33 (UART).

use core::sync::atomic::{AtomicBool, Ordering};

use cortex_m::peripheral::NVIC;
use embassy_nrf::pac;
use embassy_nrf::pac::shared::regs::Psel;
use embassy_nrf::pac::shared::vals::Connect;
use embassy_nrf::pac::uart::vals::{Baudrate, Enable};
use larch_board::receive;
use larch_cortex_m::Line;

use crate::pins;

const UART: pac::uart::Uart = pac::UART0;
/// It shares number and interrupt with the UART that has EasyDMA.
const INTERRUPT: pac::Interrupt = pac::Interrupt::UARTE0;

/// A byte is on its way: TXDRDY will come.
static SENDS: AtomicBool = AtomicBool::new(false);

/// The line.
pub struct Uart0;

fn at_pin(select: &mut Psel, pin: u8) {
    select.set_pin(pin);
    select.set_connect(Connect::Connected);
}

/// Starts sending and receiving.
pub fn set_up() {
    pins::idle_high(pins::TX);
    UART.psel().txd().write(|select| at_pin(select, pins::TX));
    UART.psel().rxd().write(|select| at_pin(select, pins::RX));
    UART.baudrate().write(|rate| rate.set_baudrate(Baudrate::Baud115200));
    UART.enable().write(|enable| enable.set_enable(Enable::Enabled));
    UART.intenset().write(|events| {
        events.set_rxdrdy(true);
        events.set_error(true);
    });
    UART.tasks_startrx().write_value(1);
    UART.tasks_starttx().write_value(1);
    // SAFETY: the handler shares only atomics with the program.
    unsafe { NVIC::unmask(INTERRUPT) };
}

impl Line for Uart0 {
    fn write(bytes: &[u8]) {
        for &byte in bytes {
            Self::flush();
            UART.events_txdrdy().write_value(0);
            UART.txd().write(|data| data.set_txd(byte));
            SENDS.store(true, Ordering::Relaxed);
        }
    }

    fn flush() {
        if SENDS.load(Ordering::Relaxed) {
            while UART.events_txdrdy().read() == 0 {}
            SENDS.store(false, Ordering::Relaxed);
        }
    }

    /// There is no flow control: what does not fit is lost.
    fn on_interrupt(number: i16) {
        if number != INTERRUPT as i16 {
            return;
        }
        if UART.events_error().read() != 0 {
            UART.events_error().write_value(0);
            // Flags are cleared by writing them.
            UART.errorsrc().write_value(UART.errorsrc().read());
        }
        // The next byte of the queue tells again.
        while UART.events_rxdrdy().read() != 0 {
            UART.events_rxdrdy().write_value(0);
            receive::push(UART.rxd().read().rxd());
        }
    }
}
