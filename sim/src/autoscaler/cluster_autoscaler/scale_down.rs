//! Scale-down: nodes that stayed unneeded for long enough, out of cooldown, go.
//!
//! In upstream's order: eligibility (state, utilisation), then whether the pods may be evicted and
//! fit elsewhere, then the timers; deletion only out of cooldown, empty nodes first. Leaves out:
//! `unremovable-node-recheck-timeout` and the candidate limits (every node is looked at in every
//! loop), unready nodes (the model's nodes are ready or booting), failed deletions.
//! Source: kubernetes/autoscaler `core/scaledown`; facts-kubernetes 2.3.

use super::drainability::{Drain, DrainFlags, PodFacts, drainability};
use super::eligibility::{self, Candidate, Thresholds, WELL_USED};
use super::removal::{self, GroupSize, Unneeded};
use super::utilization::{self, Ignored, PodClass, Utilization};
use crate::cluster::{
    Cluster, Node, NodeId, NodeKindId, NodeState, Pod, PodOwner, Resources, SpecId,
};
use crate::engine::event::{Event, ProvisionerEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::{PodResult, ScalingDecision, ScalingRecord};
use crate::scenario::ClusterAutoscaler;
use crate::scheduler::room_of;
use crate::units::SimTime;
use crate::{control_plane, lifecycle, provisioner};

/// Updates the unneeded timers and deletes what is due. Tells whether the next scan may see
/// something else although nothing else happens: see [`stay_awake`].
pub(super) fn scale_down(world: &mut World, cx: &mut Cx<'_>, flags: &ClusterAutoscaler) -> bool {
    let (unneeded, limited) = update_timers(world, cx, flags);
    if unneeded.is_empty() {
        return limited;
    }
    if !in_cooldown(world, cx, flags, None) {
        delete_due(world, cx, flags, &unneeded);
    }
    limited || unneeded.iter().any(|id| stay_awake(world, cx, *id))
}

/// Timers run: an unneeded node above its group's least size comes due by itself. An unneeded node
/// with pods may become needed again when others fill up, which wakes nobody.
fn stay_awake(world: &World, cx: &Cx<'_>, id: NodeId) -> bool {
    let Some(node) = world.cluster.nodes.get(id) else { return false };
    let pool = world.cluster.kinds.get(node.kind).pool as usize;
    let above = world.pools[pool].target() > cx.scenario.pools[pool].min_size;
    node.state == NodeState::Ready && (above || !node.pods.is_empty())
}

/// Nodes that are unneeded now: little used, no pod that must stay, and room elsewhere for the
/// pods that may move; and whether there may be more than are tracked at once.
fn update_timers(
    world: &mut World,
    cx: &mut Cx<'_>,
    flags: &ClusterAutoscaler,
) -> (Vec<NodeId>, bool) {
    let mut unneeded = Vec::new();
    let before = world.cluster.in_order.iter();
    let known = before.filter(|id| world.cluster.nodes[**id].unneeded_since.is_some()).count();
    // Upstream's `unneededNodesLimit`.
    let most = known.saturating_add(2 * flags.max_scale_down_parallelism as usize);
    let mut limited = false;
    for place in 0..world.cluster.in_order.len() {
        let id = world.cluster.in_order[place];
        let node = &mut world.cluster.nodes[id];
        // Nothing new can be said of a node that was well used and has the same pods since.
        if node.state != NodeState::Ready || node.well_used {
            node.unneeded_since = None;
            continue;
        }
        let mut reason = unremovable(world, cx, flags, id);
        world.cluster.nodes[id].well_used = reason == Some(WELL_USED);
        if reason.is_none() && unneeded.len() >= most {
            limited = true;
            reason = Some("UnneededNodesLimit");
        }
        note(world, cx, id, reason);
        if reason.is_none() {
            world.cluster.nodes[id].unneeded_since.get_or_insert(cx.now);
            unneeded.push(id);
        } else {
            world.cluster.nodes[id].unneeded_since = None;
        }
    }
    (unneeded, limited)
}

/// Records that a node became unneeded, or why it is kept although it is little used: once per
/// reason. Nodes that are well used are not worth a word unless their timer ran.
fn note(world: &mut World, cx: &mut Cx<'_>, id: NodeId, reason: Option<&'static str>) {
    let node = &mut world.cluster.nodes[id];
    if node.kept_because == reason && (reason.is_some() || node.unneeded_since.is_some()) {
        return;
    }
    let quiet = reason == Some(WELL_USED) && node.unneeded_since.is_none();
    node.kept_because = reason;
    if !quiet {
        let decision = match reason {
            None => ScalingDecision::Unneeded,
            Some(_) => ScalingDecision::NoScaleDown,
        };
        record(world, cx, id, decision, reason.unwrap_or("unneeded: its timer runs"));
    }
}

fn record(
    world: &World,
    cx: &mut Cx<'_>,
    id: NodeId,
    decision: ScalingDecision,
    reason: &'static str,
) {
    let node = &world.cluster.nodes[id];
    let pool = Some(world.cluster.kinds.get(node.kind).pool);
    cx.sink.scaling(ScalingRecord { at: cx.now, pool, node: Some(node.number), decision, reason });
}

/// Upstream's reason against holding the node for unneeded.
fn unremovable(
    world: &mut World,
    cx: &Cx<'_>,
    flags: &ClusterAutoscaler,
    id: NodeId,
) -> Option<&'static str> {
    let node = &world.cluster.nodes[id];
    let pool = world.cluster.kinds.get(node.kind).pool as usize;
    let candidate = Candidate {
        recently_unremovable: false,
        being_deleted_for: None,
        scale_down_disabled: cx.scenario.pools[pool].scale_down_disabled,
        ready: true,
        utilization: utilization(&world.cluster, node, flags).ok(),
    };
    let thresholds = Thresholds {
        utilization: flags.scale_down_utilization_threshold,
        gpu: flags.scale_down_gpu_utilization_threshold,
        unready: true,
    };
    if let Some(reason) = eligibility::unremovable(&candidate, &thresholds) {
        return Some(reason);
    }
    let drain = DrainFlags {
        skip_custom_controllers: flags.skip_nodes_with_custom_controller_pods,
        skip_system: true,
        skip_local_storage: flags.skip_nodes_with_local_storage,
    };
    let blocked = node.pods.iter().find_map(|pod| {
        let facts = facts_of(&world.cluster, &world.cluster.pods[*pod]);
        match drainability(&facts, &drain) {
            Drain::Block(reason) => Some(reason),
            Drain::Skip | Drain::Evict => None,
        }
    });
    if blocked.is_some() {
        return blocked;
    }
    (!fits_elsewhere(world, id)).then_some("NoPlaceToMovePods")
}

