//! What no config file says: latencies, spot weather, patience. Each with its source.

mod spot;
mod tasks;

pub use tasks::LocalDisk;

use serde::Serialize;

use super::{Capacity, Rebalance, Spells, SpotModel, SpotPrices};
use crate::units::{Bytes, SimDuration};
use spot::list_of_spot;
use tasks::list_of_tasks;

/// A log-normal latency, given by two quantiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogNormal {
    /// Median.
    pub p50: SimDuration,
    /// 99th percentile; not below the median.
    pub p99: SimDuration,
}

impl LogNormal {
    /// The value at standard-normal deviate `z`, rounded to a millisecond.
    pub fn at(&self, z: f64) -> SimDuration {
        // The 99th percentile of the standard normal distribution.
        const Z99: f64 = 2.326_347_874_040_841;
        let median = self.p50.as_secs_f64().max(1e-3);
        let sigma = (self.p99.as_secs_f64().max(median) / median).ln() / Z99;
        SimDuration::from_secs_f64(median * (sigma * z).exp())
    }
}

/// Numbers that the model needs and no config file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Assumptions {
    /// Instance requested to kubelet ready.
    pub node_boot: LogNormal,
    /// Registry to node, bytes a second.
    pub image_pull_bytes_per_s: Bytes,
    /// Image there to the container's process running.
    pub container_start: SimDuration,
    /// Driver process start to executors being asked for (JVM, `SparkContext`).
    pub driver_start: LogNormal,
    /// Executor process start to registered with the driver.
    pub executor_start: LogNormal,
    /// How spot nodes are taken back.
    pub spot: SpotModel,
    /// Spot prices over time, where they are given.
    pub spot_prices: SpotPrices,
    /// Notice before a spot node is taken.
    pub spot_notice: SimDuration,
    /// Recommendations before the notice.
    pub rebalance: Rebalance,
    /// Whether the cloud has an instance when one is asked for.
    pub capacity: Capacity,
    /// Nodes under notice are drained at once (managed node groups, node termination handler).
    pub spot_drain: bool,
    /// `terminationGracePeriodSeconds` of Spark pods.
    pub termination_grace: SimDuration,
    /// A driver that is pending for longer than this ends its attempt as `unschedulable`.
    pub unschedulable_timeout: SimDuration,
    /// Timeout of an attempt where the trace has none.
    pub run_timeout: SimDuration,
    /// Spread of task durations within a stage, where only their sum is recorded (coefficient of
    /// variation).
    pub task_duration_cv: f64,
    /// Mean task duration where the number of tasks is not recorded.
    pub mean_task_duration: SimDuration,
    /// Pods a second that the scheduler binds.
    pub scheduler_pods_per_s: u32,
    /// Kubelet ready to the DaemonSet pods running, where a startup taint keeps other pods off the
    /// node until then.
    pub daemonset_start: SimDuration,
    /// One init container, from its start to its end.
    pub init_container: SimDuration,
    /// SIGTERM to the end of a pod's containers; never longer than its grace period.
    pub pod_termination: SimDuration,
    /// Bytes on a node's disk for each compressed byte of an image.
    pub image_disk_factor: f64,
    /// What the system takes of a node's disk.
    pub system_disk: Bytes,
    /// kube-apiserver `--event-ttl`; zero keeps events for ever.
    pub event_ttl: SimDuration,
    /// An event object in etcd.
    pub event_object_bytes: Bytes,
    /// A pod object in etcd.
    pub pod_object_bytes: Bytes,
    /// etcd's quota.
    pub etcd_quota: Bytes,
    /// How much longer the first task on a fresh executor takes (class loading, compilation).
    pub executor_warm_up: SimDuration,
    /// How much longer each further task takes on an executor that is not warm yet.
    pub executor_warm_up_tasks: SimDuration,
    /// How long after the start of its first task an executor is warm.
    pub executor_warm_time: SimDuration,
    /// Cores that all executors share where a recording was made on one host (`local-cluster`);
    /// for replays only.
    pub host_cores: u32,
    /// Throughput of executors' local directories.
    pub local_disk: LocalDisk,
    /// A node's network, bytes a second.
    pub network_bytes_per_s: Bytes,
    /// Passes over spilled bytes beyond the one that writes them.
    pub spill_slowdown: f64,
    /// A copy within the object store, which is what a rename is there, bytes a second.
    pub object_store_copy_bytes_per_s: Bytes,
    /// What a rename of one file takes besides, whatever its size.
    pub commit_rename: SimDuration,
}

/// One line of the list of assumptions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// Its name in the scenario file, under `spec.assumptions`.
    pub name: &'static str,
    /// Its value in this scenario.
    pub value: String,
    /// Where the default comes from.
    pub source: &'static str,
    /// No source was found: the default is a guess.
    pub guess: bool,
}

