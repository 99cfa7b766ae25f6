//! Espressif's flasher stub, as published, running on the emulated chip.

use crate::bench::{Bench, firmware_like};
use larch_emulator::Wiring;
use larch_image::packages;
use larch_loader::flash::WriteOptions;
use larch_loader::{Blob, Loader, Stub};
use rstest::rstest;

fn with_stub(bench: &Bench) -> Loader<'static> {
    let stub = std::fs::read_to_string(packages::stub("esp32c3").unwrap()).unwrap();
    let mut loader = bench.loader();
    loader
        .run_stub(&Stub::parse(&stub).unwrap())
        .unwrap_or_else(|error| panic!("{error}\n{}", bench.events()));
    loader
}

fn blob(offset: u32, data: Vec<u8>) -> Blob {
    Blob { name: "data".to_owned(), offset, data }
}

#[rstest]
fn it_runs_on_every_mask_rom(#[values(0, 101, 300)] rom: u32) {
    let bench = Bench::with(rom, Wiring::AutoReset);
    let mut loader = with_stub(&bench);
    let data = firmware_like(50_000);
    loader.write_flash(&[blob(0x1_0000, data.clone())], &WriteOptions::default()).unwrap();
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
}

#[test]
fn flash_streams_back() {
    let bench = Bench::new();
    let data = firmware_like(100_000);
    bench.board().chip_mut().load_flash(0x1_0000, &data);
    assert_eq!(with_stub(&bench).read_flash(0x1_0000, 100_000).unwrap(), data);
}

#[test]
fn it_erases() {
    let bench = Bench::new();
    bench.board().chip_mut().load_flash(0, &[0; 0x40_0000]);
    let mut loader = with_stub(&bench);
    loader.erase_region(0x1000, 0x1_0000).unwrap();
    let flash = bench.flash();
    assert!(flash[0x1000..0x1_1000].iter().all(|&byte| byte == 0xFF));
    assert!(flash[..0x1000].iter().chain(&flash[0x1_1000..]).all(|&byte| byte == 0));
    loader.erase_flash().unwrap();
    assert!(bench.flash().iter().all(|&byte| byte == 0xFF));
}

#[test]
fn it_goes_on_at_another_speed() {
    let bench = Bench::new();
    let mut loader = with_stub(&bench);
    loader.change_baud(921_600).unwrap();
    let data = firmware_like(200_000);
    let start = bench.board().now();
    loader
        .write_flash(&[blob(0, data.clone())], &WriteOptions { force: true, ..WriteOptions::default() })
        .unwrap();
    assert!((bench.board().now() - start).as_secs_f64() < 6.0);
    assert!(bench.flash().starts_with(&data));
}

#[test]
fn uncompressed_and_odd_lengths_arrive() {
    let bench = Bench::new();
    let mut loader = with_stub(&bench);
    let data = firmware_like(33_333);
    let options = WriteOptions { compress: Some(false), ..WriteOptions::default() };
    loader.write_flash(&[blob(0x2000, data.clone())], &options).unwrap();
    assert!(bench.flash()[0x2000..].starts_with(&data));
}

#[test]
fn damaged_blocks_are_sent_again() {
    let bench = Bench::new();
    let mut loader = with_stub(&bench);
    let sent = 12_000;
    for at in [sent, sent + 20_000, sent + 45_000] {
        bench.board().faults_to_chip.corrupt.insert(at, 0x08);
    }
    let data = firmware_like(120_000);
    loader.write_flash(&[blob(0x1_0000, data.clone())], &WriteOptions::default()).unwrap();
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
    assert!(bench.events().contains("Retry"), "{}", bench.events());
}
