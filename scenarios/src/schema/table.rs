//! The table itself, outermost section first.

use super::Kind::{
    Any, Bool, Bytes, Choice, Cpu, Duration, Float, Int, List, Map, Path, PathOrMap, Text,
};
use super::{Key, Kind, Section, key};

/// More nodes, pods or attempts than this are no scenario but a slip.
const MANY: i64 = 1_000_000;
/// Dollars an hour that `sim::units::HourlyPrice` can hold.
const USD: Kind = Float(0.0, 1e6);

pub(crate) static ROOT: Section = Section {
    name: "Scenario",
    doc: "One platform under trial. Unknown keys are errors; paths are relative to the file that \
          names them.",
    keys: &[
        key(
            "apiVersion",
            Choice(&[("seatrial/v1alpha1", "this format")]),
            "Format version.",
        )
        .required(),
        key(
            "kind",
            Choice(&[("Scenario", "a scenario")]),
            "What the file is.",
        )
        .required(),
        key(
            "base",
            Path,
            "A scenario to inherit from: maps merge, lists and single values \
            replace, `null` removes.",
        ),
        key("metadata", Kind::Section(&METADATA), "Name and notes."),
        key("spec", Kind::Section(&SPEC), "The platform.").required(),
    ],
};

static METADATA: Section = Section {
    name: "Metadata",
    doc: "Name and notes.",
    keys: &[
        key("name", Text, "Name in results.").or("(the file's name)"),
        key("description", Text, "For readers; no effect."),
        key("labels", Map(&Text), "For tools; no effect."),
    ],
};

static SPEC: Section = Section {
    name: "Spec",
    doc: "The platform: the live system's own files, and what none of them says.",
    keys: &[
        key(
            "kubernetesVersion",
            Text,
            "Release of the cluster, 1.20 to 1.36. Picks the era of \
            scheduler and autoscaler behaviour. Quote it: unquoted, 1.30 is 1.3.",
        )
        .or("1.36"),
        key("region", Text, "Cloud region, for prices and zones.").or("(the eksctl file's)"),
        key(
            "workload",
            Kind::Section(&WORKLOAD),
            "What is submitted, and when.",
        ),
        key("spark", Kind::Section(&SPARK), "Spark's configuration."),
        key("nodes", Kind::Section(&NODES), "Node pools."),
        key(
            "autoscaler",
            Kind::Section(&AUTOSCALER),
            "What grows and shrinks the pools.",
        )
        .or("(none: pools stay at their desired size)"),
        key(
            "scheduler",
            Kind::Section(&SCHEDULER),
            "How pods are placed.",
        )
        .or("(the release's default profile)"),
        key(
            "retries",
            Kind::Section(&RETRIES),
            "What happens after a failed attempt.",
        ),
        key("images", Kind::Section(&IMAGES), "Container images."),
        key(
            "overprovisioning",
            Kind::Section(&OVERPROVISIONING),
            "Pause pods that keep warm room.",
        )
        .or("(none)"),
        key(
            "fees",
            Kind::Section(&FEES),
            "What is billed besides instances.",
        ),
        key(
            "prices",
            Map(&Kind::Section(&PRICE)),
            "Prices by instance type, instead of the \
            catalogue's.",
        ),
        key(
            "instanceTypes",
            Map(&Kind::Section(&INSTANCE_TYPE)),
            "Shapes by instance type, \
            instead of the catalogue's. One with `vcpu` and `memory` may be a type of your own.",
        ),
        key(
            "assumptions",
            Kind::Section(&ASSUMPTIONS),
            "What no configuration file says. Every \
            one has a default with its source.",
        ),
        key(
            "plan",
            Any,
            "What `plan` may change, and its objective. Kept, not modelled yet.",
        ),
    ],
};

static WORKLOAD: Section = Section {
    name: "Workload",
    doc: "What is submitted, and when.",
    keys: &[
        key(
            "traces",
            List(&Kind::Section(&TRACE)),
            "Recorded or synthetic traces.",
        ),
        key("scale", Kind::Section(&SCALE), "Growth."),
        key(
            "resample",
            Kind::Section(&RESAMPLE),
            "Draw a longer day from few recorded runs.",
        ),
        key(
            "timezone",
            Text,
            "IANA name of the zone that times without one are in.",
        )
        .or("UTC"),
    ],
};

