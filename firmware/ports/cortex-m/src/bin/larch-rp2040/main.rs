//! The firmware of boards with an RP2040 and 2 MB of flash, such as the Raspberry Pi Pico. The console is UART0 (TX GPIO0, RX
//! GPIO1, 115200 baud) and, for a debugger, RTT channel 0. Files are in the second megabyte of the flash.
//!
//! The second core stays asleep.
//!
//! Source: RP2040 data sheet (RP-008371-DS).
#![no_std]
#![no_main]

mod boot2;
mod clock_tree;
mod console;
mod flash;
mod hardware;
mod pins;
mod rom;

larch_cortex_m::program!(hardware::Rp2040);
