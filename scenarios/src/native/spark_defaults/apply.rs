//! Settings understood against a Spark release and put into [`SparkDefaults`].
//!
//! Rules: facts-spark A1 to A4. Bare numbers count in the unit of Spark's own configuration entry
//! (MiB for memory, bytes for off-heap, seconds for dynamic allocation, milliseconds else).

mod losses;
mod pods;
mod reading;
mod scheduling;
mod storage;

pub(crate) use storage::RECOVERS;

use sim::scenario::{ShuffleService, SparkDefaults, SparkVersion};
use sim::units::{Bytes, MilliCores, SimDuration};
use sim::{Finding, Severity};

use super::known::{self, KeyKind};
use super::{SparkConf, shown};
use crate::problem::Problem;
use reading::Reading;

/// Overhead factor of Python and R applications where the user set none. Source: facts-spark A4.
const NON_JVM_FACTOR: f64 = 0.4;

impl SparkConf {
    /// Puts every setting that the model follows into `spark`, whose version picks the rules. What
    /// is not set stays as it is. With problems, `spark` is what could be understood.
    pub fn apply(&self, spark: &mut SparkDefaults) -> (Vec<Problem>, Vec<Finding>) {
        let mut read = Reading::new(self, spark.version);
        shapes(&mut read, spark);
        overheads(&mut read, spark);
        dynamic_allocation(&mut read, spark);
        allocation(&mut read, spark);
        losses::apply(&mut read, spark);
        scheduling::apply(&mut read, spark);
        storage::apply(&mut read, spark);
        pods::apply(&mut read, spark);
        consistency(&mut read, spark);
        others(&mut read);
        read.finish()
    }
}

/// `slot = value`, where there is one.
fn put<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

/// Spark's own default of several limits, the largest Java integer, means no limit.
fn unlimited(count: u32) -> u32 {
    if count >= i32::MAX as u32 { u32::MAX } else { count }
}

/// Spark's own defaults of two timeouts, the largest Java numbers, mean never.
fn finite(time: SimDuration) -> Option<SimDuration> {
    Some(time).filter(|time| *time < SimDuration::seconds(i32::MAX as u64))
}

fn shapes(read: &mut Reading<'_>, spark: &mut SparkDefaults) {
    let mib = Bytes::mib(1);
    put(&mut spark.driver_cores, read.count("spark.driver.cores", 1));
    put(&mut spark.executor_cores, read.count("spark.executor.cores", 1));
    put(&mut spark.task_cpus, read.count("spark.task.cpus", 1));
    put(&mut spark.executor_instances, read.count("spark.executor.instances", 0));
    put(&mut spark.driver_memory, read.size("spark.driver.memory", mib));
    put(&mut spark.executor_memory, read.size("spark.executor.memory", mib));
    for (slot, key) in [
        (&mut spark.driver_request_cores, "spark.kubernetes.driver.request.cores"),
        (&mut spark.executor_request_cores, "spark.kubernetes.executor.request.cores"),
    ] {
        if let Some(cpu) = read.cpu(key) {
            *slot = Some(cpu);
        }
    }
    for (slot, key, older) in [
        (
            &mut spark.driver_memory_overhead,
            "spark.driver.memoryOverhead",
            "spark.yarn.driver.memoryOverhead",
        ),
        (
            &mut spark.executor_memory_overhead,
            "spark.executor.memoryOverhead",
            "spark.yarn.executor.memoryOverhead",
        ),
    ] {
        let older = read.size(older, mib);
        if let Some(overhead) = read.size(key, mib).or(older) {
            *slot = Some(overhead);
        }
    }
}

