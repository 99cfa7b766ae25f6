//! temporary
use larch_emulator::serve::{self, Endpoint};
use larch_emulator::{Board, Config, Rom, Wiring};
fn main() {
    let path = larch_image::packages::rom_elf("esp32c3", 300).unwrap();
    let config = Config::new(Rom::parse(&std::fs::read(path).unwrap()).unwrap());
    let mut board = Board::new(&config, Wiring::AutoReset);
    board.power_on();
    let port: u16 = std::env::args().nth(1).unwrap().parse().unwrap();
    let mut endpoint = Endpoint::rfc2217(port).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    serve::run(&mut board, &mut endpoint, None, &stop).unwrap();
}
