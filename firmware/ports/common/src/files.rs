//! The file system: littlefs in a board's flash, made at the first start as MicroPython makes it.

use larch_hal::{
    BlockDevice, FileError, FileHandle, FileInfo, FileMode, FileSystem, FileSystemUsage, Whence,
};
use larch_lfs::{Errno, FileId, Kind, Memory, NAME_MAX, OpenMode, SeekFrom, Volume};
use static_cell::StaticCell;

/// How many files can be open at a time.
const OPEN_FILES: usize = 16;
/// What MicroPython writes at the first start.
const BOOT_PY: &[u8] = b"# This file is executed on every boot (including wake-boot from deepsleep)\n";

/// A mounted partition.
pub struct Files<D> {
    partition: D,
    volume: Volume<'static>,
    epoch_us: fn() -> u64,
}

/// What a board's flash holds beside the firmware.
pub enum Storage<D> {
    /// A file system, set up just now or not.
    Files {
        /// The file system.
        files: Files<D>,
        /// The flash was blank.
        is_new: bool,
    },
    /// A partition whose contents are no file system, or that fails.
    Raw(D),
    /// There is no place for files.
    None,
}

impl<D: BlockDevice> Storage<D> {
    /// Looks for a file system, and makes one in a blank partition. `epoch_us` is the time of day for new files. Called
    /// once.
    pub fn find(partition: Option<D>, epoch_us: fn() -> u64) -> Self {
        match partition {
            Some(partition) => Files::mount(partition, epoch_us),
            None => Self::None,
        }
    }

    /// What to tell the person at the prompt, if anything.
    pub fn notice(&self) -> Option<&'static str> {
        match self {
            Self::Files { is_new: true, .. } => Some("Performing initial setup\n"),
            Self::Files { .. } => None,
            Self::Raw(_) => Some(
                "The filesystem in the vfs partition appears to be corrupted. If you had important data there, you\n\
                 may want to make a flash snapshot to try to recover it. Otherwise, erase the flash and program the\n\
                 firmware again.\n",
            ),
            Self::None => Some("The partition table has no vfs partition, so there are no files.\n"),
        }
    }

    /// Closes what the last program left open.
    pub fn soft_reset(&mut self) {
        if let Self::Files { files, is_new } = self {
            files.close_all();
            *is_new = false;
        }
    }

    /// The partition.
    pub fn device(&mut self) -> Option<&mut dyn BlockDevice>
    where
        D: 'static,
    {
        match self {
            Self::Files { files, .. } => Some(&mut files.partition),
            Self::Raw(partition) => Some(partition),
            Self::None => None,
        }
    }

    /// The file system.
    pub fn files(&mut self) -> Option<&mut dyn FileSystem>
    where
        D: 'static,
    {
        match self {
            Self::Files { files, .. } => Some(files),
            Self::Raw(_) | Self::None => None,
        }
    }
}

impl<D: BlockDevice> Files<D> {
    fn mount(mut partition: D, epoch_us: fn() -> u64) -> Storage<D> {
        static MEMORY: StaticCell<Memory<OPEN_FILES>> = StaticCell::new();
        let memory = MEMORY.init_with(Memory::new);
        let is_blank = is_blank(&mut partition);
        if is_blank && Volume::format(memory, &mut partition).is_err() {
            return Storage::Raw(partition);
        }
        match Volume::mount(memory, &mut partition) {
            Ok(volume) => {
                let mut files = Self { partition, volume, epoch_us };
                if is_blank {
                    files.write_boot_file();
                }
                Storage::Files { files, is_new: is_blank }
            }
            Err(_) => Storage::Raw(partition),
        }
    }

    /// A board without `boot.py` works as well, so nothing is done about an error.
    fn write_boot_file(&mut self) {
        let mode = FileMode { write: true, create: true, ..FileMode::default() };
        if let Ok(file) = self.open(b"/boot.py", mode) {
            let _ = self.write(file, BOOT_PY);
            let _ = self.close(file);
        }
    }

    fn now_ns(&self) -> u64 {
        (self.epoch_us)() * 1000
    }
}

/// Whether the first block was never written.
fn is_blank(partition: &mut impl BlockDevice) -> bool {
    let mut bytes = [0; 128];
    (0..partition.block_size() / bytes.len() as u32).all(|index| {
        partition.read(0, index * bytes.len() as u32, &mut bytes).is_ok()
            && bytes.iter().all(|&byte| byte == 0xff)
    })
}

