//! Single decisions of the scheduler on clusters given by value: what the conformance command and
//! tests ask.
//!
//! Builds the simulator's own cluster and runs the very code that simulations run. Every node is a
//! kind of its own, with its name and labels. Leaves out time, the queue, and volumes.

pub mod cluster_autoscaler;
mod message;
mod pod;

use std::collections::BTreeMap;

use crate::cluster::{
    Amounts, Cluster, Node, NodeId, NodeKind, NodeState, PodId, PodOwner, ResourceNames, Resources,
    resources,
};
use crate::scenario::{
    CapacityType, KubernetesVersion, PodTemplate, ResourceList, SchedulerProfile, Taint,
};
pub use crate::scheduler::filter::ORDER as FILTERS;
use crate::scheduler::filter::{self, Filters, StaticFits, short};
use crate::scheduler::framework::{Candidate, Cycle};
pub use crate::scheduler::score::Stage as ScoreStage;
use crate::scheduler::score::{Scorer, scores_of};
use crate::units::{Bytes, HourlyPrice, MilliCores, NanoUsd, SimTime};

/// What a pod requests in all: `main` (Spark's own container) with the template's containers,
/// sidecars, init containers and overhead. `None` with more extended resources than the model holds.
pub fn pod_requests(
    main: (MilliCores, Bytes),
    template: &PodTemplate,
) -> Option<(MilliCores, Bytes)> {
    let main = Resources { cpu: main.0, memory: main.1, ..Resources::default() };
    let mut names = ResourceNames::default();
    let sum = Amounts::of_pod(&mut names, Some(Amounts::of(&main)), template).ok()?;
    Some((sum.requests.cpu, sum.requests.memory))
}

/// A node.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct CaseNode {
    /// `metadata.name`.
    pub name: String,
    /// Labels; a hostname only where it is among them.
    pub labels: BTreeMap<String, String>,
    /// Taints.
    pub taints: Vec<Taint>,
    /// What pods may request, pod slots aside.
    pub allocatable: ResourceList,
    /// Pod slots.
    pub pods: u32,
    /// Images that it reports: (names of one image, its size).
    pub images: Vec<(Vec<String>, Bytes)>,
    /// What is requested on it besides the pods that are bound, and how many pods ask for it.
    pub used: (ResourceList, u32),
}

/// A pod.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct CasePod {
    /// Everything that its manifest says.
    pub template: PodTemplate,
    /// It has a `deletionTimestamp`.
    pub terminating: bool,
}

/// Why a case cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than 7 extended resources besides nvidia.com/gpu are not modelled")]
pub struct TooManyResources;

/// A node of the case, by its place in order of adding.
pub type NodePlace = usize;

/// What a filter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filtered {
    /// The pod may run there.
    Fits,
    /// It may not.
    Rejected {
        /// Upstream's plugin name.
        plugin: &'static str,
        /// `UnschedulableAndUnresolvable`; else `Unschedulable`.
        unresolvable: bool,
        /// Upstream's messages.
        reasons: Vec<String>,
    },
}

/// A resource that is too short on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insufficient {
    /// `cpu` (thousandths), `memory`, `pods` or a full name.
    pub resource: String,
    /// What the pod asks for.
    pub requested: u64,
    /// What pods on the node ask for.
    pub used: u64,
    /// What the node has for pods.
    pub capacity: u64,
    /// More than the node has at all.
    pub unresolvable: bool,
}

/// What became of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Nodes that passed every filter, in order, each with the weighted sum of its scores; all 0
    /// where there is only one, because then none is scored.
    pub feasible: Vec<(NodePlace, i64)>,
    /// Where there is none: upstream's message, as in the condition `PodScheduled`.
    pub message: Option<String>,
}

/// A pod that was bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundPod(PodId);

/// Nodes to which a pod's `metadata.name` fields narrow the search down; `None` = all.
pub fn nodes_by_name(template: &PodTemplate) -> Option<Vec<String>> {
    filter::nodes_by_name(template).map(|names| names.into_iter().map(str::to_owned).collect())
}

/// Which of the nodes with these scores, in the order in which they were found, is taken from 1.36
/// on; `None` of none.
pub fn choice(scores: impl IntoIterator<Item = i64>) -> Option<usize> {
    crate::scheduler::ties::root(scores)
}

