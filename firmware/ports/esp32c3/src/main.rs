//! The interpreter on an ESP32-C3.
//!
//! Where to look: `board` (the chip behind the interpreter's traits), `console` (UART0), `clock`, `flash` (the file
//! system's partition), `memory` (who gets which RAM), `radio` (Wi-Fi and sockets), `tls`. What follows the start is in `larch-board`.
//!
//! Source: ESP32-C3 Technical Reference Manual; MicroPython's `ports/esp32/main.c` for the order of things.
#![no_std]
#![no_main]

extern crate alloc;

mod board;
mod build;
mod clock;
mod console;
mod flash;
mod mapped;
mod memory;
mod panic;
mod pins;
mod radio;
mod tls;

use static_cell::StaticCell;

use crate::board::Esp32c3;

esp_bootloader_esp_idf::esp_app_desc!();

#[esp_hal::main]
fn main() -> ! {
    static BOARD: StaticCell<Esp32c3> = StaticCell::new();
    let chip = esp_hal::init(Esp32c3::config());
    memory::guard_stack();
    memory::set_up_allocator();
    larch_board::run(BOARD.init(Esp32c3::new(chip)))
}