static TRACE: Section = Section {
    name: "Trace",
    doc: "One of these.",
    keys: &[
        key("jobTable", Path, "Canonical `runs` table, CSV or Parquet."),
        key("eventLogs", Path, "A Spark event log, or a folder of them."),
        key("pods", Path, "A pod trace."),
        key("swf", Path, "A log in the Standard Workload Format."),
    ],
};

static SCALE: Section = Section {
    name: "Scale",
    doc: "Growth what-ifs.",
    keys: &[key(
        "arrivals",
        Float(0.001, 1000.0),
        "Submissions, as a multiple of the recorded \
        ones.",
    )
    .or("1")],
};

static RESAMPLE: Section = Section {
    name: "Resample",
    doc: "Draws runs, with replacement, from the recorded ones.",
    keys: &[
        key("runsPerDay", Int(1, 10_000_000), "Submissions a day.").required(),
        key("days", Float(0.001, 366.0), "How long.").or("1"),
    ],
};

static SPARK: Section = Section {
    name: "Spark",
    doc: "Spark's configuration where a run does not say otherwise.",
    keys: &[
        key(
            "version",
            Text,
            "Release, 3.0 to 4.3; picks the defaults that changed.",
        )
        .or("3.5"),
        key("defaults", Path, "`spark-defaults.conf`, as it is."),
        key(
            "sparkConf",
            Map(&Text),
            "`spark.*` settings, on top of the file.",
        ),
        key(
            "driverPodTemplate",
            PathOrMap,
            "Pod template of drivers, as it is.",
        ),
        key(
            "executorPodTemplate",
            PathOrMap,
            "Pod template of executors, as it is.",
        ),
    ],
};

static NODES: Section = Section {
    name: "Nodes",
    doc: "Node pools: those of an eksctl file, then those listed here.",
    keys: &[
        key("eksctl", Path, "eksctl `ClusterConfig`, as it is."),
        key("pools", List(&Kind::Section(&POOL)), "Pools in place."),
        key(
            "overrides",
            Map(&Kind::Section(&POOL)),
            "Changes to pools by name; lists and maps \
            replace.",
        ),
        key("zones", List(&Text), "Zones of pools that name none.").or("(the region's a, b, c)"),
        key(
            "daemonsets",
            Kind::Section(&DAEMONSETS),
            "What DaemonSet pods request on every node.",
        ),
        key(
            "vmMemoryOverheadPercent",
            Float(0.0, 0.5),
            "Share of an instance's memory that never \
            reaches the node; Karpenter's setting of this name.",
        )
        .or("0.075"),
    ],
};

pub(crate) static POOL: Section = Section {
    name: "Pool",
    doc: "Nodes that the autoscaler grows and shrinks as one.",
    keys: &[
        key("name", Text, "Unique name.").required(),
        key(
            "capacityType",
            Choice(&[
                ("on-demand", "full price, not taken back"),
                ("spot", "cheaper, may be taken back"),
            ]),
            "How it is bought.",
        )
        .or("(on-demand)"),
        key(
            "instanceTypes",
            List(&Text),
            "At least one. Launches take the first; on spot, the \
            others are candidates too.",
        )
        .required(),
        key("minSize", Int(0, MANY), "Fewest nodes.").or("(0)"),
        key("desiredSize", Int(0, MANY), "Nodes at the start.").or("(minSize)"),
        key("maxSize", Int(0, MANY), "Most nodes.").required(),
        key("zones", List(&Text), "Zones, taken in turn.").or("(nodes.zones)"),
        key(
            "labels",
            Map(&Text),
            "Node labels, besides the provider's own.",
        ),
        key("taints", List(&Kind::Section(&TAINT)), "Node taints."),
        key("volumeSize", Bytes, "Root volume.").or("(80Gi, as eksctl)"),
    ],
};

static TAINT: Section = Section {
    name: "Taint",
    doc: "A node taint.",
    keys: &[
        key("key", Text, "Key.").required(),
        key("value", Text, "Value."),
        key(
            "effect",
            Choice(&[
                ("NoSchedule", "no new pods"),
                ("PreferNoSchedule", "no new pods if it can be avoided"),
                ("NoExecute", "no new pods, and running ones are evicted"),
            ]),
            "What it does.",
        )
        .required(),
    ],
};