/// What the drainability rules read of one of the model's pods. A driver and a trace pod have no
/// controller; an executor's is its driver, a Pod; a pause pod's is a ReplicaSet.
fn facts_of(cluster: &Cluster, pod: &Pod) -> PodFacts<'static> {
    let placement = cluster.specs.placement(cluster.specs.get(pod.spec).placement);
    let controller = match pod.owner {
        PodOwner::Driver(_) | PodOwner::Trace(_) => None,
        PodOwner::Executor(..) => Some("Pod"),
        PodOwner::Pause => Some("ReplicaSet"),
    };
    PodFacts {
        safe_to_evict: placement.safe_to_evict,
        controller,
        system: placement.template.namespace == "kube-system",
        local_storage: placement.local_storage,
        ..PodFacts::default()
    }
}

/// Whether a delay after an addition or a deletion still runs; of the group, where the delays are
/// local to groups.
fn in_cooldown(world: &World, cx: &Cx<'_>, flags: &ClusterAutoscaler, pool: Option<u32>) -> bool {
    let within = |since: Option<SimTime>, delay| {
        since.is_some_and(|since| cx.now < since.saturating_add(delay))
    };
    let (added, deleted) = match (flags.scale_down_delay_type_local, pool) {
        (false, _) => {
            let Some(state) = world.autoscaler.cluster_autoscaler() else { return true };
            (state.last_scale_up, state.last_delete)
        }
        (true, None) => (None, None),
        (true, Some(pool)) => {
            let state = &world.pools[pool as usize];
            (state.last_scale_up, state.last_delete)
        }
    };
    within(added, flags.scale_down_delay_after_add)
        || within(deleted, flags.scale_down_delay_after_delete)
}

