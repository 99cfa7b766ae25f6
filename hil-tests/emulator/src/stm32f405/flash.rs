//! The flash memory and its interface. Source: RM0090 chapter 3.
//!
//! Programming clears bits and never sets one; erasing sets all of a sector. An operation has its result at once and is busy for
//! as long as the data sheet says; a program sees the end, as the chip stalls code that runs from flash meanwhile.

use super::ticks;
use crate::mcu::FlashFaults;
use crate::registers::Registers;
use crate::time::Ticks;
use std::ops::Range;
use std::time::Duration;

/// Base address of the registers.
pub const BASE: u32 = 0x4002_3c00;
const ACR: u32 = 0x00;
const KEYR: u32 = 0x04;
const OPTKEYR: u32 = 0x08;
const SR: u32 = 0x0c;
const CR: u32 = 0x10;
const OPTCR: u32 = 0x14;
/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[ACR, KEYR, OPTKEYR, SR, CR, OPTCR];

/// Bytes.
pub const FLASH_SIZE: usize = 1024 * 1024;
const KEYS: [u32; 2] = [0x4567_0123, 0xcdef_89ab];
const OPTION_KEYS: [u32; 2] = [0x0819_2a3b, 0x4c5d_6e7f];

const EOP: u32 = 1;
const OPERR: u32 = 1 << 1;
const WRPERR: u32 = 1 << 4;
const PGPERR: u32 = 1 << 6;
const PGSERR: u32 = 1 << 7;
const BSY: u32 = 1 << 16;

const PG: u32 = 1;
const SER: u32 = 1 << 1;
const MER: u32 = 1 << 2;
const STRT: u32 = 1 << 16;
const EOPIE: u32 = 1 << 24;
const LOCK: u32 = 1 << 31;
const OPTLOCK: u32 = 1;
const OPTSTRT: u32 = 1 << 1;
/// OPTCR after reset of a chip whose options are the factory's: no protection.
const OPTIONS: u32 = 0x0fff_aaed;
/// The byte RDP in it: this is level 0, 0xcc would be level 2, and any other level 1.
const RDP: u32 = 0xff00;
const READABLE: u32 = 0xaa00;
const LEVEL_1: u32 = 0x5500;

/// Typical times at 3.3 V and a parallelism of 32 bits (DS8626, table 43).
const PROGRAM: Duration = Duration::from_micros(16);
const MASS_ERASE: Duration = Duration::from_secs(8);

/// The bytes of a sector, if there is one of that number.
#[must_use]
pub fn sector(number: usize) -> Option<Range<usize>> {
    const KB: usize = 1024;
    match number {
        0..=3 => Some(number * 16 * KB..(number + 1) * 16 * KB),
        4 => Some(64 * KB..128 * KB),
        5..=11 => Some((number - 4) * 128 * KB..(number - 3) * 128 * KB),
        _ => None,
    }
}

/// The sector that a byte of the flash is in.
#[must_use]
pub fn sector_of(offset: usize) -> Option<usize> {
    (0..12).find(|&number| sector(number).is_some_and(|range| range.contains(&offset)))
}

fn erase_time(sector: &Range<usize>) -> Duration {
    Duration::from_millis(match sector.len() >> 10 {
        16 => 250,
        64 => 550,
        _ => 1000,
    })
}

/// How far a sequence of two keys has come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Unlock {
    #[default]
    Locked,
    FirstKey,
    Open,
    /// A wrong key: locked until reset.
    Barred,
}

impl Unlock {
    fn key(self, value: u32, keys: [u32; 2]) -> Self {
        match self {
            Self::Locked if value == keys[0] => Self::FirstKey,
            Self::FirstKey if value == keys[1] => Self::Open,
            Self::Open => Self::Open,
            _ => Self::Barred,
        }
    }
}

