//! An emulated board behind a TCP socket.

use larch_emulator::{Board, Config, Rom, Wiring};
use larch_image::packages;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Simulated time per turn.
const SLICE: Duration = Duration::from_millis(1);

/// A board that serves one connection after the other until it is dropped.
pub struct Server {
    pub url: String,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Vec<u8>>>,
}

impl Server {
    /// A board with the jumper set, so that it is in download mode.
    pub fn in_download_mode() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("socket://{}", listener.local_addr().unwrap());
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || serve(&listener, &stopped));
        Self { url, stop: Some(stop), thread: Some(thread) }
    }

    /// Ends the board; what is in its flash.
    pub fn into_flash(mut self) -> Vec<u8> {
        self.stop.take();
        self.thread.take().unwrap().join().unwrap()
    }
}

fn serve(listener: &TcpListener, stopped: &Receiver<()>) -> Vec<u8> {
    let path = packages::rom_elf("esp32c3", 300).expect("the published ROM is needed for this test");
    let mut board =
        Board::new(&Config::new(Rom::parse(&std::fs::read(path).unwrap()).unwrap()), Wiring::None);
    board.set_jumper(true);
    board.power_on();
    listener.set_nonblocking(true).unwrap();
    loop {
        match listener.accept() {
            Ok((stream, _)) => bridge(&mut board, stream),
            Err(_) if is_over(stopped) => return board.chip().flash_contents().to_vec(),
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn is_over(stopped: &Receiver<()>) -> bool {
    matches!(stopped.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected))
}

fn bridge(board: &mut Board, mut stream: TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => board.queue(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
        board.sleep(SLICE);
        let output = board.take_output();
        if !output.is_empty() && stream.write_all(&output).is_err() {
            return;
        }
    }
}
