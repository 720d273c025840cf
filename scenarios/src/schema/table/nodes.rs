//! Node pools, shapes and prices.

use crate::schema::Kind::{Bool, Bytes, Choice, Cpu, Float, Int, List, Map, Path, Text};
use crate::schema::{Kind, Section, key, table::MANY, table::USD};

pub(crate) static NODES: Section = Section {
    name: "Nodes",
    doc: "Node pools: those of an eksctl file, then those listed here.",
    keys: &[
        key("eksctl", Path, "eksctl `ClusterConfig`, as it is."),
        key("pools", List(&Kind::Section(&POOL)), "Pools in place."),
        key(
            "list",
            Path,
            "CSV of the nodes of a recorded cluster: `sn` (or `name`), `cpu_milli`, `memory_mib`, \
             `gpu`, `model`. Each shape becomes a pool of a fixed size, without a price.",
        ),
        key(
            "overrides",
            Map(&Kind::Section(&POOL)),
            "Changes to pools by name; lists and maps \
            replace.",
        ),
        key("zones", List(&Text), "Zones of pools that name none.").or("(the region's a, b, c)"),
        key("daemonsets", Kind::Section(&DAEMONSETS), "What DaemonSet pods request on every node."),
        key(
            "vmMemoryOverheadPercent",
            Float(0.0, 0.5),
            "Share of an instance's memory that never \
            reaches the node; Karpenter's setting of this name.",
        )
        .or("0.075"),
    ],
};

static POOL: Section = Section {
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
        key(
            "allocationStrategy",
            Choice(&[
                ("prioritized", "the first instance type, where some zone has it"),
                ("lowest-price", "the cheapest one of the zone whose turn it is"),
                ("capacity-optimized", "the one with the deepest capacity in it"),
                ("capacity-optimized-prioritized", "the first one of those about as deep"),
                ("price-capacity-optimized", "the cheapest one of those about as deep"),
            ]),
            "Which instance type a launch takes, if the cloud has it.",
        )
        .or("prioritized"),
        key("zones", List(&Text), "Zones, taken in turn.").or("(nodes.zones)"),
        key("labels", Map(&Text), "Node labels, besides the provider's own."),
        key("taints", List(&Kind::Section(&TAINT)), "Node taints."),
        key("volumeSize", Bytes, "Root volume.").or("(80Gi, as eksctl)"),
        key(
            "scaleDownDisabled",
            Bool,
            "Its nodes carry the annotation \
            `cluster-autoscaler.kubernetes.io/scale-down-disabled: \"true\"`.",
        )
        .or("false"),
        key(
            "maxPods",
            Int(1, 10_000),
            "Kubelet `maxPods`, as eksctl's `maxPodsPerNode`; above the type's own only with \
             prefix delegation.",
        )
        .or("(the type's)"),
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
        key("arch", Choice(&[("amd64", "x86"), ("arm64", "ARM")]), "As in the node label.")
            .or("(amd64)"),
        key("vcpu", Int(1, 10_000), "vCPUs."),
        key("memory", Bytes, "Memory of the instance."),
        key("allocatableCpu", Cpu, "CPU that pods may request.").or("(by EKS' formula)"),
        key("allocatableMemory", Bytes, "Memory that pods may request.").or("(by EKS' formula)"),
        key("maxPods", Int(1, 10_000), "Pods by number.").or("(110)"),
        key("gpus", Int(0, 1000), "GPUs.").or("(0)"),
        key("onDemandPrice", USD, "Dollars an hour; required for a type of your own."),
        key("spotPrice", USD, "Dollars an hour.").or("(unknown)"),
        key("interruptionBand", Int(0, 4), "Spot Advisor's band, 0 (below 5 %) to 4 (above 20 %).")
            .or("(unknown)"),
    ],
};
