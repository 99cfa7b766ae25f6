//! Files in the PSRAM, which survives a reset; with a file behind it, also the end of QEMU.

use core::ptr::with_exposed_provenance_mut;
use core::slice;

use larch_hal::{BlockDevice, BlockError};

const PSRAM: usize = 0x2100_0000;
const BLOCK_SIZE: u32 = 4096;
/// 2 MiB of the 16: as much as an ESP32-C3 has.
const BLOCKS: u32 = 512;
const ERASED: u8 = 0xff;

/// The memory as a medium that is erased in blocks.
pub struct Disk(&'static mut [u8]);

impl Disk {
    /// The disk; zeros, as QEMU starts with, count as never written. Called once.
    pub fn new() -> Self {
        let start = with_exposed_provenance_mut(PSRAM);
        // SAFETY: the linker puts nothing there, and this is called once.
        let memory = unsafe { slice::from_raw_parts_mut(start, (BLOCK_SIZE * BLOCKS) as usize) };
        if memory[..BLOCK_SIZE as usize].iter().all(|&byte| byte == 0) {
            memory.fill(ERASED);
        }
        Self(memory)
    }

    fn range(&mut self, block: u32, offset: u32, length: usize) -> Result<&mut [u8], BlockError> {
        let start = u64::from(block) * u64::from(BLOCK_SIZE) + u64::from(offset);
        let start = usize::try_from(start).map_err(|_| BlockError::OutOfRange)?;
        let end = start.checked_add(length).ok_or(BlockError::OutOfRange)?;
        self.0.get_mut(start..end).ok_or(BlockError::OutOfRange)
    }
}

impl BlockDevice for Disk {
    fn block_size(&self) -> u32 {
        BLOCK_SIZE
    }

    fn block_count(&self) -> u32 {
        BLOCKS
    }

    fn read(&mut self, block: u32, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError> {
        bytes.copy_from_slice(self.range(block, offset, bytes.len())?);
        Ok(())
    }

    fn write(&mut self, block: u32, offset: u32, bytes: &[u8]) -> Result<(), BlockError> {
        self.range(block, offset, bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    fn erase(&mut self, block: u32) -> Result<(), BlockError> {
        self.range(block, 0, BLOCK_SIZE as usize)?.fill(ERASED);
        Ok(())
    }
}
