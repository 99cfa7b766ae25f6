//! The ESP serial protocol, without I/O.
