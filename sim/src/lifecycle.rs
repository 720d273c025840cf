//! The life of a pod: created, bound, started, ended; and what its time cost.
//!
//! Models: images (see `images`), init containers one after the other, container start, then the
//! process' own start (JVM and `SparkContext`, or executor registration) as one random latency per
//! pod. A bound pod that is deleted, drained or preempted keeps its room until its containers have ended:
//! `podTermination` after the SIGTERM, at most its grace period, and not longer than its node is
//! there; its owner forgets it at once. Leaves out: readiness probes, what a decommissioned
//! executor does in its grace period.

use rand_distr::StandardNormal;

use crate::cluster::{
    Cluster, Node, NodeId, Placement, PlacementId, Pod, PodId, PodOwner, PodSpec, Resources,
};
use crate::control_plane::{self, Reason};
use crate::engine::event::{Event, PodEvent};
use crate::engine::world::{Cx, World};
use crate::ledger::Charge;
use crate::outcome::{Billed, CoreTime, Ledger, PodRecord, PodResult, PodUse};
use crate::rng::RngExt;
use crate::scenario::PodTemplate;
use crate::spark::application;
use crate::units::{NanoUsd, SimDuration, SimTime};
use crate::{autoscaler, images, ledger, overprovisioning, scheduler};

/// Creates a pod; it goes to the scheduler's queue.
pub(crate) fn create_pod(
    world: &mut World,
    cx: &mut Cx<'_>,
    owner: PodOwner,
    spec: PodSpec,
    slots: u32,
) -> PodId {
    let number = world.cluster.pods_created;
    world.cluster.pods_created += 1;
    let spec = world.cluster.specs.intern(spec);
    let pod = world.cluster.pods.insert(Pod::new(number, owner, spec, slots, cx.now));
    let pods = world.cluster.pods.len();
    cx.outcome.pods_peak = cx.outcome.pods_peak.max(pods as u64);
    world.control_plane.pod_created(cx.now, pods);
    scheduler::enqueue(world, cx, pod);
    pod
}

/// A pod of the pod trace is created.
pub(crate) fn on_trace_pod_created(world: &mut World, cx: &mut Cx<'_>, place: u32) {
    let pod = &cx.workload.pods[place as usize];
    let placement = trace_pod_placement(world, cx, place);
    let requests = Resources::of_pod(pod.cpu, pod.memory).with_gpus(pod.gpus);
    let spec = PodSpec::of(requests, placement, pod.priority);
    cx.outcome.trace_pods += 1;
    create_pod(world, cx, PodOwner::Trace(place), spec, 1);
}

/// The placement of a pod of the pod trace: often that of the one before.
fn trace_pod_placement(world: &mut World, cx: &Cx<'_>, place: u32) -> PlacementId {
    let pod = &cx.workload.pods[place as usize];
    if let Some((before, placement)) = world.last_trace_pod {
        let before = &cx.workload.pods[before as usize];
        if (before.priority, &before.node_selector) == (pod.priority, &pod.node_selector) {
            return placement;
        }
    }
    let template = PodTemplate {
        node_selector: pod.node_selector.clone(),
        priority: pod.priority,
        ..PodTemplate::default()
    };
    let placement = Placement { template, ..Placement::default() };
    let placement = world.cluster.specs.intern_placement(placement);
    world.last_trace_pod = Some((place, placement));
    placement
}

/// The scheduler has chosen `node_id`: the pod is bound and its containers start.
pub(crate) fn bind(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId, node_id: NodeId) {
    world.cluster.bind(pod_id, node_id, cx.now);
    world.cluster.nodes[node_id].unneeded_since = None;
    autoscaler::pod_bound(world, cx, node_id);
    let pod = &mut world.cluster.pods[pod_id];
    if pod.owner == PodOwner::Pause {
        pod.ready_at = Some(cx.now);
        control_plane::on_bound(world, cx, pod_id, false);
        return;
    }
    cx.outcome.pod_scheduling_delay.add(cx.now.since(pod.created_at));
    let here = images::are_there(world, cx, pod_id, node_id);
    control_plane::on_bound(world, cx, pod_id, !here);
    if here {
        start_containers(world, cx, pod_id);
    } else {
        world.cluster.pods[pod_id].waits_for_images = true;
    }
}

