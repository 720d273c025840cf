//! Runs of a large job table in a temporary file instead of in memory.
//!
//! A table of more runs than [`SpoolOptions::threshold`] is written, as it is read, to a file that
//! has no name (whoever is killed leaves nothing), and read back in parts by the simulation. In
//! memory stay 8 bytes for a part, the names of applications and teams, and, while the table is
//! read, some 14 bytes a row: the ids are known by 80 bits of hash, not by their text, for finding
//! duplicates and parents. Of two million different ids two are taken for the same once in 10^11
//! tables.
//!
//! Only simple tables are spooled: one `runs` table (beside pod traces), without `stages`, in order
//! of submission, without recorded retries, and where dependencies are recorded, without `~` in an
//! id. What turns out not to be simple after the threshold is read again from the start, as a list:
//! a row in the file is a run that is placed already, and retries and findings need the row as it
//! was. Findings, counts, numbers of names and workloads are those of the list. Left out: scaled,
//! resampled and rescaled workloads, event logs, SWF; a table that comes through a pipe, which
//! cannot be read again.

mod codec;
mod file;
mod places;
mod rows;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub(crate) use rows::{ReadRuns, SpooledRuns, in_vain, read_runs_spooling};

/// When and where runs are spooled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolOptions {
    /// Runs of a table that are kept in memory; with more of them, all are spooled.
    pub threshold: usize,
    /// The folder of the temporary file.
    pub folder: PathBuf,
}

impl Default for SpoolOptions {
    /// 50,000 runs (27 MB): a week of Flotilla's 8,000 a day is listed. The system's folder for
    /// temporary files, which `TMPDIR` names.
    fn default() -> Self {
        Self { threshold: 50_000, folder: std::env::temp_dir() }
    }
}
