//! A littlefs v2 volume in memory of fixed size, behind a safe interface.
//!
//! The on-disk format, and the errors, are those of MicroPython's `vfs.VfsLfs2`: blocks as the device has them, read and
//! program size 32, lookahead 32, modification times in attribute 1. `littlefs-rust-core` does the work; it is the C
//! implementation translated function by function, without an allocator.
//!
//! Invariants:
//! - Everything the translated code points to lies in a [`Memory`] that is borrowed for the life of the [`Volume`] and
//!   never moves; the device is lent for the length of one call.
//! - A [`FileId`] of a closed file is recognised and refused.
//! - This crate contains `unsafe` (raw pointers for the translated code); its users contain none.
//!
//! Source: littlefs `lfs.h`, `SPEC.md`; MicroPython `extmod/vfs_lfs.c`, `extmod/vfs_lfsx.c`.
#![no_std]

mod device;
mod error;
mod file;
mod memory;
mod volume;

pub use error::Errno;
pub use file::{FileId, OpenMode, SeekFrom};
pub use memory::Memory;
pub use volume::{DirEntry, Kind, Metadata, Usage, Volume};

/// The longest name of a file, in bytes.
pub const NAME_MAX: usize = 255;
/// The longest path, in bytes.
pub const PATH_MAX: usize = 255;
