//! cargo xtask: builds, flashes and tests Larch.

fn main() {}
