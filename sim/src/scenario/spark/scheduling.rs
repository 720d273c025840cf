//! How Spark's own scheduler hands tasks to executors.

use super::SparkVersion;
use crate::units::SimDuration;

/// `spark.scheduler.mode`: whose tasks go first when several jobs run at once.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum SchedulerMode {
    /// The job that was submitted first.
    #[default]
    Fifo,
    /// The pool that is furthest below its share.
    Fair,
}

/// `spark.locality.wait.*`: how long a task set holds out for a better placed slot, per level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalityWait {
    /// `spark.locality.wait.process`.
    pub process: SimDuration,
    /// `spark.locality.wait.node`.
    pub node: SimDuration,
    /// `spark.locality.wait.rack`.
    pub rack: SimDuration,
    /// `spark.locality.wait.legacyResetOnTaskLaunch`: every launch starts the wait anew.
    pub legacy_reset: bool,
    /// `spark.shuffle.reduceLocality.enabled`: tasks that read shuffles have places that they
    /// prefer, too.
    pub reduce: bool,
}

impl LocalityWait {
    /// The release's defaults. Source: facts-spark A1 (`spark.locality.wait` 3s, the levels inherit
    /// it; `legacyResetOnTaskLaunch` since 3.1: before, that was the only way).
    pub fn default_of(version: SparkVersion) -> Self {
        let wait = SimDuration::seconds(3);
        let legacy_reset = version < SparkVersion { major: 3, minor: 1 };
        Self { process: wait, node: wait, rack: wait, legacy_reset, reduce: true }
    }
}

/// `spark.speculation.*`: copies of tasks that take long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speculation {
    /// `spark.speculation`.
    pub enabled: bool,
    /// `interval`: how often Spark looks.
    pub interval: SimDuration,
    /// `multiplier`: how many times slower than the median.
    pub multiplier: f64,
    /// `quantile`: share of a stage's tasks that must have ended before.
    pub quantile: f64,
    /// `minTaskRuntime`: no task is speculated before.
    pub min_task_runtime: SimDuration,
    /// `task.duration.threshold`: speculates tasks of small stages that run longer.
    pub task_duration_threshold: Option<SimDuration>,
    /// `efficiency.enabled` (3.4 and later).
    pub efficiency: bool,
    /// `efficiency.longRunTaskFactor`.
    pub long_run_task_factor: f64,
    /// `efficiency.processRateMultiplier`.
    pub process_rate_multiplier: f64,
}

impl Speculation {
    /// The release's defaults. Source: facts-spark A1.
    pub fn default_of(version: SparkVersion) -> Self {
        let since_4 = version.major >= 4;
        Self {
            enabled: false,
            interval: SimDuration::from_millis(100),
            multiplier: if since_4 { 3.0 } else { 1.5 },
            quantile: if since_4 { 0.9 } else { 0.75 },
            min_task_runtime: SimDuration::from_millis(100),
            task_duration_threshold: None,
            efficiency: version >= SparkVersion { major: 3, minor: 4 },
            long_run_task_factor: 2.0,
            process_rate_multiplier: 0.75,
        }
    }
}

/// `spark.excludeOnFailure.*`: executors and nodes that failed too often get no more tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExcludeOnFailure {
    /// `enabled`: for a task and for a stage, and for the application unless switched off.
    pub enabled: bool,
    /// `application.enabled` (4.0 and later can switch the levels apart).
    pub application: bool,
    /// `task.maxTaskAttemptsPerExecutor`.
    pub task_attempts_per_executor: u32,
    /// `task.maxTaskAttemptsPerNode`.
    pub task_attempts_per_node: u32,
    /// `stage.maxFailedTasksPerExecutor`.
    pub stage_failed_tasks_per_executor: u32,
    /// `stage.maxFailedExecutorsPerNode`.
    pub stage_failed_executors_per_node: u32,
    /// `application.maxFailedTasksPerExecutor`.
    pub application_failed_tasks_per_executor: u32,
    /// `application.maxFailedExecutorsPerNode`.
    pub application_failed_executors_per_node: u32,
    /// `timeout`: after it an executor that the application excluded gets tasks again.
    pub timeout: SimDuration,
}

impl Default for ExcludeOnFailure {
    /// Source: facts-spark A1.
    fn default() -> Self {
        Self {
            enabled: false,
            application: true,
            task_attempts_per_executor: 1,
            task_attempts_per_node: 2,
            stage_failed_tasks_per_executor: 2,
            stage_failed_executors_per_node: 2,
            application_failed_tasks_per_executor: 2,
            application_failed_executors_per_node: 2,
            timeout: SimDuration::hours(1),
        }
    }
}
