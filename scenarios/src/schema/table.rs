//! The table itself, outermost section first.

mod assumptions;
mod billing;
mod karpenter;
mod nodes;
mod policies;

use crate::schema::Kind::{
    Any, Bool, Bytes, Choice, Cpu, Duration, Float, Int, List, Map, Path, PathOrMap, Text,
};
use crate::schema::{Kind, Section, key};

use assumptions::ASSUMPTIONS;
use billing::{BILLING, FEES};
use nodes::{INSTANCE_TYPE, NODES, PRICE};
pub(crate) use policies::{ADJUSTMENTS, FAILURES};
use policies::{AUTOSCALER, RETRIES, SCHEDULER};

/// More nodes, pods or attempts than this are no scenario but a slip.
const MANY: i64 = 1_000_000;
/// Dollars an hour that `sim::units::HourlyPrice` can hold.
const USD: Kind = Float(0.0, 1e6);

pub(crate) static ROOT: Section = Section {
    name: "Scenario",
    doc: "One platform under trial. Unknown keys are errors; paths are relative to the file that \
          names them.",
    keys: &[
        key("apiVersion", Choice(&[("seatrial/v1alpha1", "this format")]), "Format version.")
            .required(),
        key("kind", Choice(&[("Scenario", "a scenario")]), "What the file is.").required(),
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
        key(
            "expectedEffect",
            Text,
            "What `plan`, `sizing` or `upgrade` found that these settings do; `emit` writes it into \
            its files.",
        ),
        key(
            "expectedOf",
            Text,
            "Hash of the settings that `expectedEffect` is about: of others nothing is expected.",
        ),
    ],
};

