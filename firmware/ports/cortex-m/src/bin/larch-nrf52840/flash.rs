//! The upper half of the flash, for files: pages of 4 KB, which are the blocks of the file system.
//!
//! The processor stands still while the flash is written or erased (85 ms a page): what does not fit into the UART's queue of six
//! bytes is lost meanwhile. A word may be written twice between two erasures; the file system writes once, and whole words.
//!
//! Source: PS chapter 4.3 (NVMC).

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use larch_cortex_m::mmio;
use larch_hal::{BlockDevice, BlockError};

const NVMC: usize = 0x4001_e000;
const READY: usize = NVMC + 0x400;
const CONFIG: usize = NVMC + 0x504;
const ERASEPAGE: usize = NVMC + 0x508;
const READ_ONLY: u32 = 0;
const WRITE: u32 = 1;
const ERASE: u32 = 2;

const START: usize = 0x0008_0000;
const PAGE: u32 = 4096;
const PAGES: u32 = 128;

/// The pages.
pub struct Flash;

fn wait() {
    while mmio::read(READY) & 1 == 0 {}
}

fn address(block: u32, offset: u32, len: usize) -> Result<usize, BlockError> {
    let end = u64::from(block) * u64::from(PAGE) + u64::from(offset) + len as u64;
    if end > u64::from(PAGE * PAGES) {
        return Err(BlockError::OutOfRange);
    }
    Ok(START + (block * PAGE + offset) as usize)
}

impl BlockDevice for Flash {
    fn block_size(&self) -> u32 {
        PAGE
    }

    fn block_count(&self) -> u32 {
        PAGES
    }

    fn read(&mut self, block: u32, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError> {
        let start = address(block, offset, bytes.len())?;
        for (at, byte) in (start..).zip(bytes) {
            // SAFETY: within the pages, which are readable memory.
            *byte = unsafe { with_exposed_provenance::<u8>(at).read_volatile() };
        }
        Ok(())
    }

    fn write(&mut self, block: u32, offset: u32, bytes: &[u8]) -> Result<(), BlockError> {
        let start = address(block, offset, bytes.len())?;
        let end = start + bytes.len();
        mmio::write(CONFIG, WRITE);
        for at in (start & !3..end).step_by(4) {
            // Bytes beside those that are meant are ones, which change nothing.
            let word = [0, 1, 2, 3].map(|lane| {
                (at + lane).checked_sub(start).and_then(|index| bytes.get(index)).copied().unwrap_or(0xff)
            });
            // SAFETY: a store to flash within the pages is the operation that was prepared.
            unsafe { with_exposed_provenance_mut::<u32>(at).write_volatile(u32::from_le_bytes(word)) };
            wait();
        }
        mmio::write(CONFIG, READ_ONLY);
        Ok(())
    }

    fn erase(&mut self, block: u32) -> Result<(), BlockError> {
        let start = address(block, 0, PAGE as usize)?;
        mmio::write(CONFIG, ERASE);
        mmio::write(ERASEPAGE, start as u32);
        wait();
        mmio::write(CONFIG, READ_ONLY);
        Ok(())
    }
}
