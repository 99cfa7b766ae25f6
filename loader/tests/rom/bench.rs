//! An emulated board as a transport, and what tests do with it.

use larch_emulator::{Board, Config, Rom, Wiring};
use larch_image::packages;
use larch_loader::transport::{Lines, Transport};
use larch_loader::{Before, Error, Event, Loader, Options};
use std::cell::{RefCell, RefMut};
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// A board that a test and a loader share.
#[derive(Clone)]
pub struct Bench {
    board: Rc<RefCell<Board>>,
    events: Rc<RefCell<Vec<String>>>,
}

/// The board's serial port.
struct Port(Rc<RefCell<Board>>);

impl Transport for Port {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.0.borrow_mut().read(buf, timeout)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().write_all(bytes)
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.0.borrow_mut().set_baud(baud);
        Ok(())
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.0.borrow_mut().set_lines(lines.dtr, lines.rts);
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.0.borrow_mut().take_output();
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        self.0.borrow_mut().sleep(duration);
    }

    fn now(&self) -> Duration {
        self.0.borrow().now()
    }
}

impl Bench {
    /// A powered board with blank flash and an auto-reset circuit.
    pub fn new() -> Self {
        Self::with(300, Wiring::AutoReset)
    }

    /// A powered board with blank flash.
    pub fn with(rom_revision: u32, wiring: Wiring) -> Self {
        let path =
            packages::rom_elf("esp32c3", rom_revision).expect("the published ROM is needed for this test");
        let config = Config::new(Rom::parse(&std::fs::read(path).unwrap()).unwrap());
        let mut board = Board::new(&config, wiring);
        board.power_on();
        Self { board: Rc::new(RefCell::new(board)), events: Rc::default() }
    }

    pub fn board(&self) -> RefMut<'_, Board> {
        self.board.borrow_mut()
    }

    pub fn port(&self) -> Box<dyn Transport> {
        Box::new(Port(self.board.clone()))
    }

    /// Connects as the command does.
    pub fn connect(&self, options: &Options) -> Result<Loader<'static>, Error> {
        let events = self.events.clone();
        let observer = move |event: &Event<'_>| {
            if !matches!(event, Event::Progress { .. }) {
                events.borrow_mut().push(format!("{event:?}"));
            }
        };
        Loader::connect(self.port(), Box::new(observer), options)
    }

    /// Connects with the usual options.
    pub fn loader(&self) -> Loader<'static> {
        let options = Options { before: Before::default_reset("socket://emulated"), ..Options::default() };
        self.connect(&options).unwrap_or_else(|error| panic!("{error}\n{}", self.events()))
    }

    /// Everything that happened, one event per line.
    pub fn events(&self) -> String {
        self.events.borrow().join("\n")
    }

    pub fn flash(&self) -> Vec<u8> {
        self.board.borrow().chip().flash_contents().to_vec()
    }
}

/// Data that deflate to about 60 %, as firmware does.
pub fn firmware_like(len: usize) -> Vec<u8> {
    let mut state = 0x1234_5678_u32;
    let mut data = Vec::with_capacity(len);
    while data.len() < len {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let word = state.to_le_bytes();
        // Every other word is one of few, like opcodes and zeros between addresses.
        data.extend(word);
        data.extend([word[0] & 3, 0, 0x13, word[1] & 1]);
    }
    data.truncate(len);
    data
}