impl Default for Assumptions {
    fn default() -> Self {
        let seconds = SimDuration::seconds;
        Self {
            node_boot: LogNormal { p50: seconds(60), p99: seconds(150) },
            image_pull_bytes_per_s: Bytes::new(92_000_000),
            container_start: seconds(1),
            driver_start: LogNormal { p50: seconds(8), p99: seconds(20) },
            executor_start: LogNormal { p50: seconds(4), p99: seconds(10) },
            spot: SpotModel::PoolShocks { mean_hours_between: 24.0, spells: Spells::default() },
            spot_prices: SpotPrices::default(),
            rebalance: Rebalance::default(),
            spot_notice: seconds(120),
            capacity: Capacity::default(),
            spot_drain: true,
            termination_grace: seconds(30),
            unschedulable_timeout: SimDuration::hours(1),
            run_timeout: SimDuration::hours(24),
            task_duration_cv: 0.6,
            mean_task_duration: seconds(10),
            scheduler_pods_per_s: 100,
            daemonset_start: SimDuration::ZERO,
            init_container: seconds(2),
            pod_termination: seconds(2),
            image_disk_factor: 2.5,
            system_disk: Bytes::gib(4),
            event_ttl: SimDuration::hours(1),
            event_object_bytes: Bytes::new(1024),
            pod_object_bytes: Bytes::new(10 * 1024),
            etcd_quota: Bytes::gib(8),
            executor_warm_up: SimDuration::from_millis(400),
            executor_warm_up_tasks: SimDuration::from_millis(100),
            executor_warm_time: seconds(8),
            host_cores: 2,
            local_disk: LocalDisk::default(),
            network_bytes_per_s: Bytes::new(1_250_000_000),
            spill_slowdown: 1.0,
            object_store_copy_bytes_per_s: Bytes::new(100_000_000),
            commit_rename: SimDuration::from_millis(200),
        }
    }
}

impl Assumptions {
    /// Every assumption with its value and its source, for reports.
    pub fn list(&self) -> Vec<Assumption> {
        let line = |name, value: String, source, guess| Assumption { name, value, source, guess };
        let quantiles = |l: &LogNormal| format!("lognormal, p50 {}, p99 {}", l.p50, l.p99);
        let (fact, guess) = (false, true);
        let mut list = vec![
            line(
                "nodeBoot",
                quantiles(&self.node_boot),
                "facts-cloud 4: 26 to 80 s measured, 145 s in one report; the quantiles are ours",
                guess,
            ),
            line(
                "imagePullBytesPerSecond",
                self.image_pull_bytes_per_s.as_u64().to_string(),
                "facts-cloud 4: 89 to 96 MB/s from a registry in the region",
                fact,
            ),
            line(
                "containerStart",
                self.container_start.to_string(),
                "facts-cloud 4: pod ready 2 s after its node; kubelet share not measured",
                guess,
            ),
            line(
                "driverStart",
                quantiles(&self.driver_start),
                "facts-cloud 4: driver JVM start was not found measured",
                guess,
            ),
            line(
                "executorStart",
                quantiles(&self.executor_start),
                "facts-cloud 4: executor JVM start was not found measured",
                guess,
            ),
            line(
                "terminationGrace",
                self.termination_grace.to_string(),
                "Kubernetes default terminationGracePeriodSeconds 30",
                fact,
            ),
            line(
                "unschedulableTimeout",
                self.unschedulable_timeout.to_string(),
                "patience of the platform with a pending driver",
                guess,
            ),
            line(
                "runTimeout",
                self.run_timeout.to_string(),
                "where the trace has no timeout_s",
                guess,
            ),
            line(
                "taskDurationCv",
                self.task_duration_cv.to_string(),
                "spread of task durations where only their sum is recorded",
                guess,
            ),
            line(
                "meanTaskDuration",
                self.mean_task_duration.to_string(),
                "where the trace has no number of tasks",
                guess,
            ),
            line(
                "schedulerPodsPerSecond",
                self.scheduler_pods_per_s.to_string(),
                "upstream scheduler throughput threshold of 100 pods/s",
                guess,
            ),
        ];
        list.extend(list_of_spot(self));
        list.extend(self.list_of_lifecycle());
        list.extend(list_of_tasks(self));
        list
    }

    /// The lines about the lives of nodes and pods and about the control plane.
    fn list_of_lifecycle(&self) -> Vec<Assumption> {
        let line = |name, value: String, source, guess| Assumption { name, value, source, guess };
        let (fact, guess) = (false, true);
        vec![
            line(
                "daemonsetStart",
                self.daemonset_start.to_string(),
                "zero: no startup taint; set it where one waits for the CNI or a cache",
                guess,
            ),
            line(
                "initContainer",
                self.init_container.to_string(),
                "one init container's run was not found measured",
                guess,
            ),
            line(
                "podTermination",
                self.pod_termination.to_string(),
                "SIGTERM to exit of Spark's processes was not found measured",
                guess,
            ),
            line(
                "imageDiskFactor",
                self.image_disk_factor.to_string(),
                "unpacked over compressed size of Spark images, compressed layers discarded",
                guess,
            ),
            line(
                "systemDisk",
                self.system_disk.to_string(),
                "operating system and logs on the root volume",
                guess,
            ),
            line(
                "eventTtl",
                self.event_ttl.to_string(),
                "facts-cloud 5: kube-apiserver --event-ttl 1h; EKS gives no way to set it",
                fact,
            ),
            line(
                "eventObjectBytes",
                self.event_object_bytes.to_string(),
                "facts-cloud 5: size of a plain event was not found",
                guess,
            ),
            line(
                "podObjectBytes",
                self.pod_object_bytes.to_string(),
                "a Spark pod with its environment and managed fields",
                guess,
            ),
            line(
                "etcdQuota",
                self.etcd_quota.to_string(),
                "facts-cloud 5: 8 GiB on EKS, and etcd's suggested maximum",
                fact,
            ),
        ]
    }
}
