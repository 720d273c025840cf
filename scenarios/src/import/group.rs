//! Nodes of a running cluster to node groups: by the label that says so, else by instance type.
//!
//! Left out: nodes of the control plane and of Fargate (the caller's), the sizes that a group may
//! have (no node says them), taints that come and go with a node's state.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::one_line;
use super::recognise::{deep, items, text_of};

/// Labels that name a node's group, the most telling one first.
const GROUP_LABELS: [&str; 6] = [
    "eks.amazonaws.com/nodegroup",
    "alpha.eksctl.io/nodegroup-name",
    "karpenter.sh/nodepool",
    "kops.k8s.io/instancegroup",
    "cloud.google.com/gke-nodepool",
    "agentpool",
];

/// Labels of an instance type, today's and the older one.
const TYPE_LABELS: [&str; 2] =
    ["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"];
const ZONE_LABELS: [&str; 2] =
    ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];
const REGION_LABELS: [&str; 2] =
    ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"];

/// Labels that belong to a node, not to its group.
const OF_A_NODE: [&str; 10] = [
    "alpha.eksctl.io/instance-id",
    "beta.kubernetes.io/instance-type",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/hostname",
    "node.kubernetes.io/instance-type",
    "topology.ebs.csi.aws.com/zone",
    "topology.k8s.aws/zone-id",
    "topology.kubernetes.io/zone",
    "topology.k8s.aws/network-node-layer-1",
    "topology.k8s.aws/network-node-layer-2",
];

/// Taints that come and go with a node's state.
const OF_A_STATE: [&str; 6] = [
    "DeletionCandidateOfClusterAutoscaler",
    "ToBeDeletedByClusterAutoscaler",
    "ToBeDeletedTaint",
    "karpenter.sh/disrupt",
    "node.cloudprovider.kubernetes.io/",
    "node.kubernetes.io/",
];

/// A node as a dump has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeSeen {
    labels: BTreeMap<String, String>,
    taints: Vec<Value>,
    pub(super) kubelet: String,
    pub(super) shape: Shape,
}

/// What the kubelet says of its node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(super) arch: String,
    pub(super) cpu: String,
    pub(super) memory: String,
    pub(super) allocatable_cpu: String,
    pub(super) allocatable_memory: String,
    pub(super) pods: Option<u32>,
}

/// Nodes that come and go together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    /// The label that named it, or how it was told.
    pub(super) by: String,
    pub(crate) spot: bool,
    /// Instance types with their nodes, most nodes first.
    pub(crate) types: Vec<(String, usize)>,
    pub(crate) zones: Vec<String>,
    pub(super) count: usize,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) taints: Vec<Value>,
}

impl NodeSeen {
    pub(crate) fn read(node: &Value) -> Self {
        let labels = node.get("metadata").and_then(|metadata| metadata.get("labels"));
        let labels = labels.and_then(Value::as_object).into_iter().flatten();
        let labels = labels.filter_map(|(key, text)| Some((key.clone(), text.as_str()?.into())));
        let of_state = |taint: &&Value| {
            let key = text_of(taint, "key");
            !OF_A_STATE.iter().any(|prefix| key.starts_with(prefix))
        };
        let taint = |taint: &Value| {
            let [key, value, effect] = ["key", "value", "effect"].map(|key| text_of(taint, key));
            json!({ "key": key, "value": value, "effect": effect })
        };
        let taints = items(node, &["spec", "taints"]).iter().filter(of_state).map(taint);
        let amount = |of: &str, key: &str| deep(node, &["status", of, key]).to_owned();
        let info = |key: &str| deep(node, &["status", "nodeInfo", key]).to_owned();
        Self {
            labels: labels.collect(),
            taints: taints.collect(),
            kubelet: info("kubeletVersion"),
            shape: Shape {
                arch: info("architecture"),
                cpu: amount("capacity", "cpu"),
                memory: amount("capacity", "memory"),
                allocatable_cpu: amount("allocatable", "cpu"),
                allocatable_memory: amount("allocatable", "memory"),
                pods: amount("allocatable", "pods").parse().ok(),
            },
        }
    }

