//! A NodePool as groups of nodes, one for each capacity type: which instance types its requirements
//! leave, in which zones, with which labels.
//!
//! A requirement that nobody here can judge is taken as met, and said. Bare metal stays out where
//! there is anything else, as Karpenter launches it only then. Of a label of one's own with several
//! values, nodes carry the first.

use std::collections::{BTreeMap, BTreeSet};

use sim::Severity;
use sim::scenario::{
    AllocationStrategy, CapacityType, InstanceType, KarpenterNodePool, LabelOperator,
    LabelRequirement, NodePool,
};
use sim::units::{Bytes, MilliCores};

use crate::catalogue::allocatable_cpu;
use crate::catalogue::labels::meets;
use crate::file::context::Context;
use crate::file::instance_types::InstanceTypes;
use crate::native::Place;
use crate::native::karpenter::node_class::{Eviction, missing};
use crate::native::karpenter::{NodeClass, NodePool as Native};

const CAPACITY: &str = "karpenter.sh/capacity-type";
const ZONE: &str = "topology.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";

/// No group has more nodes than this: limits of NodePools say how many there may be.
const NODES_MAX: u32 = 1_000_000;

pub(super) struct Groups<'c, 'w> {
    context: &'c Context<'w>,
    types: &'c InstanceTypes,
    names: BTreeSet<String>,
    zones: &'c [String],
    region: &'c str,
    first: usize,
    groups: Vec<NodePool>,
    base: BTreeMap<String, InstanceType>,
}

/// What is left of the types, requirement by requirement.
struct Left {
    names: Vec<String>,
    zones: Vec<String>,
    capacity: Vec<CapacityType>,
}

impl<'c, 'w> Groups<'c, 'w> {
    pub(super) fn new(
        context: &'c Context<'w>,
        types: &'c InstanceTypes,
        names: BTreeSet<String>,
        zones: &'c [String],
        region: &'c str,
        first: usize,
    ) -> Self {
        let (groups, base) = (Vec::new(), BTreeMap::new());
        Self { context, types, names, zones, region, first, groups, base }
    }

    pub(super) fn finish(self) -> (Vec<NodePool>, Vec<InstanceType>) {
        (self.groups, self.base.into_values().collect())
    }

    /// Adds the groups of a NodePool; one without any was reported.
    pub(super) fn add(
        &mut self,
        native: Native,
        class: Option<&NodeClass>,
        out: &mut Vec<KarpenterNodePool>,
    ) {
        let plain = NodeClass::plain(&native.class.0);
        let class = class.unwrap_or_else(|| {
            self.context.take_notes(Vec::new(), vec![missing(&plain.name, &native.class.1)]);
            &plain
        });
        let Some(left) = self.left(&native) else { return };
        let mut pool = native.pool.clone();
        let wanted =
            left.capacity.iter().map(|capacity| (*capacity, self.priced(&left, *capacity)));
        let wanted: Vec<_> = wanted.filter(|(_, types)| !types.is_empty()).collect();
        self.say_unpriced(&native, &left, &wanted);
        for (capacity, types) in &wanted {
            let name = match (wanted.len(), capacity) {
                (1, _) => pool.name.clone(),
                (_, CapacityType::Spot) => format!("{}-spot", pool.name),
                (_, CapacityType::OnDemand) => format!("{}-on-demand", pool.name),
            };
            for found in types {
                self.base.insert(found.name.clone(), found.clone());
                let own = self.types.labels(&found.name).into_iter();
                pool.type_labels.insert(found.name.clone(), own.collect());
            }
            let place = self.first + self.groups.len();
            pool.groups.push(place as u32);
            let group = self.group(&native, class, name, *capacity, types, &left.zones);
            self.groups.push(group);
        }
        if !pool.groups.is_empty() {
            out.push(pool);
        }
    }

    /// What the requirements leave; `None` where that is nothing, which is a problem.
    fn left(&self, native: &Native) -> Option<Left> {
        let mut left = Left {
            names: self.names.iter().cloned().collect(),
            zones: self.zones.to_vec(),
            capacity: vec![CapacityType::Spot, CapacityType::OnDemand],
        };
        let all: BTreeMap<&str, BTreeMap<String, String>> =
            self.names.iter().map(|name| (name.as_str(), self.types.labels(name))).collect();
        for (one, place) in native.pool.requirements.iter().zip(&native.places) {
            let requirement = &one.requirement;
            let known = match requirement.key.as_str() {
                CAPACITY => self.capacity(requirement, place, &mut left),
                ZONE => {
                    let before = left.zones.iter().cloned().collect();
                    left.zones.retain(|zone| requirement.matches(&pair(ZONE, zone)));
                    if left.zones.is_empty() { before } else { continue }
                }
                REGION => {
                    if requirement.matches(&pair(REGION, self.region)) {
                        continue;
                    }
                    [self.region.to_owned()].into()
                }
                _ => {
                    let before = of_left(&requirement.key, &left, &all);
                    self.of_types(requirement, place, &mut left, &all);
                    if left.names.is_empty() { before } else { continue }
                }
            };
            if left.capacity.is_empty()
                || left.zones.is_empty()
                || left.names.is_empty()
                || requirement.key == REGION
            {
                self.never(native, requirement, place, &known);
                return None;
            }
        }
        let metal =
            |name: &String| name.split_once('.').is_some_and(|(_, size)| size.starts_with("metal"));
        if left.names.iter().any(|name| !metal(name)) {
            left.names.retain(|name| !metal(name));
        }
        Some(left)
    }

