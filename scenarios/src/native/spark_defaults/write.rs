//! Spark's settings by their own keys: `settings` says all that the model follows, [`merged`]
//! what an installation has to be told, [`text`] writes a `spark-defaults.conf`.
//!
//! Source: as of the readers beside it; the grammar is that of `properties`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sim::scenario::{SparkDefaults, SparkVersion};
use sim::units::spark_size::format_size;
use sim::units::{Bytes, SimDuration};

use super::{LOCAL_DIR, SparkConf, is_known};
use crate::native::pod_template::write::without_local_dirs;

mod behaviour;

/// Keys are padded to this column at most.
const COLUMN_MAX: usize = 60;

/// What an installation has to be told so that it has the settings of `spark`: the settings as they
/// were given, in their own words, those that the model does not follow among them, and those of
/// `spark` that `given` does not lead to.
pub fn merged(spark: &SparkDefaults, given: &SparkConf) -> BTreeMap<String, String> {
    let mut alone = SparkDefaults::default_of(spark.version);
    // A template's local directories are not written with it.
    alone.driver_template = without_local_dirs(&spark.driver_template);
    alone.executor_template = without_local_dirs(&spark.executor_template);
    given.apply(&mut alone);
    let said = settings(&alone);
    let mut out: BTreeMap<String, String> =
        given.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    for (key, value) in settings(spark) {
        if said.get(&key) != Some(&value) {
            out.insert(key, value);
        }
    }
    out
}

/// Settings as a `spark-defaults.conf`, without a header.
pub fn text(settings: &BTreeMap<String, String>) -> String {
    let keys: Vec<String> = settings.keys().map(|key| escaped_key(key)).collect();
    let width = keys.iter().map(|key| key.chars().count()).max().unwrap_or(0).min(COLUMN_MAX);
    let mut out = String::new();
    for (key, value) in keys.iter().zip(settings.values()) {
        // A `String` takes everything.
        let _ = writeln!(out, "{key:width$} {}", escaped_value(value));
    }
    out
}

/// A key that separates nothing and begins no comment.
fn escaped_key(key: &str) -> String {
    let mut out = String::new();
    for (place, c) in key.chars().enumerate() {
        match c {
            '=' | ':' | '\\' => out.extend(['\\', c]),
            '#' | '!' if place == 0 => out.extend(['\\', c]),
            c if c.is_whitespace() || c.is_control() => escape(c, &mut out),
            c => out.push(c),
        }
    }
    out
}

/// A value on one line; one that begins like a separator does not separate.
pub(super) fn escaped_value(value: &str) -> String {
    let mut out = String::new();
    for (place, c) in value.chars().enumerate() {
        match c {
            '\\' => out.push_str("\\\\"),
            '=' | ':' | ' ' if place == 0 => out.extend(['\\', c]),
            ' ' => out.push(' '),
            c if c.is_whitespace() || c.is_control() => escape(c, &mut out),
            c => out.push(c),
        }
    }
    out
}

