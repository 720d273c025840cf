//! What the NodePools may launch: instance types and their offerings (zone x capacity type).
//!
//! Room on a type is Karpenter's own estimate: capacity less `vm-memory-overhead-percent`, less
//! what the kubelet keeps back (CPU as the real node does; 11 MiB for each pod the type holds, 255
//! MiB and the eviction threshold of 100 MiB), less the DaemonSets. The real node has what the
//! scenario says, usually a little more. Once a node of a type was seen, its real room is known, as
//! upstream remembers the capacity that nodes report. Leaves out `kubelet` settings of node
//! classes. Source: facts-kubernetes 3; karpenter-provider-aws
//! `pkg/providers/instancetype/types.go`.
//!
//! An offering that had no capacity is not tried again for three minutes, by whichever NodePool.

use std::collections::BTreeMap;

use crate::cluster::{NodeKind, NodeKindId, NodeKinds, Resources};
use crate::scenario::{CapacityType, Karpenter, Scenario};
use crate::units::{Bytes, HourlyPrice, SimDuration, SimTime};

/// How long an offering without capacity is left alone. Source: facts-kubernetes 3.
pub(super) const UNAVAILABLE_FOR: SimDuration = SimDuration::minutes(3);

/// A set of offerings of one NodePool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OfferingSet(Vec<u64>);

impl OfferingSet {
    /// None of `len`.
    pub(super) fn none(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    /// Adds one.
    pub(super) fn insert(&mut self, place: usize) {
        self.0[place / 64] |= 1 << (place % 64);
    }

    /// Whether it is in.
    pub(super) fn contains(&self, place: usize) -> bool {
        self.0[place / 64] >> (place % 64) & 1 == 1
    }

    /// Keeps what is in both.
    pub(super) fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine &= theirs);
    }

    /// Whether there is none in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

/// Every NodePool, heaviest first.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    /// In the order in which they are tried.
    pub(super) pools: Vec<Pool>,
    /// Until when capacity pools have nothing, by their numbers.
    unavailable_until: Vec<SimTime>,
    /// Until when any of them has nothing.
    any_unavailable_until: SimTime,
    /// (place in `pools`, type) of each kind of node; `None` where it is not Karpenter's.
    of_kind: Vec<Option<(u32, u32)>>,
    /// The offering of each kind of node.
    offering_of_kind: Vec<u32>,
}

/// A NodePool.
#[derive(Debug)]
pub(super) struct Pool {
    /// Its place in the settings.
    pub(super) place: usize,
    /// Instance types, by name.
    pub(super) types: Vec<Type>,
    /// Offerings, by type.
    pub(super) offerings: Vec<Offering>,
    /// All of these.
    all: OfferingSet,
    /// Some taint of it is `PreferNoSchedule`.
    pub(super) prefers_no_schedule: bool,
}

/// An instance type of a NodePool.
#[derive(Debug)]
pub(super) struct Type {
    /// Its name.
    pub(super) name: String,
    /// What pods can have on it.
    pub(super) room: Resources,
    /// What limits count.
    pub(super) capacity: Resources,
    /// Its offerings: from, to.
    pub(super) offerings: (u32, u32),
    /// Values of the labels for which the NodePool asks a least number of values.
    pub(super) min_value_labels: Vec<Option<String>>,
}

/// An instance type in a zone for a capacity type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offering {
    /// The kind of node that it is.
    pub(super) kind: NodeKindId,
    /// Spot or on-demand.
    pub(super) capacity_type: CapacityType,
    /// Its capacity pool: the same for every NodePool.
    capacity_pool: u32,
}

impl Catalogue {
    /// Of a scenario.
    pub(super) fn of(kinds: &NodeKinds, scenario: &Scenario, settings: &Karpenter) -> Self {
        let mut order: Vec<usize> = (0..settings.node_pools.len()).collect();
        let key = |place: &usize| {
            let node_pool = &settings.node_pools[*place];
            (std::cmp::Reverse(node_pool.weight), node_pool.name.clone())
        };
        order.sort_by_cached_key(key);
        let mut catalogue = Self {
            of_kind: vec![None; kinds.len()],
            offering_of_kind: vec![0; kinds.len()],
            ..Self::default()
        };
        let mut capacity_pools: BTreeMap<(String, u32, CapacityType), u32> = BTreeMap::new();
        for (place, of) in order.into_iter().enumerate() {
            let mut by_name: BTreeMap<&str, Vec<(NodeKindId, &NodeKind)>> = BTreeMap::new();
            let groups = &settings.node_pools[of].groups;
            for (id, kind) in kinds.iter().filter(|(_, kind)| groups.contains(&kind.pool)) {
                by_name.entry(type_name(scenario, kind)).or_default().push((id, kind));
            }
            let mut pool = Pool {
                place: of,
                types: Vec::new(),
                offerings: Vec::new(),
                all: OfferingSet::none(0),
                prefers_no_schedule: settings.node_pools[of]
                    .taints
                    .iter()
                    .any(|taint| taint.effect == crate::scenario::TaintEffect::PreferNoSchedule),
            };
            for (name, offerings) in by_name {
                let number = pool.types.len() as u32;
                let from = pool.offerings.len() as u32;
                for (id, kind) in &offerings {
                    let next = capacity_pools.len() as u32;
                    let key = (name.to_owned(), kind.zone_number, kind.capacity_type);
                    catalogue.of_kind[id.0 as usize] = Some((place as u32, number));
                    catalogue.offering_of_kind[id.0 as usize] = pool.offerings.len() as u32;
                    pool.offerings.push(Offering {
                        kind: *id,
                        capacity_type: kind.capacity_type,
                        capacity_pool: *capacity_pools.entry(key).or_insert(next),
                    });
                }
                let of_type = Self::of_type(scenario, settings, of, name, offerings[0].1);
                let offerings = (from, pool.offerings.len() as u32);
                pool.types.push(Type { offerings, ..of_type });
            }
            pool.all = OfferingSet::none(pool.offerings.len());
            (0..pool.offerings.len()).for_each(|place| pool.all.insert(place));
            catalogue.pools.push(pool);
        }
        catalogue.unavailable_until = vec![SimTime::ZERO; capacity_pools.len()];
        catalogue
    }