    /// Types by a requirement on their labels.
    fn of_types(
        &self,
        requirement: &LabelRequirement,
        place: &Place,
        left: &mut Left,
        all: &BTreeMap<&str, BTreeMap<String, String>>,
    ) {
        let key = requirement.key.as_str();
        let domain = key.split_once('/').map_or("", |(domain, _)| domain);
        let of_types = matches!(
            key,
            "kubernetes.io/arch"
                | "kubernetes.io/os"
                | "node.kubernetes.io/instance-type"
                | "node.kubernetes.io/windows-build"
        ) || matches!(domain, "karpenter.k8s.aws" | "topology.k8s.aws");
        if !of_types {
            return;
        }
        let mut unjudged = 0;
        left.names.retain(|name| match all.get(name.as_str()).map(|own| meets(requirement, own)) {
            Some(Some(met)) => met,
            _ => {
                unjudged += 1;
                true
            }
        });
        if unjudged > 0 {
            let message = format!(
                "the catalogue does not say `{key}` of {unjudged} of {} instance types: taken as \
                 met",
                left.names.len()
            );
            let finding = place.finding(Severity::Info, "not-judged", message);
            self.context.take_notes(Vec::new(), vec![finding]);
        }
    }

    fn capacity(
        &self,
        requirement: &LabelRequirement,
        place: &Place,
        left: &mut Left,
    ) -> BTreeSet<String> {
        let known = ["spot", "on-demand", "reserved"];
        for value in requirement.values.iter().filter(|value| !known.contains(&value.as_str())) {
            let help = crate::problem::suggestion(value, &known);
            self.context.problem_at(place, format!("unknown capacity type `{value}`"), help);
        }
        if requirement.operator == LabelOperator::In
            && requirement.values.iter().any(|value| value == "reserved")
        {
            let message = "capacity reservations are not modelled: no node is `reserved`";
            let finding = place.finding(Severity::Info, "not-modelled", message);
            self.context.take_notes(Vec::new(), vec![finding]);
        }
        left.capacity.retain(|capacity| requirement.matches(&pair(CAPACITY, name(*capacity))));
        known.map(str::to_owned).into()
    }

    fn never(
        &self,
        native: &Native,
        requirement: &LabelRequirement,
        place: &Place,
        known: &BTreeSet<String>,
    ) {
        let message = format!(
            "NodePool `{}`: no instance type is left by this requirement on `{}`",
            native.pool.name, requirement.key
        );
        let listed: Vec<&str> = known.iter().map(String::as_str).collect();
        let wrong = requirement.values.iter().find(|value| !known.contains(*value));
        let help = wrong.and_then(|value| crate::problem::suggestion(value, &listed));
        self.context.problem_at(place, message, help);
    }

    /// The types that have a price of the capacity type.
    fn priced(&self, left: &Left, capacity: CapacityType) -> Vec<InstanceType> {
        let found = left.names.iter().filter_map(|name| self.types.priced(name));
        found.filter(|t| capacity == CapacityType::OnDemand || t.spot_price.is_some()).collect()
    }

    fn say_unpriced(
        &self,
        native: &Native,
        left: &Left,
        wanted: &[(CapacityType, Vec<InstanceType>)],
    ) {
        let place = &native.place;
        if wanted.is_empty() {
            let message = format!(
                "NodePool `{}`: none of the {} instance types that it allows has a price in `{}`",
                native.pool.name,
                left.names.len(),
                self.region
            );
            let help = "set `spec.prices`, or a region of the catalogue";
            self.context.problem_at(place, message, Some(help.to_owned()));
            return;
        }
        for capacity in &left.capacity {
            let found = wanted.iter().find(|(known, _)| known == capacity);
            let found = found.map_or(0, |(_, types)| types.len());
            if found < left.names.len() {
                let message = format!(
                    "NodePool `{}`: {} of the {} instance types that it allows have a price for {} \
                     in `{}`; the others are left out",
                    native.pool.name,
                    found,
                    left.names.len(),
                    name(*capacity),
                    self.region
                );
                let finding = place.finding(Severity::Info, "no-price", message);
                self.context.take_notes(Vec::new(), vec![finding]);
            }
        }
    }

