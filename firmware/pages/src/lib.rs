//! Small blocks for a file system on flash whose sectors are too large for it.
//!
//! A sector of 128 KB would be one block of a file system: four of them hold no more than a directory and a file. Here a
//! sector is divided into pages of 4 KB, and a block is a page anywhere. Erasing a block only marks its page as dead; writing
//! to it takes the next free page. When none is free, the sector with the fewest pages in use is copied to the spare sector
//! and erased.
//!
//! A sector begins with its header: a magic word, its sequence number, and a word for each page: 0xffffffff for a free page,
//! the block's number and its complement for one in use, anything else for a dead one.
//!
//! Invariants: at rest one sector is blank. A page that is being copied gets its word after its contents, so that a loss of power
//! leaves the block as it was; of two pages of one block the one in the sector with the higher number counts. A sector that
//! is about to be erased loses its magic word first, so that half an erasure is seen.
#![no_std]
#![forbid(unsafe_code)]

mod sector;

use larch_hal::{BlockDevice, BlockError};
pub use sector::Sectors;
use sector::{Header, is_blank};

/// Bytes of a block.
pub const PAGE: u32 = 4096;
/// Largest number of sectors.
const SECTORS_MAX: usize = 8;
/// Largest number of blocks.
const BLOCKS_MAX: usize = 256;
/// Dead pages that there are at least when everything is full: the more, the less is copied.
const RESERVE: u32 = 13;
/// Bytes copied at a time.
const CHUNK: usize = 64;

/// Where a block is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    sector: u8,
    page: u8,
}

/// A block device on sectors.
pub struct Pages<S> {
    flash: S,
    places: [Option<Place>; BLOCKS_MAX],
    /// Sequence numbers; `None`: blank.
    sequences: [Option<u32>; SECTORS_MAX],
    /// The sector that is being filled, and its next free page.
    head: Option<Place>,
}

impl<S: Sectors> Pages<S> {
    /// Finds the blocks, and finishes what a loss of power interrupted.
    ///
    /// # Errors
    /// If the flash fails, or there is too much of it for this module.
    pub fn mount(flash: S) -> Result<Self, BlockError> {
        let mut pages =
            Self { flash, places: [None; BLOCKS_MAX], sequences: [None; SECTORS_MAX], head: None };
        let fits = pages.flash.count() as usize <= SECTORS_MAX
            && pages.flash.count() >= 2
            && pages.block_count() as usize <= BLOCKS_MAX
            && pages.pages_per_sector() <= 254;
        if !fits {
            return Err(BlockError::OutOfRange);
        }
        for sector in pages.sectors() {
            pages.sequences[usize::from(sector)] = pages.take_stock(sector)?;
        }
        for sector in pages.sectors() {
            pages.find_blocks(sector)?;
        }
        pages.find_head()?;
        if pages.blank_sector().is_none() {
            pages.make_room()?;
        }
        Ok(pages)
    }

    /// The flash below.
    pub fn flash(&mut self) -> &mut S {
        &mut self.flash
    }

    fn sectors(&self) -> impl Iterator<Item = u8> + use<S> {
        0..self.flash.count() as u8
    }

    fn pages_per_sector(&self) -> u32 {
        self.flash.size() / PAGE - 1
    }

    /// The sequence number of a sector; one that is neither blank nor valid is erased.
    fn take_stock(&mut self, sector: u8) -> Result<Option<u32>, BlockError> {
        let (sequence, size) = (Header::sequence(&mut self.flash, sector)?, self.flash.size());
        if sequence.is_none() && !is_blank(&mut self.flash, sector, 0, size)? {
            self.flash.erase(sector)?;
        }
        Ok(sequence)
    }

    /// Notes the blocks of a sector; the older of two pages of one block is marked as dead.
    fn find_blocks(&mut self, sector: u8) -> Result<(), BlockError> {
        if self.sequences[usize::from(sector)].is_none() {
            return Ok(());
        }
        for page in 0..self.pages_per_sector() as u8 {
            let place = Place { sector, page };
            let Some(block) = Header::block(&mut self.flash, place)? else { continue };
            let Some(known) = self.places.get(usize::from(block)).copied() else { continue };
            let sequence = |place: Place| self.sequences[usize::from(place.sector)];
            let older = known.map(|known| if sequence(known) > sequence(place) { place } else { known });
            if let Some(older) = older {
                Header::kill(&mut self.flash, older)?;
            }
            if older != Some(place) {
                self.places[usize::from(block)] = Some(place);
            }
        }
        Ok(())
    }

    /// Goes on in the newest sector, behind its last page that is not free.
    fn find_head(&mut self) -> Result<(), BlockError> {
        let newest = self.sectors().filter(|sector| self.sequences[usize::from(*sector)].is_some());
        let Some(sector) = newest.max_by_key(|sector| self.sequences[usize::from(*sector)]) else {
            return Ok(());
        };
        let count = self.pages_per_sector() as u8;
        let mut page = count;
        while page > 0 && Header::is_free(&mut self.flash, Place { sector, page: page - 1 })? {
            page -= 1;
        }
        // A copy that was interrupted has contents and no word.
        if page < count && !is_blank(&mut self.flash, sector, (u32::from(page) + 1) * PAGE, PAGE)? {
            Header::kill(&mut self.flash, Place { sector, page })?;
            page += 1;
        }
        self.head = Some(Place { sector, page });
        Ok(())
    }

