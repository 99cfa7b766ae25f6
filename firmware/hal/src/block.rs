//! Storage in blocks, with MicroPython's extended block protocol.
//!
//! Source: MicroPython's documentation, "Working with filesystems", `vfs.AbstractBlockDev`.

/// Storage of `block_count` blocks of `block_size` bytes. Blocks are erased before they are written, and every part
/// of a block is written at most once after it was erased, as NOR flash demands.
pub trait BlockDevice {
    /// Bytes in a block: what [`BlockDevice::erase`] erases.
    fn block_size(&self) -> u32;

    /// How many blocks there are.
    fn block_count(&self) -> u32;

    /// Reads from a position within a block; the range does not leave the device.
    ///
    /// # Errors
    /// [`BlockError`] if the range is outside the device or the hardware fails.
    fn read(&mut self, block: u32, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError>;

    /// Writes to an erased part of the device.
    ///
    /// # Errors
    /// As [`BlockDevice::read`].
    fn write(&mut self, block: u32, offset: u32, bytes: &[u8]) -> Result<(), BlockError>;

    /// Erases one block: afterwards all its bytes are 0xff.
    ///
    /// # Errors
    /// As [`BlockDevice::read`].
    fn erase(&mut self, block: u32) -> Result<(), BlockError>;

    /// Waits until everything written is safe from a loss of power.
    ///
    /// # Errors
    /// [`BlockError::Hardware`] if that cannot be achieved.
    fn sync(&mut self) -> Result<(), BlockError> {
        Ok(())
    }
}

/// Why storage could not do as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Some of the bytes asked for are not on the device.
    #[error("the range is outside the device; check the size the file system was made with")]
    OutOfRange,
    /// The hardware reported an error, or took too long.
    #[error("the storage hardware reported an error; the medium may be worn out")]
    Hardware,
}
