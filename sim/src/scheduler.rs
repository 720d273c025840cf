//! kube-scheduler: a queue, one pod at a time, filters, scores, preemption.
//!
//! Models: the active queue ordered by priority, then by time of queueing; backoff; the
//! unschedulable pool, woken by what may help; filters and scores of the profile; the share of
//! nodes that is searched; preemption of pods of lower priority, and nominated nodes; a bounded
//! number of pods a second. Leaves out: several profiles at once, and that a waiting pod could
//! preempt pods that were bound after its last attempt, before something wakes it.
//! Source: facts-kubernetes 1.3 and 1.4.
//!
//! What wakes an unschedulable pod: room freed on a node that its request fits into (a pod ended, a
//! node became ready); for a pod with a nominated node, also the end of that node; for a pod with
//! required terms about other pods, any pod that is bound or ends. As many of a kind
//! are woken as fit; whenever one of them is placed or deleted, the next of its kind is woken, so
//! that the chain ends only with a pod that did not fit. `retry` says how this relates to upstream's
//! attempts in vain.

mod classes;
pub(crate) mod filter;
pub(crate) mod framework;
mod node_tree;
mod nominated;
mod placement;
mod preemption;
mod queue;
mod reasons;
mod retry;
pub(crate) mod score;
#[cfg(test)]
mod test_cluster;
#[cfg(test)]
mod tests;
pub(crate) mod ties;
mod verdicts;

pub(crate) use classes::NodeClasses;
pub(crate) use node_tree::NodeTree;
pub(crate) use placement::{Decision, room_of};
pub(crate) use queue::Scheduler;

