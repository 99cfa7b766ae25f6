//! The state of a volume, and writing to a pair's log.
//!
//! Invariants:
//! - A log is only appended to, and only where the disk is known to be erased; otherwise it is first copied, without what
//!   is outdated, to the pair's other block ([`Fs::compact`]). Copying changes nothing that can be seen.
//! - Every commit leaves the disk consistent, or says in the global state what has to be repaired.
//! - Before a commit the caller makes room for it ([`Fs::has_room`]), and looks up anew what compaction may have moved.

use crate::Errno;
use crate::bus::{Bus, Program, UNIT};
use crate::disk::{Global, NO_ID, Pair, Tag, checksum, is_same, kind, words};
use crate::file::FileSlot;
use crate::log::{Found, Log};

/// Bytes that the checksums at the end of a commit may take.
const CHECKSUMS: u32 = 5 * 4;
/// What stays free at the end of a block.
const RESERVE: u32 = 2 * 4;
/// The longest stretch that one checksum tag covers.
const PADDING_MAX: u32 = 0x3fe;
/// Blocks that the allocator looks at together.
const WINDOW: u32 = 256;

/// What is kept of a volume between calls.
pub(crate) struct State {
    /// Where paths start.
    pub(crate) root: Pair,
    /// The global state as it is on the disk, and as the next commit will leave it.
    pub(crate) global: Global,
    pub(crate) next_global: Global,
    /// Shares of pairs that are about to be dropped; the next commit takes them over.
    pub(crate) inherited: Global,
    /// The log read last. Forgotten before anything is written to any log, as writing may fail half-way.
    pub(crate) recent: Option<Log>,
    /// The superblock is of an older version.
    pub(crate) outdated: bool,
    allocator: Allocator,
}

/// Which blocks are free: a window over the disk, and how many may still be looked at.
struct Allocator {
    used: [u32; WINDOW as usize / 32],
    start: u32,
    size: u32,
    next: u32,
    left: u32,
}

impl State {
    pub(crate) const fn new() -> Self {
        Self {
            root: [0, 1],
            global: Global::NONE,
            next_global: Global::NONE,
            inherited: Global::NONE,
            recent: None,
            outdated: false,
            allocator: Allocator { used: [0; WINDOW as usize / 32], start: 0, size: 0, next: 0, left: 0 },
        }
    }
}

/// A volume and its device, for the length of one call.
pub(crate) struct Fs<'a> {
    pub(crate) bus: Bus<'a>,
    pub(crate) state: &'a mut State,
    pub(crate) files: &'a mut [FileSlot],
}

/// Where a tag's data comes from.
#[derive(Clone, Copy)]
pub(crate) enum Data<'a> {
    Bytes(&'a [u8]),
    Disk(Found),
}

/// A commit being written.
struct Commit {
    program: Program,
    begin: u32,
    offset: u32,
    previous: Tag,
    crc: u32,
}

