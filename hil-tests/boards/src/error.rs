//! What can be wrong with `boards.yaml`, said so that the next step is clear.

/// A mistake in `boards.yaml`, or a question for a board that is not in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("{file}: cannot be read: {reason}")]
    Unreadable {
        /// Path of the file.
        file: String,
        /// What the system said.
        reason: String,
    },
    /// The file says something wrong at a known place.
    #[error("{file}:{line}:{column}: {message}")]
    Wrong {
        /// File name as shown to people.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong and what is allowed.
        message: String,
    },
    /// The file as a whole is wrong.
    #[error("{file}: {message}")]
    WholeFile {
        /// File name as shown to people.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// A board was asked for that the file does not describe.
    #[error("{message}")]
    NoSuchBoard {
        /// Names the known boards.
        message: String,
    },
}

impl Error {
    pub(crate) fn at(file: &str, line: usize, column: usize, message: impl Into<String>) -> Self {
        Self::Wrong { file: file.into(), line, column, message: message.into() }
    }

    pub(crate) fn whole_file(file: &str, message: impl Into<String>) -> Self {
        Self::WholeFile { file: file.into(), message: message.into() }
    }
}