/// All images of a bound pod are there: its init containers run, then its containers start.
pub(crate) fn start_containers(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
    let pod = &world.cluster.pods[pod_id];
    let assumptions = &cx.scenario.assumptions;
    let start = match pod.owner {
        PodOwner::Trace(_) | PodOwner::Pause => SimDuration::ZERO,
        PodOwner::Driver(attempt) => {
            let keys = world.attempts[attempt].stream_keys();
            let z = cx.seed.stream("driver-start", &keys).sample(StandardNormal);
            assumptions.driver_start.at(z)
        }
        PodOwner::Executor(attempt, executor) => {
            let [run, number] = world.attempts[attempt].stream_keys();
            let keys = [run, number, u64::from(executor)];
            let z = cx.seed.stream("executor-start", &keys).sample(StandardNormal);
            assumptions.executor_start.at(z)
        }
    };
    let placement = world.cluster.specs.get(pod.spec).placement;
    let mut before = assumptions.container_start;
    for container in &world.cluster.specs.placement(placement).template.init_containers {
        before += match container.restart_always {
            true => assumptions.container_start,
            false => assumptions.init_container,
        };
    }
    let process_at = cx.now + before;
    let pod = &mut world.cluster.pods[pod_id];
    pod.waits_for_images = false;
    pod.process_at = Some(process_at);
    cx.at(process_at + start, Event::Pod(PodEvent::ProcessReady(pod_id)));
}

/// The pod's process is ready for work.
pub(crate) fn on_process_ready(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
    let Some(pod) = world.cluster.pods.get_mut(pod_id).filter(|pod| pod.ends_at.is_none()) else {
        return;
    };
    pod.ready_at = Some(cx.now);
    match pod.owner {
        PodOwner::Driver(attempt) => application::driver_ready(world, cx, attempt),
        PodOwner::Executor(attempt, _) => {
            application::executor_registered(world, cx, attempt, pod_id);
        }
        PodOwner::Trace(place) => {
            let duration = cx.workload.pods[place as usize].duration;
            cx.after(duration, Event::Pod(PodEvent::TracePodEnded(pod_id)));
        }
        PodOwner::Pause => {}
    }
}

/// A trace pod's work is done.
pub(crate) fn on_trace_pod_ended(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
    if world.cluster.pods.get(pod_id).is_some_and(|pod| pod.ends_at.is_none()) {
        end_pod(world, cx, pod_id, PodResult::Succeeded);
    }
}

/// Takes every pod off `node_id`, because its node goes (`SpotReclaimed`) or is drained
/// (`Deleted`). Owners are told: drivers end their attempt, executors are missed. Pods that take
/// their time to end stay on the node until they have.
pub(crate) fn evict_all(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId, result: PodResult) {
    // Ending a driver ends executors that may be on the same node, so the list is read anew.
    loop {
        let Cluster { nodes, pods, .. } = &world.cluster;
        let Some(node) = nodes.get(node_id) else { return };
        let left = node.pods.iter().rev().find(|pod| pods[**pod].ends_at.is_none());
        let Some(pod_id) = left.copied() else { return };
        lose_pod(world, cx, pod_id, result);
    }
}

/// The node goes now, and whatever is still ending on it has ended.
pub(crate) fn end_all_terminating(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    while let Some(pod_id) = world.cluster.nodes.get(node_id).and_then(|node| node.pods.last()) {
        on_terminated(world, cx, *pod_id);
    }
}

/// When the last pod of `node` ends, where one is ending.
pub(crate) fn last_pod_ends_at(world: &World, node: &Node) -> Option<SimTime> {
    node.pods.iter().filter_map(|pod| world.cluster.pods[*pod].ends_at).max()
}

/// A pod ends against its owner's will.
pub(crate) fn lose_pod(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId, result: PodResult) {
    match world.cluster.pods[pod_id].owner {
        PodOwner::Driver(attempt) => application::driver_lost(world, cx, attempt, result),
        PodOwner::Executor(attempt, _) => {
            application::executor_lost(world, cx, attempt, pod_id, result);
        }
        PodOwner::Trace(_) => end_pod(world, cx, pod_id, result),
        PodOwner::Pause => {
            end_pod(world, cx, pod_id, result);
            overprovisioning::create_pause_pod(world, cx);
        }
    }
}

/// Ends a pod: its time is charged to its owner, its record goes out, and its room is free, now or
/// when its containers have ended.
pub(crate) fn end_pod(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId, result: PodResult) {
    scheduler::forget(world, cx, pod_id);
    if world.cluster.pods[pod_id].node.is_some() {
        control_plane::on_ended(world, cx, pod_id, why(result));
    }
    let ends_at = ends_at(world, cx, pod_id, result);
    if ends_at > cx.now {
        let mut pod = world.cluster.pods[pod_id].clone();
        pod.waits_for_images = false;
        charge(world, cx, &pod, result, ends_at);
        pod.ends_at = Some(ends_at);
        world.cluster.pods[pod_id] = pod;
        world.cluster.last_pod_ends_at = world.cluster.last_pod_ends_at.max(ends_at);
        cx.at(ends_at, Event::Pod(PodEvent::Terminated(pod_id)));
        return;
    }
    let pod = world.cluster.remove_pod(pod_id);
    charge(world, cx, &pod, result, cx.now);
    if let Some(node) = pod.node {
        scheduler::room_freed(world, cx, node);
        autoscaler::pod_ended(world, cx, node);
    }
}

