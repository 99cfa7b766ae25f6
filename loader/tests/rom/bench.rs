//! An emulated board as a transport, and what tests do with it.

use larch_emulator::{Board, Config, Rom, Wiring};
use larch_image::packages;
use larch_loader::transport::{Lines, Transport};
use larch_loader::{Before, Error, Event, Loader, Options};
use std::cell::{RefCell, RefMut};
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// What a person at the desk does.
type Deed = Box<dyn FnOnce(&mut Board)>;

/// A board that a test and a loader share.
#[derive(Clone)]
pub struct Bench {
    board: Rc<RefCell<Board>>,
    plan: Rc<RefCell<Vec<(Duration, Deed)>>>,
    /// The adapter garbles what comes faster than this.
    pub adapter_limit: Rc<std::cell::Cell<u32>>,
    events: Rc<RefCell<Vec<String>>>,
}

/// The board's serial port, and the person beside it.
struct Port {
    board: Rc<RefCell<Board>>,
    plan: Rc<RefCell<Vec<(Duration, Deed)>>>,
    limit: Rc<std::cell::Cell<u32>>,
    baud: u32,
}

impl Port {
    /// Does what the person had planned for moments that have come.
    fn live(&self) {
        loop {
            let now = self.board.borrow().now();
            let mut plan = self.plan.borrow_mut();
            let Some(due) = plan.iter().position(|(at, _)| *at <= now) else { return };
            let (_, deed) = plan.remove(due);
            drop(plan);
            deed(&mut self.board.borrow_mut());
        }
    }
}

impl Transport for Port {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.live();
        let count = self.board.borrow_mut().read(buf, timeout)?;
        if self.baud > self.limit.get() {
            buf[..count].iter_mut().for_each(|byte| *byte ^= 0x40);
        }
        Ok(count)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.board.borrow_mut().write_all(bytes)
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.baud = baud;
        self.board.borrow_mut().set_baud(baud);
        Ok(())
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.board.borrow_mut().set_lines(lines.dtr, lines.rts);
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.board.borrow_mut().take_output();
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        self.board.borrow_mut().sleep(duration);
        self.live();
    }

    fn now(&self) -> Duration {
        self.board.borrow().now()
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
        Self {
            board: Rc::new(RefCell::new(board)),
            plan: Rc::default(),
            adapter_limit: Rc::new(std::cell::Cell::new(u32::MAX)),
            events: Rc::default(),
        }
    }

    pub fn board(&self) -> RefMut<'_, Board> {
        self.board.borrow_mut()
    }

    pub fn port(&self) -> Box<dyn Transport> {
        let (board, plan) = (self.board.clone(), self.plan.clone());
        Box::new(Port { board, plan, limit: self.adapter_limit.clone(), baud: 115_200 })
    }

    /// The person will do this so much later.
    pub fn person(&self, seconds: f64, deed: impl FnOnce(&mut Board) + 'static) {
        let at = self.board.borrow().now() + Duration::from_secs_f64(seconds);
        self.plan.borrow_mut().push((at, Box::new(deed)));
    }

    /// What the person was told, in order.
    pub fn told(&self) -> Vec<String> {
        let events = self.events.borrow();
        events.iter().filter_map(|event| event.strip_prefix("Waiting: ")).map(str::to_owned).collect()
    }

    /// Connects as the command does.
    pub fn connect(&self, options: &Options) -> Result<Loader<'static>, Error> {
        let events = self.events.clone();
        let observer = move |event: &Event<'_>| match event {
            Event::Progress { .. } => {}
            Event::Waiting(diagnosis) => {
                let text = format!("Waiting: {}; {}", diagnosis.finding(), diagnosis.advice());
                events.borrow_mut().push(text);
            }
            other => events.borrow_mut().push(format!("{other:?}")),
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
