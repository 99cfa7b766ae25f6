//! Writing, verifying, reading, erasing.

use crate::bench::{Bench, firmware_like};
use larch_image::packages;
use larch_loader::flash::WriteOptions;
use larch_loader::{Blob, Error};

fn blob(offset: u32, data: Vec<u8>) -> Blob {
    Blob { name: "data".to_owned(), offset, data }
}

#[test]
fn what_is_written_is_in_flash_and_nothing_else_changes() {
    let bench = Bench::new();
    bench.board().chip_mut().load_flash(0, &[0x5A; 0x2_0000]);
    let data = firmware_like(20_001);
    let mut loader = bench.loader();
    let reports = loader.write_flash(&[blob(0x1_0000, data.clone())], &WriteOptions::default()).unwrap();
    assert_eq!(reports[0].size, 20_004);
    let flash = bench.flash();
    assert!(flash[0x1_0000..].starts_with(&data));
    assert!(flash[..0x1_0000].iter().all(|&byte| byte == 0x5A), "the sectors before it are untouched");
    assert!(
        flash[0x1_5000..0x2_0000].iter().all(|&byte| byte == 0x5A),
        "the sectors behind it are untouched"
    );
}

#[test]
fn uncompressed_blocks_arrive_too() {
    let bench = Bench::new();
    let data = firmware_like(5000);
    let options = WriteOptions { compress: Some(false), ..WriteOptions::default() };
    bench.loader().write_flash(&[blob(0x1000, data.clone())], &options).unwrap();
    assert!(bench.flash()[0x1000..].starts_with(&data));
}

#[test]
fn flash_is_read_back() {
    let bench = Bench::new();
    let data = firmware_like(1000);
    bench.board().chip_mut().load_flash(0x3_0010, &data);
    assert_eq!(bench.loader().read_flash(0x3_0010, 1000).unwrap(), data);
}

#[test]
fn verify_tells_equal_from_different_and_where() {
    let bench = Bench::new();
    let data = firmware_like(300);
    bench.board().chip_mut().load_flash(0x4000, &data);
    let mut loader = bench.loader();
    loader.verify_flash(&[blob(0x4000, data.clone())]).unwrap();
    let mut other = data.clone();
    other[100] ^= 1;
    let different = blob(0x4000, other);
    assert!(matches!(loader.verify_flash(std::slice::from_ref(&different)), Err(Error::VerifyFailed { .. })));
    let differences = loader.diff_flash(&different).unwrap();
    assert_eq!(differences.iter().map(|run| run.offset).collect::<Vec<_>>(), [0x4064]);
}

#[test]
fn erasing_a_region_erases_just_that() {
    let bench = Bench::new();
    bench.board().chip_mut().load_flash(0, &[0; 0x4_0000]);
    bench.loader().erase_region(0x1_1000, 0x1_3000).unwrap();
    let flash = bench.flash();
    assert!(flash[..0x1_1000].iter().all(|&byte| byte == 0));
    assert!(flash[0x1_1000..0x2_4000].iter().all(|&byte| byte == 0xFF));
    assert!(flash[0x2_4000..0x4_0000].iter().all(|&byte| byte == 0));
}

#[test]
fn erasing_all_erases_all() {
    let bench = Bench::new();
    bench.board().chip_mut().load_flash(0, &[0; 0x40_0000]);
    bench.loader().erase_flash().unwrap();
    assert!(bench.flash().iter().all(|&byte| byte == 0xFF));
}

#[test]
fn files_that_do_not_fit_change_nothing() {
    let bench = Bench::new();
    let mut loader = bench.loader();
    let before = bench.board().flash_digest();
    let bootloader = std::fs::read(packages::bootloader("esp32").unwrap()).unwrap();
    let truncated = bootloader[..bootloader.len() - 100].to_vec();
    let options = WriteOptions { erase_all: true, ..WriteOptions::default() };
    for (blob, code) in [
        (blob(0, bootloader), 33),
        (blob(0, truncated), 32),
        (blob(0x3F_F000, vec![0; 0x2000]), 35),
        (blob(0, Vec::new()), 2),
    ] {
        assert_eq!(loader.write_flash(&[blob], &options).unwrap_err().code(), code);
    }
    assert_eq!(bench.board().flash_digest(), before);
}

#[test]
fn only_what_differs_is_written_again() {
    let bench = Bench::new();
    let mut data = firmware_like(120_000);
    let mut loader = bench.loader();
    let mut write = |data: &[u8]| {
        loader.write_flash(&[blob(0x1_0000, data.to_vec())], &WriteOptions::default()).unwrap()[0].written
    };
    assert_eq!(write(&data), 120_000);
    assert_eq!(write(&data), 0);
    data[70_000] ^= 1;
    data[119_999] ^= 1;
    assert_eq!(
        write(&data),
        4096 + (120_000 - 29 * 4096),
        "one sector in the middle and the last, which is short"
    );
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
    data.insert(100, 7);
    data.resize(120_000, 0);
    assert!(write(&data) > 100_000, "everything behind an insertion differs");
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
}

#[test]
fn everything_is_written_when_asked() {
    let bench = Bench::new();
    let data = firmware_like(3000);
    let options = WriteOptions { rewrite: true, ..WriteOptions::default() };
    let mut loader = bench.loader();
    for _ in 0..2 {
        assert_eq!(loader.write_flash(&[blob(0x8000, data.clone())], &options).unwrap()[0].written, 3000);
    }
}

#[test]
fn a_status_register_round_trips() {
    let bench = Bench::new();
    let mut loader = bench.loader();
    loader.write_flash_status(0x0200, 2, false).unwrap();
    assert_eq!(loader.flash_status(2).unwrap(), 0x0200);
    assert_eq!(loader.read_sfdp(0, 4).unwrap().to_le_bytes(), *b"SFDP");
}

/// The article's image size, written, verified by the chip, and read back in part.
#[test]
fn one_and_a_half_megabytes_arrive() {
    let bench = Bench::new();
    let data = firmware_like(1_445_632);
    let mut loader = bench.loader();
    loader.write_flash(&[blob(0x1_0000, data.clone())], &WriteOptions::default()).unwrap();
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
    loader.verify_flash(&[blob(0x1_0000, data.clone())]).unwrap();
    let end = loader.read_flash(0x1_0000 + 1_440_000, 5_632).unwrap();
    assert_eq!(end, data[1_440_000..]);
}
