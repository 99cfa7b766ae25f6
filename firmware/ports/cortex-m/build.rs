//! Gives the linker the memory map of the board that is built.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=memory");
    let variable = |name: &str| PathBuf::from(env::var_os(name).expect("cargo sets it"));
    let (own, out) = (variable("CARGO_MANIFEST_DIR").join("memory"), variable("OUT_DIR"));
    let Some(board) = ["mps2-an386", "nrf52840", "rp2040", "stm32f405"].into_iter().find(|board| {
        env::var_os(format!("CARGO_FEATURE_{}", board.to_uppercase().replace('-', "_"))).is_some()
    }) else {
        return;
    };
    let parts = [board, "common"].map(|name| fs::read(own.join(format!("{name}.x"))).expect("a memory map"));
    fs::write(out.join("memory.x"), parts.concat()).expect("OUT_DIR is cargo's");
    println!("cargo:rustc-link-search={}", out.display());
    for argument in ["--nmagic", "--build-id=sha1", "--icf=all", "-Tlink.x"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
