//! The firmware of Arm Cortex-M boards: what they have in common. Each board is a program in `src/bin` that gives its
//! [`Hardware`], and a memory map in `memory/`.
//!
//! Where to look: [`start`] (first instructions, interrupts, faults), [`board`] (the board behind the interpreter's traits),
//! [`clock`] (SysTick), [`memory`], [`build`] (which build this is). What follows the start is in `larch-board`.
//!
//! Source: Armv7-M Architecture Reference Manual (DDI 0403E), in comments "ARM".
#![no_std]

pub mod board;
pub mod build;
pub mod clock;
pub mod memory;
pub mod mmio;
pub mod start;

pub use board::{CortexM, Hardware, run};
