//! A mounted volume: the interface of this crate.

use larch_hal::BlockDevice;

use crate::bus::{Bus, CACHE, Line};
use crate::dir::{Place, compare, entry_kind};
use crate::disk::{MAGIC, Pair, ROOT, Tag, VERSION, kind, word, words};
use crate::file::{FileSlot, MTIME};
use crate::fs::{Data, Fs, State};
use crate::log::Log;
use crate::repair::SUPERBLOCK_SIZE;
use crate::{Errno, FileId, Memory, NAME_MAX, OpenMode, SeekFrom};

/// The smallest block.
const BLOCK_SIZE_MIN: u32 = 512;
/// The largest file and attribute that the superblock promises.
const FILE_MAX: u32 = i32::MAX as u32;
const ATTRIBUTE_MAX: u32 = 1022;

/// A file or a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// What is known about a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Which of the two.
    pub kind: Kind,
    /// Length of a file in bytes; 0 for a directory.
    pub size: u32,
    /// When it was modified, in nanoseconds since 1970; 0 if that was not recorded.
    pub mtime_ns: u64,
}

/// An entry of a directory.
#[derive(Clone, Copy, Debug)]
pub struct DirEntry {
    name: [u8; NAME_MAX],
    name_len: u8,
    /// Which of the two.
    pub kind: Kind,
    /// Length of a file in bytes; 0 for a directory.
    pub size: u32,
}

impl DirEntry {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name[..usize::from(self.name_len)]
    }
}

/// How full a volume is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes in a block.
    pub block_size: u32,
    /// How many blocks there are.
    pub block_count: u32,
    /// How many of them are in use.
    pub blocks_used: u32,
}

/// A mounted volume. Every call must be given the device that it was mounted from.
pub struct Volume<'m> {
    state: &'m mut State,
    line: &'m mut Line,
    files: &'m mut [FileSlot],
}

impl<'m> Volume<'m> {
    /// Makes an empty file system on `device`. Everything on it is lost.
    ///
    /// # Errors
    /// [`Errno::EINVAL`] if the device's blocks are unsuitable, [`Errno::EIO`] if it fails.
    pub fn format<const FILES: usize>(
        memory: &'m mut Memory<FILES>,
        device: &mut dyn BlockDevice,
    ) -> Result<(), Errno> {
        let mut volume = Self::connect(memory, device)?;
        let mut fs = volume.fs(device);
        let superblock = words::<6, SUPERBLOCK_SIZE>([
            VERSION,
            fs.bus.block_size,
            fs.bus.block_count,
            NAME_MAX as u32,
            FILE_MAX,
            ATTRIBUTE_MAX,
        ]);
        let tags = [
            (Tag::new(kind::CREATE, 0, 0), Data::Bytes(b"")),
            (Tag::new(kind::SUPERBLOCK, 0, MAGIC.len()), Data::Bytes(MAGIC)),
            (Tag::new(kind::INLINE_STRUCT, 0, SUPERBLOCK_SIZE), Data::Bytes(&superblock)),
        ];
        // Both blocks, so that nothing older can be taken for the root.
        fs.write_pair(ROOT, 0, &tags)?;
        fs.write_pair([ROOT[1], ROOT[0]], 1, &tags)
    }

    /// Opens the file system on `device`, and finishes what a loss of power interrupted.
    ///
    /// # Errors
    /// [`Errno::ENODEV`] if there is no file system, [`Errno::EINVAL`] if it has another geometry or version,
    /// [`Errno::EIO`] if the device fails.
    pub fn mount<const FILES: usize>(
        memory: &'m mut Memory<FILES>,
        device: &mut dyn BlockDevice,
    ) -> Result<Self, Errno> {
        let mut volume = Self::connect(memory, device)?;
        let mut fs = volume.fs(device);
        match fs.read_pairs() {
            Ok(true) => {}
            Ok(false) | Err(Errno::ECORRUPT) => return Err(Errno::ENODEV),
            Err(errno) => return Err(errno),
        }
        fs.repair()?;
        Ok(volume)
    }

    fn connect<const FILES: usize>(
        memory: &'m mut Memory<FILES>,
        device: &dyn BlockDevice,
    ) -> Result<Self, Errno> {
        const { assert!(FILES <= u8::MAX as usize) };
        let block_size = device.block_size();
        if block_size < BLOCK_SIZE_MIN || !block_size.is_multiple_of(CACHE as u32) || device.block_count() < 2
        {
            return Err(Errno::EINVAL);
        }
        memory.state = State::new();
        memory.line = Line::new();
        for slot in &mut memory.files {
            slot.open = false;
        }
        Ok(Self { state: &mut memory.state, line: &mut memory.line, files: &mut memory.files })
    }

