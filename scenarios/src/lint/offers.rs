//! What nodes a set of files can have: eksctl's groups, Karpenter's NodePools, a scenario's pools,
//! and the groups of a dump of nodes.
//!
//! A NodePool's nodes are the catalogue's instance types that its requirements let through. Left
//! out: labels that only the provider knows (a hypervisor, a zone's id): whoever asks for one is
//! believed; limits of NodePools; `minValues`.
//!
//! Source: facts-kubernetes 2 and 3; labels of instance types: aws/karpenter-provider-aws
//! `pkg/providers/instancetype/types.go` and the page on NodePools.

mod karpenter;

use std::collections::BTreeMap;

use serde_json::Value;
use sim::scenario::{
    CapacityType, ConsolidationPolicy, KarpenterNodePool, LabelOperator, LabelRequirement,
    NodePool, PodTemplate, Scenario, Taint, TaintEffect,
};
use sim::units::{Bytes, MilliCores};

use super::set::Set;
use crate::catalogue::{self, Catalogue, Entry};
use crate::import::group::{NodeSeen, groups};
use crate::import::recognise::{Kind, text_of};
use crate::native::Place;
use crate::native::eksctl::NodeGroupSpec;
use crate::yaml::Node;

pub(super) use karpenter::Consolidation;

/// Of what a node has, the least that the hypervisor and the system keep, measured in one fleet.
/// Source: see [`catalogue::DEFAULT_VM_MEMORY_OVERHEAD`]'s module.
const LEAST_VM_OVERHEAD: f64 = 0.017;

/// Pods for which the kubelet keeps memory, at the least: what EKS recommends with prefixes of
/// addresses; a node group's own settings may say so. Source: Amazon EKS, "Assign more IP addresses".
const LEAST_MAX_PODS: u32 = 110;

/// Labels that only the provider, a running node or an add-on on it knows.
const BELIEVED: [&str; 13] = [
    "alpha.eksctl.io/",
    "beta.kubernetes.io/",
    "eks.amazonaws.com/",
    "failure-domain.beta.kubernetes.io/",
    "feature.node.kubernetes.io/",
    "k8s.io/cloud-provider-aws",
    "karpenter.k8s.aws/",
    "kubernetes.io/hostname",
    "nvidia.com/",
    "topology.ebs.csi.aws.com/",
    "topology.k8s.aws/",
    "topology.kubernetes.io/",
    "node.kubernetes.io/windows-build",
];

/// Labels of EKS's managed node groups that no node of Karpenter's has.
const OF_MANAGED: [&str; 2] = ["eks.amazonaws.com/capacityType", "eks.amazonaws.com/nodegroup"];

/// Labels that the instance type decides.
const OF_TYPE: [&str; 2] = ["kubernetes.io/arch", "node.kubernetes.io/instance-type"];

/// A group of nodes that can be had.
#[derive(Debug)]
pub(super) struct Offer {
    pub name: String,
    pub place: Place,
    pub capacity: Vec<CapacityType>,
    pub labels: BTreeMap<String, String>,
    /// Labels with several possible values.
    pub choices: Vec<LabelRequirement>,
    pub taints: Vec<Taint>,
    /// Instance types; none where they are not known.
    pub shapes: Vec<Shape>,
    /// Names that the catalogue does not have.
    pub unknown_types: Vec<String>,
    /// Of a NodePool.
    pub consolidation: Option<Consolidation>,
}

/// A node of one instance type.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub cpu: MilliCores,
    /// CPU that pods may ask for at the most.
    pub cpu_most: MilliCores,
    /// Memory that pods may ask for, by the provisioner's estimate.
    pub memory: Bytes,
    /// The same on a node that keeps as little as any that was measured.
    pub memory_most: Bytes,
    pub gpus: u32,
}

/// Why nodes are not for a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Miss {
    Label(String),
    Taint(String),
}

