//! The settings that an application's own scheduler goes by, in one small value.

use crate::scenario::{
    ExcludeOnFailure, FailureLimits, LocalityWait, SchedulerMode, ShuffleService, SparkDefaults,
    Speculation,
};
use crate::units::SimDuration;

/// Rules of one attempt.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// Whose tasks go first.
    pub(crate) mode: SchedulerMode,
    /// How long tasks hold out for a better place.
    pub(crate) locality: LocalityWait,
    /// Copies of slow tasks.
    pub(crate) speculation: Speculation,
    /// Executors that get no more tasks.
    pub(crate) exclusion: ExcludeOnFailure,
    /// How many failures the application bears.
    pub(crate) limits: FailureLimits,
    /// What is lost with an executor is lost for good.
    pub(crate) outputs_go_with_executor: bool,
    /// Which tasks an executor's loss meets while they fetch is recorded, and happens again.
    pub(crate) recorded_fetches: bool,
    /// Executors run only tasks of their own resource profile.
    pub(crate) by_profile: bool,
    /// What tasks take beyond their recorded time.
    pub(crate) overheads: Overheads,
}

/// What makes tasks of this run longer than the recorded ones.
///
/// A recorded task time is that of a task on an executor which has run a task of its stage before.
/// The first tasks of a stage on an executor take `Stage::first_task_overhead` more. A fresh
/// executor has to load classes and to compile: where the recording's executors were warm and
/// these are not, that comes on top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Overheads {
    /// Factor on `Stage::first_task_overhead`.
    pub(crate) first_task_factor: f64,
    /// More for the first tasks on a fresh executor.
    pub(crate) fresh_first: SimDuration,
    /// More for tasks whose way through Spark's code (reading a shuffle or not, writing one or not)
    /// no task has taken before on a fresh executor, where they read no shuffle.
    pub(crate) fresh_code: SimDuration,
    /// The same where they read one.
    pub(crate) fresh_reader: SimDuration,
    /// More, at most, for every other task on an executor that is not warm yet.
    pub(crate) fresh_task: SimDuration,
    /// So many times its CPU time, where that is less.
    pub(crate) fresh_per_cpu: f64,
    /// How long after its first task an executor is warm.
    pub(crate) warm_after: SimDuration,
    /// More for every task: what neighbours on the same host take.
    pub(crate) every_task: SimDuration,
}

impl Default for Overheads {
    /// Tasks take what they took.
    fn default() -> Self {
        Self {
            first_task_factor: 1.0,
            fresh_first: SimDuration::ZERO,
            fresh_code: SimDuration::ZERO,
            fresh_reader: SimDuration::ZERO,
            fresh_task: SimDuration::ZERO,
            fresh_per_cpu: 0.0,
            warm_after: SimDuration::ZERO,
            every_task: SimDuration::ZERO,
        }
    }
}

impl Rules {
    /// The rules that `spark` sets; `overheads` are the run's.
    pub(crate) fn new(spark: &SparkDefaults, overheads: Overheads) -> Self {
        let storage = &spark.storage;
        Self {
            mode: spark.scheduler_mode,
            locality: spark.locality_wait,
            speculation: spark.speculation,
            exclusion: spark.exclude_on_failure,
            limits: spark.limits,
            outputs_go_with_executor: storage.shuffle == ShuffleService::Executor
                && !storage.reuse_claims,
            recorded_fetches: false,
            by_profile: false,
            overheads,
        }
    }
}
