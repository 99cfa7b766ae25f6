//! The memory of a volume.

use core::mem::MaybeUninit;
use core::ptr;

use littlefs_rust_core::{Lfs, LfsConfig};

use crate::PATH_MAX;
use crate::file::FileSlot;

/// What the translated code calls a read and a program unit; MicroPython's default.
pub(crate) const UNIT: u32 = 32;
/// Bytes of each cache: four units, as MicroPython has it.
pub(crate) const CACHE_SIZE: usize = 4 * UNIT as usize;
/// Bytes of the block allocator's window: one bit per block.
const LOOKAHEAD_SIZE: usize = 32;
/// Erases after which a metadata block is moved.
const BLOCK_CYCLES: i32 = 100;

#[repr(align(4))]
#[expect(dead_code, reason = "only its address is used")]
pub(crate) struct Cache(pub(crate) [u8; CACHE_SIZE]);

/// A path with the zero byte that the translated code wants at its end.
pub(crate) type Path = [u8; PATH_MAX + 1];

/// The memory of a volume with up to `FILES` open files: about 1 KB, and 300 bytes for each of them.
pub struct Memory<const FILES: usize> {
    pub(crate) core: Core,
    pub(crate) files: [FileSlot; FILES],
}

/// All of a volume but its files.
pub(crate) struct Core {
    pub(crate) lfs: MaybeUninit<Lfs>,
    pub(crate) config: LfsConfig,
    read: Cache,
    program: Cache,
    lookahead: [u32; LOOKAHEAD_SIZE / 4],
    pub(crate) paths: [Path; 2],
}

impl<const FILES: usize> Memory<FILES> {
    /// Unused memory.
    #[must_use]
    pub const fn new() -> Self {
        Self { core: Core::new(), files: [const { FileSlot::new() }; FILES] }
    }
}

impl<const FILES: usize> Default for Memory<FILES> {
    fn default() -> Self {
        Self::new()
    }
}

impl Core {
    const fn new() -> Self {
        Self {
            lfs: MaybeUninit::zeroed(),
            config: LfsConfig {
                context: ptr::null_mut(),
                read: None,
                prog: None,
                erase: None,
                sync: None,
                read_size: UNIT,
                prog_size: UNIT,
                block_size: 0,
                block_count: 0,
                block_cycles: BLOCK_CYCLES,
                cache_size: CACHE_SIZE as u32,
                lookahead_size: LOOKAHEAD_SIZE as u32,
                compact_thresh: 0,
                read_buffer: ptr::null_mut(),
                prog_buffer: ptr::null_mut(),
                lookahead_buffer: ptr::null_mut(),
                name_max: 0,
                file_max: 0,
                attr_max: 0,
                metadata_max: 0,
                inline_max: 0,
            },
            read: Cache([0; CACHE_SIZE]),
            program: Cache([0; CACHE_SIZE]),
            lookahead: [0; LOOKAHEAD_SIZE / 4],
            paths: [[0; PATH_MAX + 1]; 2],
        }
    }

    /// Points the configuration at the buffers. From here on the memory must not move.
    pub(crate) fn connect(core: *mut Self) {
        // SAFETY: `core` is valid and not shared, as every caller holds the only borrow of the memory.
        unsafe {
            (*core).lfs = MaybeUninit::zeroed();
            (*core).config.read_buffer = (&raw mut (*core).read).cast();
            (*core).config.prog_buffer = (&raw mut (*core).program).cast();
            (*core).config.lookahead_buffer = (&raw mut (*core).lookahead).cast();
        }
    }
}
