//! Scale-down: nodes that stayed unneeded for long enough, out of cooldown, go.

use crate::cluster::{Cluster, Node, NodeId, NodeKindId, NodeState, Resources, SpecId};
use crate::engine::event::{Event, ProvisionerEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::PodResult;
use crate::scenario::ClusterAutoscaler;
use crate::scheduler::room_of;
use crate::{control_plane, lifecycle};

/// Updates the unneeded timers and deletes what is due. Tells whether a node is unneeded and could
/// go later.
pub(super) fn scale_down(world: &mut World, cx: &mut Cx<'_>, flags: &ClusterAutoscaler) -> bool {
    let unneeded = update_timers(world, cx, flags);
    if unneeded.is_empty() {
        return false;
    }
    if !in_cooldown(world, cx, flags) {
        delete_due(world, cx, flags, &unneeded);
    }
    unneeded.iter().any(|id| {
        let node = world.cluster.nodes.get(*id);
        node.is_some_and(|node| node.state == NodeState::Ready && above_minimum(world, cx, node))
    })
}

/// Nodes that are unneeded now: little used, no pod that must stay, and room elsewhere for the
/// pods that may move.
fn update_timers(world: &mut World, cx: &Cx<'_>, flags: &ClusterAutoscaler) -> Vec<NodeId> {
    let mut unneeded = Vec::new();
    for place in 0..world.cluster.in_order.len() {
        let id = world.cluster.in_order[place];
        let node = &world.cluster.nodes[id];
        let candidate = node.state == NodeState::Ready
            && utilization(&world.cluster, node, flags) <= flags.scale_down_utilization_threshold
            && movable(&world.cluster, node)
            && fits_elsewhere(world, id);
        let node = &mut world.cluster.nodes[id];
        if candidate {
            node.unneeded_since.get_or_insert(cx.now);
            unneeded.push(id);
        } else {
            node.unneeded_since = None;
        }
    }
    unneeded
}

fn in_cooldown(world: &World, cx: &Cx<'_>, flags: &ClusterAutoscaler) -> bool {
    let Some(state) = world.autoscaler.as_ref() else {
        return true;
    };
    let within = |since: Option<crate::units::SimTime>, delay| {
        since.is_some_and(|since| cx.now < since.saturating_add(delay))
    };
    within(state.last_scale_up, flags.scale_down_delay_after_add)
        || within(state.last_delete, flags.scale_down_delay_after_delete)
}

/// Empty nodes first, at most `max-scale-down-parallelism` in all, one of them with pods to move
/// (`max-drain-parallelism` 1).
fn delete_due(world: &mut World, cx: &mut Cx<'_>, flags: &ClusterAutoscaler, unneeded: &[NodeId]) {
    let mut due: Vec<NodeId> = unneeded
        .iter()
        .copied()
        .filter(|id| {
            let since = world.cluster.nodes[*id].unneeded_since;
            // Upstream asks for `since + unneeded time` to be before now.
            since.is_some_and(|since| cx.now > since.saturating_add(flags.scale_down_unneeded_time))
        })
        .collect();
    due.sort_by_key(|id| !world.cluster.nodes[*id].pods.is_empty());
    let (mut deleted, mut drained) = (0, 0);
    for id in due {
        if deleted == flags.max_scale_down_parallelism || drained == 1 {
            break;
        }
        let node = &world.cluster.nodes[id];
        if !above_minimum(world, cx, node) {
            continue;
        }
        if !node.pods.is_empty() {
            if !fits_elsewhere(world, id) {
                continue;
            }
            drained += 1;
        }
        deleted += 1;
        delete(world, cx, flags, id);
    }
}

fn delete(world: &mut World, cx: &mut Cx<'_>, flags: &ClusterAutoscaler, id: NodeId) {
    world.cluster.set_node_state(id, NodeState::Cordoned);
    let pool = world.cluster.kinds.get(world.cluster.nodes[id].kind).pool;
    world.pools[pool as usize].leaving += 1;
    control_plane::on_scale_down(world, cx);
    lifecycle::evict_all(world, cx, id, PodResult::Deleted);
    if let Some(state) = world.autoscaler.as_mut() {
        state.last_delete = Some(cx.now);
    }
    let delay = flags.node_delete_delay_after_taint;
    cx.after(delay, Event::Provisioner(ProvisionerEvent::NodeDeleted(id)));
}

fn above_minimum(world: &World, cx: &Cx<'_>, node: &Node) -> bool {
    let pool = world.cluster.kinds.get(node.kind).pool;
    let state = &world.pools[pool as usize];
    state.nodes - state.leaving > cx.scenario.pools[pool as usize].min_size
}

/// The greater of CPU and memory requests over allocatable.
fn utilization(cluster: &Cluster, node: &Node, flags: &ClusterAutoscaler) -> f64 {
    let kind = cluster.kinds.get(node.kind);
    let (mut requested, mut allocatable) = (node.requested, kind.allocatable);
    if flags.ignore_daemonsets_utilization {
        requested = requested.minus(&kind.daemonsets);
        allocatable = allocatable.minus(&kind.daemonsets);
    }
    let ratio = |part: u64, whole: u64| {
        if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
    };
    ratio(requested.cpu.as_millis(), allocatable.cpu.as_millis())
        .max(ratio(requested.memory.as_u64(), allocatable.memory.as_u64()))
}

/// No pod of the node has to stay. A pod without a controller of its own (a Spark driver, an
/// executor, a trace pod) has to, unless its template says that it is safe to evict.
fn movable(cluster: &Cluster, node: &Node) -> bool {
    node.pods.iter().all(|pod| {
        let spec = cluster.specs.get(cluster.pods[*pod].spec);
        cluster.specs.placement(spec.placement).evictable
    })
}

/// Whether the node's pods fit on the other ready nodes, first fit.
fn fits_elsewhere(world: &mut World, id: NodeId) -> bool {
    let node = &world.cluster.nodes[id];
    if node.pods.is_empty() {
        return true;
    }
    let specs: Vec<SpecId> = node.pods.iter().map(|pod| world.cluster.pods[*pod].spec).collect();
    let others = world.cluster.in_order.iter().filter(|other| **other != id);
    let mut rooms: Vec<(NodeKindId, Resources)> = others
        .map(|other| &world.cluster.nodes[*other])
        .filter(|other| other.state == NodeState::Ready)
        .map(|other| (other.kind, room_of(&world.cluster, other)))
        .collect();
    specs.into_iter().all(|spec| {
        let spec = *world.cluster.specs.get(spec);
        for (kind, room) in &mut rooms {
            let fit = world.scheduler.static_fit(&world.cluster, spec.placement, *kind);
            if fit.rejected.is_none() && room.fits(&spec.requests) {
                *room = room.minus(&spec.requests);
                return true;
            }
        }
        false
    })
}
