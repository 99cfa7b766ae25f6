//! Connecting and reading what chip it is.

use crate::bench::Bench;
use larch_chips::Chip;
use larch_emulator::Wiring;
use larch_loader::{Before, Error, Options};
use rstest::rstest;

#[rstest]
fn the_chip_is_described_as_esptool_does(#[values(0, 101, 300)] rom: u32) {
    let bench = Bench::with(rom, Wiring::AutoReset);
    let loader = bench.loader();
    let info = loader.info().unwrap();
    assert_eq!(info.description(), "ESP32-C3 (QFN32) (revision v0.4)");
    assert_eq!(info.features.join(", "), "Wi-Fi, BT 5 (LE), Single Core, 160MHz");
    assert_eq!((info.crystal_mhz, info.mac.to_string().as_str()), (40, "60:55:f9:00:00:01"));
}

#[test]
fn flash_id_and_size_are_read() {
    let bench = Bench::new();
    let mut loader = bench.loader();
    let flash = loader.flash().unwrap();
    assert_eq!((flash.manufacturer(), flash.device()), (0xEF, 0x4016));
    assert_eq!(flash.size.map(|size| size.name()), Some("4MB"));
}

#[test]
fn another_chip_than_asked_for_is_refused_before_anything_is_done() {
    let bench = Bench::new();
    let options = Options {
        chip: Chip::by_name("esp32"),
        before: Before::default_reset("socket://emulated"),
        ..Options::default()
    };
    let error = bench.connect(&options).err().unwrap();
    assert!(matches!(error, Error::WrongChip { found: "ESP32-C3", wanted: "ESP32" }), "{error}");
}

#[test]
fn a_board_without_reset_lines_that_runs_its_program_says_so() {
    let bench = Bench::with(300, Wiring::None);
    let options = Options { before: Before::default_reset("socket://emulated"), ..Options::default() };
    let error = bench.connect(&options).err().unwrap();
    assert_eq!(error.code(), 24, "{error}");
    assert!(error.to_string().contains("press RESET"), "{error}");
}

#[test]
fn a_chip_in_reset_says_nothing() {
    let bench = Bench::with(300, Wiring::None);
    bench.board().power_off();
    let options = Options { before: Before::default_reset("socket://emulated"), ..Options::default() };
    let error = bench.connect(&options).err().unwrap();
    assert_eq!(error.code(), 20, "{error}");
}

#[test]
fn the_loader_answers_at_another_speed() {
    let bench = Bench::new();
    let mut loader = bench.loader();
    for baud in [460_800, 921_600, 115_200] {
        loader.change_baud(baud).unwrap();
        assert_eq!(loader.read_register(larch_chips::MAGIC_ADDRESS).unwrap(), 0x1B31_506F, "{baud}");
    }
}

#[test]
fn security_info_names_the_chip() {
    let bench = Bench::new();
    let security = bench.loader().security_info().unwrap();
    assert_eq!(security.chip.map(|(chip, _)| chip), Some(5));
    assert!(!security.flags.secure_boot());
}

#[test]
fn the_highest_speed_that_works_is_found() {
    let bench = Bench::new();
    bench.adapter_limit.set(500_000);
    let mut loader = bench.loader();
    assert!(loader.speed_up(&[921_600, 460_800, 230_400]).unwrap(), "the chip was reset after the first");
    assert!(
        bench.events().contains("Baud(460800)") && !bench.events().contains("Baud(230400)"),
        "{}",
        bench.events()
    );
    assert_eq!(loader.flash().unwrap().device(), 0x4016);
}

#[test]
fn a_board_that_only_a_person_can_reset_stays_at_its_speed() {
    let bench = Bench::with(300, Wiring::None);
    bench.board().set_jumper(true);
    bench.board().press_reset();
    let mut loader = bench.connect(&Options { before: Before::NoReset, ..Options::default() }).unwrap();
    assert!(!loader.speed_up(&[921_600]).unwrap());
    assert!(!bench.events().contains("Baud"), "{}", bench.events());
}