    fn blank_sector(&self) -> Option<u8> {
        self.sectors().find(|sector| self.sequences[usize::from(*sector)].is_none())
    }

    fn blank_sectors(&self) -> usize {
        self.sectors().filter(|sector| self.sequences[usize::from(*sector)].is_none()).count()
    }

    /// Makes a blank sector the one that is filled.
    fn open(&mut self, sector: u8) -> Result<(), BlockError> {
        let newest = self.sequences.iter().flatten().max().copied().unwrap_or(0);
        Header::open(&mut self.flash, sector, newest + 1)?;
        self.sequences[usize::from(sector)] = Some(newest + 1);
        self.head = Some(Place { sector, page: 0 });
        Ok(())
    }

    /// The next free page of the sector that is filled.
    fn free_page(&mut self) -> Option<Place> {
        let count = self.pages_per_sector() as u8;
        let head = self.head.as_mut().filter(|head| head.page < count)?;
        let place = *head;
        head.page += 1;
        Some(place)
    }

    /// A free page for a block, which afterwards reads as erased.
    fn allocate(&mut self, block: u8) -> Result<Place, BlockError> {
        let place = loop {
            if let Some(place) = self.free_page() {
                break place;
            }
            let blank = self.blank_sector().ok_or(BlockError::Hardware)?;
            let is_last = self.blank_sectors() == 1;
            self.open(blank)?;
            if is_last {
                self.make_room()?;
            }
        };
        Header::use_page(&mut self.flash, place, block)?;
        self.places[usize::from(block)] = Some(place);
        Ok(place)
    }

    /// Copies the sector with the fewest pages in use behind what is in the sector that is filled, and erases it.
    fn make_room(&mut self) -> Result<(), BlockError> {
        let head = self.head.ok_or(BlockError::Hardware)?;
        let used = |sector: u8| self.places.iter().flatten().filter(|place| place.sector == sector).count();
        let victim =
            self.sectors().filter(|sector| *sector != head.sector).min_by_key(|sector| used(*sector));
        let victim = victim.ok_or(BlockError::Hardware)?;
        for block in 0..BLOCKS_MAX {
            let Some(from) = self.places[block].filter(|place| place.sector == victim) else { continue };
            let to = self.free_page().ok_or(BlockError::Hardware)?;
            self.copy(from, to)?;
            Header::use_page(&mut self.flash, to, block as u8)?;
            self.places[block] = Some(to);
        }
        Header::close(&mut self.flash, victim)?;
        self.flash.erase(victim)?;
        self.sequences[usize::from(victim)] = None;
        Ok(())
    }

    fn copy(&mut self, from: Place, to: Place) -> Result<(), BlockError> {
        let mut chunk = [0; CHUNK];
        for offset in (0..PAGE).step_by(CHUNK) {
            self.flash.read(from.sector, address(from) + offset, &mut chunk)?;
            if chunk.iter().any(|&byte| byte != 0xff) {
                self.flash.program(to.sector, address(to) + offset, &chunk)?;
            }
        }
        Ok(())
    }

    fn check(&self, block: u32, offset: u32, length: usize) -> Result<usize, BlockError> {
        let inside = block < self.block_count() && u64::from(offset) + length as u64 <= u64::from(PAGE);
        if inside { Ok(block as usize) } else { Err(BlockError::OutOfRange) }
    }
}

/// Offset of a page in its sector.
fn address(place: Place) -> u32 {
    (u32::from(place.page) + 1) * PAGE
}

impl<S: Sectors> BlockDevice for Pages<S> {
    fn block_size(&self) -> u32 {
        PAGE
    }

    fn block_count(&self) -> u32 {
        ((self.flash.count() - 1) * self.pages_per_sector()).saturating_sub(RESERVE)
    }

    fn read(&mut self, block: u32, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError> {
        let block = self.check(block, offset, bytes.len())?;
        match self.places[block] {
            Some(place) => self.flash.read(place.sector, address(place) + offset, bytes),
            None => {
                bytes.fill(0xff);
                Ok(())
            }
        }
    }

    fn write(&mut self, block: u32, offset: u32, bytes: &[u8]) -> Result<(), BlockError> {
        let block = self.check(block, offset, bytes.len())?;
        let place = match self.places[block] {
            Some(place) => place,
            None => self.allocate(block as u8)?,
        };
        self.flash.program(place.sector, address(place) + offset, bytes)
    }

    fn erase(&mut self, block: u32) -> Result<(), BlockError> {
        let block = self.check(block, 0, 0)?;
        if let Some(place) = self.places[block].take() {
            Header::kill(&mut self.flash, place)?;
        }
        Ok(())
    }
}
