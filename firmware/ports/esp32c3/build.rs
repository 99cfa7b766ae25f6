//! Hands our linker script to the linker, so that no global `rustflags` are needed.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=ld/link.x");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
    println!("cargo:rustc-link-arg-bins=-T{root}/ld/link.x");
}
