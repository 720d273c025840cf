//! Spark's configuration for runs that do not say otherwise, and what changed between versions.

mod applications;
mod losses;
mod scheduling;
mod storage;

pub use applications::{ApplicationSettings, RunSettings, apply_settings};
pub use losses::{Decommission, FailureLimits};
pub use scheduling::{ExcludeOnFailure, LocalityWait, SchedulerMode, Speculation};
pub use storage::{LocalDirs, OutputCommitter, ShuffleService, Storage, UnifiedMemory};

use super::PodTemplate;
use crate::units::{Bytes, MilliCores, SimDuration};

/// A Spark release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SparkVersion {
    /// 3 or 4.
    pub major: u32,
    /// Minor release.
    pub minor: u32,
}

impl std::fmt::Display for SparkVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Default for SparkVersion {
    fn default() -> Self {
        Self { major: 3, minor: 5 }
    }
}

/// `spark.*` settings that the model follows; names are the keys without their prefix.
#[derive(Debug, Clone, PartialEq)]
pub struct SparkDefaults {
    /// Picks the defaults that changed between releases.
    pub version: SparkVersion,
    /// `spark.driver.cores`.
    pub driver_cores: u32,
    /// `spark.kubernetes.driver.request.cores`.
    pub driver_request_cores: Option<MilliCores>,
    /// `spark.driver.memory`.
    pub driver_memory: Bytes,
    /// `spark.driver.memoryOverhead`.
    pub driver_memory_overhead: Option<Bytes>,
    /// `spark.executor.cores`.
    pub executor_cores: u32,
    /// `spark.kubernetes.executor.request.cores`.
    pub executor_request_cores: Option<MilliCores>,
    /// `spark.executor.memory`.
    pub executor_memory: Bytes,
    /// `spark.executor.memoryOverhead`.
    pub executor_memory_overhead: Option<Bytes>,
    /// `spark.executor.instances`.
    pub executor_instances: u32,
    /// `spark.task.cpus`.
    pub task_cpus: u32,
    /// Whose tasks go first.
    pub scheduler_mode: SchedulerMode,
    /// How long tasks wait for a better placed slot.
    pub locality_wait: LocalityWait,
    /// Copies of slow tasks.
    pub speculation: Speculation,
    /// Executors that get no more tasks.
    pub exclude_on_failure: ExcludeOnFailure,
    /// How many failures an application bears.
    pub limits: FailureLimits,
    /// What executors under notice do.
    pub decommission: Decommission,
    /// Where data is kept.
    pub storage: Storage,
    /// What of the heap tasks have.
    pub memory: UnifiedMemory,
    /// `spark.sql.shuffle.partitions`.
    pub sql_shuffle_partitions: u32,
    /// How overhead follows from the heap.
    pub overheads: MemoryOverheads,
    /// Dynamic allocation.
    pub dynamic_allocation: DynamicAllocation,
    /// `spark.kubernetes.allocation.batch.size`.
    pub allocation_batch_size: u32,
    /// `spark.kubernetes.allocation.batch.delay`.
    pub allocation_batch_delay: SimDuration,
    /// `spark.kubernetes.allocation.maxPendingPods`; `u32::MAX` = no limit.
    pub allocation_max_pending_pods: u32,
    /// `spark.kubernetes.allocation.executor.timeout`: a pod that the API server has not shown by
    /// then is asked for again.
    pub allocation_executor_timeout: SimDuration,
    /// `spark.scheduler.minRegisteredResourcesRatio` (0.8 on Kubernetes).
    pub min_registered_resources_ratio: f64,
    /// `spark.scheduler.maxRegisteredResourcesWaitingTime`.
    pub max_registered_resources_waiting_time: SimDuration,
    /// Placement of drivers.
    pub driver_template: PodTemplate,
    /// Placement of executors.
    pub executor_template: PodTemplate,
    /// Settings that hold for runs that were recorded with others, too.
    pub override_runs: OverrideRuns,
    /// Settings of classes of runs; later ones win.
    pub applications: Vec<ApplicationSettings>,
}

/// Which of the settings above win over what a run was recorded with: for what-ifs on recorded
/// applications. The others are defaults, as in `spark-defaults.conf`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct OverrideRuns {
    /// `spark.executor.cores`.
    pub executor_cores: bool,
    /// `spark.executor.memory` and its overhead.
    pub executor_memory: bool,
    /// `spark.executor.instances`, `spark.dynamicAllocation.enabled` and its limits.
    pub executors: bool,
    /// `spark.driver.cores`.
    pub driver_cores: bool,
    /// `spark.driver.memory`.
    pub driver_memory: bool,
}

/// Container memory beyond the heap.
///
/// Source: facts-spark A4 (`BasicDriverFeatureStep`, `BasicExecutorFeatureStep`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemoryOverheads {
    /// `spark.driver.memoryOverheadFactor`.
    pub driver_factor: f64,
    /// `spark.executor.memoryOverheadFactor`.
    pub executor_factor: f64,
    /// `spark.{driver,executor}.minMemoryOverhead`: 384 MiB.
    pub minimum: Bytes,
    /// `spark.memory.offHeap.size`, where off-heap memory is on.
    pub off_heap: Bytes,
    /// `spark.executor.pyspark.memory`, for Python applications.
    pub pyspark: Bytes,
}

impl MemoryOverheads {
    /// Memory of a driver's container: heap plus overhead, which is `set` or follows from the heap.
    pub fn driver_container(&self, heap: Bytes, set: Option<Bytes>) -> Bytes {
        heap.saturating_add(self.overhead(heap, set, self.driver_factor))
    }

