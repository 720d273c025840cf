//! The life of a pod: created, bound, started, ended; and what its time cost.
//!
//! Models: image pull, container start, then the process' own start (JVM and `SparkContext`, or
//! executor registration) as one random latency per pod. Leaves out: init containers, readiness
//! probes, graceful termination (a pod that is ended is gone at once).

use rand_distr::StandardNormal;

use crate::autoscaler::cluster_autoscaler;
use crate::cluster::{NodeId, Placement, Pod, PodId, PodOwner, PodPhase, PodSpec, Resources};
use crate::control_plane::EVENTS_PER_BOUND_POD;
use crate::engine::event::{Event, PodEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::{Ledger, PodRecord, PodResult};
use crate::rng::RngExt;
use crate::scenario::PodTemplate;
use crate::spark::application;
use crate::units::{NanoUsd, SimDuration, SimTime};
use crate::{images, ledger, overprovisioning, scheduler};

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
    let pod = world.cluster.pods.insert(Pod {
        number,
        owner,
        spec,
        phase: PodPhase::Active,
        created_at: cx.now,
        bound_at: None,
        process_at: None,
        ready_at: None,
        node: None,
        failed_attempts: 0,
        last_attempt_at: cx.now,
        reason: None,
        last_reason: None,
        busy: SimDuration::ZERO,
        lost: SimDuration::ZERO,
        slots,
    });
    cx.outcome.pods_peak = cx.outcome.pods_peak.max(world.cluster.pods.len() as u64);
    scheduler::enqueue(world, cx, pod);
    pod
}

/// A pod of the pod trace is created.
pub(crate) fn on_trace_pod_created(world: &mut World, cx: &mut Cx<'_>, place: u32) {
    let pod = &cx.workload.pods[place as usize];
    let template = PodTemplate {
        node_selector: pod.node_selector.clone(),
        priority: pod.priority,
        ..PodTemplate::default()
    };
    let placement = Placement { template, ..Placement::default() };
    let placement = world.cluster.specs.intern_placement(placement);
    let requests = Resources::of_pod(pod.cpu, pod.memory).with_gpus(pod.gpus);
    let spec = PodSpec::of(requests, placement, pod.priority);
    cx.outcome.trace_pods += 1;
    create_pod(world, cx, PodOwner::Trace(place), spec, 1);
}

/// The scheduler has chosen `node_id`: the pod is bound and its containers start.
pub(crate) fn bind(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId, node_id: NodeId) {
    world.cluster.bind(pod_id, node_id, cx.now);
    world.control_plane.add_events(cx.now, EVENTS_PER_BOUND_POD);
    let node = &mut world.cluster.nodes[node_id];
    node.unneeded_since = None;
    let pod = &world.cluster.pods[pod_id];
    let assumptions = &cx.scenario.assumptions;
    let (image_at, start) = match pod.owner {
        PodOwner::Trace(_) => (cx.now, SimDuration::ZERO),
        PodOwner::Pause => {
            world.cluster.pods[pod_id].ready_at = Some(cx.now);
            return;
        }
        PodOwner::Driver(attempt) => {
            let keys = world.attempts[attempt].stream_keys();
            let z = cx.seed.stream("driver-start", &keys).sample(StandardNormal);
            (images::ready_for_pod(node, cx.scenario, cx.now), assumptions.driver_start.at(z))
        }
        PodOwner::Executor(attempt, executor) => {
            let [run, number] = world.attempts[attempt].stream_keys();
            let keys = [run, number, u64::from(executor)];
            let z = cx.seed.stream("executor-start", &keys).sample(StandardNormal);
            (images::ready_for_pod(node, cx.scenario, cx.now), assumptions.executor_start.at(z))
        }
    };
    let process_at = image_at + assumptions.container_start;
    let pod = &mut world.cluster.pods[pod_id];
    pod.process_at = Some(process_at);
    let delay = cx.now.since(pod.created_at);
    cx.outcome.pod_scheduling_delay.add(delay);
    cx.at(process_at + start, Event::Pod(PodEvent::ProcessReady(pod_id)));
}

