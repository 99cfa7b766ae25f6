//! The interpreter on an ESP32-C3.
//!
//! Where to look: `board` (the chip behind the interpreter's traits), `console` (UART0), `clock`, `flash` (the file
//! system's partition), `memory` (who gets which RAM).
//!
//! Source: ESP32-C3 Technical Reference Manual; MicroPython's `ports/esp32/main.c` for the order of things.
#![no_std]
#![no_main]

mod board;
mod cell;
mod clock;
mod console;
mod flash;
mod memory;
mod panic;
mod pins;

use larch_hal::{Clock, Console};

use crate::board::Esp32c3;
use crate::cell::MainCell;

esp_bootloader_esp_idf::esp_app_desc!();

/// The chip, for the interpreter's hooks.
static BOARD: MainCell<Esp32c3> = MainCell::new();

#[esp_hal::main]
fn main() -> ! {
    let chip = esp_hal::init(Esp32c3::config());
    memory::guard_stack();
    BOARD.set(Esp32c3::new(chip));
    loop {
        BOARD.with(|board| {
            board.idle(None);
            while let Some(byte) = board.read() {
                board.write(&[byte]);
            }
        });
    }
}
