//! Open files.

use core::mem::MaybeUninit;
use core::ptr;

use littlefs_rust_core::lfs_type::lfs_open_flags::{
    LFS_O_APPEND, LFS_O_CREAT, LFS_O_EXCL, LFS_O_RDONLY, LFS_O_RDWR, LFS_O_TRUNC, LFS_O_WRONLY,
};
use littlefs_rust_core::lfs_type::lfs_whence_flags::{LFS_SEEK_CUR, LFS_SEEK_END, LFS_SEEK_SET};
use littlefs_rust_core::{LfsAttr, LfsFile, LfsFileConfig};

use crate::memory::{CACHE_SIZE, Cache};

/// The attribute that holds the modification time: nanoseconds since 1970, eight bytes, low one first.
pub(crate) const MTIME: u8 = 1;

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
    pub(crate) fn flags(self) -> i32 {
        let access = match (self.read, self.write) {
            (true, true) => LFS_O_RDWR,
            (false, true) => LFS_O_WRONLY,
            _ => LFS_O_RDONLY,
        };
        let flag = |on, flag| if on { flag } else { 0 };
        access
            | flag(self.create, LFS_O_CREAT)
            | flag(self.exclusive, LFS_O_EXCL)
            | flag(self.truncate, LFS_O_TRUNC)
            | flag(self.append, LFS_O_APPEND)
    }
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

impl SeekFrom {
    pub(crate) fn whence(self) -> i32 {
        match self {
            Self::Start => LFS_SEEK_SET,
            Self::Current => LFS_SEEK_CUR,
            Self::End => LFS_SEEK_END,
        }
    }
}

/// The memory of one open file.
pub(crate) struct FileSlot {
    pub(crate) file: MaybeUninit<LfsFile>,
    pub(crate) config: LfsFileConfig,
    attribute: LfsAttr,
    pub(crate) mtime: [u8; 8],
    cache: Cache,
    pub(crate) mode: OpenMode,
    pub(crate) open: bool,
    pub(crate) generation: u8,
}

impl FileSlot {
    pub(crate) const fn new() -> Self {
        Self {
            file: MaybeUninit::zeroed(),
            config: LfsFileConfig { buffer: ptr::null_mut(), attrs: ptr::null_mut(), attr_count: 0 },
            attribute: LfsAttr { type_: MTIME, buffer: ptr::null_mut(), size: 0 },
            mtime: [0; 8],
            cache: Cache([0; CACHE_SIZE]),
            mode: OpenMode {
                read: false,
                write: false,
                create: false,
                exclusive: false,
                truncate: false,
                append: false,
            },
            open: false,
            generation: 0,
        }
    }

    /// Makes the slot ready for a file that was modified at `now_ns`.
    ///
    /// # Safety
    /// `slot` is valid, not shared, and does not move while the file is open.
    pub(crate) unsafe fn prepare(slot: *mut Self, now_ns: u64) {
        // SAFETY: promised by the caller.
        unsafe {
            (*slot).file = MaybeUninit::zeroed();
            (*slot).mtime = now_ns.to_le_bytes();
            (*slot).attribute.buffer = (&raw mut (*slot).mtime).cast();
            (*slot).attribute.size = size_of::<u64>() as u32;
            (*slot).config.buffer = (&raw mut (*slot).cache).cast();
            (*slot).config.attrs = &raw mut (*slot).attribute;
            (*slot).config.attr_count = 1;
        }
    }
}
