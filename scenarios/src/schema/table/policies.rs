//! Autoscaler, scheduler and retries.

use crate::schema::Kind::{Any, Bool, Bytes, Choice, Duration, Float, Int, List, Map, Path, Text};
use crate::schema::{Key, Kind, Section, key, table::MANY};

use super::karpenter::KARPENTER;

pub(crate) static AUTOSCALER: Section = Section {
    name: "Autoscaler",
    doc: "What adds and removes nodes: one of these.",
    keys: &[
        key(
            "clusterAutoscaler",
            Kind::Section(&CLUSTER_AUTOSCALER),
            "Cluster Autoscaler. `{}` = \
            its release's defaults.",
        ),
        key("karpenter", Kind::Section(&KARPENTER), "Karpenter. See docs/karpenter.md."),
    ],
};

static CLUSTER_AUTOSCALER: Section = Section {
    name: "ClusterAutoscaler",
    doc: "Its flags: the file's, then `extraArgs` on top.",
    keys: &[
        key("manifest", Path, "A Deployment with the flags in its command or args."),
        key("values", Path, "The Helm chart's values, with `extraArgs`."),
        key("extraArgs", Map(&Any), "Flags by name, as in the Helm chart."),
        key(
            "priorities",
            Map(&List(&Text)),
            "Table of the `priority` expander: priority to patterns of pool names, \
            `10: [.*spot.*]`. The highest priority that matches wins.",
        ),
    ],
};

pub(crate) static SCHEDULER: Section = Section {
    name: "Scheduler",
    doc: "One of these.",
    keys: &[
        key("config", Path, "`KubeSchedulerConfiguration`, as it is."),
        key("policy", Path, "The legacy Policy (JSON or YAML), as it is; up to Kubernetes 1.22."),
        key("profile", Kind::Section(&PROFILE), "A profile in place."),
    ],
};

static PROFILE: Section = Section {
    name: "Profile",
    doc: "One profile of a `KubeSchedulerConfiguration`, with its plugins' arguments. Filters are \
          on, but for `filtersDisabled`.",
    keys: &[
        key("schedulerName", Text, "Name.").or("(the name that executors ask for)"),
        key("scores", List(&Kind::Section(&SCORE)), "Plugins; each at most once.").required(),
        key("filtersDisabled", List(&FILTERS), "Filter plugins that are off.").or("(none)"),
        key(
            "ignoredResources",
            List(&Text),
            "Of `NodeResourcesFit`: extended resources that its filter does not check.",
        )
        .or("(none)"),
        key(
            "ignoredResourceGroups",
            List(&Text),
            "The same by the part of their names before the `/`.",
        )
        .or("(none)"),
        key(
            "hardPodAffinityWeight",
            Int(0, 100),
            "Of `InterPodAffinity`: what required affinity of pods on a node weighs in scores.",
        )
        .or("1"),
        key(
            "ignorePreferredTermsOfExistingPods",
            Bool,
            "Of `InterPodAffinity`: only the new pod's own preferences count.",
        )
        .or("false"),
        key(
            "addedAffinity",
            Any,
            "Of `NodeAffinity`: node affinity, as a pod has it, that holds for every pod.",
        )
        .or("(none)"),
        key(
            "defaultConstraints",
            List(&Any),
            "Of `PodTopologySpread`: constraints of pods that have none, as a pod has them. Without \
             this key the release's own.",
        )
        .or("(the release's)"),
        key(
            "percentageOfNodesToScore",
            Int(0, 100),
            "Share of the nodes that are enough to choose from; 0 = upstream's adaptive share.",
        )
        .or("0"),
        key("podInitialBackoff", Duration, "Wait after a pod's first failed attempt.").or("1s"),
        key("podMaxBackoff", Duration, "Longest wait after a failed attempt.").or("10s"),
    ],
};

static FILTERS: Kind = Choice(&[
    ("NodeUnschedulable", "cordoned nodes"),
    ("NodeName", "`nodeName`"),
    ("TaintToleration", "taints"),
    ("NodeAffinity", "node affinity and selectors"),
    ("NodePorts", "host ports"),
    ("NodeResourcesFit", "free resources"),
    ("PodTopologySpread", "required spread"),
    ("InterPodAffinity", "required pod affinity"),
]);

static SCORE: Section = Section {
    name: "Score",
    doc: "A score plugin.",
    keys: &[
        key(
            "plugin",
            Choice(&[
                ("NodeResourcesFit", "by free resources, as `strategy` says"),
                ("NodeResourcesBalancedAllocation", "resources used alike"),
                ("ImageLocality", "the image is there"),
                ("NodeAffinity", "preferred node affinity"),
                ("TaintToleration", "`PreferNoSchedule` taints"),
                ("InterPodAffinity", "preferred pod affinity"),
                ("PodTopologySpread", "preferred spread"),
            ]),
            "Upstream's name.",
        )
        .required(),
        key("weight", Int(1, 2_147_483_647), "Weight.").or("(1)"),
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
        key("memory", Int(1, 100), "Of `NodeResourcesFit`: weight of memory.").or("(1)"),
        key(
            "resources",
            List(&Kind::Section(&WEIGHED)),
            "Of `NodeResourcesFit`, instead of `cpu` and `memory`, and of \
             `NodeResourcesBalancedAllocation`: the resources that count.",
        )
        .or("(CPU and memory)"),
        key("shape", List(&Kind::Section(&SHAPE_POINT)), "Of `RequestedToCapacityRatio`."),
    ],
};

