//! The terminal on UART0, at 115200 baud.
//!
//! The receive interrupt moves bytes from the hardware's FIFO of 128 bytes to [`larch_board::receive`].

use esp_hal::interrupt::Priority;
use esp_hal::peripherals::{GPIO20, GPIO21, UART0};
use esp_hal::uart::{Config, RxConfig, Uart, UartInterrupt, UartTx};
use esp_hal::{Blocking, handler};
use larch_board::receive;

const BAUD_RATE: u32 = 115_200;
/// A byte waits at most this many byte times in the FIFO.
const RX_TIMEOUT: u8 = 1;
/// From this many bytes on the FIFO is emptied without waiting.
const RX_THRESHOLD: u16 = 16;

/// The terminal's sending half; the receiving half belongs to the interrupt handler.
pub struct Terminal {
    tx: UartTx<'static, Blocking>,
}

impl Terminal {
    /// Takes over the UART that the chip's ROM and bootloader have been writing to.
    pub fn new(uart: UART0<'static>, rx: GPIO20<'static>, tx: GPIO21<'static>) -> Self {
        let receive = RxConfig::default().with_fifo_full_threshold(RX_THRESHOLD).with_timeout(RX_TIMEOUT);
        let config = Config::default().with_baudrate(BAUD_RATE).with_rx(receive);
        let mut uart = Uart::new(uart, config)
            .expect("115200 baud is reachable from the crystal")
            .with_rx(rx)
            .with_tx(tx);
        uart.set_interrupt_handler(on_receive);
        uart.listen(UartInterrupt::RxFifoFull | UartInterrupt::RxTimeout);
        let (rx, tx) = uart.split();
        // The receiver stays set up; the interrupt handler reads the FIFO itself.
        core::mem::forget(rx);
        Self { tx }
    }

    /// Sends all bytes; waits while the FIFO is full.
    pub fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // Writing fails only for hardware flow control, which is off.
            let count = self.tx.write(bytes).unwrap_or(bytes.len());
            bytes = &bytes[count..];
        }
    }

    /// Waits until the last bit has left the chip.
    pub fn flush(&mut self) {
        // As for `write`.
        let _ = self.tx.flush();
    }
}

#[handler(priority = Priority::Priority2)]
fn on_receive() {
    let uart = UART0::regs();
    while uart.status().read().rxfifo_cnt().bits() > 0 {
        receive::push(uart.fifo().read().rxfifo_rd_byte().bits());
    }
    uart.int_clr().write(|w| w.rxfifo_full().clear_bit_by_one().rxfifo_tout().clear_bit_by_one());
}
