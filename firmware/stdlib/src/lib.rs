//! What a program around the virtual machine shares on every port: the compiler behind the machine's hook, the session
//! that runs programs and the prompt, and the modules that need a port.
//!
//! Invariant: nothing here knows a chip; everything outside is reached through [`larch_hal::Port`].
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod compile;
pub mod files;
pub mod frozen;
mod held;
pub mod ids;
pub mod import;
pub mod modules;
pub mod mount;
pub mod net;
pub mod path;
pub mod session;
pub mod stdio;
