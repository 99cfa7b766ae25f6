//! Boots a flash image beside two access points, prints what it says on UART0, and writes a capture of the air.
//!
//! `cargo run --release -p larch-emulator --example air -- IMAGE SECONDS CAPTURE.pcap [ROM_REVISION]`
//! The access points are `open` and `secured` (passphrase `correct horse`); the gateway is 10.0.0.1.

use larch_emulator::air::AccessPointConfig;
use larch_emulator::{Board, Config, Rom, Wiring};
use std::error::Error;
use std::io::Write;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [image, seconds, capture, rest @ ..] = arguments.as_slice() else {
        return Err("usage: air IMAGE SECONDS CAPTURE.pcap [ROM_REVISION]".into());
    };
    let revision = rest.first().map_or(Ok(300), |text| text.parse())?;
    let rom = std::fs::read(larch_image::packages::rom_elf("esp32c3", revision)?)?;
    let mut board = Board::new(&Config::new(Rom::parse(&rom)?), Wiring::None);
    board.load_flash(image.as_ref())?;
    let air = board.chip_mut().air();
    air.record();
    air.add(AccessPointConfig { channel: 1, ..AccessPointConfig::new("open", None) });
    let bssid = [0x02, 0x11, 0x22, 0x33, 0x44, 0x66];
    air.add(AccessPointConfig { bssid, ..AccessPointConfig::new("secured", Some("correct horse")) });
    board.power_on();
    let end = Duration::from_secs_f64(seconds.parse()?);
    while board.now() < end {
        let mut buffer = [0; 256];
        let left = end.saturating_sub(board.now());
        let count = board.read(&mut buffer, left)?;
        std::io::stdout().write_all(&buffer[..count])?;
    }
    for access in board.chip().unknown_accesses() {
        println!("{access}");
    }
    println!("executed {} instructions", board.chip().cpu().executed());
    std::fs::write(capture, board.chip_mut().air().capture().expect("it was recorded").bytes())?;
    Ok(())
}