impl Offer {
    /// Each instance type, bought in each way, that takes a pod of this template; or why none does.
    pub(super) fn admitted(
        &self,
        template: &PodTemplate,
    ) -> Result<Vec<(Option<&Shape>, CapacityType)>, Miss> {
        let untolerated = self.taints.iter().find(|taint| {
            taint.effect != TaintEffect::PreferNoSchedule
                && !template.tolerations.iter().any(|toleration| toleration.tolerates(taint))
        });
        let shapes: Vec<Option<&Shape>> = match self.shapes.is_empty() {
            true => vec![None],
            false => self.shapes.iter().map(Some).collect(),
        };
        let (mut taken, mut miss) = (Vec::new(), None);
        for capacity in &self.capacity {
            for shape in &shapes {
                match self.lacks(template, *shape, *capacity) {
                    None => taken.push((*shape, *capacity)),
                    Some(lacks) => miss = miss.or(Some(Miss::Label(lacks))),
                }
            }
        }
        match (taken.is_empty(), untolerated) {
            (false, Some(taint)) => Err(Miss::Taint(shown_taint(taint))),
            (false, None) => Ok(taken),
            (true, _) => Err(miss.unwrap_or_else(|| Miss::Label("no nodes".to_owned()))),
        }
    }

    /// What the template asks for that such a node does not have.
    fn lacks(
        &self,
        template: &PodTemplate,
        shape: Option<&Shape>,
        capacity: CapacityType,
    ) -> Option<String> {
        for (key, value) in &template.node_selector {
            let wanted = LabelRequirement {
                key: key.clone(),
                operator: LabelOperator::In,
                values: vec![value.clone()],
            };
            if !self.meets(&wanted, shape, capacity) {
                return Some(format!("{key}={value}"));
            }
        }
        let terms = &template.required_node_affinity;
        let mut first = None;
        for term in terms {
            let mut wanted = term.match_expressions.iter();
            match wanted.find(|wanted| !self.meets(wanted, shape, capacity)) {
                None if !term.match_expressions.is_empty() => return None,
                None => {}
                Some(wanted) => first = first.or(Some(shown_requirement(wanted))),
            }
        }
        let unmet = || first.unwrap_or_else(|| "a term of node affinity without labels".to_owned());
        (!terms.is_empty()).then(unmet)
    }

    fn meets(
        &self,
        wanted: &LabelRequirement,
        shape: Option<&Shape>,
        capacity: CapacityType,
    ) -> bool {
        let key = wanted.key.as_str();
        let is =
            |value: &str| wanted.matches(&BTreeMap::from([(key.to_owned(), value.to_owned())]));
        let own = self.labels.get(key).or_else(|| shape.and_then(|shape| shape.labels.get(key)));
        if key == "karpenter.sh/capacity-type" && self.consolidation.is_some() {
            return is(capacity_name(capacity));
        }
        if let Some(value) = own {
            return is(value);
        }
        let choice = self.choices.iter().find(|choice| choice.key == key);
        let none = BTreeMap::new();
        match choice {
            Some(choice) if choice.operator == LabelOperator::In => {
                choice.values.iter().any(|value| is(value))
            }
            Some(_) => true,
            // eksctl's own groups say it; whether they do depends on the image.
            None if key == "node-lifecycle" => is(capacity_name(capacity)),
            // Only nodes of managed groups have these.
            None if self.is_karpenter() && OF_MANAGED.contains(&key) => wanted.matches(&none),
            None if BELIEVED.iter().any(|prefix| key.starts_with(prefix)) => true,
            None if shape.is_none() && OF_TYPE.contains(&key) => true,
            None => wanted.matches(&none),
        }
    }

    pub(super) fn is_karpenter(&self) -> bool {
        self.consolidation.is_some()
    }

    /// The same where the group's files tell the kubelet what to keep: at the most, pods have all.
    fn with_own_kubelet(mut self) -> Self {
        let catalogue = Catalogue::builtin();
        for shape in &mut self.shapes {
            if let Ok(entry) = catalogue.entry(&shape.name) {
                shape.cpu_most = MilliCores::cores(u64::from(entry.vcpu));
                shape.memory_most = entry.memory;
            }
        }
        self
    }
}

const fn capacity_name(capacity: CapacityType) -> &'static str {
    match capacity {
        CapacityType::Spot => "spot",
        CapacityType::OnDemand => "on-demand",
    }
}

fn shown_taint(taint: &Taint) -> String {
    let effect = crate::native::pod_template::effect_name(taint.effect);
    format!("{}={}:{effect}", taint.key, taint.value)
}

fn shown_requirement(wanted: &LabelRequirement) -> String {
    let values = wanted.values.join(", ");
    let operator = format!("{:?}", wanted.operator);
    format!("{} {operator} [{values}]", wanted.key)
}

