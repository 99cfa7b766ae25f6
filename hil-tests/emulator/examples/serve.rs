//! Serves an emulated board: `serve (pty LINK | tcp PORT | rfc2217 PORT) [FLASH_FILE] [download]`, until a line or the end of
//! standard input.

use larch_emulator::serve::{Endpoint, run};
use larch_emulator::{Board, Config, Rom, Wiring};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, place, rest @ ..] = arguments.as_slice() else {
        return Err("usage: serve (pty LINK | tcp PORT | rfc2217 PORT) [FLASH_FILE] [download]".into());
    };
    let rom = std::fs::read(larch_image::packages::rom_elf("esp32c3", 300)?)?;
    let mut board = Board::new(&Config::new(Rom::parse(&rom)?), Wiring::AutoReset);
    let flash_file = rest.first().map(Path::new);
    if let Some(file) = flash_file.filter(|file| file.exists()) {
        board.load_flash(file)?;
    }
    board.set_jumper(rest.get(1).is_some_and(|word| word == "download"));
    let mut endpoint = match kind.as_str() {
        "pty" => Endpoint::pty(Some(Path::new(place)))?,
        "tcp" => Endpoint::tcp(place.parse()?)?,
        _ => Endpoint::rfc2217(place.parse()?)?,
    };
    println!("{}", endpoint.address());
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        told.store(true, Ordering::Relaxed);
    });
    board.power_on();
    run(&mut board, &mut endpoint, flash_file, &stop)?;
    for access in board.chip().unknown_accesses() {
        println!("{access}");
    }
    Ok(())
}
