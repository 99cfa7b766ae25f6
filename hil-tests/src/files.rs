//! Files that are whole at every moment, whenever the process is ended.

use std::fs;
use std::io;
use std::path::Path;

/// Writes a file beside its place and renames it there.
///
/// # Errors
/// If it cannot be written.
pub fn write_whole(path: &Path, contents: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    fs::write(&beside, contents)?;
    fs::rename(&beside, path)
}
