//! An emulated board with an emulated probe at it, and `larch-probe` at the other end of the wire, started as xtask does.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hil_tests::lab::target_directory;
pub use hil_tests::probe::elf;
use hil_tests::probe::{self, Connection, Event};
use hil_tests::target::rtt::selector_of;
use larch_boards::Probe as Wanted;
use larch_emulator::mcu::{AnyBoard as _, McuBoard, Soc};
use larch_emulator::probe::serve::Served;
use larch_emulator::probe::{SwdFaults, Target as _};
use larch_emulator::{nrf52840, stm32f405};

/// Where the chip's flash begins.
pub const FLASH: u32 = 0x0800_0000;

/// The program under test.
pub fn larch_probe() -> PathBuf {
    probe::program(&target_directory())
}

/// A desk with an STM32F405.
pub type Desk = DeskWith<stm32f405::Soc>;
/// A desk with an nRF52840.
pub type NrfDesk = DeskWith<nrf52840::Soc>;

/// The board, and the wire's faults.
pub struct DeskWith<S> {
    pub board: McuBoard<S>,
    pub faults: SwdFaults,
    /// What the program told last.
    pub events: Vec<Event>,
    /// Transfers on the wire, last.
    pub transfers: u64,
    /// How long the program may say nothing.
    pub patience: Duration,
    directory: tempfile::TempDir,
}

impl<S: Soc> DeskWith<S> {
    /// A board with blank flash that is switched on.
    pub fn new() -> Self {
        let mut board = McuBoard::new(false);
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
            self.with_probe(wanted, &mut |probe| probe.flash(elf, &mut |event| events.push(event.clone())));
        self.events = events;
        outcome
    }

    /// Looks whether the board could be flashed.
    pub fn check(&mut self) -> Result<String, String> {
        self.with_probe(&wanted(), &mut |probe| probe.check())
    }

    /// Opens a terminal over RTT.
    pub fn terminal(&mut self, elf: &Path) -> Result<(), String> {
        self.with_probe(&wanted(), &mut |probe| probe.terminal(Some(elf)).map(|_| ()))
    }

    /// The probe is served while something is done with it.
    fn with_probe<T>(
        &mut self,
        wanted: &Wanted,
        work: &mut dyn FnMut(&Connection<'_>) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut board = std::mem::replace(&mut self.board, McuBoard::new(false));
        board.discard_output();
        let served = Served::start(board, self.faults.clone()).expect("a port");
        let (program, selector) = (&larch_probe(), &selector_of(served.address()));
        let outcome =
            work(&Connection { program, wanted, selector: Some(selector), patience: self.patience });
        (self.board, self.transfers) = served.stop().expect("the server");
        outcome
    }

    /// Flashes an ELF file through another probe than the board's.
    pub fn flash_through(&self, selector: &str, elf: &Path) -> Result<u64, String> {
        let probe = Connection {
            program: &larch_probe(),
            wanted: &wanted(),
            selector: Some(selector),
            patience: self.patience,
        };
        probe.flash(elf, &mut |_| {})
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

/// What `boards.yaml` says of the nRF52840.
pub fn nrf_wanted() -> Wanted {
    Wanted { chip: "nRF52840_xxAA".into(), chip_erase: true, ..wanted() }
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

/// The same for an nRF52840: writes registers, then a text to UART0, and stays.
const NRF_CODE: [u16; 18] = [
    0xa40a, // adr r4, table
    0xcc03, // next: ldm r4!, {r0, r1}
    0xb108, // cbz r0, talk
    0x6001, // str r1, [r0]
    0xe7fb, // b next
    0x4a06, // talk: ldr r2, txd
    0x4b06, // ldr r3, txdrdy
    0x7820, // again: ldrb r0, [r4]
    0x3401, // adds r4, #1
    0xb130, // cbz r0, stay
    0x6010, // str r0, [r2]
    0x6819, // wait: ldr r1, [r3]
    0x07c9, // lsls r1, r1, #31
    0xd5fc, // bpl wait
    0x2100, // movs r1, #0
    0x6019, // str r1, [r3]
    0xe7f5, // b again
    0xe7fe, // stay: b stay
];
const UART0: u32 = 0x4000_2000;
/// PSEL.TXD, BAUDRATE (115200), ENABLE, TASKS_STARTTX.
const NRF_TABLE: [(u32, u32); 5] =
    [(UART0 + 0x50c, 6), (UART0 + 0x524, 0x01d7_e000), (UART0 + 0x500, 4), (UART0 + 0x008, 1), (0, 0)];

/// A program for the nRF52840 that says `text`.
pub fn nrf_program(text: &str) -> Vec<u8> {
    let mut words = vec![0x2001_0000, 8 + 1];
    words.extend(
        NRF_CODE.as_chunks::<2>().0.iter().map(|[low, high]| u32::from(*high) << 16 | u32::from(*low)),
    );
    words.extend([UART0 + 0x51c, UART0 + 0x11c]);
    words.extend(NRF_TABLE.iter().flat_map(|&(address, value)| [address, value]));
    let mut bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.extend(text.bytes().chain([0]));
    bytes
}
