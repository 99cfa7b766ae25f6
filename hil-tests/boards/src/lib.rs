//! `boards.yaml`, typed: which boards there are, how each is reached, flashed, reset and powered.
//!
//! The file holds *instances* ("this board on that port, wired so"); what a chip is lives with the chips.
//! Invariants: nothing in the file is ignored – an unknown key, a bad value, a key that this version does not
//! implement yet, or a board defined twice is an [`Error`] that names file, line, column and what is allowed.
//! YAML itself is seen only by the [`yaml`] module.
#![forbid(unsafe_code)]

mod air;
mod board;
mod error;
mod parts;
pub mod schema;
mod suggest;
mod yaml;

pub use air::{AccessPoint, Simulated, Subnet};
pub use board::{Board, BootStrap, Chip, FlashMethod, Port, Reset, TtyName};
pub use error::Error;
pub use parts::{Image, Power, Probe, Quarantine, Secret, Wire, glob_matches};
pub use suggest::nearest;

use std::path::Path;

/// The boards of one `boards.yaml`, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boards {
    default: String,
    boards: Vec<Board>,
}

impl Boards {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// The file cannot be read, or says something that [`Boards::parse`] refuses.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::Unreadable { file: name.clone(), reason: source.to_string() })?;
        Self::parse(&short_name(path), &text)
    }

    /// Checks the text of a file; `file` is only used in messages.
    ///
    /// # Errors
    /// Anything that is not exactly a board description, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let (default, boards) = yaml::parse(file, text)?;
        let parsed = Self { default, boards };
        if parsed.boards.is_empty() {
            return Err(Error::whole_file(file, "no boards; add one under `boards:`"));
        }
        if parsed.find(&parsed.default).is_err() {
            let known = parsed.names().collect::<Vec<_>>();
            let message = suggest::unknown("board", &parsed.default, &known);
            let (line, column) = yaml::place_of_default(text);
            return Err(Error::at(file, line, column, message));
        }
        Ok(parsed)
    }

    /// The board used when none is named.
    #[must_use]
    pub fn default_board(&self) -> &Board {
        self.find(&self.default).unwrap_or(&self.boards[0])
    }

    /// The board of that name.
    ///
    /// # Errors
    /// [`Error::NoSuchBoard`], which lists the known names.
    pub fn find(&self, name: &str) -> Result<&Board, Error> {
        self.boards.iter().find(|board| board.name == name).ok_or_else(|| {
            let known = self.names().collect::<Vec<_>>();
            Error::NoSuchBoard { message: suggest::unknown("board", name, &known) }
        })
    }

    /// All boards, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Board> {
        self.boards.iter()
    }

    /// All names, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.boards.iter().map(|board| board.name.as_str())
    }
}

/// The file name as a person would say it: without the directories before it.
fn short_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
