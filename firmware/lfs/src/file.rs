//! Open files.
//!
//! A file of few bytes lives in its directory's log ([`Content::Stored`]; [`Content::Buffered`] once it is written), a larger
//! one in a list of blocks. Blocks in use are never changed: writing makes a new list that shares its beginning with the
//! old one, and [`Fs::sync`] puts it in place of the old one in one commit.
//!
//! Source: the file functions of littlefs `lfs.c`.

use crate::bus::{CACHE, Program};
use crate::disk::{Pair, Tag, kind, words};
use crate::fs::{Data, Fs};
use crate::log::{Found, Log};
use crate::{Errno, ROOM_FOR_FILE};

/// The attribute that holds the modification time: nanoseconds since 1970, eight bytes, low one first.
pub(crate) const MTIME: u16 = kind::ATTRIBUTE + 1;
/// The largest file.
const SIZE_MAX: u32 = i32::MAX as u32;
/// The largest file that is kept in the log: MicroPython's value for its cache size.
const INLINE_MAX: u32 = CACHE as u32;

/// An open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    pub(crate) slot: u8,
    pub(crate) generation: u8,
}

impl FileId {
    /// The handle as a number that fits into a small int.
    #[must_use]
    pub fn to_bits(self) -> u16 {
        u16::from_le_bytes([self.slot, self.generation])
    }

    /// The handle from its number. Any number is safe: one that names no open file is refused when it is used.
    #[must_use]
    pub fn from_bits(bits: u16) -> Self {
        let [slot, generation] = bits.to_le_bytes();
        Self { slot, generation }
    }
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenMode {
    /// It can be read.
    pub read: bool,
    /// It can be written.
    pub write: bool,
    /// It is made if it does not exist.
    pub create: bool,
    /// It must not exist yet.
    pub exclusive: bool,
    /// Its contents are dropped.
    pub truncate: bool,
    /// Every write goes to its end.
    pub append: bool,
}

impl OpenMode {
    const NONE: Self =
        Self { read: false, write: false, create: false, exclusive: false, truncate: false, append: false };
}

/// Where a position is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeekFrom {
    /// The start of the file.
    Start,
    /// The position now.
    Current,
    /// The end of the file.
    End,
}

/// Where a file's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// In the directory's log.
    Stored { size: u32 },
    /// In the slot's buffer.
    Buffered { size: u32 },
    /// In a list of blocks.
    List { head: u32, size: u32 },
}

/// The end of the list being written: a block and where its free part starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer {
    pub(crate) block: u32,
    offset: u32,
}

/// The memory of one open file.
pub(crate) struct FileSlot {
    pub(crate) open: bool,
    pub(crate) generation: u8,
    pub(crate) mode: OpenMode,
    /// The entry is gone; what is written has nowhere to go.
    detached: bool,
    /// A write failed; what is on the disk stays as it is.
    failed: bool,
    dirty: bool,
    pub(crate) pair: Pair,
    pub(crate) id: u16,
    content: Content,
    pub(crate) position: u32,
    pub(crate) writer: Option<Writer>,
    pub(crate) program: Program,
    pub(crate) mtime: [u8; 8],
}

impl FileSlot {
    pub(crate) const fn new() -> Self {
        Self {
            open: false,
            generation: 0,
            mode: OpenMode::NONE,
            detached: false,
            failed: false,
            dirty: false,
            pair: [0, 0],
            id: 0,
            content: Content::Buffered { size: 0 },
            position: 0,
            writer: None,
            program: Program::new(),
            mtime: [0; 8],
        }
    }

    /// The entry has been deleted.
    pub(crate) fn detach(&mut self) {
        self.detached = true;
        self.pair = [u32::MAX; 2];
    }

    /// The list of blocks that holds the file.
    pub(crate) fn list(&self) -> Option<(u32, u32)> {
        match self.content {
            Content::List { head, size } if size > 0 => Some((head, size)),
            _ => None,
        }
    }

