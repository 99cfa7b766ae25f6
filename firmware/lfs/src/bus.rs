//! The device, behind a small read cache, and the buffers that gather what is programmed.
//!
//! Invariant: what a [`Program`] holds has not been programmed; a program unit is programmed at most once after an erase.

use larch_hal::BlockDevice;

use crate::Errno;

/// Bytes programmed at a time, as MicroPython's default.
pub(crate) const UNIT: u32 = 32;
/// Bytes of every buffer: four units.
pub(crate) const CACHE: usize = 128;
/// No block.
const NO_BLOCK: u32 = u32::MAX;

/// The read cache: one aligned line.
pub(crate) struct Line {
    block: u32,
    start: u32,
    bytes: [u8; CACHE],
}

impl Line {
    pub(crate) const fn new() -> Self {
        Self { block: NO_BLOCK, start: 0, bytes: [0; CACHE] }
    }
}

/// Bytes to be programmed to consecutive places of one block.
pub(crate) struct Program {
    pub(crate) block: u32,
    start: u32,
    len: usize,
    pub(crate) bytes: [u8; CACHE],
}

impl Program {
    pub(crate) const fn new() -> Self {
        Self { block: NO_BLOCK, start: 0, len: 0, bytes: [0; CACHE] }
    }

    /// Starts at `start`, which is a multiple of the unit.
    pub(crate) fn begin(&mut self, block: u32, start: u32) {
        debug_assert!(start.is_multiple_of(UNIT));
        (self.block, self.start, self.len) = (block, start, 0);
    }
}

/// The device for the length of one call.
pub(crate) struct Bus<'a> {
    pub(crate) device: &'a mut dyn BlockDevice,
    pub(crate) line: &'a mut Line,
    pub(crate) block_size: u32,
    pub(crate) block_count: u32,
}

impl Bus<'_> {
    /// Reads bytes of a block. A range outside the device is damage on the disk.
    pub(crate) fn read(&mut self, block: u32, offset: u32, to: &mut [u8]) -> Result<(), Errno> {
        let inside = u64::from(offset) + to.len() as u64 <= u64::from(self.block_size);
        if block >= self.block_count || !inside {
            return Err(Errno::ECORRUPT);
        }
        let (mut offset, mut to) = (offset, to);
        while !to.is_empty() {
            let within = (offset % CACHE as u32) as usize;
            if within == 0 && to.len() >= CACHE {
                let (whole, rest) = to.split_at_mut(to.len() / CACHE * CACHE);
                self.device.read(block, offset, whole).map_err(|_| Errno::EIO)?;
                offset += whole.len() as u32;
                to = rest;
                continue;
            }
            self.load(block, offset - within as u32)?;
            let count = to.len().min(CACHE - within);
            let (now, rest) = to.split_at_mut(count);
            now.copy_from_slice(&self.line.bytes[within..within + count]);
            offset += count as u32;
            to = rest;
        }
        Ok(())
    }

    fn load(&mut self, block: u32, start: u32) -> Result<(), Errno> {
        if (self.line.block, self.line.start) != (block, start) {
            self.line.block = NO_BLOCK;
            self.device.read(block, start, &mut self.line.bytes).map_err(|_| Errno::EIO)?;
            (self.line.block, self.line.start) = (block, start);
        }
        Ok(())
    }

    /// Reads a word of a block, seeing also what waits to be programmed.
    pub(crate) fn read_word(
        &mut self,
        block: u32,
        offset: u32,
        waiting: Option<&Program>,
    ) -> Result<u32, Errno> {
        let mut bytes = [0; 4];
        match waiting {
            Some(program) if program.block == block && offset >= program.start => {
                let at = (offset - program.start) as usize;
                let source = program.bytes[..program.len].get(at..at + 4).ok_or(Errno::ECORRUPT)?;
                bytes.copy_from_slice(source);
            }
            _ => self.read(block, offset, &mut bytes)?,
        }
        Ok(u32::from_le_bytes(bytes))
    }

    /// Erases a block.
    pub(crate) fn erase(&mut self, block: u32) -> Result<(), Errno> {
        self.line.block = NO_BLOCK;
        self.device.erase(block).map_err(|_| Errno::EIO)
    }

    /// Adds bytes to a program, and programs what is complete.
    pub(crate) fn put(&mut self, program: &mut Program, bytes: &[u8]) -> Result<(), Errno> {
        let mut bytes = bytes;
        while !bytes.is_empty() {
            let count = bytes.len().min(CACHE - program.len);
            program.bytes[program.len..program.len + count].copy_from_slice(&bytes[..count]);
            program.len += count;
            bytes = &bytes[count..];
            if program.len == CACHE {
                self.flush(program)?;
            }
        }
        Ok(())
    }

    /// Programs what is gathered, filled up to a whole unit; the program goes on behind it.
    pub(crate) fn flush(&mut self, program: &mut Program) -> Result<(), Errno> {
        let whole = program.len.next_multiple_of(UNIT as usize);
        if whole == 0 {
            return Ok(());
        }
        program.bytes[program.len..whole].fill(0xff);
        self.line.block = NO_BLOCK;
        self.device.write(program.block, program.start, &program.bytes[..whole]).map_err(|_| Errno::EIO)?;
        program.start += whole as u32;
        program.len = 0;
        Ok(())
    }

    /// Goes on at a later place of the same block; what lies between stays erased.
    pub(crate) fn skip_to(&mut self, program: &mut Program, start: u32) -> Result<(), Errno> {
        self.flush(program)?;
        program.begin(program.block, start);
        Ok(())
    }
}
