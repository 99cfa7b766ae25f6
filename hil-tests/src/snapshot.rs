//! What a board must answer: insta snapshots, one per scenario, shared by all boards.
//!
//! The files are insta's (`NAME.snap`, pending ones `NAME.snap.new`), so `cargo insta review` works on them. insta
//! itself judges what is equal; the difference is rendered here, because it is shown in a table of many boards.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use similar::{ChangeTag, TextDiff};

use crate::files::write_whole;

/// The directory of snapshots.
#[derive(Debug, Clone)]
pub struct Snapshots {
    directory: PathBuf,
}

/// How a transcript compares with its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// As it must be.
    Same,
    /// There is no snapshot yet.
    Missing,
    /// Different: the lines, marked with `-` (expected) and `+` (seen).
    Differs(String),
}

impl Snapshots {
    /// Snapshots in a directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.into() }
    }

    /// Path of a snapshot.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.snap"))
    }

    /// What the board must answer, if that is known.
    ///
    /// # Errors
    /// If the snapshot exists and cannot be read.
    pub fn expected(&self, name: &str) -> io::Result<Option<String>> {
        Ok(self.read(name)?.map(|text| normal(&text).to_owned()))
    }

    /// Compares a transcript with its snapshot; writes nothing.
    ///
    /// # Errors
    /// If the snapshot exists and cannot be read.
    pub fn compare(&self, name: &str, transcript: &str) -> io::Result<Comparison> {
        let Some(expected) = self.read(name)? else {
            return Ok(Comparison::Missing);
        };
        if normal(&expected) == normal(transcript) {
            self.insta_agrees(name, transcript);
            return Ok(Comparison::Same);
        }
        Ok(Comparison::Differs(diff(normal(&expected), normal(transcript))))
    }

    /// Writes the transcript beside the snapshot for `cargo insta review`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn propose(&self, name: &str, transcript: &str) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        write_whole(&self.pending(name), contents(name, transcript).as_bytes())
    }

    /// Makes the transcript the snapshot.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn accept(&self, name: &str, transcript: &str) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        write_whole(&self.path(name), contents(name, transcript).as_bytes())?;
        self.forget_proposal(name)
    }

    /// Removes a pending snapshot, if there is one.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn forget_proposal(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.pending(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Names of all snapshots.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let file = entry?.file_name().to_string_lossy().into_owned();
            names.extend(file.strip_suffix(".snap").map(String::from));
        }
        names.sort();
        Ok(names)
    }

    fn pending(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.snap.new"))
    }

    /// The text below the header of a snapshot file.
    fn read(&self, name: &str) -> io::Result<Option<String>> {
        let text = match fs::read_to_string(self.path(name)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let body =
            text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map(|(_, body)| body);
        body.map(|body| Some(body.to_owned())).ok_or_else(|| {
            let why = format!("{}: not an insta snapshot (no `---` header)", self.path(name).display());
            io::Error::new(io::ErrorKind::InvalidData, why)
        })
    }

    /// insta has the last word on what is equal.
    fn insta_agrees(&self, name: &str, transcript: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&self.directory);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, transcript));
    }
}

/// As insta writes it.
fn contents(name: &str, transcript: &str) -> String {
    format!(
        "---\nsource: hil-tests/scenarios/{}.repl\n---\n{}\n",
        name.split('@').next().unwrap_or(name).replace("__", "/"),
        normal(transcript)
    )
}

/// As insta compares it: line ends unified, blank lines at both ends dropped.
fn normal(text: &str) -> &str {
    text.trim_end().trim_start_matches('\n')
}

/// Lines with their marks; long equal stretches are shortened.
#[must_use]
pub fn diff(expected: &str, seen: &str) -> String {
    let mut out = String::new();
    let lines = TextDiff::from_lines(expected, seen);
    for (index, group) in lines.grouped_ops(4).iter().enumerate() {
        if index > 0 {
            out.push_str("  ...\n");
        }
        for change in group.iter().flat_map(|op| lines.iter_changes(op)) {
            let mark = match change.tag() {
                ChangeTag::Delete => "- ",
                ChangeTag::Insert => "+ ",
                ChangeTag::Equal => "  ",
            };
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{mark}{}", change.value().trim_end_matches('\n'));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Snapshots};

    fn empty(name: &str) -> Snapshots {
        let directory = std::env::temp_dir().join(format!("larch-snapshots-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        Snapshots::new(&directory)
    }

    #[test]
    fn what_is_accepted_compares_as_same() {
        let snapshots = empty("accept");
        assert_eq!(snapshots.compare("a__b", "x").unwrap(), Comparison::Missing);
        snapshots.propose("a__b", ">>> 1\n1\n>>>").unwrap();
        assert_eq!(snapshots.compare("a__b", "x").unwrap(), Comparison::Missing);
        snapshots.accept("a__b", ">>> 1\n1\n>>>").unwrap();
        assert_eq!(snapshots.compare("a__b", ">>> 1\n1\n>>>\n").unwrap(), Comparison::Same);
        assert_eq!(snapshots.names().unwrap(), ["a__b"]);
        assert!(!snapshots.pending("a__b").exists());
    }

    #[test]
    fn a_difference_is_readable() {
        let snapshots = empty("differs");
        snapshots.accept("a__b", ">>> exit()\nNameError: name 'exit' isn't defined").unwrap();
        let compared =
            snapshots.compare("a__b", ">>> exit()\nNameError: name 'exit' is not defined").unwrap();
        let shown =
            "  >>> exit()\n- NameError: name 'exit' isn't defined\n+ NameError: name 'exit' is not defined\n";
        assert_eq!(compared, Comparison::Differs(shown.into()));
    }
}
