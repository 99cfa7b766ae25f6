//! The memory of a volume.

use crate::bus::Line;
use crate::file::FileSlot;
use crate::fs::State;

/// The memory of a volume with up to `FILES` open files: about 300 bytes, and 200 bytes for each of them.
pub struct Memory<const FILES: usize> {
    pub(crate) state: State,
    pub(crate) line: Line,
    pub(crate) files: [FileSlot; FILES],
}

impl<const FILES: usize> Memory<FILES> {
    /// Unused memory.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::new(), line: Line::new(), files: [const { FileSlot::new() }; FILES] }
    }
}

impl<const FILES: usize> Default for Memory<FILES> {
    fn default() -> Self {
        Self::new()
    }
}
