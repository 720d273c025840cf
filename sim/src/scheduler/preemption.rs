//! Preemption (`DefaultPreemption`): which pods of lower priority have to go so that a pod fits.
//!
//! Models upstream's choice on every node where the filter that failed can be helped by pods that
//! go: take all pods of lower priority away, give back as many as still let the pod pass every
//! filter (highest priority first, then the oldest), and among the nodes take the one with the
//! lowest highest victim priority, then the lowest sum of priorities, then the fewest victims, then
//! the latest start among the oldest of the most important victims, then the first. Leaves out:
//! disruption budgets, the sample of candidates on large clusters, and the victims' grace period.
//! Source: facts-kubernetes 1.4; upstream `framework/preemption`, `defaultpreemption`.

use std::cmp::Reverse;

use super::framework::Cycle;
use super::placement::room_of;
use crate::cluster::{Cluster, Node, NodeId, NodeState, PodId, Resources, SpecId};
use crate::engine::world::World;
use crate::units::SimTime;

/// Lowest first: highest priority among the victims, sum of their priorities (each counted from
/// the lowest possible one, so that more victims are more), their number, and how early the oldest
/// of the most important ones started.
type Rank = (i32, i128, usize, Reverse<SimTime>);

/// The node and its victims, or `None` if no preemption helps.
pub(crate) fn find_victims(world: &mut World, spec_id: SpecId) -> Option<(NodeId, Vec<PodId>)> {
    let spec = *world.cluster.specs.get(spec_id);
    if world.cluster.specs.lowest_priority() >= Some(spec.priority) {
        return None;
    }
    let World { cluster, scheduler, .. } = world;
    let cluster = &*cluster;
    let place = spec_id.0 as usize;
    if scheduler.no_victims.get(place) == Some(&cluster.classes.changes()) {
        return None;
    }
    let fits = scheduler.fits.of(cluster, spec.placement);
    let mut cycle = Cycle::new(cluster, &scheduler.scorer, fits, spec_id);
    let mut best: Option<(Rank, NodeId, Vec<PodId>)> = None;
    for node_id in &cluster.in_order {
        let node = &cluster.nodes[*node_id];
        if node.state != NodeState::Ready || node.lowest_priority >= spec.priority {
            continue;
        }
        let Some(victims) = victims_on(&mut cycle, node) else {
            continue;
        };
        let rank = rank(cluster, &victims);
        if best.as_ref().is_none_or(|(other, ..)| rank < *other) {
            best = Some((rank, *node_id, victims));
        }
    }
    if best.is_none() {
        let places = scheduler.no_victims.len().max(place + 1);
        scheduler.no_victims.resize(places, 0);
        scheduler.no_victims[place] = cluster.classes.changes();
    }
    best.map(|(_, node, victims)| (node, victims))
}

fn priority_of(cluster: &Cluster, pod: PodId) -> i32 {
    cluster.specs.get(cluster.pods[pod].spec).priority
}

fn rank(cluster: &Cluster, victims: &[PodId]) -> Rank {
    let priorities = victims.iter().map(|pod| priority_of(cluster, *pod));
    let highest = priorities.clone().max().unwrap_or(i32::MIN);
    let sum = priorities.clone().map(|p| i128::from(p) - i128::from(i32::MIN)).sum();
    let oldest = victims
        .iter()
        .filter(|pod| priority_of(cluster, **pod) == highest)
        .filter_map(|pod| cluster.pods[*pod].bound_at)
        .min();
    (highest, sum, victims.len(), Reverse(oldest.unwrap_or(SimTime::ZERO)))
}

/// The pods that have to go from `node`; `None` if the pod would not pass without them either, or
/// there are none of lower priority.
fn victims_on(cycle: &mut Cycle<'_>, node: &Node) -> Option<Vec<PodId>> {
    let cluster = cycle.cluster;
    let fit = cycle.fit(node);
    if fit.rejected.is_some() {
        return None;
    }
    let priority = cycle.spec.priority;
    // A pod that is ending already gives up its room anyway.
    let lower = node.pods.iter().copied().filter(|pod| {
        priority_of(cluster, *pod) < priority && cluster.pods[*pod].ends_at.is_none()
    });
    let mut lower: Vec<PodId> = lower.collect();
    // Asked first, because it is cheap and often the answer.
    if lower.is_empty() || !room_without(cluster, node, &lower).fits(&cycle.spec.requests) {
        return None;
    }
    if cycle.rejection(node).is_none_or(|rejection| rejection.unresolvable) {
        return None;
    }
    lower.sort_by_key(|pod| {
        let state = &cluster.pods[*pod];
        (Reverse(priority_of(cluster, *pod)), state.bound_at, state.number)
    });
    let mut gone = Vec::with_capacity(lower.len());
    gone.extend_from_slice(&lower);
    cycle.count_pods(node, &lower, -1);
    let victims = cycle.passes_without(node, &gone).then(|| {
        for pod in &lower {
            cycle.count_pods(node, &[*pod], 1);
            let place = gone.iter().position(|other| other == pod).expect("every one is gone");
            gone.remove(place);
            if !cycle.passes_without(node, &gone) {
                gone.insert(place, *pod);
                cycle.count_pods(node, &[*pod], -1);
            }
        }
        gone.clone()
    });
    cycle.count_pods(node, if victims.is_some() { &gone } else { &lower }, 1);
    victims
}

/// What is left on the node once the pods are gone.
fn room_without(cluster: &Cluster, node: &Node, pods: &[PodId]) -> Resources {
    let mut room = room_of(cluster, node);
    for pod in pods {
        room.add(&cluster.specs.get(cluster.pods[*pod].spec).requests);
    }
    room
}