/// The pod's process is ready for work.
pub(crate) fn on_process_ready(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) {
    let Some(pod) = world.cluster.pods.get_mut(pod_id) else {
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
    if world.cluster.pods.get(pod_id).is_some() {
        end_pod(world, cx, pod_id, PodResult::Succeeded);
    }
}

/// Takes every pod off `node_id`, because its node goes (`SpotReclaimed`) or is drained
/// (`Deleted`). Owners are told: drivers end their attempt, executors are missed.
pub(crate) fn evict_all(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId, result: PodResult) {
    // Ending a driver ends executors that may be on the same node, so the list is read anew.
    while let Some(pod_id) = world.cluster.nodes.get(node_id).and_then(|node| node.pods.last()) {
        let pod_id = *pod_id;
        lose_pod(world, cx, pod_id, result);
    }
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

/// Ends a pod: its room is free, its time is charged to its owner, its record goes out.
pub(crate) fn end_pod(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId, result: PodResult) {
    scheduler::forget(world, cx, pod_id);
    let pod = world.cluster.remove_pod(pod_id);
    charge(world, cx, &pod, result);
    if let Some(node) = pod.node {
        scheduler::room_freed(world, cx, node);
        cluster_autoscaler::arm(world, cx);
    }
}

/// Charges the pod's time and records it; shared by pods that end and pods that are cut off by the
/// end of the simulation.
pub(crate) fn charge(world: &mut World, cx: &mut Cx<'_>, pod: &Pod, result: PodResult) {
    let spec = *world.cluster.specs.get(pod.spec);
    let mut cost = Ledger::default();
    let mut node_number = None;
    if let Some((node_id, bound_at)) = pod.node.zip(pod.bound_at) {
        let node = &mut world.cluster.nodes[node_id];
        let kind = world.cluster.kinds.get(node.kind);
        let time = cx.now.since(bound_at);
        let starting = pod.ready_at.unwrap_or(cx.now).min(cx.now).since(bound_at);
        let whole = ledger::share(kind, &spec.requests, time);
        cost = split(
            pod,
            whole,
            ledger::share(kind, &spec.requests, starting),
            time.saturating_sub(starting),
        );
        node.pods_cost += whole;
        node_number = Some(node.number);
        let usage = &mut world.books.usage;
        let ms = u128::from(time.as_millis());
        usage.cpu_requested += u128::from(spec.requests.cpu.as_millis()) * ms;
        usage.memory_requested += u128::from(spec.requests.memory.as_u64()) * ms;
        book(world, cx, pod, &spec.requests, time, &cost);
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
    cx.sink.pod(PodRecord {
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
        ended_at: cx.now,
        node: node_number,
        result,
        pending_reason: pod.reason.map(|reason| world.scheduler.reason(reason).into()),
        cost: cost.total(),
    });
}

/// Splits what a pod cost into kinds. `whole` and `starting` are its money in all and until it was
/// ready; `working` is the time after that.
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

/// Books a pod's cost: with its attempt while that is open, else with nobody.
fn book(
    world: &mut World,
    cx: &mut Cx<'_>,
    pod: &Pod,
    requests: &Resources,
    time: SimDuration,
    cost: &Ledger,
) {
    let node = pod.node.map(|id| world.cluster.nodes[id].kind).expect("a charged pod has a node");
    let pool = world.cluster.kinds.get(node).pool;
    match pod.owner {
        PodOwner::Driver(id) | PodOwner::Executor(id, _) => {
            let emr = ledger::emr_fee(&cx.scenario.fees, requests, time);
            cx.outcome.cost.emr += emr;
            let attempt = &mut world.attempts[id];
            attempt.emr += emr;
            attempt.charge(pool, cost);
        }
        PodOwner::Trace(_) | PodOwner::Pause => world.books.book((pool, None), cost),
    }
}

/// When a driver's container ran, if that was before now.
pub(crate) fn process_started(pod: &Pod, now: SimTime) -> Option<SimTime> {
    pod.process_at.filter(|at| *at <= now)
}
