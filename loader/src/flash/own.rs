//! What only our own stub can do: digests of all sectors at once.

use super::SECTOR;
use super::digest::Digest;
use crate::connect::Loader;
use crate::error::Error;
use crate::flash::per_megabyte;
use larch_protocol::{ChipError, Command, Opcode};

/// Sectors that are asked for at once: 4 MB, and 16 KB of answer.
const MOST: u32 = 1024;
/// Seconds for a megabyte, at the slowest rate.
const SECONDS_PER_MEGABYTE: u64 = 8;

impl Loader<'_> {
    /// The chip's MD5 of each of `count` sectors from `offset` on.
    pub(super) fn sector_digests(&mut self, offset: u32, count: u32) -> Result<Vec<Digest>, Error> {
        self.flash()?;
        let mut digests = Vec::with_capacity(count as usize);
        let mut done = 0;
        while done < count {
            let some = (count - done).min(MOST);
            let command = Command::SectorDigests { offset: offset + done * SECTOR, count: some };
            let timeout = per_megabyte(SECONDS_PER_MEGABYTE, u64::from(some * SECTOR));
            let len = some as usize * 16;
            let (_, data) = self.with_retries(|loader| loader.link.command(&command, len, timeout))?;
            let (all, _) = data.as_chunks::<16>();
            digests.extend(all.iter().copied().map(Digest));
            done += some;
        }
        if digests.len() == count as usize {
            return Ok(digests);
        }
        Err(Error::refused(Opcode::SectorDigests, ChipError::SHORT))
    }
}
