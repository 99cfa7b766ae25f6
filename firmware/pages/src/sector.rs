//! The flash below, and the header of a sector.

use larch_hal::BlockError;

use crate::Place;

/// Flash in sectors of equal size, erased to ones. Words can be programmed again to clear more bits.
pub trait Sectors {
    /// Bytes of a sector.
    fn size(&self) -> u32;

    /// How many there are.
    fn count(&self) -> u32;

    /// Reads from a position in a sector.
    ///
    /// # Errors
    /// If the hardware fails.
    fn read(&mut self, sector: u8, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError>;

    /// Clears those bits that are clear in `bytes`.
    ///
    /// # Errors
    /// If the hardware fails.
    fn program(&mut self, sector: u8, offset: u32, bytes: &[u8]) -> Result<(), BlockError>;

    /// Sets all bits of a sector.
    ///
    /// # Errors
    /// If the hardware fails.
    fn erase(&mut self, sector: u8) -> Result<(), BlockError>;
}

/// "LPG1", little-endian.
const MAGIC: u32 = 0x3147_504c;
const BLANK: u32 = u32::MAX;
const SEQUENCE: u32 = 4;
const WORDS: u32 = 8;

/// The words at a sector's start.
pub(crate) struct Header;

impl Header {
    fn word<S: Sectors>(flash: &mut S, sector: u8, offset: u32) -> Result<u32, BlockError> {
        let mut bytes = [0; 4];
        flash.read(sector, offset, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn place_word<S: Sectors>(flash: &mut S, place: Place) -> Result<u32, BlockError> {
        Self::word(flash, place.sector, WORDS + 4 * u32::from(place.page))
    }

    fn set_place_word<S: Sectors>(flash: &mut S, place: Place, word: u32) -> Result<(), BlockError> {
        flash.program(place.sector, WORDS + 4 * u32::from(place.page), &word.to_le_bytes())
    }

    /// The sequence number of a sector with a header.
    pub(crate) fn sequence<S: Sectors>(flash: &mut S, sector: u8) -> Result<Option<u32>, BlockError> {
        let valid = Self::word(flash, sector, 0)? == MAGIC;
        Ok(if valid { Some(Self::word(flash, sector, SEQUENCE)?) } else { None })
    }

    /// Gives a blank sector its header; the magic word last.
    pub(crate) fn open<S: Sectors>(flash: &mut S, sector: u8, sequence: u32) -> Result<(), BlockError> {
        flash.program(sector, SEQUENCE, &sequence.to_le_bytes())?;
        flash.program(sector, 0, &MAGIC.to_le_bytes())
    }

    /// Takes a sector's header away.
    pub(crate) fn close<S: Sectors>(flash: &mut S, sector: u8) -> Result<(), BlockError> {
        flash.program(sector, 0, &0_u32.to_le_bytes())
    }

    /// The block that a page holds, if it is in use.
    pub(crate) fn block<S: Sectors>(flash: &mut S, place: Place) -> Result<Option<u16>, BlockError> {
        let word = Self::place_word(flash, place)?;
        let (block, complement) = (word as u16, (word >> 16) as u16);
        Ok((block == !complement && word != BLANK).then_some(block))
    }

    pub(crate) fn is_free<S: Sectors>(flash: &mut S, place: Place) -> Result<bool, BlockError> {
        Ok(Self::place_word(flash, place)? == BLANK)
    }

    /// A page belongs to a block from now on.
    pub(crate) fn use_page<S: Sectors>(flash: &mut S, place: Place, block: u8) -> Result<(), BlockError> {
        let block = u32::from(block);
        Self::set_place_word(flash, place, !block << 16 | block)
    }

    /// A page is not in use any more.
    pub(crate) fn kill<S: Sectors>(flash: &mut S, place: Place) -> Result<(), BlockError> {
        Self::set_place_word(flash, place, 0)
    }
}

/// Whether a range of a sector is erased.
pub(crate) fn is_blank<S: Sectors>(
    flash: &mut S,
    sector: u8,
    offset: u32,
    length: u32,
) -> Result<bool, BlockError> {
    let mut chunk = [0; 64];
    for at in (offset..offset + length).step_by(chunk.len()) {
        flash.read(sector, at, &mut chunk)?;
        if chunk.iter().any(|&byte| byte != 0xff) {
            return Ok(false);
        }
    }
    Ok(true)
}