static DAEMONSETS: Section = Section {
    name: "DaemonSets",
    doc: "Requests of the DaemonSet pods, summed, on every node.",
    keys: &[
        key("cpu", Cpu, "CPU.").or("150m"),
        key("memory", Bytes, "Memory.").or("0"),
        key("pods", Int(0, 1000), "How many pods.").or("2"),
    ],
};

static AUTOSCALER: Section = Section {
    name: "Autoscaler",
    doc: "What grows and shrinks the pools.",
    keys: &[
        key(
            "clusterAutoscaler",
            Kind::Section(&CLUSTER_AUTOSCALER),
            "Cluster Autoscaler. `{}` = \
            its release's defaults.",
        ),
        key("karpenter", Any, "Karpenter. Not modelled yet: an error."),
    ],
};

static CLUSTER_AUTOSCALER: Section = Section {
    name: "ClusterAutoscaler",
    doc: "Its flags: the file's, then `extraArgs` on top.",
    keys: &[
        key(
            "manifest",
            Path,
            "A Deployment with the flags in its command or args.",
        ),
        key("values", Path, "The Helm chart's values, with `extraArgs`."),
        key(
            "extraArgs",
            Map(&Any),
            "Flags by name, as in the Helm chart.",
        ),
    ],
};

static SCHEDULER: Section = Section {
    name: "Scheduler",
    doc: "One of these.",
    keys: &[
        key("config", Path, "`KubeSchedulerConfiguration`, as it is."),
        key(
            "policy",
            Path,
            "The legacy Policy (JSON or YAML), as it is; up to Kubernetes 1.22.",
        ),
        key("profile", Kind::Section(&PROFILE), "A profile in place."),
    ],
};

static PROFILE: Section = Section {
    name: "Profile",
    doc: "Score plugins and their weights; filters are always on.",
    keys: &[
        key("schedulerName", Text, "Name.").or("default-scheduler"),
        key(
            "scores",
            List(&Kind::Section(&SCORE)),
            "Plugins; each at most once.",
        )
        .required(),
    ],
};

static SCORE: Section = Section {
    name: "Score",
    doc: "A score plugin.",
    keys: &[
        key(
            "plugin",
            Choice(&[
                ("NodeResourcesFit", "by free resources, as `strategy` says"),
                (
                    "NodeResourcesBalancedAllocation",
                    "CPU and memory used alike",
                ),
                ("ImageLocality", "the image is there"),
                ("NodeAffinity", "preferred node affinity"),
                ("TaintToleration", "`PreferNoSchedule` taints"),
                ("InterPodAffinity", "preferred pod affinity"),
                ("PodTopologySpread", "preferred spread"),
            ]),
            "Upstream's name.",
        )
        .required(),
        key("weight", Int(1, 1_000_000), "Weight.").or("(1)"),
        key(
            "strategy",
            Choice(&[
                ("LeastAllocated", "the emptiest node"),
                ("MostAllocated", "the fullest node"),
                ("RequestedToCapacityRatio", "by `shape`"),
            ]),
            "Of `NodeResourcesFit`.",
        )
        .or("(LeastAllocated)"),
        key("cpu", Int(1, 100), "Of `NodeResourcesFit`: weight of CPU.").or("(1)"),
        key(
            "memory",
            Int(1, 100),
            "Of `NodeResourcesFit`: weight of memory.",
        )
        .or("(1)"),
        key(
            "shape",
            List(&Kind::Section(&SHAPE_POINT)),
            "Of `RequestedToCapacityRatio`.",
        ),
    ],
};

static SHAPE_POINT: Section = Section {
    name: "ShapePoint",
    doc: "A point of the line from utilisation to score.",
    keys: &[
        key(
            "utilization",
            Int(0, 100),
            "Percent; ascending over the points.",
        )
        .required(),
        key("score", Int(0, 10), "Score there.").required(),
    ],
};

static RETRIES: Section = Section {
    name: "Retries",
    doc: "What is tried after a failed attempt.",
    keys: &[
        key(
            "preset",
            Choice(crate::retries::PRESETS),
            "A ladder by name.",
        )
        .or("(none)"),
        key(
            "ladder",
            List(&Kind::Section(&RUNG)),
            "Rungs; the first one that holds the failure \
            decides. A failure that none holds is final.",
        ),
        key("name", Text, "Name of the ladder in reports.").or("(custom)"),
        key(
            "criticalOnDemand",
            Bool,
            "Runs marked critical have their executors on on-demand \
            nodes from the first attempt.",
        )
        .or("(the preset's; else false)"),
    ],
};

