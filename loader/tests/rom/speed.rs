//! How long things take, in the board's simulated time. The limits hold with some margin; the numbers are printed.

use crate::bench::{Bench, firmware_like};
use larch_image::packages;
use larch_loader::flash::WriteOptions;
use larch_loader::{Blob, Loader, Stub};

/// The size of the image in the article.
const SIZE: usize = 1_445_632;

fn seconds(bench: &Bench, what: &str, run: impl FnOnce()) -> f64 {
    let start = bench.board().now();
    run();
    let took = (bench.board().now() - start).as_secs_f64();
    println!("{what:<50} {took:7.2} s");
    took
}

fn write(loader: &mut Loader<'_>, data: &[u8]) {
    let blob = Blob { name: "data".to_owned(), offset: 0x1_0000, data: data.to_vec() };
    loader.write_flash(&[blob], &WriteOptions::default()).unwrap();
}

fn with_stub(bench: &Bench, baud: u32) -> Loader<'static> {
    let stub = std::fs::read_to_string(packages::stub("esp32c3").unwrap()).unwrap();
    let mut loader = bench.loader();
    loader.change_baud(baud).unwrap();
    loader.run_stub(&Stub::parse(&stub).unwrap()).unwrap();
    loader
}

#[test]
fn connecting_takes_under_a_second() {
    let bench = Bench::new();
    let took = seconds(&bench, "connect", || drop(bench.loader()));
    assert!(took < 1.0);
    let bench = Bench::new();
    let took = seconds(&bench, "connect, stub at 921600", || drop(with_stub(&bench, 921_600)));
    assert!(took < 1.5);
}

#[test]
#[ignore = "takes a minute; run it with -- --ignored"]
fn the_stub_at_115200_is_as_fast_as_the_line() {
    let bench = Bench::new();
    let mut loader = with_stub(&bench, 115_200);
    let data = firmware_like(SIZE);
    let took = seconds(&bench, "full write, stub, 115200", || write(&mut loader, &data));
    let line = 964_738.0 * 10.0 / 115_200.0;
    let digest = 5.0;
    assert!(took < line * 1.03 + digest, "the line alone needs {line:.1} s, the chip's MD5 {digest} s");
}

#[test]
#[ignore = "takes a minute; run it with -- --ignored"]
fn reflashing_sends_only_what_differs() {
    let bench = Bench::new();
    let mut loader = with_stub(&bench, 921_600);
    let mut data = firmware_like(SIZE);
    let took = seconds(&bench, "full write, stub, 921600", || write(&mut loader, &data));
    assert!(took < 25.0);
    let took = seconds(&bench, "the same again", || write(&mut loader, &data));
    assert!(took < 5.0, "this is what the stub's MD5 of everything takes");
    data[700_000..700_010].copy_from_slice(b"0123456789");
    let took = seconds(&bench, "a string of equal length", || write(&mut loader, &data));
    assert!(took < 6.0);
    let took = seconds(&bench, "read 1 MB back", || {
        loader.read_flash(0x1_0000, 1 << 20).unwrap();
    });
    assert!(took < 15.0);
}

fn with_our_stub(bench: &Bench) -> Loader<'static> {
    let mut loader = bench.loader();
    assert!(loader.run_own_stub().unwrap(), "our stub is built with the loader");
    loader
}

#[test]
fn the_speed_goes_up_to_what_the_adapter_can_do() {
    for (limit, expected) in [(u32::MAX, 3_000_000), (921_600, 921_600), (115_200, 115_200)] {
        let bench = Bench::new();
        bench.adapter_limit.set(limit);
        let mut loader = with_our_stub(&bench);
        loader.find_speed(None).unwrap_or_else(|error| panic!("{error}\n{}", bench.events()));
        assert_eq!(loader.baud(), expected);
        let data = firmware_like(40_000);
        write(&mut loader, &data);
        assert!(bench.flash()[0x1_0000..].starts_with(&data));
    }
}

#[test]
fn the_speed_goes_down_when_the_line_gets_bad() {
    let bench = Bench::new();
    let mut loader = with_our_stub(&bench);
    loader.find_speed(None).unwrap();
    let speed = loader.baud();
    for at in (20_000..100_000).step_by(500) {
        bench.board().faults_to_chip.corrupt.insert(at, 0x10);
    }
    let data = firmware_like(100_000);
    write(&mut loader, &data);
    assert!(bench.flash()[0x1_0000..].starts_with(&data));
    assert!(loader.baud() < speed, "{}", bench.events());
}
