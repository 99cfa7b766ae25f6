//! Builds our own flasher stub (`loader/stub`) for the chips that it runs on, to be embedded in the loader.
//!
//! It needs the Rust target `riscv32imc-unknown-none-elf`. Without it an empty file is embedded, the loader uses Espressif's
//! stub instead, and the next build looks again.

use std::path::{Path, PathBuf};
use std::process::Command;

const CHIPS: [&str; 1] = ["esp32c3"];
const TARGET: &str = "riscv32imc-unknown-none-elf";

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for path in ["build.rs", "stub", "chips/src", "../rust-toolchain.toml"] {
        println!("cargo:rerun-if-changed={path}");
    }
    for chip in CHIPS {
        let elf = out.join(format!("{chip}.elf"));
        let built = if has_target() { build(chip, &out) } else { Err(format!("rustup target add {TARGET}")) };
        let bytes = match built {
            Ok(bytes) => bytes,
            Err(why) => {
                println!(
                    "cargo:warning=no flasher stub of our own for {chip}; Espressif's serves instead: {why}"
                );
                // A file that never exists: cargo runs this again.
                println!("cargo:rerun-if-changed={}", out.join("try-again").display());
                Vec::new()
            }
        };
        std::fs::write(elf, bytes).expect("OUT_DIR is writable");
    }
}

fn has_target() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked = Command::new(rustc).args(["--print", "sysroot"]).output();
    let Ok(output) = asked else { return false };
    let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Path::new(&sysroot).join("lib/rustlib").join(TARGET).join("lib").is_dir()
}

/// A build directory of its own: the one in use is locked.
fn build(chip: &str, out: &Path) -> Result<Vec<u8>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let directory = out.join("stub");
    let mut command = Command::new(cargo);
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/stub"))
        .args(["build", "--quiet", "--locked", "--profile", "stub", "--target", TARGET, "--features", chip])
        .arg("--target-dir")
        .arg(&directory);
    // What is meant for the program around us.
    for name in [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CLIPPY_ARGS",
    ] {
        command.env_remove(name);
    }
    // Short calls; the compiler calls this flag unstable, the linker has done it for years.
    command.env("RUSTFLAGS", "-Ctarget-feature=+relax");
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).replace('\n', " "));
    }
    std::fs::read(directory.join(TARGET).join("stub/larch-stub")).map_err(|error| error.to_string())
}
