//! The desktop's files as a board's file system.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{Error, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::UNIX_EPOCH;

use larch_hal::{FileError, FileHandle, FileInfo, FileMode, FileSystem, FileSystemUsage, Whence};

const EIO: u16 = 5;
const EBADF: u16 = 9;
const EMFILE: u16 = 24;
/// Files that can be open at once.
const OPEN_MAX: usize = 256;

/// Open files, and the directory that was listed last.
#[derive(Default)]
pub struct Files {
    open: Vec<Option<File>>,
    listed: Option<(Vec<u8>, Vec<Vec<u8>>)>,
}

fn fail(error: Error) -> FileError {
    FileError(error.raw_os_error().and_then(|number| u16::try_from(number).ok()).unwrap_or(EIO))
}

fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

fn info_of(path: &Path) -> Result<FileInfo, FileError> {
    let metadata = std::fs::metadata(path).map_err(fail)?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(FileInfo {
        is_dir: metadata.is_dir(),
        size: if metadata.is_dir() { 0 } else { metadata.len().min(i32::MAX as u64) as u32 },
        modified_s: modified.map_or(0, |time| time.as_secs()),
    })
}

impl Files {
    fn file(&mut self, handle: FileHandle) -> Result<&mut File, FileError> {
        self.open.get_mut(usize::from(handle.0)).and_then(Option::as_mut).ok_or(FileError(EBADF))
    }
}

impl FileSystem for Files {
    fn open(&mut self, path: &[u8], mode: FileMode) -> Result<FileHandle, FileError> {
        let mut options = OpenOptions::new();
        options.read(mode.read).write(mode.write && !mode.append).append(mode.append);
        options.create(mode.create).truncate(mode.truncate);
        if mode.exclusive {
            options.create_new(true);
        }
        let file = options.open(path_of(path)).map_err(fail)?;
        let slot = match self.open.iter().position(Option::is_none) {
            Some(slot) => slot,
            None if self.open.len() < OPEN_MAX => {
                self.open.push(None);
                self.open.len() - 1
            }
            None => return Err(FileError(EMFILE)),
        };
        self.open[slot] = Some(file);
        Ok(FileHandle(slot as u16))
    }

    fn read(&mut self, file: FileHandle, bytes: &mut [u8]) -> Result<usize, FileError> {
        self.file(file)?.read(bytes).map_err(fail)
    }

    fn write(&mut self, file: FileHandle, bytes: &[u8]) -> Result<usize, FileError> {
        self.file(file)?.write_all(bytes).map_err(fail)?;
        Ok(bytes.len())
    }

    fn seek(&mut self, file: FileHandle, offset: i32, whence: Whence) -> Result<u32, FileError> {
        let to = match whence {
            Whence::Start => SeekFrom::Start(u64::try_from(offset).map_err(|_| FileError(22))?),
            Whence::Current => SeekFrom::Current(offset.into()),
            Whence::End => SeekFrom::End(offset.into()),
        };
        let position = self.file(file)?.seek(to).map_err(fail)?;
        Ok(position.min(u32::MAX.into()) as u32)
    }

    fn sync(&mut self, file: FileHandle) -> Result<(), FileError> {
        self.file(file)?.flush().map_err(fail)
    }

    fn close(&mut self, file: FileHandle) -> Result<(), FileError> {
        self.file(file)?;
        self.open[usize::from(file.0)] = None;
        Ok(())
    }

    fn close_all(&mut self) {
        self.open.clear();
    }

    fn info(&mut self, path: &[u8]) -> Result<FileInfo, FileError> {
        info_of(path_of(path))
    }

    fn make_dir(&mut self, path: &[u8]) -> Result<(), FileError> {
        std::fs::create_dir(path_of(path)).map_err(fail)
    }

    fn remove(&mut self, path: &[u8]) -> Result<(), FileError> {
        let path = path_of(path);
        let is_dir = std::fs::symlink_metadata(path).map_err(fail)?.is_dir();
        if is_dir { std::fs::remove_dir(path) } else { std::fs::remove_file(path) }.map_err(fail)
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), FileError> {
        std::fs::rename(path_of(from), path_of(to)).map_err(fail)
    }

    fn entry(
        &mut self,
        path: &[u8],
        index: u32,
        name: &mut [u8; 255],
    ) -> Result<Option<(usize, FileInfo)>, FileError> {
        let is_listed = index > 0 && self.listed.as_ref().is_some_and(|(listed, _)| listed == path);
        if !is_listed {
            let entries = std::fs::read_dir(path_of(path)).map_err(fail)?;
            let names = entries.filter_map(Result::ok).map(|entry| entry.file_name().into_vec()).collect();
            self.listed = Some((path.to_vec(), names));
        }
        let Some((_, names)) = &self.listed else { return Ok(None) };
        let Some(entry) = names.get(index as usize) else { return Ok(None) };
        let len = entry.len().min(name.len());
        name[..len].copy_from_slice(&entry[..len]);
        let unknown = FileInfo { is_dir: false, size: 0, modified_s: 0 };
        let info = info_of(&path_of(path).join(OsStr::from_bytes(entry))).unwrap_or(unknown);
        Ok(Some((len, info)))
    }

    fn usage(&mut self) -> Result<FileSystemUsage, FileError> {
        let stat = rustix::fs::statvfs("/").map_err(|error| FileError(error.raw_os_error() as u16))?;
        let blocks = |count: u64| count.min(i32::MAX as u64) as u32;
        Ok(FileSystemUsage {
            block_size: stat.f_frsize as u32,
            blocks: blocks(stat.f_blocks),
            free_blocks: blocks(stat.f_bavail),
            name_max: 255,
        })
    }
}