pub(crate) static FAILURES: Kind = Choice(&[
    ("executor_oom", "executors died of memory"),
    ("driver_oom", "the driver died of memory"),
    ("timeout", "the orchestrator's timeout passed"),
    ("spot", "the driver's node was reclaimed"),
    ("application", "a bug in the application or its data"),
    ("transient", "a dependency failed for a moment"),
    ("unschedulable", "a pod could not be placed for too long"),
]);

static RUNG: Section = Section {
    name: "Rung",
    doc: "An answer to some failures.",
    keys: &[
        key("when", List(&FAILURES), "The failures it answers.").required(),
        key(
            "adjust",
            List(&Kind::Section(&ADJUSTMENT)),
            "What changes in the next attempt.",
        ),
        key(
            "attemptsMax",
            Int(1, 100),
            "Attempts of a run in all, after which it has failed for \
            good.",
        )
        .required(),
        key("backoff", Duration, "Wait before the second attempt.").or("(0s)"),
        key(
            "backoffFactor",
            Float(1.0, 100.0),
            "Each further wait is this many times the one \
            before.",
        )
        .or("(1)"),
        key("backoffMax", Duration, "Longest wait.").or("(no limit)"),
    ],
};

pub(crate) const ADJUSTMENTS: [&str; 4] = [
    "executorMemory",
    "driverMemory",
    "executorCount",
    "onDemand",
];

static ADJUSTMENT: Section = Section {
    name: "Adjustment",
    doc: "One change to the next attempt: one of these.",
    keys: &[
        key(
            ADJUSTMENTS[0],
            Kind::Section(&MORE_MEMORY),
            "Executors with more memory.",
        ),
        key(
            ADJUSTMENTS[1],
            Kind::Section(&MORE_MEMORY),
            "A driver with more memory.",
        ),
        key(
            ADJUSTMENTS[2],
            Kind::Section(&MORE_EXECUTORS),
            "More executors.",
        ),
        key(ADJUSTMENTS[3], Bool, "Executors go to on-demand nodes."),
    ],
};

const FACTOR: Key = key("factor", Float(1.0, 100.0), "Multiplier.").required();

static MORE_MEMORY: Section = Section {
    name: "MoreMemory",
    doc: "Memory times a factor.",
    keys: &[
        FACTOR,
        key("max", Bytes, "Limit of the whole container.").required(),
    ],
};

static MORE_EXECUTORS: Section = Section {
    name: "MoreExecutors",
    doc: "Executors times a factor.",
    keys: &[
        FACTOR,
        key("max", Int(1, MANY), "Most executors.").required(),
    ],
};

static IMAGES: Section = Section {
    name: "Images",
    doc: "Container images.",
    keys: &[
        key("size", Bytes, "Compressed size that is pulled.").or("3Gi"),
        key(
            "prePulled",
            Bool,
            "A pre-puller DaemonSet pulls it as soon as a node joins.",
        )
        .or("false"),
    ],
};

static OVERPROVISIONING: Section = Section {
    name: "Overprovisioning",
    doc: "Low-priority pause pods that Spark pods push out.",
    keys: &[
        key("replicas", Int(0, MANY), "How many.").required(),
        key("pod", Kind::Section(&PAUSE_POD), "What each requests.").required(),
        key(
            "priority",
            Int(-1_000_000_000, 1_000_000_000),
            "Below the Spark pods', and not below \
            the autoscaler's cutoff.",
        )
        .or("(-10)"),
        key(
            "podTemplate",
            PathOrMap,
            "Where they may run, as a pod template.",
        ),
    ],
};

static PAUSE_POD: Section = Section {
    name: "PausePod",
    doc: "What a pause pod requests.",
    keys: &[
        key("cpu", Cpu, "CPU.").required(),
        key("memory", Bytes, "Memory.").required(),
    ],
};

static FEES: Section = Section {
    name: "Fees",
    doc: "What is billed besides instances. The catalogue knows the region's; prices here replace \
          them.",
    keys: &[
        key("emr", Bool, "EMR on EKS' charge on requested resources.").or("(false)"),
        key(
            "controlPlane",
            Choice(&[
                ("standard", "standard support"),
                ("extended", "extended support"),
                ("none", "not billed"),
            ]),
            "Support level of the cluster.",
        )
        .or("(standard)"),
        key("controlPlanePerHour", USD, "Dollars an hour."),
        key(
            "storagePerGibHour",
            USD,
            "Dollars a GiB-hour of root volumes.",
        ),
        key("emrPerVcpuHour", USD, "Dollars a requested vCPU-hour."),
        key("emrPerGbHour", USD, "Dollars a requested GB-hour."),
    ],
};