/// A cluster and a scheduler that is asked for single decisions.
#[derive(Debug)]
pub struct Decisions {
    cluster: Cluster,
    nodes: Vec<NodeId>,
    profile: SchedulerProfile,
    scorer: Scorer,
    fits: StaticFits,
    version: KubernetesVersion,
}

impl Decisions {
    /// A cluster without nodes. `namespaces`: the labels of those that exist.
    pub fn new(
        profile: SchedulerProfile,
        version: KubernetesVersion,
        namespaces: BTreeMap<String, BTreeMap<String, String>>,
    ) -> Self {
        Self {
            cluster: Cluster { namespaces, ..Cluster::default() },
            nodes: Vec::new(),
            scorer: Scorer::new(&profile, version),
            fits: StaticFits::new(Filters::of(&profile)),
            profile,
            version,
        }
    }

    /// Adds a node.
    ///
    /// # Errors
    /// More extended resources than the model holds.
    pub fn add_node(&mut self, node: &CaseNode) -> Result<NodePlace, TooManyResources> {
        let names = &mut self.cluster.resource_names;
        let mut of = |list: &ResourceList, pods| {
            let amounts = resources(names, list).map_err(|_| TooManyResources)?;
            Ok(crate::cluster::Resources { pods, ..amounts })
        };
        let allocatable = of(&node.allocatable, node.pods)?;
        let used = of(&node.used.0, node.used.1)?;
        let kind = self.cluster.kinds.push(NodeKind {
            pool: 0,
            instance_type: 0,
            zone: self.nodes.len() as u32,
            zone_number: 0,
            capacity_type: CapacityType::OnDemand,
            capacity: allocatable,
            allocatable,
            daemonsets: crate::cluster::Resources::default(),
            node_name: Some(node.name.clone()),
            labels: node.labels.clone(),
            taints: node.taints.clone(),
            price: HourlyPrice::default(),
            price_curve: None,
        });
        let mut images = Vec::new();
        for (names, size) in &node.images {
            let ids = names.iter().map(|name| self.cluster.image_names.intern(name, *size));
            images.extend(ids);
        }
        images.sort_unstable();
        images.dedup();
        let id = self.cluster.add_node(Node {
            number: self.nodes.len() as u64,
            kind,
            state: NodeState::Ready,
            launched_at: SimTime::ZERO,
            ready_at: Some(SimTime::ZERO),
            requested: used,
            nonzero_requested: crate::cluster::NonZeroRequests::of(&used),
            images,
            pods: Vec::new(),
            lowest_priority: i32::MAX,
            image_store: crate::images::ImageStore::default(),
            gone_at: None,
            unneeded_since: None,
            well_used: false,
            kept_because: None,
            interrupted: false,
            disrupted_by: None,
            spot_number: 0,
            replaces: None,
            replaced: false,
            pods_bound_ever: 0,
            pods_cost: NanoUsd::ZERO,
        });
        self.nodes.push(id);
        Ok(self.nodes.len() - 1)
    }

    /// Binds a pod, whether it passes or not.
    ///
    /// # Errors
    /// More extended resources than the model holds.
    pub fn bind(&mut self, pod: &CasePod, node: NodePlace) -> Result<BoundPod, TooManyResources> {
        let spec = self.spec_of(pod)?;
        let id = self.cluster.pods.insert(pod::waiting(self.cluster.pods_created, spec));
        self.cluster.pods_created += 1;
        self.cluster.bind(id, self.nodes[node], SimTime::ZERO);
        Ok(BoundPod(id))
    }

    /// Takes a bound pod away. One that is gone already is left alone.
    pub fn delete(&mut self, pod: BoundPod) {
        if self.cluster.pods.get(pod.0).is_some() {
            self.cluster.remove_pod(pod.0);
        }
    }