    fn group(
        &self,
        native: &Native,
        class: &NodeClass,
        own_name: String,
        capacity_type: CapacityType,
        types: &[InstanceType],
        zones: &[String],
    ) -> NodePool {
        let instance_types = types.iter().map(|found| with_kubelet(found, class)).collect();
        let limit = native.pool.limits.nodes;
        NodePool {
            name: own_name,
            capacity_type,
            instance_types,
            allocation_strategy: match capacity_type {
                CapacityType::Spot => AllocationStrategy::PriceCapacityOptimized,
                CapacityType::OnDemand => AllocationStrategy::LowestPrice,
            },
            zones: zones.to_vec(),
            min_size: 0,
            desired_size: 0,
            max_size: limit.map_or(NODES_MAX, |nodes| nodes.min(NODES_MAX)),
            labels: self.labels(native, class, capacity_type),
            taints: native.pool.taints.clone(),
            volume: class.volume,
            scale_down_disabled: native.do_not_disrupt,
            max_pods: class.max_pods,
        }
    }

    /// Labels of every node of a group, as upstream's NodeClaims have them.
    fn labels(
        &self,
        native: &Native,
        class: &NodeClass,
        capacity_type: CapacityType,
    ) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        for one in &native.pool.requirements {
            let requirement = &one.requirement;
            let single = match (requirement.operator, requirement.values.as_slice()) {
                (LabelOperator::In, [value]) => Some(value),
                (LabelOperator::In, [value, ..]) if !is_well_known(&requirement.key) => Some(value),
                _ => None,
            };
            if let Some(value) = single.filter(|_| requirement.key != ZONE) {
                out.insert(requirement.key.clone(), value.clone());
            }
        }
        out.extend(native.labels.clone());
        let own = [
            (CAPACITY, name(capacity_type)),
            ("karpenter.sh/nodepool", native.pool.name.as_str()),
            ("karpenter.sh/registered", "true"),
            ("karpenter.sh/initialized", "true"),
            ("karpenter.k8s.aws/ec2nodeclass", class.name.as_str()),
            ("kubernetes.io/os", "linux"),
            (REGION, self.region),
        ];
        out.extend(own.map(|(key, value)| (key.to_owned(), value.to_owned())));
        out
    }
}

/// Labels that the instance type, the zone or the launch decides.
fn is_well_known(key: &str) -> bool {
    key.split_once('/').is_some_and(|(domain, _)| {
        matches!(
            domain,
            "kubernetes.io"
                | "node.kubernetes.io"
                | "topology.kubernetes.io"
                | "karpenter.sh"
                | "karpenter.k8s.aws"
                | "topology.k8s.aws"
        )
    })
}

fn name(capacity: CapacityType) -> &'static str {
    match capacity {
        CapacityType::Spot => "spot",
        CapacityType::OnDemand => "on-demand",
    }
}

fn pair(key: &str, value: &str) -> BTreeMap<String, String> {
    [(key.to_owned(), value.to_owned())].into()
}

/// Values of a label among the types that are left.
fn of_left(
    key: &str,
    left: &Left,
    all: &BTreeMap<&str, BTreeMap<String, String>>,
) -> BTreeSet<String> {
    let found = left.names.iter().filter_map(|name| all.get(name.as_str())?.get(key));
    found.cloned().collect()
}

/// A type with what the class tells the kubelet to keep, instead of what EKS computes.
/// Source: karpenter-provider-aws `instancetype/types.go`: `kubeReserved` and `evictionHard` replace
/// the computed values resource by resource, `systemReserved` comes on top.
fn with_kubelet(found: &InstanceType, class: &NodeClass) -> InstanceType {
    let mut found = found.clone();
    let whole = MilliCores::cores(u64::from(found.vcpu));
    let (kube, system) = (class.kube_reserved, class.system_reserved);
    if let Some(cpu) = kube.cpu {
        let computed = whole.saturating_sub(allocatable_cpu(found.vcpu));
        found.allocatable_cpu = (found.allocatable_cpu + computed).saturating_sub(cpu);
    }
    if let Some(memory) = kube.memory {
        let computed = Bytes::mib(11 * u64::from(found.max_pods) + 255);
        found.allocatable_memory = (found.allocatable_memory + computed).saturating_sub(memory);
    }
    if let Some(eviction) = class.eviction {
        let memory = match eviction {
            Eviction::Bytes(memory) => memory,
            Eviction::Share(share) => found.memory.scale_floor(share),
        };
        let computed = Bytes::mib(100);
        found.allocatable_memory = (found.allocatable_memory + computed).saturating_sub(memory);
    }
    found.allocatable_cpu =
        found.allocatable_cpu.saturating_sub(system.cpu.unwrap_or(MilliCores::ZERO));
    found.allocatable_memory =
        found.allocatable_memory.saturating_sub(system.memory.unwrap_or(Bytes::ZERO));
    found
}
