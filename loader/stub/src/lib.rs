//! What the flasher stub does that needs no chip: inflating, and the words it exchanges with the host.
//!
//! The program itself is the binary of this package; it only exists for chips.
#![no_std]
#![forbid(unsafe_code)]

pub mod inflate;
pub mod protocol;
