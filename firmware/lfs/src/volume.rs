//! A mounted volume.

use core::cmp::Ordering;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use larch_hal::BlockDevice;
use littlefs_rust_core::lfs_type::lfs_type::LFS_TYPE_DIR;
use littlefs_rust_core::{self as core_lfs, LFS_ERR_NOATTR, Lfs, LfsDir, LfsInfo};

use crate::file::{FileSlot, MTIME};
use crate::memory::{CACHE_SIZE, Core};
use crate::{Errno, FileId, Memory, NAME_MAX, OpenMode, PATH_MAX, SeekFrom, device};

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
    /// Where to go on: see [`Volume::next_entry`].
    pub position: u32,
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

/// A mounted volume.
pub struct Volume<'m> {
    core: NonNull<Core>,
    files: NonNull<[FileSlot]>,
    memory: PhantomData<&'m mut Core>,
}

/// Writes the device's geometry and the buffers' addresses into the configuration.
fn configure(core: *mut Core, device: &dyn BlockDevice) -> Result<(), Errno> {
    let block_size = device.block_size();
    if block_size < CACHE_SIZE as u32
        || !block_size.is_multiple_of(CACHE_SIZE as u32)
        || device.block_count() < 2
    {
        return Err(Errno::EINVAL);
    }
    Core::connect(core);
    // SAFETY: `core` is valid and not shared, as the callers hold the only borrow of the memory.
    let config = unsafe { &mut (*core).config };
    config.block_size = block_size;
    config.block_count = device.block_count();
    device::connect(config);
    Ok(())
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
        volume.call(device, |lfs, core| {
            // SAFETY: `core` is valid; only its configuration's address is taken.
            core_lfs::lfs_format(lfs, unsafe { &raw const (*core).config })
        })?;
        Ok(())
    }

    /// Opens the file system on `device`. All other calls must be given the same device.
    ///
    /// # Errors
    /// [`Errno::ENODEV`] if there is no file system, [`Errno::EINVAL`] if it has another geometry,
    /// [`Errno::EIO`] if the device fails.
    pub fn mount<const FILES: usize>(
        memory: &'m mut Memory<FILES>,
        device: &mut dyn BlockDevice,
    ) -> Result<Self, Errno> {
        const CORRUPT: Errno = Errno(84);
        let mut volume = Self::connect(memory, device)?;
        let mounted = volume.call(device, |lfs, core| {
            // SAFETY: as in `format`.
            core_lfs::lfs_mount(lfs, unsafe { &raw const (*core).config })
        });
        match mounted {
            Ok(_) => Ok(volume),
            Err(CORRUPT) => Err(Errno::ENODEV),
            Err(errno) => Err(errno),
        }
    }

    fn connect<const FILES: usize>(
        memory: &'m mut Memory<FILES>,
        device: &dyn BlockDevice,
    ) -> Result<Self, Errno> {
        const { assert!(FILES <= u8::MAX as usize) };
        configure(&raw mut memory.core, device)?;
        for slot in &mut memory.files {
            slot.open = false;
        }
        Ok(Self {
            core: NonNull::from(&mut memory.core),
            files: NonNull::from(&mut memory.files[..]),
            memory: PhantomData,
        })
    }

    /// Calls into the translated code with the device at hand.
    fn call(
        &mut self,
        mut device: &mut dyn BlockDevice,
        function: impl FnOnce(*mut Lfs, *mut Core) -> i32,
    ) -> Result<u32, Errno> {
        let core = self.core.as_ptr();
        // SAFETY: `core` is valid for `'m` and `&mut self` is the only way to it. The context points to a local variable
        // and is removed again before that goes away.
        unsafe {
            (*core).config.context = (&raw mut device).cast();
            let result = function((*core).lfs.as_mut_ptr(), core);
            (*core).config.context = core::ptr::null_mut();
            Errno::check(result)
        }
    }

    /// Copies a path to where the translated code can read it.
    fn path(&mut self, index: usize, path: &[u8]) -> Result<*const u8, Errno> {
        if path.contains(&0) {
            return Err(Errno::EINVAL);
        }
        // SAFETY: `core` is valid for `'m` and `&mut self` is the only way to it.
        let buffer = unsafe { &mut (*self.core.as_ptr()).paths[index] };
        let to = buffer.get_mut(..path.len()).filter(|to| to.len() <= PATH_MAX).ok_or(Errno::ENAMETOOLONG)?;
        to.copy_from_slice(path);
        buffer[path.len()] = 0;
        Ok(buffer.as_ptr())
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// [`Errno::ENOENT`] and the like.
    pub fn stat(&mut self, device: &mut dyn BlockDevice, path: &[u8]) -> Result<Metadata, Errno> {
        let at = self.path(0, path)?;
        let mut info = MaybeUninit::<LfsInfo>::zeroed();
        self.call(&mut *device, |lfs, _| core_lfs::lfs_stat(lfs, at, info.as_mut_ptr()))?;
        // SAFETY: all zeros is a valid value, and the call has filled it in.
        let info = unsafe { info.assume_init() };
        let mut mtime = [0; 8];
        let got = self.call(device, |lfs, _| {
            match core_lfs::lfs_getattr(lfs, at, MTIME, (&raw mut mtime).cast(), mtime.len() as u32) {
                LFS_ERR_NOATTR => 0,
                other => other,
            }
        })?;
        let mtime_ns = if got as usize == mtime.len() { u64::from_le_bytes(mtime) } else { 0 };
        Ok(Metadata { kind: kind(&info), size: info.size, mtime_ns })
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// [`Errno::EEXIST`], [`Errno::ENOENT`] if its parent is missing, [`Errno::ENOSPC`] and the like.
    pub fn make_dir(&mut self, device: &mut dyn BlockDevice, path: &[u8]) -> Result<(), Errno> {
        let path = self.path(0, path)?;
        self.call(device, |lfs, _| core_lfs::lfs_mkdir(lfs, path)).map(drop)
    }

    /// Removes a file or an empty directory.
    ///
    /// # Errors
    /// [`Errno::ENOENT`], [`Errno::ENOTEMPTY`] and the like.
    pub fn remove(&mut self, device: &mut dyn BlockDevice, path: &[u8]) -> Result<(), Errno> {
        let path = self.path(0, path)?;
        self.call(device, |lfs, _| core_lfs::lfs_remove(lfs, path)).map(drop)
    }

    /// Moves a file or directory; what was at `to` is replaced in the same instant.
    ///
    /// # Errors
    /// [`Errno::ENOENT`], [`Errno::EISDIR`], [`Errno::ENOTEMPTY`] and the like; [`Errno::EINVAL`] if a directory would be
    /// moved into itself, which littlefs does not notice.
    pub fn rename(&mut self, device: &mut dyn BlockDevice, from: &[u8], to: &[u8]) -> Result<(), Errno> {
        if is_inside(to, from) {
            return Err(Errno::EINVAL);
        }
        let from = self.path(0, from)?;
        let to = self.path(1, to)?;
        self.call(device, |lfs, _| core_lfs::lfs_rename(lfs, from, to)).map(drop)
    }

    /// The entry of the directory at `path` that follows `after`, in the order of names. Nothing is kept between calls:
    /// entries may be made and removed meanwhile.
    ///
    /// # Errors
    /// [`Errno::ENOENT`], [`Errno::ENOTDIR`] and the like.
    pub fn next_entry(
        &mut self,
        device: &mut dyn BlockDevice,
        path: &[u8],
        after: Option<(u32, &[u8])>,
    ) -> Result<Option<DirEntry>, Errno> {
        let path = self.path(0, path)?;
        let mut dir = MaybeUninit::<LfsDir>::zeroed();
        let mut found = None;
        self.call(device, |lfs, _| {
            let opened = core_lfs::lfs_dir_open(lfs, dir.as_mut_ptr(), path);
            if opened < 0 {
                return opened;
            }
            let result = find_next(lfs, dir.as_mut_ptr(), after, &mut found);
            let closed = core_lfs::lfs_dir_close(lfs, dir.as_mut_ptr());
            if result < 0 { result } else { closed }
        })?;
        Ok(found)
    }

    /// How full the volume is.
    ///
    /// # Errors
    /// [`Errno::EIO`] if the device fails.
    pub fn usage(&mut self, device: &mut dyn BlockDevice) -> Result<Usage, Errno> {
        unsafe extern "C" fn count(total: *mut core::ffi::c_void, _block: u32) -> i32 {
            // SAFETY: called below with a pointer to `total`.
            unsafe { *total.cast::<u32>() += 1 };
            0
        }
        let mut total = 0_u32;
        self.call(device, |lfs, _| core_lfs::lfs_fs_traverse(lfs, count, (&raw mut total).cast()))?;
        // SAFETY: `core` is valid for `'m` and `&mut self` is the only way to it.
        let config = unsafe { &(*self.core.as_ptr()).config };
        Ok(Usage { block_size: config.block_size, block_count: config.block_count, blocks_used: total })
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
        let path = self.path(0, path)?;
        let index = (0..self.files.len()).find(|&index| !self.slot(index).open).ok_or(Errno::EMFILE)?;
        let slot = self.slot_ptr(index);
        // SAFETY: the slot is not in use and lies in memory borrowed for `'m`.
        unsafe { FileSlot::prepare(slot, now_ns) };
        self.call(device, |lfs, _| {
            // SAFETY: the slot is valid, and stays where it is while the file is open.
            unsafe {
                let file = (*slot).file.as_mut_ptr();
                core_lfs::lfs_file_opencfg(lfs, file, path, mode.flags(), &raw const (*slot).config)
            }
        })?;
        let slot = self.slot(index);
        slot.open = true;
        slot.mode = mode;
        slot.generation = slot.generation.wrapping_add(1);
        Ok(FileId { slot: index as u8, generation: slot.generation })
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
        let slot = self.opened(file)?;
        if !self.slot(usize::from(file.slot)).mode.read {
            return Err(Errno::EBADF);
        }
        let len = i32::try_from(to.len()).unwrap_or(i32::MAX) as u32;
        self.call_file(device, slot, |lfs, file| {
            core_lfs::lfs_file_read(lfs, file, to.as_mut_ptr().cast(), len)
        })
        .map(|count| count as usize)
    }

    /// Writes at the file's position. It is on the device for certain only after [`Volume::sync`] or [`Volume::close`].
    ///
    /// # Errors
    /// [`Errno::EBADF`], [`Errno::ENOSPC`] and the like.
    pub fn write(
        &mut self,
        device: &mut dyn BlockDevice,
        file: FileId,
        from: &[u8],
        now_ns: u64,
    ) -> Result<usize, Errno> {
        let slot = self.opened(file)?;
        let state = self.slot(usize::from(file.slot));
        if !state.mode.write {
            return Err(Errno::EBADF);
        }
        state.mtime = now_ns.to_le_bytes();
        let len = i32::try_from(from.len()).unwrap_or(i32::MAX) as u32;
        self.call_file(device, slot, |lfs, file| {
            core_lfs::lfs_file_write(lfs, file, from.as_ptr().cast(), len)
        })
        .map(|count| count as usize)
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
        let slot = self.opened(file)?;
        self.call_file(device, slot, |lfs, file| core_lfs::lfs_file_seek(lfs, file, offset, from.whence()))
    }

    /// Makes what was written safe from a loss of power.
    ///
    /// # Errors
    /// [`Errno::ENOSPC`], [`Errno::EIO`] and the like.
    pub fn sync(&mut self, device: &mut dyn BlockDevice, file: FileId) -> Result<(), Errno> {
        let slot = self.opened(file)?;
        self.call_file(device, slot, core_lfs::lfs_file_sync).map(drop)
    }

    /// Closes a file. Afterwards it is closed even if this fails.
    ///
    /// # Errors
    /// As [`Volume::sync`]; then what was written since is lost.
    pub fn close(&mut self, device: &mut dyn BlockDevice, file: FileId) -> Result<(), Errno> {
        let slot = self.opened(file)?;
        let result = self.call_file(device, slot, core_lfs::lfs_file_close);
        self.slot(usize::from(file.slot)).open = false;
        result.map(drop)
    }

    /// The handles of all open files, so that those that nobody holds any more can be closed.
    pub fn open_files(&mut self) -> impl Iterator<Item = FileId> {
        (0..self.files.len()).filter_map(|index| {
            let slot = self.slot(index);
            slot.open.then_some(FileId { slot: index as u8, generation: slot.generation })
        })
    }

    fn call_file(
        &mut self,
        device: &mut dyn BlockDevice,
        slot: *mut FileSlot,
        function: impl FnOnce(*mut Lfs, *mut core_lfs::LfsFile) -> i32,
    ) -> Result<u32, Errno> {
        // SAFETY: the slot is valid and its file is open.
        self.call(device, |lfs, _| function(lfs, unsafe { (*slot).file.as_mut_ptr() }))
    }

    fn opened(&mut self, file: FileId) -> Result<*mut FileSlot, Errno> {
        let index = usize::from(file.slot);
        if index >= self.files.len() {
            return Err(Errno::EBADF);
        }
        let slot = self.slot(index);
        if !slot.open || slot.generation != file.generation {
            return Err(Errno::EBADF);
        }
        Ok(self.slot_ptr(index))
    }

    fn slot_ptr(&mut self, index: usize) -> *mut FileSlot {
        assert!(index < self.files.len());
        // SAFETY: just checked to be inside.
        unsafe { self.files.as_ptr().cast::<FileSlot>().add(index) }
    }

    fn slot(&mut self, index: usize) -> &mut FileSlot {
        // SAFETY: the slot lies in memory borrowed for `'m`, and `&mut self` is the only way to it; the translated code
        // looks at it only during calls.
        unsafe { &mut *self.slot_ptr(index) }
    }
}

fn kind(info: &LfsInfo) -> Kind {
    if u32::from(info.type_) == LFS_TYPE_DIR { Kind::Directory } else { Kind::File }
}

/// Whether `path` leads to something in the directory `ancestor`. Empty and `.` parts count for nothing; a path with `..`
/// is compared as it is.
fn is_inside(path: &[u8], ancestor: &[u8]) -> bool {
    let parts = |path| <[u8]>::split(path, |&byte| byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    let mut path = parts(path);
    parts(ancestor).all(|part| path.next() == Some(part)) && path.next().is_some()
}

/// Reads entries until one follows `after`. Names are in order, but the directory may have changed since `after` was
/// read: its position is tried first, then everything is read again.
fn find_next(
    lfs: *mut Lfs,
    dir: *mut LfsDir,
    after: Option<(u32, &[u8])>,
    found: &mut Option<DirEntry>,
) -> i32 {
    if let Some((position, name)) = after {
        let mut entry = None;
        if core_lfs::lfs_dir_seek(lfs, dir, position.saturating_sub(1)) < 0
            || read_entry(lfs, dir, &mut entry) < 0
            || entry.is_none_or(|entry| entry.name() != name)
        {
            let result = core_lfs::lfs_dir_rewind(lfs, dir);
            if result < 0 {
                return result;
            }
        }
    }
    loop {
        let mut entry = None;
        let result = read_entry(lfs, dir, &mut entry);
        if result < 0 {
            return result;
        }
        let Some(entry) = entry else { return 0 };
        let is_dots = matches!(entry.name(), b"." | b"..");
        if !is_dots && after.is_none_or(|(_, name)| follows(entry.name(), name)) {
            *found = Some(entry);
            return 0;
        }
    }
}

/// The order in which littlefs keeps names: by their bytes, but a name comes after the longer ones that begin with it.
fn follows(name: &[u8], before: &[u8]) -> bool {
    let common = name.len().min(before.len());
    match name[..common].cmp(&before[..common]) {
        Ordering::Equal => name.len() < before.len(),
        order => order == Ordering::Greater,
    }
}

fn read_entry(lfs: *mut Lfs, dir: *mut LfsDir, entry: &mut Option<DirEntry>) -> i32 {
    let mut info = MaybeUninit::<LfsInfo>::zeroed();
    let result = core_lfs::lfs_dir_read(lfs, dir, info.as_mut_ptr());
    if result > 0 {
        // SAFETY: all zeros is a valid value, and the call has filled it in.
        let info = unsafe { info.assume_init() };
        let name_len = info.name.iter().position(|&byte| byte == 0).unwrap_or(NAME_MAX).min(NAME_MAX);
        let mut name = [0; NAME_MAX];
        name[..name_len].copy_from_slice(&info.name[..name_len]);
        let position = core_lfs::lfs_dir_tell(lfs, dir).max(0) as u32;
        *entry =
            Some(DirEntry { name, name_len: name_len as u8, kind: kind(&info), size: info.size, position });
    }
    result
}
