//! Paths: the working directory, and absolute paths without `.` and `..`.

use larch_heap::{Root, Value};
use larch_vm::{Res, Vm};

/// Longest path, in bytes.
pub const PATH_MAX: usize = 255;
const ENAMETOOLONG: i32 = 36;

/// An absolute path.
#[derive(Clone, Copy)]
pub struct Path {
    bytes: [u8; PATH_MAX],
    len: usize,
}

impl Path {
    /// `/`
    pub const ROOT: Path = {
        let mut bytes = [0; PATH_MAX];
        bytes[0] = b'/';
        Path { bytes, len: 1 }
    };

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or("/")
    }

    /// Goes one name down, or up for `..`; false if the path gets too long.
    pub fn push(&mut self, name: &[u8]) -> bool {
        match name {
            b"" | b"." => true,
            b".." => {
                let end = self.as_bytes().iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                self.len = end.max(1);
                true
            }
            _ => {
                let separator = usize::from(self.len > 1);
                let end = self.len + separator + name.len();
                if end > PATH_MAX {
                    return false;
                }
                if separator == 1 {
                    self.bytes[self.len] = b'/';
                }
                self.bytes[self.len + separator..end].copy_from_slice(name);
                self.len = end;
                true
            }
        }
    }

    /// The path with something appended to its last name.
    pub fn with_suffix(mut self, suffix: &[u8]) -> Option<Path> {
        let end = self.len + suffix.len();
        if end > PATH_MAX {
            return None;
        }
        self.bytes[self.len..end].copy_from_slice(suffix);
        self.len = end;
        Some(self)
    }

    /// What `path` means from here.
    pub fn join(&self, path: &[u8]) -> Option<Path> {
        let mut joined = if path.first() == Some(&b'/') { Path::ROOT } else { *self };
        path.split(|byte| *byte == b'/').all(|name| joined.push(name)).then_some(joined)
    }
}

/// The working directory.
pub fn working_directory(vm: &Vm) -> Path {
    let kept = vm.str_span(vm.heap.root(Root::Directory));
    kept.and_then(|span| Path::ROOT.join(vm.bytes_at(span))).unwrap_or(Path::ROOT)
}

/// Changes the working directory.
///
/// # Errors
/// MemoryError.
pub fn set_working_directory(vm: &mut Vm, path: &Path) -> Res<()> {
    let text = vm.new_str(path.as_str())?;
    vm.heap.set_root(Root::Directory, text);
    Ok(())
}

/// A path argument: a string or bytes.
///
/// # Errors
/// TypeError if it is neither, OSError if it is too long.
pub fn path_arg(vm: &mut Vm, value: Value) -> Res<Path> {
    let Some(span) = vm.str_span(value).or_else(|| vm.bytes_span(value)) else {
        return Err(vm.raise_implicit(value));
    };
    match working_directory(vm).join(vm.bytes_at(span)) {
        Some(path) => Ok(path),
        None => Err(vm.raise_os(ENAMETOOLONG)),
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn paths_are_normalised() {
        let base = Path::ROOT.join(b"/lib/a").unwrap();
        for (path, expect) in [
            ("b", "/lib/a/b"),
            ("../b", "/lib/b"),
            ("/", "/"),
            ("..", "/lib"),
            ("../..", "/"),
            ("../../..", "/"),
            ("./x//y/", "/lib/a/x/y"),
            ("", "/lib/a"),
            ("/x/../y", "/y"),
        ] {
            assert_eq!(base.join(path.as_bytes()).unwrap().as_str(), expect, "{path}");
        }
        assert!(base.join(&[b'x'; 300]).is_none());
    }
}