/// Factors: the role's own key, else `spark.kubernetes.memoryOverheadFactor`, else 0.4 for Python
/// and R, else what is there.
fn overheads(read: &mut Reading<'_>, spark: &mut SparkDefaults) {
    let kind = read.text("spark.kubernetes.resource.type");
    if let Some(kind) = kind.as_deref().filter(|k| !["java", "python", "r"].contains(k)) {
        let message = format!("unknown application type `{kind}`");
        let help = "`java`, `python` or `r`";
        read.problem("spark.kubernetes.resource.type", message, help);
    }
    let non_jvm = matches!(kind.as_deref(), Some("python" | "r"));
    let common = read.number("spark.kubernetes.memoryOverheadFactor", 0.0, 100.0);
    let fallback = common.or(non_jvm.then_some(NON_JVM_FACTOR));
    let driver = read.number("spark.driver.memoryOverheadFactor", 0.0, 100.0);
    let executor = read.number("spark.executor.memoryOverheadFactor", 0.0, 100.0);
    let amounts = &mut spark.overheads;
    put(&mut amounts.driver_factor, driver.or(fallback));
    put(&mut amounts.executor_factor, executor.or(fallback));

    let mib = Bytes::mib(1);
    let driver = read.size("spark.driver.minMemoryOverhead", mib);
    let executor = read.size("spark.executor.minMemoryOverhead", mib);
    if driver.is_some() && driver != executor {
        let message = "one minimum overhead is modelled for drivers and executors: the \
                       executors' one counts";
        read.warn("spark.driver.minMemoryOverhead", "not-modelled", message);
    }
    put(&mut amounts.minimum, executor.or(driver));

    let off_heap = read.size("spark.memory.offHeap.size", Bytes::new(1));
    match read.boolean("spark.memory.offHeap.enabled") {
        Some(true) if off_heap.is_none_or(|size| size == Bytes::ZERO) => {
            let message = "off-heap memory is on without a size";
            let help = "set spark.memory.offHeap.size, as Spark requires";
            read.problem("spark.memory.offHeap.enabled", message, help);
        }
        Some(true) => put(&mut amounts.off_heap, off_heap),
        Some(false) => amounts.off_heap = Bytes::ZERO,
        None => {}
    }
    if let Some(python) = read.size("spark.executor.pyspark.memory", mib) {
        if kind.as_deref().is_none_or(|kind| kind == "python") {
            amounts.pyspark = python;
        }
        if kind.is_none() {
            let message = "counted for every application; Spark adds it for Python ones only";
            read.find("spark.executor.pyspark.memory", Severity::Info, "assumed-python", message);
        }
    }
}

fn dynamic_allocation(read: &mut Reading<'_>, spark: &mut SparkDefaults) {
    let second = SimDuration::seconds(1);
    let key = |name: &str| format!("spark.dynamicAllocation.{name}");
    let dynamic = &mut spark.dynamic_allocation;
    put(&mut dynamic.enabled, read.boolean(&key("enabled")));
    put(&mut dynamic.min_executors, read.count(&key("minExecutors"), 0));
    put(&mut dynamic.max_executors, read.count(&key("maxExecutors"), 1).map(unlimited));
    if let Some(initial) = read.count(&key("initialExecutors"), 0) {
        dynamic.initial_executors = Some(initial);
    }
    let ratio = read.number(&key("executorAllocationRatio"), f64::MIN_POSITIVE, 1.0);
    put(&mut dynamic.executor_allocation_ratio, ratio);
    let backlog = read.time(&key("schedulerBacklogTimeout"), second);
    put(&mut dynamic.scheduler_backlog_timeout, backlog);
    let sustained = read.time(&key("sustainedSchedulerBacklogTimeout"), second);
    put(&mut dynamic.sustained_scheduler_backlog_timeout, sustained.or(backlog));
    put(&mut dynamic.executor_idle_timeout, read.time(&key("executorIdleTimeout"), second));
    put(&mut dynamic.shuffle_tracking, read.boolean(&key("shuffleTracking.enabled")));
    if let Some(timeout) = read.time(&key("cachedExecutorIdleTimeout"), second) {
        dynamic.cached_executor_idle_timeout = finite(timeout);
    }
    let timeout = read.time(&key("shuffleTracking.timeout"), SimDuration::from_millis(1));
    if let Some(timeout) = timeout {
        dynamic.shuffle_tracking_timeout = finite(timeout);
    }
}

