//! An instruction-level ESP32-C3, with the board around it.
//!
//! The chip executes its real mask ROM from the reset vector, then whatever the flash holds. Layers, each knowing only those
//! before it: [`time`], [`memory`], [`registers`] -> [`riscv`] (processor), [`flash`], [`wire`] (devices), [`net`] and [`air`]
//! (access points and what is behind them) -> [`esp32c3`] (the chip) -> [`board`] (what a desk adds) -> [`serve`] (serial ports for other programs).
//! Beside it are Cortex-M chips: [`thumb`] (processor) -> [`mcu`] (what such chips and their boards have in common) -> [`stm32f405`],
//! [`nrf52840`]; and [`probe`], a debug probe at them.
//!
//! Invariants: nothing but [`serve`] reads the host's clock, so equal inputs give equal runs to the cycle ([`net`] does while a board
//! is connected to a program on the host, which is an input like any other, but not a recorded one); nothing knows what program
//! runs; an access to a register that nobody described is reported, never silently answered.
#![forbid(unsafe_code)]

pub mod adapter;
pub mod air;
pub mod board;
pub mod bus;
pub mod esp32c3;
pub mod flash;
pub mod lent;
pub mod mcu;
pub mod memory;
pub mod net;
pub mod nrf52840;
pub mod probe;
pub mod registers;
pub mod riscv;
#[cfg(unix)]
pub mod serve;
pub mod stm32f405;
pub mod thumb;
pub mod time;
mod timed;
pub mod wire;

pub use board::{Board, Input, Recording, Wiring};
pub use esp32c3::{Config, Esp32c3, Rom, RomError};
