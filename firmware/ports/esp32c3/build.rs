//! Hands esp-hal's linker script to the linker, so that no global `rustflags` are needed.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-Tlinkall.x");
}