    fn label(&self, keys: &[&'static str]) -> Option<(&'static str, &str)> {
        keys.iter().find_map(|key| Some((*key, self.labels.get(*key)?.as_str())))
    }

    /// Why it is no node for pods of a group: it belongs to the control plane, or to Fargate.
    pub(crate) fn is_no_node(&self) -> Option<&'static str> {
        let has = |key: &str| self.labels.contains_key(key);
        let fargate = self.labels.get("eks.amazonaws.com/compute-type");
        if fargate.is_some_and(|kind| kind == "fargate") {
            Some("nodes of Fargate are not modelled")
        } else if has("node-role.kubernetes.io/control-plane")
            || has("node-role.kubernetes.io/master")
        {
            Some("nodes of the control plane run no Spark pods")
        } else {
            None
        }
    }

    pub(super) fn region(&self) -> Option<String> {
        Some(self.label(&REGION_LABELS)?.1.to_owned())
    }

    /// The instance type; a made-up name by its size where no label says it.
    pub(super) fn instance_type(&self) -> String {
        match self.label(&TYPE_LABELS) {
            Some((_, name)) => one_line(name, 60),
            None => one_line(&format!("node-{}cpu-{}", self.shape.cpu, self.shape.memory), 60),
        }
    }

    fn spot(&self) -> bool {
        let is = |key: &str, word: &str| {
            self.labels.get(key).is_some_and(|value| value.eq_ignore_ascii_case(word))
        };
        is("eks.amazonaws.com/capacityType", "spot")
            || is("karpenter.sh/capacity-type", "spot")
            || is("node.kubernetes.io/lifecycle", "spot")
            || is("node-lifecycle", "spot")
            || is("lifecycle", "Ec2Spot")
            || is("cloud.google.com/gke-spot", "true")
            || is("kubernetes.azure.com/scalesetpriority", "spot")
    }

    /// What the group is called, and by what label.
    fn group(&self) -> (String, String) {
        match self.label(&GROUP_LABELS) {
            Some((key, name)) => (one_line(name, 100), format!("label {key}")),
            None => {
                let capacity = if self.spot() { "-spot" } else { "" };
                (format!("{}{capacity}", self.instance_type()), "instance type".to_owned())
            }
        }
    }
}

/// The groups of `nodes` by name. A group of spot and on-demand nodes, or of two processors, is
/// as many pools.
pub(crate) fn groups<'n>(nodes: impl Iterator<Item = &'n NodeSeen>) -> BTreeMap<String, Group> {
    let mut parts: BTreeMap<String, BTreeMap<(bool, String), Vec<&NodeSeen>>> = BTreeMap::new();
    for node in nodes {
        let own = parts.entry(node.group().0).or_default();
        own.entry((node.spot(), node.shape.arch.clone())).or_default().push(node);
    }
    let mut groups = BTreeMap::new();
    for (name, parts) in parts {
        let capacities = parts.keys().any(|(spot, _)| *spot) && !parts.keys().all(|(s, _)| *s);
        let first_arch = parts.keys().next().map(|(_, arch)| arch.clone()).unwrap_or_default();
        let arches = parts.keys().any(|(_, arch)| *arch != first_arch);
        for ((spot, arch), nodes) in parts {
            let mut own = name.clone();
            if capacities {
                own.push_str(if spot { "-spot" } else { "-on-demand" });
            }
            if arches {
                own = format!("{own}-{}", one_line(&arch, 20));
            }
            groups.insert(own, group(&nodes, spot));
        }
    }
    groups
}

fn group(nodes: &[&NodeSeen], spot: bool) -> Group {
    let mut types: BTreeMap<String, usize> = BTreeMap::new();
    let mut zones: Vec<String> = Vec::new();
    for node in nodes {
        *types.entry(node.instance_type()).or_default() += 1;
        zones.extend(node.label(&ZONE_LABELS).map(|(_, zone)| zone.to_owned()));
    }
    zones.sort();
    zones.dedup();
    let mut types: Vec<(String, usize)> = types.into_iter().collect();
    types.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let first = nodes.first();
    let common = |key: &String, value: &String| {
        nodes.iter().all(|node| node.labels.get(key) == Some(value))
            && !OF_A_NODE.contains(&key.as_str())
    };
    let labels = first.into_iter().flat_map(|node| node.labels.clone());
    let taints = first.into_iter().flat_map(|node| node.taints.clone());
    Group {
        by: first.map(|node| node.group().1).unwrap_or_default(),
        spot,
        types,
        zones,
        count: nodes.len(),
        labels: labels.filter(|(key, value)| common(key, value)).collect(),
        taints: taints.filter(|taint| nodes.iter().all(|n| n.taints.contains(taint))).collect(),
    }
}
