//! A board's console, whatever kind of board it is.
//!
//! Invariant: above this module nobody knows whether a board is emulated, plugged in, or a program.

pub mod air;
pub mod desk;
pub mod emulated;
pub mod jitter;
pub mod labgrid;
pub mod machine;
pub mod mcu;
#[cfg(unix)]
pub mod metered;
pub mod power;
#[cfg(unix)]
pub mod program;
#[cfg(not(unix))]
#[path = "target/no_program.rs"]
pub mod program;
pub mod rtt;
pub mod serial;
