//! The flash, the page of options behind it (UICR), and their controller. Source: PS chapters 4.3 (NVMC), 4.5 (UICR).
//!
//! Programming clears bits and never sets one, words only; erasing sets all of a page. An operation has its result at once and is busy
//! for as long as the manual says.

use super::TICKS_PER_SECOND;
use crate::mcu::FlashFaults;
use crate::time::Ticks;
use std::ops::Range;

/// Base address of the registers.
pub const BASE: u32 = 0x4001_e000;
const READY: u32 = 0x400;
const READYNEXT: u32 = 0x408;
const CONFIG: u32 = 0x504;
const ERASEPAGE: u32 = 0x508;
const ERASEALL: u32 = 0x50c;
const ERASEUICR: u32 = 0x514;
/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[READY, READYNEXT, CONFIG, ERASEPAGE, ERASEALL, ERASEUICR];

/// Bytes of the flash, without UICR.
pub const FLASH_SIZE: usize = 1024 * 1024;
/// Bytes of a page.
pub const PAGE: usize = 4096;
/// Where UICR is in [`Nvmc::contents`].
const UICR: Range<usize> = FLASH_SIZE..FLASH_SIZE + PAGE;
/// UICR.APPROTECT, and its value that the access port is not protected.
const APPROTECT: usize = FLASH_SIZE + 0x208;
const HW_DISABLED: u8 = 0x5a;
/// UICR.PSELRESET, twice, and the pin that can be given there.
const PSELRESET: Range<usize> = FLASH_SIZE + 0x200..FLASH_SIZE + 0x208;
const RESET_PIN: [u8; 8] = [18, 0, 0, 0, 18, 0, 0, 0];

/// CONFIG: what stores to the flash do.
const WRITE: u32 = 1;
const ERASE: u32 = 2;

const PROGRAM_TIME: Ticks = TICKS_PER_SECOND * 41 / 1_000_000;
const PAGE_TIME: Ticks = TICKS_PER_SECOND * 85 / 1000;
const ALL_TIME: Ticks = TICKS_PER_SECOND * 169 / 1000;

/// The flash.
#[derive(Clone)]
pub struct Nvmc {
    bytes: Vec<u8>,
    config: u32,
    busy_until: Ticks,
    changed: Option<Range<u32>>,
    /// Something has changed since somebody kept it.
    pub(super) is_changed: bool,
    power_failed: bool,
    /// Faults to inject. The chip reports none: what did not work is seen when it is read.
    pub faults: FlashFaults,
}

impl Nvmc {
    /// Blank flash.
    pub fn new() -> Self {
        Self {
            bytes: vec![0xff; UICR.end],
            config: 0,
            busy_until: 0,
            changed: None,
            is_changed: false,
            power_failed: false,
            faults: FlashFaults::default(),
        }
    }

    /// What it holds: the flash, then UICR.
    pub fn contents(&self) -> &[u8] {
        &self.bytes
    }

    /// UICR.
    pub fn uicr(&self) -> &[u8] {
        &self.bytes[UICR]
    }

    /// Puts contents at an offset.
    pub fn load(&mut self, offset: usize, contents: &[u8]) {
        self.bytes[offset..offset + contents.len()].copy_from_slice(contents);
    }

    /// What a reset does.
    pub fn reset(&mut self) {
        (self.config, self.busy_until) = (0, 0);
    }

    /// Whether UICR leaves it to the program to open the access port.
    pub fn lets_debug(&self) -> bool {
        self.bytes[APPROTECT] == HW_DISABLED
    }

    /// Whether UICR makes P0.18 the reset pin.
    pub fn has_reset_pin(&self) -> bool {
        self.bytes[PSELRESET] == RESET_PIN
    }

    /// Offsets in the flash that changed since the last call.
    pub fn take_changed(&mut self) -> Option<Range<u32>> {
        self.changed.take()
    }

    fn note_change(&mut self, range: &Range<usize>) {
        self.is_changed = true;
        let (start, end) = (range.start as u32, range.end as u32);
        self.changed = Some(match self.changed.take() {
            Some(before) => before.start.min(start)..before.end.max(end),
            None => start..end,
        });
    }

    /// Whether the power has failed since the last call.
    pub fn take_power_failure(&mut self) -> bool {
        std::mem::take(&mut self.power_failed)
    }

    /// Whether the power has failed.
    pub fn power_fails(&self) -> bool {
        self.power_failed
    }

    /// Whether an operation goes on.
    pub fn is_busy(&self, now: Ticks) -> bool {
        now < self.busy_until
    }

    /// Reads a register that has behaviour.
    pub fn read(&self, offset: u32, now: Ticks) -> u32 {
        match offset {
            READY | READYNEXT => u32::from(!self.is_busy(now)),
            CONFIG => self.config,
            _ => 0,
        }
    }

    /// Writes a register that has behaviour.
    pub fn write(&mut self, offset: u32, value: u32, now: Ticks) {
        match offset {
            CONFIG => self.config = value & 7,
            ERASEPAGE | ERASEALL | ERASEUICR if self.config != ERASE => {
                tracing::warn!("NVMC: an erasure (offset {offset:#x}) while CONFIG is {}", self.config);
            }
            ERASEPAGE if (value as usize) < FLASH_SIZE => {
                let start = value as usize / PAGE * PAGE;
                self.erase(start..start + PAGE, now + PAGE_TIME);
            }
            ERASEUICR if value == 1 => self.erase(UICR, now + PAGE_TIME),
            ERASEALL if value == 1 => self.erase_all(now),
            _ => {}
        }
    }

    /// Erases flash and UICR.
    pub fn erase_all(&mut self, now: Ticks) {
        self.erase(0..UICR.end, now + ALL_TIME);
    }

    fn erase(&mut self, range: Range<usize>, until: Ticks) {
        let range = self.done(range);
        self.bytes[range.clone()].fill(0xff);
        self.note_change(&range);
        self.busy_until = until;
    }

    /// The part of what an operation changes that it gets done.
    fn done(&mut self, range: Range<usize>) -> Range<usize> {
        let is_protected = self.faults.protected.contains(&(range.start / PAGE));
        if is_protected || self.faults.fails() {
            return range.start..range.start;
        }
        if !self.faults.cuts_power() {
            return range;
        }
        self.power_failed = true;
        range.start..range.start + range.len() / 2
    }

    /// A store to the flash or to UICR. `None` is a bus fault: writing is not enabled, or it is no word.
    pub fn program(&mut self, offset: usize, size: u32, value: u32, now: Ticks) -> Option<()> {
        if self.config != WRITE || size != 4 {
            return None;
        }
        let range = self.done(offset..offset + 4);
        for (byte, new) in self.bytes[range.clone()].iter_mut().zip(value.to_le_bytes()) {
            *byte &= new;
        }
        self.note_change(&range);
        self.busy_until = now + PROGRAM_TIME;
        Some(())
    }

    /// When what is going on will be over.
    pub fn next_event(&self, now: Ticks) -> Option<Ticks> {
        self.is_busy(now).then_some(self.busy_until)
    }
}
