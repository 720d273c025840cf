//! What no configuration file says.

use super::MANY;
use crate::schema::Kind::{Bool, Bytes, Choice, Duration, Float, Int, Path, Text};
use crate::schema::{Key, Kind, Section, key};

pub(crate) static ASSUMPTIONS: Section = Section {
    name: "Assumptions",
    doc: "What no configuration file says.",
    keys: &[
        key("nodeBoot", Kind::Section(&NODE_BOOT), "Instance requested to kubelet ready."),
        key("imagePullBytesPerSecond", Bytes, "Registry to node, bytes a second.").or("92000000"),
        key("containerStart", Duration, "Image there to the process running.").or("1s"),
        key(
            "driverStart",
            Kind::Section(&DRIVER_START),
            "Driver process start to executors being \
            asked for.",
        ),
        key(
            "executorStart",
            Kind::Section(&EXECUTOR_START),
            "Executor process start to \
            registered.",
        ),
        key("spot", Kind::Section(&SPOT), "How spot capacity is taken back."),
        key("spotPrices", Kind::Section(&SPOT_PRICES), "Spot prices that move.")
            .or("(the catalogue's, all the time)"),
        key("rebalance", Kind::Section(&REBALANCE), "Recommendations before the notice."),
        key("spotNotice", Duration, "Notice before a spot node is taken.").or("2m0s"),
        key("capacity", Kind::Section(&CAPACITY), "Whether the cloud has the instances."),
        key("spotDrain", Bool, "Nodes under notice are drained at once.").or("true"),
        key("terminationGrace", Duration, "Grace period of Spark pods.").or("30s"),
        key("unschedulableTimeout", Duration, "A driver pending for longer ends its attempt.")
            .or("1h0m0s"),
        key("runTimeout", Duration, "Timeout of an attempt where the trace has none.")
            .or("24h0m0s"),
        key(
            "taskDurationCv",
            Float(0.0, 10.0),
            "Spread of task durations where only their sum is \
            recorded.",
        )
        .or("0.6"),
        key("meanTaskDuration", Duration, "Where the trace has no number of tasks.").or("10s"),
        key("schedulerPodsPerSecond", Int(1, 100_000), "Pods a second that the scheduler binds.")
            .or("100"),
        key(
            "daemonsetStart",
            Duration,
            "Kubelet ready to the DaemonSet pods running, where a startup taint keeps other pods \
             off until then.",
        )
        .or("0s"),
        key("initContainer", Duration, "One init container, start to end.").or("2s"),
        key(
            "podTermination",
            Duration,
            "SIGTERM to the end of a deleted pod's containers; at most its grace period.",
        )
        .or("2s"),
        key(
            "imageDiskFactor",
            Float(0.0, 100.0),
            "Bytes on a node's disk for each compressed byte of an image.",
        )
        .or("2.5"),
        key("systemDisk", Bytes, "What the system takes of a node's disk.").or("4Gi"),
        key("eventTtl", Duration, "kube-apiserver `--event-ttl`; 0s keeps events for ever.")
            .or("1h0m0s"),
        key("eventObjectBytes", Bytes, "An event object in etcd.").or("1Ki"),
        key("podObjectBytes", Bytes, "A pod object in etcd.").or("10Ki"),
        key("etcdQuota", Bytes, "etcd's quota; beyond it the cluster is read-only.").or("8Gi"),
        key(
            "executorWarmUp",
            Duration,
            "How much longer the first task on a fresh executor takes.",
        )
        .or("400ms"),
        key(
            "taskWarmUp",
            Duration,
            "How much longer, at most, each further task takes on an executor that is not warm yet: \
             twice its CPU time, where that is less.",
        )
        .or("100ms"),
        key("executorWarmTime", Duration, "After its first task's start, an executor is warm.")
            .or("8s"),
        key(
            "hostCores",
            Int(1, 10_000),
            "Cores that all executors share where a recording was made on one host; for replays.",
        )
        .or("2"),
        key("localDisk", Kind::Section(&LOCAL_DISK), "Executors' local directories."),
        key("networkThroughput", Bytes, "A node's network, bytes a second.").or("1250000000"),
        key(
            "spillSlowdown",
            Float(0.0, 100.0),
            "Passes over spilled bytes beyond the one that writes them.",
        )
        .or("1"),
        key("objectStoreCopy", Bytes, "A copy within the object store, bytes a second.")
            .or("100000000"),
        key("commitRename", Duration, "A rename of one file on it, besides its copy.").or("200ms"),
    ],
};

const DISTRIBUTION: Key =
    key("distribution", Choice(&[("lognormal", "by its quantiles")]), "Shape.").or("lognormal");
const P50: Key = key("p50", Duration, "Median.");
const P99: Key = key("p99", Duration, "99th percentile, not below the median.");

static LOCAL_DISK: Section = Section {
    name: "LocalDisk",
    doc: "Bytes a second, by what the local directories are made of.",
    keys: &[
        key("emptyDir", Bytes, "The node's root volume.").or("125Mi"),
        key("tmpfs", Bytes, "Memory.").or("4Gi"),
        key("hostPath", Bytes, "Local NVMe.").or("1000000000"),
        key("persistentVolumeClaim", Bytes, "A claim's volume.").or("125Mi"),
    ],
};

static NODE_BOOT: Section = Section {
    name: "NodeBoot",
    doc: "A latency.",
    keys: &[DISTRIBUTION, P50.or("1m0s"), P99.or("2m30s")],
};

