//! How a session ends, and what another one finds.

use crate::bench::Bench;
use larch_image::packages;
use larch_loader::flash::WriteOptions;
use larch_loader::{After, Before, Blob, Loader, Options, Patience};
use rstest::rstest;
use std::time::Duration;

/// What another program does that was told that the chip is in its loader.
fn without_reset(bench: &Bench) -> Loader<'static> {
    let options = Options { before: Before::NoReset, patience: Patience::Attempts(2), ..Options::default() };
    bench.connect(&options).unwrap_or_else(|error| panic!("{error}\n{}", bench.events()))
}

#[rstest]
fn after_no_reset_the_rom_answers_whatever_ran_before(#[values(false, true)] with_stub: bool) {
    let bench = Bench::new();
    let mut loader = bench.loader();
    if with_stub {
        assert!(loader.run_own_stub().unwrap());
        loader.find_speed(None).unwrap();
    } else {
        loader.change_baud(230_400).unwrap();
    }
    loader.finish(&After::NoReset).unwrap();
    drop(loader);
    let mut again = without_reset(&bench);
    assert!(again.is_rom());
    assert!(again.run_own_stub().unwrap());
}

#[test]
fn a_stub_that_stays_is_found_at_the_usual_speed() {
    let bench = Bench::new();
    let mut loader = bench.loader();
    assert!(loader.run_own_stub().unwrap());
    loader.find_speed(None).unwrap();
    loader.finish(&After::NoResetStub).unwrap();
    drop(loader);
    assert!(!without_reset(&bench).is_rom());
}

/// By the reset line; by the watchdog where only a person can press the button.
#[rstest]
fn run_runs_the_program(#[values(false, true)] by_hand: bool) {
    let bench = Bench::new();
    let bootloader = std::fs::read(packages::bootloader("esp32c3").unwrap()).unwrap();
    let mut loader = bench.loader();
    let blob = Blob { name: "bootloader".to_owned(), offset: 0, data: bootloader };
    loader.write_flash(&[blob], &WriteOptions::default()).unwrap();
    if by_hand {
        loader.finish(&After::NoReset).unwrap();
        drop(loader);
        loader = without_reset(&bench);
        assert!(loader.is_reset_by_hand());
    }
    let way = loader.way_to_program().unwrap();
    assert_eq!(way == After::WatchdogReset, by_hand);
    bench.board().take_output();
    loader.finish(&way).unwrap();
    loader
        .await_program(Some(Duration::from_secs(5)))
        .unwrap_or_else(|error| panic!("{error}\n{}", bench.events()));
}