    fn of_type(
        scenario: &Scenario,
        settings: &Karpenter,
        node_pool: usize,
        name: &str,
        kind: &NodeKind,
    ) -> Type {
        let instance_type =
            &scenario.pools[kind.pool as usize].instance_types[kind.instance_type as usize];
        let estimate = Resources {
            memory: estimated_memory(
                instance_type.memory,
                instance_type.max_pods,
                settings.vm_memory_overhead,
            ),
            ..kind.allocatable
        };
        let minimums = settings.node_pools[node_pool].requirements.iter();
        let minimums = minimums.filter(|requirement| requirement.min_values.is_some());
        Type {
            name: name.to_owned(),
            room: estimate.minus(&kind.daemonsets),
            capacity: kind.capacity,
            offerings: (0, 0),
            min_value_labels: minimums
                .map(|requirement| kind.labels.get(&requirement.requirement.key).cloned())
                .collect(),
        }
    }

    /// The NodePool (by place in the order of trying) and type of a kind of node.
    pub(super) fn of_kind(&self, kind: NodeKindId) -> Option<(usize, usize)> {
        let (pool, of_type) = (*self.of_kind.get(kind.0 as usize)?)?;
        Some((pool as usize, of_type as usize))
    }

    /// The offering of a kind of node of Karpenter's.
    pub(super) fn offering_of(&self, kind: NodeKindId) -> usize {
        self.offering_of_kind[kind.0 as usize] as usize
    }

    /// Karpenter's idea of the room on an empty node of that kind.
    pub(super) fn room(&self, kind: NodeKindId) -> Option<Resources> {
        let (pool, of_type) = self.of_kind(kind)?;
        Some(self.pools[pool].types[of_type].room)
    }

    /// A node of the kind was seen: its type's real room is known.
    pub(super) fn discover(&mut self, kind: NodeKindId, room: Resources) {
        if let Some((pool, of_type)) = self.of_kind(kind) {
            self.pools[pool].types[of_type].room = room;
        }
    }

    /// Whether the offering is not known to lack capacity.
    fn is_available(&self, offering: &Offering, now: SimTime) -> bool {
        self.unavailable_until[offering.capacity_pool as usize] <= now
    }

    /// Offerings of a NodePool that have capacity as far as is known.
    pub(super) fn available(&self, pool: usize, now: SimTime) -> OfferingSet {
        let of = &self.pools[pool];
        if self.any_unavailable_until <= now {
            return of.all.clone();
        }
        let mut set = OfferingSet::none(of.offerings.len());
        for (place, offering) in of.offerings.iter().enumerate() {
            if self.is_available(offering, now) {
                set.insert(place);
            }
        }
        set
    }

    /// The offering has no capacity. Gives when it is tried again.
    pub(super) fn mark_unavailable(&mut self, kind: NodeKindId, now: SimTime) -> Option<SimTime> {
        let (pool, _) = self.of_kind(kind)?;
        let offering = self.pools[pool].offerings[self.offering_of(kind)];
        let until = now.saturating_add(UNAVAILABLE_FOR);
        self.unavailable_until[offering.capacity_pool as usize] = until;
        self.any_unavailable_until = until;
        Some(until)
    }
}

impl Pool {
    /// Offerings of a type that are in the set, with their places.
    pub(super) fn offerings_in<'a>(
        &'a self,
        of_type: usize,
        set: &'a OfferingSet,
    ) -> impl Iterator<Item = &'a Offering> + 'a {
        let (from, to) = self.types[of_type].offerings;
        let places = (from as usize..to as usize).filter(|place| set.contains(*place));
        places.map(|place| &self.offerings[place])
    }

    /// The least price among a type's offerings in the set; `None` of none.
    pub(super) fn cheapest(
        &self,
        kinds: &NodeKinds,
        now: SimTime,
        of_type: usize,
        set: &OfferingSet,
    ) -> Option<HourlyPrice> {
        self.offerings_in(of_type, set).map(|offering| kinds.get(offering.kind).price_at(now)).min()
    }
}

fn type_name<'a>(scenario: &'a Scenario, kind: &NodeKind) -> &'a str {
    &scenario.pools[kind.pool as usize].instance_types[kind.instance_type as usize].name
}

/// The kubelet's memory that Karpenter expects on a machine.
fn estimated_memory(memory: Bytes, max_pods: u32, overhead: f64) -> Bytes {
    let off = memory.scale_floor(overhead).as_mib_ceil();
    let kept = 11 * u64::from(max_pods) + 255 + 100;
    memory.saturating_sub(Bytes::mib(off)).saturating_sub(Bytes::mib(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_estimated_as_upstream_does() {
        // m5.xlarge: 16384 MiB - 1229 - (11 * 58 + 255) - 100.
        assert_eq!(estimated_memory(Bytes::gib(16), 58, 0.075), Bytes::mib(14_162));
        assert_eq!(estimated_memory(Bytes::gib(16), 58, 0.0), Bytes::mib(15_391));
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let mut set = OfferingSet::none(130);
        assert!(set.is_empty());
        set.insert(0);
        set.insert(129);
        let mut other = OfferingSet::none(130);
        other.insert(129);
        set.intersect(&other);
        assert!(set.contains(129) && !set.contains(0) && !set.is_empty());
    }
}