static DRIVER_START: Section = Section {
    name: "DriverStart",
    doc: "A latency.",
    keys: &[DISTRIBUTION, P50.or("8s"), P99.or("20s")],
};

static EXECUTOR_START: Section = Section {
    name: "ExecutorStart",
    doc: "A latency.",
    keys: &[DISTRIBUTION, P50.or("4s"), P99.or("10s")],
};

static SPOT: Section = Section {
    name: "Spot",
    doc: "How spot capacity is taken back.",
    keys: &[
        key(
            "model",
            Choice(&[
                (
                    "pool-shocks",
                    "each instance type and zone goes tight now and then, takes several nodes at \
                     once, and gives none until it is calm again",
                ),
                ("advisor", "the same, as often as the Spot Advisor's bands say"),
                ("recorded", "as in a recorded series, again and again"),
                ("none", "never"),
            ]),
            "The model.",
        )
        .or("pool-shocks"),
        key(
            "meanHoursBetween",
            Float(0.01, 1e6),
            "Hours between two shocks of a pool, on average, in the middle of interruption band 2; \
             for `pool-shocks`.",
        )
        .or("24"),
        key("shareTaken", Float(0.0, 1.0), "Share of the pool's nodes that one shock takes.")
            .or("0.25"),
        key(
            "calmSigma",
            Float(0.0, 4.0),
            "Spread of the lengths of calm spells, which are log-normal: sigma of the logarithm.",
        )
        .or("1.75"),
        key("tightHours", Float(0.001, 1e4), "Length of a tight spell, on average.")
            .or("0.3333333333333333"),
        key("tightSigma", Float(0.0, 4.0), "Spread of the lengths of tight spells.").or("1.35"),
        key(
            "zoneCorrelation",
            Float(0.0, 1.0),
            "Correlation (phi) of two zones of a region being tight.",
        )
        .or("0.45"),
        key("series", Path, "The series, or a folder of one; for `recorded` and `advisor`."),
        key("format", Choice(SPOT_FORMATS), "Its format.").or("(found out)"),
    ],
};

/// Formats of recorded series.
const SPOT_FORMATS: &[(&str, &str)] = &[
    ("availability", "log of instances that are created, running, gone, or could not be created"),
    ("add-remove", "CSV of nodes that are added and removed, with times in milliseconds"),
    ("counts", "CSV of times and numbers of nodes"),
    ("spin-up", "folder of GCP listings of what could be started"),
    ("price-history", "JSON of `aws ec2 describe-spot-price-history`, or a folder of them"),
    ("advisor", "the Spot Advisor's JSON"),
    ("region-prices", "JSON of the EC2 spot page: one price an instance type and region"),
];

static SPOT_PRICES: Section = Section {
    name: "SpotPrices",
    doc: "Spot prices over time, by instance type and zone, from the start of the simulation on. \
          Pools that are not in the series keep the catalogue's price.",
    keys: &[
        key("series", Path, "A price history, a folder of them, or a region's prices.").required(),
        key("format", Choice(SPOT_FORMATS), "Its format.").or("(found out)"),
    ],
};

static REBALANCE: Section = Section {
    name: "Rebalance",
    doc: "EC2's rebalance recommendations.",
    keys: &[
        key(
            "response",
            Choice(&[
                ("ignore", "nothing happens"),
                ("drain", "the node is drained at once and replaced"),
                ("replace", "a replacement is launched, and then the node is drained"),
            ]),
            "What happens when a node gets one: `drain` is the node termination handler's \
             `enableRebalanceDraining`, `replace` the group's capacity rebalancing.",
        )
        .or("ignore"),
        key("recall", Float(0.0, 1.0), "Share of interrupted nodes that got one before.").or("0.6"),
        key("precision", Float(0.01, 1.0), "Share of them that an interruption follows.").or("0.3"),
        key("leadMin", Duration, "Shortest time before the interruption.").or("17m0s"),
        key("leadMax", Duration, "Longest time.").or("8h42m0s"),
    ],
};

static CAPACITY: Section = Section {
    name: "Capacity",
    doc: "What limits launches; without it the cloud has every instance.",
    keys: &[
        key(
            "limits",
            Kind::List(&Kind::Section(&CAPACITY_LIMIT)),
            "Limits of capacity pools; one that says no is enough.",
        ),
        key("spotVcpus", Int(0, MANY), "vCPU quota of spot instances.").or("(no limit)"),
        key("onDemandVcpus", Int(0, MANY), "vCPU quota of on-demand instances.").or("(no limit)"),
        key("failureSeenAfter", Duration, "When the autoscaler learns that a launch fails.")
            .or("1m0s"),
        key("launchesHang", Bool, "It never learns, and waits for `max-node-provision-time`.")
            .or("false"),
    ],
};

static CAPACITY_LIMIT: Section = Section {
    name: "CapacityLimit",
    doc: "A limit of capacity pools (instance type x zone).",
    keys: &[
        key(
            "capacityType",
            Choice(&[("spot", "spot instances"), ("on-demand", "on-demand instances")]),
            "Of which instances.",
        )
        .required(),
        key("instanceType", Text, "Of which instance type.").or("(every one)"),
        key("zone", Text, "In which zone.").or("(every one)"),
        key("maxInstances", Int(0, MANY), "Most at one time in each capacity pool.").or("0"),
        key("from", Duration, "From when, after the start.").or("0s"),
        key("until", Duration, "Until when, after the start.").or("(the end)"),
        key("probability", Float(0.0, 1.0), "Chance that a launch beyond the most fails.").or("1"),
    ],
};
