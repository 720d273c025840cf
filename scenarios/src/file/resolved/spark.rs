//! Spark's settings by their own keys.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sim::scenario::{OverrideRuns, Scenario, SparkDefaults, SparkVersion};
use sim::units::spark_size::format_size;
use sim::units::{Bytes, SimDuration};

use super::pod_template;
use crate::native::spark_defaults::{self, LOCAL_DIR};

mod behaviour;

pub(super) fn value(scenario: &Scenario) -> Value {
    let spark = &scenario.spark;
    json!({
        "version": format!("{}.{}", spark.version.major, spark.version.minor),
        "sparkConf": conf(spark),
        "overrideRuns": override_runs(&spark.override_runs),
        "driverPodTemplate": pod_template::value(&spark.driver_template),
        "executorPodTemplate": pod_template::value(&spark.executor_template),
    })
}

fn override_runs(given: &OverrideRuns) -> Vec<&'static str> {
    let all = [
        ("spark.executor.cores", given.executor_cores),
        ("spark.executor.memory", given.executor_memory),
        ("spark.executor.instances", given.executors),
        ("spark.driver.cores", given.driver_cores),
        ("spark.driver.memory", given.driver_memory),
    ];
    all.into_iter().filter(|(_, wins)| *wins).map(|(key, _)| key).collect()
}

fn conf(spark: &SparkDefaults) -> BTreeMap<String, String> {
    let mut conf = BTreeMap::new();
    // A key that the release does not know says nothing; what it would say is the default then.
    let mut put = |key: &str, value: String| {
        let key = format!("spark.{key}");
        if spark_defaults::is_known(&key, spark.version) {
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
