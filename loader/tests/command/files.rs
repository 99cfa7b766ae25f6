//! Verbs that need no board. The expected values are what esptool 5 prints for the same files.

use crate::larch_loader;
use larch_image::packages;

#[test]
fn image_info_describes_the_published_bootloader() {
    let path = packages::bootloader("esp32c3").unwrap();
    let run = larch_loader(&["image-info", path.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for line in [
        "Detected image type: ESP32-C3",
        "Segments: 3",
        "Flash size: 2MB",
        "Flash freq: 80m",
        "Flash mode: DIO",
        "Chip revisions: v0.3 to v1.99",
    ] {
        assert!(run.stdout.lines().any(|printed| printed == line), "{line:?} is not in {}", run.stdout);
    }
    assert!(run.stdout.contains("(valid)") && !run.stdout.contains("INVALID"), "{}", run.stdout);
}

#[test]
fn a_truncated_image_is_an_error_with_a_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("short.bin");
    let bytes = std::fs::read(packages::bootloader("esp32c3").unwrap()).unwrap();
    std::fs::write(&file, &bytes[..1000]).unwrap();
    let run = larch_loader(&["image-info", file.to_str().unwrap()]);
    assert_eq!(run.code, 32);
    assert!(run.stderr.starts_with("error: short.bin: the image is truncated:"), "{}", run.stderr);
}

#[test]
fn merging_puts_files_at_their_offsets() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("a"), b"aaaa").unwrap();
    std::fs::write(path("b"), b"bb").unwrap();
    let merged = path("m");
    let run =
        larch_loader(&["merge_bin", "-o", &merged, "-t", "0x10", "0x12", &path("a"), "0x18", &path("b")]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(std::fs::read(&merged).unwrap(), b"\xFF\xFFaaaa\xFF\xFFbb");
    let run = larch_loader(&["merge-bin", "-o", &merged, "0x12", &path("a"), "0x14", &path("b")]);
    assert_eq!(run.code, 36);
}

#[test]
fn partition_tables_convert_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let table = larch_image::partition::Table::micropython_4mb();
    std::fs::write(path("p.csv"), table.to_csv()).unwrap();
    assert_eq!(larch_loader(&["partition-table", &path("p.csv"), "-o", &path("p.bin")]).code, 0);
    assert_eq!(std::fs::read(path("p.bin")).unwrap(), table.to_bytes().unwrap());
    let run = larch_loader(&["partition-table", &path("p.bin")]);
    assert!(
        run.stdout.contains("factory          app    factory    0x010000  0x1f0000 (1984 KB)"),
        "{}",
        run.stdout
    );
    std::fs::write(path("bad.csv"), "nvs,dta,nvs,0x9000,24K").unwrap();
    let run = larch_loader(&["partition-table", &path("bad.csv")]);
    assert_eq!(run.code, 32);
    assert!(run.stderr.contains("line 1: unknown type 'dta'"), "{}", run.stderr);
}

#[test]
fn wrong_arguments_name_what_is_allowed() {
    let run = larch_loader(&["--chip", "esp33", "elf2image", "x.elf"]);
    assert!(run.code == 2 || run.code == 3, "{}", run.stderr);
    let run = larch_loader(&["--chip", "esp33", "--port", "/dev/null", "chip-id"]);
    assert_ne!(run.code, 0);
    assert_eq!(larch_loader(&["write-flash", "0x0"]).code, 2);
    assert_eq!(larch_loader(&["frobnicate"]).code, 2);
}
