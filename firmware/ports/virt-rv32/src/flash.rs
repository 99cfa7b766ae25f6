//! The second flash bank (QEMU: `-drive if=pflash,unit=1`), Intel's command set, two 16-bit chips side by side.
//!
//! Its sectors of 256 KiB would waste most of the space, so a block is 4 KiB here, and erasing one means programming
//! ones: the model of the flash replaces what is programmed over, as real flash would not.
//!
//! Source: JEDEC CFI, Intel StrataFlash commands; QEMU's `hw/block/pflash_cfi01.c`.

use larch_hal::{BlockDevice, BlockError};

use crate::mmio;

const BANK: usize = 0x2200_0000;
const BLOCK_SIZE: u32 = 4096;
/// 2 MiB of the 32: as much as an ESP32-C3 has, and quick to look through.
const BLOCKS: u32 = 512;
/// The write buffer's size.
const BUFFER: usize = 2048;

/// A command, for both chips.
const fn both(command: u32) -> u32 {
    command << 16 | command
}
const READ_ARRAY: u32 = both(0xff);
const BUFFERED_PROGRAM: u32 = both(0xe8);
const CONFIRM: u32 = both(0xd0);
const CLEAR_STATUS: u32 = both(0x50);
/// Program or erase failed, or the block is locked.
const FAILED: u32 = both(0x3a);
const READY: u32 = both(0x80);
/// How often the status is looked at before the flash is given up.
const PATIENCE: u32 = 1_000_000;

/// The bank.
pub struct Flash;

impl Flash {
    /// The bank; a file of zeros, as `truncate` makes it, counts as never written.
    pub fn new() -> Self {
        let mut flash = Self;
        if (0..BLOCK_SIZE as usize).step_by(4).all(|offset| mmio::read(BANK + offset) == 0) {
            // If that fails, there is something else in the flash, and so it is reported.
            let _ = flash.erase(0);
        }
        flash
    }

    /// Programs whole words within one buffer's window.
    fn program(at: usize, words: impl ExactSizeIterator<Item = u32>) -> Result<(), BlockError> {
        mmio::write(at, BUFFERED_PROGRAM);
        mmio::write(at, both(words.len() as u32 - 1));
        for (index, word) in words.enumerate() {
            mmio::write(at + 4 * index, word);
        }
        mmio::write(at, CONFIRM);
        let mut patience = PATIENCE;
        let status = loop {
            let status = mmio::read(at);
            patience -= 1;
            if status & READY == READY || patience == 0 {
                break status;
            }
        };
        mmio::write(at, CLEAR_STATUS);
        mmio::write(at, READ_ARRAY);
        if status & READY == READY && status & FAILED == 0 { Ok(()) } else { Err(BlockError::Hardware) }
    }
}

fn address(block: u32, offset: u32, len: usize) -> Result<usize, BlockError> {
    let end = u64::from(block) * u64::from(BLOCK_SIZE) + u64::from(offset) + len as u64;
    if end > u64::from(BLOCK_SIZE * BLOCKS) {
        return Err(BlockError::OutOfRange);
    }
    Ok(BANK + (block * BLOCK_SIZE + offset) as usize)
}

impl BlockDevice for Flash {
    fn block_size(&self) -> u32 {
        BLOCK_SIZE
    }

    fn block_count(&self) -> u32 {
        BLOCKS
    }

    fn read(&mut self, block: u32, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError> {
        let start = address(block, offset, bytes.len())?;
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = mmio::read_byte(start + index);
        }
        Ok(())
    }

    fn write(&mut self, block: u32, offset: u32, bytes: &[u8]) -> Result<(), BlockError> {
        let start = address(block, offset, bytes.len())?;
        let end = start + bytes.len();
        let mut at = start & !3;
        while at < end {
            let stop = end.next_multiple_of(4).min((at / BUFFER + 1) * BUFFER);
            // Bytes around those that are meant stay as they are; they are read before the first command.
            let mut buffer = [0; BUFFER / 4];
            let count = (stop - at) / 4;
            for (index, word) in buffer[..count].iter_mut().enumerate() {
                let place = at + 4 * index;
                let byte = |lane: usize| match (place + lane).checked_sub(start) {
                    Some(position) if position < bytes.len() => bytes[position],
                    _ => mmio::read_byte(place + lane),
                };
                *word = u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)]);
            }
            Self::program(at, buffer[..count].iter().copied())?;
            at = stop;
        }
        Ok(())
    }

    fn erase(&mut self, block: u32) -> Result<(), BlockError> {
        let start = address(block, 0, BLOCK_SIZE as usize)?;
        for at in (start..start + BLOCK_SIZE as usize).step_by(BUFFER) {
            Self::program(at, (0..BUFFER / 4).map(|_| u32::MAX))?;
        }
        Ok(())
    }
}