impl Shape {
    fn of(entry: &Entry) -> Self {
        let catalogue = Catalogue::builtin();
        let arm = entry.arch == "arm64";
        let pods = entry.max_pods.min(LEAST_MAX_PODS);
        let most = catalogue::allocatable_memory(entry.memory, arm, pods, LEAST_VM_OVERHEAD);
        Self {
            name: entry.name.clone(),
            labels: catalogue::labels::of_entry(entry),
            cpu: catalogue::allocatable_cpu(entry.vcpu),
            cpu_most: catalogue::allocatable_cpu(entry.vcpu),
            memory: catalogue.allocatable_memory(entry),
            memory_most: most,
            gpus: entry.gpus,
        }
    }
}

/// The shapes of named types, and the names that the catalogue does not have.
fn shapes(names: &[String]) -> (Vec<Shape>, Vec<String>) {
    let catalogue = Catalogue::builtin();
    let known = names.iter().filter_map(|name| catalogue.entry(name).ok()).map(Shape::of);
    let unknown = names.iter().filter(|name| catalogue.entry(name).is_err()).cloned();
    // With a part of the types unknown, nothing can be said of the largest.
    let unknown: Vec<String> = unknown.collect();
    if unknown.is_empty() { (known.collect(), unknown) } else { (Vec::new(), unknown) }
}

fn zones(zones: &[String]) -> Vec<LabelRequirement> {
    let requirement = LabelRequirement {
        key: "topology.kubernetes.io/zone".to_owned(),
        operator: LabelOperator::In,
        values: zones.to_vec(),
    };
    if zones.is_empty() { Vec::new() } else { vec![requirement] }
}

const fn capacity_of(spot: bool) -> CapacityType {
    if spot { CapacityType::Spot } else { CapacityType::OnDemand }
}