fn escape(c: char, out: &mut String) {
    match c {
        ' ' => out.push_str("\\ "),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        c => {
            // Blanks and control characters are all below U+10000.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
    }
}

/// Every setting that the model follows, with its value.
pub(crate) fn settings(spark: &SparkDefaults) -> BTreeMap<String, String> {
    let mut conf = BTreeMap::new();
    // A key that the release does not know says nothing; what it would say is the default then.
    let mut put = |key: &str, value: String| {
        let key = format!("spark.{key}");
        if is_known(&key, spark.version) {
            conf.insert(key, value);
        }
    };
    put("driver.cores", spark.driver_cores.to_string());
    put("driver.memory", format_size(spark.driver_memory));
    put("executor.cores", spark.executor_cores.to_string());
    put("executor.memory", format_size(spark.executor_memory));
    put("executor.instances", spark.executor_instances.to_string());
    put("task.cpus", spark.task_cpus.to_string());
    put("kubernetes.allocation.batch.size", spark.allocation_batch_size.to_string());
    put("kubernetes.allocation.batch.delay", time(spark.allocation_batch_delay));
    if spark.allocation_max_pending_pods != u32::MAX {
        put("kubernetes.allocation.maxPendingPods", spark.allocation_max_pending_pods.to_string());
    }
    put("kubernetes.allocation.executor.timeout", time(spark.allocation_executor_timeout));
    put("scheduler.minRegisteredResourcesRatio", spark.min_registered_resources_ratio.to_string());
    put(
        "scheduler.maxRegisteredResourcesWaitingTime",
        time(spark.max_registered_resources_waiting_time),
    );
    let cores = [
        ("kubernetes.driver.request.cores", spark.driver_request_cores),
        ("kubernetes.executor.request.cores", spark.executor_request_cores),
    ];
    for (key, cores) in cores {
        if let Some(cores) = cores {
            put(key, cores.to_string());
        }
    }
    let overheads = [
        ("driver.memoryOverhead", spark.driver_memory_overhead),
        ("executor.memoryOverhead", spark.executor_memory_overhead),
    ];
    for (key, overhead) in overheads {
        if let Some(overhead) = overhead {
            put(key, format_size(overhead));
        }
    }
    behaviour::put_all(spark, &mut put);
    pods(spark, &mut put);
    memory_rules(spark, &mut put);
    dynamic_allocation(spark, &mut put);
    conf
}

/// What the templates cannot say, because Spark's settings replace it or add to it.
fn pods(spark: &SparkDefaults, put: &mut impl FnMut(&str, String)) {
    let namespace = &spark.executor_template.namespace;
    if !namespace.is_empty() {
        put("kubernetes.namespace", namespace.clone());
    }
    let template = &spark.driver_template;
    let on_node = template.local_storage.iter().any(|name| name.starts_with(LOCAL_DIR));
    if !on_node && template.local_dirs.is_none() {
        // A volume of its own, in memory, keeps Spark from adding one on the node's disk.
        let volume = format!("kubernetes.driver.volumes.emptyDir.{LOCAL_DIR}1");
        put(&format!("{volume}.mount.path"), "/var/data/spark".to_owned());
        put(&format!("{volume}.options.medium"), "Memory".to_owned());
    }
    let grace = spark.executor_template.termination_grace;
    let later = spark.version >= SparkVersion { major: 4, minor: 1 };
    if let Some(grace) = grace.filter(|_| later) {
        put("kubernetes.executor.terminationGracePeriodSeconds", time(grace));
    }
}

fn memory_rules(spark: &SparkDefaults, put: &mut impl FnMut(&str, String)) {
    let rules = &spark.overheads;
    if rules.driver_factor == rules.executor_factor {
        // The only factor that the releases before 3.3 know.
        put("kubernetes.memoryOverheadFactor", rules.executor_factor.to_string());
    }
    put("driver.memoryOverheadFactor", rules.driver_factor.to_string());
    put("executor.memoryOverheadFactor", rules.executor_factor.to_string());
    put("driver.minMemoryOverhead", format_size(rules.minimum));
    put("executor.minMemoryOverhead", format_size(rules.minimum));
    if rules.off_heap != Bytes::ZERO {
        put("memory.offHeap.enabled", "true".to_owned());
        put("memory.offHeap.size", format_size(rules.off_heap));
    }
    if rules.pyspark != Bytes::ZERO {
        put("kubernetes.resource.type", "python".to_owned());
        put("executor.pyspark.memory", format_size(rules.pyspark));
    }
}

fn dynamic_allocation(spark: &SparkDefaults, put: &mut impl FnMut(&str, String)) {
    let allocation = &spark.dynamic_allocation;
    let mut put = |key: &str, value: String| put(&format!("dynamicAllocation.{key}"), value);
    put("enabled", allocation.enabled.to_string());
    put("minExecutors", allocation.min_executors.to_string());
    if let Some(initial) = allocation.initial_executors {
        put("initialExecutors", initial.to_string());
    }
    if allocation.max_executors != u32::MAX {
        put("maxExecutors", allocation.max_executors.to_string());
    }
    put("executorAllocationRatio", allocation.executor_allocation_ratio.to_string());
    put("schedulerBacklogTimeout", time(allocation.scheduler_backlog_timeout));
    put("sustainedSchedulerBacklogTimeout", time(allocation.sustained_scheduler_backlog_timeout));
    put("executorIdleTimeout", time(allocation.executor_idle_timeout));
    put("shuffleTracking.enabled", allocation.shuffle_tracking.to_string());
    if let Some(timeout) = allocation.cached_executor_idle_timeout {
        put("cachedExecutorIdleTimeout", time(timeout));
    }
    if let Some(timeout) = allocation.shuffle_tracking_timeout {
        put("shuffleTracking.timeout", time(timeout));
    }
}

/// A time as Spark reads it, in the largest exact unit.
fn time(duration: SimDuration) -> String {
    let ms = duration.as_millis();
    if ms.is_multiple_of(1000) { format!("{}s", ms / 1000) } else { format!("{ms}ms") }
}

#[cfg(test)]
mod tests;
