//! Boots a flash image on an emulated ESP32-C3 until a marker appears on UART0, and prints what it cost.
//!
//! `cargo run --release -p larch-emulator --example boot -- IMAGE MARKER [ROM_REVISION] [MAX_SECONDS]`
//! IMAGE is a whole flash image, `-` for blank flash, or `download` for blank flash with the strap set for download.

use larch_emulator::{Board, Config, Rom, Wiring};
use std::error::Error;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [image, marker, rest @ ..] = arguments.as_slice() else {
        return Err("usage: boot IMAGE MARKER [ROM_REVISION] [MAX_SECONDS]".into());
    };
    let revision = rest.first().map_or(Ok(300), |text| text.parse())?;
    let limit = Duration::from_secs_f64(rest.get(1).map_or(Ok(5.0), |text| text.parse())?);
    let rom = std::fs::read(larch_image::packages::rom_elf("esp32c3", revision)?)?;
    let mut board = Board::new(&Config::new(Rom::parse(&rom)?), Wiring::None);
    match image.as_str() {
        "-" => {}
        "download" => board.set_jumper(true),
        path => board.load_flash(path.as_ref())?,
    }
    let start = Instant::now();
    let text = run_to_marker(&mut board, marker, limit)?;
    let (host, chip) = (start.elapsed(), board.chip());
    println!("{}", String::from_utf8_lossy(&text));
    println!("pc           {:#010x}", chip.cpu().pc());
    println!("instructions {} (idle loops included)", chip.cpu().instructions());
    println!("executed     {}", chip.cpu().executed());
    println!("cycles       {}", chip.cycles());
    println!("simulated    {:.3} s", board.now().as_secs_f64());
    println!("host         {:.3} s", host.as_secs_f64());
    println!("MIPS         {:.1}", chip.cpu().executed() as f64 / 1e6 / host.as_secs_f64());
    for access in chip.unknown_accesses() {
        println!("{access}");
    }
    println!("resets       {:?}", chip.resets());
    Ok(())
}

/// The part that counts: `valgrind --tool=callgrind --toggle-collect='*run_to_marker*'` sees this only.
#[inline(never)]
fn run_to_marker(board: &mut Board, marker: &str, limit: Duration) -> std::io::Result<Vec<u8>> {
    board.power_on();
    let mut text = Vec::new();
    while board.now() < limit && !text.ends_with(marker.as_bytes()) {
        let mut buffer = [0; 1];
        let count = board.read(&mut buffer, limit)?;
        text.extend(&buffer[..count]);
    }
    Ok(text)
}
