//! One user of a board at a time, across processes, without a server.
//!
//! A lock is a file per board identity, locked with the operating system's advisory lock (`flock`), which ends with the
//! process that holds it, however it ends. The file's text says who that is; if the text is there and the lock is not
//! held, its writer was killed, and the lock is taken over. Invariant: the file is never removed, so two processes
//! never lock two files of one name.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How often a taken lock is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How often it is said who has the board.
const REMIND: Duration = Duration::from_secs(60);

/// Who has a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Its user.
    pub user: String,
    /// Its command line.
    pub command: String,
    /// What the board is called there.
    pub board: String,
    /// Seconds since 1970.
    pub since_unix_s: u64,
}

impl Holder {
    fn this_process(board: &str) -> Self {
        let command = std::env::args().collect::<Vec<_>>().join(" ");
        let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "?".into());
        Self { pid: std::process::id(), user, command, board: board.into(), since_unix_s: unix_s() }
    }

    /// `process 4711 of anna (cargo xtask hil), for 3 min`
    #[must_use]
    pub fn describe(&self) -> String {
        let age = unix_s().saturating_sub(self.since_unix_s);
        let age = match age {
            0..=119 => format!("{age} s"),
            120..=7199 => format!("{} min", age / 60),
            _ => format!("{} h", age / 3600),
        };
        format!("process {} of {} ({}), for {age}", self.pid, self.user, self.command)
    }
}

/// What happened on the way to a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Somebody else has the board; it is waited for.
    Waiting(Option<Holder>),
    /// The last holder was ended without giving the board back.
    TookOver(Holder),
}

/// A board that this process has; given back when dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was waited for long enough.
    #[error("{board} is in use by {}; try again later, or end that process", .holder.as_ref().map_or_else(|| "another process".into(), Holder::describe))]
    InUse {
        /// The board.
        board: String,
        /// Who has it.
        holder: Option<Holder>,
    },
    /// The lock's file cannot be used.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the board with this identity; waits at most `limit` and tells what happens meanwhile.
    ///
    /// # Errors
    /// Somebody else keeps it, or the lock's file cannot be made.
    pub fn take(
        directory: &Path,
        identity: &str,
        board: &str,
        limit: Duration,
        tell: &dyn Fn(&Told),
    ) -> Result<Self, Error> {
        let path = path_of(directory, identity);
        let wrong = |source| Error::File { path: path.display().to_string(), source };
        fs::create_dir_all(directory).map_err(wrong)?;
        let mut file = open(&path).map_err(wrong)?;
        let start = Instant::now();
        let mut reminded: Option<Instant> = None;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(wrong(source)),
                Err(TryLockError::WouldBlock) => {}
            }
            let holder = read(&mut file);
            if start.elapsed() >= limit {
                return Err(Error::InUse { board: board.into(), holder });
            }
            if reminded.is_none_or(|said| said.elapsed() >= REMIND) {
                reminded = Some(Instant::now());
                tell(&Told::Waiting(holder));
            }
            std::thread::sleep(LOOK.min(limit.saturating_sub(start.elapsed())));
        }
        if let Some(holder) = read(&mut file) {
            tell(&Told::TookOver(holder));
        }
        let mut lock = Self { file };
        lock.write(&Holder::this_process(board)).map_err(wrong)?;
        Ok(lock)
    }

    fn write(&mut self, holder: &Holder) -> io::Result<()> {
        let text = serde_json::to_string(holder).map_err(io::Error::other)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // An empty file: it was given back. If that fails, the next one believes to take over, which is harmless.
        let _ = self.file.set_len(0);
        give_back(&self.file);
    }
}

/// Ends the lock now. Closing the file is not enough: a child that another thread is just starting has the same open
/// file until it becomes its own program.
fn give_back(file: &File) {
    // What cannot be unlocked ends with the process.
    let _ = file.unlock();
}

/// Who has the board with this identity now, if anybody.
#[must_use]
pub fn holder(directory: &Path, identity: &str) -> Option<Holder> {
    let mut file = File::options().read(true).open(path_of(directory, identity)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => read(&mut file),
        Err(TryLockError::Error(_)) => None,
        Ok(()) => {
            give_back(&file);
            None
        }
    }
}

/// Where the locks of this machine are: shared by all checkouts and all build directories.
#[must_use]
pub fn directory() -> PathBuf {
    std::env::var_os("LARCH_LOCKS").map_or_else(|| std::env::temp_dir().join("larch-locks"), PathBuf::from)
}

fn path_of(directory: &Path, identity: &str) -> PathBuf {
    let digest = Sha256::digest(identity.as_bytes());
    let short: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let plain: String =
        identity.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    directory.join(format!("{plain}-{short}.lock"))
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Other users of this machine wait for the same boards. Only the file's owner may and need do this.
        let _ = file.set_permissions(fs::Permissions::from_mode(0o666));
        if let Some(directory) = path.parent() {
            let _ = fs::set_permissions(directory, fs::Permissions::from_mode(0o1777));
        }
    }
    Ok(file)
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    // Another process's text: bounded, and whatever it is.
    file.take(64 * 1024).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::{Error, Lock, Told, holder, path_of};
    use std::cell::RefCell;
    use std::path::PathBuf;
    use std::time::Duration;

    fn directory(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("larch-lock-test-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        directory
    }

    #[test]
    fn a_board_that_is_taken_names_its_holder() {
        let directory = directory("taken");
        let silent = |_: &Told| panic!("nothing to tell");
        let lock = Lock::take(&directory, "/dev/ttyX", "cam", Duration::ZERO, &silent).unwrap();
        let told = RefCell::new(Vec::new());
        let wait = Duration::from_millis(150);
        let error =
            Lock::take(&directory, "/dev/ttyX", "cam", wait, &|what| told.borrow_mut().push(what.clone()));
        let error = error.unwrap_err();
        assert!(
            matches!(&error, Error::InUse { holder: Some(holder), .. } if holder.pid == std::process::id())
        );
        assert!(error.to_string().starts_with("cam is in use by process "), "{error}");
        assert!(matches!(told.borrow().as_slice(), [Told::Waiting(Some(_))]));
        assert_eq!(holder(&directory, "/dev/ttyX").unwrap().board, "cam");
        Lock::take(&directory, "/dev/ttyY", "other", Duration::ZERO, &silent).unwrap();
        drop(lock);
        assert_eq!(holder(&directory, "/dev/ttyX"), None);
        Lock::take(&directory, "/dev/ttyX", "cam", Duration::ZERO, &silent).unwrap();
    }

    #[test]
    fn what_is_given_back_is_free_although_a_child_has_the_file() {
        let directory = directory("inherited");
        let lock = Lock::take(&directory, "x", "x", Duration::ZERO, &|_| {}).unwrap();
        // The same open file under another number, as a child between fork and exec has it.
        let inherited = lock.file.try_clone().unwrap();
        drop(lock);
        Lock::take(&directory, "x", "x", Duration::ZERO, &|_| panic!("nothing to tell")).unwrap();
        drop(inherited);
    }

    #[test]
    fn damaged_text_is_no_holder() {
        let directory = directory("damaged");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(path_of(&directory, "x"), b"\xff{{{").unwrap();
        Lock::take(&directory, "x", "x", Duration::ZERO, &|_| panic!("nothing to tell")).unwrap();
    }
}
