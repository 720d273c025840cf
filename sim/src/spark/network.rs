//! Traffic between zones: the shuffle data that executors of one attempt fetch from each other.
//!
//! Models: each byte of a shuffle is fetched from an executor picked evenly, so that the expected
//! share that crosses zones is `1 - sum over zones of (executors in the zone / executors)^2`; an
//! attempt that did not succeed moved the part of it that its launched tasks are of all its tasks.
//! Executors count as often as they registered. Of a run's input, the share that the scenario says
//! comes through NAT gateways; the rest comes through a gateway endpoint, which is free. Leaves out:
//! the driver's messages, broadcasts and results; locality of shuffle fetches; output; Spark's
//! repeated reads. Source of the fee: facts-cloud section 3.

use super::attempt::Attempt;
use crate::engine::world::Cx;
use crate::ledger;
use crate::units::Bytes;
use crate::workload::{Run, RunOutcome};

/// Works out what the attempt moved between zones and through NAT gateways, and what that cost.
pub(super) fn charge(cx: &mut Cx<'_>, attempt: &mut Attempt, outcome: RunOutcome) {
    let run = &*cx.run(attempt.run);
    let moved = |whole: Bytes| {
        let whole = u128::from(whole.as_u64());
        if outcome == RunOutcome::Succeeded {
            return whole;
        }
        let launched = u128::from(attempt.progress.tasks_launched);
        whole * launched / u128::from(tasks(run)).max(launched).max(1)
    };
    if let Some(nat) = &cx.scenario.fees.nat {
        let input = moved(input_bytes(run)) * u128::from(nat.input_ppm) / 1_000_000;
        let input = u64::try_from(input).unwrap_or(u64::MAX);
        attempt.nat = ledger::traffic_fee(nat.per_gb, input);
    }
    if attempt.zones.len() < 2 {
        return;
    }
    let bytes = moved(shuffle_bytes(run));
    let all: u128 = attempt.zones.iter().map(|(_, count)| u128::from(*count)).sum();
    let squares: u128 =
        attempt.zones.iter().map(|(_, count)| u128::from(*count) * u128::from(*count)).sum();
    let crossing = bytes * (all * all - squares) / (all * all);
    let crossing = u64::try_from(crossing).unwrap_or(u64::MAX);
    attempt.network = ledger::traffic_fee(cx.scenario.fees.cross_zone_per_gb, crossing);
    cx.outcome.cross_zone_bytes = cx.outcome.cross_zone_bytes.saturating_add(Bytes::new(crossing));
}

/// What the run's tasks read from shuffles: by stage where that is recorded.
fn shuffle_bytes(run: &Run) -> Bytes {
    match &run.stages {
        Some(stages) => stages
            .iter()
            .fold(Bytes::ZERO, |sum, stage| sum.saturating_add(stage.shuffle_read_bytes)),
        None => run.shuffle_bytes.unwrap_or(Bytes::ZERO),
    }
}

/// What the run's tasks read from storage.
fn input_bytes(run: &Run) -> Bytes {
    match &run.stages {
        Some(stages) => {
            stages.iter().fold(Bytes::ZERO, |sum, stage| sum.saturating_add(stage.input_bytes))
        }
        None => run.input_bytes.unwrap_or(Bytes::ZERO),
    }
}

fn tasks(run: &Run) -> u64 {
    match &run.stages {
        Some(stages) => stages.iter().map(|stage| u64::from(stage.tasks.count())).sum(),
        None => run.tasks.map_or(0, u64::from),
    }
}
