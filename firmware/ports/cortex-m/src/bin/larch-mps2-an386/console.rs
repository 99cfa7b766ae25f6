//! The first UART.
//!
//! A received byte waits in the UART while there is no room for it, and the line waits with it. The UART asks for an
//! interrupt when a byte arrives, not while it is there, so whoever makes room looks for the byte.

use cortex_m::interrupt::{self, InterruptNumber};
use cortex_m::peripheral::NVIC;
use larch_board::receive;
use larch_cortex_m::{Line, mmio};

const UART: usize = 0x4000_4000;
const DATA: usize = UART;
const STATE: usize = UART + 4;
const CONTROL: usize = UART + 8;
const INTERRUPT_CLEAR: usize = UART + 12;
const BAUD_DIVIDER: usize = UART + 16;

const TRANSMIT_FULL: u32 = 1;
const RECEIVE_FULL: u32 = 2;
/// Transmitter and receiver on, an interrupt for each received byte.
const ON: u32 = 0b1011;
const RECEIVED: u32 = 2;
/// 115200 baud at 25 MHz.
const DIVIDER: u32 = 25_000_000 / 115_200;

/// The number of the receive interrupt.
const RECEIVE_INTERRUPT: i16 = 0;

/// The line.
#[derive(Clone, Copy)]
pub struct Uart;

// SAFETY: it is the number of an interrupt that exists.
unsafe impl InterruptNumber for Uart {
    fn number(self) -> u16 {
        RECEIVE_INTERRUPT as u16
    }
}

/// Starts receiving.
pub fn set_up() {
    mmio::write(BAUD_DIVIDER, DIVIDER);
    mmio::write(CONTROL, ON);
    // SAFETY: the handler shares only atomics with the program.
    unsafe { NVIC::unmask(Uart) };
}

impl Line for Uart {
    fn write(bytes: &[u8]) {
        for &byte in bytes {
            while mmio::read(STATE) & TRANSMIT_FULL != 0 {}
            mmio::write(DATA, byte.into());
        }
    }

    /// Waits until the last byte is in the shift register; its bits need no program.
    fn flush() {
        while mmio::read(STATE) & TRANSMIT_FULL != 0 {}
    }

    /// Takes in what has arrived while there is room. At the prompt, which reads on, nothing is lost; a running program must
    /// see the byte that interrupts it, so then what does not fit is dropped.
    fn receive() {
        interrupt::free(|_| {
            mmio::write(INTERRUPT_CLEAR, RECEIVED);
            while mmio::read(STATE) & RECEIVE_FULL != 0
                && (!receive::is_full() || receive::has_interrupt_byte())
            {
                receive::push(mmio::read(DATA) as u8);
            }
        });
    }

    fn on_interrupt(number: i16) {
        if number == RECEIVE_INTERRUPT {
            Self::receive();
        }
    }
}
