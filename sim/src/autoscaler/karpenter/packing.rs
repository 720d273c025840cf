//! Karpenter's scheduling simulation: pods onto nodes that are there, then onto planned ones.
//!
//! Pods are taken by CPU request, then memory request, largest first, then by age. Each goes to the
//! first node that holds it (ready ones before those that boot, in order of launch), then to the
//! planned node with the fewest pods that can take it, then to a new one of the heaviest NodePool
//! that has an instance type for it within its limits. Preferences are given up one at a time
//! ([`super::preferences`]). Pods of one spec are taken together, by the age of the oldest of them:
//! upstream mixes specs that request the same by age. Pods with rules about other pods
//! ([`super::topology`]) are taken one by one. Source: kubernetes-sigs/karpenter
//! `pkg/controllers/provisioning/scheduling/{scheduler,queue}.go`.

use std::cmp::Reverse;

use super::catalogue::Pool;
use super::catalogue::{Catalogue, OfferingSet};
use super::claim::{Claim, Rules};
use super::preferences::{Level, Levels};
use super::topology::{self, Domain, Placed, Rule};
use crate::cluster::{
    Cluster, NodeId, NodeKindId, NodeKinds, NodeState, PodSpec, Resources, SpecId,
};
use crate::scenario::{Karpenter, NodePoolLimits};
use crate::scheduler::room_of;
use crate::units::SimTime;

/// Pods of one spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PodGroup {
    pub(super) spec: SpecId,
    pub(super) count: u32,
    /// When the oldest of them was created.
    pub(super) since: SimTime,
}

/// A node that is there.
#[derive(Debug, Clone)]
struct Existing {
    node: NodeId,
    kind: NodeKindId,
    room: Resources,
    ready: bool,
    /// Specs that got a place on it and want to be alone of their kind.
    alone: Vec<SpecId>,
}

/// Why pods get no place, for each NodePool (by place in the order of trying).
pub(super) type Reasons = Vec<(usize, String)>;

/// Where pods go.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Nodes to launch.
    pub(super) claims: Vec<Claim>,
    /// Nodes that are there and get pods, with how many.
    pub(super) nominated: Vec<(NodeId, u32)>,
    /// Pods that get no place, with the reason for each NodePool (by place in the order of trying).
    pub(super) unplaced: Vec<(SpecId, u32, Reasons)>,
    /// Some pods go to nodes that are not ready.
    pub(super) on_booting: Vec<SpecId>,
}

/// What a simulation reads.
pub(super) struct Packing<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) catalogue: &'a Catalogue,
    pub(super) levels: &'a mut Levels,
    pub(super) settings: &'a Karpenter,
    existing: Vec<Existing>,
    /// Offerings with capacity, by NodePool.
    available: Vec<OfferingSet>,
    /// What limits leave, by NodePool.
    left: Vec<Left>,
    /// Nodes that are not there in this simulation.
    gone: &'a [NodeId],
    /// Every place that was given.
    placed: Vec<Placed>,
    plan: Plan,
}

/// What the limits of a NodePool leave.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Left {
    used: Resources,
    nodes: u32,
}

impl Left {
    fn allows(&self, limits: &NodePoolLimits, capacity: &Resources) -> bool {
        limits.cpu.is_none_or(|limit| self.used.cpu + capacity.cpu <= limit)
            && limits.memory.is_none_or(|limit| self.used.memory + capacity.memory <= limit)
            && limits.gpus.is_none_or(|limit| self.used.gpus() + capacity.gpus() <= limit)
            && limits.nodes.is_none_or(|limit| self.nodes < limit)
    }

    fn take(&mut self, capacity: &Resources) {
        self.used.add(&Resources { pods: 0, ..*capacity });
        self.nodes += 1;
    }
}

