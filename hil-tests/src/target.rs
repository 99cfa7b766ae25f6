//! A board's console, whatever kind of board it is.
//!
//! Invariant: above this module nobody knows whether a board is emulated, plugged in, or a program.

pub mod desk;
pub mod emulated;
pub mod jitter;
pub mod machine;
pub mod metered;
pub mod power;
pub mod program;
pub mod serial;
