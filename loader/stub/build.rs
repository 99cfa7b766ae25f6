//! Places the program in the chip's RAM.

use std::path::Path;

fn main() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("stub.x");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", script.display());
    let bare = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "none");
    if !bare {
        return;
    }
    // Where code and data go is the chip table's business.
    let chip = larch_chips::CHIPS
        .iter()
        .find(|chip| std::env::var(format!("CARGO_FEATURE_{}", chip.slug.to_uppercase())).is_ok());
    let Some(stub) = chip.and_then(|chip| chip.stub.as_ref()) else {
        println!("cargo:warning=name a chip: --features esp32c3");
        return;
    };
    for (symbol, value) in [
        ("_text_at", stub.code.start),
        ("_text_end", stub.code.end),
        ("_data_at", stub.data.start),
        ("_data_end", stub.data.end),
        // What the compiler calls; the mask ROM has it.
        ("memset", stub.rom.memset),
        ("memcpy", stub.rom.memcpy),
    ] {
        println!("cargo:rustc-link-arg-bins=--defsym={symbol}={value:#x}");
    }
    println!("cargo:rustc-link-arg-bins=-T{}", script.display());
}
