//! The second megabyte of the flash, for files: sectors of 4 KB, which are the blocks of the file system.
//!
//! Interrupts wait while the flash is written or erased (45 ms a sector): what does not fit into the UART's FIFO of 32 bytes is lost
//! meanwhile.

use core::ptr::with_exposed_provenance;

use larch_hal::{BlockDevice, BlockError};

use crate::rom::{self, Job};

const FLASH: usize = 0x1000_0000;
/// From the start of the flash.
const START: u32 = 1 << 20;
const SECTOR: u32 = 4096;
const SECTORS: u32 = 256;
const PAGE: u32 = 256;

/// The sectors.
pub struct Flash;

fn offset_of(block: u32, offset: u32, len: usize) -> Result<u32, BlockError> {
    let end = u64::from(block) * u64::from(SECTOR) + u64::from(offset) + len as u64;
    if end > u64::from(SECTOR * SECTORS) {
        return Err(BlockError::OutOfRange);
    }
    Ok(START + block * SECTOR + offset)
}

impl BlockDevice for Flash {
    fn block_size(&self) -> u32 {
        SECTOR
    }

    fn block_count(&self) -> u32 {
        SECTORS
    }

    fn read(&mut self, block: u32, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError> {
        let start = FLASH + offset_of(block, offset, bytes.len())? as usize;
        for (at, byte) in (start..).zip(bytes) {
            // SAFETY: within the flash, which is readable memory.
            *byte = unsafe { with_exposed_provenance::<u8>(at).read_volatile() };
        }
        Ok(())
    }

    fn write(&mut self, block: u32, offset: u32, bytes: &[u8]) -> Result<(), BlockError> {
        let start = offset_of(block, offset, bytes.len())?;
        let mut rest = bytes;
        let mut at = start;
        while !rest.is_empty() {
            // Bytes beside those that are meant are ones, which change nothing.
            let mut page = [0xff; PAGE as usize];
            let first = (at % PAGE) as usize;
            let count = rest.len().min(page.len() - first);
            page[first..first + count].copy_from_slice(&rest[..count]);
            rom::run(Job::Program(at - at % PAGE, &page));
            at += count as u32;
            rest = &rest[count..];
        }
        Ok(())
    }

    fn erase(&mut self, block: u32) -> Result<(), BlockError> {
        rom::run(Job::Erase(offset_of(block, 0, SECTOR as usize)?));
        Ok(())
    }
}
