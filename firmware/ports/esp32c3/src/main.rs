//! The interpreter on an ESP32-C3.

fn main() {}