fn allocation(read: &mut Reading<'_>, spark: &mut SparkDefaults) {
    let ms = SimDuration::from_millis(1);
    let batch = read.count("spark.kubernetes.allocation.batch.size", 1);
    put(&mut spark.allocation_batch_size, batch);
    let delay = "spark.kubernetes.allocation.batch.delay";
    match read.time(delay, ms) {
        Some(zero) if zero.is_zero() => {
            read.problem(delay, "the delay between two batches is zero", "more than 0, as in 1s");
        }
        delay => put(&mut spark.allocation_batch_delay, delay),
    }
    // The pods of one resource profile are all there are.
    let pending = read.count("spark.kubernetes.allocation.maxPendingPods", 1);
    let per_profile = read.count("spark.kubernetes.allocation.maxPendingPodsPerRp", 1);
    let least = pending.into_iter().chain(per_profile).min();
    put(&mut spark.allocation_max_pending_pods, least.map(unlimited));
    let timeout = read.time("spark.kubernetes.allocation.executor.timeout", ms);
    put(&mut spark.allocation_executor_timeout, timeout);
    let ratio = read.number("spark.scheduler.minRegisteredResourcesRatio", 0.0, 1.0);
    put(&mut spark.min_registered_resources_ratio, ratio);
    let wait = read.time("spark.scheduler.maxRegisteredResourcesWaitingTime", ms);
    put(&mut spark.max_registered_resources_waiting_time, wait);
}

/// What Spark refuses to start with.
fn consistency(read: &mut Reading<'_>, spark: &SparkDefaults) {
    if spark.task_cpus > spark.executor_cores {
        let cores = MilliCores::cores(u64::from(spark.executor_cores));
        let message = format!(
            "a task takes {} cores and an executor has {cores}: no task would ever run",
            spark.task_cpus
        );
        read.problem_at_first(&["spark.task.cpus", "spark.executor.cores"], message);
    }
    let dynamic = &spark.dynamic_allocation;
    if !dynamic.enabled {
        return;
    }
    let initial = dynamic.initial_executors;
    let (min, max) = (dynamic.min_executors, dynamic.max_executors);
    if min > max {
        let message = format!("at least {min} executors and at most {max}");
        let keys = ["spark.dynamicAllocation.minExecutors", "spark.dynamicAllocation.maxExecutors"];
        read.problem_at_first(&keys, message);
    }
    if let Some(initial) = initial.filter(|initial| *initial > max) {
        let message = format!("{initial} executors at the start and at most {max}");
        read.problem_at_first(&["spark.dynamicAllocation.initialExecutors"], message);
    }
    let helped = dynamic.shuffle_tracking
        || spark.storage.shuffle != ShuffleService::Executor
        || spark.decommission.enabled && spark.decommission.storage;
    if !helped {
        let message = "dynamic allocation without shuffle tracking: Spark on Kubernetes refuses \
                       to start; set spark.dynamicAllocation.shuffleTracking.enabled=true";
        let key = "spark.dynamicAllocation.enabled";
        read.warn(key, "dynamic-allocation-refused", message);
    }
}

/// Every setting that nothing above reads.
fn others(read: &mut Reading<'_>) {
    let keys: Vec<String> = read.keys().map(str::to_owned).collect();
    for key in keys {
        match known::kind(&key) {
            KeyKind::Modelled | KeyKind::Irrelevant => {}
            KeyKind::NotModelled => read.not_modelled(&key),
            KeyKind::Slip(near) => {
                let name = shown(&key);
                let message =
                    format!("unknown setting `{name}` is ignored; did you mean `{near}`?");
                read.warn(&key, "unknown-setting", message);
            }
            KeyKind::Unknown => {
                let name = shown(&key);
                let message = format!("`{name}` is no setting that Spark registers; not modelled");
                read.find(&key, Severity::Info, "unknown-setting", message);
            }
        }
    }
}

/// Whether `version` knows a key that came with `since`.
fn is_known_in(version: SparkVersion, since: Option<SparkVersion>) -> bool {
    since.is_none_or(|since| version >= since)
}

#[cfg(test)]
mod released_tests;
#[cfg(test)]
mod tests;