/// Empty nodes first, at most `max-scale-down-parallelism` deletions under way in all, and at most
/// `max-drain-parallelism` of nodes with pods to move.
fn delete_due(world: &mut World, cx: &mut Cx<'_>, flags: &ClusterAutoscaler, unneeded: &[NodeId]) {
    let due_by = flags.scale_down_unneeded_time;
    let mut due: Vec<NodeId> = unneeded
        .iter()
        .copied()
        .filter(|id| {
            let since = world.cluster.nodes[*id].unneeded_since;
            since.is_some_and(|since| cx.now > since.saturating_add(due_by))
        })
        .collect();
    if due.is_empty() {
        return;
    }
    due.sort_by_key(|id| !world.cluster.nodes[*id].pods.is_empty());
    let mut sizes: Vec<GroupSize> = world
        .pools
        .iter()
        .zip(&cx.scenario.pools)
        .map(|(state, pool)| GroupSize {
            size: state.target() + state.leaving,
            deletions: state.leaving,
            min: pool.min_size,
        })
        .collect();
    // Before the first deletion, which starts a delay of its own.
    let pools = 0..world.pools.len() as u32;
    let local = flags.scale_down_delay_type_local;
    let cooling: Vec<bool> =
        pools.map(|pool| local && in_cooldown(world, cx, flags, Some(pool))).collect();
    let mut capacity = CapacityLeft::of(world, flags);
    let mut budget = flags
        .max_scale_down_parallelism
        .saturating_sub(world.pools.iter().map(|state| state.leaving).sum());
    let mut drains = flags.max_drain_parallelism;
    for id in due {
        if budget == 0 {
            break;
        }
        let node = &world.cluster.nodes[id];
        let Some(since) = node.unneeded_since else { continue };
        let (empty, kind) = (node.pods.is_empty(), world.cluster.kinds.get(node.kind));
        let group = kind.pool;
        if (!empty && (drains == 0 || !fits_elsewhere(world, id))) || cooling[group as usize] {
            continue;
        }
        let unneeded = Unneeded { group, since, wait: due_by };
        let kind = world.cluster.kinds.get(world.cluster.nodes[id].kind);
        if !capacity.allows(&kind.capacity)
            || removal::unremovable(&unneeded, cx.now, &mut sizes).is_some()
        {
            continue;
        }
        capacity.take(&kind.capacity);
        drains -= u32::from(!empty);
        budget -= 1;
        delete(world, cx, flags, id);
    }
}

/// What the cluster has above the lower bounds of `cores-total` and its like.
struct CapacityLeft {
    cores: u64,
    memory: u64,
    gpus: u64,
}

impl CapacityLeft {
    fn of(world: &World, flags: &ClusterAutoscaler) -> Self {
        let (mut cores, mut memory, mut gpus) = (0, 0, 0);
        for id in &world.cluster.in_order {
            let node = &world.cluster.nodes[*id];
            if node.state != NodeState::Cordoned {
                let capacity = &world.cluster.kinds.get(node.kind).capacity;
                cores += cores_of(capacity);
                memory += capacity.memory.as_u64();
                gpus += capacity.gpus();
            }
        }
        let min_memory = flags.memory_total.min.saturating_mul(1 << 30);
        Self {
            cores: cores.saturating_sub(flags.cores_total.min),
            memory: memory.saturating_sub(min_memory),
            gpus: gpus.saturating_sub(flags.gpu_total.map_or(0, |limit| limit.min)),
        }
    }

    fn allows(&self, node: &Resources) -> bool {
        cores_of(node) <= self.cores
            && node.memory.as_u64() <= self.memory
            && node.gpus() <= self.gpus
    }

    fn take(&mut self, node: &Resources) {
        self.cores -= cores_of(node);
        self.memory -= node.memory.as_u64();
        self.gpus -= node.gpus();
    }
}

fn cores_of(capacity: &Resources) -> u64 {
    capacity.cpu.as_millis().div_ceil(1000)
}

fn delete(world: &mut World, cx: &mut Cx<'_>, flags: &ClusterAutoscaler, id: NodeId) {
    let empty = world.cluster.nodes[id].pods.is_empty();
    let reason = if empty { "unneeded and empty" } else { "unneeded, its pods fit elsewhere" };
    record(world, cx, id, ScalingDecision::ScaleDown, reason);
    world.cluster.set_node_state(id, NodeState::Cordoned);
    let pool = world.cluster.kinds.get(world.cluster.nodes[id].kind).pool;
    world.pools[pool as usize].leaving += 1;
    provisioner::forget_replacement(world, id);
    world.pools[pool as usize].last_delete = Some(cx.now);
    control_plane::on_scale_down(world, cx);
    lifecycle::evict_all(world, cx, id, PodResult::Deleted);
    if let Some(state) = world.autoscaler.cluster_autoscaler_mut() {
        state.last_delete = Some(cx.now);
    }
    let delay = flags.node_delete_delay_after_taint;
    cx.after(delay, Event::Provisioner(ProvisionerEvent::NodeDeleted(id)));
}

fn utilization(
    cluster: &Cluster,
    node: &Node,
    flags: &ClusterAutoscaler,
) -> Result<Utilization, &'static str> {
    let kind = cluster.kinds.get(node.kind);
    let regular = (node.requested.minus(&kind.daemonsets), PodClass::Regular);
    let daemonsets = (kind.daemonsets, PodClass::DaemonSet);
    let ignored = Ignored { daemonsets: flags.ignore_daemonsets_utilization, mirror: false };
    let gpu_node = kind.capacity.gpus() > 0;
    let pods = [regular, daemonsets].into_iter();
    utilization::calculate(&kind.allocatable, gpu_node, pods, ignored)
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
