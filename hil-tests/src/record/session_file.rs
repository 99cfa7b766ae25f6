//! The file of a session, written and read.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use larch_loader::transport::trace::{self, Entry};

/// The first line of every session.
const FIRST: &str = "# larch-session 1";
/// Bytes of a session that are read.
const LIMIT: u64 = 64 * 1024 * 1024;

/// A session that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionFile {
    lines: Vec<(String, String)>,
    /// What passed, and when.
    pub entries: Vec<(Duration, Entry)>,
}

impl SessionFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read or is no session; the message names file and line.
    pub fn load(path: &Path) -> Result<Self, String> {
        let mut bytes = Vec::new();
        let read = |file: File| file.take(LIMIT).read_to_end(&mut bytes);
        let count =
            File::open(path).and_then(read).map_err(|error| format!("{}: {error}", path.display()))?;
        if count as u64 == LIMIT {
            return Err(format!("{}: longer than {} MB", path.display(), LIMIT >> 20));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| format!("{}: no session of --record: it is not text", path.display()))?;
        Self::parse(&text).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// The line that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.lines().next() != Some(FIRST) {
            return Err(format!("no session of --record: the first line is not '{FIRST}'"));
        }
        let entries = trace::parse(text)?;
        let comment = |line: &str| {
            let (word, value) = line.strip_prefix("# ")?.split_once(':')?;
            Some((word.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned()))
        };
        let lines = text.lines().skip(1).filter_map(comment).collect();
        Ok(Self { lines, entries })
    }

    /// The value of a word; the last one, if it is there several times.
    #[must_use]
    pub fn value(&self, word: &str) -> Option<&str> {
        self.values(word).last()
    }

    /// All values of a word.
    pub fn values(&self, word: &str) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(move |(known, _)| known == word).map(|(_, value)| value.as_str())
    }

    /// All values as lines of one text.
    #[must_use]
    pub fn text(&self, word: &str) -> String {
        self.values(word).map(|line| format!("{line}\n")).collect()
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// That it is not.
    pub fn need(&self, word: &str) -> Result<&str, String> {
        self.value(word).ok_or_else(|| format!("the session has no '# {word}: ...'"))
    }
}

/// Writes the text of a session.
pub(super) struct Writer(String);

impl Writer {
    pub fn new() -> Self {
        Self(format!("{FIRST}\n"))
    }

    /// A word and its value; a value is one line.
    pub fn line(&mut self, word: &str, value: &str) {
        let value: String =
            value.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        self.0.push_str(&format!("# {word}: {value}\n"));
    }

    /// What passed.
    pub fn body(&mut self, tape: &str) {
        self.0.push_str(tape);
    }

    pub fn text(self) -> String {
        self.0
    }
}

/// A name that stays in its directory.
pub(super) fn plain_name(name: &str) -> io::Result<&str> {
    let plain =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if plain && !name.starts_with('.') {
        return Ok(name);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        format!("'{name}' is no name of a file beside the session"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::new();
        writer.line("kind", "repl");
        writer.line("typed", "");
        writer.line("typed", "  print(': a')\u{7}");
        writer.body("0.5 > \"x\"\n");
        writer.line("outcome", "ended");
        let file = SessionFile::parse(&writer.text()).unwrap();
        assert_eq!(file.need("kind").unwrap(), "repl");
        assert_eq!(file.text("typed"), "\n  print(': a') \n");
        assert_eq!(file.entries, [(Duration::from_millis(500), Entry::Sent(b"x".to_vec()))]);
        assert_eq!(file.need("board").unwrap_err(), "the session has no '# board: ...'");
    }

    #[test]
    fn other_files_are_refused() {
        assert!(SessionFile::parse("hello\n").unwrap_err().contains("first line"));
        assert_eq!(SessionFile::parse(&format!("{FIRST}\n\nx")).unwrap_err(), "line 3 is no line of a trace");
        for name in ["", "../x", "/etc/passwd", ".x", "a/b", "a\\b"] {
            plain_name(name).unwrap_err();
        }
        assert_eq!(plain_name("6f1d-0x1000.bin").unwrap(), "6f1d-0x1000.bin");
    }

    proptest! {
        #[test]
        fn any_text_is_harmless(text in "(# [a-z]{1,5}: .{0,9}\n|[0-9.]{1,3} [><] \"?[a-z0-9\\\\]{0,6}\"?\n){0,8}") {
            let _ = SessionFile::parse(&format!("{FIRST}\n{text}"));
            let _ = SessionFile::parse(&text);
        }
    }
}