/// The flash.
#[derive(Clone)]
pub struct Flash {
    bytes: Vec<u8>,
    control: Unlock,
    options: Unlock,
    /// The option bytes, as OPTCR shows them after a reset.
    option_bytes: u32,
    /// A debugger has been seen since power came.
    debugged: bool,
    busy_until: Ticks,
    changed: Option<Range<u32>>,
    /// Something has changed since somebody kept it.
    pub(super) is_changed: bool,
    power_failed: bool,
    /// Faults to inject.
    pub faults: FlashFaults,
}

impl Flash {
    /// Blank flash.
    pub fn new() -> Self {
        Self {
            bytes: vec![0xff; FLASH_SIZE],
            control: Unlock::default(),
            options: Unlock::default(),
            option_bytes: OPTIONS,
            debugged: false,
            busy_until: 0,
            changed: None,
            is_changed: false,
            power_failed: false,
            faults: FlashFaults::default(),
        }
    }

    /// What it holds.
    pub fn contents(&self) -> &[u8] {
        &self.bytes
    }

    /// Puts contents at an offset.
    pub fn load(&mut self, offset: usize, contents: &[u8]) {
        self.bytes[offset..offset + contents.len()].copy_from_slice(contents);
    }

    /// Locks everything, as a reset does.
    pub fn reset(&mut self) {
        (self.control, self.options, self.busy_until) = (Unlock::default(), Unlock::default(), 0);
    }

    /// Offsets that changed since the last call.
    pub fn take_changed(&mut self) -> Option<Range<u32>> {
        self.changed.take()
    }

    fn note_change(&mut self, range: Range<usize>) {
        self.is_changed = true;
        let (start, end) = (range.start as u32, range.end as u32);
        self.changed = Some(match self.changed.take() {
            Some(before) => before.start.min(start)..before.end.max(end),
            None => start..end,
        });
    }

    /// Reads a register.
    pub fn read(&self, registers: &Registers, offset: u32, now: Ticks) -> u32 {
        let stored = registers.get(BASE + offset);
        match offset {
            KEYR | OPTKEYR => 0,
            SR if now < self.busy_until => stored | BSY,
            CR if self.control == Unlock::Open => stored & !LOCK,
            CR => stored | LOCK,
            OPTCR if self.options == Unlock::Open => stored & !OPTLOCK,
            OPTCR => stored | OPTLOCK,
            _ => stored,
        }
    }

    /// Writes a register.
    pub fn write(&mut self, registers: &mut Registers, offset: u32, value: u32, now: Ticks) {
        match offset {
            ACR => registers.set(BASE + ACR, value),
            KEYR => self.control = self.control.key(value, KEYS),
            OPTKEYR => self.options = self.options.key(value, OPTION_KEYS),
            SR => registers.modify(BASE + SR, |status| status & !value),
            CR if self.control == Unlock::Open => {
                registers.set(BASE + CR, value & !(STRT | LOCK));
                if value & LOCK != 0 {
                    self.control = Unlock::Locked;
                }
                if value & STRT != 0 {
                    self.erase(registers, value, now);
                }
            }
            OPTCR if self.options == Unlock::Open => {
                registers.set(BASE + OPTCR, value & !OPTSTRT);
                if value & OPTLOCK != 0 {
                    self.options = Unlock::Locked;
                }
                if value & OPTSTRT != 0 {
                    self.program_options(value & !(OPTSTRT | OPTLOCK), now);
                }
            }
            CR | OPTCR => {
                tracing::warn!("FLASH: write of {value:#x} to offset {offset:#x} while it is locked")
            }
            _ => {}
        }
    }

    /// Programs the option bytes. Who ends the protection against reading loses what was protected.
    fn program_options(&mut self, value: u32, now: Ticks) {
        let was_protected = self.option_bytes & RDP != READABLE;
        self.option_bytes = self.option_bytes & OPTLOCK | value;
        self.busy_until = now + ticks(PROGRAM);
        if was_protected && value & RDP == READABLE {
            self.bytes.fill(0xff);
            self.note_change(0..FLASH_SIZE);
            self.busy_until = now + ticks(MASS_ERASE);
        }
    }