    fn fs<'a>(&'a mut self, device: &'a mut dyn BlockDevice) -> Fs<'a> {
        let (block_size, block_count) = (device.block_size(), device.block_count());
        let bus = Bus { device, line: self.line, block_size, block_count };
        Fs { bus, state: self.state, files: self.files }
    }

    /// As `fs`, to change something.
    fn changing<'a>(&'a mut self, device: &'a mut dyn BlockDevice) -> Result<Fs<'a>, Errno> {
        let mut fs = self.fs(device);
        fs.checkpoint();
        fs.repair()?;
        Ok(fs)
    }

    /// What is at `path`. In no path is `..` resolved.
    ///
    /// # Errors
    /// [`Errno::ENOENT`] and the like.
    pub fn stat(&mut self, device: &mut dyn BlockDevice, path: &[u8]) -> Result<Metadata, Errno> {
        let mut fs = self.fs(device);
        match check(path).and_then(|()| fs.find(path))? {
            Place::Root => Ok(Metadata { kind: Kind::Directory, size: 0, mtime_ns: 0 }),
            Place::Missing { .. } => Err(Errno::ENOENT),
            Place::Entry { log, id, kind } => {
                let mtime_ns = match fs.get_kind(&log, MTIME, id)? {
                    Some(found) => u64::from_le_bytes(fs.data(found)?),
                    None => 0,
                };
                Ok(Metadata { kind, size: fs.size_of(&log, id)?, mtime_ns })
            }
        }
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// [`Errno::EEXIST`], [`Errno::ENOENT`] if its parent is missing, [`Errno::ENOSPC`] and the like.
    pub fn make_dir(&mut self, device: &mut dyn BlockDevice, path: &[u8]) -> Result<(), Errno> {
        check(path)?;
        self.changing(device)?.make_dir(path)
    }

    /// Removes a file or an empty directory.
    ///
    /// # Errors
    /// [`Errno::ENOENT`], [`Errno::ENOTEMPTY`] and the like.
    pub fn remove(&mut self, device: &mut dyn BlockDevice, path: &[u8]) -> Result<(), Errno> {
        check(path)?;
        self.changing(device)?.remove(path)
    }

    /// Moves a file or directory; what was at `to` is replaced in the same instant.
    ///
    /// # Errors
    /// [`Errno::ENOENT`], [`Errno::EISDIR`], [`Errno::ENOTEMPTY`] and the like; [`Errno::EINVAL`] if a directory would be
    /// moved into itself.
    pub fn rename(&mut self, device: &mut dyn BlockDevice, from: &[u8], to: &[u8]) -> Result<(), Errno> {
        check(from)?;
        check(to)?;
        self.changing(device)?.rename(from, to)
    }

    /// The entry of the directory at `path` whose name follows `after` in littlefs's order; the first one if there is no
    /// `after`. Nothing is kept between calls: entries may be made and removed meanwhile.
    ///
    /// # Errors
    /// [`Errno::ENOENT`], [`Errno::ENOTDIR`] and the like.
    pub fn next_entry(
        &mut self,
        device: &mut dyn BlockDevice,
        path: &[u8],
        after: Option<&[u8]>,
    ) -> Result<Option<DirEntry>, Errno> {
        let mut fs = self.fs(device);
        let directory = check(path).and_then(|()| fs.find_directory(path))?;
        fs.next_entry(directory, after)
    }

    /// Entry number `index` of the directory at `path`, in littlefs's order.
    ///
    /// # Errors
    /// As [`Volume::next_entry`].
    pub fn entry_at(
        &mut self,
        device: &mut dyn BlockDevice,
        path: &[u8],
        index: u32,
    ) -> Result<Option<DirEntry>, Errno> {
        let mut fs = self.fs(device);
        let directory = check(path).and_then(|()| fs.find_directory(path))?;
        fs.entry_at(directory, index)
    }

    /// How full the volume is.
    ///
    /// # Errors
    /// [`Errno::EIO`] if the device fails.
    pub fn usage(&mut self, device: &mut dyn BlockDevice) -> Result<Usage, Errno> {
        let mut fs = self.fs(device);
        let mut blocks_used = 0;
        fs.traverse(&mut |_| blocks_used += 1)?;
        Ok(Usage { block_size: fs.bus.block_size, block_count: fs.bus.block_count, blocks_used })
    }

    /// Opens a file. `now_ns` becomes its modification time if it is written.
    ///
    /// # Errors
    /// [`Errno::EMFILE`] if all slots are in use, [`Errno::ENOENT`] and the like.
    pub fn open(
        &mut self,
        device: &mut dyn BlockDevice,
        path: &[u8],
        mode: OpenMode,
        now_ns: u64,
    ) -> Result<FileId, Errno> {
        check(path)?;
        let index = self.files.iter().position(|slot| !slot.open).ok_or(Errno::EMFILE)?;
        let mut fs = if mode.write { self.changing(device)? } else { self.fs(device) };
        let (log, id) = match fs.find(path)? {
            Place::Root | Place::Entry { kind: Kind::Directory, .. } => return Err(Errno::EISDIR),
            Place::Entry { .. } if mode.create && mode.exclusive => return Err(Errno::EEXIST),
            Place::Entry { log, id, .. } => (log, id),
            Place::Missing { .. } if !mode.create => return Err(Errno::ENOENT),
            Place::Missing { .. } if path.ends_with(b"/") => return Err(Errno::EISDIR),
            Place::Missing { .. } => fs.create_file(path)?,
        };
        fs.open_entry(index, &log, id, mode, now_ns)?;
        Ok(FileId { slot: index as u8, generation: self.files[index].generation })
    }

    /// Reads from the file's position; 0 bytes at its end.
    ///
    /// # Errors
    /// [`Errno::EBADF`] if it is closed or was not opened to be read.
    pub fn read(
        &mut self,
        device: &mut dyn BlockDevice,
        file: FileId,
        to: &mut [u8],
    ) -> Result<usize, Errno> {
        let index = self.opened(file)?;
        if !self.files[index].mode.read {
            return Err(Errno::EBADF);
        }
        self.file_fs(device).read_file(index, to)
    }

    /// Writes at the file's position. It is on the device for certain only after [`Volume::sync`] or [`Volume::close`].
    ///
    /// # Errors
    /// [`Errno::EBADF`], [`Errno::ENOSPC`] and the like. After an error the device keeps what it held.
    pub fn write(
        &mut self,
        device: &mut dyn BlockDevice,
        file: FileId,
        from: &[u8],
        now_ns: u64,
    ) -> Result<usize, Errno> {
        let index = self.opened(file)?;
        if !self.files[index].mode.write {
            return Err(Errno::EBADF);
        }
        self.files[index].mtime = now_ns.to_le_bytes();
        self.file_fs(device).write_file(index, from)
    }

    /// Moves the file's position and returns it.
    ///
    /// # Errors
    /// [`Errno::EINVAL`] if it would lie before the start of the file.
    pub fn seek(
        &mut self,
        device: &mut dyn BlockDevice,
        file: FileId,
        offset: i32,
        from: SeekFrom,
    ) -> Result<u32, Errno> {
        let index = self.opened(file)?;
        self.file_fs(device).seek_file(index, offset, from)
    }

    /// Makes what was written safe from a loss of power.
    ///
    /// # Errors
    /// [`Errno::ENOSPC`], [`Errno::EIO`] and the like.
    pub fn sync(&mut self, device: &mut dyn BlockDevice, file: FileId) -> Result<(), Errno> {
        let index = self.opened(file)?;
        let mut fs = self.file_fs(device);
        fs.repair()?;
        fs.sync_file(index)
    }

    /// Closes a file. Afterwards it is closed even if this fails.
    ///
    /// # Errors
    /// As [`Volume::sync`]; then what was written since is lost.
    pub fn close(&mut self, device: &mut dyn BlockDevice, file: FileId) -> Result<(), Errno> {
        let result = self.sync(device, file);
        if result != Err(Errno::EBADF) {
            self.files[usize::from(file.slot)].open = false;
        }
        result
    }

    /// The handles of all open files, so that those that nobody holds any more can be closed.
    pub fn open_files(&self) -> impl Iterator<Item = FileId> {
        self.files
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.open)
            .map(|(index, slot)| FileId { slot: index as u8, generation: slot.generation })
    }