pub(crate) static PRICE: Section = Section {
    name: "Price",
    doc: "Dollars an hour.",
    keys: &[
        key("onDemand", USD, "On-demand price.").or("(the catalogue's)"),
        key("spot", USD, "Spot price.").or("(the catalogue's)"),
    ],
};

pub(crate) static INSTANCE_TYPE: Section = Section {
    name: "InstanceType",
    doc: "A shape. With `vcpu` and `memory` it stands for itself and the catalogue is not asked; \
          otherwise what is given replaces the catalogue's values.",
    keys: &[
        key(
            "arch",
            Choice(&[("amd64", "x86"), ("arm64", "ARM")]),
            "As in the node label.",
        )
        .or("(amd64)"),
        key("vcpu", Int(1, 10_000), "vCPUs."),
        key("memory", Bytes, "Memory of the instance."),
        key("allocatableCpu", Cpu, "CPU that pods may request.").or("(by EKS' formula)"),
        key("allocatableMemory", Bytes, "Memory that pods may request.").or("(by EKS' formula)"),
        key("maxPods", Int(1, 10_000), "Pods by number.").or("(110)"),
        key("gpus", Int(0, 1000), "GPUs.").or("(0)"),
        key(
            "onDemandPrice",
            USD,
            "Dollars an hour; required for a type of your own.",
        ),
        key("spotPrice", USD, "Dollars an hour.").or("(unknown)"),
        key(
            "interruptionBand",
            Int(0, 4),
            "Spot Advisor's band, 0 (below 5 %) to 4 (above 20 %).",
        )
        .or("(unknown)"),
    ],
};

static ASSUMPTIONS: Section = Section {
    name: "Assumptions",
    doc: "What no configuration file says.",
    keys: &[
        key(
            "nodeBoot",
            Kind::Section(&NODE_BOOT),
            "Instance requested to kubelet ready.",
        ),
        key(
            "imagePullBytesPerSecond",
            Bytes,
            "Registry to node, bytes a second.",
        )
        .or("92000000"),
        key(
            "containerStart",
            Duration,
            "Image there to the process running.",
        )
        .or("1s"),
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
        key(
            "spot",
            Kind::Section(&SPOT),
            "How spot capacity is taken back.",
        ),
        key(
            "spotNotice",
            Duration,
            "Notice before a spot node is taken.",
        )
        .or("2m0s"),
        key("spotDrain", Bool, "Nodes under notice are drained at once.").or("true"),
        key("terminationGrace", Duration, "Grace period of Spark pods.").or("30s"),
        key(
            "unschedulableTimeout",
            Duration,
            "A driver pending for longer ends its attempt.",
        )
        .or("1h0m0s"),
        key(
            "runTimeout",
            Duration,
            "Timeout of an attempt where the trace has none.",
        )
        .or("24h0m0s"),
        key(
            "taskDurationCv",
            Float(0.0, 10.0),
            "Spread of task durations where only their sum is \
            recorded.",
        )
        .or("0.6"),
        key(
            "meanTaskDuration",
            Duration,
            "Where the trace has no number of tasks.",
        )
        .or("10s"),
        key(
            "schedulerPodsPerSecond",
            Int(1, 100_000),
            "Pods a second that the scheduler binds.",
        )
        .or("100"),
    ],
};

const DISTRIBUTION: Key = key(
    "distribution",
    Choice(&[("lognormal", "by its quantiles")]),
    "Shape.",
)
.or("lognormal");
const P50: Key = key("p50", Duration, "Median.");
const P99: Key = key("p99", Duration, "99th percentile, not below the median.");

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
                    "each instance type and zone goes tight now and then and takes several \
              nodes at once",
                ),
                ("none", "never"),
            ]),
            "The model.",
        )
        .or("pool-shocks"),
        key(
            "meanHoursBetween",
            Float(0.01, 1e6),
            "Hours between two shocks of a pool, on average, \
            at interruption band 2.",
        )
        .or("24"),
        key(
            "shareTaken",
            Float(0.0, 1.0),
            "Share of the pool's nodes that one shock takes.",
        )
        .or("0.25"),
    ],
};
