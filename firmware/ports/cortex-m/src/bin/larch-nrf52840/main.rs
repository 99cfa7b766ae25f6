//! The firmware of boards with an nRF52840 (1 MB flash, 256 KB RAM), with the console where Nordic's nRF52840-DK has its virtual
//! serial port: TX P0.06, RX P0.08, 115200 baud; and, for a debugger, RTT channel 0. Files are in the upper half of the flash.
//!
//! Source: nRF52840 Product Specification 1.7 ("PS").
#![no_std]
#![no_main]

mod chip;
mod console;
mod flash;
mod hardware;
mod pins;

larch_cortex_m::program!(hardware::Nrf52840);
