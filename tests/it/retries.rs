//! Retry ladders: what they remember between runs, and what they may not do.

use crate::fixtures::*;
use sim::scenario::{Adjustment, HistoryRule, RetryLadder, SpotRough};
use sim::units::{Bytes, SimDuration};
use sim::workload::{Failure, Run, RunOutcome, Workload};

fn memory(factor: f64) -> Adjustment {
    Adjustment::ExecutorMemory { factor, max: Bytes::gib(16) }
}

fn rule(within: SimDuration, compounding: bool) -> HistoryRule {
    HistoryRule {
        when: vec![Failure::ExecutorOom],
        within,
        same_run: false,
        adjust: vec![memory(2.0)],
        compounding,
    }
}

/// A run whose executors need `gib` and ask for 2.
fn needing(id: &str, hour: u64, gib: u64) -> Run {
    let mut run = run(id, hour * 3600, 20);
    run.executor_memory = Some(Bytes::gib(2));
    run.peak_executor_memory = Some(Bytes::gib(gib));
    run
}

fn with(history: Vec<HistoryRule>) -> sim::Scenario {
    let mut scenario = platform();
    scenario.retries = RetryLadder { history, ..RetryLadder::default() };
    scenario
}

fn outcomes(records: &Records) -> Vec<RunOutcome> {
    let mut runs: Vec<_> = records.runs.iter().collect();
    runs.sort_by_key(|run| run.run);
    runs.iter().map(|run| run.outcome).collect()
}

const FAILED: RunOutcome = RunOutcome::Failed;
const SUCCEEDED: RunOutcome = RunOutcome::Succeeded;

#[test]
fn a_failure_raises_the_next_run_within_the_window_and_not_after_it() {
    let day = || vec![needing("a", 0, 3), needing("b", 2, 3), needing("c", 30, 3)];
    let within = |hours| vec![rule(SimDuration::hours(hours), false)];
    let (_, records) = simulate(&with(within(24)), &runs(day()), 1);
    assert_eq!(outcomes(&records), [FAILED, SUCCEEDED, FAILED], "c is 30 hours later");
    let (_, records) = simulate(&with(within(48)), &runs(day()), 1);
    assert_eq!(outcomes(&records), [FAILED, SUCCEEDED, SUCCEEDED]);
    // What one application met is no matter of another.
    let mut apart = runs(day());
    apart.applications.push("other".into());
    apart.runs.list()[1].application = sim::workload::ApplicationId(1);
    let (_, records) = simulate(&with(within(48)), &apart, 1);
    assert_eq!(outcomes(&records), [FAILED, FAILED, SUCCEEDED]);
}

#[test]
fn compounding_rules_run_away_to_their_maximum_and_others_do_not() {
    let day: Vec<Run> = (0..6).map(|run| needing(&format!("r{run}"), run, 60)).collect();
    let memory_of = |compounding| {
        let rules = vec![rule(SimDuration::hours(48), compounding)];
        let (_, records) = simulate(&with(rules), &runs(day.clone()), 1);
        let mut attempts: Vec<_> = records.attempts.iter().collect();
        attempts.sort_by_key(|attempt| attempt.run);
        attempts.iter().map(|attempt| attempt.executor_memory.as_mib_floor()).collect::<Vec<u64>>()
    };
    let asked = 2048 + 384;
    let plain = memory_of(false);
    assert_eq!((plain[0], plain[1], plain[5]), (asked, 4096 + 409, 4096 + 409));
    let wild = memory_of(true);
    assert_eq!(wild[2], 8192 + 819);
    assert_eq!((wild[4], wild[5]), (16_384 + 1638, 16_384 + 1638), "the maximum");
}

#[test]
fn fewer_tasks_share_an_executors_memory() {
    let mut scenario = with(Vec::new());
    scenario.retries.rungs = vec![sim::scenario::Rung {
        when: vec![Failure::ExecutorOom],
        adjust: Vec::new(),
        steps: vec![vec![Adjustment::TaskCpus { factor: 2 }]],
        attempts_max: 2,
        backoff: SimDuration::ZERO,
        backoff_factor: 1.0,
        backoff_step: SimDuration::ZERO,
        backoff_max: SimDuration::MAX,
    }];
    // No peak was recorded; it died of memory. Half the slots need 0.4 + 0.6 / 2 of that.
    let mut died = run("a", 0, 20);
    died.executor_cores = Some(2);
    died.executor_memory = Some(Bytes::gib(2));
    (died.outcome, died.failure) = (RunOutcome::Failed, Some(Failure::ExecutorOom));
    let workload: Workload = runs(vec![died]);
    let ends = (0..20).map(|seed| simulate(&scenario, &workload, seed).0.succeeded);
    let succeeded: u64 = ends.sum();
    // Needs are 1.05 to 1.8 times the container: those below 1 / 0.7 = 1.43 fit, about half.
    assert!((5..=15).contains(&succeeded), "{succeeded} of 20");
}

#[test]
fn while_spot_is_rough_new_runs_go_to_on_demand_nodes() {
    let mut scenario = with(Vec::new());
    scenario.retries.rungs = vec![sim::scenario::Rung {
        when: vec![Failure::Transient],
        adjust: Vec::new(),
        steps: Vec::new(),
        attempts_max: 2,
        backoff: SimDuration::ZERO,
        backoff_factor: 1.0,
        backoff_step: SimDuration::ZERO,
        backoff_max: SimDuration::MAX,
    }];
    scenario.retries.spot_rough =
        Some(SpotRough { retry_share: 0.5, within: SimDuration::minutes(30) });
    let mut first = run("a", 0, 2);
    (first.outcome, first.failure) = (RunOutcome::Failed, Some(Failure::Transient));
    // A retry for one first attempt within half an hour; an hour later nothing is known.
    let workload = runs(vec![first, run("b", 1200, 2), run("c", 7200, 2)]);
    let (outcome, records) = simulate(&scenario, &workload, 1);
    assert_eq!(outcome.succeeded, 3);
    let on_demand = |run: u32| records.attempts.iter().any(|a| a.run == run && a.on_demand);
    assert_eq!([0, 1, 2].map(on_demand), [false, true, false]);
}