/// A deleted pod's containers have ended: its room is free.
pub(crate) fn on_terminated(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
    if world.cluster.pods.get(pod_id).is_none() {
        return;
    }
    let pod = world.cluster.remove_pod(pod_id);
    if let Some(node) = pod.node {
        scheduler::room_freed(world, cx, node);
        autoscaler::pod_ended(world, cx, node);
    }
}

/// When the containers of a pod that ends as `result` have ended.
fn ends_at(world: &World, cx: &Cx<'_>, pod_id: PodId, result: PodResult) -> SimTime {
    let pod = &world.cluster.pods[pod_id];
    let deleted =
        matches!(result, PodResult::Deleted | PodResult::SpotReclaimed | PodResult::Preempted);
    // The pause container exits on SIGTERM at once (k8s.io/kubernetes `build/pause/linux/pause.c`).
    let lingers = deleted && pod.owner != PodOwner::Pause;
    let Some(node) = pod.node.filter(|_| lingers) else {
        return cx.now;
    };
    let placement = world.cluster.specs.get(pod.spec).placement;
    let template = &world.cluster.specs.placement(placement).template;
    let assumptions = &cx.scenario.assumptions;
    let grace = template.termination_grace.unwrap_or(assumptions.termination_grace);
    let ends_at = cx.now.saturating_add(assumptions.pod_termination.min(grace));
    ends_at.min(world.cluster.nodes[node].gone_at.unwrap_or(SimTime::MAX))
}

/// The event that says why a bound pod was ended, where it did not end by itself.
const fn why(result: PodResult) -> Option<Reason> {
    match result {
        PodResult::Deleted => Some(Reason::Killing),
        PodResult::SpotReclaimed => Some(Reason::Evicted),
        PodResult::Preempted => Some(Reason::Preempted),
        PodResult::Succeeded | PodResult::Failed | PodResult::OomKilled | PodResult::Unfinished => {
            None
        }
    }
}

/// Charges the pod's time up to `until` and records it; shared by pods that end and pods that are cut off by the
/// end of the simulation.
pub(crate) fn charge(
    world: &mut World,
    cx: &mut Cx<'_>,
    pod: &Pod,
    result: PodResult,
    until: SimTime,
) {
    let spec = *world.cluster.specs.get(pod.spec);
    let mut cost = NanoUsd::ZERO;
    let mut node_number = None;
    if let Some((node_id, bound_at)) = pod.node.zip(pod.bound_at) {
        cost = charge_time(world, cx, pod, &spec.requests, (node_id, bound_at, until));
        node_number = Some(world.cluster.nodes[node_id].number);
    }
    let (owner, attempt, executor_id) = match pod.owner {
        PodOwner::Driver(id) => {
            (Some(world.attempts[id].run), Some(world.attempts[id].number), None)
        }
        PodOwner::Executor(id, executor) => {
            (Some(world.attempts[id].run), Some(world.attempts[id].number), Some(executor))
        }
        PodOwner::Trace(place) => (Some(place), None, None),
        PodOwner::Pause => (None, None, None),
    };
    if let PodOwner::Trace(_) = pod.owner {
        match result {
            PodResult::Succeeded => cx.outcome.trace_pods_succeeded += 1,
            _ => cx.outcome.trace_pods_unfinished += 1,
        }
        world.trace_pods_open -= 1;
    }
    let run = match pod.owner {
        PodOwner::Driver(id) | PodOwner::Executor(id, _) => Some(cx.run(world.attempts[id].run)),
        PodOwner::Trace(_) | PodOwner::Pause => None,
    };
    let record = PodRecord {
        pod: pod.number,
        kind: pod.owner.kind(),
        owner,
        attempt,
        executor_id,
        cpu: spec.requests.cpu,
        memory: spec.requests.memory,
        created_at: pod.created_at,
        bound_at: pod.bound_at,
        ready_at: pod.ready_at.filter(|ready| *ready <= cx.now),
        ended_at: until,
        node: node_number,
        result,
        pending_reason: pod.reason.map(|reason| world.scheduler.reason(reason).0.into()),
        cost,
    };
    cx.sink.pod(record, run.as_deref());
}

