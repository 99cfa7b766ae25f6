//! The end of a program that went wrong: say what happened, then start again.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use esp_hal::peripherals::UART0;
use esp_hal::system::software_reset;

/// Writes to UART0 without asking whose it is.
struct LastWords;

impl Write for LastWords {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let uart = UART0::regs();
        for byte in text.bytes() {
            while uart.status().read().txfifo_cnt().bits() >= 120 {}
            // SAFETY: every byte may be written to the FIFO.
            uart.fifo().write(|w| unsafe { w.rxfifo_rd_byte().bits(byte) });
        }
        while uart.status().read().txfifo_cnt().bits() > 0 || uart.fsm_status().read().st_utx_out().bits() > 0
        {
        }
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // There is nobody left to tell about a failure.
    let _ = write!(LastWords, "\r\nLarch {}: {info}\r\nRebooting.\r\n", env!("CARGO_PKG_VERSION"));
    software_reset()
}