static WEIGHED: Section = Section {
    name: "WeighedResource",
    doc: "A resource in a score.",
    keys: &[
        key("name", Text, "Its full name, such as `cpu` or `nvidia.com/gpu`.").required(),
        key("weight", Int(1, 100), "Weight; 1 in `NodeResourcesBalancedAllocation`.").or("(1)"),
    ],
};

static SHAPE_POINT: Section = Section {
    name: "ShapePoint",
    doc: "A point of the line from utilisation to score.",
    keys: &[
        key("utilization", Int(0, 100), "Percent; ascending over the points.").required(),
        key("score", Int(0, 10), "Score there.").required(),
    ],
};

pub(crate) static RETRIES: Section = Section {
    name: "Retries",
    doc: "What is tried after a failed attempt.",
    keys: &[
        key("preset", Choice(crate::retries::PRESETS), "A ladder by name.").or("(none)"),
        key(
            "ladder",
            List(&Kind::Section(&RUNG)),
            "Rungs; the first one that holds the failure \
            decides. A failure that none holds is final.",
        ),
        key("name", Text, "Name of the ladder in reports.").or("(custom)"),
        key(
            "history",
            List(&Kind::Section(&HISTORY_RULE)),
            "What an application's recent failures change in its further submissions.",
        )
        .or("(the preset's; else none)"),
        key(
            "onDemandWhenRough",
            Kind::Section(&SPOT_ROUGH),
            "New runs' executors go to on-demand nodes while many runs on spot are retries.",
        )
        .or("(the preset's; else never)"),
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
    (
        "preempted",
        "a pod of higher priority took the driver's room; without a rung of its own, as `spot`",
    ),
    ("drained", "the autoscaler removed the driver's node; without a rung of its own, as `spot`"),
    ("driver_lost", "the driver or its node went otherwise; without a rung of its own, as `spot`"),
    ("image_pull", "an image could not be pulled; without a rung of its own, as `transient`"),
]);

static HISTORY_RULE: Section = Section {
    name: "HistoryRule",
    doc: "State that a ladder keeps between the runs of an application.",
    keys: &[
        key("when", List(&FAILURES), "Attempts of the application that failed so count.")
            .required(),
        key("within", Duration, "How far back from a submission.").required(),
        key("sameRun", Bool, "Attempts of the same run count too.").or("false"),
        key("compounding", Bool, "Once for each attempt that counts, instead of once.").or("false"),
        key("adjust", List(&Kind::Section(&ADJUSTMENT)), "What changes in the submission.")
            .required(),
    ],
};

static SPOT_ROUGH: Section = Section {
    name: "SpotRough",
    doc: "When spot counts as rough.",
    keys: &[
        key("retryShare", Float(0.0, 100.0), "Second and further attempts over first ones.")
            .required(),
        key("within", Duration, "How far back.").required(),
    ],
};

static STEP: Section = Section {
    name: "Step",
    doc: "What the attempt after a failed one is, instead of what came before.",
    keys: &[
        key("adjust", List(&Kind::Section(&ADJUSTMENT)), "Over what the run asks for.").required()
    ],
};

static RUNG: Section = Section {
    name: "Rung",
    doc: "An answer to some failures.",
    keys: &[
        key("when", List(&FAILURES), "The failures it answers.").required(),
        key(
            "adjust",
            List(&Kind::Section(&ADJUSTMENT)),
            "What changes in the next attempt, on top of what earlier ones changed.",
        ),
        key(
            "steps",
            List(&Kind::Section(&STEP)),
            "What the attempt after the first, second, .. failed one is; the last one stays.",
        )
        .or("[]"),
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
        key("backoffStep", Duration, ".. and so much longer.").or("(0s)"),
        key("backoffMax", Duration, "Longest wait.").or("(no limit)"),
    ],
};

pub(crate) const ADJUSTMENTS: [&str; 5] =
    ["executorMemory", "driverMemory", "executorCount", "onDemand", "taskCpus"];

static ADJUSTMENT: Section = Section {
    name: "Adjustment",
    doc: "One change to the next attempt: one of these.",
    keys: &[
        key(ADJUSTMENTS[0], Kind::Section(&MORE_MEMORY), "Executors with more memory."),
        key(ADJUSTMENTS[1], Kind::Section(&MORE_MEMORY), "A driver with more memory."),
        key(ADJUSTMENTS[2], Kind::Section(&MORE_EXECUTORS), "More executors."),
        key(ADJUSTMENTS[3], Bool, "Executors go to on-demand nodes."),
        key(ADJUSTMENTS[4], Int(2, 64), "`spark.task.cpus` times this: fewer tasks at a time."),
    ],
};

const FACTOR: Key = key("factor", Float(1.0, 100.0), "Multiplier.").required();

static MORE_MEMORY: Section = Section {
    name: "MoreMemory",
    doc: "Memory times a factor.",
    keys: &[FACTOR, key("max", Bytes, "Limit of the whole container.").required()],
};

static MORE_EXECUTORS: Section = Section {
    name: "MoreExecutors",
    doc: "Executors times a factor.",
    keys: &[FACTOR, key("max", Int(1, MANY), "Most executors.").required()],
};
