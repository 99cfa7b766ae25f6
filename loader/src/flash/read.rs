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
/// Bytes between two digests.
const PIECE: u32 = 0x1_0000;
/// How often a piece is read before it is given up.
const TRIES: u32 = 3;
/// Bytes between two progress events.
const PROGRESS_EVERY: u32 = 0x1000;

impl Loader<'_> {
    /// Reads a part of flash.
    ///
    /// # Errors
    /// If it is beyond the flash, or what was read does not have the digest that the chip calculates.
    pub fn read_flash(&mut self, offset: u32, size: u32) -> Result<Vec<u8>, Error> {
        self.check_in_flash("the part to be read", offset, size)?;
        self.observer.event(&Event::Reading { offset, size: size.into() });
        if self.dialect.has_stub_commands {
            return self.read_stream(offset, size);
        }
        let mut data = Vec::with_capacity(size as usize);
        while let Some(left) = (size as usize).checked_sub(data.len()).filter(|&left| left > 0) {
            let len = u32::try_from(left).unwrap_or(PIECE).min(PIECE);
            self.read_piece(offset, size, len, &mut data)?;
        }
        Ok(data)
    }

    /// Appends a piece that has the chip's digest.
    fn read_piece(&mut self, offset: u32, size: u32, len: u32, data: &mut Vec<u8>) -> Result<(), Error> {
        let at = offset + u32::try_from(data.len()).unwrap_or(u32::MAX);
        let mut tries = 1;
        loop {
            let done = (data.len() as u64, size.into());
            let piece = self.read_slowly(at, len, done)?;
            let chip = self.with_retries(|loader| loader.flash_md5(at, len))?;
            match digests_agree(at, Digest::of(&piece), chip) {
                Err(error) if tries < TRIES => {
                    self.observer.event(&Event::Retry { what: &error.to_string() })
                }
                Err(error) => return Err(error),
                Ok(()) => {
                    data.extend(piece);
                    return Ok(());
                }
            }
            tries += 1;
        }
    }

    fn read_slowly(&mut self, offset: u32, size: u32, (before, total): (u64, u64)) -> Result<Vec<u8>, Error> {
        let mut data = Vec::with_capacity(size as usize);
        let mut at = 0;
        while at < size {
            let wanted = ROM_BLOCK.min(size - at);
            let command = Command::ReadFlashSlow { offset: offset + at, size: wanted };
            let len = ROM_BLOCK as usize;
            let (_, block) =
                self.with_retries(|loader| loader.link.command(&command, len, DEFAULT_TIMEOUT))?;
            data.extend_from_slice(&block[..wanted as usize]);
            at += wanted;
            if at.is_multiple_of(PROGRESS_EVERY) || at == size {
                self.observer.event(&Event::Progress { done: before + u64::from(at), total });
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
            let packet = self.link.due_frame(DEFAULT_TIMEOUT)?.ok_or_else(silent)?;
            data.extend_from_slice(&packet);
            let done = u32::try_from(data.len()).unwrap_or(u32::MAX);
            self.link.send_raw(&done.to_le_bytes())?;
            self.observer.event(&Event::Progress { done: done.into(), total: size.into() });
        }
        let digest = self.link.due_frame(DEFAULT_TIMEOUT)?.ok_or_else(silent)?;
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
