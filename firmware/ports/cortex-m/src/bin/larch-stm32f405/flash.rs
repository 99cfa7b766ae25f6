//! The last four sectors of the flash, for files. Source: RM0090 chapter 3.
//!
//! The chip stalls code in flash while it programs or erases: nothing is received meanwhile but the two bytes that the USART holds.

use core::ptr::with_exposed_provenance;
use core::ptr::with_exposed_provenance_mut;

use larch_cortex_m::mmio;
use larch_hal::BlockError;
use larch_pages::Sectors;

const REGISTERS: usize = 0x4002_3c00;
const KEYR: usize = REGISTERS + 0x04;
const SR: usize = REGISTERS + 0x0c;
const CR: usize = REGISTERS + 0x10;

const KEYS: [u32; 2] = [0x4567_0123, 0xcdef_89ab];
const BSY: u32 = 1 << 16;
/// All errors, and "end of operation".
const STATUS: u32 = 0xf3;
const ERRORS: u32 = 0xf2;
const PG: u32 = 1;
const SER: u32 = 1 << 1;
const STRT: u32 = 1 << 16;
const LOCK: u32 = 1 << 31;
/// 32 bits at a time, for a supply of 2.7 to 3.6 V.
const WORDS: u32 = 2 << 8;

/// The first sector for files, where it is, and how many follow.
const FIRST: u32 = 8;
const START: usize = 0x0808_0000;
const SIZE: u32 = 128 * 1024;
const COUNT: u32 = 4;
/// The data cache of the flash, which may hold what was there before.
const ACR: usize = REGISTERS;
const DATA_CACHE: u32 = 1 << 10;
const DATA_CACHE_RESET: u32 = 1 << 12;

/// The sectors.
pub struct Flash;

fn unlock() {
    for key in KEYS {
        mmio::write(KEYR, key);
    }
    mmio::write(SR, STATUS);
}

/// Waits for the end of an operation.
fn finish() -> Result<(), BlockError> {
    while mmio::read(SR) & BSY != 0 {}
    if mmio::read(SR) & ERRORS == 0 { Ok(()) } else { Err(BlockError::Hardware) }
}

fn lock() {
    mmio::write(CR, LOCK);
    mmio::change(ACR, DATA_CACHE, 0);
    mmio::change(ACR, 0, DATA_CACHE_RESET);
    mmio::change(ACR, DATA_CACHE_RESET, DATA_CACHE);
}

fn address(sector: u8, offset: u32) -> usize {
    START + (u32::from(sector) * SIZE + offset) as usize
}

impl Sectors for Flash {
    fn size(&self) -> u32 {
        SIZE
    }

    fn count(&self) -> u32 {
        COUNT
    }

    fn read(&mut self, sector: u8, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError> {
        let start = address(sector, offset);
        for (at, byte) in (start..).zip(bytes) {
            // SAFETY: callers stay within the sectors, which are readable memory.
            *byte = unsafe { with_exposed_provenance::<u8>(at).read_volatile() };
        }
        Ok(())
    }

    fn program(&mut self, sector: u8, offset: u32, bytes: &[u8]) -> Result<(), BlockError> {
        let start = address(sector, offset);
        let end = start + bytes.len();
        unlock();
        mmio::write(CR, PG | WORDS);
        let mut outcome = Ok(());
        for at in (start & !3..end).step_by(4) {
            // Bytes beside those that are meant are ones, which change nothing.
            let word = [0, 1, 2, 3].map(|lane| {
                (at + lane).checked_sub(start).and_then(|index| bytes.get(index)).copied().unwrap_or(0xff)
            });
            // SAFETY: a store to flash within the sectors is the operation that was prepared.
            unsafe { with_exposed_provenance_mut::<u32>(at).write_volatile(u32::from_le_bytes(word)) };
            outcome = finish();
            if outcome.is_err() {
                break;
            }
        }
        lock();
        outcome
    }

    fn erase(&mut self, sector: u8) -> Result<(), BlockError> {
        unlock();
        let command = SER | WORDS | (FIRST + u32::from(sector)) << 3;
        mmio::write(CR, command);
        mmio::write(CR, command | STRT);
        let outcome = finish();
        lock();
        outcome
    }
}
