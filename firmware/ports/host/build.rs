//! Hands the target's name to the program.

fn main() {
    println!("cargo::rustc-env=LARCH_TARGET={}", std::env::var("TARGET").unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
}
