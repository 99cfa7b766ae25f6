//! The interpreter on an ESP32-C3.
#![no_std]
#![no_main]

use esp_hal::uart::{Config, Uart};

esp_bootloader_esp_idf::esp_app_desc!();

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[esp_hal::main]
fn main() -> ! {
    let chip = esp_hal::init(esp_hal::Config::default());
    let mut uart = Uart::new(chip.UART0, Config::default().with_baudrate(115_200))
        .expect("115200 baud is reachable from every clock")
        .with_rx(chip.GPIO20)
        .with_tx(chip.GPIO21);
    let mut buffer = [0; 64];
    let mut out: &[u8] = b"hello from larch\r\n";
    loop {
        while !out.is_empty() {
            match uart.write(out) {
                Ok(n) => out = &out[n..],
                Err(_) => break,
            }
        }
        let n = uart.read(&mut buffer).unwrap_or(0);
        out = &buffer[..n];
    }
}
