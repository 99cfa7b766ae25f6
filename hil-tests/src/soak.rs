//! The loader on a bad line: an emulated board is flashed again and again while bytes are damaged, lost and doubled, the
//! line stalls, the chip is reset and its power cut, at any byte in either direction.
//!
//! Invariants: a run follows from its seed alone; all time is simulated; what the loader reports is compared with what is
//! in flash, inside and outside the image.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use larch_image::packages;
use larch_loader::flash::WriteOptions;
use larch_loader::transport::{Lines, Transport};
use larch_loader::{Before, Blob, Error, Event, Loader, Options, Stub};

use crate::target::emulated::Emulated;

/// Where images go.
const OFFSET: usize = 0x1_0000;
/// Bytes of flash around the image that must not change.
const GUARD: usize = 0x8000;
/// Most faults in one flash.
const MOST_FAULTS: u64 = 6;

/// What happens to the line or the board at some byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Bits of the byte are inverted.
    Flip(u8),
    /// The byte never arrives.
    Drop,
    /// The byte arrives twice.
    Double,
    /// Nothing passes for so many milliseconds.
    Stall(u32),
    /// Somebody presses RESET.
    Reset,
    /// Power fails for so many milliseconds.
    PowerCut(u32),
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::Flip(_) => "bit flips",
            Self::Drop => "drops",
            Self::Double => "duplicates",
            Self::Stall(_) => "stalls",
            Self::Reset => "resets",
            Self::PowerCut(_) => "power cuts",
        }
    }
}

/// A small generator (xorshift), so that a failure is repeated by its seed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as this seed says.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678) | 1)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn fault(&mut self) -> Fault {
        match self.below(12) {
            0..=3 => Fault::Flip(1 << self.below(8)),
            4 | 5 => Fault::Drop,
            6 | 7 => Fault::Double,
            8 | 9 => Fault::Stall(u32::try_from(20 + self.below(1500)).unwrap_or(20)),
            10 => Fault::Reset,
            _ => Fault::PowerCut(u32::try_from(100 + self.below(1500)).unwrap_or(100)),
        }
    }
}

/// Faults by the number of the byte at which they strike, sorted.
type Plan = VecDeque<(u64, Fault)>;

/// The serial port of an emulated board with faults on both ways.
struct BadLine<'a> {
    board: &'a mut Emulated,
    to_chip: Plan,
    from_chip: Plan,
    sent: u64,
    received: u64,
    /// Received, and held back by a stall.
    held: VecDeque<u8>,
    held_until: Duration,
    power_back: Option<Duration>,
}

impl BadLine<'_> {
    /// Switches the power on again when its time has come.
    fn live(&mut self) {
        if self.power_back.is_some_and(|at| at <= self.board.now()) {
            self.power_back = None;
            self.board.board().power_on();
        }
    }

    fn due(plan: &mut Plan, at: u64) -> Option<Fault> {
        plan.pop_front_if(|(planned, _)| *planned <= at).map(|(_, fault)| fault)
    }

    /// What strikes the board itself.
    fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::Reset if self.power_back.is_none() => self.board.board().press_reset(),
            Fault::PowerCut(ms) if self.power_back.is_none() => {
                self.board.board().power_off();
                self.power_back = Some(self.board.now() + Duration::from_millis(ms.into()));
            }
            _ => {}
        }
    }
}

impl Transport for BadLine<'_> {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.live();
        let deadline = self.now() + timeout;
        if self.held.is_empty() {
            let until = self.power_back.map_or(deadline, |back| back.min(deadline));
            let mut raw = [0; 256];
            let room = raw.len().min(buf.len() / 2).max(1);
            let count = self.board.read(&mut raw[..room], until.saturating_sub(self.now()))?;
            for &byte in &raw[..count] {
                self.received += 1;
                match Self::due(&mut self.from_chip, self.received) {
                    None => self.held.push_back(byte),
                    Some(Fault::Flip(bits)) => self.held.push_back(byte ^ bits),
                    Some(Fault::Drop) => {}
                    Some(Fault::Double) => self.held.extend([byte, byte]),
                    Some(Fault::Stall(ms)) => {
                        self.held.push_back(byte);
                        self.held_until = self.now() + Duration::from_millis(ms.into());
                    }
                    Some(fault) => {
                        self.held.push_back(byte);
                        self.strike(fault);
                    }
                }
            }
        }
        if self.held_until > self.now() {
            let wait = self.held_until.min(deadline).saturating_sub(self.now());
            self.sleep(wait);
            if self.held_until > self.now() {
                return Ok(0);
            }
        }
        self.live();
        let count = buf.len().min(self.held.len());
        for (to, from) in buf.iter_mut().zip(self.held.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut passing = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            self.sent += 1;
            match Self::due(&mut self.to_chip, self.sent) {
                None => passing.push(byte),
                Some(Fault::Flip(bits)) => passing.push(byte ^ bits),
                Some(Fault::Drop) => {}
                Some(Fault::Double) => passing.extend([byte, byte]),
                Some(fault) => {
                    self.board.write_all(&passing)?;
                    passing.clear();
                    match fault {
                        Fault::Stall(ms) => self.sleep(Duration::from_millis(ms.into())),
                        other => self.strike(other),
                    }
                    passing.push(byte);
                }
            }
        }
        self.board.write_all(&passing)?;
        self.live();
        Ok(())
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.board.set_baud(baud)
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.board.set_lines(lines)
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.held.clear();
        self.board.discard_input()
    }

    fn sleep(&mut self, duration: Duration) {
        let end = self.now() + duration;
        if let Some(back) = self.power_back.filter(|back| *back < end) {
            self.board.sleep(back.saturating_sub(self.board.now()));
            self.live();
        }
        self.board.sleep(end.saturating_sub(self.board.now()));
    }

    fn now(&self) -> Duration {
        self.board.now()
    }
}

