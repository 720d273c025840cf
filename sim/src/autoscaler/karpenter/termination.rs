//! Nodes on their way out: cordon, drain, end.
//!
//! A node that goes is cordoned (the taint `karpenter.sh/disrupted`), its pods are evicted, and
//! when the last one has ended the instance is terminated. Pods with `do-not-disrupt` are not
//! evicted: the drain waits for them, at most for `terminationGracePeriod`. `expireAfter` is
//! forceful: it waits for no replacement and asks no budget. An interruption notice drains at once,
//! and its offering counts as unavailable. Leaves out: the order of eviction by priority class,
//! volume detachment. Source: kubernetes-sigs/karpenter `pkg/controllers/node/termination`,
//! `nodeclaim/expiration`; facts-kubernetes 3.

use super::{candidates, disruption, launch};
use crate::cluster::{Cluster, NodeId, NodeState, PodId, PodOwner};
use crate::engine::event::{AutoscalerEvent, Event, KarpenterEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::{DisruptedBy, PodResult, ScalingDecision, ScalingRecord};
use crate::spark::AttemptId;
use crate::units::{SimDuration, SimTime};
use crate::{control_plane, lifecycle, provisioner};

/// One of Karpenter's events.
pub(super) const fn event(event: KarpenterEvent) -> Event {
    Event::Autoscaler(AutoscalerEvent::Karpenter(event))
}

/// Takes the node out of service for now, and records why.
pub(super) fn cordon(
    world: &mut World,
    cx: &mut Cx<'_>,
    node_id: NodeId,
    by: DisruptedBy,
    reason: &str,
) {
    let node = &mut world.cluster.nodes[node_id];
    node.disrupted_by.get_or_insert(by);
    let (number, pool) = (node.number, world.cluster.kinds.get(node.kind).pool);
    world.cluster.set_node_state(node_id, NodeState::Cordoned);
    cx.sink.scaling(ScalingRecord {
        at: cx.now,
        pool: Some(pool),
        node: Some(number),
        decision: ScalingDecision::Disrupt,
        reason,
    });
}

/// Evicts what may be evicted from a cordoned node; it goes when it is empty.
pub(super) fn drain(
    world: &mut World,
    cx: &mut Cx<'_>,
    node_id: NodeId,
    by: DisruptedBy,
    result: PodResult,
) {
    let Some(settings) = cx.scenario.karpenter() else { return };
    let Some(number) = world.cluster.nodes.get(node_id).map(|node| node.number) else { return };
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let Some(facts) = state.nodes.get_mut(&number) else { return };
    if std::mem::replace(&mut facts.draining, true) {
        return;
    }
    facts.waits = false;
    let grace = settings.node_pools[facts.node_pool].termination_grace_period;
    if let Some(grace) = grace {
        cx.after(grace, event(KarpenterEvent::GraceOver(node_id)));
    }
    control_plane::on_scale_down(world, cx);
    cx.outcome.disruptions.entry(by).or_default().nodes += 1;
    evict(world, cx, node_id, (by, result), false);
    disruption::changed(world, cx);
    if world.cluster.nodes.get(node_id).is_some_and(|node| node.pods.is_empty()) {
        cx.after(SimDuration::ZERO, event(KarpenterEvent::Drained(node_id)));
    }
}

/// The node is empty: the instance goes.
pub(super) fn on_drained(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(node) = world.cluster.nodes.get(node_id) else { return };
    if !node.pods.is_empty() {
        return;
    }
    cx.outcome.spot_interruptions += u64::from(node.interrupted);
    provisioner::terminate(world, cx, node_id);
}

/// The node is older than `expireAfter`.
pub(super) fn on_expired(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(node) = world.cluster.nodes.get(node_id) else { return };
    match node.state {
        NodeState::Cordoned => {}
        NodeState::Booting => provisioner::terminate(world, cx, node_id),
        NodeState::Ready => {
            cordon(world, cx, node_id, DisruptedBy::Expired, "expired: older than expireAfter");
            drain(world, cx, node_id, DisruptedBy::Expired, PodResult::Deleted);
        }
    }
}

/// `terminationGracePeriod` is over: the node goes with whatever is on it.
pub(super) fn on_grace_over(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(node) = world.cluster.nodes.get(node_id) else { return };
    let by = node.disrupted_by.unwrap_or(DisruptedBy::Expired);
    evict(world, cx, node_id, (by, PodResult::Deleted), true);
    lifecycle::end_all_terminating(world, cx, node_id);
    on_drained(world, cx, node_id);
}

/// The node is under notice. Tells whether it is one of Karpenter's.
pub(super) fn interrupted(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) -> bool {
    let node = &world.cluster.nodes[node_id];
    let (number, kind) = (node.number, node.kind);
    let Some(state) = world.autoscaler.karpenter_mut() else { return false };
    let Some(facts) = state.nodes.get(&number) else { return false };
    let draining = facts.draining;
    launch::mark_unavailable(world, cx, kind);
    if !draining {
        let by = DisruptedBy::Interrupted;
        world.cluster.nodes[node_id].disrupted_by = Some(by);
        cordon(world, cx, node_id, by, "spot interruption warning: the node is drained");
        drain(world, cx, node_id, by, PodResult::SpotReclaimed);
    }
    true
}

/// Evicts pods, and counts what that loses. `all`: those with `do-not-disrupt` too.
fn evict(
    world: &mut World,
    cx: &mut Cx<'_>,
    node_id: NodeId,
    (by, result): (DisruptedBy, PodResult),
    all: bool,
) {
    let Some(node) = world.cluster.nodes.get(node_id) else { return };
    let owners = node.pods.iter().map(|pod| world.cluster.pods[*pod].owner);
    let mut attempts: Vec<AttemptId> = Vec::new();
    for owner in owners {
        if let PodOwner::Executor(attempt, _) = owner
            && !attempts.contains(&attempt)
        {
            attempts.push(attempt);
        }
    }
    let lost = |world: &World| -> Vec<Option<SimDuration>> {
        let attempt = |id: &AttemptId| world.attempts.get(*id);
        let time = |id| attempt(id).map(|attempt| attempt.progress.task_time_lost);
        attempts.iter().map(time).collect()
    };
    let before = lost(world);
    // Ending a driver ends executors that may be on the same node, so the list is read anew.
    while let Some(pod) = next_victim(&world.cluster, node_id, all) {
        let driver = matches!(world.cluster.pods[pod].owner, PodOwner::Driver(_));
        let total = cx.outcome.disruptions.entry(by).or_default();
        total.pods += 1;
        total.drivers += u64::from(driver);
        lifecycle::lose_pod(world, cx, pod, result);
    }
    let after = lost(world);
    let total = cx.outcome.disruptions.entry(by).or_default();
    for (before, after) in before.into_iter().zip(after) {
        if let (Some(before), Some(after)) = (before, after) {
            total.task_time_lost += after.saturating_sub(before);
        }
    }
}

fn next_victim(cluster: &Cluster, node_id: NodeId, all: bool) -> Option<PodId> {
    let mut pods = cluster.nodes.get(node_id)?.pods.iter().rev().copied();
    pods.find(|pod| {
        cluster.pods[*pod].ends_at.is_none() && (all || !candidates::is_protected(cluster, *pod))
    })
}

/// The node takes pods again.
pub(super) fn uncordon(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(number) = world.cluster.nodes.get(node_id).map(|node| node.number) else { return };
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let Some(facts) = state.nodes.get_mut(&number).filter(|facts| !facts.draining) else { return };
    facts.waits = false;
    facts.nominated_until = SimTime::ZERO;
    // Not before: a node that drains for another reason keeps that.
    world.cluster.nodes[node_id].disrupted_by = None;
    world.cluster.set_node_state(node_id, NodeState::Ready);
    crate::scheduler::room_freed(world, cx, node_id);
}