/// Charges a pod's time on its node, hour by hour; gives its node cost in all.
fn charge_time(
    world: &mut World,
    cx: &Cx<'_>,
    pod: &Pod,
    requests: &Resources,
    (node_id, bound_at, until): (NodeId, SimTime, SimTime),
) -> NanoUsd {
    let kind_id = world.cluster.nodes[node_id].kind;
    let ready_at = pod.ready_at.unwrap_or(until).min(until).max(bound_at);
    let working = until.since(ready_at);
    let mut sum = NanoUsd::ZERO;
    for cut in world.books.hours.cut(bound_at, until) {
        let kind = world.cluster.kinds.get(kind_id);
        let whole = ledger::share(kind, requests, cut.from, cut.to);
        let ready = ready_at.clamp(cut.from, cut.to);
        let starting = ledger::share(kind, requests, cut.from, ready);
        let fee_to = |at: SimTime| ledger::emr_fee(&cx.scenario.fees, requests, at.since(bound_at));
        let emr = match pod.owner {
            PodOwner::Driver(_) | PodOwner::Executor(..) => fee_to(cut.to) - fee_to(cut.from),
            PodOwner::Trace(_) | PodOwner::Pause => NanoUsd::ZERO,
        };
        let charge = Charge {
            nodes: split(pod, whole, starting, working),
            emr,
            pod_use: pod_use(
                world,
                pod,
                requests,
                (cut.to.since(cut.from), cut.to.since(ready), working),
            ),
        };
        sum += whole;
        world.books.charged(cut.hour, kind_id, whole);
        let place = (cut.hour, kind_id);
        match pod.owner {
            PodOwner::Driver(id) | PodOwner::Executor(id, _) => {
                world.attempts[id].charge(cut.hour, kind_id, &charge);
            }
            PodOwner::Trace(_) => world.books.book_other(place, Billed::TracePods, &charge),
            PodOwner::Pause => world.books.book_other(place, Billed::PausePods, &charge),
        }
    }
    world.cluster.nodes[node_id].pods_cost += sum;
    let usage = &mut world.books.usage;
    let ms = u128::from(until.since(bound_at).as_millis());
    usage.cpu_requested += u128::from(requests.cpu.as_millis()) * ms;
    usage.memory_requested += u128::from(requests.memory.as_u64()) * ms;
    sum
}

/// What a pod requested and used in a part of its time: its length, how much of that it worked, and
/// how long it worked in all.
fn pod_use(
    world: &World,
    pod: &Pod,
    requests: &Resources,
    (time, worked, working): (SimDuration, SimDuration, SimDuration),
) -> PodUse {
    let requested = CoreTime::of(requests.cpu.as_millis(), time);
    let used = match pod.owner {
        PodOwner::Executor(id, _) => {
            let cores = u128::from(world.attempts[id].shape.slot_milli);
            let busy = u128::from((pod.busy + pod.lost).as_millis()) * cores;
            let part = busy * u128::from(worked.as_millis());
            CoreTime(part.checked_div(u128::from(working.as_millis())).unwrap_or(0))
        }
        PodOwner::Driver(_) | PodOwner::Trace(_) => requested,
        PodOwner::Pause => CoreTime(0),
    };
    PodUse {
        cpu_requested: requested,
        cpu_used: used,
        cpu_larger: requested.max(used),
        memory_mib_ms: u128::from(requests.memory.as_mib_floor()) * u128::from(time.as_millis()),
    }
}

/// Splits what a part of a pod's time cost into kinds. `whole` and `starting` are its money in all
/// and until it was ready; `working` is all the pod's time after that, over which its tasks are taken
/// to be spread evenly.
fn split(pod: &Pod, whole: NanoUsd, starting: NanoUsd, working: SimDuration) -> Ledger {
    let rest = whole - starting;
    let mut cost = Ledger { starting, ..Ledger::default() };
    match pod.owner {
        PodOwner::Driver(_) | PodOwner::Trace(_) => cost.useful = rest,
        PodOwner::Pause => {
            cost.pause_pods = whole;
            cost.starting = NanoUsd::ZERO;
        }
        PodOwner::Executor(..) => {
            let slot_ms = u128::from(working.as_millis()) * u128::from(pod.slots);
            let part = |time: SimDuration| {
                let nano = (rest.as_nano() as u128 * u128::from(time.as_millis()))
                    .checked_div(slot_ms)
                    .unwrap_or(0);
                NanoUsd::new(nano as i64)
            };
            cost.useful = part(pod.busy);
            cost.recompute = part(pod.lost);
            cost.executor_idle = rest - cost.useful - cost.recompute;
        }
    }
    cost
}

/// When a driver's container ran, if that was before now.
pub(crate) fn process_started(pod: &Pod, now: SimTime) -> Option<SimTime> {
    pod.process_at.filter(|at| *at <= now)
}
