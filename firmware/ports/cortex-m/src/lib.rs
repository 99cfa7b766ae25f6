//! The firmware of Arm Cortex-M boards: what they have in common. Each board is a program in `src/bin` that gives its
//! [`Hardware`], and a memory map in `memory/`.
//!
//! Where to look: [`start`] (first instructions, interrupts, faults), [`board`] (the board behind the interpreter's traits),
//! [`clock`] (SysTick), `rtt` (the console for a debugger), [`memory`], [`build`] (which build this is). What follows the start is in `larch-board`.
//!
//! Registers are written directly. What is needed of a chip is a UART that receives in an interrupt handler, flash, pins, a clock:
//! some 400 lines. `embassy-stm32`, `embassy-nrf` and `embassy-rp` bring an executor, its time driver and DMA, of which nothing would
//! be used; `stm32f4xx-hal`, `nrf-hal` and `rp2040-hal` have no common way to do these four, so that as many lines would remain.
//!
//! Source: Armv7-M Architecture Reference Manual (DDI 0403E), in comments "ARM".
#![no_std]

pub mod board;
pub mod build;
pub mod clock;
pub mod memory;
pub mod mmio;
#[cfg(feature = "rtt")]
pub mod rtt;
pub mod start;

pub use board::{CortexM, Hardware, run};
