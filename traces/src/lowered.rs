//! What every reader of recorded runs gives: a run with its names still in text.
//!
//! Readers see one file at a time and do not know which number an application or a team will have
//! in the whole workload, nor when that workload starts. Whoever gathers the runs of all traces
//! numbers the names and sets `Run::submitted_at` relative to the earliest submission.

use sim::workload::Run;

/// One recorded run, not yet placed in a workload.
#[derive(Debug, Default, Clone)]
pub struct LoweredRun {
    /// The run. Its `application` and `team` are 0 and its `submitted_at` is zero: they are set
    /// from the fields beside it when the workload is put together.
    pub run: Run,
    /// What the runs of one job have in common.
    pub application: String,
    /// Who owns it.
    pub team: String,
    /// When it was submitted, in milliseconds since 1970-01-01 UTC.
    pub submitted_at_ms: i64,
    /// What set it off (a schedule, a person, another run), where the trace says so.
    pub trigger: Option<String>,
    /// What was said of its failure (a reason, an exception), where it failed.
    pub failure_message: Option<String>,
    /// Ids of runs, joined by `;`, that had to end before it was submitted.
    pub depends_on: Option<String>,
}