/// How the board is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The mask ROM at this speed.
    Rom(u32),
    /// Espressif's stub at this speed.
    EspressifStub(u32),
    /// Our own stub at this speed.
    OwnStub(u32),
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rom(baud) => write!(f, "ROM at {baud}"),
            Self::EspressifStub(baud) => write!(f, "Espressif's stub at {baud}"),
            Self::OwnStub(baud) => write!(f, "our stub at {baud}"),
        }
    }
}

/// The ways that runs take in turn.
pub const WAYS: [Way; 6] = [
    Way::Rom(115_200),
    Way::EspressifStub(115_200),
    Way::OwnStub(115_200),
    Way::Rom(460_800),
    Way::EspressifStub(921_600),
    Way::OwnStub(921_600),
];

/// How one flash ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Reported as written, and it is.
    Good,
    /// Reported as written, and it is not.
    Wrong,
    /// An error; the next run, on a good line, succeeded.
    GoodLater(String),
    /// An error, and the next run failed too.
    Lost(String),
}

/// One flash.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What it follows from.
    pub seed: u64,
    /// How the board was talked to.
    pub way: Way,
    /// The faults that struck, in order of their planning.
    pub faults: Vec<Fault>,
    /// How it ended.
    pub ending: Ending,
    /// Retries that the loader reported.
    pub retries: u32,
    /// Bytes of flash outside the image are not what they were: a command that carries no checksum was damaged.
    pub collateral: bool,
    /// Simulated time.
    pub time: Duration,
    /// What the loader told, one event a line.
    pub events: String,
}

/// What is needed for many runs.
pub struct Soak {
    rom: PathBuf,
    stub: Stub,
}

impl Soak {
    /// Finds ROM and stub in the published package.
    ///
    /// # Errors
    /// If the package is not on this machine.
    pub fn new() -> io::Result<Self> {
        let rom = packages::rom_elf("esp32c3", 300).map_err(io::Error::other)?;
        let path = packages::stub("esp32c3").map_err(io::Error::other)?;
        let stub = Stub::parse(&std::fs::read_to_string(path)?).map_err(io::Error::other)?;
        Ok(Self { rom, stub })
    }

    /// The ROM file.
    #[must_use]
    pub fn rom(&self) -> &Path {
        &self.rom
    }

    /// One flash of `size` bytes with the faults of this seed.
    ///
    /// # Errors
    /// If the ROM file cannot be read.
    pub fn run(&self, seed: u64, size: usize) -> io::Result<Outcome> {
        let mut dice = Dice::new(seed);
        let way = WAYS[usize::try_from(seed).unwrap_or(0) % WAYS.len()];
        let data = firmware_like(size, dice.below(1 << 30));
        let mut board = Emulated::new(&self.rom, false)?;
        board.board().chip_mut().load_flash(OFFSET - GUARD, &[0x5A; GUARD]);
        let behind = OFFSET + size.next_multiple_of(0x1000);
        board.board().chip_mut().load_flash(behind, &[0xA5; GUARD]);
        board.board().power_on();
        let (to_chip, from_chip, faults) = plan(&mut dice, size);
        let (mut events, mut retries) = (String::new(), 0);
        let line = BadLine {
            board: &mut board,
            to_chip,
            from_chip,
            sent: 0,
            received: 0,
            held: VecDeque::new(),
            held_until: Duration::ZERO,
            power_back: None,
        };
        let first = self.flash(line, way, &data, |event| {
            retries += u32::from(matches!(event, Event::Retry { .. }));
            if !matches!(event, Event::Progress { .. }) {
                events.push_str(&format!("{event:?}\n"));
            }
        });
        let time = board.board().now();
        let is_written =
            |board: &mut Emulated| board.board().chip().flash_contents()[OFFSET..OFFSET + size] == data[..];
        let written = is_written(&mut board);
        let flash = board.board().chip().flash_contents();
        let collateral = flash[OFFSET - GUARD..OFFSET].iter().any(|&byte| byte != 0x5A)
            || flash[behind..behind + GUARD].iter().any(|&byte| byte != 0xA5);
        let ending = match first {
            Ok(()) if written => Ending::Good,
            Ok(()) => Ending::Wrong,
            Err(error) => {
                let text = format!("{} ({})", error, error.code());
                // What the person does: plug it in again, run the command again.
                board.board().power_on();
                match self.flash(board.line(), way, &data, |_| ()) {
                    Ok(()) if is_written(&mut board) => Ending::GoodLater(text),
                    Ok(()) => Ending::Wrong,
                    Err(again) => Ending::Lost(format!("{text}; then {again}")),
                }
            }
        };
        Ok(Outcome { seed, way, faults, ending, retries, collateral, time, events })
    }

