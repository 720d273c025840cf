//! What can be wrong with a recorded file as a whole. What is wrong with single rows is a
//! [`sim::Finding`] instead.

use std::path::{Path, PathBuf};

/// A file that could not be read or written at all.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The operating system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what its name says.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// The header does not fit: every problem, one a line.
    #[error("{}: {}", path.display(), problems.join("\n  "))]
    Columns {
        /// The file.
        path: PathBuf,
        /// All problems, each a sentence with the nearest known names.
        problems: Vec<String>,
    },
    /// More than a reader is ready to hold.
    #[error("{}: {what}, at most {limit} are read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What there is too much of.
        what: String,
        /// The cap.
        limit: u64,
    },
    /// The file could not be written.
    #[error("{}: not written: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Options that contradict each other or are out of range: every problem, one a line.
    #[error("{}", .0.join("\n"))]
    Options(
        /// All problems, each with the name, the value and what is allowed.
        Vec<String>,
    ),
}

impl TraceError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn unreadable(path: &Path, reason: impl Into<String>) -> Self {
        Self::Unreadable { path: path.to_owned(), reason: reason.into() }
    }
}
