//! The servers, by clients that know nothing of the emulator.

mod common;

use common::{config, flash_image, frame, sync};
use larch_emulator::serve::{Endpoint, run};
use larch_emulator::{Board, Wiring};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A server in a thread, stopped when it is dropped.
struct Served {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Board>>,
    address: String,
}

impl Served {
    fn start(
        mut board: Board,
        mut endpoint_maker: impl FnMut() -> Endpoint + Send + 'static,
        flash: Option<PathBuf>,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let (tell, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut endpoint = endpoint_maker();
            tell.send(endpoint.address().to_owned()).unwrap();
            board.power_on();
            run(&mut board, &mut endpoint, flash.as_deref(), &told).unwrap();
            board
        });
        Self { stop, thread: Some(thread), address: address.recv().unwrap() }
    }

    fn socket(&self) -> TcpStream {
        let (_, address) = self.address.split_once("://").unwrap();
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        socket
    }

    fn stop(mut self) -> Board {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn board(download: bool) -> Board {
    let mut board = Board::new(&config(300), Wiring::AutoReset);
    board.set_jumper(download);
    board
}

/// Reads until `marker` came; ten seconds at most.
fn read_until(source: &mut impl Read, marker: &[u8]) -> Vec<u8> {
    let started = Instant::now();
    let mut text = Vec::new();
    let mut buffer = [0; 256];
    while !text.windows(marker.len()).any(|window| window == marker) {
        assert!(started.elapsed() < Duration::from_secs(10), "no {marker:02x?} in {text:02x?}");
        if let Ok(count) = source.read(&mut buffer) {
            text.extend(&buffer[..count]);
        }
    }
    text
}

fn temporary(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    folder.join(format!("{name}-{}", std::process::id()))
}

const SYNC_REPLY: [u8; 14] = [0xC0, 1, 8, 4, 0, 7, 7, 0x12, 0x20, 0, 0, 0, 0, 0xC0];

#[test]
fn tcp_carries_the_line() {
    let served = Served::start(board(true), || Endpoint::tcp(0).unwrap(), None);
    let mut socket = served.socket();
    for _ in 0..3 {
        socket.write_all(&sync()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    read_until(&mut socket, &SYNC_REPLY);
    drop(socket);
    // The next client finds the same board.
    let mut socket = served.socket();
    socket.write_all(&sync()).unwrap();
    read_until(&mut socket, &SYNC_REPLY);
    served.stop();
}

#[test]
fn the_board_is_never_ahead_of_the_wall_clock() {
    let started = Instant::now();
    let served = Served::start(board(false), || Endpoint::tcp(0).unwrap(), None);
    std::thread::sleep(Duration::from_millis(300));
    let board = served.stop();
    assert!(board.now() <= started.elapsed());
    assert!(board.now() > Duration::from_millis(100), "only {:?}", board.now());
}

#[test]
fn a_pty_is_a_serial_port_and_its_link_goes_away() {
    let link = temporary("pty");
    let target = link.clone();
    let served = Served::start(board(true), move || Endpoint::pty(Some(&target)).unwrap(), None);
    assert_eq!(served.address, link.display().to_string());
    let mut port = std::fs::File::options().read(true).write(true).open(&link).unwrap();
    for _ in 0..3 {
        port.write_all(&sync()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    read_until(&mut port, &SYNC_REPLY);
    drop(port);
    served.stop();
    assert!(!link.is_symlink(), "the link is still there");
}

#[test]
fn rfc2217_resets_into_download_mode_and_sets_the_rate() {
    use rfc2217::{Client, PortSettings};
    let served = Served::start(board(false), || Endpoint::rfc2217(0).unwrap(), None);
    let mut socket = served.socket();
    let mut client = Client::new(PortSettings { baud_rate: 115_200, ..PortSettings::default() });
    let mut heard = Vec::new();
    let mut talk = |client: &mut Client, time: u64| {
        let until = Instant::now() + Duration::from_millis(time);
        while Instant::now() < until {
            socket.write_all(&client.take_output()).unwrap();
            let mut buffer = [0; 256];
            if let Ok(count) = socket.read(&mut buffer) {
                heard.extend(client.receive(&buffer[..count]));
            }
            while client.poll_event().is_some() {}
        }
        std::mem::take(&mut heard)
    };
    talk(&mut client, 300);
    assert!(client.readiness().is_ok());
    // As esptool does it: reset, then download while reset ends, with a pause after each change.
    client.set_dtr(false);
    client.set_rts(true);
    talk(&mut client, 150);
    client.set_dtr(true);
    talk(&mut client, 50);
    client.set_rts(false);
    let text = talk(&mut client, 400);
    client.set_dtr(false);
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(text.contains("waiting for download"), "{text}");
    client.write_data(&sync());
    talk(&mut client, 200);
    client.write_data(&sync());
    let answer = talk(&mut client, 400);
    assert!(answer.windows(SYNC_REPLY.len()).any(|window| window == SYNC_REPLY), "{answer:02x?}");
    served.stop();
}

#[test]
fn the_flash_file_follows_the_flash() {
    let file = temporary("flash");
    let image = flash_image(&[common::asm::SPIN]);
    let mut board = board(true);
    board.chip_mut().load_flash(0, &image);
    let served = Served::start(board, || Endpoint::tcp(0).unwrap(), Some(file.clone()));
    let mut socket = served.socket();
    for _ in 0..3 {
        socket.write_all(&sync()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    read_until(&mut socket, &SYNC_REPLY);
    // Attach the flash, then FLASH_BEGIN for one block at 0x10000, which erases its sector.
    socket.write_all(&frame(0x0D, &[0; 8])).unwrap();
    read_until(&mut socket, &[0xC0, 1, 0x0D]);
    let begin: Vec<u8> =
        [0x400u32, 1, 0x400, 0x1_0000, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
    socket.write_all(&frame(0x02, &begin)).unwrap();
    read_until(&mut socket, &[0xC0, 1, 0x02]);
    let board = served.stop();
    let kept = std::fs::read(&file).unwrap();
    assert_eq!(kept, board.chip().flash_contents());
    assert!(kept[0x1_0000..0x1_1000].iter().all(|&byte| byte == 0xFF), "the sector was not erased");
    assert_eq!(kept[..0x8000], image[..0x8000]);
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn what_clients_did_replays_to_the_cycle() {
    let mut first = board(true);
    first.record();
    let served = Served::start(first, || Endpoint::tcp(0).unwrap(), None);
    let mut socket = served.socket();
    for _ in 0..3 {
        socket.write_all(&sync()).unwrap();
        std::thread::sleep(Duration::from_millis(70));
    }
    let first = served.stop();
    let recording = first.recording().unwrap().clone();
    assert!(recording.0.len() > 3, "{recording:?}");
    let mut second = board(true);
    second.replay(&recording, first.now_ticks());
    let facts =
        |board: &Board| (board.now_ticks(), board.chip().cpu().instructions(), board.chip().cpu().pc());
    assert_eq!(facts(&first), facts(&second));
}

#[test]
fn a_taken_port_says_what_to_do() {
    let taken = Endpoint::tcp(0).unwrap();
    let port: u16 = taken.address().rsplit_once(':').unwrap().1.parse().unwrap();
    let error = Endpoint::tcp(port).map(drop).unwrap_err().to_string();
    assert!(error.contains("name another port"), "{error}");
}