fn error(Errno(number): Errno) -> FileError {
    FileError(number)
}

fn id(FileHandle(bits): FileHandle) -> FileId {
    FileId::from_bits(bits)
}

fn info(kind: Kind, size: u32, mtime_ns: u64) -> FileInfo {
    FileInfo { is_dir: kind == Kind::Directory, size, modified_s: mtime_ns / 1_000_000_000 }
}

impl<D: BlockDevice> FileSystem for Files<D> {
    fn open(&mut self, path: &[u8], mode: FileMode) -> Result<FileHandle, FileError> {
        let mode = OpenMode {
            read: mode.read,
            write: mode.write,
            create: mode.create,
            exclusive: mode.exclusive,
            truncate: mode.truncate,
            append: mode.append,
        };
        let now_ns = self.now_ns();
        let file = self.volume.open(&mut self.partition, path, mode, now_ns).map_err(error)?;
        Ok(FileHandle(file.to_bits()))
    }

    fn read(&mut self, file: FileHandle, bytes: &mut [u8]) -> Result<usize, FileError> {
        self.volume.read(&mut self.partition, id(file), bytes).map_err(error)
    }

    fn write(&mut self, file: FileHandle, bytes: &[u8]) -> Result<usize, FileError> {
        let now_ns = self.now_ns();
        self.volume.write(&mut self.partition, id(file), bytes, now_ns).map_err(error)
    }

    fn seek(&mut self, file: FileHandle, offset: i32, whence: Whence) -> Result<u32, FileError> {
        let from = match whence {
            Whence::Start => SeekFrom::Start,
            Whence::Current => SeekFrom::Current,
            Whence::End => SeekFrom::End,
        };
        self.volume.seek(&mut self.partition, id(file), offset, from).map_err(error)
    }

    fn sync(&mut self, file: FileHandle) -> Result<(), FileError> {
        self.volume.sync(&mut self.partition, id(file)).map_err(error)
    }

    fn close(&mut self, file: FileHandle) -> Result<(), FileError> {
        self.volume.close(&mut self.partition, id(file)).map_err(error)
    }

    fn close_all(&mut self) {
        while let Some(file) = { self.volume.open_files().next() } {
            // It is closed even if what was written last is lost.
            let _ = self.volume.close(&mut self.partition, file);
        }
    }

    fn close_unheld(&mut self, held: &[FileHandle]) {
        let is_held = |file: &FileId| held.contains(&FileHandle(file.to_bits()));
        while let Some(file) = { self.volume.open_files().find(|file| !is_held(file)) } {
            // As for `close_all`.
            let _ = self.volume.close(&mut self.partition, file);
        }
    }

    fn info(&mut self, path: &[u8]) -> Result<FileInfo, FileError> {
        let found = self.volume.stat(&mut self.partition, path).map_err(error)?;
        Ok(info(found.kind, found.size, found.mtime_ns))
    }

    fn make_dir(&mut self, path: &[u8]) -> Result<(), FileError> {
        self.volume.make_dir(&mut self.partition, path).map_err(error)
    }

    fn remove(&mut self, path: &[u8]) -> Result<(), FileError> {
        self.volume.remove(&mut self.partition, path).map_err(error)
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), FileError> {
        self.volume.rename(&mut self.partition, from, to).map_err(error)
    }

    fn entry(
        &mut self,
        path: &[u8],
        index: u32,
        name: &mut [u8; NAME_MAX],
    ) -> Result<Option<(usize, FileInfo)>, FileError> {
        let Some(entry) = self.volume.entry_at(&mut self.partition, path, index).map_err(error)? else {
            return Ok(None);
        };
        let found = entry.name();
        name[..found.len()].copy_from_slice(found);
        Ok(Some((found.len(), info(entry.kind, entry.size, 0))))
    }

    fn usage(&mut self) -> Result<FileSystemUsage, FileError> {
        let usage = self.volume.usage(&mut self.partition).map_err(error)?;
        Ok(FileSystemUsage {
            block_size: usage.block_size,
            blocks: usage.block_count,
            free_blocks: usage.block_count - usage.blocks_used.min(usage.block_count),
            name_max: NAME_MAX as u32,
        })
    }
}
