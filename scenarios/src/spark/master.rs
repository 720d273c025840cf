//! What follows of `spark.master` for an application's executors.

use sim::scenario::{Assumptions, SparkDefaults};
use sim::units::{Bytes, SimDuration};

use crate::native::spark_defaults::SparkConf;

/// Without a pod allocator, what is asked for is asked for in one message; the engine's rounds need
/// some length, and this one is short against an executor's start.
const DELAY: SimDuration = SimDuration::from_millis(100);

/// Who gives an application its executors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Master {
    /// `k8s://`, or nothing said.
    Kubernetes,
    /// `yarn`.
    Yarn,
    /// `spark://`: workers of unknown size.
    Standalone,
    /// `local-cluster[workers,cores,MiB]`.
    LocalCluster {
        /// Number of workers.
        workers: u32,
        /// Cores of each.
        cores: u32,
        /// What each has for executors.
        memory: Bytes,
    },
    /// `local[cores,failures]`: tasks run in the driver.
    Local {
        /// Cores; `None` = the host's.
        cores: Option<u32>,
        /// The failure of a task that ends the job.
        failures: u32,
    },
    /// Another one.
    Other,
}

impl Master {
    /// Understands `spark.master`.
    pub(super) fn of(text: &str) -> Self {
        let inside = |name: &str| text.strip_prefix(name)?.strip_suffix(']');
        if text.starts_with("k8s://") {
            return Self::Kubernetes;
        } else if text == "local" {
            return Self::Local { cores: Some(1), failures: 1 };
        } else if let Some(parts) = inside("local-cluster[") {
            let parts: Vec<Option<u32>> = parts.split(',').map(count).collect();
            if let [Some(workers), Some(cores), Some(mib)] = parts[..] {
                let memory = Bytes::mib(u64::from(mib));
                return Self::LocalCluster { workers, cores, memory };
            }
        } else if let Some(parts) = inside("local[") {
            let (cores, failures) = parts.split_once(',').unwrap_or((parts, "1"));
            if let (true, Some(failures)) =
                (cores.trim() == "*" || count(cores).is_some(), count(failures))
            {
                return Self::Local { cores: count(cores), failures };
            }
        }
        match text {
            _ if text.starts_with("yarn") => Self::Yarn,
            _ if text.starts_with("spark://") => Self::Standalone,
            _ => Self::Other,
        }
    }

    /// What settings may change.
    pub(super) fn before(self, spark: &mut SparkDefaults) {
        if !matches!(self, Self::Kubernetes | Self::Other) {
            spark.allocation_batch_size = u32::MAX;
            spark.allocation_batch_delay = DELAY;
        }
        match self {
            Self::LocalCluster { cores, .. } => {
                spark.executor_cores = cores;
                spark.min_registered_resources_ratio = 0.0;
            }
            Self::Local { .. } | Self::Standalone => spark.min_registered_resources_ratio = 0.0,
            Self::Kubernetes | Self::Yarn | Self::Other => {}
        }
    }

    /// What follows of the settings, or wins over them.
    pub(super) fn after(
        self,
        conf: &SparkConf,
        spark: &mut SparkDefaults,
        mut note: impl FnMut(&str, String),
    ) {
        let set = |key: &str| conf.get(key).and_then(count);
        let cores = u64::from(spark.executor_cores.max(1));
        let by_cores_max = set("spark.cores.max").map(|most| u64::from(most) / cores);
        let bounded = |most: u64| u32::try_from(most).unwrap_or(u32::MAX).max(1);
        match self {
            Self::LocalCluster { workers, cores: all, memory } => {
                let heap = spark.executor_memory.as_u64().max(1);
                let fits = (u64::from(all) / cores).min(memory.as_u64() / heap).max(1);
                // A worker starts one executor of an application that does not say its cores.
                let a_worker = if set("spark.executor.cores").is_some() { fits } else { 1 };
                let places = u64::from(workers) * a_worker;
                let places = bounded(by_cores_max.map_or(places, |most| places.min(most)));
                let asked = set("spark.executor.instances").unwrap_or(places);
                spark.executor_instances = asked.min(places);
                let dynamic = &mut spark.dynamic_allocation;
                dynamic.max_executors = dynamic.max_executors.min(places);
            }
            Self::Standalone => {
                if let Some(most) = by_cores_max.map(bounded) {
                    let asked = set("spark.executor.instances").unwrap_or(most);
                    spark.executor_instances = asked.min(most);
                    let dynamic = &mut spark.dynamic_allocation;
                    dynamic.max_executors = dynamic.max_executors.min(most);
                } else if set("spark.executor.instances").is_none() {
                    let message = format!(
                        "the workers are not known, and neither spark.cores.max nor \
                         spark.executor.instances is set: {} executors are taken",
                        spark.executor_instances
                    );
                    note("assumed-executors", message);
                }
            }
            Self::Local { cores, failures } => {
                let cores = cores.unwrap_or_else(|| {
                    let cores = Assumptions::default().host_cores;
                    note("assumed-cores", format!("`local[*]`: {cores} cores are taken"));
                    cores
                });
                (spark.executor_instances, spark.executor_cores) = (1, cores);
                spark.limits.task_max_failures = failures;
                spark.dynamic_allocation.enabled = false;
            }
            Self::Other => {
                let message = "the master is not known: executors are taken to be pods".to_owned();
                note("assumed-master", message);
            }
            Self::Kubernetes | Self::Yarn => {}
        }
    }
}

/// A whole number of at least 1.
fn count(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|count| *count > 0)
}