    fn size(&self) -> u32 {
        let size = match self.content {
            Content::Stored { size } | Content::Buffered { size } | Content::List { size, .. } => size,
        };
        if self.writer.is_some() { size.max(self.position) } else { size }
    }
}

impl Fs<'_> {
    /// Opens the file that entry `id` of `log` is.
    pub(crate) fn open_entry(
        &mut self,
        index: usize,
        log: &Log,
        id: u16,
        mode: OpenMode,
        now_ns: u64,
    ) -> Result<(), Errno> {
        let found = self.get(log, kind::STRUCT, id)?.ok_or(Errno::ECORRUPT)?;
        let content = match found.tag.kind() {
            _ if mode.truncate => Content::Buffered { size: 0 },
            kind::CTZ_STRUCT => {
                let [head, size] = crate::disk::pair(&self.data::<8>(found)?);
                Content::List { head, size }
            }
            kind::INLINE_STRUCT => Content::Stored { size: found.tag.len() as u32 },
            _ => return Err(Errno::ECORRUPT),
        };
        let mtime = match self.get_kind(log, MTIME, id)? {
            Some(found) if mode.read => self.data(found)?,
            _ => now_ns.to_le_bytes(),
        };
        let slot = &mut self.files[index];
        slot.open = true;
        slot.generation = slot.generation.wrapping_add(1);
        (slot.mode, slot.mtime, slot.content) = (mode, mtime, content);
        (slot.pair, slot.id) = (log.pair, id);
        (slot.detached, slot.failed, slot.dirty) = (false, false, mode.write);
        (slot.position, slot.writer) = (0, None);
        Ok(())
    }

    /// Reads from the file's position.
    pub(crate) fn read_file(&mut self, index: usize, to: &mut [u8]) -> Result<usize, Errno> {
        self.flush_file(index)?;
        let Self { bus, files, .. } = self;
        let slot = &mut files[index];
        let count = to.len().min(slot.size().saturating_sub(slot.position) as usize);
        let to = &mut to[..count];
        match slot.content {
            Content::Buffered { .. } => {
                let start = slot.position as usize;
                if count > 0 {
                    to.copy_from_slice(&slot.program.bytes[start..start + count]);
                }
            }
            Content::List { head, size } => {
                let (mut position, mut rest) = (slot.position, &mut to[..]);
                while !rest.is_empty() {
                    let (block, offset) = bus.find_block(head, size, position)?;
                    let chunk = rest.len().min((bus.block_size - offset) as usize);
                    let (now, later) = rest.split_at_mut(chunk);
                    bus.read(block, offset, now)?;
                    position += chunk as u32;
                    rest = later;
                }
            }
            Content::Stored { .. } => {
                let position = slot.position;
                let found = self.stored(index)?;
                self.read_stored(found, position, to)?;
            }
        }
        self.files[index].position += count as u32;
        Ok(count)
    }

    /// Where the log holds the file.
    fn stored(&mut self, index: usize) -> Result<Found, Errno> {
        let (pair, id, detached) = (self.files[index].pair, self.files[index].id, self.files[index].detached);
        if detached {
            return Err(Errno::ENOENT);
        }
        let log = self.fetch(pair)?;
        self.get_kind(&log, kind::INLINE_STRUCT, id)?.ok_or(Errno::ENOENT)
    }

    fn read_stored(&mut self, found: Found, position: u32, to: &mut [u8]) -> Result<(), Errno> {
        if position as usize + to.len() > found.tag.len() {
            return Err(Errno::EIO);
        }
        self.bus.read(found.block, found.offset + position, to)
    }

    /// Writes at the file's position, or at its end.
    pub(crate) fn write_file(&mut self, index: usize, from: &[u8]) -> Result<usize, Errno> {
        let slot = &mut self.files[index];
        if slot.mode.append && slot.position < slot.size() {
            self.flush_file(index)?;
            let slot = &mut self.files[index];
            slot.position = slot.size();
        }
        let slot = &mut self.files[index];
        if u64::from(slot.position) + from.len() as u64 > u64::from(SIZE_MAX) {
            return Err(Errno::EFBIG);
        }
        if from.is_empty() {
            return Ok(0);
        }
        let result = self.fill_gap(index).and_then(|()| self.write_bytes(index, from));
        self.files[index].failed |= result.is_err();
        result.map(|()| from.len())
    }

    /// Writes zeros from the end of the file up to a position behind it.
    fn fill_gap(&mut self, index: usize) -> Result<(), Errno> {
        let (target, size) = (self.files[index].position, self.files[index].size());
        if target <= size {
            return Ok(());
        }
        self.files[index].position = size;
        let zeros = [0; 64];
        let mut missing = (target - size) as usize;
        while missing > 0 {
            let count = missing.min(zeros.len());
            self.write_bytes(index, &zeros[..count])?;
            missing -= count;
        }
        Ok(())
    }

    fn write_bytes(&mut self, index: usize, from: &[u8]) -> Result<(), Errno> {
        let slot = &self.files[index];
        let end = slot.position + from.len() as u32;
        match slot.content {
            Content::Stored { size } | Content::Buffered { size } if size.max(end) <= INLINE_MAX => {
                self.buffer(index)?;
                let slot = &mut self.files[index];
                slot.program.bytes[slot.position as usize..end as usize].copy_from_slice(from);
                slot.content = Content::Buffered { size: size.max(end) };
                (slot.position, slot.dirty) = (end, true);
                Ok(())
            }
            Content::Stored { size } | Content::Buffered { size } => {
                self.move_to_list(index, size)?;
                self.write_list(index, from)
            }
            Content::List { .. } => self.write_list(index, from),
        }
    }

    /// Brings a stored file into the buffer.
    fn buffer(&mut self, index: usize) -> Result<(), Errno> {
        if let Content::Stored { size } = self.files[index].content {
            let found = self.stored(index)?;
            let mut bytes = [0; CACHE];
            self.read_stored(found, 0, &mut bytes[..size as usize])?;
            let slot = &mut self.files[index];
            slot.program.bytes = bytes;
            slot.content = Content::Buffered { size };
        }
        Ok(())
    }

    /// Copies a small file to a list of blocks, which stays open for writing if its position is its end.
    fn move_to_list(&mut self, index: usize, size: u32) -> Result<(), Errno> {
        let slot = &mut self.files[index];
        let (target, content, buffered) = (slot.position, slot.content, slot.program.bytes);
        let stored = if let Content::Stored { .. } = content { Some(self.stored(index)?) } else { None };
        let slot = &mut self.files[index];
        slot.content = Content::List { head: 0, size: 0 };
        slot.position = 0;
        let mut chunk = [0; 32];
        let mut position = 0;
        while position < size {
            let count = chunk.len().min((size - position) as usize);
            match stored {
                Some(found) => self.read_stored(found, position, &mut chunk[..count])?,
                None => chunk[..count].copy_from_slice(&buffered[position as usize..][..count]),
            }
            self.write_list(index, &chunk[..count])?;
            position += count as u32;
        }
        if target != size {
            self.flush_file(index)?;
            self.files[index].position = target;
        }
        Ok(())
    }

    fn write_list(&mut self, index: usize, from: &[u8]) -> Result<(), Errno> {
        let mut from = from;
        while !from.is_empty() {
            let slot = &self.files[index];
            let writer = match slot.writer {
                Some(writer) if writer.offset < self.bus.block_size => writer,
                _ => self.next_block(index)?,
            };
            let count = from.len().min((self.bus.block_size - writer.offset) as usize);
            let Self { bus, files, .. } = self;
            let slot = &mut files[index];
            bus.put(&mut slot.program, &from[..count])?;
            slot.writer = Some(Writer { offset: writer.offset + count as u32, ..writer });
            slot.position += count as u32;
            slot.dirty = true;
            from = &from[count..];
            // The new block is reached from the slot now.
            self.checkpoint();
        }
        Ok(())
    }

    /// Adds a block to the list behind the position.
    fn next_block(&mut self, index: usize) -> Result<Writer, Errno> {
        let slot = &self.files[index];
        let position = slot.position;
        let previous = match (slot.writer, slot.content) {
            (Some(writer), _) => writer.block,
            (None, Content::List { head, size }) if position > 0 => {
                self.bus.find_block(head, size, position - 1)?.0
            }
            (None, _) => 0,
        };
        let block = self.allocate()?;
        let Self { bus, files, .. } = self;
        let offset = bus.extend(block, previous, position, &mut files[index].program)?;
        let writer = Writer { block, offset };
        files[index].writer = Some(writer);
        Ok(writer)
    }

    /// Ends writing to the list: what follows the position is copied from the old list, and everything is programmed.
    pub(crate) fn flush_file(&mut self, index: usize) -> Result<(), Errno> {
        if self.files[index].writer.is_none() {
            return Ok(());
        }
        let saved = self.files[index].position;
        let result = self.finish_list(index);
        let slot = &mut self.files[index];
        slot.failed |= result.is_err();
        if result.is_err() {
            slot.writer = None;
        }
        slot.position = saved;
        result
    }

    fn finish_list(&mut self, index: usize) -> Result<(), Errno> {
        if let Content::List { head, size } = self.files[index].content {
            let mut chunk = [0; 32];
            while self.files[index].position < size {
                let position = self.files[index].position;
                let (block, offset) = self.bus.find_block(head, size, position)?;
                let rest = (size - position).min(self.bus.block_size - offset) as usize;
                let count = chunk.len().min(rest);
                self.bus.read(block, offset, &mut chunk[..count])?;
                self.write_list(index, &chunk[..count])?;
            }
        }
        let Self { bus, files, .. } = self;
        let slot = &mut files[index];
        bus.flush(&mut slot.program)?;
        if let Some(writer) = slot.writer.take() {
            slot.content = Content::List { head: writer.block, size: slot.position };
        }
        Ok(())
    }

    /// Puts what was written in place of what the disk holds. A file whose writing failed is left as it is.
    pub(crate) fn sync_file(&mut self, index: usize) -> Result<(), Errno> {
        if self.files[index].failed {
            return Ok(());
        }
        self.flush_file(index)?;
        if !self.files[index].dirty || self.files[index].detached {
            return Ok(());
        }
        let find = |fs: &mut Self| Ok((fs.fetch(fs.files[index].pair)?, ()));
        let (mut log, ()) = self.find_with_room(ROOM_FOR_FILE, find)?;
        let slot = &self.files[index];
        let id = slot.id;
        let bytes = slot.program.bytes;
        let list;
        let (kind, data) = match slot.content {
            Content::Stored { .. } => (None, &[][..]),
            Content::Buffered { size } => (Some(kind::INLINE_STRUCT), &bytes[..size as usize]),
            Content::List { head, size } => {
                list = words::<2, 8>([head, size]);
                (Some(kind::CTZ_STRUCT), &list[..])
            }
        };
        let mtime = slot.mtime;
        let time = (Tag::new(MTIME, id, mtime.len()), Data::Bytes(&mtime[..]));
        match kind {
            Some(kind) => {
                self.append(&mut log, &[(Tag::new(kind, id, data.len()), Data::Bytes(data)), time])?;
            }
            None => self.append(&mut log, &[time])?,
        }
        self.files[index].dirty = false;
        Ok(())
    }

    /// Moves the position and returns it.
    pub(crate) fn seek_file(&mut self, index: usize, offset: i32, from: SeekFrom) -> Result<u32, Errno> {
        let slot = &self.files[index];
        let base = match from {
            SeekFrom::Start => 0,
            SeekFrom::Current => slot.position,
            SeekFrom::End => slot.size(),
        };
        let target = i64::from(base) + i64::from(offset);
        let target = u32::try_from(target).ok().filter(|&at| at <= SIZE_MAX).ok_or(Errno::EINVAL)?;
        if target != slot.position {
            self.flush_file(index)?;
            self.files[index].position = target;
        }
        Ok(target)
    }
}
