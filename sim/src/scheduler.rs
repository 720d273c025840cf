//! kube-scheduler: a queue, one pod at a time, filters, scores, preemption.
//!
//! Models: the active queue ordered by priority, then age; backoff (1 s doubling to 10 s); the
//! unschedulable pool, woken by what may help; filters and scores of the profile; preemption of
//! pods of lower priority; a bounded number of pods a second. Leaves out: percentage of nodes
//! scored (all are), PodTopologySpread and InterPodAffinity terms, nominated nodes, several
//! profiles at once. Source: facts-kubernetes 1.3 and 1.4.
//!
//! What wakes an unschedulable pod: room freed on a node that its request fits into (a pod ended, a
//! node became ready). As many of a kind are woken as fit; whenever one of them is placed or
//! deleted, the next of its kind is woken, so that the chain ends only with a pod that did not fit.

pub(crate) mod filter;
pub(crate) mod framework;
mod placement;
mod preemption;
mod queue;
pub(crate) mod score;

pub(crate) use placement::{Decision, room_of};
pub(crate) use queue::Scheduler;

use crate::cluster::{NodeId, NodeState, PodId, PodPhase, SpecId};
use crate::engine::event::{Event, SchedulerEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::PodResult;
use crate::units::SimDuration;
use crate::{autoscaler::cluster_autoscaler, lifecycle};

/// `podInitialBackoffSeconds` and `podMaxBackoffSeconds`.
const BACKOFF_INITIAL: SimDuration = SimDuration::seconds(1);
const BACKOFF_MAX: SimDuration = SimDuration::seconds(10);

/// Puts a pod into the active queue.
pub(crate) fn enqueue(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
    let pod = &mut world.cluster.pods[pod_id];
    pod.phase = PodPhase::Active;
    let priority = world.cluster.specs.get(pod.spec).priority;
    world.scheduler.push_active(pod_id, priority, pod.created_at, pod.number);
    schedule_cycle(world, cx);
}

/// The next pod of the active queue is tried.
pub(crate) fn on_cycle(world: &mut World, cx: &mut Cx<'_>) {
    world.scheduler.cycle_scheduled = false;
    let Some(pod_id) = next_active(world) else {
        return;
    };
    let per_second = u64::from(cx.scenario.assumptions.scheduler_pods_per_s.max(1));
    world.scheduler.free_at = cx.now + SimDuration::from_millis(1000 / per_second);
    let spec = world.cluster.pods[pod_id].spec;
    let decision = world.scheduler.known_failure(spec).map_or_else(
        || placement::find_node(world, cx, pod_id),
        |reason| Decision::Rejected { reason },
    );
    match decision {
        Decision::Node(node) => place(world, cx, pod_id, node),
        Decision::Rejected { reason } => {
            world.scheduler.note_failure(spec, reason);
            match preemption::find_victims(world, cx, spec) {
                Some((node, victims)) => preempt(world, cx, pod_id, node, victims),
                None => park(world, cx, pod_id, reason),
            }
        }
    }
    schedule_cycle(world, cx);
}

/// A woken pod's backoff is over.
pub(crate) fn on_backoff_over(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
    let Some(pod) = world.cluster.pods.get(pod_id) else {
        return;
    };
    if pod.phase == PodPhase::Backoff {
        let spec = pod.spec;
        world.scheduler.leave_backoff(spec);
        enqueue(world, cx, pod_id);
    }
}

/// There is room on `node_id` that was not there before: whoever may use it is woken.
pub(crate) fn room_freed(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    world.scheduler.epoch += 1;
    let Some(node) = world.cluster.nodes.get(node_id) else {
        return;
    };
    if node.state != NodeState::Ready || !world.scheduler.anyone_waits() {
        return;
    }
    let (room, kind) = (room_of(&world.cluster, node), node.kind);
    for spec in world.scheduler.waiting_specs() {
        let request = *world.cluster.specs.get(spec);
        let fit = world.scheduler.static_fit(&world.cluster, request.placement, kind);
        if fit.rejected.is_none() {
            for _ in 0..room.times(&request.requests) {
                if !wake_one(world, cx, spec) {
                    break;
                }
            }
        }
    }
}

/// The pod ends or is deleted: if it was pending, it leaves the queue.
pub(crate) fn forget(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
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

/// The victims go and the pod takes their room. The loss of a driver ends its executors with it:
/// other victims, or the pod itself, may be among them.
fn preempt(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId, node: NodeId, victims: Vec<PodId>) {
    for victim in victims {
        if world.cluster.pods.get(victim).is_some() {
            lifecycle::lose_pod(world, cx, victim, PodResult::Preempted);
        }
    }
    if world.cluster.pods.get(pod_id).is_some() {
        place(world, cx, pod_id, node);
    }
}

fn place(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId, node: NodeId) {
    let spec = world.cluster.pods[pod_id].spec;
    lifecycle::bind(world, cx, pod_id, node);
    wake_one(world, cx, spec);
}

/// Nothing can be done for the pod now: it waits for [`room_freed`], and the autoscaler is told.
fn park(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId, reason: u32) {
    let pod = &mut world.cluster.pods[pod_id];
    if pod.failed_attempts == 0 {
        world.control_plane.add_events(cx.now, 1);
    }
    pod.failed_attempts += 1;
    pod.last_attempt_at = cx.now;
    pod.reason.get_or_insert(reason);
    pod.phase = PodPhase::Unschedulable;
    world.scheduler.park(pod.spec, pod_id);
    cluster_autoscaler::arm(world, cx);
}

/// Wakes the longest waiting pod of `spec`; false if none waits.
fn wake_one(world: &mut World, cx: &mut Cx<'_>, spec: SpecId) -> bool {
    while let Some(pod_id) = world.scheduler.take_waiting(spec) {
        let Some(pod) = world.cluster.pods.get_mut(pod_id) else {
            continue;
        };
        if pod.phase != PodPhase::Unschedulable {
            continue;
        }
        world.scheduler.leave_waiting(spec);
        let exponent = pod.failed_attempts.saturating_sub(1).min(10);
        let backoff = (BACKOFF_INITIAL * (1 << exponent)).min(BACKOFF_MAX);
        let eligible_at = pod.last_attempt_at + backoff;
        if eligible_at <= cx.now {
            enqueue(world, cx, pod_id);
        } else {
            pod.phase = PodPhase::Backoff;
            world.scheduler.enter_backoff(spec);
            cx.at(eligible_at, Event::Scheduler(SchedulerEvent::BackoffOver(pod_id)));
        }
        return true;
    }
    false
}

fn next_active(world: &mut World) -> Option<PodId> {
    while let Some(pod_id) = world.scheduler.pop_active() {
        let alive = world.cluster.pods.get(pod_id);
        if alive.is_some_and(|pod| pod.phase == PodPhase::Active) {
            return Some(pod_id);
        }
    }
    None
}

fn schedule_cycle(world: &mut World, cx: &mut Cx<'_>) {
    if !world.scheduler.cycle_scheduled && world.scheduler.has_active() {
        world.scheduler.cycle_scheduled = true;
        cx.at(world.scheduler.free_at, Event::Scheduler(SchedulerEvent::Cycle));
    }
}
