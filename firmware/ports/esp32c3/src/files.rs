//! The file system: littlefs in the `vfs` partition, made at the first start as MicroPython makes it.

use larch_hal::{
    BlockDevice, FileError, FileHandle, FileInfo, FileMode, FileSystem, FileSystemUsage, Whence,
};
use larch_lfs::{Errno, FileId, Kind, Memory, NAME_MAX, OpenMode, SeekFrom, Volume};
use static_cell::StaticCell;

use crate::clock;
use crate::flash::Partition;

/// How many files can be open at a time.
const OPEN_FILES: usize = 16;
/// What MicroPython writes at the first start.
const BOOT_PY: &[u8] = b"# This file is executed on every boot (including wake-boot from deepsleep)\n";

/// A mounted partition.
pub struct Files {
    partition: Partition,
    volume: Volume<'static>,
}

/// What came of looking for a file system.
pub enum Mounted {
    /// It is there.
    Existing(Files),
    /// The partition was blank, and has been set up.
    New(Files),
    /// There is something else in the partition, or the flash fails.
    Unusable(Partition),
}

impl Files {
    /// Opens the file system of the partition. Called once.
    pub fn mount(mut partition: Partition) -> Mounted {
        static MEMORY: StaticCell<Memory<OPEN_FILES>> = StaticCell::new();
        let memory = MEMORY.init_with(Memory::new);
        let is_blank = is_blank(&mut partition);
        if is_blank && Volume::format(memory, &mut partition).is_err() {
            return Mounted::Unusable(partition);
        }
        match Volume::mount(memory, &mut partition) {
            Ok(volume) => {
                let mut files = Self { partition, volume };
                if !is_blank {
                    return Mounted::Existing(files);
                }
                files.write_boot_file();
                Mounted::New(files)
            }
            Err(_) => Mounted::Unusable(partition),
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

    /// The partition underneath.
    pub fn partition(&mut self) -> &mut Partition {
        &mut self.partition
    }
}

/// Whether the first block was never written.
fn is_blank(partition: &mut Partition) -> bool {
    let mut bytes = [0; 128];
    (0..partition.block_size() / bytes.len() as u32).all(|index| {
        partition.read(0, index * bytes.len() as u32, &mut bytes).is_ok()
            && bytes.iter().all(|&byte| byte == 0xff)
    })
}

fn now_ns() -> u64 {
    clock::epoch_us() * 1000
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

impl FileSystem for Files {
    fn open(&mut self, path: &[u8], mode: FileMode) -> Result<FileHandle, FileError> {
        let mode = OpenMode {
            read: mode.read,
            write: mode.write,
            create: mode.create,
            exclusive: mode.exclusive,
            truncate: mode.truncate,
            append: mode.append,
        };
        let file = self.volume.open(&mut self.partition, path, mode, now_ns()).map_err(error)?;
        Ok(FileHandle(file.to_bits()))
    }

    fn read(&mut self, file: FileHandle, bytes: &mut [u8]) -> Result<usize, FileError> {
        self.volume.read(&mut self.partition, id(file), bytes).map_err(error)
    }

    fn write(&mut self, file: FileHandle, bytes: &[u8]) -> Result<usize, FileError> {
        self.volume.write(&mut self.partition, id(file), bytes, now_ns()).map_err(error)
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
