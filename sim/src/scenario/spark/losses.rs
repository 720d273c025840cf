//! What Spark does when executors go, and how much of it it bears.

use super::SparkVersion;
use crate::units::SimDuration;

/// Limits on failures. Keys are `spark.` and the name in each field's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureLimits {
    /// `task.maxFailures`: the task's failure of this number ends the application's job.
    pub task_max_failures: u32,
    /// `stage.maxConsecutiveAttempts`: fetch-failed attempts of a stage in a row.
    pub stage_max_consecutive_attempts: u32,
    /// `stage.maxAttempts` (3.5 and later); `u32::MAX` = no limit.
    pub stage_max_attempts: u32,
    /// `executor.maxNumFailures` (3.5 and later); `None` = max(3, 2 x executors), with dynamic
    /// allocation its maximum.
    pub executor_max_num_failures: Option<u32>,
    /// `executor.failuresValidityInterval`: older failures do not count; `None` = all count.
    pub executor_failures_validity: Option<SimDuration>,
    /// `stage.ignoreDecommissionFetchFailure`: fetch failures from decommissioned executors do not
    /// count towards the stage's limit.
    pub ignore_decommission_fetch_failure: bool,
}

impl FailureLimits {
    /// The release's defaults. Source: facts-spark A1.
    pub fn default_of(version: SparkVersion) -> Self {
        Self {
            task_max_failures: 4,
            stage_max_consecutive_attempts: 4,
            stage_max_attempts: u32::MAX,
            executor_max_num_failures: None,
            executor_failures_validity: None,
            ignore_decommission_fetch_failure: version.major >= 4,
        }
    }

    /// How many failed executors an application of at most `executors` bears; one more ends it with
    /// exit code 11. Source: facts-spark A3 (`ExecutorFailureTracker`, 3.5 and later).
    pub fn executor_failures_max(&self, version: SparkVersion, executors: u32) -> u32 {
        if version < (SparkVersion { major: 3, minor: 5 }) {
            return u32::MAX;
        }
        self.executor_max_num_failures.unwrap_or(executors.saturating_mul(2).max(3))
    }
}

/// `spark.decommission.*` and `spark.storage.decommission.*`: what an executor under notice does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decommission {
    /// `decommission.enabled`: it takes no new tasks and finishes the ones it runs.
    pub enabled: bool,
    /// `storage.decommission.enabled`: it moves its blocks to other executors.
    pub storage: bool,
    /// `storage.decommission.rddBlocks.enabled`.
    pub rdd_blocks: bool,
    /// `storage.decommission.shuffleBlocks.enabled`.
    pub shuffle_blocks: bool,
    /// `storage.decommission.shuffleBlocks.maxThreads`.
    pub shuffle_threads_max: u32,
    /// `executor.decommission.killInterval`: by when tasks are expected to be killed, so that they
    /// are speculated.
    pub kill_interval: Option<SimDuration>,
    /// `executor.decommission.forceKillTimeout`.
    pub force_kill_timeout: Option<SimDuration>,
}

impl Decommission {
    /// The release's defaults. Source: facts-spark A1.
    pub fn default_of(version: SparkVersion) -> Self {
        let blocks = version >= SparkVersion { major: 3, minor: 4 };
        Self {
            enabled: false,
            storage: false,
            rdd_blocks: blocks,
            shuffle_blocks: blocks,
            shuffle_threads_max: 8,
            kill_interval: None,
            force_kill_timeout: None,
        }
    }
}
