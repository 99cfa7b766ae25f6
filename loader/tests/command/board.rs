//! An emulated board as other programs see it: behind a socket, an RFC 2217 server or a PTY, in step with the clock.

use larch_emulator::serve::{self, Endpoint};
use larch_emulator::{Board, Config, Rom, Wiring};
use larch_image::packages;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

/// A board that serves one connection after the other until it is dropped.
pub struct Server {
    /// What a client opens.
    pub url: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<u8>>>,
}

impl Server {
    /// Behind a socket, in download mode.
    pub fn in_download_mode() -> Self {
        Self::start(|| Endpoint::tcp(0), Wiring::None, true)
    }

    /// Behind a socket that has no control lines, with blank flash: the board looks for its program again and again.
    pub fn without_program() -> Self {
        Self::start(|| Endpoint::tcp(0), Wiring::None, false)
    }

    /// Behind an RFC 2217 server, with blank flash and an auto-reset circuit.
    pub fn rfc2217() -> Self {
        Self::start(|| Endpoint::rfc2217(0), Wiring::AutoReset, false)
    }

    /// Behind a PTY, in download mode.
    pub fn pty() -> Self {
        Self::start(|| Endpoint::pty(None), Wiring::None, true)
    }

    fn start(endpoint: fn() -> io::Result<Endpoint>, wiring: Wiring, download: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, address) = channel();
        let thread = std::thread::spawn({
            let stop = stop.clone();
            move || {
                let mut endpoint = endpoint().unwrap();
                let mut board = board(wiring, download);
                ready.send(endpoint.address().to_owned()).unwrap();
                serve::run(&mut board, &mut endpoint, None, &stop).unwrap();
                board.chip().flash_contents().to_vec()
            }
        });
        Self { url: address.recv().unwrap(), stop, thread: Some(thread) }
    }

    /// Ends the board; what is in its flash.
    pub fn into_flash(mut self) -> Vec<u8> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn board(wiring: Wiring, download: bool) -> Board {
    let path = packages::rom_elf("esp32c3", 300).expect("the published ROM is needed for this test");
    let config = Config::new(Rom::parse(&std::fs::read(path).unwrap()).unwrap());
    let mut board = Board::new(&config, wiring);
    board.set_jumper(download);
    board.power_on();
    board
}
