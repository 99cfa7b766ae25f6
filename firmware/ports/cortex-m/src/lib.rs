//! The firmware of Arm Cortex-M boards: what they have in common. Each board is a program in `src/bin` that gives its
//! [`Hardware`], and a memory map in `memory/`.
//!
//! Where to look: [`start`] (first instructions, interrupts, faults), [`board`] (the board behind the interpreter's traits),
//! [`clock`] (SysTick), `rtt` (the console for a debugger), `blocks` (files in a HAL's flash), [`memory`], [`build`] (which build
//! this is). What follows the start is in `larch-board`.
//!
//! The nRF52840 and the RP2040 have embassy's HALs, without an executor; ARCHITECTURE.md compares. The console is not theirs: a HAL's
//! UART is either one that waits for bytes, or one that needs interrupts to write, which last words do not have. It is written with
//! the names of the HAL's register crate.
//!
//! Source: Armv7-M Architecture Reference Manual (DDI 0403E), in comments "ARM".
#![no_std]

#[cfg(feature = "hal")]
pub mod blocks;
pub mod board;
pub mod build;
pub mod clock;
pub mod memory;
pub mod mmio;
#[cfg(feature = "rtt")]
pub mod rtt;
pub mod start;

pub use board::{CortexM, Hardware, Line, run};
