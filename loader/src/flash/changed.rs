//! Which parts of a file flash does not hold yet, by the chip's own digests. The old file is not needed.
//!
//! Regions of 64 KB are asked for first. If only a few differ, they are narrowed down to sectors; if most differ, or flash
//! is blank, narrowing would cost more than it saves.

use super::digest::Digest;
use super::{SECTOR, plan};
use crate::connect::Loader;
use crate::error::Error;
use larch_image::merge::Blob;
use std::ops::Range;

/// Bytes of a region of the first pass.
const REGION: usize = 0x1_0000;
/// Bytes of the parts into which a region is narrowed down.
const PARTS: [usize; 2] = [0x4000, SECTOR as usize];
/// So many differing regions are narrowed down; so many in a row mean that the rest differs too.
const FEW: usize = 4;

/// What flash has in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Same,
    Other,
    Blank,
}

impl Loader<'_> {
    /// The parts of the blob that flash does not hold. A chip that cannot tell holds nothing.
    pub(super) fn changed(&mut self, blob: &Blob) -> Result<Vec<Range<usize>>, Error> {
        let whole = || Ok(std::iter::once(0..blob.data.len()).collect());
        if !plan::is_sector(blob.offset) {
            return whole();
        }
        if self.dialect.is_ours {
            return self.changed_sectors(blob);
        }
        let regions = match self.changed_regions(blob) {
            Err(Error::Refused { .. }) => return whole(),
            other => other?,
        };
        if regions.len() > FEW || regions.iter().any(|region| region.len() > REGION) {
            return Ok(joined(regions));
        }
        let mut parts = regions;
        for size in PARTS {
            let mut narrowed = Vec::new();
            for part in parts.into_iter().flat_map(|part| split(part, size)) {
                if self.held(blob, part.clone())? != Held::Same {
                    narrowed.push(part);
                }
            }
            parts = narrowed;
        }
        Ok(joined(parts))
    }

    /// By a list of digests of all sectors.
    fn changed_sectors(&mut self, blob: &Blob) -> Result<Vec<Range<usize>>, Error> {
        let sectors: Vec<_> = split(0..blob.data.len(), SECTOR as usize).collect();
        let count = u32::try_from(sectors.len()).unwrap_or(u32::MAX);
        let digests = self.sector_digests(blob.offset, count)?;
        let mut changed = Vec::new();
        for (part, digest) in sectors.into_iter().zip(digests) {
            let whole = part.len() == SECTOR as usize;
            let same = digest == Digest::of(&filled_up(&blob.data[part.clone()]))
                // Behind the file's end anything may be.
                || !whole && self.held(blob, part.clone())? == Held::Same;
            if !same {
                changed.push(part);
            }
        }
        Ok(joined(whole_blocks(blob, changed)))
    }

    fn changed_regions(&mut self, blob: &Blob) -> Result<Vec<Range<usize>>, Error> {
        let (mut changed, mut in_a_row) = (Vec::new(), 0);
        for region in split(0..blob.data.len(), REGION) {
            match self.held(blob, region.clone())? {
                Held::Same => in_a_row = 0,
                Held::Other if in_a_row < FEW => {
                    in_a_row += 1;
                    changed.push(region);
                }
                Held::Other | Held::Blank => {
                    changed.push(region.start..blob.data.len());
                    break;
                }
            }
        }
        Ok(changed)
    }

    fn held(&mut self, blob: &Blob, part: Range<usize>) -> Result<Held, Error> {
        let word = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let (offset, size) = (blob.offset + word(part.start), word(part.len()));
        let found = self.with_retries(|loader| loader.flash_md5(offset, size))?;
        Ok(if found == Digest::of(&blob.data[part.clone()]) {
            Held::Same
        } else if found == Digest::of(&vec![0xFF; part.len()]) {
            Held::Blank
        } else {
            Held::Other
        })
    }
}

/// A sector as flash has it if the rest was erased.
fn filled_up(data: &[u8]) -> Vec<u8> {
    let mut sector = data.to_vec();
    sector.resize(SECTOR as usize, 0xFF);
    sector
}

/// Where nearly all sectors of a 64 KB block differ, erasing and writing the whole block takes less time.
fn whole_blocks(blob: &Blob, changed: Vec<Range<usize>>) -> Vec<Range<usize>> {
    const NEARLY_ALL: usize = 14;
    let block_of = |part: &Range<usize>| (blob.offset as usize + part.start) / REGION;
    let mut parts: Vec<Range<usize>> = Vec::new();
    for block in changed.chunk_by(|a, b| block_of(a) == block_of(b)) {
        let start = (block_of(&block[0]) * REGION).checked_sub(blob.offset as usize);
        match start.filter(|start| block.len() >= NEARLY_ALL && start + REGION <= blob.data.len()) {
            Some(start) => parts.push(start..start + REGION),
            None => parts.extend(block.iter().cloned()),
        }
    }
    parts
}

fn split(range: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(size).map(move |start| start..end.min(start + size))
}

/// Neighbours as one.
fn joined(parts: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for part in parts {
        match joined.last_mut() {
            Some(last) if last.end == part.start => last.end = part.end,
            _ => joined.push(part),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_nearly_all_differ_are_written_whole() {
        let blob = Blob { name: String::new(), offset: 0x1_1000, data: vec![0; 0x4_0000] };
        let sectors = |range: Range<usize>| split(range, 0x1000);
        // 0x1_1000 is not where a block begins: 0xF000 into the file is.
        let changed = sectors(0..0xF000).chain(sectors(0xF000..0x1_D000)).chain(sectors(0x3_0000..0x3_1000));
        let parts = joined(whole_blocks(&blob, changed.collect()));
        assert_eq!(parts, [0..0x1_F000, 0x3_0000..0x3_1000]);
    }

    #[test]
    fn ranges_split_and_join() {
        let parts: Vec<_> = split(0x1000..0x2800, 0x1000).collect();
        assert_eq!(parts, [0x1000..0x2000, 0x2000..0x2800]);
        assert_eq!(joined(parts).first(), Some(&(0x1000..0x2800)));
        assert_eq!(joined(vec![0..1, 2..3]), [0..1, 2..3]);
    }
}