    /// Sets the protection against reading to level 1, as somebody did who shipped the board. (Level 2 is not modelled.)
    pub fn protect_reading(&mut self) {
        self.option_bytes = self.option_bytes & !RDP | LEVEL_1;
    }

    /// Power came (no debugger was there yet), or a debugger comes.
    pub fn set_debugged(&mut self, debugged: bool) {
        self.debugged = debugged;
    }

    /// Level 1: nothing reads, erases or programs the flash once a debugger was there (RM0090 3.7.3).
    pub fn is_barred(&self) -> bool {
        self.debugged && self.option_bytes & RDP != READABLE
    }

    fn is_protected(&self, registers: &Registers, number: usize) -> bool {
        self.is_barred()
            || self.faults.protected.contains(&number)
            || registers.get(BASE + OPTCR) >> (16 + number) & 1 == 0
    }

    /// The part of what an operation changes that it gets done: all of it, unless the power fails meanwhile.
    fn done(&mut self, range: Range<usize>) -> Range<usize> {
        if !self.faults.cuts_power() {
            return range;
        }
        self.power_failed = true;
        range.start..range.start + range.len() / 2
    }

    /// Whether the power has failed since the last call.
    pub fn take_power_failure(&mut self) -> bool {
        std::mem::take(&mut self.power_failed)
    }

    /// Whether the power has failed.
    pub fn power_fails(&self) -> bool {
        self.power_failed
    }

    fn complain(registers: &mut Registers, error: u32) {
        registers.modify(BASE + SR, |status| status | error);
    }

    fn finish(&mut self, registers: &mut Registers, control: u32, time: Duration, now: Ticks) {
        self.busy_until = now + ticks(time);
        if control & EOPIE != 0 {
            registers.modify(BASE + SR, |status| status | EOP);
        }
    }

    fn erase(&mut self, registers: &mut Registers, control: u32, now: Ticks) {
        let number = (control >> 3 & 15) as usize;
        let (ranges, time) = match (control & MER != 0, control & SER != 0) {
            (true, _) => ((0..12).collect::<Vec<_>>(), MASS_ERASE),
            (_, true) if number < 12 => {
                let time = sector(number).as_ref().map_or(Duration::ZERO, erase_time);
                (vec![number], time)
            }
            _ => return Self::complain(registers, PGSERR),
        };
        if ranges.iter().any(|&number| self.is_protected(registers, number)) {
            return Self::complain(registers, WRPERR);
        }
        if self.faults.fails() {
            return Self::complain(registers, OPERR);
        }
        for range in ranges.into_iter().filter_map(sector) {
            let range = self.done(range);
            self.bytes[range.clone()].fill(0xff);
            self.note_change(range);
        }
        self.finish(registers, control, time, now);
    }

    /// The program stores to the flash at this offset.
    pub fn program(&mut self, registers: &mut Registers, offset: usize, size: u32, value: u32, now: Ticks) {
        let control = registers.get(BASE + CR);
        let parallelism = 1 << (control >> 8 & 3);
        let error = if self.control != Unlock::Open || control & PG == 0 {
            PGSERR
        } else if size != parallelism {
            PGPERR
        } else if sector_of(offset).is_none_or(|number| self.is_protected(registers, number)) {
            WRPERR
        } else if self.faults.fails() {
            OPERR
        } else {
            0
        };
        if error != 0 {
            return Self::complain(registers, error);
        }
        let range = self.done(offset..offset + size as usize);
        for (byte, new) in self.bytes[range.clone()].iter_mut().zip(value.to_le_bytes()) {
            *byte &= new;
        }
        self.note_change(range);
        self.finish(registers, control, PROGRAM, now);
    }

    /// When what is going on will be over.
    pub fn next_event(&self, now: Ticks) -> Option<Ticks> {
        (self.busy_until > now).then_some(self.busy_until)
    }

    /// A reset loads the option bytes into their register.
    pub fn set_up(&self, registers: &mut Registers) {
        registers.set(BASE + OPTCR, self.option_bytes);
    }
}
