//! The firmware of boards with an STM32F405 (1 MB flash, 192 KB RAM). Nothing on the board is needed: the clock is the chip's own.
//!
//! The console is USART1 (TX PA9, RX PA10, 115200 baud) and, for a debugger, RTT channel 0: what is written goes to both, what
//! either receives is read. Files are in the last four sectors of the flash.
//!
//! Source: RM0090 (reference manual), DS8626 (data sheet).
#![no_std]
#![no_main]

mod clock_tree;
mod console;
mod flash;
mod hardware;
mod pins;

larch_cortex_m::program!(hardware::Stm32f405);
