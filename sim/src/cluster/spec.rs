//! What pods ask for, interned: the executors of an application ask for the same, so the scheduler
//! and the autoscaler think once about all of them.

use std::collections::BTreeMap;

use super::{ImageId, Resources};
use crate::scenario::{
    HostPort, PodAffinity, PodTemplate, TopologySpreadConstraint, WhenUnsatisfiable,
};
use crate::units::{Bytes, MilliCores};

/// Place in [`Specs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SpecId(pub(crate) u32);

/// Place in the list of placements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlacementId(pub(crate) u32);

/// What a pod asks for, as far as placement is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PodSpec {
    /// Requests: what filters, the autoscaler and the bill count.
    pub(crate) requests: Resources,
    /// What scores count: 100m and 200 MiB for each container that does not say.
    pub(crate) nonzero: NonZeroRequests,
    /// Where it may run.
    pub(crate) placement: PlacementId,
    /// Priority.
    pub(crate) priority: i32,
}

impl PodSpec {
    /// Of a pod whose every container says what it asks for.
    pub(crate) const fn of(requests: Resources, placement: PlacementId, priority: i32) -> Self {
        Self { requests, nonzero: NonZeroRequests::of(&requests), placement, priority }
    }
}

/// CPU and memory as the scores of `NodeResourcesFit` count them: a container without a request
/// counts as if it asked for 100m and 200 MiB; an explicit 0 stays 0. Source: facts-kubernetes 1.1
/// (upstream `NonZeroRequested`).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NonZeroRequests {
    /// CPU.
    pub(crate) cpu: MilliCores,
    /// Memory.
    pub(crate) memory: Bytes,
}

impl NonZeroRequests {
    /// Of a pod whose every container says what it asks for.
    pub(crate) const fn of(requests: &Resources) -> Self {
        Self { cpu: requests.cpu, memory: requests.memory }
    }

    /// Adds.
    pub(crate) fn add(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.memory += other.memory;
    }

    /// Subtracts; what was added before.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.cpu -= other.cpu;
        self.memory -= other.memory;
    }
}

/// Where pods of one kind may run, and what else the scheduler reads of them.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Placement {
    /// Selectors, affinity, tolerations, spread constraints; namespace and those labels that some
    /// selector of the scenario reads.
    pub(crate) template: PodTemplate,
    /// Images of its containers, init containers included, one entry per container.
    pub(crate) images: Vec<ImageId>,
    /// Set by a retry ladder: on-demand nodes only. The template then says nothing about capacity
    /// types.
    pub(crate) on_demand_only: bool,
    /// `cluster-autoscaler.kubernetes.io/safe-to-evict`, where it is given.
    pub(crate) safe_to_evict: Option<bool>,
    /// `karpenter.sh/do-not-disrupt: "true"`.
    pub(crate) do_not_disrupt: bool,
    /// `controller.kubernetes.io/pod-deletion-cost`.
    pub(crate) deletion_cost: i32,
    /// It has local storage that keeps Cluster Autoscaler from evicting it.
    pub(crate) local_storage: bool,
    /// Such pods have a `deletionTimestamp`: spread constraints do not count them. Only in decision
    /// cases; a simulated pod that ends is gone at once.
    pub(crate) terminating: bool,
}

impl Placement {
    /// Whether other pods, wherever they are, can keep such a pod from a node or let it there.
    pub(crate) fn has_required_terms(&self) -> bool {
        let template = &self.template;
        let hard =
            |c: &TopologySpreadConstraint| c.when_unsatisfiable == WhenUnsatisfiable::DoNotSchedule;
        !template.pod_affinity.required.is_empty()
            || !template.pod_anti_affinity.required.is_empty()
            || template.topology_spread.iter().any(hard)
    }

    /// Ports of the node that a pod takes.
    pub(crate) fn host_ports(&self) -> impl Iterator<Item = &HostPort> {
        let sidecars = self.template.init_containers.iter().filter(|c| c.restart_always);
        let containers = self.template.containers.iter().chain([&self.template.main]);
        containers.chain(sidecars).flat_map(|c| &c.host_ports)
    }

    /// Topology keys of its terms of pod affinity and anti-affinity.
    fn affinity_keys(&self) -> impl Iterator<Item = &str> {
        let terms = [&self.template.pod_affinity, &self.template.pod_anti_affinity];
        let all = terms.into_iter().flat_map(|terms: &PodAffinity| {
            terms.required.iter().chain(terms.preferred.iter().map(|(_, term)| term))
        });
        all.map(|term| term.topology_key.as_str())
    }
}

/// Every different spec and placement once.
#[derive(Debug, Default)]
pub(crate) struct Specs {
    specs: Vec<PodSpec>,
    ids: BTreeMap<PodSpec, SpecId>,
    placements: Vec<Placement>,
    /// By their labels, because those tell apart where there are many: one per run, say.
    by_labels: BTreeMap<BTreeMap<String, String>, Vec<u32>>,
    /// Some placement has required terms of pod anti-affinity, which hold for other pods too.
    pub(crate) any_required_anti_affinity: bool,
    /// Some placement has terms about other pods that keep it from nodes.
    pub(crate) any_required_terms: bool,
    /// Some placement has terms of pod affinity or anti-affinity.
    pub(crate) any_pod_affinity: bool,
    /// Some of these terms are about single nodes.
    pub(crate) any_node_level_affinity: bool,
    lowest_priority: Option<i32>,
}

impl Specs {
    /// The lowest priority that any pod ever had.
    pub(crate) fn lowest_priority(&self) -> Option<i32> {
        self.lowest_priority
    }

    /// The id of `spec`.
    pub(crate) fn intern(&mut self, spec: PodSpec) -> SpecId {
        let lowest = self.lowest_priority.get_or_insert(spec.priority);
        *lowest = spec.priority.min(*lowest);
        *self.ids.entry(spec).or_insert_with(|| {
            self.specs.push(spec);
            SpecId(self.specs.len() as u32 - 1)
        })
    }

    /// The spec of `id`.
    pub(crate) fn get(&self, id: SpecId) -> &PodSpec {
        &self.specs[id.0 as usize]
    }

    /// The id of `placement`. There are few of them with the same labels.
    pub(crate) fn intern_placement(&mut self, placement: Placement) -> PlacementId {
        let alike = self.by_labels.get(&placement.template.labels);
        let mut alike = alike.into_iter().flatten();
        let known = alike.find(|place| self.placements[**place as usize] == placement);
        let place = known.copied().unwrap_or_else(|| {
            self.any_pod_affinity |= placement.affinity_keys().next().is_some();
            self.any_node_level_affinity |=
                placement.affinity_keys().any(|key| key == "kubernetes.io/hostname");
            self.any_required_terms |= placement.has_required_terms();
            self.any_required_anti_affinity |=
                !placement.template.pod_anti_affinity.required.is_empty();
            let place = self.placements.len() as u32;
            let labels = placement.template.labels.clone();
            self.by_labels.entry(labels).or_default().push(place);
            self.placements.push(placement);
            place
        });
        PlacementId(place)
    }

    /// How many placements there are.
    pub(crate) fn placements_len(&self) -> usize {
        self.placements.len()
    }

    /// The placement of `id`.
    pub(crate) fn placement(&self, id: PlacementId) -> &Placement {
        &self.placements[id.0 as usize]
    }
}