    fn flash<'a>(
        &self,
        line: impl Transport + 'a,
        way: Way,
        data: &[u8],
        observer: impl FnMut(&Event<'_>) + 'a,
    ) -> Result<(), Error> {
        let options = Options { before: Before::default_reset("socket://emulated"), ..Options::default() };
        let mut loader = Loader::connect(Box::new(line), Box::new(observer), &options)?;
        match way {
            Way::Rom(baud) => loader.change_baud(baud)?,
            Way::OwnStub(baud) => {
                loader.run_own_stub()?;
                loader.change_baud(baud)?;
            }
            Way::EspressifStub(baud) => {
                loader.run_stub(&self.stub)?;
                loader.change_baud(baud)?;
            }
        }
        let offset = u32::try_from(OFFSET).unwrap_or(0);
        let blob = Blob { name: "image".to_owned(), offset, data: data.to_vec() };
        loader.write_flash(&[blob], &WriteOptions::default()).map(|_| ())
    }
}

/// Faults on the way to the chip and from it.
fn plan(dice: &mut Dice, size: usize) -> (Plan, Plan, Vec<Fault>) {
    let (mut to_chip, mut from_chip, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    // Bytes that pass in a run without faults, about: firmware deflates to 60 %, a block of 1 KB is answered by 14 bytes.
    let (most_sent, most_received) = (4000 + size as u64 * 6 / 10, 1500 + size as u64 / 100);
    for _ in 0..=dice.below(MOST_FAULTS) {
        let fault = dice.fault();
        faults.push(fault);
        if dice.below(3) == 0 {
            from_chip.push((dice.below(most_received), fault));
        } else {
            to_chip.push((dice.below(most_sent), fault));
        }
    }
    to_chip.sort_by_key(|(at, _)| *at);
    from_chip.sort_by_key(|(at, _)| *at);
    (to_chip.into(), from_chip.into(), faults)
}

/// Data that deflate to about 60 %, as firmware does.
#[must_use]
pub fn firmware_like(len: usize, seed: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let mut data = Vec::with_capacity(len + 8);
    while data.len() < len {
        let word = u32::try_from(dice.below(1 << 32)).unwrap_or(0).to_le_bytes();
        // Every other word is one of few, like opcodes and zeros between addresses.
        data.extend(word);
        data.extend([word[0] & 3, 0, 0x13, word[1] & 1]);
    }
    data.truncate(len);
    // It is no image, so that it is not refused as a damaged one.
    if let Some(first) = data.first_mut() {
        *first = 0x13;
    }
    data
}

/// Counts of many flashes.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Flashes.
    pub flashes: u32,
    /// Reported as written, and were.
    pub good: u32,
    /// Reported as written, and were not. Must stay 0.
    pub wrong: u32,
    /// Ended in an error; the next run succeeded.
    pub good_later: u32,
    /// Ended in an error twice. Must stay 0.
    pub lost: u32,
    /// Changed flash outside the image.
    pub collateral: u32,
    /// Retries of all.
    pub retries: u32,
    /// Simulated time of all.
    pub time: Duration,
    /// How often each fault was planned.
    pub faults: std::collections::BTreeMap<&'static str, u32>,
    /// What was not good, with its seed.
    pub remarks: Vec<String>,
}

impl Tally {
    /// Adds one.
    pub fn add(&mut self, outcome: &Outcome) {
        self.flashes += 1;
        self.retries += outcome.retries;
        self.time += outcome.time;
        self.collateral += u32::from(outcome.collateral);
        for fault in &outcome.faults {
            *self.faults.entry(fault.name()).or_default() += 1;
        }
        let (count, remark) = match &outcome.ending {
            Ending::Good => (&mut self.good, None),
            Ending::Wrong => (&mut self.wrong, Some("reported as written, but is not".to_owned())),
            Ending::GoodLater(error) => (&mut self.good_later, Some(format!("second run needed: {error}"))),
            Ending::Lost(error) => (&mut self.lost, Some(error.clone())),
        };
        *count += 1;
        let (seed, way) = (outcome.seed, outcome.way);
        if let Some(remark) = remark {
            self.remarks.push(format!("seed {seed} ({way}): {remark}"));
        }
        if outcome.collateral {
            self.remarks.push(format!("seed {seed} ({way}): flash outside the image changed"));
        }
    }

    /// Whether the bars hold: nothing wrong reported as good, nothing lost, every survivable case good.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.wrong == 0 && self.lost == 0 && self.good_later == 0
    }
}
