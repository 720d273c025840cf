//! Preemption: which pods of lower priority have to go so that a pod fits.
//!
//! Models upstream's choice on every node: take all pods of lower priority away, give back as many
//! as still fit (highest priority first, then the oldest), and among the nodes take the one with
//! the lowest highest victim priority, then the lowest sum of priorities, then the fewest victims,
//! then the first. Leaves out: disruption budgets, the sample of candidates on large clusters, and
//! the victims' grace period. Source: facts-kubernetes 1.4.

use std::cmp::Reverse;

use super::placement::room_of;
use crate::cluster::{Cluster, Node, NodeId, NodeState, PodId, Resources, SpecId};
use crate::engine::world::World;

/// Lowest first: highest priority among the victims, sum of their priorities, their number.
type Rank = (i32, i64, usize);

/// The node and its victims, or `None` if no preemption helps.
pub(crate) fn find_victims(world: &mut World, spec_id: SpecId) -> Option<(NodeId, Vec<PodId>)> {
    let spec = *world.cluster.specs.get(spec_id);
    if world.cluster.specs.lowest_priority() >= Some(spec.priority) {
        return None;
    }
    let cluster = &world.cluster;
    let mut best: Option<(Rank, NodeId, Vec<PodId>)> = None;
    for node_id in &cluster.in_order {
        let node = &cluster.nodes[*node_id];
        if node.state != NodeState::Ready || node.pods.is_empty() {
            continue;
        }
        let Some(victims) = victims_on(cluster, node, &spec.requests, spec.priority) else {
            continue;
        };
        if world.scheduler.static_fit(cluster, spec.placement, node.kind).rejected.is_some() {
            continue;
        }
        let priority = |pod: &PodId| cluster.specs.get(cluster.pods[*pod].spec).priority;
        let highest = victims.iter().map(priority).max().unwrap_or(i32::MIN);
        let sum = victims.iter().map(|pod| i64::from(priority(pod))).sum();
        let rank = (highest, sum, victims.len());
        if best.as_ref().is_none_or(|(other, ..)| rank < *other) {
            best = Some((rank, *node_id, victims));
        }
    }
    best.map(|(_, node, victims)| (node, victims))
}

fn victims_on(
    cluster: &Cluster,
    node: &Node,
    request: &Resources,
    priority: i32,
) -> Option<Vec<PodId>> {
    let priority_of = |pod: PodId| cluster.specs.get(cluster.pods[pod].spec).priority;
    let mut lower: Vec<PodId> =
        node.pods.iter().copied().filter(|pod| priority_of(*pod) < priority).collect();
    lower.retain(|pod| cluster.pods[*pod].ends_at.is_none());
    if lower.is_empty() {
        return None;
    }
    let mut room = room_of(cluster, node);
    let requests = |pod: PodId| cluster.specs.get(cluster.pods[pod].spec).requests;
    for pod in &lower {
        room.add(&requests(*pod));
    }
    if !room.fits(request) {
        return None;
    }
    room = room.minus(request);
    lower.sort_by_key(|pod| {
        (Reverse(priority_of(*pod)), cluster.pods[*pod].bound_at, cluster.pods[*pod].number)
    });
    lower.retain(|pod| {
        let stays = room.fits(&requests(*pod));
        if stays {
            room = room.minus(&requests(*pod));
        }
        !stays
    });
    Some(lower)
}