impl<'a> Packing<'a> {
    /// Of the cluster without the nodes of `gone`.
    pub(super) fn new(
        cluster: &'a Cluster,
        catalogue: &'a Catalogue,
        levels: &'a mut Levels,
        settings: &'a Karpenter,
        (now, gone): (SimTime, &'a [NodeId]),
    ) -> Self {
        let nodes = cluster.in_order.iter().map(|id| (*id, &cluster.nodes[*id]));
        let nodes =
            nodes.filter(|(id, node)| node.state != NodeState::Cordoned && !gone.contains(id));
        let mut existing: Vec<Existing> = nodes
            .map(|(id, node)| {
                let ready = node.state == NodeState::Ready;
                let estimate = || catalogue.room(node.kind);
                let expected = if ready { None } else { estimate() };
                let room = expected.unwrap_or_else(|| room_of(cluster, node));
                Existing { node: id, kind: node.kind, room, ready, alone: Vec::new() }
            })
            .collect();
        existing.sort_by_key(|node| !node.ready);
        let pools = 0..catalogue.pools.len();
        let mut left = vec![Left::default(); catalogue.pools.len()];
        for (_, node) in cluster.nodes.iter() {
            if let Some((pool, _)) = catalogue.of_kind(node.kind) {
                left[pool].take(&cluster.kinds.get(node.kind).capacity);
            }
        }
        let available = pools.map(|pool| catalogue.available(pool, now)).collect();
        Self {
            cluster,
            catalogue,
            levels,
            settings,
            existing,
            available,
            left,
            gone,
            placed: Vec::new(),
            plan: Plan::default(),
        }
    }

    /// Finds places for the pods.
    pub(super) fn pack(mut self, mut groups: Vec<PodGroup>) -> Plan {
        let specs = &self.cluster.specs;
        groups.sort_by_key(|group| {
            let requests = specs.get(group.spec).requests;
            (Reverse(requests.cpu), Reverse(requests.memory), group.since, group.spec)
        });
        let tolerate = self.catalogue.pools.iter().any(|pool| pool.prefers_no_schedule);
        let how = (tolerate, self.settings.ignore_preferences);
        for group in groups {
            let placement = self.cluster.specs.get(group.spec).placement;
            // Taken out for a moment, so that the rest can be changed.
            let mut levels = std::mem::take(self.levels.of(self.cluster, placement, how));
            let mut left = group.count;
            let mut reasons = Vec::new();
            for level in &mut levels {
                left = self.place(group.spec, level, left, &mut reasons);
                if left == 0 {
                    break;
                }
            }
            *self.levels.of(self.cluster, placement, how) = levels;
            if left > 0 {
                self.plan.unplaced.push((group.spec, left, reasons));
            }
        }
        self.plan
    }

    /// Finds places at one level of preferences; gives how many pods are left.
    fn place(
        &mut self,
        spec: SpecId,
        level: &mut Level,
        mut left: u32,
        reasons: &mut Reasons,
    ) -> u32 {
        let placement = self.cluster.specs.get(spec).placement;
        let template = level.template.clone();
        let mut rules =
            topology::rules(self.cluster, &template, placement, self.gone, &self.placed);
        let zones = if rules.is_empty() { Vec::new() } else { self.zones(level) };
        let mut about = About { rules: &mut rules, zones: &zones };
        let mut taken = u32::MAX;
        while left > 0 && taken > 0 && !level.alone {
            // With rules one at a time, as each changes what the next one may do.
            let most = if about.rules.is_empty() { left } else { 1 };
            taken = most - self.on_existing(spec, level, most, &mut about);
            left -= taken;
            if about.rules.is_empty() {
                break;
            }
        }
        if level.alone {
            left = self.on_existing(spec, level, left, &mut about);
        }
        while left > 0 {
            if !self.on_planned(spec, level, &mut about)
                && let Err(why) = self.on_new(spec, level, &mut about)
            {
                *reasons = why;
                break;
            }
            left -= 1;
        }
        left
    }

    /// Zones to which the pods could go if no other pods mattered.
    fn zones(&self, level: &mut Level) -> Vec<u32> {
        let offerings = self.catalogue.pools.iter().flat_map(|pool| &pool.offerings);
        let kinds = offerings.map(|offering| offering.kind);
        let kinds = kinds.chain(self.existing.iter().map(|node| node.kind));
        let allowed: Vec<NodeKindId> =
            kinds.filter(|kind| level.allows(self.cluster, *kind)).collect();
        topology::zones_of(&self.cluster.kinds, allowed.into_iter())
    }

    /// Puts pods onto nodes that are there; gives how many are left.
    fn on_existing(
        &mut self,
        spec: SpecId,
        level: &mut Level,
        mut left: u32,
        about: &mut About<'_, '_>,
    ) -> u32 {
        let PodSpec { requests: request, placement, .. } = *self.cluster.specs.get(spec);
        for node in &mut self.existing {
            if left == 0 {
                break;
            }
            if !node.room.fits(&request) {
                continue;
            }
            let host = Domain::Node(self.cluster.nodes[node.node].number);
            let zone = self.cluster.kinds.get(node.kind).zone_number;
            if !about.allows(host, zone) {
                continue;
            }
            if !level.allows(self.cluster, node.kind) || (level.alone && node.alone.contains(&spec))
            {
                continue;
            }
            let most = if level.alone { 1 } else { left };
            let taken = node.room.times(&request).min(left).min(most);
            node.room = node.room.minus(&request.repeated(taken));
            left -= taken;
            self.placed.push((placement, taken, host, Some(zone)));
            about.placed(host, Some(zone));
            if level.alone {
                node.alone.push(spec);
            }
            if !node.ready {
                self.plan.on_booting.push(spec);
            }
            match self.plan.nominated.iter_mut().find(|(other, _)| *other == node.node) {
                Some((_, pods)) => *pods += taken,
                None => self.plan.nominated.push((node.node, taken)),
            }
        }
        left
    }

    /// Puts a pod onto the planned node with the fewest pods that can take it.
    fn on_planned(&mut self, spec: SpecId, level: &mut Level, about: &mut About<'_, '_>) -> bool {
        let PodSpec { requests: request, placement, .. } = *self.cluster.specs.get(spec);
        let claims = &self.plan.claims;
        let open = |place: &usize| {
            let claim = &claims[*place];
            !(claim.is_full_for(&request) || level.alone && claim.alone.contains(&spec))
        };
        let mut open: Vec<usize> = (0..claims.len()).filter(open).collect();
        open.sort_by_key(|place| claims[*place].pods);
        open.into_iter().any(|place| {
            let pool = self.plan.claims[place].pool;
            let accepted = &level.offerings(self.cluster, self.catalogue, pool).0;
            let of = &self.catalogue.pools[pool];
            let rules = rules(self.settings, of.place);
            let claim = &mut self.plan.claims[place];
            let host = Domain::Claim(place);
            let Some((zone, accepted)) =
                about.choose(&self.cluster.kinds, of, &claim.offerings, accepted, host)
            else {
                return false;
            };
            let added = claim.add(of, &accepted, &request, rules).is_ok();
            if added {
                if level.alone {
                    claim.alone.push(spec);
                }
                self.placed.push((placement, 1, host, zone));
                about.placed(host, zone);
            }
            added
        })
    }

    /// Plans a new node for a pod.
    ///
    /// # Errors
    /// The reason of each NodePool.
    fn on_new(
        &mut self,
        spec: SpecId,
        level: &mut Level,
        about: &mut About<'_, '_>,
    ) -> Result<(), Reasons> {
        let PodSpec { requests: request, placement, .. } = *self.cluster.specs.get(spec);
        let host = Domain::Claim(self.plan.claims.len());
        let mut reasons = Vec::new();
        for (place, of) in self.catalogue.pools.iter().enumerate() {
            let rules = rules(self.settings, of.place);
            let (accepted, tainted) = level.offerings(self.cluster, self.catalogue, place);
            if *tainted {
                reasons.push((place, "did not tolerate taint(s)".to_owned()));
                continue;
            }
            if accepted.is_empty() {
                reasons.push((place, "incompatible requirements".to_owned()));
                continue;
            }
            let limits = &rules.settings.limits;
            let left = &self.left[place];
            let allowed =
                |of_type: &u32| left.allows(limits, &of.types[*of_type as usize].capacity);
            let types: Vec<u32> = (0..of.types.len() as u32).filter(allowed).collect();
            if types.is_empty() {
                let why = format!(
                    "all available instance types exceed limits for nodepool: {:?}",
                    rules.settings.name
                );
                reasons.push((place, why));
                continue;
            }
            let available = &self.available[place];
            let kinds = &self.cluster.kinds;
            let Some((zone, accepted)) = about.choose(kinds, of, available, accepted, host) else {
                let why = "unsatisfiable topology constraint for pods near it";
                reasons.push((place, why.to_owned()));
                continue;
            };
            let mut claim = Claim::new(place, of, available.clone(), types);
            match claim.add(of, &accepted, &request, rules) {
                Ok(()) => {
                    self.placed.push((placement, 1, host, zone));
                    about.placed(host, zone);
                    if level.alone {
                        claim.alone.push(spec);
                    }
                    self.left[place].take(&claim.largest(of));
                    self.plan.claims.push(claim);
                    return Ok(());
                }
                Err(why) => reasons.push((place, why)),
            }
        }
        Err(reasons)
    }
}

/// What the pods that are being placed say about others.
struct About<'r, 'a> {
    rules: &'r mut Vec<Rule<'a>>,
    /// Zones to which they could go.
    zones: &'r [u32],
}

impl About<'_, '_> {
    fn allows(&self, host: Domain, zone: u32) -> bool {
        self.rules.iter().all(|rule| {
            let domain = if rule.by_host { host } else { Domain::Zone(zone) };
            rule.allows(domain, self.zones)
        })
    }

