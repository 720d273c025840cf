//! The end of a simulation: what is still there is charged and counted, and everything must add up.

use super::timeline;
use super::world::{Cx, World};
use crate::cluster::{NodeId, PodId};
use crate::outcome::{Outcome, PodResult};
use crate::spark::application;
use crate::units::NanoUsd;
use crate::{Finding, Severity, control_plane, lifecycle, retry};

/// Closes all accounts and gives the totals.
pub(super) fn finish(mut world: World, mut cx: Cx<'_>) -> Outcome {
    let last = timeline::sample(&world, &cx);
    cx.sink.timeline(last);
    application::end_all_unfinished(&mut world, &mut cx);
    // Pods that are being deleted are charged to their end already.
    cx.now = cx.now.max(world.cluster.last_pod_ends_at);
    close_pods(&mut world, &mut cx);
    close_nodes(&mut world, &mut cx);
    say_unfinished(&world, &mut cx);
    control_plane::close(&mut world, &mut cx);
    never_submitted(&mut world, &mut cx);
    bill(&mut world, &mut cx);
    totals(&world, &mut cx);
    check(&world, &cx);
    cx.outcome
}

fn close_pods(world: &mut World, cx: &mut Cx<'_>) {
    let pods: Vec<PodId> = world.cluster.pods.iter().map(|(id, _)| id).collect();
    for id in pods {
        let pod = world.cluster.remove_pod(id);
        if pod.ends_at.is_none() {
            lifecycle::charge(world, cx, &pod, PodResult::Unfinished, cx.now);
        }
    }
}

fn close_nodes(world: &mut World, cx: &mut Cx<'_>) {
    let nodes: Vec<NodeId> = world.cluster.in_order.clone();
    for id in nodes {
        crate::provisioner::terminate(world, cx, id);
    }
}

fn say_unfinished(world: &World, cx: &mut Cx<'_>) {
    let message = "still pending or running when the simulation ended".to_owned();
    let (runs, pods) = (world.runs_open, cx.outcome.trace_pods_unfinished);
    for (subject, count) in [("runs", runs), ("trace pods", pods)] {
        if count > 0 {
            let finding = Finding::new(Severity::Warning, "unfinished", subject, message.clone());
            cx.outcome.findings.push(finding.times(count));
        }
    }
}

/// Runs and trace pods beyond the horizon, or after a stop, were never submitted: they are
/// unfinished too.
fn never_submitted(world: &mut World, cx: &mut Cx<'_>) {
    retry::end_all_unfinished(world, cx);
    cx.outcome.trace_pods = cx.workload.pods.len() as u64;
    cx.outcome.trace_pods_unfinished += world.trace_pods_open;
    cx.outcome.runs = cx.workload.runs.len() as u64;
}

fn bill(world: &mut World, cx: &mut Cx<'_>) {
    let pools = cx.scenario.pools.iter().enumerate();
    cx.outcome.cost.by_pool = pools
        .map(|(place, pool)| {
            let nodes = world.books.by_pool.get(&(place as u32)).copied().unwrap_or_default();
            (pool.name.clone(), nodes)
        })
        .collect();
    let end = cx.now;
    world.books.close(cx, &world.cluster.kinds, end);
    cx.outcome.cost.by_team = world.books.teams(cx);
}

fn totals(world: &World, cx: &mut Cx<'_>) {
    let outcome = &mut cx.outcome;
    outcome.pods = world.cluster.pods_created;
    outcome.nodes_launched = world.cluster.nodes_launched;
    outcome.end = cx.now;
    outcome.event_objects_peak = world.control_plane.events_peak;
    outcome.control_plane = world.control_plane.load(cx.workload);
    let first_run = cx.workload.runs.first_submission();
    let first_pod = cx.workload.pods.first().map(|pod| pod.created_at);
    let first = first_run.into_iter().chain(first_pod).min().unwrap_or_default();
    outcome.span = cx.workload.last_submission().since(first);
    let usage = &world.books.usage;
    let ratio = |part: u128, whole: u128| {
        if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
    };
    outcome.cpu_utilization = ratio(usage.cpu_requested, usage.cpu_allocatable);
    outcome.memory_utilization = ratio(usage.memory_requested, usage.memory_allocatable);
}

/// Conservation. Always checked: it is cheap, and a result that does not add up is worth nothing.
fn check(world: &World, cx: &Cx<'_>) {
    let outcome = &cx.outcome;
    let ended = outcome.succeeded + outcome.failed + outcome.unfinished;
    assert_eq!(outcome.runs, ended, "runs do not add up");
    let pods = outcome.trace_pods_succeeded + outcome.trace_pods_unfinished;
    assert_eq!(outcome.trace_pods, pods, "trace pods do not add up");
    let cost = &outcome.cost;
    let ledger = &cost.costs.nodes;
    assert_eq!(ledger.total(), cost.nodes(), "the ledger does not add up to the bill");
    let by_pool: NanoUsd = cost.by_pool.iter().map(|(_, nodes)| *nodes).sum();
    assert_eq!(by_pool, cost.nodes(), "pools do not add up to the bill");
    let by_team: NanoUsd = cost.by_team.iter().map(|(_, part)| *part).sum();
    assert_eq!(by_team, cost.total(), "teams do not add up to the bill");
    assert_eq!(world.attempts.len(), 0, "attempts left");
    assert!(ledger.kinds().iter().all(|(_, part)| *part >= NanoUsd::ZERO), "{ledger:?}");
}
