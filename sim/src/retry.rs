//! What happens after an attempt: the ladder's next rung, or the end of the run.
//!
//! Models: the first rung whose `when` holds the failure decides; its adjustments come on top of
//! those of earlier attempts; backoff grows from attempt to attempt. Leaves out: state that a
//! ladder keeps between runs of an application.

use crate::engine::event::{Event, SparkEvent};
use crate::engine::world::{Cx, World};
use crate::orchestrator;
use crate::outcome::{Ledger, RunRecord};
use crate::scenario::{Adjustment, Rung};
use crate::spark::Attempt;
use crate::units::{Bytes, NanoUsd, SimDuration, SimTime};
use crate::workload::{Failure, RunOutcome};

/// What is known of a run so far.
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
    /// It has ended.
    pub(crate) ended: bool,
    cost: Ledger,
    emr: NanoUsd,
    failure: Option<Failure>,
}

/// What a ladder has raised for the next attempt. Factors are 1 or 0 (untouched) or greater.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Raises {
    /// Factor on the executor's heap.
    pub(crate) executor_memory: f64,
    /// Most that the factor may lead to.
    pub(crate) executor_memory_max: Bytes,
    /// Factor on the driver's heap.
    pub(crate) driver_memory: f64,
    /// Most that the factor may lead to.
    pub(crate) driver_memory_max: Bytes,
    /// Factor on the number of executors.
    pub(crate) executor_count: f64,
    /// Most that the factor may lead to.
    pub(crate) executor_count_max: u32,
    /// Executors run on on-demand nodes.
    pub(crate) on_demand: bool,
}

/// An attempt has ended: its run is tried again, or has ended too.
pub(crate) fn attempt_ended(
    world: &mut World,
    cx: &mut Cx<'_>,
    attempt: &Attempt,
    outcome: RunOutcome,
    failure: Option<Failure>,
    cost: Ledger,
) {
    let run = &cx.workload.runs[attempt.run as usize];
    for (pool, part) in &attempt.cost {
        world.books.book((*pool, Some((run.team, run.application))), part);
    }
    *world.books.emr_by_team.entry(run.team).or_default() += attempt.emr;
    let state = &mut world.runs[attempt.run as usize];
    state.cost.add(&cost);
    state.emr += attempt.emr;
    if attempt.network > NanoUsd::ZERO {
        *world.books.network_by_team.entry(run.team).or_default() += attempt.network;
    }
    state.failure = failure;
    if state.started_at.is_none() {
        state.started_at = attempt.started_at;
    }
    let ladder = &cx.scenario.retries;
    let rung = failure
        .and_then(|failure| ladder.rung_for(failure))
        .filter(|rung| attempt.number < rung.attempts_max);
    match rung {
        Some(rung) => {
            state.raises.climb(rung);
            let wait = backoff(rung, attempt.number);
            cx.after(wait, Event::Spark(SparkEvent::RetrySubmitted(attempt.run)));
        }
        None => {
            let ended_at = (outcome != RunOutcome::Unfinished).then_some(cx.now);
            end_run(world, cx, attempt.run, outcome, ended_at);
        }
    }
}

/// Runs that have not ended when the simulation does are unfinished.
pub(crate) fn end_all_unfinished(world: &mut World, cx: &mut Cx<'_>) {
    for run in 0..world.runs.len() as u32 {
        if !world.runs[run as usize].ended {
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
    let run = &cx.workload.runs[place as usize];
    let state = &mut world.runs[place as usize];
    state.ended = true;
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
    cx.sink.run(RunRecord {
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
    });
    orchestrator::run_ended(world, cx, place);
}

fn backoff(rung: &Rung, failed_attempts: u32) -> SimDuration {
    let exponent = failed_attempts.saturating_sub(1).min(64) as i32;
    rung.backoff.scale_round(rung.backoff_factor.powi(exponent)).min(rung.backoff_max)
}

impl Raises {
    /// Applies a rung's adjustments on top of what there is.
    fn climb(&mut self, rung: &Rung) {
        for adjustment in &rung.adjust {
            match adjustment {
                Adjustment::ExecutorMemory { factor, max } => {
                    self.executor_memory = self.executor_memory.max(1.0) * factor;
                    self.executor_memory_max = *max;
                }
                Adjustment::DriverMemory { factor, max } => {
                    self.driver_memory = self.driver_memory.max(1.0) * factor;
                    self.driver_memory_max = *max;
                }
                Adjustment::ExecutorCount { factor, max } => {
                    self.executor_count = self.executor_count.max(1.0) * factor;
                    self.executor_count_max = *max;
                }
                Adjustment::OnDemand => self.on_demand = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_its_maximum() {
        let rung = Rung {
            when: vec![Failure::Transient],
            adjust: Vec::new(),
            attempts_max: 9,
            backoff: SimDuration::seconds(10),
            backoff_factor: 2.0,
            backoff_max: SimDuration::seconds(60),
        };
        let waits: Vec<u64> = (1..6).map(|n| backoff(&rung, n).as_millis() / 1000).collect();
        assert_eq!(waits, [10, 20, 40, 60, 60]);
    }
}
