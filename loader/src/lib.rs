//! Flashes ESP chips over their serial port, as esptool does.
//!
//! Invariant: nothing here can tell an emulated board from a real one; all I/O and all time goes through
//! [`transport::Transport`].
#![forbid(unsafe_code)]

pub mod transport;
