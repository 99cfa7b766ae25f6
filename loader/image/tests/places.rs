//! Source lines in a crash, from the DWARF of a program that is compiled here for the ESP32-C3's processor.

use larch_image::crash::{Crash, Places};
use larch_image::elf::Program;
use std::path::Path;
use std::process::Command;

const TARGET: &str = "riscv32imc-unknown-none-elf";
const TEXT: u32 = 0x4200_0020;

fn compiled(folder: &Path, debug: &str) -> Vec<u8> {
    let elf = folder.join(format!("program-{debug}.elf"));
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/places"))
        .args(["--edition", "2024", "--target", TARGET, "-Copt-level=1", "-Cpanic=abort"])
        .arg(format!("-Cdebuginfo={debug}"))
        .arg(format!("-Clink-arg=-Ttext={TEXT:#x}"))
        .arg("-o")
        .arg(&elf)
        .arg("program.rs")
        .output()
        .expect("rustc can be run");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "is it there? rustup target add {TARGET}\n{said}");
    std::fs::read(elf).unwrap()
}

/// Every address of the program's code.
fn addresses(elf: &[u8]) -> impl Iterator<Item = u32> {
    let program = Program::parse(elf).unwrap();
    let text = program.sections.into_iter().find(|section| section.part.address == TEXT).unwrap();
    (0..u32::try_from(text.part.data.len()).unwrap()).step_by(2).map(|into| TEXT + into)
}

#[test]
fn a_panic_is_told_by_source_lines_also_of_inlined_functions() {
    let folder = tempfile::tempdir().unwrap();
    let elf = compiled(folder.path(), "2");
    let places = Places::of_program(&elf).unwrap();
    let told: Vec<(u32, Vec<String>)> =
        addresses(&elf).map(|address| (address, places.at(address))).collect();
    let find = |end: &str| {
        let found = told.iter().find(|(_, told)| told.first().is_some_and(|told| told.ends_with(end)));
        found.unwrap_or_else(|| panic!("no address is at {end}: {told:?}"))
    };
    let (store, inlined) = find("program.rs:12");
    assert!(inlined[0].contains("poke at ") && inlined.len() == 2, "{inlined:?}");
    assert!(inlined[1].starts_with("(inlined by) ") && inlined[1].ends_with("program.rs:17"), "{inlined:?}");
    let (call, _) = find("program.rs:23");
    let back = (call + 2..call + 16)
        .step_by(2)
        .find(|&address| places.before(address).iter().any(|told| told.ends_with("program.rs:23")))
        .unwrap();
    let mut crash = Crash::of_program(&elf).unwrap();
    let dump = format!(
        "Core  0 register dump:\nMEPC    : {store:#010x}  RA      : {back:#010x}  SP      : 0x3fc914e0\n\
         MCAUSE  : 0x00000007  MTVAL   : 0x00000000\n\n"
    );
    let shown: Vec<String> = dump.lines().flat_map(|line| crash.line(line)).collect();
    assert_eq!(shown[0], "store access fault at 0x00000000: a null pointer");
    assert!(shown[1].starts_with("MEPC 0x4200") && shown[1].ends_with("program.rs:12"), "{shown:?}");
    assert!(shown[2].starts_with("  (inlined by) ") && shown[2].ends_with("program.rs:17"), "{shown:?}");
    assert!(shown[3].starts_with("RA 0x4200") && shown[3].ends_with("program.rs:23"), "{shown:?}");
    assert_eq!(shown.len(), 4, "{shown:?}");
}

#[test]
fn without_dwarf_symbols_serve_and_a_damaged_one_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let elf = compiled(folder.path(), "0");
    let told = Places::of_program(&elf).unwrap().at(TEXT);
    assert!(told.len() == 1 && told[0].contains("+0x0"), "{told:?}");

    let mut elf = compiled(folder.path(), "2");
    for at in (0x100..elf.len()).step_by(61) {
        let was = std::mem::replace(&mut elf[at], 0xA5);
        if let Ok(places) = Places::of_program(&elf) {
            for address in [0, TEXT, TEXT + 0x20, u32::MAX] {
                // Any answer will do.
                let _ = places.at(address);
            }
        }
        elf[at] = was;
    }
}
