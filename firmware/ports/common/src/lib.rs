//! What the ports to boards have in common: the way from boot to the prompt ([`run`]), files in flash ([`files`]), what is
//! typed ahead ([`receive`]), what Rust allocates from ([`allocator`]), sockets ([`net`]), keys of networks ([`pbkdf2`]),
//! damaged frames ([`ieee80211`]).
//!
//! A port gives a [`Machine`] (its traits, its memory, its name); everything that Python code can see but the hardware is
//! the same on all of them.
//!
//! Source: MicroPython's `ports/esp32/main.c` for the order of things.
#![no_std]

extern crate alloc;

pub mod allocator;
pub mod files;
pub mod ieee80211;
mod interpreter;
pub mod net;
pub mod pbkdf2;
pub mod receive;

pub use interpreter::{Machine, Name, run};
