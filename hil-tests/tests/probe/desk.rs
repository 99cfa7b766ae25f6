//! An emulated board with an emulated probe at it, and `larch-probe` at the other end of the wire, started as xtask does.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hil_tests::lab::target_directory;
use hil_tests::probe::{self, Event, Flash};
use larch_boards::Probe as Wanted;
use larch_emulator::probe::{Probe, SwdFaults, serve};
use larch_emulator::stm32f405::Stm32Board;

/// Where the chip's flash begins.
pub const FLASH: u32 = 0x0800_0000;

/// The program under test.
pub fn larch_probe() -> PathBuf {
    probe::program(&target_directory())
}

/// The board, and the wire's faults.
pub struct Desk {
    pub board: Stm32Board,
    pub faults: SwdFaults,
    /// What the program told last.
    pub events: Vec<Event>,
    /// Transfers on the wire, last.
    pub transfers: u64,
    /// How long the program may say nothing.
    pub patience: Duration,
    directory: tempfile::TempDir,
}

impl Desk {
    /// A board with blank flash that is switched on.
    pub fn new() -> Self {
        let mut board = Stm32Board::new(false);
        board.power_on();
        let directory = tempfile::tempdir().expect("a directory");
        Self {
            board,
            faults: SwdFaults::default(),
            events: Vec::new(),
            transfers: 0,
            patience: probe::PATIENCE,
            directory,
        }
    }

    /// A file with these bytes.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    }

    /// Flashes an ELF file.
    pub fn flash(&mut self, elf: &Path) -> Result<u64, String> {
        self.flash_as(&wanted(), elf)
    }

    /// Flashes an ELF file as this says.
    pub fn flash_as(&mut self, wanted: &Wanted, elf: &Path) -> Result<u64, String> {
        let mut events = Vec::new();
        let outcome =
            self.with_probe(wanted, &mut |flash| flash.run(elf, &mut |event| events.push(event.clone())));
        self.events = events;
        outcome
    }

    /// Looks whether the board could be flashed.
    pub fn check(&mut self) -> Result<String, String> {
        self.with_probe(&wanted(), &mut |flash| flash.check())
    }

    /// The probe is served while something is done with it.
    fn with_probe<T>(
        &mut self,
        wanted: &Wanted,
        work: &mut dyn FnMut(&Flash<'_>) -> Result<T, String>,
    ) -> Result<T, String> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let selector = format!("20b7:9db1:tcp:127.0.0.1:{port}");
        let stop = AtomicBool::new(false);
        let mut probe = Probe::new(self.faults.clone());
        let board = &mut self.board;
        board.discard_output();
        let outcome = thread::scope(|scope| {
            let server = scope.spawn(|| serve::serve(&mut probe, board, &listener, &stop));
            let (program, selector, patience) = (&larch_probe(), Some(selector.as_str()), self.patience);
            let outcome = work(&Flash { program, wanted, selector, patience });
            stop.store(true, Ordering::Relaxed);
            server.join().expect("the server").expect("the listener");
            outcome
        });
        self.transfers = probe.transfers();
        outcome
    }

    /// Flashes an ELF file through another probe than the board's.
    pub fn flash_through(&self, selector: &str, elf: &Path) -> Result<u64, String> {
        let flash = Flash {
            program: &larch_probe(),
            wanted: &wanted(),
            selector: Some(selector),
            patience: self.patience,
        };
        flash.run(elf, &mut |_| {})
    }

