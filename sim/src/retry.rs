//! What happens after an attempt: the ladder's next rung, or the end of the run.
//!
//! Models: the first rung whose `when` holds the failure decides; its adjustments come on top of
//! those of earlier attempts, its steps instead of them (`retry/raises.rs`); backoff grows from attempt
//! to attempt; what an application's other runs met lately counts too (`retry/history.rs`).

mod history;
mod raises;
mod runs;

pub(crate) use history::{RetryHistory, raises_for};
pub(crate) use raises::Raises;
pub(crate) use runs::RunStates;

use crate::engine::event::{Event, SparkEvent};
use crate::engine::world::{Cx, World};
use crate::orchestrator;
use crate::outcome::{Billed, Costs, Ledger, PodUse, RunRecord};
use crate::scenario::Rung;
use crate::spark::Attempt;
use crate::units::{NanoUsd, SimDuration, SimTime};
use crate::workload::{Failure, RunOutcome};

/// What is known of a run that has not ended.
#[derive(Debug, Default)]
pub(crate) struct RunProgress {
    /// Attempts submitted.
    pub(crate) attempts: u32,
    /// When nothing that it depends on held it back any more.
    pub(crate) ready_at: Option<SimTime>,
    /// When its first driver's process ran.
    pub(crate) started_at: Option<SimTime>,
    /// What the ladder has raised so far.
    pub(crate) raises: Raises,
    cost: Ledger,
    emr: NanoUsd,
    network: NanoUsd,
    failure: Option<Failure>,
}

/// An attempt has ended: its run is tried again, or has ended too.
pub(crate) fn attempt_ended(
    world: &mut World,
    cx: &mut Cx<'_>,
    attempt: &Attempt,
    outcome: RunOutcome,
    failure: Option<Failure>,
) {
    book(world, cx, attempt);
    let state = world.runs.get_mut(attempt.run);
    let (cost, emr) = attempt.cost();
    state.cost.add(&cost);
    state.emr += emr;
    state.network += attempt.network + attempt.nat;
    state.failure = failure;
    if state.started_at.is_none() {
        state.started_at = attempt.started_at;
    }
    if let Some(failure) = failure {
        world.history.failed(cx, attempt.run, failure);
    }
    let ladder = &cx.scenario.retries;
    let rung = failure
        .and_then(|failure| ladder.rung_for(failure))
        .filter(|rung| attempt.number < rung.attempts_max);
    match rung {
        Some(rung) => {
            state.raises.climb(rung, attempt.number);
            let wait = backoff(rung, attempt.number);
            cx.after(wait, Event::Spark(SparkEvent::RetrySubmitted(attempt.run)));
        }
        None => {
            let ended_at = (outcome != RunOutcome::Unfinished).then_some(cx.now);
            end_run(world, cx, attempt.run, outcome, ended_at);
        }
    }
}

/// Everything that the attempt cost goes to the ledger.
fn book(world: &mut World, cx: &mut Cx<'_>, attempt: &Attempt) {
    let owner = (Billed::Run(attempt.run), Some(attempt.number));
    for ((hour, kind), charge) in &attempt.charges {
        let kind = world.cluster.kinds.get(*kind);
        let place = Some([kind.pool, kind.instance_type, kind.zone]);
        let costs = Costs { nodes: charge.nodes, emr: charge.emr, ..Costs::default() };
        world.books.row(cx, (*hour, place), owner, costs, charge.pod_use);
    }
    let (network, nat) = (attempt.network, attempt.nat);
    if network + nat > NanoUsd::ZERO {
        let hour = world.books.hours.of(cx.now);
        let costs = Costs { network, nat, ..Costs::default() };
        world.books.row(cx, (hour, None), owner, costs, PodUse::default());
    }
}

/// Runs that have not ended when the simulation does are unfinished.
pub(crate) fn end_all_unfinished(world: &mut World, cx: &mut Cx<'_>) {
    for run in 0..cx.workload.runs.len() as u32 {
        if !world.runs.has_ended(run) {
            cx.runs.recall(run);
            end_run(world, cx, run, RunOutcome::Unfinished, None);
        }
    }
}

fn end_run(
    world: &mut World,
    cx: &mut Cx<'_>,
    place: u32,
    outcome: RunOutcome,
    ended_at: Option<SimTime>,
) {
    let run = cx.run(place);
    cx.runs.ended(place);
    let state = world.runs.end(place);
    match outcome {
        RunOutcome::Succeeded => {
            cx.outcome.succeeded += 1;
            cx.outcome.run_duration.add(cx.now.since(run.submitted_at));
        }
        RunOutcome::Failed => cx.outcome.failed += 1,
        RunOutcome::Unfinished => cx.outcome.unfinished += 1,
    }
    world.runs_open -= 1;
    if state.attempts > 0 {
        world.runs_active -= 1;
    }
    let record = RunRecord {
        run: place,
        application: run.application,
        team: run.team,
        submitted_at: run.submitted_at,
        ready_at: state.ready_at,
        started_at: state.started_at,
        ended_at,
        outcome,
        failure: state.failure,
        attempts: state.attempts,
        cost: state.cost,
        emr: state.emr,
        network: state.network,
    };
    cx.sink.run(record, &run);
    orchestrator::run_ended(world, cx, (place, run.team), state.attempts);
}

fn backoff(rung: &Rung, failed_attempts: u32) -> SimDuration {
    let before = failed_attempts.saturating_sub(1).min(64);
    let grown = rung.backoff.scale_round(rung.backoff_factor.powi(before as i32));
    grown.saturating_add(rung.backoff_step * u64::from(before)).min(rung.backoff_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_its_maximum() {
        let rung = Rung {
            when: vec![Failure::Transient],
            adjust: Vec::new(),
            steps: Vec::new(),
            attempts_max: 9,
            backoff: SimDuration::seconds(10),
            backoff_factor: 2.0,
            backoff_step: SimDuration::ZERO,
            backoff_max: SimDuration::seconds(60),
        };
        let waits = |rung: &Rung| -> Vec<u64> {
            (1..6).map(|n| backoff(rung, n).as_millis() / 1000).collect()
        };
        assert_eq!(waits(&rung), [10, 20, 40, 60, 60]);
        let step = SimDuration::seconds(5);
        let linear = Rung { backoff: step, backoff_factor: 1.0, backoff_step: step, ..rung };
        assert_eq!(waits(&linear), [5, 10, 15, 20, 25]);
    }
}
