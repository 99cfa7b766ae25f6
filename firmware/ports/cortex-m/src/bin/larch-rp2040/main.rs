//! The firmware of boards with an RP2040 and 2 MB of flash, such as the Raspberry Pi Pico. The console is UART0 (TX GPIO0, RX
//! GPIO1, 115200 baud) and, for a debugger, RTT channel 0. Files are in the second megabyte of the flash.
//!
//! The HAL starts the chip, and brings the second stage of the boot, which the mask ROM copies to RAM and calls: for Winbond's W25Q
//! chips, which boards by the makers of the chip have, and for those that understand the same commands. The second core stays asleep.
//!
//! Source: RP2040 data sheet (RP-008371-DS).
#![no_std]
#![no_main]

mod console;
mod hardware;
mod pins;

larch_cortex_m::program!(hardware::Rp2040);
