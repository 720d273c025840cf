//! The life of an attempt: submitted, driver up, executors registered, tasks done, ended.

use std::collections::{BTreeMap, VecDeque};

use super::allocation;
use super::attempt::{Attempt, AttemptId};
use super::dynamic_allocation::{Target, most_tasks_of};
use super::fate::{doom, fate, record, result_of};
use super::memory;
use super::network;
use super::pod_specs::{driver_spec, executor_spec};
use super::progress::{Met, Progress};
use super::rules::{Overheads, Rules};
use super::work;
use crate::cluster::{Cluster, NodeId, PodId, PodOwner};
use crate::engine::event::{Event, SparkEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::PodResult;
use crate::scenario::DynamicAllocation;
use crate::units::{NanoUsd, SimTime};
use crate::workload::{Failure, Run, RunOutcome};
use crate::{Severity, lifecycle, retry, rng};

/// A run is submitted: for the first time, or again.
pub(crate) fn on_run_submitted(world: &mut World, cx: &mut Cx<'_>, place: u32) {
    let run = &*cx.run(place);
    let run_key = rng::key_of(&run.run_id);
    let state = world.runs.get_mut(place);
    if state.attempts == 0 {
        world.runs_active += 1;
        state.raises.on_demand = run.critical && cx.scenario.retries.critical_on_demand;
    }
    state.attempts += 1;
    let number = state.attempts;
    let raises = retry::raises_for(world, cx, place, number);
    let shape = memory::shape(cx, run, &raises, run_key);
    if run.stages.is_none() && run.tasks.is_some_and(|tasks| u64::from(tasks) > work::TASKS_MAX) {
        let message = format!("tasks above {} are merged into longer ones", work::TASKS_MAX);
        cx.find(Severity::Warning, "too-many-tasks", &run.run_id, message);
    }
    let work = work::work_of(cx, run, run_key, &shape);
    let doom = shape.executor_ooms.then(|| doom(cx, run_key, &work)).flatten();
    let overheads = overheads(cx, run);
    let executor_spec = executor_spec(world, cx, &shape, &run.run_id, raises.on_demand);
    let id = world.attempts.insert(Attempt {
        run: place,
        number,
        run_key,
        submitted_at: cx.now,
        started_at: None,
        tasks_started_at: None,
        driver: None,
        driver_ready: false,
        shape,
        executor_spec,
        executors: Vec::new(),
        registered: 0,
        registered_peak: 0,
        executors_created: 0,
        target: Target::new(shape.initial),
        allocation_scheduled: false,
        progress: Progress::new(work, Rules::new(&cx.scenario.spark, overheads), doom),
        prediction: 0,
        on_demand: raises.on_demand,
        oom_kills: 0,
        executor_failures: VecDeque::new(),
        spot_losses: 0,
        charges: BTreeMap::new(),
        nat: NanoUsd::ZERO,
        zones: Vec::new(),
        network: NanoUsd::ZERO,
    });
    cx.outcome.attempts += 1;
    let spec = driver_spec(world, cx, &shape, &run.run_id);
    let driver = lifecycle::create_pod(world, cx, PodOwner::Driver(id), spec, 1);
    world.attempts[id].driver = Some(driver);
    let assumptions = &cx.scenario.assumptions;
    let timeout = run.timeout.unwrap_or(assumptions.run_timeout);
    cx.after(timeout, Event::Spark(SparkEvent::TimedOut(id)));
    cx.after(assumptions.unschedulable_timeout, Event::Spark(SparkEvent::PatienceOver(id)));
}

/// The driver's context is up: executors are asked for.
pub(crate) fn driver_ready(world: &mut World, cx: &mut Cx<'_>, id: AttemptId) {
    let attempt = &mut world.attempts[id];
    let recorded = cx.run(attempt.run).failure;
    if recorded == Some(Failure::ImagePull) && attempt.number == 1 {
        // It would not have come so far.
        end(world, cx, id, Err(Failure::ImagePull), PodResult::Failed);
        return;
    }
    attempt.driver_ready = true;
    attempt.started_at = attempt
        .driver
        .and_then(|driver| world.cluster.pods.get(driver))
        .and_then(|driver| lifecycle::process_started(driver, cx.now));
    let state = world.runs.get_mut(attempt.run);
    if state.started_at.is_none() {
        state.started_at = attempt.started_at;
        if let Some(started) = attempt.started_at {
            let ready = state.ready_at.unwrap_or_else(|| cx.run(attempt.run).submitted_at);
            cx.outcome.run_queue_delay.add(started.since(ready));
        }
    }
    let wait = cx.scenario.spark.max_registered_resources_waiting_time;
    cx.after(wait, Event::Spark(SparkEvent::RegistrationWaitOver(id)));
    let patience = cx.scenario.assumptions.unschedulable_timeout;
    cx.after(patience, Event::Spark(SparkEvent::PatienceOver(id)));
    world.attempts[id].allocation_scheduled = true;
    allocation::on_allocation_round(world, cx, id);
    start_if_registered(world, cx, id);
}

/// An executor has registered with its driver.
pub(crate) fn executor_registered(world: &mut World, cx: &mut Cx<'_>, id: AttemptId, pod: PodId) {
    if !advance(world, cx, id) {
        return;
    }
    let attempt = &mut world.attempts[id];
    if let Some(node) = world.cluster.pods[pod].node {
        let node = &world.cluster.nodes[node];
        attempt.registered_in(world.cluster.kinds.get(node.kind).zone_number);
    }
    attempt.registered += 1;
    attempt.registered_peak = attempt.registered_peak.max(attempt.registered);
    // To Spark every pod is a host of its own: it knows executors by their pods' addresses.
    let host = attempt.progress.executors_ever();
    attempt.progress.add_executor(cx.now, pod, host, attempt.shape.slots);
    start_if_registered(world, cx, id);
    reconsider(world, cx, id);
}

/// Waited long enough for executors to register.
pub(crate) fn on_registration_wait_over(world: &mut World, cx: &mut Cx<'_>, id: AttemptId) {
    if world.attempts.get(id).is_some_and(|attempt| !attempt.progress.is_started()) {
        start_tasks(world, cx, id);
    }
}

/// The predicted next interesting moment.
pub(crate) fn on_progress(world: &mut World, cx: &mut Cx<'_>, id: AttemptId, prediction: u32) {
    if world.attempts.get(id).is_some_and(|attempt| attempt.prediction == prediction)
        && advance(world, cx, id)
    {
        reconsider(world, cx, id);
    }
}

/// The orchestrator kills the attempt.
pub(crate) fn on_timed_out(world: &mut World, cx: &mut Cx<'_>, id: AttemptId) {
    if advance(world, cx, id) {
        end(world, cx, id, Err(Failure::Timeout), PodResult::Failed);
    }
}

/// Nobody waits for ever for a pod that cannot be placed: neither for the driver, nor, once that
/// runs, for the first executor.
pub(crate) fn on_patience_over(world: &mut World, cx: &mut Cx<'_>, id: AttemptId) {
    let Some(attempt) = world.attempts.get(id) else {
        return;
    };
    let patience = cx.scenario.assumptions.unschedulable_timeout;
    let unbound = |pod: &PodId| world.cluster.pods[*pod].bound_at.is_none();
    let driver_waits = attempt.driver.as_ref().is_some_and(unbound);
    let executors_wait = attempt.driver_ready
        && attempt.registered_peak == 0
        && attempt.executors.iter().all(unbound)
        && attempt.started_at.is_some_and(|at| cx.now.since(at) >= patience)
        && !attempt.executors.is_empty();
    if driver_waits || executors_wait {
        say_unschedulable(world, cx, id);
        end(world, cx, id, Err(Failure::Unschedulable), PodResult::Deleted);
    }
}

/// Names the application that could not be placed, and why, for people who read the findings.
fn say_unschedulable(world: &World, cx: &mut Cx<'_>, id: AttemptId) {
    let attempt = &world.attempts[id];
    let pods = attempt.driver.iter().chain(&attempt.executors);
    let mut reasons = pods.filter_map(|pod| world.cluster.pods[*pod].reason);
    let reason =
        reasons.next_back().map_or("never tried", |reason| world.scheduler.reason(reason).0);
    let run = &*cx.run(attempt.run);
    let application = cx.workload.applications.get(run.application.0 as usize);
    let subject = application.map_or_else(|| run.run_id.to_string(), String::clone);
    let message =
        format!("no pod placed in {}: {reason}", cx.scenario.assumptions.unschedulable_timeout);
    cx.find(Severity::Warning, "unschedulable", &subject, message);
}

/// The driver's pod is lost, and the attempt with it.
pub(crate) fn driver_lost(world: &mut World, cx: &mut Cx<'_>, id: AttemptId, result: PodResult) {
    if advance(world, cx, id) {
        let failure = match result {
            PodResult::Preempted => Failure::Preempted,
            PodResult::Deleted => Failure::Drained,
            _ => Failure::Spot,
        };
        end(world, cx, id, Err(failure), result);
    }
}

/// An executor's pod is lost: its tasks run again, and it is replaced.
pub(crate) fn executor_lost(
    world: &mut World,
    cx: &mut Cx<'_>,
    id: AttemptId,
    pod: PodId,
    result: PodResult,
) {
    if !advance(world, cx, id) || !world.attempts[id].executors.contains(&pod) {
        return;
    }
    world.attempts[id].spot_losses += u32::from(result == PodResult::SpotReclaimed);
    remove_executor(world, cx, id, pod, result);
    reconsider(world, cx, id);
}

/// The executors on a node under notice get no new tasks.
pub(crate) fn decommission_all(world: &mut World, cx: &mut Cx<'_>, node: NodeId) {
    let pods = world.cluster.nodes[node].pods.clone();
    for pod in pods {
        let owner = world.cluster.pods.get(pod).map(|pod| pod.owner);
        let Some(PodOwner::Executor(id, _)) = owner else { continue };
        if advance(world, cx, id) {
            world.attempts[id].progress.drain_executor(pod);
            reconsider(world, cx, id);
        }
    }
}

/// Ends every attempt that is going on when the simulation ends.
pub(crate) fn end_all_unfinished(world: &mut World, cx: &mut Cx<'_>) {
    let ids: Vec<AttemptId> = world.attempts.iter().map(|(id, _)| id).collect();
    for id in ids {
        if advance(world, cx, id) {
            close(world, cx, id, RunOutcome::Unfinished, None, PodResult::Unfinished);
        }
    }
}

/// Brings the attempt up to now; false if it is gone, or ended on the way.
pub(super) fn advance(world: &mut World, cx: &mut Cx<'_>, id: AttemptId) -> bool {
    loop {
        let Some(attempt) = world.attempts.get_mut(id) else {
            return false;
        };
        match attempt.progress.advance(cx.now) {
            Met::Nothing => return true,
            Met::Aborted(failure) => {
                end(world, cx, id, Err(failure), PodResult::Failed);
                return false;
            }
            Met::OomKill(pod) => {
                attempt.oom_kills += 1;
                let limits = &cx.scenario.spark.limits;
                let failures = attempt.executor_failed(cx.now, limits.executor_failures_validity);
                let bears =
                    limits.executor_failures_max(cx.scenario.spark.version, attempt.shape.max);
                // A JVM that dies of memory ends by itself; the kernel says OOMKilled.
                let by_kernel = attempt.shape.exit_code == 137;
                let result = if by_kernel { PodResult::OomKilled } else { PodResult::Failed };
                remove_executor(world, cx, id, pod, result);
                let attempt = &world.attempts[id];
                if attempt.oom_kills >= limits.task_max_failures || failures > bears {
                    world.attempts[id].progress.lift_doom();
                    end(world, cx, id, Err(Failure::ExecutorOom), PodResult::Failed);
                    return false;
                }
            }
        }
    }
}

/// Takes the decisions that are due now, and predicts when to look again.
pub(super) fn reconsider(world: &mut World, cx: &mut Cx<'_>, id: AttemptId) {
    // Starting its tasks may have ended an attempt that has none.
    let Some(attempt) = world.attempts.get_mut(id) else { return };
    if attempt.progress.finishes_at().is_some_and(|at| at <= cx.now) {
        let result = result_of(cx, attempt);
        let pod = if result.is_ok() { PodResult::Succeeded } else { PodResult::Failed };
        end(world, cx, id, result, pod);
        return;
    }
    if attempt.shape.dynamic && attempt.progress.is_started() {
        adjust_executors(world, cx, id);
    }
    allocation::schedule_round(world, cx, id);
    let settings = &cx.scenario.spark.dynamic_allocation;
    let attempt = &mut world.attempts[id];
    let shape = &attempt.shape;
    let (limits, slots) = ((shape.min, shape.max), shape.slots);
    let mut moment = attempt.progress.next_moment(cx.now, shape.dynamic, cx.options.every_task);
    if shape.dynamic && attempt.progress.is_started() {
        let decision = attempt.target.next_decision(&attempt.progress, settings, limits, slots);
        // A decision that was due and came to nothing is taken again when something changes.
        let decision = decision.filter(|at| *at > cx.now);
        let surplus = surplus_due(&world.cluster, cx.now, attempt, settings, cx.options.every_task);
        moment = moment.into_iter().chain(decision).chain(surplus).min();
    }
    attempt.prediction = attempt.prediction.wrapping_add(1);
    if let Some(at) = moment {
        cx.at(at, Event::Spark(SparkEvent::Progress(id, attempt.prediction)));
    }
}

/// When pending executors that may have become too many are to be looked at: not before the oldest
/// of them is old enough to be given up, nor before so few tasks are left that fewer are wanted.
fn surplus_due(
    cluster: &Cluster,
    now: SimTime,
    attempt: &Attempt,
    settings: &DynamicAllocation,
    every_task: bool,
) -> Option<SimTime> {
    let pending = attempt.executors.iter().map(|pod| &cluster.pods[*pod]);
    let oldest = pending.filter(|pod| pod.bound_at.is_none()).map(|pod| pod.created_at).min()?;
    let due = oldest + settings.executor_idle_timeout;
    if due > now {
        return Some(due);
    }
    let progress = &attempt.progress;
    let next = progress.next_task_end()?;
    if every_task {
        return Some(next);
    }
    let fewer = (attempt.executors.len() as u32).saturating_sub(1);
    let tasks = progress.tasks_pending() + progress.tasks_running();
    let enough = most_tasks_of(fewer, settings, attempt.shape.slots);
    Some(progress.nth_end(tasks.saturating_sub(enough).max(1)).max(next))
}

/// Dynamic allocation: a new target, idle executors go, pods that are not wanted any more go.
fn adjust_executors(world: &mut World, cx: &mut Cx<'_>, id: AttemptId) {
    let settings = &cx.scenario.spark.dynamic_allocation;
    let attempt = &mut world.attempts[id];
    let limits = (attempt.shape.min, attempt.shape.max);
    let slots = attempt.shape.slots;
    attempt.target.update(cx.now, &mut attempt.progress, settings, limits, slots);
    let idle = attempt.target.idle_executors(cx.now, &attempt.progress, settings, limits.0);
    for pod in idle {
        remove_executor(world, cx, id, pod, PodResult::Deleted);
    }
    // Upstream keeps excess pending pods for as long as the idle timeout, against flapping.
    let attempt = &world.attempts[id];
    let mut excess = (attempt.executors.len() as u32).saturating_sub(attempt.target.count);
    if excess == 0 {
        return;
    }
    for pod in attempt.executors.clone().into_iter().rev() {
        let state = &world.cluster.pods[pod];
        let old = cx.now.since(state.created_at) >= settings.executor_idle_timeout;
        if excess > 0 && state.bound_at.is_none() && old {
            remove_executor(world, cx, id, pod, PodResult::Deleted);
            excess -= 1;
        }
    }
}

fn start_if_registered(world: &mut World, cx: &mut Cx<'_>, id: AttemptId) {
    let attempt = &world.attempts[id];
    let ratio = cx.scenario.spark.min_registered_resources_ratio;
    let enough = f64::from(attempt.registered) >= f64::from(attempt.shape.initial) * ratio;
    if attempt.driver_ready && enough && !attempt.progress.is_started() {
        start_tasks(world, cx, id);
    }
}

fn start_tasks(world: &mut World, cx: &mut Cx<'_>, id: AttemptId) {
    let attempt = &mut world.attempts[id];
    attempt.tasks_started_at = Some(cx.now);
    attempt.progress.start(cx.now);
    if advance(world, cx, id) {
        reconsider(world, cx, id);
    }
}

/// Takes an executor out of the attempt and ends its pod.
fn remove_executor(
    world: &mut World,
    cx: &mut Cx<'_>,
    id: AttemptId,
    pod: PodId,
    result: PodResult,
) {
    let fate = fate(cx, &world.attempts[id], pod, result);
    let attempt = &mut world.attempts[id];
    attempt.executors.retain(|other| *other != pod);
    let registered = attempt.progress.executors().any(|executor| executor.key == pod);
    attempt.registered -= u32::from(registered);
    let (busy, lost) = attempt.progress.remove_executor(cx.now, pod, fate);
    let state = &mut world.cluster.pods[pod];
    state.busy = busy;
    state.lost = lost;
    lifecycle::end_pod(world, cx, pod, result);
}

/// What tasks take beyond their recorded time: executors of a platform are fresh, so where the
/// recorded ones were warm, loading and compiling comes on top.
fn overheads(cx: &Cx<'_>, run: &Run) -> Overheads {
    match &run.recording {
        Some(recording) if recording.warmed_up => Overheads::fresh(&cx.scenario.assumptions),
        _ => Overheads::default(),
    }
}

/// Ends the attempt; its run ends too or is tried again.
fn end(
    world: &mut World,
    cx: &mut Cx<'_>,
    id: AttemptId,
    result: Result<(), Failure>,
    driver: PodResult,
) {
    let (outcome, failure) = match result {
        Ok(()) => (RunOutcome::Succeeded, None),
        Err(failure) => (RunOutcome::Failed, Some(failure)),
    };
    close(world, cx, id, outcome, failure, driver);
}

fn close(
    world: &mut World,
    cx: &mut Cx<'_>,
    id: AttemptId,
    outcome: RunOutcome,
    failure: Option<Failure>,
    driver_result: PodResult,
) {
    let executors = std::mem::take(&mut world.attempts[id].executors);
    let rest = match driver_result {
        PodResult::Unfinished => PodResult::Unfinished,
        _ => PodResult::Deleted,
    };
    for pod in executors {
        remove_executor(world, cx, id, pod, rest);
    }
    if let Some(driver) = world.attempts[id].driver.take() {
        let state = &world.cluster.pods[driver];
        let started = lifecycle::process_started(state, cx.now);
        world.attempts[id].started_at = started;
        lifecycle::end_pod(world, cx, driver, driver_result);
    }
    let mut attempt = world.attempts.remove(id);
    network::charge(cx, &mut attempt, outcome);
    cx.outcome.tasks += attempt.progress.tasks_launched;
    if let Some(failure) = failure {
        cx.outcome.failed_attempts.add(failure);
    }
    if outcome == RunOutcome::Failed {
        for charge in attempt.charges.values_mut() {
            let part = &mut charge.nodes;
            part.failed_attempts += part.useful + part.recompute;
            part.useful = NanoUsd::ZERO;
            part.recompute = NanoUsd::ZERO;
        }
    }
    record(cx, &attempt, outcome, failure, attempt.cost().0);
    retry::attempt_ended(world, cx, &attempt, outcome, failure);
}