static SPEC: Section = Section {
    name: "Spec",
    doc: "The platform: the live system's own files, and what none of them says.",
    keys: &[
        key(
            "kubernetesVersion",
            Text,
            "Release of the cluster, 1.20 to 1.36; where it \
            is not said, the eksctl file's counts. Picks the era of \
            scheduler and autoscaler behaviour. Quote it: unquoted, 1.30 is 1.3.",
        )
        .or("1.36"),
        key("region", Text, "Cloud region, for prices and zones.").or("(the eksctl file's)"),
        key("workload", Kind::Section(&WORKLOAD), "What is submitted, and when."),
        key("spark", Kind::Section(&SPARK), "Spark's configuration."),
        key("nodes", Kind::Section(&NODES), "Node pools."),
        key("autoscaler", Kind::Section(&AUTOSCALER), "What adds and removes nodes.")
            .or("(none: pools stay at their desired size)"),
        key("scheduler", Kind::Section(&SCHEDULER), "How pods are placed.")
            .or("(the release's default profile)"),
        key("orchestrator", Kind::Section(&ORCHESTRATOR), "When runs are submitted and due."),
        key("retries", Kind::Section(&RETRIES), "What happens after a failed attempt."),
        key("images", Kind::Section(&IMAGES), "Container images."),
        key(
            "overprovisioning",
            Kind::Section(&OVERPROVISIONING),
            "Pause pods that keep warm room.",
        )
        .or("(none)"),
        key("fees", Kind::Section(&FEES), "What is billed besides instances."),
        key(
            "billing",
            Kind::Section(&BILLING),
            "What is agreed about the bill, and how reports split it.",
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
        key("plan", Any, "What `seatrial plan` may change, and what is wanted: see docs/plan.md."),
    ],
};

static WORKLOAD: Section = Section {
    name: "Workload",
    doc: "What is submitted, and when.",
    keys: &[
        key("traces", List(&Kind::Section(&TRACE)), "Recorded or synthetic traces."),
        key("scale", Kind::Section(&SCALE), "Growth."),
        key("resample", Kind::Section(&RESAMPLE), "Draw a longer day from few recorded runs."),
        key("timezone", Text, "IANA name of the zone that times without one are in.").or("UTC"),
    ],
};

static ORCHESTRATOR: Section = Section {
    name: "Orchestrator",
    doc: "What the orchestrator that submits runs knows of the business.",
    keys: &[
        key(
            "dependencies",
            Choice(&[
                ("wait", "a run waits for those it depends on"),
                ("ignore", "runs are submitted when they were recorded to be"),
            ]),
            "Runs with `depends_on` in their trace.",
        )
        .or("wait"),
        key("rules", List(&Kind::Section(&RUN_RULE)), "What holds for runs; later rules win."),
        key("limits", List(&Kind::Section(&OWNER_LIMIT)), "Runs of a team at one time."),
    ],
};

static RUN_RULE: Section = Section {
    name: "RunRule",
    doc: "What holds for the runs that it matches, on top of what was recorded.",
    keys: &[
        key("application", Text, "Regular expression over application names.").or("(all)"),
        key("team", Text, "Regular expression over team names.").or("(all)"),
        key("critical", Bool, "They are critical, or not.").or("(as recorded)"),
        key("timeout", Duration, "An attempt that takes longer is killed.").or("(as recorded)"),
        key("deadline", Duration, "So long after it was due a run should have succeeded.")
            .or("(as recorded)"),
    ],
};

static OWNER_LIMIT: Section = Section {
    name: "OwnerLimit",
    doc: "A limit that every team which matches has for itself.",
    keys: &[
        key("team", Text, "Regular expression over team names.").required(),
        key(
            "concurrentRuns",
            Int(1, MANY),
            "Runs that are submitted and have not ended; further ones wait, critical ones first.",
        )
        .required(),
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
    keys: &[
        key(
            "arrivals",
            Float(0.001, 1000.0),
            "Submissions, as a multiple of the recorded \
            ones.",
        )
        .or("1"),
        key(
            "input",
            Float(0.01, 100.0),
            "Input of every run, as a multiple of the recorded one: more tasks that read it, \
            longer tasks behind a shuffle.",
        )
        .or("1"),
        key(
            "shufflePartitions",
            Int(1, 100_000),
            "`spark.sql.shuffle.partitions`, for recorded stages that follow it; default: as \
            recorded.",
        ),
        key(
            "cpuSpeed",
            Float(0.05, 20.0),
            "Speed of a processor, as a multiple of the recorded one's: the ratio of two coremark \
            figures. It counts for the CPU part of tasks.",
        )
        .or("1"),
    ],
};

static RESAMPLE: Section = Section {
    name: "Resample",
    doc: "Draws runs, with replacement, from the recorded ones.",
    keys: &[
        key("runsPerDay", Int(1, 10_000_000), "Submissions a day.").required(),
        key("days", Float(0.001, 366.0), "How long.").or("1"),
    ],
};

static OVERRIDABLE: [(&str, &str); 5] = [
    ("spark.executor.cores", "slots of executors"),
    ("spark.executor.memory", "and its overhead"),
    ("spark.executor.instances", "and `spark.dynamicAllocation.enabled` with its limits"),
    ("spark.driver.cores", "cores of drivers"),
    ("spark.driver.memory", "heap of drivers"),
];

static SPARK: Section = Section {
    name: "Spark",
    doc: "Spark's configuration where a run does not say otherwise.",
    keys: &[
        key("version", Text, "Release, 3.0 to 4.3; picks the defaults that changed.").or("3.5"),
        key("defaults", Path, "`spark-defaults.conf`, as it is."),
        key("sparkConf", Map(&Text), "`spark.*` settings, on top of the file."),
        key(
            "overrideRuns",
            List(&Choice(&OVERRIDABLE)),
            "Settings that hold for recorded runs too, instead of what each was recorded with.",
        )
        .or("[]"),
        key(
            "applications",
            List(&Kind::Section(&APPLICATION)),
            "Settings of classes of runs, instead of what they were recorded with; later ones win.",
        )
        .or("[]"),
        key("driverPodTemplate", PathOrMap, "Pod template of drivers, as it is."),
        key("executorPodTemplate", PathOrMap, "Pod template of executors, as it is."),
    ],
};

static APPLICATION: Section = Section {
    name: "ApplicationSettings",
    doc: "What the runs that it matches are submitted with.",
    keys: &[
        key("application", Text, "Regular expression over application names.").or("(all)"),
        key("team", Text, "Regular expression over team names.").or("(all)"),
        key(
            "sparkConf",
            Map(&Text),
            "`spark.executor.cores`, `.memory`, `.memoryOverhead`, `.instances`, \
            `spark.dynamicAllocation.enabled`, `.minExecutors`, `.maxExecutors`, \
            `spark.driver.cores`, `.memory`.",
        )
        .required(),
    ],
};

static IMAGES: Section = Section {
    name: "Images",
    doc: "Container images.",
    keys: &[
        key("size", Bytes, "Compressed size of Spark images that are not in the list.").or("3Gi"),
        key("prePulled", Bool, "A pre-puller DaemonSet pulls those as soon as a node joins.")
            .or("false"),
        key(
            "list",
            List(&Kind::Section(&IMAGE)),
            "Images by name. Containers name them in pod templates, in \
            `spark.kubernetes.container.image`, `.driver.container.image` and \
            `.executor.container.image`.",
        ),
        key("serializeImagePulls", Bool, "Kubelet: one pull at a time.").or("(true)"),
        key("maxParallelImagePulls", Int(1, 1000), "Kubelet: so many pulls at a time.").or("1"),
        key(
            "registryBytesPerSecond",
            Bytes,
            "What the registry gives to all nodes together, in equal parts.",
        )
        .or("(no limit)"),
        key("imageGCHighThresholdPercent", Int(0, 100), "Kubelet: a disk this full is collected.")
            .or("85"),
        key("imageGCLowThresholdPercent", Int(0, 100), "Kubelet: until it is this full.").or("80"),
        key("imageMinimumGCAge", Kind::Duration, "Kubelet: younger images stay.").or("2m0s"),
    ],
};

static IMAGE: Section = Section {
    name: "Image",
    doc: "An image. It has either a `size` or `layers`.",
    keys: &[
        key("name", Text, "As containers name it; without a tag it is `:latest`.").required(),
        key("size", Bytes, "Compressed size, of one layer that no other image shares."),
        key("layers", List(&Kind::Section(&LAYER)), "Its layers."),
        key("prePulled", Bool, "A pre-puller DaemonSet pulls it as soon as a node joins.")
            .or("(images.prePulled)"),
    ],
};

static LAYER: Section = Section {
    name: "Layer",
    doc: "A layer. Layers of the same name are the same one, in whichever image.",
    keys: &[
        key("name", Text, "A digest, or any word.").required(),
        key("size", Bytes, "Compressed size.").required(),
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
        key("podTemplate", PathOrMap, "Where they may run, as a pod template."),
    ],
};

static PAUSE_POD: Section = Section {
    name: "PausePod",
    doc: "What a pause pod requests.",
    keys: &[key("cpu", Cpu, "CPU.").required(), key("memory", Bytes, "Memory.").required()],
};
