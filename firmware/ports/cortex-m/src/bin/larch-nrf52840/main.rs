//! The firmware of boards with an nRF52840 (1 MB flash, 256 KB RAM), with the console where Nordic's nRF52840-DK has its virtual
//! serial port: TX P0.06, RX P0.08, 115200 baud; and, for a debugger, RTT channel 0. Files are in the last 448 KB of the flash.
//!
//! The HAL starts the chip. On the first start it writes to UICR which pin resets, and, from revision 3 of the chip on, that the
//! access port stays open for a debugger; then it resets the chip.
//!
//! Source: nRF52840 Product Specification 1.7 ("PS").
#![no_std]
#![no_main]

mod console;
mod hardware;
mod pins;

larch_cortex_m::program!(hardware::Nrf52840);
