//! The terminal: an NS16550 whose receive interrupt comes through the PLIC.
//!
//! Source: NS16550 data sheet (registers); RISC-V Platform-Level Interrupt Controller specification.

use larch_board::receive;

use crate::mmio;

const UART: usize = 0x1000_0000;
const DATA: usize = UART;
const INTERRUPT_ENABLE: usize = UART + 1;
const FIFO_CONTROL: usize = UART + 2;
const LINE_CONTROL: usize = UART + 3;
const LINE_STATUS: usize = UART + 5;
const RECEIVED: u8 = 1;
const DATA_READY: u8 = 1;
const TRANSMITTER_READY: u8 = 1 << 5;
const TRANSMITTER_IDLE: u8 = 1 << 6;
const FIFO_ON: u8 = 1;
const EIGHT_BITS: u8 = 3;

const PLIC: usize = 0x0c00_0000;
const UART_SOURCE: u32 = 10;
const PLIC_PRIORITY: usize = PLIC + 4 * UART_SOURCE as usize;
/// Enable bits of hart 0 in machine mode.
const PLIC_ENABLE: usize = PLIC + 0x2000;
const PLIC_THRESHOLD: usize = PLIC + 0x20_0000;
const PLIC_CLAIM: usize = PLIC + 0x20_0004;

/// Starts receiving.
pub fn set_up() {
    mmio::write_byte(LINE_CONTROL, EIGHT_BITS);
    mmio::write_byte(FIFO_CONTROL, FIFO_ON);
    mmio::write(PLIC_PRIORITY, 1);
    mmio::write(PLIC_ENABLE, 1 << UART_SOURCE);
    mmio::write(PLIC_THRESHOLD, 0);
    mmio::write_byte(INTERRUPT_ENABLE, RECEIVED);
}

/// Takes in what has arrived. At the prompt, which reads on, nothing is lost: the line waits while there is no room.
pub fn on_interrupt() {
    let source = mmio::read(PLIC_CLAIM);
    while mmio::read_byte(LINE_STATUS) & DATA_READY != 0 {
        if receive::is_full() && !receive::has_interrupt_byte() {
            mmio::write_byte(INTERRUPT_ENABLE, 0);
            break;
        }
        receive::push(mmio::read_byte(DATA));
    }
    mmio::write(PLIC_CLAIM, source);
}

/// The next byte, if one has arrived.
pub fn read() -> Option<u8> {
    let byte = receive::read();
    if byte.is_some() {
        mmio::write_byte(INTERRUPT_ENABLE, RECEIVED);
    }
    byte
}

/// Sends all bytes.
pub fn write(bytes: &[u8]) {
    for &byte in bytes {
        while mmio::read_byte(LINE_STATUS) & TRANSMITTER_READY == 0 {}
        mmio::write_byte(DATA, byte);
    }
}

/// Waits until the last bit is out.
pub fn flush() {
    while mmio::read_byte(LINE_STATUS) & TRANSMITTER_IDLE == 0 {}
}

/// A byte may interrupt the program from now on: the line does not wait any more.
pub fn set_interrupt_byte(byte: Option<u8>) {
    receive::set_interrupt_byte(byte);
    mmio::write_byte(INTERRUPT_ENABLE, RECEIVED);
}
