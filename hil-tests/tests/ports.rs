//! A board on a serial port, as the harness meets it: an emulated one behind a PTY and behind RFC 2217, in real time.

mod ready;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use hil_tests::flash;
use hil_tests::lab::{Lab, target_directory};
use hil_tests::session::{Console, Session};
use hil_tests::target::serial::{Serial, missing};
use larch_boards::{Board, Port, Reset, TtyName};
use larch_emulator::serve::{self, Endpoint};

/// An emulated board that runs in a thread of its own until it is dropped.
struct Served {
    address: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn start(endpoint: impl FnOnce() -> Endpoint + Send + 'static, flashed: bool) -> (Lab, Board, Self) {
        let lab = Lab::load(&target_directory()).unwrap();
        let board = lab.boards.find("esp32c3-emu").unwrap().clone();
        ready::flashed(&lab, &board).unwrap();
        let mut emulated = lab.blank_emulated(board.chip).unwrap();
        if flashed {
            emulated.board().load_flash(&lab.flashed(&board, &lab.image_digest(board.chip))).unwrap();
        }
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let mut endpoint = endpoint();
            sender.send(endpoint.address().to_owned()).unwrap();
            emulated.board().power_on();
            serve::run(emulated.board(), &mut endpoint, None, &told).unwrap();
        });
        let address = receiver.recv().unwrap();
        (lab, board, Self { address, stop, thread: Some(thread) })
    }

    fn network(&self) -> Port {
        Port::Rfc2217(self.address.trim_start_matches("rfc2217://").to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn says(console: &mut dyn Console) -> String {
    let mut session = Session::new(console);
    session.boot().unwrap();
    assert!(session.boot_log().contains("Type \"help()\""), "{}", session.boot_log());
    session.ask("6 * 7").unwrap()
}

#[test]
fn a_board_without_reset_wires_is_rebooted_softly() {
    let link = std::env::temp_dir().join(format!("larch-pty-{}", std::process::id()));
    let path = link.clone();
    let (_lab, board, _served) = Served::start(move || Endpoint::pty(Some(&path)).unwrap(), true);
    let port = Port::Tty(TtyName::Path(link.display().to_string()));
    let board = Board { port, reset: Reset::Manual, ..board };
    assert_eq!(missing(&board.port), None);
    // As a person finds it: booted, some bytes long gone.
    assert_eq!(says(&mut Serial::open(&board).unwrap()), "42");
    assert_eq!(says(&mut Serial::open(&board).unwrap()), "42");
}

#[test]
fn a_board_behind_rfc2217_is_flashed_and_reset_by_its_control_lines() {
    let (lab, board, served) = Served::start(|| Endpoint::rfc2217(0).unwrap(), false);
    let board = Board { port: served.network(), flash_baud: 460_800, ..board };
    let image = hil_tests::firmware::Firmware::of(board.chip, &lab.target).unwrap().image().unwrap();
    let transport = larch_loader::ports::open(&served.address, 115_200).unwrap();
    flash::flash(&board, &served.address, transport, &image, Box::new(())).unwrap();
    assert_eq!(says(&mut Serial::open(&board).unwrap()), "42");
}

#[test]
fn a_port_that_vanishes_is_an_error_not_a_wait() {
    let (_lab, board, served) = Served::start(|| Endpoint::rfc2217(0).unwrap(), true);
    let board = Board { port: served.network(), ..board };
    let mut console = Serial::open(&board).unwrap();
    drop(served);
    let error = Session::new(&mut console).boot().unwrap_err().to_string();
    assert!(error.contains("hard reset"), "{error}");
}

#[test]
fn ports_that_are_not_there_say_what_to_do() {
    let path = |path: &str| Port::Tty(TtyName::Path(path.into()));
    let gone = missing(&path("/dev/larch-none")).unwrap();
    assert_eq!(gone, "/dev/larch-none does not exist; is the board plugged in?");
    let gone = missing(&Port::Tty(TtyName::SerialNumber("NONE-SUCH".into()))).unwrap();
    assert!(gone.contains("is the board plugged in?"), "{gone}");
    let lab = Lab::load(&target_directory()).unwrap();
    let board = lab.boards.default_board().clone();
    let nobody = Board { port: Port::Rfc2217("127.0.0.1:1".into()), ..board.clone() };
    let error = Serial::open(&nobody).err().unwrap().to_string();
    assert!(error.contains("rfc2217://127.0.0.1:1 cannot be opened"), "{error}");
    let missing = Board { port: path("/dev/larch-none"), ..board };
    let error = Serial::open(&missing).err().unwrap().to_string();
    assert!(error.contains("/dev/larch-none does not exist"), "{error}");
}
