//! Reading the log of a pair.

use crate::Errno;
use crate::bus::UNIT;
use crate::disk::{Global, NO_ID, Pair, Tag, checksum, is_same, kind, pair};
use crate::fs::Fs;

/// What a pair holds, as of its last complete commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    /// The block in use first.
    pub(crate) pair: Pair,
    pub(crate) revision: u32,
    /// Where the next commit goes.
    pub(crate) end: u32,
    /// What the next tag is XORed with.
    pub(crate) tag: Tag,
    /// How many entries there are.
    pub(crate) count: u16,
    /// The next pair of the list of all pairs.
    pub(crate) tail: Option<Pair>,
    /// The next pair continues this directory.
    pub(crate) split: bool,
    /// What follows is known to be erased.
    pub(crate) erased: bool,
}

/// A tag's data on the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) tag: Tag,
    pub(crate) block: u32,
    pub(crate) offset: u32,
}

/// A pass over a log from its start: what has been seen of the entries.
struct Scan {
    count: u16,
    tail: Option<Pair>,
    split: bool,
    forward: Option<(u32, u32)>,
}

impl Fs<'_> {
    /// Reads a pair's log up to its last complete commit, unless it is the one read last.
    pub(crate) fn fetch(&mut self, at: Pair) -> Result<Log, Errno> {
        match self.state.recent {
            Some(log) if is_same(log.pair, at) => Ok(log),
            _ => {
                let log = self.fetch_anew(at)?;
                self.state.recent = Some(log);
                Ok(log)
            }
        }
    }

    fn fetch_anew(&mut self, at: Pair) -> Result<Log, Errno> {
        let mut revisions = [0; 2];
        for (revision, block) in revisions.iter_mut().zip(at) {
            *revision = self.bus.read_word(block, 0, None)?;
        }
        let newer = usize::from((revisions[1].wrapping_sub(revisions[0]) as i32) > 0);
        for active in [newer, 1 - newer] {
            if let Some(log) = self.scan([at[active], at[1 - active]], revisions[active])? {
                return Ok(log);
            }
        }
        Err(Errno::ECORRUPT)
    }

    /// Reads the log in the first block of `at`; nothing if it has no complete commit.
    fn scan(&mut self, at: Pair, revision: u32) -> Result<Option<Log>, Errno> {
        let block = at[0];
        let mut log: Option<Log> = None;
        let mut scan = Scan { count: 0, tail: None, split: false, forward: None };
        let mut crc = checksum(!0, &revision.to_le_bytes());
        let (mut offset, mut previous, mut ends_clean) = (4, Tag::START, false);
        while offset + 4 <= self.bus.block_size {
            let mut raw = [0; 4];
            self.bus.read(block, offset, &mut raw)?;
            let tag = Tag(u32::from_be_bytes(raw) ^ previous.0);
            if !tag.is_valid() {
                ends_clean = previous.is_checksum();
                break;
            }
            if offset + tag.size() > self.bus.block_size {
                break;
            }
            crc = checksum(crc, &raw);
            previous = tag;
            if tag.is_checksum() {
                if tag.len() < 4 || self.bus.read_word(block, offset + 4, None)? != crc {
                    break;
                }
                previous.0 ^= u32::from(tag.low() & 1) << 31;
                offset += tag.size();
                log = Some(Log {
                    pair: at,
                    revision,
                    end: offset,
                    tag: previous,
                    count: scan.count,
                    tail: scan.tail,
                    split: scan.split,
                    erased: false,
                });
                crc = !0;
                continue;
            }
            crc = self.checksum_range(block, offset + 4, tag.len() as u32, crc)?;
            self.note(&mut scan, tag, block, offset + 4)?;
            offset += tag.size();
        }
        let Some(mut log) = log else { return Ok(None) };
        if ends_clean
            && log.end.is_multiple_of(UNIT)
            && let Some((size, expected)) = scan.forward
            && u64::from(log.end) + u64::from(size) <= u64::from(self.bus.block_size)
        {
            log.erased = self.checksum_range(block, log.end, size, !0)? == expected;
        }
        Ok(Some(log))
    }

    /// What one tag changes.
    fn note(&mut self, scan: &mut Scan, tag: Tag, block: u32, data: u32) -> Result<(), Errno> {
        let mut bytes = [0; 8];
        let wanted = tag.group() == kind::TAIL || tag.kind() == kind::FORWARD_CHECKSUM;
        if wanted && tag.len() >= bytes.len() {
            self.bus.read(block, data, &mut bytes)?;
        }
        match tag.group() {
            kind::NAME => scan.count = scan.count.max(tag.id() + 1),
            kind::SPLICE => scan.count = scan.count.wrapping_add_signed(i16::from(tag.low() as i8)),
            kind::TAIL => {
                scan.tail = Some(pair(&bytes)).filter(|tail| tail.iter().all(|&block| block != u32::MAX));
                scan.split = tag.low() & 1 == 1;
            }
            _ if tag.kind() == kind::FORWARD_CHECKSUM => {
                let [size, crc] = pair(&bytes);
                scan.forward = Some((size, crc));
            }
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn checksum_range(
        &mut self,
        block: u32,
        offset: u32,
        len: u32,
        crc: u32,
    ) -> Result<u32, Errno> {
        let (mut crc, mut offset, end) = (crc, offset, offset + len);
        let mut chunk = [0; 32];
        while offset < end {
            let count = chunk.len().min((end - offset) as usize);
            self.bus.read(block, offset, &mut chunk[..count])?;
            crc = checksum(crc, &chunk[..count]);
            offset += count as u32;
        }
        Ok(crc)
    }

    /// Calls `visit` with the tags of entry `id`, newest first, until it returns `true` or the entry's beginning is
    /// reached.
    pub(crate) fn visit(
        &mut self,
        log: &Log,
        id: u16,
        mut visit: impl FnMut(Found) -> bool,
    ) -> Result<(), Errno> {
        // The entry's number as it was when the tag at hand was written.
        let mut id = i32::from(id);
        let (mut offset, mut tag) = (log.end, log.tag);
        while offset >= 4 + tag.size() {
            offset -= tag.size();
            let mut raw = [0; 4];
            self.bus.read(log.pair[0], offset, &mut raw)?;
            let here = tag;
            tag = Tag((u32::from_be_bytes(raw) ^ here.0) & 0x7fff_ffff);
            let here = Tag(here.0 & 0x7fff_ffff);
            if here.group() == kind::SPLICE {
                if id == i32::from(NO_ID) {
                    continue;
                }
                if here.kind() == kind::CREATE && i32::from(here.id()) == id {
                    return Ok(());
                }
                if i32::from(here.id()) <= id {
                    id -= i32::from(here.low() as i8);
                }
            } else if i32::from(here.id()) == id
                && here.group() != kind::CHECKSUM
                && visit(Found { tag: here, block: log.pair[0], offset: offset + 4 })
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The newest tag of entry `id` in a group, unless it is deleted. [`NO_ID`] finds tags that belong to no entry.
    pub(crate) fn get(&mut self, log: &Log, group: u16, id: u16) -> Result<Option<Found>, Errno> {
        self.get_if(log, id, |tag| tag.group() == group)
    }

    /// The newest tag of one kind.
    pub(crate) fn get_kind(&mut self, log: &Log, kind: u16, id: u16) -> Result<Option<Found>, Errno> {
        self.get_if(log, id, |tag| tag.kind() == kind)
    }

    fn get_if(&mut self, log: &Log, id: u16, fits: impl Fn(Tag) -> bool) -> Result<Option<Found>, Errno> {
        let mut found = None;
        self.visit(log, id, |here| {
            if fits(here.tag) {
                found = Some(here);
            }
            found.is_some()
        })?;
        Ok(found.filter(|found| !found.tag.is_deleted()))
    }

    /// Reads a tag's data from `skip` on; what is missing is zero.
    pub(crate) fn data<const N: usize>(&mut self, found: Found) -> Result<[u8; N], Errno> {
        let mut bytes = [0; N];
        let len = found.tag.len().min(N);
        self.bus.read(found.block, found.offset, &mut bytes[..len])?;
        Ok(bytes)
    }

    /// A pair's share of the global state.
    pub(crate) fn share(&mut self, log: &Log) -> Result<Global, Errno> {
        match self.get_kind(log, kind::GLOBAL, NO_ID)? {
            Some(found) => Ok(Global::decode(&self.data(found)?)),
            None => Ok(Global::NONE),
        }
    }
}
