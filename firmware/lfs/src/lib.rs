//! A littlefs v2 volume in memory of fixed size.
//!
//! The on-disk format is littlefs 2.1 with MicroPython's parameters (`vfs.VfsLfs2`: program size 32, small files up to 128
//! bytes in the directory, modification times in attribute 1), so that a MicroPython board's files are readable here and the
//! other way round. It is written anew in safe Rust rather than translated, and differs where less is enough:
//! pairs of metadata blocks stay where they are (they do not wander to level wear), and a failing block is an error.
//!
//! Layers, each knowing only those before it: [`disk`] (tags, checksums) -> [`bus`] (device and buffers) -> [`log`] (reading a
//! pair) -> [`fs`] (writing a pair, free blocks) -> [`ctz`] (lists of blocks) -> [`file`], [`dir`] -> [`repair`] -> [`volume`].
//!
//! Invariants:
//! - No allocator: everything lies in a [`Memory`]; the device is lent for the length of one call.
//! - Whatever the device holds, no call panics or runs forever.
//! - A loss of power at any moment leaves the tree as it was before or after the call in progress.
//! - A [`FileId`] of a closed file is recognised and refused.
//!
//! Source: littlefs `SPEC.md` and `DESIGN.md`; MicroPython `extmod/vfs_lfs.c`, `extmod/vfs_lfsx.c`.
#![no_std]
#![forbid(unsafe_code)]
#![expect(rustdoc::private_intra_doc_links, reason = "the map of the crate is for its readers")]

mod bus;
mod ctz;
mod dir;
mod disk;
mod error;
mod file;
mod fs;
mod log;
mod memory;
mod repair;
#[cfg(test)]
mod tests;
mod volume;

pub use error::Errno;
pub use file::{FileId, OpenMode, SeekFrom};
pub use memory::Memory;
pub use volume::{DirEntry, Kind, Metadata, Usage, Volume};

/// The longest name of a file, in bytes.
pub const NAME_MAX: usize = 255;

/// Bytes in a log that changing a file takes: its contents if they are few, and its time.
const ROOM_FOR_FILE: u32 = 4 + 128 + 4 + 8;