impl Fs<'_> {
    // ---- commits ----

    /// Whether tags and data of `size` bytes fit behind the log.
    pub(crate) fn has_room(&self, log: &Log, size: u32) -> bool {
        let global = 4 + Global::SIZE as u32;
        log.erased && log.end + size + global + CHECKSUMS + RESERVE <= self.bus.block_size
    }

    /// Finds a log and makes room in it; what moved meanwhile is found again.
    pub(crate) fn find_with_room<T>(
        &mut self,
        size: u32,
        mut find: impl FnMut(&mut Self) -> Result<(Log, T), Errno>,
    ) -> Result<(Log, T), Errno> {
        const ROUNDS: usize = 4;
        for _ in 0..ROUNDS {
            let (log, found) = find(self)?;
            if self.has_room(&log, size) {
                return Ok((log, found));
            }
            self.compact(&log)?;
        }
        Err(Errno::ENOSPC)
    }

    /// Appends tags to a log that has room for them, and the change of the global state if there is one.
    pub(crate) fn append(&mut self, log: &mut Log, tags: &[(Tag, Data<'_>)]) -> Result<(), Errno> {
        let share = self.new_share(log)?;
        self.state.recent = None;
        let mut commit =
            Commit { program: Program::new(), begin: log.end, offset: log.end, previous: log.tag, crc: !0 };
        commit.program.begin(log.pair[0], log.end);
        for &(tag, data) in tags {
            self.commit_tag(&mut commit, tag, data)?;
        }
        if let Some(share) = share {
            let tag = Tag::new(kind::GLOBAL, NO_ID, Global::SIZE);
            self.commit_tag(&mut commit, tag, Data::Bytes(&share.encode()))?;
        }
        let pair = log.pair;
        self.finish(commit)?;
        self.settle_global();
        *log = self.fetch(pair)?;
        self.follow(pair, tags);
        Ok(())
    }

    /// The pair's share of the global state after the next commit, if it changes.
    fn new_share(&mut self, log: &Log) -> Result<Option<Global>, Errno> {
        let delta = self.state.global.xor(self.state.next_global).xor(self.state.inherited);
        if delta == Global::NONE {
            return Ok(None);
        }
        Ok(Some(self.share(log)?.xor(delta)))
    }

    fn settle_global(&mut self) {
        self.state.global = self.state.next_global;
        self.state.inherited = Global::NONE;
    }

    /// Tells open files that their entries have moved or gone.
    fn follow(&mut self, pair: Pair, tags: &[(Tag, Data<'_>)]) {
        for (tag, _) in tags {
            for slot in self.files.iter_mut().filter(|slot| slot.open && is_same(slot.pair, pair)) {
                match tag.kind() {
                    kind::CREATE if tag.id() <= slot.id => slot.id += 1,
                    kind::DELETE if tag.id() == slot.id => slot.detach(),
                    kind::DELETE if tag.id() < slot.id => slot.id -= 1,
                    _ => {}
                }
            }
        }
    }

    fn commit_tag(&mut self, commit: &mut Commit, tag: Tag, data: Data<'_>) -> Result<(), Errno> {
        let raw = (tag.0 ^ commit.previous.0).to_be_bytes();
        self.commit_bytes(commit, &raw)?;
        commit.previous = tag;
        match data {
            Data::Bytes(bytes) => self.commit_bytes(commit, bytes),
            Data::Disk(found) => {
                let (mut offset, end) = (found.offset, found.offset + tag.len() as u32);
                let mut chunk = [0; 32];
                while offset < end {
                    let count = chunk.len().min((end - offset) as usize);
                    self.bus.read(found.block, offset, &mut chunk[..count])?;
                    self.commit_bytes(commit, &chunk[..count])?;
                    offset += count as u32;
                }
                Ok(())
            }
        }
    }

    fn commit_bytes(&mut self, commit: &mut Commit, bytes: &[u8]) -> Result<(), Errno> {
        self.bus.put(&mut commit.program, bytes)?;
        commit.crc = checksum(commit.crc, bytes);
        commit.offset += bytes.len() as u32;
        Ok(())
    }

    /// Ends a commit: checksums up to the next whole unit, one over the erased unit that follows, and a look at whether
    /// the disk holds what was written.
    fn finish(&mut self, mut commit: Commit) -> Result<(), Errno> {
        let block = commit.program.block;
        let end = (commit.offset + CHECKSUMS).min(self.bus.block_size).next_multiple_of(UNIT);
        let mut verified: Option<(u32, u32)> = None;
        while commit.offset < end {
            let data = commit.offset + 4;
            let mut next = data + (end - data).min(PADDING_MAX);
            if next < end {
                next = next.min(end - CHECKSUMS);
            }
            let mut first = [0xff];
            if next >= end && next <= self.bus.block_size - UNIT {
                self.bus.read(block, next, &mut first)?;
                let crc = self.checksum_range(block, next, UNIT, !0)?;
                let tag = Tag::new(kind::FORWARD_CHECKSUM, NO_ID, 8);
                self.commit_tag(&mut commit, tag, Data::Bytes(&words::<2, 8>([UNIT, crc])))?;
            }
            let flips = !first[0] >> 7;
            let tag = Tag::new(kind::CHECKSUM + u16::from(flips), NO_ID, (next - commit.offset - 4) as usize);
            let raw = (tag.0 ^ commit.previous.0).to_be_bytes();
            self.commit_bytes(&mut commit, &raw)?;
            let crc = commit.crc;
            self.bus.put(&mut commit.program, &crc.to_le_bytes())?;
            verified.get_or_insert((commit.offset, crc));
            commit.previous = Tag(tag.0 ^ u32::from(flips) << 31);
            commit.offset = next;
            commit.crc = !0;
            self.bus.skip_to(&mut commit.program, next)?;
        }
        let (length, crc) = verified.ok_or(Errno::ENOSPC)?;
        self.bus.device.sync().map_err(|_| Errno::EIO)?;
        let found = self.checksum_range(block, commit.begin, length - commit.begin, !0)?;
        if found == crc && self.bus.read_word(block, length, None)? == crc { Ok(()) } else { Err(Errno::EIO) }
    }

    // ---- compaction ----

    /// Copies a log to the pair's other block without what is outdated; half of its entries to a new pair if they are many.
    pub(crate) fn compact(&mut self, log: &Log) -> Result<(), Errno> {
        let limit = (self.bus.block_size / 2).min(self.bus.block_size - 40);
        let mut sizes = 0;
        let mut middle = None;
        for id in 0..log.count {
            sizes += self.entry_size(log, id)?;
            if middle.is_none() && sizes > limit / 2 && id + 1 < log.count {
                middle = Some(id + 1);
            }
        }
        let Some(middle) = middle.filter(|_| sizes > limit) else { return self.rewrite_whole(log) };
        match self.allocate_pair() {
            Ok((pair, revision)) => self.split(log, middle, pair, revision),
            Err(Errno::ENOSPC) => self.rewrite_whole(log),
            Err(errno) => Err(errno),
        }
    }

    /// Copies a log to the pair's other block without what is outdated.
    pub(crate) fn rewrite_whole(&mut self, log: &Log) -> Result<(), Errno> {
        self.rewrite(log, log.pair, log.revision, 0..log.count, log.tail, log.split, None)
    }

    /// Moves the entries from `middle` on to a new pair, which becomes the log's tail.
    fn split(&mut self, log: &Log, middle: u16, new: Pair, revision: u32) -> Result<(), Errno> {
        self.rewrite(log, new, revision, middle..log.count, log.tail, log.split, Some(Global::NONE))?;
        self.rewrite(log, log.pair, log.revision, 0..middle, Some(new), true, None)?;
        for slot in self.files.iter_mut().filter(|slot| slot.open && is_same(slot.pair, log.pair)) {
            if slot.id >= middle {
                slot.pair = new;
                slot.id -= middle;
            }
        }
        Ok(())
    }

    /// Bytes that an entry takes when it is copied.
    fn entry_size(&mut self, log: &Log, id: u16) -> Result<u32, Errno> {
        let mut size = 0;
        let mut seen = Seen::new();
        self.visit(log, id, |found| {
            if seen.is_first(found.tag) && !found.tag.is_deleted() {
                size += found.tag.size();
            }
            false
        })?;
        Ok(size)
    }

    /// Writes entries of `log` to the second block of `to`, with the next revision.
    #[expect(clippy::too_many_arguments, reason = "a log has that many parts")]
    fn rewrite(
        &mut self,
        log: &Log,
        to: Pair,
        revision: u32,
        entries: core::ops::Range<u16>,
        tail: Option<Pair>,
        split: bool,
        share: Option<Global>,
    ) -> Result<(), Errno> {
        let share = match share {
            Some(share) => share,
            None => self.share(log)?,
        };
        let mut commit = self.begin(to[1], revision.wrapping_add(1))?;
        let first = entries.start;
        for id in entries {
            self.copy_entry(&mut commit, log, id, id - first)?;
        }
        if let Some(tail) = tail {
            let tag = Tag::new(kind::TAIL + u16::from(split), NO_ID, 8);
            self.commit_tag(&mut commit, tag, Data::Bytes(&words::<2, 8>(tail)))?;
        }
        if share != Global::NONE {
            let tag = Tag::new(kind::GLOBAL, NO_ID, Global::SIZE);
            self.commit_tag(&mut commit, tag, Data::Bytes(&share.encode()))?;
        }
        if commit.offset + CHECKSUMS > self.bus.block_size {
            return Err(Errno::ENOSPC);
        }
        self.finish(commit)
    }

    /// Erases a block and starts its log.
    fn begin(&mut self, block: u32, revision: u32) -> Result<Commit, Errno> {
        self.state.recent = None;
        self.bus.erase(block)?;
        let mut commit =
            Commit { program: Program::new(), begin: 0, offset: 0, previous: Tag::START, crc: !0 };
        commit.program.begin(block, 0);
        self.commit_bytes(&mut commit, &revision.to_le_bytes())?;
        Ok(commit)
    }

    /// Copies the newest tags of an entry: name, structure, attributes.
    fn copy_entry(&mut self, commit: &mut Commit, log: &Log, from: u16, to: u16) -> Result<(), Errno> {
        for group in [kind::NAME, kind::STRUCT] {
            if let Some(found) = self.get(log, group, from)? {
                let tag = Tag::new(found.tag.kind(), to, found.tag.len());
                self.commit_tag(commit, tag, Data::Disk(found))?;
            }
        }
        let mut done = Seen::new();
        while let Some(found) = self.next_attribute(log, from, &mut done)? {
            let tag = Tag::new(found.tag.kind(), to, found.tag.len());
            self.commit_tag(commit, tag, Data::Disk(found))?;
        }
        Ok(())
    }

    /// An attribute of an entry that is not in `done` yet, and is then.
    pub(crate) fn next_attribute(
        &mut self,
        log: &Log,
        id: u16,
        done: &mut Seen,
    ) -> Result<Option<Found>, Errno> {
        let mut next = None;
        self.visit(log, id, |found| {
            if found.tag.group() == kind::ATTRIBUTE && done.is_first(found.tag) && !found.tag.is_deleted() {
                next = Some(found);
            }
            next.is_some()
        })?;
        Ok(next)
    }

    /// Writes a new pair: its second block gets a first commit, its first block counts as older.
    pub(crate) fn create_pair(&mut self, tags: &[(Tag, Data<'_>)]) -> Result<Pair, Errno> {
        let (pair, revision) = self.allocate_pair()?;
        self.write_pair(pair, revision, tags)?;
        Ok(pair)
    }

    pub(crate) fn write_pair(
        &mut self,
        pair: Pair,
        revision: u32,
        tags: &[(Tag, Data<'_>)],
    ) -> Result<(), Errno> {
        let mut commit = self.begin(pair[1], revision.wrapping_add(1))?;
        for &(tag, data) in tags {
            self.commit_tag(&mut commit, tag, data)?;
        }
        self.finish(commit)
    }

    // ---- free blocks ----

    /// Says that every block in use can be found from the root or from an open file, so all others may be given out.
    pub(crate) fn checkpoint(&mut self) {
        self.state.allocator.left = self.bus.block_count;
    }

    /// Forgets what is known of free blocks.
    pub(crate) fn forget_free_blocks(&mut self) {
        let allocator = &mut self.state.allocator;
        (allocator.size, allocator.next) = (0, 0);
        self.checkpoint();
    }

    /// Starts the search for free blocks at a place that differs from mount to mount, to wear all blocks alike.
    pub(crate) fn seed_allocator(&mut self, seed: u32) {
        self.state.allocator.start = seed % self.bus.block_count;
        self.forget_free_blocks();
    }

    /// A free block. It may be given out again after the next [`Fs::checkpoint`] unless it is in use by then.
    pub(crate) fn allocate(&mut self) -> Result<u32, Errno> {
        loop {
            let count = self.bus.block_count;
            let allocator = &mut self.state.allocator;
            while allocator.next < allocator.size {
                let at = allocator.next;
                allocator.next += 1;
                allocator.left -= 1;
                if allocator.used[(at / 32) as usize] & 1 << (at % 32) == 0 {
                    return Ok((allocator.start + at) % count);
                }
            }
            if allocator.left == 0 {
                return Err(Errno::ENOSPC);
            }
            allocator.start = (allocator.start + allocator.next) % count;
            allocator.next = 0;
            allocator.size = WINDOW.min(allocator.left);
            allocator.used = [0; WINDOW as usize / 32];
            if let Err(errno) = self.mark_used() {
                self.forget_free_blocks();
                return Err(errno);
            }
        }
    }

    /// Marks the blocks in use that lie in the window.
    fn mark_used(&mut self) -> Result<(), Errno> {
        let mut allocator = core::mem::replace(
            &mut self.state.allocator,
            Allocator { used: [0; WINDOW as usize / 32], start: 0, size: 0, next: 0, left: 0 },
        );
        let count = self.bus.block_count;
        let result = self.traverse(&mut |block| {
            let at = (block % count + count - allocator.start) % count;
            if at < allocator.size {
                allocator.used[(at / 32) as usize] |= 1 << (at % 32);
            }
        });
        self.state.allocator = allocator;
        result
    }

    /// Two free blocks and the revision from which a log in them counts: newer than what the first of them holds.
    fn allocate_pair(&mut self) -> Result<(Pair, u32), Errno> {
        let second = self.allocate()?;
        let first = self.allocate()?;
        Ok(([first, second], self.bus.read_word(first, 0, None)?))
    }
}

/// Which kinds of tags of an entry have been seen: a name, a structure, attributes by number.
pub(crate) struct Seen {
    groups: [bool; 2],
    attributes: [u32; 8],
}

impl Seen {
    pub(crate) fn new() -> Self {
        Self { groups: [false; 2], attributes: [0; 8] }
    }

    /// Whether this is the first tag of its kind; only names, structures and attributes count.
    pub(crate) fn is_first(&mut self, tag: Tag) -> bool {
        match tag.group() {
            kind::NAME => !core::mem::replace(&mut self.groups[0], true),
            kind::STRUCT => !core::mem::replace(&mut self.groups[1], true),
            kind::ATTRIBUTE => {
                let (word, bit) = (usize::from(tag.low() / 32), 1 << (tag.low() % 32));
                let first = self.attributes[word] & bit == 0;
                self.attributes[word] |= bit;
                first
            }
            _ => false,
        }
    }
}
