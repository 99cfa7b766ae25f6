//! A flash chip in memory that can lose power.

use larch_hal::{BlockDevice, BlockError};

/// MicroPython's block size on Espressif's chips.
pub const BLOCK_SIZE: usize = 4096;

/// NOR flash: erasing sets bits, writing clears them.
#[derive(Clone)]
pub struct Flash {
    pub bytes: Vec<u8>,
    /// Writes and erases until the power fails; the one that meets zero is done by half.
    pub operations_left: Option<u32>,
    pub operations: u32,
}

impl Flash {
    pub fn new(blocks: usize) -> Self {
        Self { bytes: vec![0xff; blocks * BLOCK_SIZE], operations_left: None, operations: 0 }
    }

    fn range(&self, block: u32, offset: u32, len: usize) -> Result<usize, BlockError> {
        let start = block as usize * BLOCK_SIZE + offset as usize;
        if offset as usize + len > BLOCK_SIZE || start + len > self.bytes.len() {
            return Err(BlockError::OutOfRange);
        }
        Ok(start)
    }

    /// How much of an operation on `len` bytes happens.
    fn spend(&mut self, len: usize) -> (usize, Result<(), BlockError>) {
        self.operations += 1;
        match &mut self.operations_left {
            None => (len, Ok(())),
            Some(0) => (0, Err(BlockError::Hardware)),
            Some(left) => {
                *left -= 1;
                if *left == 0 { (len / 2, Err(BlockError::Hardware)) } else { (len, Ok(())) }
            }
        }
    }
}

impl BlockDevice for Flash {
    fn block_size(&self) -> u32 {
        BLOCK_SIZE as u32
    }

    fn block_count(&self) -> u32 {
        (self.bytes.len() / BLOCK_SIZE) as u32
    }

    fn read(&mut self, block: u32, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError> {
        let start = self.range(block, offset, bytes.len())?;
        bytes.copy_from_slice(&self.bytes[start..start + bytes.len()]);
        Ok(())
    }

    fn write(&mut self, block: u32, offset: u32, bytes: &[u8]) -> Result<(), BlockError> {
        let start = self.range(block, offset, bytes.len())?;
        let (len, result) = self.spend(bytes.len());
        for (cell, &byte) in self.bytes[start..].iter_mut().zip(&bytes[..len]) {
            assert_eq!(*cell, 0xff, "block {block} is written at {offset} without an erase");
            *cell &= byte;
        }
        result
    }

    fn erase(&mut self, block: u32) -> Result<(), BlockError> {
        let start = self.range(block, 0, BLOCK_SIZE)?;
        let (len, result) = self.spend(BLOCK_SIZE);
        self.bytes[start..start + len].fill(0xff);
        result
    }
}
