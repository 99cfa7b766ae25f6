//! USART1 on PA9 and PA10. Source: RM0090 chapter 30.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use larch_board::receive;
use larch_cortex_m::{Line, mmio};

use crate::{clock_tree, pins};

const USART: usize = 0x4001_1000;
const SR: usize = USART;
const DR: usize = USART + 0x04;
const BRR: usize = USART + 0x08;
const CR1: usize = USART + 0x0c;

const RXNE: u32 = 1 << 5;
const ORE: u32 = 1 << 3;
const TC: u32 = 1 << 6;
const TXE: u32 = 1 << 7;
/// USART, transmitter, receiver and receive interrupt on.
const ON: u32 = 1 << 13 | 1 << 3 | 1 << 2 | 1 << 5;
const BAUD: u32 = 115_200;
/// Alternate function of PA9 and PA10 for USART1.
const FUNCTION: u32 = 7;
const TX: u8 = 9;
const RX: u8 = 10;

/// The number of the interrupt.
const INTERRUPT: i16 = 37;

/// The line.
#[derive(Clone, Copy)]
pub struct Usart1;

// SAFETY: it is the number of an interrupt that exists.
unsafe impl InterruptNumber for Usart1 {
    fn number(self) -> u16 {
        INTERRUPT as u16
    }
}

/// Starts sending and receiving.
pub fn set_up() {
    pins::use_function(TX, FUNCTION);
    pins::use_function(RX, FUNCTION);
    mmio::write(BRR, (clock_tree::APB2_HZ + BAUD / 2) / BAUD);
    mmio::write(CR1, ON);
    // SAFETY: the handler shares only atomics with the program.
    unsafe { NVIC::unmask(Usart1) };
}

impl Line for Usart1 {
    fn write(bytes: &[u8]) {
        for &byte in bytes {
            while mmio::read(SR) & TXE == 0 {}
            mmio::write(DR, byte.into());
        }
    }

    fn flush() {
        while mmio::read(SR) & TC == 0 {}
    }

    /// There is no flow control: what does not fit is lost.
    fn on_interrupt(number: i16) {
        if number == INTERRUPT {
            while mmio::read(SR) & (RXNE | ORE) != 0 {
                receive::push(mmio::read(DR) as u8);
            }
        }
    }
}
