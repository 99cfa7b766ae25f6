//! The person at the desk: a board whose DTR and RTS are not connected, a jumper, a button, a power plug.

use crate::bench::{Bench, firmware_like};
use larch_chips::Chip;
use larch_emulator::Wiring;
use larch_image::packages;
use larch_loader::flash::WriteOptions;
use larch_loader::{After, Before, Blob, Error, Loader, Options, Patience};
use std::time::Duration;

const C3: &str = "esp32c3";

fn options(limit: u64) -> Options {
    Options {
        chip: Chip::by_name(C3),
        before: Before::default_reset("socket://emulated"),
        patience: Patience::Person(Some(Duration::from_secs(limit))),
        ..Options::default()
    }
}

fn bench() -> Bench {
    Bench::with(300, Wiring::None)
}

fn connect(bench: &Bench, limit: u64) -> Loader<'static> {
    bench.connect(&options(limit)).unwrap_or_else(|error| panic!("{error}\n{}", bench.events()))
}

#[test]
fn jumper_erase_button_write_power_program() {
    let bench = bench();
    bench.board().set_jumper(true);
    bench.person(7.0, |board| board.press_reset());
    let mut loader = connect(&bench, 60);
    assert!(bench.board().now() < Duration::from_secs(8), "it goes on the moment the chip answers");
    assert_eq!(
        bench.told(),
        ["the chip finds no program in its flash and keeps resetting; connect GPIO9 to GND and press RESET"]
    );
    assert!(loader.is_reset_by_hand());
    loader.erase_flash().unwrap();
    loader.finish(&After::hard_reset()).unwrap();
    drop(loader);

    bench.board().press_reset();
    let bootloader = std::fs::read(packages::bootloader(C3).unwrap()).unwrap();
    let mut loader = connect(&bench, 60);
    let blob = Blob { name: "bootloader".to_owned(), offset: 0, data: bootloader };
    loader.write_flash(&[blob], &WriteOptions::default()).unwrap();
    loader.finish(&After::hard_reset()).unwrap();

    bench.person(3.0, |board| board.power_off());
    bench.person(4.0, |board| board.set_jumper(false));
    bench.person(6.0, |board| board.power_on());
    loader
        .await_program(Some(Duration::from_secs(60)))
        .unwrap_or_else(|error| panic!("{error}\n{}", bench.events()));
    let told = bench.told();
    assert_eq!(
        told.last().map(String::as_str),
        Some("the chip still runs its loader; take the jumper off GPIO9, if there is one, and press RESET")
    );
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn the_person_is_told_within_two_seconds() {
    let bench = bench();
    let error = bench.connect(&options(2)).err().unwrap();
    assert_eq!((error.code(), bench.told().len()), (24, 1), "{error}");
}

#[test]
fn a_forgotten_jumper_is_noticed() {
    let bench = bench();
    bench.board().set_jumper(true);
    bench.board().press_reset();
    let mut loader = connect(&bench, 60);
    loader.finish(&After::hard_reset()).unwrap();
    bench.person(1.0, |board| board.press_reset());
    let error = loader.await_program(Some(Duration::from_secs(5))).unwrap_err();
    assert_eq!(error.code(), 29, "{error}");
    let told = bench.told();
    assert_eq!(
        told.last().map(String::as_str),
        Some("the chip started in download mode again; take the jumper off GPIO9 and press RESET")
    );
}

#[test]
fn a_forgotten_button_is_an_outcome_of_its_own() {
    let bench = bench();
    bench.board().set_jumper(true);
    let error = bench.connect(&options(20)).err().unwrap();
    assert_eq!(error.code(), 24, "{error}");

    bench.board().press_reset();
    let mut loader = connect(&bench, 20);
    let error = loader.await_program(Some(Duration::from_secs(5))).unwrap_err();
    assert_eq!(error.code(), 19, "{error}");
}

#[test]
fn power_lost_while_writing_ends_in_an_error_and_the_next_run_succeeds() {
    let bench = bench();
    bench.board().set_jumper(true);
    bench.board().press_reset();
    let mut loader = connect(&bench, 20);
    bench.person(4.0, |board| board.power_off());
    let data = firmware_like(100_000);
    let blob = Blob { name: "data".to_owned(), offset: 0x1_0000, data: data.clone() };
    let error = loader.write_flash(std::slice::from_ref(&blob), &WriteOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Silent { .. }), "{error}");
    bench.person(5.0, |board| board.power_on());
    let mut loader = connect(&bench, 60);
    loader.write_flash(&[blob], &WriteOptions::default()).unwrap();
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
    assert!(bench.told()[0].starts_with("the chip sends nothing at all"), "{:?}", bench.told());
}

#[test]
fn a_stub_left_running_is_recognised() {
    let bench = bench();
    bench.board().set_jumper(true);
    bench.board().press_reset();
    let stub = std::fs::read_to_string(packages::stub(C3).unwrap()).unwrap();
    let mut loader = connect(&bench, 20);
    loader.run_stub(&larch_loader::Stub::parse(&stub).unwrap()).unwrap();
    loader.finish(&After::NoResetStub).unwrap();
    let mut again = connect(&bench, 20);
    assert!(!again.is_rom());
    assert_eq!(again.flash().unwrap().device(), 0x4016);
}

/// The mask ROM answers the next command, but it is not the stub that was asked.
#[test]
fn a_button_pressed_while_a_stub_writes_is_survived() {
    let bench = bench();
    bench.board().set_jumper(true);
    bench.board().press_reset();
    let mut loader = connect(&bench, 20);
    assert!(loader.run_own_stub().unwrap());
    bench.person(2.0, |board| board.press_reset());
    let data = firmware_like(100_000);
    let blob = Blob { name: "data".to_owned(), offset: 0x1_0000, data: data.clone() };
    loader
        .write_flash(&[blob], &WriteOptions::default())
        .unwrap_or_else(|error| panic!("{error}\n{}", bench.events()));
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
    assert!(bench.events().contains("Retry"), "the button was pressed too late: {}", bench.events());
}