/// Labels that every node of a group has.
fn group_labels(name: &str, spot: bool) -> BTreeMap<String, String> {
    let capacity = capacity_of(spot).eks_label();
    let labels = [
        ("alpha.eksctl.io/nodegroup-name", name),
        ("eks.amazonaws.com/capacityType", capacity),
        ("eks.amazonaws.com/nodegroup", name),
        ("kubernetes.io/os", "linux"),
    ];
    labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// Keys of a group of eksctl's, or of a node class, that may tell the kubelet what to keep.
const KUBELET: [&str; 5] =
    ["kubelet", "kubeletExtraConfig", "launchTemplate", "overrideBootstrapCommand", "userData"];

fn tells_kubelet(node: &Node) -> bool {
    KUBELET.iter().any(|key| node.get(key).is_some())
}

/// A group of eksctl's; `node` is the group in the file.
pub(super) fn of_group(group: &NodeGroupSpec, node: Option<&Node>, place: Place) -> Offer {
    let offer = of_group_by_type(group, place);
    if node.is_some_and(tells_kubelet) { offer.with_own_kubelet() } else { offer }
}

fn of_group_by_type(group: &NodeGroupSpec, place: Place) -> Offer {
    let (shapes, unknown_types) = shapes(&group.instance_types);
    let mut labels = group_labels(&group.name, group.spot);
    labels.extend(group.labels.clone());
    Offer {
        name: group.name.clone(),
        place,
        capacity: vec![capacity_of(group.spot)],
        labels,
        choices: zones(&group.zones),
        taints: group.taints.clone(),
        shapes,
        unknown_types,
        consolidation: None,
    }
}

/// A scenario's pool: its own instance types, whose allocatable is what the scenario says.
pub(super) fn of_pool(pool: &NodePool, place: Place) -> Offer {
    let shape = |one: &sim::scenario::InstanceType| {
        let labels = [
            ("node.kubernetes.io/instance-type", one.name.as_str()),
            ("kubernetes.io/arch", one.arch.as_str()),
        ];
        Shape {
            name: one.name.clone(),
            labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            cpu: one.allocatable_cpu,
            cpu_most: one.allocatable_cpu,
            memory: one.allocatable_memory,
            memory_most: one.allocatable_memory,
            gpus: one.gpus,
        }
    };
    let mut labels = pool.labels.clone();
    labels.entry("kubernetes.io/os".to_owned()).or_insert_with(|| "linux".to_owned());
    if pool.instance_types.len() > 1 {
        labels.retain(|key, _| {
            key != "node.kubernetes.io/instance-type" && key != "kubernetes.io/arch"
        });
    }
    Offer {
        name: pool.name.clone(),
        place,
        capacity: vec![pool.capacity_type],
        labels,
        choices: zones(&pool.zones),
        taints: pool.taints.clone(),
        shapes: pool.instance_types.iter().map(shape).collect(),
        unknown_types: Vec::new(),
        consolidation: None,
    }
}

/// The NodePools and Provisioners of the set.
pub(super) fn of_karpenter(set: &Set) -> Vec<Offer> {
    let own = set.of(Kind::Karpenter).filter(|one| !set.is_of_a_scenario(one.file));
    own.filter_map(|document| karpenter::read(set, document)).collect()
}

/// A scenario's own NodePools, each with what its groups have in common.
pub(super) fn of_scenario(scenario: &Scenario, place: &Place) -> Vec<Offer> {
    let owners = scenario.karpenter().map_or(&[][..], |karpenter| &karpenter.node_pools);
    let offer = |owner: &KarpenterNodePool| {
        let mut groups = owner.groups.iter().map(|group| &scenario.pools[*group as usize]);
        let mut offer = of_pool(groups.next()?, place.clone());
        for group in groups {
            let other = of_pool(group, place.clone());
            offer.capacity.extend(other.capacity);
            let known: Vec<String> = offer.shapes.iter().map(|one| one.name.clone()).collect();
            let further = other.shapes.into_iter().filter(|one| !known.contains(&one.name));
            offer.shapes.extend(further);
        }
        for shape in &mut offer.shapes {
            let labels = owner.type_labels.get(&shape.name).cloned().unwrap_or_default();
            shape.labels.extend(labels);
        }
        offer.labels.remove("karpenter.sh/capacity-type");
        offer.choices.extend(owner.requirements.iter().map(|one| one.requirement.clone()));
        let disruption = &owner.disruption;
        Some(Offer {
            name: owner.name.clone(),
            consolidation: Some(Consolidation {
                occupied: disruption.consolidation_policy != ConsolidationPolicy::WhenEmpty,
                after: disruption.consolidate_after,
                said: true,
                place: place.clone(),
            }),
            ..offer
        })
    };
    owners.iter().filter_map(offer).collect()
}

/// The groups of a dump of nodes.
pub(super) fn of_nodes(set: &Set) -> Vec<Offer> {
    let live = set.of(Kind::Live);
    let nodes = live.filter(|one| one.node.get("kind").and_then(Node::scalar_text) == Some("Node"));
    let seen: Vec<(Place, NodeSeen)> = nodes
        .map(|document| {
            let place = set.place(document.file, document.node.pos);
            (place, NodeSeen::read(&crate::file::json_of(&document.node)))
        })
        .filter(|(_, node)| node.is_no_node().is_none())
        .collect();
    let Some((place, _)) = seen.first() else { return Vec::new() };
    let groups = groups(seen.iter().map(|(_, node)| node));
    groups
        .into_iter()
        .map(|(name, group)| {
            let names: Vec<String> = group.types.iter().map(|(name, _)| name.clone()).collect();
            // A type that is not in the catalogue has its nodes all the same.
            let (shapes, _) = shapes(&names);
            let mut labels = group.labels.clone();
            labels.entry("kubernetes.io/os".to_owned()).or_insert_with(|| "linux".to_owned());
            Offer {
                name,
                place: place.clone(),
                capacity: vec![capacity_of(group.spot)],
                labels,
                choices: zones(&group.zones),
                taints: group.taints.iter().filter_map(taint).collect(),
                shapes,
                unknown_types: Vec::new(),
                consolidation: None,
            }
        })
        .collect()
}

fn taint(value: &Value) -> Option<Taint> {
    let effect = match text_of(value, "effect") {
        "NoSchedule" => TaintEffect::NoSchedule,
        "NoExecute" => TaintEffect::NoExecute,
        "PreferNoSchedule" => TaintEffect::PreferNoSchedule,
        _ => return None,
    };
    let text = |key: &str| text_of(value, key).to_owned();
    Some(Taint { key: text("key"), value: text("value"), effect })
}
