//! Flasher stubs running on the emulated chip: Espressif's, as published, and our own.

use crate::bench::{Bench, firmware_like};
use larch_chips::Chip;
use larch_emulator::Wiring;
use larch_image::packages;
use larch_loader::flash::WriteOptions;
use larch_loader::{Blob, Loader, Stub};
use rstest::rstest;

/// Whose stub.
#[derive(Debug, Clone, Copy)]
enum Whose {
    Espressifs,
    Ours,
}
use Whose::{Espressifs, Ours};

fn stub(whose: Whose) -> Stub {
    match whose {
        Espressifs => {
            let text = std::fs::read_to_string(packages::stub("esp32c3").unwrap()).unwrap();
            Stub::parse(&text).unwrap()
        }
        Ours => larch_loader::own_stub(Chip::by_name("esp32c3").unwrap())
            .expect("our stub is built with the loader: rustup target add riscv32imc-unknown-none-elf"),
    }
}

fn with_stub(bench: &Bench, whose: Whose) -> Loader<'static> {
    let mut loader = bench.loader();
    loader.run_stub(&stub(whose)).unwrap_or_else(|error| panic!("{error}\n{}", bench.events()));
    loader
}

fn blob(offset: u32, data: Vec<u8>) -> Blob {
    Blob { name: "data".to_owned(), offset, data }
}

#[rstest]
fn it_runs_on_every_mask_rom(#[values(0, 101, 300)] rom: u32, #[values(Espressifs, Ours)] whose: Whose) {
    let bench = Bench::with(rom, Wiring::AutoReset);
    let mut loader = with_stub(&bench, whose);
    let data = firmware_like(50_000);
    loader.write_flash(&[blob(0x1_0000, data.clone())], &WriteOptions::default()).unwrap();
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
}

#[rstest]
fn flash_streams_back(#[values(Espressifs, Ours)] whose: Whose) {
    let bench = Bench::new();
    let data = firmware_like(100_000);
    bench.board().chip_mut().load_flash(0x1_0000, &data);
    assert_eq!(with_stub(&bench, whose).read_flash(0x1_0000, 100_000).unwrap(), data);
}

#[rstest]
fn it_erases(#[values(Espressifs, Ours)] whose: Whose) {
    let bench = Bench::new();
    bench.board().chip_mut().load_flash(0, &[0; 0x40_0000]);
    let mut loader = with_stub(&bench, whose);
    loader.erase_region(0x1000, 0x1_0000).unwrap();
    let flash = bench.flash();
    assert!(flash[0x1000..0x1_1000].iter().all(|&byte| byte == 0xFF));
    assert!(flash[..0x1000].iter().chain(&flash[0x1_1000..]).all(|&byte| byte == 0));
    loader.erase_flash().unwrap();
    assert!(bench.flash().iter().all(|&byte| byte == 0xFF));
}

#[rstest]
fn it_goes_on_at_another_speed(#[values(Espressifs, Ours)] whose: Whose) {
    let bench = Bench::new();
    let mut loader = with_stub(&bench, whose);
    loader.change_baud(921_600).unwrap();
    let data = firmware_like(200_000);
    let start = bench.board().now();
    loader
        .write_flash(&[blob(0, data.clone())], &WriteOptions { force: true, ..WriteOptions::default() })
        .unwrap();
    assert!((bench.board().now() - start).as_secs_f64() < 6.0);
    assert!(bench.flash().starts_with(&data));
}

#[rstest]
fn uncompressed_and_odd_lengths_arrive(#[values(Espressifs, Ours)] whose: Whose) {
    let bench = Bench::new();
    let mut loader = with_stub(&bench, whose);
    let data = firmware_like(33_333);
    let options = WriteOptions { compress: Some(false), ..WriteOptions::default() };
    loader.write_flash(&[blob(0x2000, data.clone())], &options).unwrap();
    assert!(bench.flash()[0x2000..].starts_with(&data));
}

