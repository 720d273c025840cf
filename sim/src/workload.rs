//! What is submitted to the cluster, and when: Spark runs and plain pods.
//!
//! Readers of recorded files lower to these types; the engine knows no file format. A [`Run`]
//! keeps what was recorded and leaves out (`None`) what was not: the engine fills it from the
//! scenario's Spark defaults and from the documented defaults of the canonical trace.

mod failure;
mod recording;
mod rescale;
mod run;
mod runs;
mod stage;
mod trace_pod;

pub use failure::{Failure, FailureCounts};
pub use recording::{RecordedExecutor, Recording, Removal, TaskFault, TaskFaultKind};
pub use rescale::{Rescale, ShufflePartitions};
pub use run::{ApplicationId, NodeLifecycle, Run, RunOutcome, TeamId};
pub use runs::{RunRef, RunStore, Runs};
pub use stage::{Locality, Stage, TaskDurations};
pub use trace_pod::{RecordedWait, TracePod};

use crate::units::SimTime;

/// Everything that is submitted, in order of time.
#[derive(Debug, Default, Clone)]
pub struct Workload {
    /// The wall-clock time of [`SimTime::ZERO`], in milliseconds since 1970-01-01 UTC.
    pub epoch_ms: i64,
    /// Names of applications, indexed by [`ApplicationId`].
    pub applications: Vec<String>,
    /// Names of teams, indexed by [`TeamId`].
    pub teams: Vec<String>,
    /// Spark submissions, sorted by `submitted_at`, then by position in the trace.
    pub runs: Runs,
    /// Plain pods, sorted by `created_at`, then by position in the trace.
    pub pods: Vec<TracePod>,
}

impl Workload {
    /// The time of the last submission.
    pub fn last_submission(&self) -> SimTime {
        let run = self.runs.last_submission().unwrap_or(SimTime::ZERO);
        let pod = self.pods.last().map_or(SimTime::ZERO, |pod| pod.created_at);
        run.max(pod)
    }
}
