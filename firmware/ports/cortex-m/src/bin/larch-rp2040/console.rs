//! UART0 on GPIO0 and GPIO1, an Arm PL011. Source: data sheet chapter 4.2.

use cortex_m::peripheral::NVIC;
use embassy_rp::clocks::clk_peri_freq;
use embassy_rp::pac;
use larch_board::receive;
use larch_cortex_m::Line;

use crate::pins;

const UART: pac::uart::Uart = pac::UART0;
const INTERRUPT: pac::Interrupt = pac::Interrupt::UART0_IRQ;
const BAUD: u32 = 115_200;

/// The line.
pub struct Uart0;

/// Starts sending and receiving.
pub fn set_up() {
    // In units of 1/64.
    let divider = (clk_peri_freq() * 4 + BAUD / 2) / BAUD;
    UART.uartibrd().write(|whole| whole.set_baud_divint((divider / 64) as u16));
    UART.uartfbrd().write(|fraction| fraction.set_baud_divfrac((divider % 64) as u8));
    UART.uartlcr_h().write(|frame| {
        frame.set_wlen(0b11);
        frame.set_fen(true);
    });
    UART.uartcr().write(|control| {
        control.set_uarten(true);
        control.set_txe(true);
        control.set_rxe(true);
    });
    pins::use_uart(pins::TX);
    pins::use_uart(pins::RX);
    // The receive FIFO is half full, or its bytes wait for long.
    UART.uartimsc().write(|events| {
        events.set_rxim(true);
        events.set_rtim(true);
    });
    // SAFETY: the handler shares only atomics with the program.
    unsafe { NVIC::unmask(INTERRUPT) };
}

impl Line for Uart0 {
    fn write(bytes: &[u8]) {
        for &byte in bytes {
            while UART.uartfr().read().txff() {}
            UART.uartdr().write(|data| data.set_data(byte));
        }
    }

    fn flush() {
        while UART.uartfr().read().busy() {}
    }

    /// There is no flow control: what does not fit is lost.
    fn on_interrupt(number: i16) {
        if number != INTERRUPT as i16 {
            return;
        }
        while !UART.uartfr().read().rxfe() {
            receive::push(UART.uartdr().read().data());
        }
        UART.uarticr().write(|events| {
            events.set_rxic(true);
            events.set_rtic(true);
        });
    }
}
