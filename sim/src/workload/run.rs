//! A run: one submission by the orchestrator.

use serde::Serialize;

use super::{Failure, Recording, Stage};
use crate::scenario::RunSettings;
use crate::units::{Bytes, MilliCores, SimDuration, SimTime};

/// Index into [`super::Workload::applications`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApplicationId(pub u32);

/// Index into [`super::Workload::teams`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TeamId(pub u32);

/// Which capacity the recorded run's executors ran on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeLifecycle {
    /// Spot.
    Spot,
    /// On-demand.
    OnDemand,
}

/// How the recorded run ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// It did what it was asked for. Also the default where the trace says nothing.
    #[default]
    Succeeded,
    /// It ended without success.
    Failed,
    /// The recording stops before the end.
    Unfinished,
}

/// One submission, as recorded: a row of the canonical `runs` table. `None` = not recorded.
#[derive(Debug, Default, Clone)]
pub struct Run {
    /// The orchestrator's name for it; unique in a workload.
    pub run_id: Box<str>,
    /// What the runs of one job have in common.
    pub application: ApplicationId,
    /// Who owns it.
    pub team: TeamId,
    /// When it was submitted.
    pub submitted_at: SimTime,
    /// Critical for the business: policies may treat it better.
    pub critical: bool,
    /// `spark.driver.cores`.
    pub driver_cores: Option<MilliCores>,
    /// `spark.driver.memory` (heap).
    pub driver_memory: Option<Bytes>,
    /// `spark.executor.cores`: task slots of an executor.
    pub executor_cores: Option<u32>,
    /// `spark.executor.memory` (heap).
    pub executor_memory: Option<Bytes>,
    /// `spark.executor.memoryOverhead`.
    pub executor_memory_overhead: Option<Bytes>,
    /// Fewest executors; with dynamic allocation off, the count.
    pub executors_min: Option<u32>,
    /// Most executors.
    pub executors_max: Option<u32>,
    /// `spark.dynamicAllocation.enabled`.
    pub dynamic_allocation: Option<bool>,
    /// Recorded time from the driver's start to its end.
    pub duration: Option<SimDuration>,
    /// Task time summed over all tasks: the work that executors have to do.
    pub executor_task_time: Option<SimDuration>,
    /// Time in which the driver worked alone (planning, collecting, waiting between jobs).
    pub driver_only: Option<SimDuration>,
    /// Number of tasks.
    pub tasks: Option<u32>,
    /// The most memory that one executor's container needed.
    pub peak_executor_memory: Option<Bytes>,
    /// The most memory that the driver's container needed.
    pub peak_driver_memory: Option<Bytes>,
    /// Bytes read from outside.
    pub input_bytes: Option<Bytes>,
    /// Bytes written for shuffles.
    pub shuffle_bytes: Option<Bytes>,
    /// The orchestrator kills an attempt that takes longer than this.
    pub timeout: Option<SimDuration>,
    /// So long after `submitted_at` it should have succeeded.
    pub deadline: Option<SimDuration>,
    /// Places, in the workload, of earlier runs that have to end before it is submitted.
    pub depends_on: Box<[u32]>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why it failed, where it did.
    pub failure: Option<Failure>,
    /// Where its executors ran.
    pub node_lifecycle: Option<NodeLifecycle>,
    /// Stages in order of submission, where an event log or a `stages` table has them.
    pub stages: Option<std::sync::Arc<[Stage]>>,
    /// What it is submitted with, instead of what it was recorded with.
    pub settings: Option<std::sync::Arc<RunSettings>>,
    /// What it met where it was recorded, where an event log has it.
    pub recording: Option<std::sync::Arc<Recording>>,
}
