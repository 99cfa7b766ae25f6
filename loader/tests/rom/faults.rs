//! A line that damages bytes, and a board that loses power.

use crate::bench::{Bench, firmware_like};
use larch_loader::flash::WriteOptions;
use larch_loader::{Blob, Error};
use rstest::rstest;

fn write(bench: &Bench, data: &[u8]) -> Result<(), Error> {
    let blob = Blob { name: "data".to_owned(), offset: 0x1_0000, data: data.to_vec() };
    bench.loader().write_flash(&[blob], &WriteOptions::default()).map(|_| ())
}

/// Bytes sent by the host for connecting come first; these positions lie within the file's blocks.
const WITHIN_THE_FILE: [u64; 4] = [4_000, 5_003, 9_999, 12_345];

#[rstest]
fn damaged_bytes_on_the_way_to_the_chip_are_sent_again(#[values(0x01, 0x80, 0xFF)] bits: u8) {
    let bench = Bench::new();
    for at in WITHIN_THE_FILE {
        bench.board().faults_to_chip.corrupt.insert(at, bits);
    }
    let data = firmware_like(30_000);
    write(&bench, &data).unwrap_or_else(|error| panic!("{error}\n{}", bench.events()));
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
    assert!(bench.events().contains("Retry"), "{}", bench.events());
}

#[test]
fn lost_bytes_on_the_way_to_the_chip_are_sent_again() {
    let bench = Bench::new();
    bench.board().faults_to_chip.drop.extend(WITHIN_THE_FILE);
    let data = firmware_like(30_000);
    write(&bench, &data).unwrap_or_else(|error| panic!("{error}\n{}", bench.events()));
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
}

/// Lengths, numbers and digests too: the chip refuses what it does not understand with any error, or does something else.
#[test]
fn one_damaged_byte_anywhere_is_survived() {
    let data = firmware_like(6_000);
    for at in (400..6_000).step_by(331) {
        let bench = Bench::new();
        bench.board().faults_to_chip.corrupt.insert(at, 0x04);
        write(&bench, &data).unwrap_or_else(|error| panic!("byte {at}: {error}\n{}", bench.events()));
        assert!(bench.flash()[0x1_0000..].starts_with(&data), "byte {at}");
    }
}

/// What tells the chip the size of its flash has no checksum: the mask ROM takes it damaged, and refuses to write behind a size
/// that is too small.
#[test]
fn a_damaged_size_of_the_flash_is_survived() {
    let data = firmware_like(600);
    let mut refused = 0;
    for at in 790..840 {
        let bench = Bench::new();
        bench.board().faults_to_chip.corrupt.insert(at, 0x40);
        write(&bench, &data).unwrap_or_else(|error| panic!("byte {at}: {error}\n{}", bench.events()));
        assert!(bench.flash()[0x1_0000..].starts_with(&data), "byte {at}");
        refused += u32::from(bench.events().contains("refused FlashDeflBegin: Failed to act"));
    }
    assert!(refused > 0, "the size lies elsewhere in what is sent now");
}

#[test]
fn damaged_answers_are_survived() {
    let bench = Bench::new();
    let data = firmware_like(30_000);
    for at in (900..2_000).step_by(173) {
        bench.board().faults_from_chip().corrupt.insert(at, 0x10);
    }
    write(&bench, &data).unwrap_or_else(|error| panic!("{error}\n{}", bench.events()));
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
}

#[test]
fn a_line_that_damages_everything_ends_in_one_clear_error() {
    let bench = Bench::new();
    let mut loader = bench.loader();
    bench.board().faults_to_chip.corrupt.extend((0..1_000_000).step_by(50).map(|at| (at, 1)));
    let blob = Blob { name: "data".to_owned(), offset: 0x1_0000, data: firmware_like(30_000) };
    let error = loader.write_flash(&[blob], &WriteOptions::default()).unwrap_err();
    assert!((40..=42).contains(&error.code()), "{error}");
}

#[test]
fn power_lost_while_writing_is_an_error_and_never_a_success() {
    let bench = Bench::new();
    let mut loader = bench.loader();
    bench.board().chip_mut().flash_faults().power_cut_at_operation = Some(100);
    let blob = Blob { name: "data".to_owned(), offset: 0x1_0000, data: firmware_like(60_000) };
    let error = loader.write_flash(&[blob], &WriteOptions::default()).unwrap_err();
    assert_eq!(error.code(), 41, "{error}");
}

#[test]
fn a_bad_sector_is_never_reported_as_written() {
    let bench = Bench::new();
    bench.board().chip_mut().load_flash(0x1_2000, &[0]);
    bench.board().chip_mut().flash_faults().bad_sectors.insert(0x12);
    let error = write(&bench, &vec![0x5A; 30_000]).unwrap_err();
    assert_eq!(error.code(), 42, "{error}");
}

/// A small generator, so that a failure can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Random damage in both directions: what is reported as written is written, and nearly everything succeeds.
fn flash_with_faults(seed: u64, stub: bool) -> Result<(), Error> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let bench = Bench::new();
    let data: Vec<u8> = firmware_like(40_000 + dice.below(10_000) as usize);
    let mut loader = bench.loader();
    if stub {
        let text = std::fs::read_to_string(larch_image::packages::stub("esp32c3").unwrap()).unwrap();
        loader.run_stub(&larch_loader::Stub::parse(&text).unwrap())?;
    }
    for _ in 0..dice.below(4) {
        bench.board().faults_to_chip.corrupt.insert(3_000 + dice.below(30_000), 1 << dice.below(8));
        bench.board().faults_to_chip.drop.insert(3_000 + dice.below(30_000));
        bench.board().faults_from_chip().corrupt.insert(500 + dice.below(1_500), 1 << dice.below(8));
        bench.board().faults_from_chip().drop.insert(500 + dice.below(1_500));
    }
    let blob = Blob { name: "data".to_owned(), offset: 0x1_0000, data: data.clone() };
    loader.write_flash(&[blob], &WriteOptions::default())?;
    assert!(bench.flash()[0x1_0000..].starts_with(&data), "seed {seed}: reported as written, but is not");
    Ok(())
}

fn failures(seeds: std::ops::RangeInclusive<u64>, stub: bool) -> Vec<(u64, String)> {
    seeds
        .filter_map(|seed| flash_with_faults(seed, stub).err().map(|error| (seed, error.to_string())))
        .collect()
}

#[rstest]
fn random_faults_are_survived(#[values(false, true)] stub: bool) {
    let failures = failures(1..=5, stub);
    assert!(failures.is_empty(), "{failures:?}");
}

#[rstest]
#[ignore = "takes minutes; run it with -- --ignored"]
fn many_random_faults_are_survived(#[values(false, true)] stub: bool) {
    let failures = failures(100..=199, stub);
    println!(
        "100 flashes with random faults, stub {stub}: {} ended in an error: {failures:?}",
        failures.len()
    );
    assert!(failures.len() <= 5, "{failures:?}");
}