    fn file_fs<'a>(&'a mut self, device: &'a mut dyn BlockDevice) -> Fs<'a> {
        let mut fs = self.fs(device);
        fs.checkpoint();
        fs
    }

    fn opened(&self, file: FileId) -> Result<usize, Errno> {
        let index = usize::from(file.slot);
        match self.files.get(index) {
            Some(slot) if slot.open && slot.generation == file.generation => Ok(index),
            _ => Err(Errno::EBADF),
        }
    }
}

/// A path without a zero byte, as other systems that read the disk would stumble over it.
fn check(path: &[u8]) -> Result<(), Errno> {
    if path.contains(&0) { Err(Errno::EINVAL) } else { Ok(()) }
}

impl Fs<'_> {
    /// Walks through all pairs for the superblock and the global state; `false` if there is no superblock.
    fn read_pairs(&mut self) -> Result<bool, Errno> {
        let (mut next, mut found, mut steps, mut seed) = (Some(ROOT), false, 0, 0_u32);
        while let Some(at) = next {
            let log = self.fetch(at)?;
            if let Some(name) = self.get_kind(&log, kind::SUPERBLOCK, 0)?
                && self.data::<8>(name)? == MAGIC
            {
                self.read_superblock(&log, at)?;
                found = true;
            }
            self.state.global = self.state.global.xor(self.share(&log)?);
            seed = seed.rotate_left(5) ^ log.revision ^ log.end;
            next = log.tail;
            steps += 1;
            if steps > self.bus.block_count {
                return Err(Errno::ECORRUPT);
            }
        }
        self.seed_allocator(seed);
        Ok(found)
    }

    fn read_superblock(&mut self, log: &Log, at: Pair) -> Result<(), Errno> {
        let found = self.get_kind(log, kind::INLINE_STRUCT, 0)?.ok_or(Errno::ECORRUPT)?;
        let superblock = self.data::<SUPERBLOCK_SIZE>(found)?;
        let version = word(&superblock, 0);
        let geometry = [word(&superblock, 1), word(&superblock, 2)];
        if version >> 16 != VERSION >> 16
            || version > VERSION
            || geometry != [self.bus.block_size, self.bus.block_count]
            || word(&superblock, 3) > NAME_MAX as u32
        {
            return Err(Errno::EINVAL);
        }
        self.state.root = at;
        self.state.outdated = version < VERSION;
        Ok(())
    }

    /// Length of the file that an entry is.
    fn size_of(&mut self, log: &Log, id: u16) -> Result<u32, Errno> {
        Ok(match self.get(log, kind::STRUCT, id)? {
            Some(found) if found.tag.kind() == kind::INLINE_STRUCT => found.tag.len() as u32,
            Some(found) if found.tag.kind() == kind::CTZ_STRUCT => word(&self.data::<8>(found)?, 1),
            _ => 0,
        })
    }

    fn next_entry(&mut self, directory: Pair, after: Option<&[u8]>) -> Result<Option<DirEntry>, Errno> {
        let mut log = self.fetch(directory)?;
        let mut steps = 0;
        loop {
            let id = self.first_after(&log, after)?;
            if id < log.count {
                return self.entry(&log, id).map(Some);
            }
            match log.tail {
                Some(tail) if log.split && steps <= self.bus.block_count => log = self.fetch(tail)?,
                _ => return Ok(None),
            }
            steps += 1;
        }
    }

    fn entry_at(&mut self, directory: Pair, index: u32) -> Result<Option<DirEntry>, Errno> {
        let mut log = self.fetch(directory)?;
        let (mut index, mut steps) = (index, 0);
        loop {
            let first = u32::from(self.first_after(&log, None)?);
            let entries = u32::from(log.count) - first;
            if index < entries {
                return self.entry(&log, (first + index) as u16).map(Some);
            }
            index -= entries;
            match log.tail {
                Some(tail) if log.split && steps <= self.bus.block_count => log = self.fetch(tail)?,
                _ => return Ok(None),
            }
            steps += 1;
        }
    }

    /// The first entry of a log whose name follows `after`.
    fn first_after(&mut self, log: &Log, after: Option<&[u8]>) -> Result<u16, Errno> {
        let (mut low, mut high) = (0, log.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.get(log, kind::NAME, middle)?.ok_or(Errno::ECORRUPT)?;
            let follows = if found.tag.kind() == kind::SUPERBLOCK {
                false
            } else if let Some(after) = after {
                let mut bytes = [0; NAME_MAX];
                let name = bytes.get_mut(..found.tag.len()).ok_or(Errno::ECORRUPT)?;
                self.bus.read(found.block, found.offset, name)?;
                compare(name, after).is_gt()
            } else {
                true
            };
            if follows {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    fn entry(&mut self, log: &Log, id: u16) -> Result<DirEntry, Errno> {
        let found = self.get(log, kind::NAME, id)?.ok_or(Errno::ECORRUPT)?;
        let mut name = [0; NAME_MAX];
        let to = name.get_mut(..found.tag.len()).ok_or(Errno::ECORRUPT)?;
        self.bus.read(found.block, found.offset, to)?;
        let size = self.size_of(log, id)?;
        Ok(DirEntry { name, name_len: found.tag.len() as u8, kind: entry_kind(found.tag), size })
    }
}
