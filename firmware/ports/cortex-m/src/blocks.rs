//! Files in a flash that a HAL drives: a range of its sectors as blocks.

use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind};
use larch_hal::{BlockDevice, BlockError};

/// What is written at a time at most: a page of most flashes.
const PAGE: usize = 256;
/// The largest unit of writing that is provided for.
const UNIT: usize = 4;

/// The blocks: `COUNT` sectors from the byte `START` on.
pub struct Blocks<F, const START: u32, const COUNT: u32>(pub F);

fn error(error: impl NorFlashError) -> BlockError {
    match error.kind() {
        NorFlashErrorKind::OutOfBounds => BlockError::OutOfRange,
        _ => BlockError::Hardware,
    }
}

impl<F: NorFlash, const START: u32, const COUNT: u32> Blocks<F, START, COUNT> {
    const BLOCK: u32 = {
        assert!(F::WRITE_SIZE <= UNIT && F::READ_SIZE == 1);
        F::ERASE_SIZE as u32
    };

    fn address(block: u32, offset: u32, len: usize) -> Result<u32, BlockError> {
        let end = u64::from(block) * u64::from(Self::BLOCK) + u64::from(offset) + len as u64;
        if end > u64::from(Self::BLOCK * COUNT) {
            return Err(BlockError::OutOfRange);
        }
        Ok(START + block * Self::BLOCK + offset)
    }
}

impl<F: NorFlash, const START: u32, const COUNT: u32> BlockDevice for Blocks<F, START, COUNT> {
    fn block_size(&self) -> u32 {
        Self::BLOCK
    }

    fn block_count(&self) -> u32 {
        COUNT
    }

    fn read(&mut self, block: u32, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError> {
        self.0.read(Self::address(block, offset, bytes.len())?, bytes).map_err(error)
    }

    fn write(&mut self, block: u32, offset: u32, bytes: &[u8]) -> Result<(), BlockError> {
        let mut at = Self::address(block, offset, bytes.len())?;
        let mut rest = bytes;
        while !rest.is_empty() {
            // Bytes beside those that are meant are ones, which change nothing.
            let mut buffer = [0xff; PAGE + UNIT];
            let before = at as usize % F::WRITE_SIZE;
            let count = rest.len().min(PAGE - at as usize % PAGE);
            buffer[before..before + count].copy_from_slice(&rest[..count]);
            let len = (before + count).next_multiple_of(F::WRITE_SIZE);
            self.0.write(at - before as u32, &buffer[..len]).map_err(error)?;
            at += count as u32;
            rest = &rest[count..];
        }
        Ok(())
    }

    fn erase(&mut self, block: u32) -> Result<(), BlockError> {
        let start = Self::address(block, 0, F::ERASE_SIZE)?;
        self.0.erase(start, start + Self::BLOCK).map_err(error)
    }
}
