//! What Spark bears of failures, and what executors under notice do.
//!
//! Left out: fallback storage, retries of moved blocks, the signal that begins a decommissioning.
//!
//! Source: facts-spark A1, A3 and A5.

use sim::scenario::{Decommission, FailureLimits, SparkDefaults};
use sim::units::SimDuration;

use super::reading::Reading;
use super::{put, unlimited};

pub(super) fn apply(read: &mut Reading<'_>, spark: &mut SparkDefaults) {
    limits(read, &mut spark.limits);
    decommission(read, &mut spark.decommission);
}

fn limits(read: &mut Reading<'_>, limits: &mut FailureLimits) {
    put(&mut limits.task_max_failures, read.count("spark.task.maxFailures", 1));
    let in_a_row = read.count("spark.stage.maxConsecutiveAttempts", 1);
    put(&mut limits.stage_max_consecutive_attempts, in_a_row);
    put(&mut limits.stage_max_attempts, read.count("spark.stage.maxAttempts", 1).map(unlimited));
    if let Some(most) = read.count("spark.executor.maxNumFailures", 0) {
        limits.executor_max_num_failures = Some(most);
    }
    let ms = SimDuration::from_millis(1);
    if let Some(interval) = read.time("spark.executor.failuresValidityInterval", ms) {
        limits.executor_failures_validity = Some(interval);
    }
    let ignored = read.boolean("spark.stage.ignoreDecommissionFetchFailure");
    put(&mut limits.ignore_decommission_fetch_failure, ignored);
}

fn decommission(read: &mut Reading<'_>, rules: &mut Decommission) {
    put(&mut rules.enabled, read.boolean("spark.decommission.enabled"));
    let key = |name: &str| format!("spark.storage.decommission.{name}");
    put(&mut rules.storage, read.boolean(&key("enabled")));
    put(&mut rules.rdd_blocks, read.boolean(&key("rddBlocks.enabled")));
    put(&mut rules.shuffle_blocks, read.boolean(&key("shuffleBlocks.enabled")));
    put(&mut rules.shuffle_threads_max, read.count(&key("shuffleBlocks.maxThreads"), 1));
    let second = SimDuration::seconds(1);
    for (slot, key) in [
        (&mut rules.kill_interval, "spark.executor.decommission.killInterval"),
        (&mut rules.force_kill_timeout, "spark.executor.decommission.forceKillTimeout"),
    ] {
        if let Some(time) = read.time(key, second) {
            *slot = Some(time);
        }
    }
}
