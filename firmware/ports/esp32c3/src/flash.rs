//! The flash partition that holds the file system.
//!
//! The chip's ROM moves the bytes; it wants addresses, lengths and buffers in whole words.

use esp_bootloader_esp_idf::partitions::{PARTITION_TABLE_MAX_LEN, read_partition_table};
use esp_hal::peripherals::FLASH;
use esp_storage::FlashStorage;
use larch_hal::{BlockDevice, BlockError};

/// The partition's label, as MicroPython has it.
const LABEL: &str = "vfs";
const SECTOR_SIZE: u32 = FlashStorage::SECTOR_SIZE;
/// Bytes copied at a time if the caller's buffer does not start at a word.
const BOUNCE_SIZE: usize = 128;

#[repr(align(4))]
struct Bounce([u8; BOUNCE_SIZE]);

/// The partition.
pub struct Partition {
    flash: FlashStorage<'static>,
    start: u32,
    len: u32,
}

impl Partition {
    /// Finds the partition in the table at 0x8000; `None` if there is none.
    pub fn find(flash: FLASH<'static>) -> Option<Self> {
        let mut flash = FlashStorage::new(flash);
        let mut table = [0; PARTITION_TABLE_MAX_LEN];
        let found = read_partition_table(&mut flash, &mut table)
            .ok()?
            .iter()
            .find(|entry| entry.label_as_str() == LABEL)
            .map(|entry| (entry.offset(), entry.len()))?;
        Some(Self { flash, start: found.0, len: found.1 })
    }

    fn address(&self, block: u32, offset: u32, len: usize) -> Result<u32, BlockError> {
        let end = u64::from(block) * u64::from(SECTOR_SIZE) + u64::from(offset) + len as u64;
        if end > u64::from(self.len) {
            return Err(BlockError::OutOfRange);
        }
        Ok(self.start + block * SECTOR_SIZE + offset)
    }
}

fn is_word_aligned(bytes: &[u8]) -> bool {
    bytes.as_ptr().addr().is_multiple_of(4)
}

impl BlockDevice for Partition {
    fn block_size(&self) -> u32 {
        SECTOR_SIZE
    }

    fn block_count(&self) -> u32 {
        self.len / SECTOR_SIZE
    }

    fn read(&mut self, block: u32, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError> {
        let mut address = self.address(block, offset, bytes.len())?;
        if is_word_aligned(bytes) && bytes.len().is_multiple_of(4) && address.is_multiple_of(4) {
            return self.flash.read_nor(address, bytes).map_err(|_| BlockError::Hardware);
        }
        let mut bounce = Bounce([0; BOUNCE_SIZE]);
        let mut rest = bytes;
        while !rest.is_empty() {
            let skip = (address % 4) as usize;
            let count = rest.len().min(BOUNCE_SIZE - skip);
            let whole = &mut bounce.0[..(skip + count).next_multiple_of(4)];
            self.flash.read_nor(address - skip as u32, whole).map_err(|_| BlockError::Hardware)?;
            rest[..count].copy_from_slice(&whole[skip..skip + count]);
            rest = &mut rest[count..];
            address += count as u32;
        }
        Ok(())
    }

    fn write(&mut self, block: u32, offset: u32, bytes: &[u8]) -> Result<(), BlockError> {
        let mut address = self.address(block, offset, bytes.len())?;
        if is_word_aligned(bytes) && bytes.len().is_multiple_of(4) && address.is_multiple_of(4) {
            return self.flash.write_nor(address, bytes).map_err(|_| BlockError::Hardware);
        }
        let mut bounce = Bounce([0; BOUNCE_SIZE]);
        let mut rest = bytes;
        while !rest.is_empty() {
            let skip = (address % 4) as usize;
            let count = rest.len().min(BOUNCE_SIZE - skip);
            // Programming ones changes nothing, so whole words can be written around the bytes meant.
            bounce.0.fill(0xff);
            bounce.0[skip..skip + count].copy_from_slice(&rest[..count]);
            let whole = &bounce.0[..(skip + count).next_multiple_of(4)];
            self.flash.write_nor(address - skip as u32, whole).map_err(|_| BlockError::Hardware)?;
            rest = &rest[count..];
            address += count as u32;
        }
        Ok(())
    }

    fn erase(&mut self, block: u32) -> Result<(), BlockError> {
        let address = self.address(block, 0, SECTOR_SIZE as usize)?;
        self.flash.erase(address, address + SECTOR_SIZE).map_err(|_| BlockError::Hardware)
    }
}