    /// Asks one filter plugin, by upstream's name, about one node.
    ///
    /// # Errors
    /// More extended resources than the model holds.
    pub fn filter(
        &mut self,
        pod: &CasePod,
        node: NodePlace,
        plugin: &str,
    ) -> Result<Filtered, TooManyResources> {
        let Some(plugin) = FILTERS.into_iter().find(|name| *name == plugin) else {
            return Ok(Filtered::Fits);
        };
        let mut scorer = Scorer::new(&self.profile, self.version);
        scorer.filters = Filters::of(&self.profile).only(plugin);
        let mut fits = StaticFits::new(Filters::of(&self.profile).only(plugin));
        let spec = self.spec_of(pod)?;
        if plugin == "NodeAffinity" && message::names_conflict(&pod.template) {
            return Ok(Filtered::Rejected {
                plugin: "NodeAffinity",
                unresolvable: true,
                reasons: vec![message::NAMES_CONFLICT.to_owned()],
            });
        }
        let fits = fits.of(&self.cluster, self.cluster.specs.get(spec).placement);
        let cycle = Cycle::new(&self.cluster, &scorer, fits, spec);
        let rejection = cycle.rejection(&self.cluster.nodes[self.nodes[node]]);
        Ok(rejection.filter(|rejection| rejection.plugin == plugin).map_or(
            Filtered::Fits,
            |rejection| Filtered::Rejected {
                plugin: rejection.plugin,
                unresolvable: rejection.unresolvable,
                reasons: rejection.messages.iter().map(|m| (*m).to_owned()).collect(),
            },
        ))
    }

    /// What `NodeResourcesFit` finds short on a node, in upstream's order.
    ///
    /// # Errors
    /// More extended resources than the model holds.
    pub fn insufficient(
        &mut self,
        pod: &CasePod,
        node: NodePlace,
    ) -> Result<Vec<Insufficient>, TooManyResources> {
        let spec = self.spec_of(pod)?;
        let node = self.nodes[node];
        let cycle = self.cycle(spec);
        let short = short(&cycle, &cycle.cluster.nodes[node], &[]);
        Ok(short.iter().map(message::insufficient).collect())
    }

    /// Scores `nodes` by the profile's plugin at `place` in its list; `None` = the plugin is
    /// skipped for this pod.
    ///
    /// # Errors
    /// More extended resources than the model holds.
    pub fn score(
        &mut self,
        pod: &CasePod,
        place: usize,
        nodes: &[NodePlace],
        stage: ScoreStage,
    ) -> Result<Option<Vec<i64>>, TooManyResources> {
        let spec = self.spec_of(pod)?;
        let candidate =
            |node: &NodePlace| Candidate { node: self.nodes[*node], members: 1, score: 0 };
        let candidates: Vec<Candidate> = nodes.iter().map(candidate).collect();
        let cycle = self.cycle(spec);
        Ok(scores_of(&cycle, place, &candidates, stage))
    }

    /// Tries to place a pod: which nodes pass, what they score, or why none passes.
    ///
    /// # Errors
    /// More extended resources than the model holds.
    pub fn place(&mut self, pod: &CasePod) -> Result<Placed, TooManyResources> {
        let spec = self.spec_of(pod)?;
        let (nodes, version) = (self.nodes.clone(), self.version);
        let mut cycle = self.cycle(spec);
        let named = filter::nodes_by_name(&pod.template);
        let kinds = &cycle.cluster.kinds;
        let allowed = |node: &Node| {
            let name = kinds.get(node.kind).node_name.as_deref();
            named.as_ref().is_none_or(|names| name.is_some_and(|name| names.contains(name)))
        };
        let mut candidates = Vec::new();
        for id in &nodes {
            let node = &cycle.cluster.nodes[*id];
            if allowed(node) && cycle.passes(node) {
                candidates.push(Candidate { node: *id, members: 1, score: 0 });
            }
        }
        if candidates.is_empty() {
            let message = message::unschedulable(&mut cycle, version, allowed);
            return Ok(Placed { feasible: Vec::new(), message: Some(message) });
        }
        if candidates.len() > 1 {
            cycle.score(&mut candidates);
        }
        let place_of = |id: NodeId| nodes.iter().position(|other| *other == id);
        let feasible = candidates.iter().map(|candidate| {
            (place_of(candidate.node).expect("every candidate is a node"), candidate.score)
        });
        Ok(Placed { feasible: feasible.collect(), message: None })
    }

    fn spec_of(&mut self, pod: &CasePod) -> Result<crate::cluster::SpecId, TooManyResources> {
        pod::spec(&mut self.cluster, pod, self.version)
    }

    fn cycle(&mut self, spec: crate::cluster::SpecId) -> Cycle<'_> {
        let fits = self.fits.of(&self.cluster, self.cluster.specs.get(spec).placement);
        Cycle::new(&self.cluster, &self.scorer, fits, spec)
    }
}

#[cfg(test)]
mod tests;
