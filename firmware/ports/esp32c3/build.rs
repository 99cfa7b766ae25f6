//! Hands our linker script to the linker, so that no global `rustflags` are needed, and the names of the vendor's functions that
//! `src/radio/guard.rs` stands before.

use std::env;

const GUARDED: [&str; 5] =
    ["ap_rx_cb", "ieee80211_decap_amsdu", "ieee80211_parse_rsn", "ieee80211_parse_wpa", "sta_rx_cb"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=ld/link.x");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
    println!("cargo:rustc-link-arg-bins=-T{root}/ld/link.x");
    for function in GUARDED {
        println!("cargo:rustc-link-arg-bins=--wrap={function}");
    }
}
