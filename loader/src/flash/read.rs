//! Reading flash back, checked by the chip's digest.

use super::digest::Digest;
use crate::connect::Loader;
use crate::error::Error;
use crate::event::Event;
use crate::link::DEFAULT_TIMEOUT;
use larch_protocol::{ChipError, Command, Opcode};

/// Bytes that one READ_FLASH_SLOW of the ROM gives, whatever it is asked for.
const ROM_BLOCK: u32 = 64;
/// Bytes per packet of a stub's stream.
const STUB_PACKET: u32 = 0x1000;
/// Packets that a stub may send ahead of acknowledgements.
const STUB_WINDOW: u32 = 64;
/// How many blocks pass between two progress events.
const PROGRESS_EVERY: u32 = 0x1000;

impl Loader<'_> {
    /// Reads a part of flash.
    ///
    /// # Errors
    /// If it is beyond the flash, or what was read does not have the digest that the chip calculates.
    pub fn read_flash(&mut self, offset: u32, size: u32) -> Result<Vec<u8>, Error> {
        let (flash, end) = (self.flash()?.bytes(), u64::from(offset) + u64::from(size));
        if end > flash {
            return Err(Error::DoesNotFit { name: "the part to be read".to_owned(), end, flash });
        }
        self.observer.event(&Event::Reading { offset, size: size.into() });
        if self.dialect.has_stub_commands {
            return self.read_stream(offset, size);
        }
        let data = self.read_slowly(offset, size)?;
        let (read, chip) = (Digest::of(&data), self.with_retries(|loader| loader.flash_md5(offset, size))?);
        digests_agree(offset, read, chip)?;
        Ok(data)
    }

    fn read_slowly(&mut self, offset: u32, size: u32) -> Result<Vec<u8>, Error> {
        let mut data = Vec::with_capacity(size as usize);
        let mut at = 0;
        while at < size {
            let command = Command::ReadFlashSlow { offset: offset + at, size: ROM_BLOCK.min(size - at) };
            let len = ROM_BLOCK as usize;
            let (_, block) =
                self.with_retries(|loader| loader.link.command(&command, len, DEFAULT_TIMEOUT))?;
            let wanted = ROM_BLOCK.min(size - at);
            data.extend_from_slice(&block[..wanted as usize]);
            at += wanted;
            if at.is_multiple_of(PROGRESS_EVERY) || at == size {
                self.observer.event(&Event::Progress { done: at.into(), total: size.into() });
            }
        }
        Ok(data)
    }

    fn read_stream(&mut self, offset: u32, size: u32) -> Result<Vec<u8>, Error> {
        let command = Command::ReadFlash { offset, size, packet: STUB_PACKET, window: STUB_WINDOW };
        self.command(&command, DEFAULT_TIMEOUT)?;
        let mut data: Vec<u8> = Vec::with_capacity(size as usize);
        let silent = || Error::silent(Opcode::ReadFlash);
        while data.len() < size as usize {
            let packet = self.link.read_frame(DEFAULT_TIMEOUT)?.ok_or_else(silent)?;
            data.extend_from_slice(&packet);
            let done = u32::try_from(data.len()).unwrap_or(u32::MAX);
            self.link.send_raw(&done.to_le_bytes())?;
            self.observer.event(&Event::Progress { done: done.into(), total: size.into() });
        }
        let digest = self.link.read_frame(DEFAULT_TIMEOUT)?.ok_or_else(silent)?;
        let chip =
            <[u8; 16]>::try_from(digest).map_err(|_| Error::refused(Opcode::ReadFlash, ChipError::SHORT))?;
        digests_agree(offset, Digest::of(&data), Digest(chip))?;
        Ok(data)
    }
}

fn digests_agree(offset: u32, read: Digest, chip: Digest) -> Result<(), Error> {
    if read == chip {
        return Ok(());
    }
    let (expected, found) = (read.to_string(), chip.to_string());
    Err(Error::DigestMismatch { name: "what was read".to_owned(), offset, expected, found })
}