    fn placed(&mut self, host: Domain, zone: Option<u32>) {
        self.rules.iter_mut().for_each(|rule| rule.placed(host, zone));
    }

    /// The zone that a planned node must have for the pod, where rules say so, and the offerings
    /// that the pod then accepts. `None` where rules allow none.
    fn choose(
        &self,
        kinds: &NodeKinds,
        of: &Pool,
        open: &OfferingSet,
        accepted: &OfferingSet,
        host: Domain,
    ) -> Option<(Option<u32>, OfferingSet)> {
        if self.rules.is_empty() {
            return Some((None, accepted.clone()));
        }
        let mut by_host = self.rules.iter().filter(|rule| rule.by_host);
        if !by_host.all(|rule| rule.allows(host, self.zones)) {
            return None;
        }
        if self.rules.iter().all(|rule| rule.by_host) {
            return Some((None, accepted.clone()));
        }
        let mut both = open.clone();
        both.intersect(accepted);
        let offerings = || {
            let all = of.offerings.iter().enumerate();
            all.filter(|(place, _)| both.contains(*place))
        };
        let zones = topology::zones_of(kinds, offerings().map(|(_, offering)| offering.kind));
        let zone = topology::zone_for(self.rules, &zones, self.zones)?;
        let mut set = OfferingSet::none(of.offerings.len());
        for (place, offering) in offerings() {
            if kinds.get(offering.kind).zone_number == zone {
                set.insert(place);
            }
        }
        Some((Some(zone), set))
    }
}

fn rules(settings: &Karpenter, node_pool: usize) -> Rules<'_> {
    Rules {
        settings: &settings.node_pools[node_pool],
        min_values_best_effort: settings.min_values_best_effort,
    }
}
