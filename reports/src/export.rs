//! Results for other tools: one Parquet dataset of many results, and a result as the metrics that
//! a real cluster would have had.
//!
//! [`export_dataset`] copies tables; [`write_openmetrics`] samples them on a grid of moments, as a
//! scrape would. Neither computes anything that the tables do not say. Leaves out: other
//! replications than the first (their records are not kept), and remote write (promtool imports
//! the text).

mod autoscaler;
mod dataset;
mod exposition;
mod hive;
mod identity;
mod nodes;
mod openmetrics;
mod pods;
mod steps;
mod unfinished;

use std::io;
use std::path::{Path, PathBuf};

pub use dataset::{DatasetWritten, export_dataset};
pub use openmetrics::{MetricsWritten, write_openmetrics, write_openmetrics_file};
pub use steps::Window;

use crate::result_file::ResultFileError;
use crate::tables::ReadError;

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A result cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A result's summary cannot be read.
    #[error(transparent)]
    Summary(#[from] ResultFileError),
    /// What was asked for cannot be done.
    #[error("{}: {reason}", path.display())]
    Refused {
        /// The file or folder.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// A file cannot be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The writer of the text said no.
    #[error("{0}")]
    Writer(io::Error),
}

impl ExportError {
    /// Whether it is the user's to mend; otherwise the system said no.
    pub const fn is_bad_input(&self) -> bool {
        matches!(self, Self::Read(_) | Self::Summary(_) | Self::Refused { .. })
    }

    fn refused(path: &Path, reason: impl Into<String>) -> Self {
        Self::Refused { path: path.to_owned(), reason: reason.into() }
    }

    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
