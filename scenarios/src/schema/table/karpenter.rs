//! Karpenter.

use crate::schema::Kind::{
    Any, Bool, Choice, Duration, Float, Int, List, Map, OneOrMore, PathOrMap, Text,
};
use crate::schema::{Kind, Section, key};

pub(super) static KARPENTER: Section = Section {
    name: "Karpenter",
    doc: "Karpenter with its NodePools. Pools of `spec.nodes` may stand beside them: they stay at \
          their desired size.",
    keys: &[
        key(
            "manifests",
            OneOrMore(&PathOrMap),
            "NodePools and EC2NodeClasses (v1) as they are: files with one or more documents, or \
            objects in place. A single file needs no list.",
        )
        .required(),
        key("settings", Kind::Section(&SETTINGS), "Settings of its Helm chart, by their names.")
            .or("(upstream's)"),
        key("zones", List(&Text), "Zones of its subnets.").or("(spec.nodes.zones)"),
        key(
            "instanceTypes",
            List(&Text),
            "Types that there are to choose from. Each NodePool takes of them what its \
            requirements allow.",
        )
        .or("(all of the catalogue that have a price in the region)"),
        key(
            "nodePools",
            Map(&Kind::Section(&NODE_POOL)),
            "Changes to the manifests' NodePools, by name.",
        ),
    ],
};

static SETTINGS: Section = Section {
    name: "KarpenterSettings",
    doc: "Settings of Karpenter's Helm chart.",
    keys: &[
        key("batchIdleDuration", Duration, "A batch ends when no pod came for so long.").or("1s"),
        key("batchMaxDuration", Duration, "A batch ends after so long at the latest.").or("10s"),
        key(
            "vmMemoryOverheadPercent",
            Float(0.0, 0.5),
            "Share of memory that Karpenter takes off a type before it has seen a node of it. What \
            nodes really have is `spec.nodes.vmMemoryOverheadPercent`.",
        )
        .or("0.075"),
        key(
            "preferencePolicy",
            Choice(&[
                ("Respect", "preferences of pods are met where they can be"),
                ("Ignore", "they are not looked at"),
            ]),
            "What becomes of preferences.",
        )
        .or("Respect"),
        key(
            "minValuesPolicy",
            Choice(&[
                ("Strict", "no launch without them"),
                ("BestEffort", "they are given up where they cannot be met"),
            ]),
            "What becomes of `minValues`.",
        )
        .or("Strict"),
        key("featureGates", Kind::Section(&FEATURE_GATES), "Feature gates."),
    ],
};

static FEATURE_GATES: Section = Section {
    name: "KarpenterFeatureGates",
    doc: "Feature gates that the model follows.",
    keys: &[key("spotToSpotConsolidation", Bool, "Spot nodes are replaced by cheaper spot nodes.")
        .or("false")],
};

static NODE_POOL: Section = Section {
    name: "NodePoolChanges",
    doc: "What of a NodePool is not as its manifest says: a knob of plans, an overlay, a --set.",
    keys: &[
        key("consolidateAfter", Text, "As in the manifest: `30s`, `Never`."),
        key(
            "consolidationPolicy",
            Choice(&[
                ("WhenEmpty", "empty nodes"),
                ("WhenEmptyOrUnderutilized", "nodes whose pods fit elsewhere, too"),
                ("Balanced", "where the saving is worth the disruption"),
            ]),
            "Which nodes consolidation looks at.",
        ),
        key("budgets", List(&Any), "Instead of the manifest's, as there: `[{nodes: 10%}]`."),
        key(
            "requirements",
            Map(&Any),
            "By key, instead of the manifest's of that key: values \
            (`karpenter.k8s.aws/instance-family: [c6i, m6i]`), or operator, values and minValues \
            (`{operator: Gt, values: [4]}`).",
        ),
        key("limits", Map(&Any), "By resource."),
        key("weight", Int(1, 100), "Weight."),
        key("expireAfter", Text, "As in the manifest: `720h`, `Never`."),
        key("terminationGracePeriod", Text, "As in the manifest."),
        key("labels", Map(&Text), "By key, on top of the template's."),
        key("taints", List(&Any), "Instead of the template's."),
        key(
            "driftAt",
            List(&Duration),
            "When its nodes are rolled over (a new image, say), from the start on: those launched \
            before have drifted then.",
        )
        .or("(never)"),
        key("startupTaints", List(&Any), "Instead of the template's."),
    ],
};
