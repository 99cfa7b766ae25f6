//! Files: what `os` and `open` work on. A port gives its file system in this form, be it littlefs in flash or a folder
//! of the desktop.
//!
//! Paths are absolute, with `/` between names, without `.` and `..`. Errors are POSIX error numbers.

/// Why the file system could not do as asked: what Python's `OSError.errno` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileError(pub u16);

/// The number of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHandle(pub u16);

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileMode {
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

/// Where a position is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The start of the file.
    Start,
    /// The position now.
    Current,
    /// The end of the file.
    End,
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// A directory, not a file.
    pub is_dir: bool,
    /// Length in bytes; 0 for a directory.
    pub size: u32,
    /// When it was changed, in seconds since 1970; 0 if unknown.
    pub modified_s: u64,
}

/// How full a file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSystemUsage {
    /// Bytes in a block.
    pub block_size: u32,
    /// How many blocks there are.
    pub blocks: u32,
    /// How many of them are free.
    pub free_blocks: u32,
    /// Longest name, in bytes.
    pub name_max: u32,
}

/// A file system.
pub trait FileSystem {
    /// Opens a file.
    ///
    /// # Errors
    /// ENOENT, EEXIST, EISDIR, EMFILE and what the medium reports; likewise for the other methods.
    fn open(&mut self, path: &[u8], mode: FileMode) -> Result<FileHandle, FileError>;

    /// Reads up to `bytes.len()` bytes; 0 at the end.
    ///
    /// # Errors
    /// EBADF for a closed file or one that was not opened for reading.
    fn read(&mut self, file: FileHandle, bytes: &mut [u8]) -> Result<usize, FileError>;

    /// Writes all bytes.
    ///
    /// # Errors
    /// EBADF, ENOSPC.
    fn write(&mut self, file: FileHandle, bytes: &[u8]) -> Result<usize, FileError>;

    /// Moves the position, and says where it is now.
    ///
    /// # Errors
    /// EBADF, EINVAL before the start.
    fn seek(&mut self, file: FileHandle, offset: i32, whence: Whence) -> Result<u32, FileError>;

    /// Makes what was written safe from a loss of power.
    ///
    /// # Errors
    /// EBADF, ENOSPC.
    fn sync(&mut self, file: FileHandle) -> Result<(), FileError>;

    /// Closes a file.
    ///
    /// # Errors
    /// As [`FileSystem::sync`]; it is closed nevertheless.
    fn close(&mut self, file: FileHandle) -> Result<(), FileError>;

    /// Closes every file (a soft reset).
    fn close_all(&mut self);

    /// Closes every file that is not in `held`: nobody can close it any more. What was written to it is kept.
    fn close_unheld(&mut self, held: &[FileHandle]) {
        let _ = held;
    }

    /// What a path names.
    ///
    /// # Errors
    /// ENOENT.
    fn info(&mut self, path: &[u8]) -> Result<FileInfo, FileError>;

    /// Makes a directory.
    ///
    /// # Errors
    /// EEXIST, ENOENT if its parent does not exist.
    fn make_dir(&mut self, path: &[u8]) -> Result<(), FileError>;

    /// Removes a file or an empty directory.
    ///
    /// # Errors
    /// ENOENT, ENOTEMPTY.
    fn remove(&mut self, path: &[u8]) -> Result<(), FileError>;

    /// Renames; a file that has the new name is replaced.
    ///
    /// # Errors
    /// ENOENT, EISDIR, ENOTEMPTY.
    fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), FileError>;

    /// Entry number `index` of a directory: writes its name into `name` and says how long it is; `None` after the last.
    /// `.` and `..` are not listed.
    ///
    /// # Errors
    /// ENOENT, ENOTDIR.
    fn entry(
        &mut self,
        path: &[u8],
        index: u32,
        name: &mut [u8; 255],
    ) -> Result<Option<(usize, FileInfo)>, FileError>;

    /// How full it is.
    ///
    /// # Errors
    /// What the medium reports.
    fn usage(&mut self) -> Result<FileSystemUsage, FileError>;
}