use crate::cluster::{NodeId, NodeState, Pod, PodId, PodPhase, SpecId};
use crate::engine::event::{Event, SchedulerEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::{PodResult, WaitingRecord};
use crate::units::{SimDuration, SimTime};
use crate::{autoscaler, control_plane, lifecycle};

/// Of the pods of one spec that wait, so many are looked at for the one that is tried next: the
/// longest waiting. Others were parked later, and hardly ever come before all of these.
const WAITING_LOOKED_AT: usize = 64;

/// Puts a pod into the active queue.
pub(crate) fn enqueue(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
    activate(world, pod_id);
    schedule_cycle(world, cx);
}

/// The next pod of the active queue is tried.
pub(crate) fn on_cycle(world: &mut World, cx: &mut Cx<'_>) {
    world.scheduler.cycle_scheduled = false;
    let Some(pod_id) = next_pod(world, cx.now) else {
        return;
    };
    let per_second = u64::from(cx.scenario.assumptions.scheduler_pods_per_s.max(1));
    world.scheduler.free_at = cx.now + SimDuration::from_millis(1000 / per_second);
    forget_reasons(world);
    let spec = world.cluster.pods[pod_id].spec;
    // What is known of a spec need not hold for a pod that others leave room for.
    let alike = world.scheduler.nominations.is_empty();
    let known = world.scheduler.known_failure(spec).filter(|_| alike);
    let decision = known.map_or_else(
        || placement::find_node(world, cx, pod_id),
        |reason| Decision::Rejected { reason },
    );
    match decision {
        Decision::Node(node) => place(world, cx, pod_id, node),
        Decision::Rejected { reason } => {
            world.scheduler.note_failure(spec, reason);
            let waits = world.scheduler.nominations.awaits_victims(&world.cluster, pod_id);
            let victims = if waits { None } else { preemption::find_victims(world, spec) };
            match victims {
                Some((node, victims)) => preempt(world, cx, pod_id, node, victims, reason),
                None => park(world, cx, pod_id, reason),
            }
        }
    }
    schedule_cycle(world, cx);
}

/// Forgets messages that no pod has any more, where they have become many.
fn forget_reasons(world: &mut World) {
    let World { cluster, scheduler, .. } = world;
    if scheduler.reasons.is_full() {
        let pods = cluster.pods.iter().flat_map(|(_, pod)| [pod.reason, pod.last_reason]);
        let used: Vec<u32> = pods.flatten().chain(scheduler.known_failures()).collect();
        scheduler.reasons.keep(used.into_iter());
    }
}

/// A woken pod's backoff is over.
pub(crate) fn on_backoff_over(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
    let Some(pod) = world.cluster.pods.get(pod_id) else {
        return;
    };
    if pod.phase == PodPhase::Backoff && pod.backoff_until <= cx.now {
        world.scheduler.leave_backoff(pod.spec);
        enqueue(world, cx, pod_id);
    }
}

/// There is room on `node_id` that was not there before: whoever may use it is woken.
pub(crate) fn room_freed(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    world.scheduler.epoch += 1;
    let scheduler = &mut world.scheduler;
    if !scheduler.anyone_waits() {
        return;
    }
    if !scheduler.retry_times.pops_from_backoff {
        scheduler.moves.note(cx.now);
    }
    if !scheduler.nominations.is_empty() {
        wake_nominated(world, cx, node_id);
    }
    wake_by_terms(world, cx);
    let Some(node) = world.cluster.nodes.get(node_id) else {
        return;
    };
    if node.state != NodeState::Ready {
        return;
    }
    let (room, kind) = (room_of(&world.cluster, node), node.kind);
    for spec in world.scheduler.waiting_specs() {
        let request = *world.cluster.specs.get(spec);
        let fit = world.scheduler.static_fit(&world.cluster, request.placement, kind);
        if fit.rejected.is_none() {
            let left =
                room.minus(&world.scheduler.nominations.reserved(node_id, None, request.priority));
            for _ in 0..left.times(&request.requests) {
                if !wake_one(world, cx, spec) {
                    break;
                }
            }
        }
    }
}

/// The node is gone: who waited for room on it looks elsewhere.
pub(crate) fn node_gone(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    if world.scheduler.nominations.is_empty() {
        return;
    }
    for pod_id in world.scheduler.nominations.on(node_id) {
        world.scheduler.nominations.remove(&mut world.cluster, pod_id);
        wake(world, cx, pod_id);
    }
}

/// The pod ends or is deleted: if it was pending, it leaves the queue.
pub(crate) fn forget(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
    give_up_nomination(world, cx, pod_id, None);
    let pod = &world.cluster.pods[pod_id];
    let (phase, spec) = (pod.phase, pod.spec);
    match phase {
        PodPhase::Bound => {}
        PodPhase::Unschedulable => world.scheduler.leave_waiting(spec),
        PodPhase::Backoff => {
            world.scheduler.leave_backoff(spec);
            wake_one(world, cx, spec);
        }
        PodPhase::Active => {
            wake_one(world, cx, spec);
        }
    }
}

/// The victims go, and the pod takes their room: at once if they are gone at once, else it is
/// nominated for the node and waits for their end. The loss of a driver ends its executors with it:
/// other victims, or the pod itself, may be among them.
fn preempt(
    world: &mut World,
    cx: &mut Cx<'_>,
    pod_id: PodId,
    node_id: NodeId,
    victims: Vec<PodId>,
    reason: u32,
) {
    for victim in &victims {
        if world.cluster.pods.get(*victim).is_some() {
            lifecycle::lose_pod(world, cx, *victim, PodResult::Preempted);
        }
    }
    let Some(pod) = world.cluster.pods.get(pod_id) else {
        return;
    };
    let requests = world.cluster.specs.get(pod.spec).requests;
    let node = world.cluster.nodes.get(node_id);
    if node.is_some_and(|node| room_of(&world.cluster, node).fits(&requests)) {
        return place(world, cx, pod_id, node_id);
    }
    if node.is_some() {
        let World { cluster, scheduler, .. } = world;
        let displaced = scheduler.nominations.add(cluster, pod_id, node_id, victims);
        displaced.into_iter().for_each(|other| wake(world, cx, other));
    }
    park(world, cx, pod_id, reason);
}

fn place(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId, node: NodeId) {
    let spec = world.cluster.pods[pod_id].spec;
    lifecycle::bind(world, cx, pod_id, node);
    give_up_nomination(world, cx, pod_id, Some(node));
    if world.cluster.specs.any_required_terms {
        // What did not fit beside the pods that were there may fit beside this one.
        world.scheduler.epoch += 1;
        wake_by_terms(world, cx);
    }
    wake_one(world, cx, spec);
}

/// A pod came or went somewhere: pods that required terms about other pods keep waiting are tried
/// again, one of each kind, whichever node that was on. Source: upstream's queueing hints of
/// InterPodAffinity and PodTopologySpread, which look at more of the pod than this does.
fn wake_by_terms(world: &mut World, cx: &mut Cx<'_>) {
    let specs = &world.cluster.specs;
    if !specs.any_required_terms {
        return;
    }
    let everyone = specs.any_required_anti_affinity;
    for spec in world.scheduler.waiting_specs() {
        let specs = &world.cluster.specs;
        if everyone || specs.placement(specs.get(spec).placement).has_required_terms() {
            wake_one(world, cx, spec);
        }
    }
}

/// The pod needs its nominated node no longer: that has room for others, unless the pod is on it.
fn give_up_nomination(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId, bound: Option<NodeId>) {
    if world.scheduler.nominations.is_empty() {
        return;
    }
    let node = world.scheduler.nominations.remove(&mut world.cluster, pod_id);
    if let Some(node) = node.filter(|node| Some(*node) != bound) {
        room_freed(world, cx, node);
    }
}

/// Nothing can be done for the pod now: it waits for [`room_freed`], and the autoscaler is told.
fn park(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId, reason: u32) {
    control_plane::on_failed_scheduling(world, cx, pod_id);
    let pod = &mut world.cluster.pods[pod_id];
    world.scheduler.retry_times.note(pod, pod.failed_attempts + 1, cx.now);
    pod.reason.get_or_insert(reason);
    pod.phase = PodPhase::Unschedulable;
    if pod.last_reason.replace(reason) != Some(reason) {
        let (reason, kind) = world.scheduler.reason(reason);
        cx.sink.waiting(WaitingRecord { pod: pod.number, at: cx.now, reason, kind });
    }
    world.scheduler.park(pod.spec, pod_id, pod.backoff_until);
    autoscaler::pod_unschedulable(world, cx);
}

/// Wakes the next pod of `spec`; false if none waits.
fn wake_one(world: &mut World, cx: &mut Cx<'_>, spec: SpecId) -> bool {
    let Some(pod_id) = take_waiting(world, cx.now, spec) else {
        return false;
    };
    wake(world, cx, pod_id);
    true
}

/// Wakes an unschedulable pod: it is tried when its backoff is over.
fn wake(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
    let Some(pod) = world.cluster.pods.get_mut(pod_id) else {
        return;
    };
    if pod.phase != PodPhase::Unschedulable {
        return;
    }
    let scheduler = &mut world.scheduler;
    let spec = pod.spec;
    if !scheduler.retry_times.pops_from_backoff {
        scheduler.moves.tries(&scheduler.retry_times, pod, cx.now);
    }
    let end = pod.backoff_until;
    scheduler.leave_waiting(spec);
    if end <= cx.now {
        return enqueue(world, cx, pod_id);
    }
    pod.phase = PodPhase::Backoff;
    scheduler.enter_backoff(spec);
    if scheduler.retry_times.pops_from_backoff {
        let priority = world.cluster.specs.get(spec).priority;
        scheduler.push_backoff(pod_id, pod, priority, end);
        schedule_cycle(world, cx);
    } else {
        cx.at(end, Event::Scheduler(SchedulerEvent::BackoffOver(pod_id)));
    }
}

/// Takes that pod of `spec` out of those that wait which is tried first when they are all moved
/// now: the longest waiting one, and where backoff delays, the one whose backoff ends first.
fn take_waiting(world: &mut World, now: SimTime, spec: SpecId) -> Option<PodId> {
    let World { cluster, scheduler, .. } = world;
    let retry = scheduler.retry_times;
    // The queue is taken out for a moment, so that the rest of the scheduler can be read.
    let mut queue = std::mem::take(scheduler.waiting_queue(spec));
    let waits = |pod: &Pod| pod.phase == PodPhase::Unschedulable;
    while queue.front().is_some_and(|(id, _)| !cluster.pods.get(*id).is_some_and(waits)) {
        queue.pop_front();
    }
    let mut first: Option<(SimTime, usize)> = None;
    for (place, (id, until)) in queue.iter_mut().enumerate().take(WAITING_LOOKED_AT) {
        if *until >= now && first.is_some_and(|(other, _)| other <= *until) {
            // Tried when its backoff is over, if it still waits: not before the other one.
            continue;
        }
        let Some(pod) = cluster.pods.get_mut(*id).filter(|pod| waits(pod)) else {
            continue;
        };
        let tried = match retry.pops_from_backoff {
            true => now,
            false => scheduler.moves.tries(&retry, pod, now),
        };
        *until = pod.backoff_until;
        if first.is_none_or(|(other, _)| tried < other) {
            first = Some((tried, place));
        }
        if tried <= now {
            break;
        }
    }
    let pod_id = first.and_then(|(_, place)| queue.remove(place)).map(|(pod_id, _)| pod_id);
    *scheduler.waiting_queue(spec) = queue;
    pod_id
}

/// Wakes those who wait for their victims on the node, if they now fit there, or it takes no pods
/// any more.
fn wake_nominated(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    for pod_id in world.scheduler.nominations.on(node_id) {
        let Some(pod) = world.cluster.pods.get(pod_id) else {
            continue;
        };
        let spec = world.cluster.specs.get(pod.spec);
        let useful = world.cluster.nodes.get(node_id).is_none_or(|node| {
            let nominations = &world.scheduler.nominations;
            let others = nominations.reserved(node_id, Some(pod_id), spec.priority);
            let room = room_of(&world.cluster, node).minus(&others);
            node.state != NodeState::Ready || room.fits(&spec.requests)
        });
        if useful {
            wake(world, cx, pod_id);
        }
    }
}

/// The next pod to try: of the active queue, or else of those that back off, where the scheduler
/// may take them early.
fn next_pod(world: &mut World, now: SimTime) -> Option<PodId> {
    while let Some(pod_id) = world.scheduler.pop_backoff(now) {
        if leave_backoff(world, pod_id) {
            activate(world, pod_id);
        }
    }
    while let Some(pod_id) = world.scheduler.pop_active() {
        let alive = world.cluster.pods.get(pod_id);
        if alive.is_some_and(|pod| pod.phase == PodPhase::Active) {
            return Some(pod_id);
        }
    }
    while let Some(pod_id) = world.scheduler.pop_backoff(SimTime::MAX) {
        if leave_backoff(world, pod_id) {
            world.cluster.pods[pod_id].phase = PodPhase::Active;
            return Some(pod_id);
        }
    }
    None
}

/// The pod backs off no longer; false if it is gone.
fn leave_backoff(world: &mut World, pod_id: PodId) -> bool {
    let backs_off = world.cluster.pods.get(pod_id).filter(|pod| pod.phase == PodPhase::Backoff);
    let Some(pod) = backs_off else {
        return false;
    };
    world.scheduler.leave_backoff(pod.spec);
    true
}

fn activate(world: &mut World, pod_id: PodId) {
    let pod = &mut world.cluster.pods[pod_id];
    pod.phase = PodPhase::Active;
    let priority = world.cluster.specs.get(pod.spec).priority;
    world.scheduler.push_active(pod_id, pod, priority);
}

fn schedule_cycle(world: &mut World, cx: &mut Cx<'_>) {
    if !world.scheduler.cycle_scheduled && world.scheduler.has_work() {
        world.scheduler.cycle_scheduled = true;
        cx.at(world.scheduler.free_at, Event::Scheduler(SchedulerEvent::Cycle));
    }
}
