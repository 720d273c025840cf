//! How Spark hands tasks to executors: order, locality, copies of slow tasks, exclusion.
//!
//! Left out: fair pools' own files (`spark.scheduler.allocation.file`), the killing of excluded
//! executors, exclusion after fetch failures, and the schedule of the legacy timeout
//! `spark.scheduler.executorTaskBlacklistTime`.
//!
//! Source: facts-spark A1 and A5; Spark's `internal/config` and `HealthTracker`.

use sim::scenario::{ExcludeOnFailure, LocalityWait, SchedulerMode, SparkDefaults, Speculation};
use sim::units::SimDuration;

use super::put;
use super::reading::Reading;

/// No task is that much slower than the median.
const FACTOR_MAX: f64 = 1e6;

/// A level that is off is one that no number of failures reaches.
const NEVER: u32 = i32::MAX as u32;

pub(super) fn apply(read: &mut Reading<'_>, spark: &mut SparkDefaults) {
    mode(read, &mut spark.scheduler_mode);
    locality(read, &mut spark.locality_wait);
    speculation(read, &mut spark.speculation);
    exclusion(read, &mut spark.exclude_on_failure);
    let rules = &spark.exclude_on_failure;
    let failures = spark.limits.task_max_failures;
    if rules.enabled && rules.task_attempts_per_node != NEVER {
        at_odds(read, rules.task_attempts_per_node, failures);
    }
}

/// Spark refuses a task that could fail for good on one node before the node is excluded.
fn at_odds(read: &mut Reading<'_>, per_node: u32, failures: u32) {
    if per_node < failures {
        return;
    }
    let message = format!(
        "a task may fail {per_node} times on a node and {failures} times in all: Spark refuses \
         to start, as one bad node ends the job"
    );
    let keys = [
        "spark.excludeOnFailure.task.maxTaskAttemptsPerNode",
        "spark.blacklist.task.maxTaskAttemptsPerNode",
        "spark.task.maxFailures",
        "spark.excludeOnFailure.enabled",
        "spark.blacklist.enabled",
    ];
    read.problem_at_first(&keys, message);
}

fn mode(read: &mut Reading<'_>, mode: &mut SchedulerMode) {
    let key = "spark.scheduler.mode";
    let Some(text) = read.text(key) else {
        return;
    };
    match text.to_ascii_uppercase().as_str() {
        "FIFO" => *mode = SchedulerMode::Fifo,
        "FAIR" => *mode = SchedulerMode::Fair,
        _ => read.bad_value(key, &text, "`FIFO` or `FAIR`"),
    }
}

/// The levels inherit `spark.locality.wait`.
fn locality(read: &mut Reading<'_>, wait: &mut LocalityWait) {
    let ms = SimDuration::from_millis(1);
    let all = read.time("spark.locality.wait", ms);
    for (slot, level) in
        [(&mut wait.process, "process"), (&mut wait.node, "node"), (&mut wait.rack, "rack")]
    {
        let own = read.time(&format!("spark.locality.wait.{level}"), ms);
        put(slot, own.or(all));
    }
    let legacy = read.boolean("spark.locality.wait.legacyResetOnTaskLaunch");
    put(&mut wait.legacy_reset, legacy);
    put(&mut wait.reduce, read.boolean("spark.shuffle.reduceLocality.enabled"));
}

fn speculation(read: &mut Reading<'_>, rules: &mut Speculation) {
    let ms = SimDuration::from_millis(1);
    put(&mut rules.enabled, read.boolean("spark.speculation"));
    let key = |name: &str| format!("spark.speculation.{name}");
    let interval = key("interval");
    match read.time(&interval, ms) {
        Some(zero) if zero.is_zero() => {
            read.problem(&interval, "Spark would look all the time", "more than 0, as in 100ms");
        }
        interval => put(&mut rules.interval, interval),
    }
    put(&mut rules.multiplier, read.number(&key("multiplier"), f64::MIN_POSITIVE, FACTOR_MAX));
    put(&mut rules.quantile, read.number(&key("quantile"), 0.0, 1.0));
    put(&mut rules.min_task_runtime, read.time(&key("minTaskRuntime"), ms));
    if let Some(threshold) = read.time(&key("task.duration.threshold"), ms) {
        rules.task_duration_threshold = Some(threshold);
    }
    put(&mut rules.efficiency, read.boolean(&key("efficiency.enabled")));
    let factor = read.number(&key("efficiency.longRunTaskFactor"), 1.0, FACTOR_MAX);
    put(&mut rules.long_run_task_factor, factor);
    let rate = read.number(&key("efficiency.processRateMultiplier"), f64::MIN_POSITIVE, 1.0);
    put(&mut rules.process_rate_multiplier, rate);
}

fn exclusion(read: &mut Reading<'_>, rules: &mut ExcludeOnFailure) {
    let own = read.boolean("spark.excludeOnFailure.enabled");
    let older = read.boolean("spark.blacklist.enabled");
    let common = own.or(older);
    let tasks = read.boolean("spark.excludeOnFailure.taskAndStage.enabled").or(common);
    let application = read.boolean("spark.excludeOnFailure.application.enabled").or(common);
    for (slot, name) in [
        (&mut rules.task_attempts_per_executor, "task.maxTaskAttemptsPerExecutor"),
        (&mut rules.task_attempts_per_node, "task.maxTaskAttemptsPerNode"),
        (&mut rules.stage_failed_tasks_per_executor, "stage.maxFailedTasksPerExecutor"),
        (&mut rules.stage_failed_executors_per_node, "stage.maxFailedExecutorsPerNode"),
        (&mut rules.application_failed_tasks_per_executor, "application.maxFailedTasksPerExecutor"),
        (&mut rules.application_failed_executors_per_node, "application.maxFailedExecutorsPerNode"),
    ] {
        let own = read.count(&format!("spark.excludeOnFailure.{name}"), 1);
        let older = read.count(&format!("spark.blacklist.{name}"), 1);
        put(slot, own.or(older));
    }
    let ms = SimDuration::from_millis(1);
    let own = read.time("spark.excludeOnFailure.timeout", ms);
    let older = read.time("spark.blacklist.timeout", ms);
    put(&mut rules.timeout, own.or(older));
    if tasks.is_none() && application.is_none() {
        return;
    }
    let (tasks, application) = (tasks == Some(true), application == Some(true));
    rules.enabled = tasks || application;
    rules.application = application || !tasks;
    if application && !tasks {
        // The application's level alone: the other two are never reached.
        rules.task_attempts_per_executor = NEVER;
        rules.task_attempts_per_node = NEVER;
        rules.stage_failed_tasks_per_executor = NEVER;
        rules.stage_failed_executors_per_node = NEVER;
    }
}
