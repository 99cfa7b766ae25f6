//! The loader against the chip's real mask ROM, on an emulated ESP32-C3.

mod bench;
mod desk;
mod faults;
mod finish;
mod identity;
mod speed;
mod stub;
mod write;
