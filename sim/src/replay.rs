//! One recorded application alone, on executors that are given: no cluster, no queue, no bill.
//!
//! Models: everything that `spark` does inside an application (its scheduler, dynamic
//! allocation, losses), on executors that arrive as recorded, or after a start-up latency. Leaves
//! out: everything outside the application; pods are there as soon as the allocator's batches and
//! the latency allow.
//!
//! This is what backtests compare with a recording.

mod adapt;
mod driver;
mod start_up;

use crate::scenario::{Assumptions, SparkDefaults};
use crate::units::{SimDuration, SimTime};
use crate::workload::{Failure, Run};
use driver::Driver;

/// Where executors come from.
#[derive(Debug, Clone, Copy)]
pub enum ExecutorArrivals<'a> {
    /// As another recording, or the run's own, had them. They go as recorded too, unless dynamic
    /// allocation lets them go earlier.
    Recorded(&'a crate::workload::Recording),
    /// Spark asks for them as its settings say; each registers after the assumed start-up latency.
    Modelled,
}

/// What to replay a run under.
#[derive(Debug, Clone, Copy)]
pub struct ReplaySettings<'a> {
    /// Spark's settings: executors, cores, dynamic allocation, limits. Those of the run count for
    /// nothing here.
    pub spark: &'a SparkDefaults,
    /// Latencies and overheads.
    pub assumptions: &'a Assumptions,
    /// Where executors come from.
    pub arrivals: ExecutorArrivals<'a>,
    /// The recording that is to be predicted, where it is known how it was made (`warmed_up`,
    /// `one_host`).
    pub target: Option<&'a crate::workload::Recording>,
    /// Task failures and executor losses happen as the run's own recording has them.
    pub recorded_faults: bool,
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// First job submitted to last job ended.
    pub job_span: SimDuration,
    /// The run's start to its end.
    pub duration: SimDuration,
    /// When each stage was complete, from the run's start; `None` where it never was.
    pub stage_ends: Vec<Option<SimTime>>,
    /// Registered to gone or end, summed over executors.
    pub executor_time: SimDuration,
    /// Most executors at one time.
    pub executors_peak: u32,
    /// Task attempts that succeeded, repeated ones included.
    pub tasks_succeeded: u64,
    /// Task attempts that did not.
    pub tasks_not_succeeded: u64,
    /// How it ended.
    pub result: Result<(), Failure>,
}

/// Replays `run`. Without stages there is nothing to do, and the replay is over at once.
pub fn replay(run: &Run, settings: &ReplaySettings<'_>) -> Replay {
    Driver::new(run, settings).run()
}