    /// Memory of an executor's container: heap, overhead, off-heap and PySpark memory.
    pub fn executor_container(&self, heap: Bytes, set: Option<Bytes>) -> Bytes {
        heap.saturating_add(self.overhead(heap, set, self.executor_factor))
            .saturating_add(self.off_heap)
            .saturating_add(self.pyspark)
    }

    fn overhead(&self, heap: Bytes, set: Option<Bytes>, factor: f64) -> Bytes {
        set.unwrap_or_else(|| {
            // Spark multiplies whole MiB and truncates.
            Bytes::mib((heap.as_mib_floor() as f64 * factor) as u64).max(self.minimum)
        })
    }
}

impl Default for MemoryOverheads {
    fn default() -> Self {
        Self {
            driver_factor: 0.1,
            executor_factor: 0.1,
            minimum: Bytes::mib(384),
            off_heap: Bytes::ZERO,
            pyspark: Bytes::ZERO,
        }
    }
}

/// `spark.dynamicAllocation.*`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DynamicAllocation {
    /// `enabled`.
    pub enabled: bool,
    /// `minExecutors`.
    pub min_executors: u32,
    /// `initialExecutors`; the greatest of this, the minimum and `spark.executor.instances`
    /// counts.
    pub initial_executors: Option<u32>,
    /// `maxExecutors`; `u32::MAX` = no limit.
    pub max_executors: u32,
    /// `executorAllocationRatio`.
    pub executor_allocation_ratio: f64,
    /// `schedulerBacklogTimeout`.
    pub scheduler_backlog_timeout: SimDuration,
    /// `sustainedSchedulerBacklogTimeout`; defaults to the backlog timeout.
    pub sustained_scheduler_backlog_timeout: SimDuration,
    /// `executorIdleTimeout`.
    pub executor_idle_timeout: SimDuration,
    /// `cachedExecutorIdleTimeout`: for executors that hold cached blocks; `None` = never.
    pub cached_executor_idle_timeout: Option<SimDuration>,
    /// `shuffleTracking.enabled`: executors that wrote shuffle data are kept.
    pub shuffle_tracking: bool,
    /// `shuffleTracking.timeout`: for how long; `None` = until the shuffle is not needed any more
    /// and was cleaned.
    pub shuffle_tracking_timeout: Option<SimDuration>,
}

impl Default for DynamicAllocation {
    /// Source: facts-spark A1.
    fn default() -> Self {
        Self {
            enabled: false,
            min_executors: 0,
            initial_executors: None,
            max_executors: u32::MAX,
            executor_allocation_ratio: 1.0,
            scheduler_backlog_timeout: SimDuration::seconds(1),
            sustained_scheduler_backlog_timeout: SimDuration::seconds(1),
            executor_idle_timeout: SimDuration::seconds(60),
            cached_executor_idle_timeout: None,
            shuffle_tracking: true,
            shuffle_tracking_timeout: None,
        }
    }
}

impl SparkDefaults {
    /// The release's defaults. Source: facts-spark A1, read from the released jars; cores, memory
    /// and instances: Spark's configuration page (1 core, 1g, 2 executors on Kubernetes).
    pub fn default_of(version: SparkVersion) -> Self {
        let batch_size = match (version.major, version.minor) {
            (4.., 2..) | (5.., _) => 20,
            (4, _) => 10,
            _ => 5,
        };
        // Before it was a setting, it was a constant of `ExecutorPodsAllocator`.
        let pod_timeout = if version < (SparkVersion { major: 3, minor: 1 }) { 60 } else { 600 };
        let shuffle_tracking = version >= SparkVersion { major: 3, minor: 4 };
        Self {
            version,
            driver_cores: 1,
            driver_request_cores: None,
            driver_memory: Bytes::gib(1),
            driver_memory_overhead: None,
            executor_cores: 1,
            executor_request_cores: None,
            executor_memory: Bytes::gib(1),
            executor_memory_overhead: None,
            executor_instances: 2,
            task_cpus: 1,
            scheduler_mode: SchedulerMode::default(),
            locality_wait: LocalityWait::default_of(version),
            speculation: Speculation::default_of(version),
            exclude_on_failure: ExcludeOnFailure::default(),
            limits: FailureLimits::default_of(version),
            decommission: Decommission::default_of(version),
            storage: Storage::default(),
            memory: UnifiedMemory::default(),
            sql_shuffle_partitions: 200,
            overheads: MemoryOverheads::default(),
            dynamic_allocation: DynamicAllocation { shuffle_tracking, ..Default::default() },
            allocation_batch_size: batch_size,
            allocation_batch_delay: SimDuration::seconds(1),
            allocation_max_pending_pods: u32::MAX,
            allocation_executor_timeout: SimDuration::seconds(pod_timeout),
            min_registered_resources_ratio: 0.8,
            max_registered_resources_waiting_time: SimDuration::seconds(30),
            driver_template: PodTemplate::default(),
            override_runs: OverrideRuns::default(),
            applications: Vec::new(),
            executor_template: PodTemplate::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_follow_sparks_formula() {
        let check = |heap, set, executor_factor, expected| {
            let rules = MemoryOverheads { executor_factor, ..MemoryOverheads::default() };
            assert_eq!(rules.executor_container(heap, set), expected);
        };
        check(Bytes::gib(1), None, 0.1, Bytes::mib(1024 + 384));
        check(Bytes::gib(11), None, 0.1, Bytes::mib(11_264 + 1126));
        check(Bytes::gib(8), Some(Bytes::gib(2)), 0.1, Bytes::gib(10));
        check(Bytes::gib(4), None, 0.4, Bytes::mib(4096 + 1638));
    }
}
