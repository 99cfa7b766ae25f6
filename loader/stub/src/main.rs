//! The flasher stub: speaks the serial protocol of Espressif's stubs, and more, from the RAM of a RISC-V chip.
//!
//! One thread of control and no interrupts: whatever waits for the flash or computes calls [`serial::Serial::pump`] often
//! enough that the UART's FIFO never overflows. Blocks of data are acknowledged when they have arrived, before they are
//! written; a further command is answered when everything before it is done.
//!
//! `unsafe` is for registers, functions of the mask ROM, the start, and memory that the host names.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod commands;
#[cfg(target_os = "none")]
mod flash;
#[cfg(target_os = "none")]
mod hardware;
#[cfg(target_os = "none")]
mod serial;
#[cfg(target_os = "none")]
mod stream;

/// On a computer there is nothing to run.
#[cfg(not(target_os = "none"))]
fn main() {}
