//! A row of the `runs` table, with what the model of a run has no use for.

use crate::LoweredRun;

/// One row of the `runs` table: a [`LoweredRun`] and the columns that the simulator does not read,
/// kept so that a table reads back as it was written.
#[derive(Debug, Default, Clone)]
pub struct RunRow {
    /// The submission.
    pub lowered: LoweredRun,
    /// Exit code of the driver's container.
    pub exit_code: Option<i32>,
    /// Which try this row is, from 1; `None` = not recorded, which counts as 1.
    pub attempt: Option<u32>,
    /// The `run_id` that this row retried.
    pub retry_of: Option<String>,
    /// `run_id`s, joined by `;`, that had to end before it was submitted.
    pub depends_on: Option<String>,
    /// Line of the file (or row of a Parquet file) it came from; 0 for rows that were made.
    pub line: u64,
}

impl RunRow {
    /// Ids of the runs that had to end before it was submitted.
    pub(crate) fn parents(&self) -> impl Iterator<Item = &str> {
        let ids = self.depends_on.as_deref().unwrap_or_default().split(';');
        ids.map(str::trim).filter(|id| !id.is_empty())
    }

    /// What the simulator has a use for.
    pub(crate) fn into_lowered(self) -> LoweredRun {
        LoweredRun { depends_on: self.depends_on, ..self.lowered }
    }
}

impl From<LoweredRun> for RunRow {
    fn from(lowered: LoweredRun) -> Self {
        Self { lowered, ..Self::default() }
    }
}