    /// What the board says within this time.
    pub fn listen(&mut self, time: Duration) -> String {
        let until = self.board.now() + time;
        let mut heard = Vec::new();
        let mut buffer = [0; 256];
        while self.board.now() < until {
            let left = until - self.board.now();
            let count = self.board.read(&mut buffer, left).expect("a chip that runs");
            heard.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8_lossy(&heard).into_owned()
    }
}

/// What `boards.yaml` says of the board.
pub fn wanted() -> Wanted {
    Wanted {
        chip: "STM32F405RGTx".into(),
        selector: None,
        speed_khz: None,
        connect_under_reset: false,
        chip_erase: false,
    }
}

/// Writes registers, then a text to USART1, and stays. By hand, because there is no assembler here.
const CODE: [u16; 16] = [
    0xa408, // adr r4, table
    0xcc03, // next: ldm r4!, {r0, r1}
    0xb108, // cbz r0, talk
    0x6001, // str r1, [r0]
    0xe7fb, // b next
    0x4a05, // talk: ldr r2, usart1
    0x7820, // again: ldrb r0, [r4]
    0x3401, // adds r4, #1
    0xb120, // cbz r0, stay
    0x6811, // wait: ldr r1, [r2]        SR
    0x0609, // lsls r1, r1, #24          TXE
    0xd5fc, // bpl wait
    0x6050, // str r0, [r2, #4]          DR
    0xe7f7, // b again
    0xe7fe, // stay: b stay
    0xbf00, // nop
];
const USART1: u32 = 0x4001_1000;
const RCC: u32 = 0x4002_3800;
const GPIOA: u32 = 0x4002_0000;
/// What MODER of port A is after a reset, with PA9 given to a peripheral; and the bits of the debug port's two pins in it.
const PINS: u32 = 0xa800_0000 | 2 << 18;
const DEBUG_PINS: u32 = 0xf << 26;
/// Clocks on, PA9 to USART1, 115200 baud at 16 MHz, transmitter on.
const TABLE: [(u32, u32); 7] = [
    (RCC + 0x30, 1),
    (RCC + 0x44, 1 << 4),
    (GPIOA + 0x24, 7 << 4),
    (GPIOA, PINS),
    (USART1 + 0x08, 139),
    (USART1 + 0x0c, 1 << 13 | 1 << 3),
    (0, 0),
];

/// A program that says `text`, `size` bytes long: what is behind it is never the same byte for long.
pub fn program(text: &str, size: usize) -> Vec<u8> {
    with_pins(text, size, PINS)
}

/// The same; it also takes the pins of the debug port.
pub fn program_without_debug_pins(text: &str, size: usize) -> Vec<u8> {
    with_pins(text, size, PINS & !DEBUG_PINS)
}

fn with_pins(text: &str, size: usize, pins: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut words = vec![0x2001_0000, FLASH + 8 + 1];
    words.extend(CODE.as_chunks::<2>().0.iter().map(|[low, high]| u32::from(*high) << 16 | u32::from(*low)));
    words.push(USART1);
    let value_of = |&(address, value)| [address, if address == GPIOA { pins } else { value }];
    words.extend(TABLE.iter().flat_map(value_of));
    words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
    bytes.extend(text.bytes().chain([0]));
    let mut state = 1_u32;
    while bytes.len() < size {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push((state >> 24) as u8);
    }
    bytes
}

/// The simplest ELF file that puts bytes at an address: one segment, and its section, without which probe-rs passes it over.
pub fn elf(address: u32, bytes: &[u8]) -> Vec<u8> {
    const NAMES: &[u8] = b"\0.text\0.names\0";
    const HEADER: u32 = 52;
    const SEGMENT: u32 = 32;
    const SECTION: u32 = 40;
    let size = u32::try_from(bytes.len()).expect("a program for a small chip");
    let names = u32::try_from(NAMES.len()).expect("a few");
    let (start, end) = (HEADER + SEGMENT, HEADER + SEGMENT + size);
    let mut file = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // An executable for Arm; entry, segments, sections, EABI 5; sizes and counts.
    [2_u16, 40].iter().for_each(|half| file.extend(half.to_le_bytes()));
    [1, address + 9, HEADER, end + names, 0x0500_0000]
        .iter()
        .for_each(|word| file.extend(word.to_le_bytes()));
    [HEADER, SEGMENT, 1, SECTION, 3, 2].iter().for_each(|&half| file.extend((half as u16).to_le_bytes()));
    let segment = [1, start, address, address, size, size, 5, 4];
    segment.iter().for_each(|word| file.extend(word.to_le_bytes()));
    file.extend(bytes);
    file.extend(NAMES);
    let text = [1, 1, 6, address, start, size, 0, 0, 4, 0];
    let names = [7, 3, 0, 0, end, names, 0, 0, 1, 0];
    [[0; 10], text, names].as_flattened().iter().for_each(|word: &u32| file.extend(word.to_le_bytes()));
    file
}