#[rstest]
fn damaged_blocks_are_sent_again(#[values(Espressifs, Ours)] whose: Whose) {
    let bench = Bench::new();
    let mut loader = with_stub(&bench, whose);
    let sent = 12_000;
    for at in [sent, sent + 20_000, sent + 45_000] {
        bench.board().faults_to_chip.corrupt.insert(at, 0x08);
    }
    let data = firmware_like(120_000);
    loader.write_flash(&[blob(0x1_0000, data.clone())], &WriteOptions::default()).unwrap();
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
    assert!(bench.events().contains("Retry"), "{}", bench.events());
}

#[test]
fn ours_is_small() {
    let stub = stub(Ours);
    let bytes = stub.text.1.len() + stub.data.1.len();
    assert!(bytes < 8 * 1024, "{bytes} bytes");
}

/// Writes, and says how many bytes were written and how long it took.
fn write(bench: &Bench, loader: &mut Loader<'_>, offset: u32, data: &[u8]) -> (u64, f64) {
    let start = bench.board().now();
    let reports = loader.write_flash(&[blob(offset, data.to_vec())], &WriteOptions::default());
    let reports = reports.unwrap_or_else(|error| panic!("{error}\n{}", bench.events()));
    assert!(bench.flash()[offset as usize..].starts_with(data));
    (reports[0].written, (bench.board().now() - start).as_secs_f64())
}

#[test]
fn only_sectors_that_differ_are_written() {
    let bench = Bench::new();
    let mut loader = with_stub(&bench, Ours);
    loader.change_baud(921_600).unwrap();
    let mut data = firmware_like(300_001);
    assert_eq!(write(&bench, &mut loader, 0x1_0000, &data).0, 300_004);
    let (written, seconds) = write(&bench, &mut loader, 0x1_0000, &data);
    assert_eq!(written, 0);
    assert!(seconds < 0.2, "{seconds}");
    data[5] ^= 1;
    data[0x2_0FFF] ^= 0x80;
    data[300_000] ^= 1;
    let (written, seconds) = write(&bench, &mut loader, 0x1_0000, &data);
    assert_eq!(written, 0x1000 + 0x1000 + (300_004 - 0x4_9000));
    assert!(seconds < 0.6, "{seconds}");
    // What lies behind the file in its last sector is not looked at.
    bench.board().chip_mut().load_flash(0x1_0000 + 300_004, b"other data");
    assert_eq!(write(&bench, &mut loader, 0x1_0000, &data).0, 0);
}

#[test]
fn ours_waits_for_the_line_only() {
    let bench = Bench::new();
    let mut loader = with_stub(&bench, Ours);
    let data = firmware_like(200_000);
    let (_, seconds) = write(&bench, &mut loader, 0x1_0000, &data);
    let events = bench.events();
    let sent = events.split("compressed: Some(").nth(1).and_then(|rest| rest.split(')').next());
    let floor = sent.unwrap().parse::<f64>().unwrap() * 10.0 / 115_200.0;
    assert!(seconds < floor * 1.03, "{seconds} s, the bytes take {floor} s");
}

/// Code, tables, text and nothing, as in a file with debugging data: deflate makes a Huffman code of each, and of the last much
/// from a few bytes.
fn of_many_kinds(len: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(len);
    while data.len() < len {
        data.extend(firmware_like(9_000));
        data.extend((0..4_000_u32).flat_map(|n| (0x4200_0000 + n * 12).to_le_bytes()));
        data.extend((0..9_000_u32).map(|n| b"_ZN4core3fmt9Formatter"[(n * n / 7 % 22) as usize]));
        data.resize(data.len() + 30_000, 0);
    }
    data.truncate(len);
    data
}

/// While a block is judged and a code is built, the next one arrives, a byte every 3 us.
#[rstest]
fn at_full_speed_no_byte_is_lost(
    #[values(firmware_like(150_000), of_many_kinds(400_000))] data: Vec<u8>,
    #[values(false, true)] dirty: bool,
) {
    let bench = Bench::new();
    if dirty {
        bench.board().chip_mut().load_flash(0x1_0000, &[0x5A; 400_000]);
    }
    let mut loader = with_stub(&bench, Ours);
    loader.find_speed(None).unwrap();
    loader.write_flash(&[blob(0x1_0000, data.clone())], &WriteOptions::default()).unwrap();
    let events = bench.events();
    assert!(events.contains("Baud(3000000)") && !events.contains("Retry"), "{events}");
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
}
