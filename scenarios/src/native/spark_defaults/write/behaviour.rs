//! How Spark schedules, what it bears and where it keeps data, by the keys of its settings.

use sim::scenario::{
    ExcludeOnFailure, LocalDirs, OutputCommitter, SchedulerMode, ShuffleService, SparkDefaults,
    SparkVersion, Speculation, Storage,
};

use super::time;
use crate::native::spark_defaults::{LOCAL_DIR, RECOVERS};

/// Writes all of it.
pub(super) fn put_all(spark: &SparkDefaults, put: &mut impl FnMut(&str, String)) {
    let mode = match spark.scheduler_mode {
        SchedulerMode::Fifo => "FIFO",
        SchedulerMode::Fair => "FAIR",
    };
    put("scheduler.mode", mode.to_owned());
    let wait = &spark.locality_wait;
    put("locality.wait.process", time(wait.process));
    put("locality.wait.node", time(wait.node));
    put("locality.wait.rack", time(wait.rack));
    if spark.version >= (SparkVersion { major: 3, minor: 1 }) {
        put("locality.wait.legacyResetOnTaskLaunch", wait.legacy_reset.to_string());
    }
    put("shuffle.reduceLocality.enabled", wait.reduce.to_string());
    speculation(&spark.speculation, put);
    exclusion(spark.version, &spark.exclude_on_failure, put);
    losses(spark, put);
    storage(&spark.storage, put);
    local_dirs(spark, put);
    put("memory.fraction", spark.memory.fraction.to_string());
    put("memory.storageFraction", spark.memory.storage_fraction.to_string());
    put("sql.shuffle.partitions", spark.sql_shuffle_partitions.to_string());
}

fn speculation(rules: &Speculation, put: &mut impl FnMut(&str, String)) {
    put("speculation", rules.enabled.to_string());
    put("speculation.interval", time(rules.interval));
    put("speculation.multiplier", rules.multiplier.to_string());
    put("speculation.quantile", rules.quantile.to_string());
    put("speculation.minTaskRuntime", time(rules.min_task_runtime));
    if let Some(threshold) = rules.task_duration_threshold {
        put("speculation.task.duration.threshold", time(threshold));
    }
    put("speculation.efficiency.enabled", rules.efficiency.to_string());
    put("speculation.efficiency.longRunTaskFactor", rules.long_run_task_factor.to_string());
    put("speculation.efficiency.processRateMultiplier", rules.process_rate_multiplier.to_string());
}

fn exclusion(version: SparkVersion, rules: &ExcludeOnFailure, put: &mut impl FnMut(&str, String)) {
    // Spark 3.0 knows these settings by their older name only.
    let old = version < SparkVersion { major: 3, minor: 1 };
    let family = if old { "blacklist" } else { "excludeOnFailure" };
    let mut put = |key: &str, value: String| put(&format!("{family}.{key}"), value);
    put("enabled", rules.enabled.to_string());
    if !rules.application {
        put("application.enabled", "false".to_owned());
    }
    put("timeout", time(rules.timeout));
    for (key, count) in [
        ("task.maxTaskAttemptsPerExecutor", rules.task_attempts_per_executor),
        ("task.maxTaskAttemptsPerNode", rules.task_attempts_per_node),
        ("stage.maxFailedTasksPerExecutor", rules.stage_failed_tasks_per_executor),
        ("stage.maxFailedExecutorsPerNode", rules.stage_failed_executors_per_node),
        ("application.maxFailedTasksPerExecutor", rules.application_failed_tasks_per_executor),
        ("application.maxFailedExecutorsPerNode", rules.application_failed_executors_per_node),
    ] {
        put(key, count.to_string());
    }
}

