//! Error numbers.

use core::fmt;

/// Why the file system could not do as asked, as a POSIX error number: what Python's `OSError.errno` holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub u16);

impl Errno {
    /// No such file or directory.
    pub const ENOENT: Self = Self(2);
    /// The device failed.
    pub const EIO: Self = Self(5);
    /// The file is closed.
    pub const EBADF: Self = Self(9);
    /// It exists already.
    pub const EEXIST: Self = Self(17);
    /// There is no file system there.
    pub const ENODEV: Self = Self(19);
    /// A part of the path is not a directory.
    pub const ENOTDIR: Self = Self(20);
    /// It is a directory.
    pub const EISDIR: Self = Self(21);
    /// The request makes no sense.
    pub const EINVAL: Self = Self(22);
    /// Too many files are open; close one.
    pub const EMFILE: Self = Self(24);
    /// The device is full.
    pub const ENOSPC: Self = Self(28);
    /// The name is too long.
    pub const ENAMETOOLONG: Self = Self(36);
    /// The file would be too large.
    pub const EFBIG: Self = Self(27);
    /// The directory is not empty.
    pub const ENOTEMPTY: Self = Self(39);

    /// What is on the device makes no sense.
    pub const ECORRUPT: Self = Self(84);
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::ENOENT => "ENOENT",
            Self::EIO => "EIO",
            Self::EBADF => "EBADF",
            Self::EEXIST => "EEXIST",
            Self::ENODEV => "ENODEV",
            Self::ENOTDIR => "ENOTDIR",
            Self::EISDIR => "EISDIR",
            Self::EINVAL => "EINVAL",
            Self::EMFILE => "EMFILE",
            Self::ENOSPC => "ENOSPC",
            Self::ENAMETOOLONG => "ENAMETOOLONG",
            Self::EFBIG => "EFBIG",
            Self::ENOTEMPTY => "ENOTEMPTY",
            Self::ECORRUPT => "ECORRUPT",
            Self(number) => return write!(f, "Errno({number})"),
        };
        f.write_str(name)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[Errno {}] {self:?}", self.0)
    }
}

impl core::error::Error for Errno {}
