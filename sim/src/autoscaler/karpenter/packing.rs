//! Karpenter's scheduling simulation: pods onto nodes that are there, then onto planned ones.
//!
//! Pods are taken by CPU request, then memory request, largest first, then by age. Each goes to the
//! first node that holds it (ready ones before those that boot, in order of launch), then to the
//! planned node with the fewest pods that can take it, then to a new one of the heaviest NodePool that
//! has an instance type for it within its limits. Preferences are given up one at a time
//! ([`super::preferences`]). Pods of one spec are taken together, by the age of the oldest of them:
//! upstream mixes specs that request the same by age. Pod affinity and spread constraints are not
//! looked at beyond hosts (`Level::alone`).
//! Source: kubernetes-sigs/karpenter `pkg/controllers/provisioning/scheduling/{scheduler,queue}.go`.

use std::cmp::Reverse;

use super::catalogue::{Catalogue, OfferingSet};
use super::claim::{self, Claim, Rules};
use super::preferences::{Level, Levels};
use crate::cluster::{Cluster, NodeId, NodeKindId, NodeState, Resources, SpecId};
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

/// Where pods go.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Nodes to launch.
    pub(super) claims: Vec<Claim>,
    /// Nodes that are there and get pods, with how many.
    pub(super) nominated: Vec<(NodeId, u32)>,
    /// Pods that get no place, with the reason for each NodePool (by place in the order of trying).
    pub(super) unplaced: Vec<(SpecId, u32, Vec<(usize, String)>)>,
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
        (now, gone): (SimTime, &[NodeId]),
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
        let available = pools.map(|pool| claim::available(catalogue, pool, now)).collect();
        let plan = Plan::default();
        Self { cluster, catalogue, levels, settings, existing, available, left, plan }
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
                left = self.on_existing(group.spec, level, left);
                while left > 0 {
                    if self.on_planned(group.spec, level) {
                        left -= 1;
                        continue;
                    }
                    match self.on_new(group.spec, level) {
                        Ok(()) => left -= 1,
                        Err(why) => {
                            reasons = why;
                            break;
                        }
                    }
                }
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

    /// Puts pods onto nodes that are there; gives how many are left.
    fn on_existing(&mut self, spec: SpecId, level: &mut Level, mut left: u32) -> u32 {
        let request = self.cluster.specs.get(spec).requests;
        for node in &mut self.existing {
            if left == 0 {
                break;
            }
            // The scheduler has just refused the nodes that are there, for what rules say.
            if (level.has_rules && node.ready) || !node.room.fits(&request) {
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
    fn on_planned(&mut self, spec: SpecId, level: &mut Level) -> bool {
        let request = self.cluster.specs.get(spec).requests;
        let claims = &self.plan.claims;
        let open = |place: &usize| {
            let claim = &claims[*place];
            !claim.is_full_for(&request) && !(level.alone && claim.alone.contains(&spec))
        };
        let mut open: Vec<usize> = (0..claims.len()).filter(open).collect();
        open.sort_by_key(|place| claims[*place].pods);
        open.into_iter().any(|place| {
            let pool = self.plan.claims[place].pool;
            let accepted = &level.offerings(self.cluster, self.catalogue, pool).0;
            let of = &self.catalogue.pools[pool];
            let rules = rules(self.settings, of.place);
            let added = self.plan.claims[place].add(of, accepted, &request, rules).is_ok();
            if added && level.alone {
                self.plan.claims[place].alone.push(spec);
            }
            added
        })
    }

    /// Plans a new node for a pod.
    ///
    /// # Errors
    /// The reason of each NodePool.
    fn on_new(&mut self, spec: SpecId, level: &mut Level) -> Result<(), Vec<(usize, String)>> {
        let request = self.cluster.specs.get(spec).requests;
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
            let mut claim = Claim::new(place, of, self.available[place].clone(), types);
            match claim.add(of, accepted, &request, rules) {
                Ok(()) => {
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

fn rules(settings: &Karpenter, node_pool: usize) -> Rules<'_> {
    Rules {
        settings: &settings.node_pools[node_pool],
        min_values_best_effort: settings.min_values_best_effort,
    }
}