fn losses(spark: &SparkDefaults, put: &mut impl FnMut(&str, String)) {
    let limits = &spark.limits;
    put("task.maxFailures", limits.task_max_failures.to_string());
    put("stage.maxConsecutiveAttempts", limits.stage_max_consecutive_attempts.to_string());
    if limits.stage_max_attempts != u32::MAX {
        put("stage.maxAttempts", limits.stage_max_attempts.to_string());
    }
    if let Some(most) = limits.executor_max_num_failures {
        put("executor.maxNumFailures", most.to_string());
    }
    let ignored = limits.ignore_decommission_fetch_failure;
    put("stage.ignoreDecommissionFetchFailure", ignored.to_string());
    let rules = &spark.decommission;
    put("decommission.enabled", rules.enabled.to_string());
    put("storage.decommission.enabled", rules.storage.to_string());
    put("storage.decommission.rddBlocks.enabled", rules.rdd_blocks.to_string());
    put("storage.decommission.shuffleBlocks.enabled", rules.shuffle_blocks.to_string());
    put("storage.decommission.shuffleBlocks.maxThreads", rules.shuffle_threads_max.to_string());
    for (key, given) in [
        ("executor.failuresValidityInterval", limits.executor_failures_validity),
        ("executor.decommission.killInterval", rules.kill_interval),
        ("executor.decommission.forceKillTimeout", rules.force_kill_timeout),
    ] {
        if let Some(given) = given {
            put(key, time(given));
        }
    }
}

fn storage(storage: &Storage, put: &mut impl FnMut(&str, String)) {
    match storage.shuffle {
        ShuffleService::Executor => put("shuffle.service.enabled", "false".to_owned()),
        ShuffleService::External => put("shuffle.service.enabled", "true".to_owned()),
        ShuffleService::Remote => {
            // Which one makes no difference to the model.
            let class = "org.apache.spark.shuffle.celeborn.SparkShuffleManager";
            put("shuffle.manager", class.to_owned());
        }
    }
    let version = "hadoop.mapreduce.fileoutputcommitter.algorithm.version";
    let s3a = "hadoop.fs.s3a.committer.name";
    let (key, value) = match storage.committer {
        OutputCommitter::FileV1 => (version, "1"),
        OutputCommitter::FileV2 => (version, "2"),
        OutputCommitter::Staging => (s3a, "directory"),
        OutputCommitter::Magic => (s3a, "magic"),
        OutputCommitter::EmrOptimized => {
            ("sql.parquet.fs.optimized.committer.optimization-enabled", "true")
        }
    };
    put(key, value.to_owned());
}

/// Executors' local directories, where their template does not say what they are.
fn local_dirs(spark: &SparkDefaults, put: &mut impl FnMut(&str, String)) {
    let template = &spark.executor_template;
    let on_node = template.local_storage.iter().find(|name| name.starts_with(LOCAL_DIR));
    let kind = match spark.storage.local_dirs {
        LocalDirs::EmptyDir if on_node.is_some() => {
            // Nothing else comes of a template that says nothing.
            if template.local_dirs.is_none() {
                return;
            }
            "emptyDir"
        }
        // What Spark mounts from elsewhere is modelled as the node's disk is.
        LocalDirs::EmptyDir => "nfs",
        LocalDirs::Tmpfs => "emptyDir",
        LocalDirs::HostPath => "hostPath",
        LocalDirs::PersistentVolumeClaim => "persistentVolumeClaim",
    };
    let first = format!("{LOCAL_DIR}1");
    let name = on_node.unwrap_or(&first);
    let volume = format!("kubernetes.executor.volumes.{kind}.{name}");
    put(&format!("{volume}.mount.path"), "/var/data/spark".to_owned());
    match spark.storage.local_dirs {
        LocalDirs::Tmpfs => put(&format!("{volume}.options.medium"), "Memory".to_owned()),
        LocalDirs::PersistentVolumeClaim => {
            put(&format!("{volume}.options.claimName"), "OnDemand".to_owned());
        }
        LocalDirs::HostPath => put(&format!("{volume}.options.path"), "/local".to_owned()),
        _ => {}
    }
    if spark.storage.reuse_claims {
        put("kubernetes.driver.ownPersistentVolumeClaim", "true".to_owned());
        put("kubernetes.driver.reusePersistentVolumeClaim", "true".to_owned());
        put("shuffle.sort.io.plugin.class", RECOVERS.to_owned());
    }
}
