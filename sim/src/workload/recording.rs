//! What a recorded run met on the cluster it was recorded on: its executors, its losses, its ends.
//!
//! None of it is the application's own, so that a simulated platform does not read it. A replay
//! ([`crate::replay`]) does: to compare with what happened, or to take executors and faults as they
//! were. Times count from the run's `submitted_at`.

use super::TaskDurations;
use crate::scenario::SparkVersion;
use crate::units::SimDuration;

/// A run's recorded circumstances.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Recording {
    /// Spark's release, where it is known.
    pub spark_version: Option<SparkVersion>,
    /// In order of registration.
    pub executors: Vec<RecordedExecutor>,
    /// Tasks that failed or were lost, in order of their end.
    pub task_faults: Vec<TaskFault>,
    /// When the first job was submitted; `None` without jobs.
    pub first_job_at: Option<SimDuration>,
    /// When the last job ended.
    pub last_job_ended_at: Option<SimDuration>,
    /// When each stage of the run was complete, by its place in `Run::stages`: its first successful
    /// attempt; `None` where it never was.
    pub stage_ends: Vec<Option<SimDuration>>,
    /// From the end of the last task to the end of the last job: what the driver did at the end.
    pub driver_tail: SimDuration,
    /// How long the tasks of each stage took where they ran, launch to finish, overheads and all:
    /// for a replay on the recorded executors themselves. By place in `Run::stages`.
    pub task_times: Vec<TaskDurations>,
    /// Tasks ran before the first one of the log (its task ids do not start at 0): executors that
    /// registered before the first job were warm by then.
    pub warmed_up: bool,
    /// All executors share one host with the driver (local-cluster mode).
    pub one_host: bool,
    /// Task attempts that succeeded, repeated ones included.
    pub tasks_succeeded: u64,
    /// Task attempts that did not.
    pub tasks_not_succeeded: u64,
}

impl Recording {
    /// The most executors at one time. At equal times removals come first: one that
    /// replaces another is not a second one.
    pub fn executors_peak(&self) -> u32 {
        let mut changes: Vec<(SimDuration, i32)> = Vec::new();
        for executor in &self.executors {
            changes.push((executor.added_at, 1));
            changes.extend(executor.removed_at.map(|at| (at.max(executor.added_at), -1)));
        }
        changes.sort_unstable();
        let mut alive = 0i32;
        let alive = changes.iter().map(|(_, change)| {
            alive += change;
            alive
        });
        alive.max().unwrap_or(0).unsigned_abs()
    }
}

/// An executor's recorded life.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RecordedExecutor {
    /// When it registered.
    pub added_at: SimDuration,
    /// When it was gone; `None` if it lived to the end.
    pub removed_at: Option<SimDuration>,
    /// Cores: task slots times `spark.task.cpus`.
    pub cores: u32,
    /// Its resource profile; 0 = the default one.
    pub resource_profile: u32,
    /// Its host, as a number: equal where the host is the same one.
    pub host: u32,
    /// What took it; `None` where it lived to the end.
    pub removal: Option<Removal>,
}

/// What became of a recorded executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// The application let it go: idle, or the application ended.
    Released,
    /// Lost, and the application is not to blame: spot, eviction, node failure, a kill from
    /// outside. Its tasks do not count towards `spark.task.maxFailures`.
    Lost,
    /// Its process ended by itself (out of memory, exit code): its tasks count.
    Exited {
        /// The exit code, where the log has it.
        exit_code: Option<i32>,
    },
    /// It was decommissioned first.
    Decommissioned,
}

/// A task attempt that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskFault {
    /// Place of its stage in `Run::stages`.
    pub stage: u32,
    /// Its partition.
    pub partition: u32,
    /// The attempt of the task, from 0.
    pub attempt: u32,
    /// Launch to end.
    pub after: SimDuration,
    /// What happened.
    pub kind: TaskFaultKind,
}

/// Why a task attempt did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskFaultKind {
    /// It threw: counts towards `spark.task.maxFailures`.
    Exception,
    /// Its executor was lost; whether it counts is the executor's [`Removal`].
    ExecutorLost,
    /// A shuffle block could not be fetched.
    FetchFailed,
    /// It was killed: a copy was faster, or its stage was cancelled.
    Killed,
    /// It had succeeded, and its output was lost with its executor (`Resubmitted`).
    Resubmitted,
    /// It could not commit its output.
    CommitDenied,
}
