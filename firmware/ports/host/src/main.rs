//! The interpreter as a desktop program.

fn main() {}
