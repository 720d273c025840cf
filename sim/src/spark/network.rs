//! Traffic between zones: the shuffle data that executors of one attempt fetch from each other.
//!
//! Models: each byte of a shuffle is fetched from an executor picked evenly, so that the expected
//! share that crosses zones is `1 - sum over zones of (executors in the zone / executors)^2`; an
//! attempt that did not succeed moved the part of it that its launched tasks are of all its tasks.
//! Executors count as often as they registered. Leaves out: the driver's messages, broadcasts and
//! results; locality of shuffle fetches; traffic to storage (free within a region); images (pulled
//! through the registry's own endpoint). Source of the fee: facts-cloud section 3.

use super::attempt::Attempt;
use crate::engine::world::Cx;
use crate::ledger;
use crate::units::Bytes;
use crate::workload::{Run, RunOutcome};

/// Works out what the attempt moved between zones, and what that cost.
pub(super) fn charge(cx: &mut Cx<'_>, attempt: &mut Attempt, outcome: RunOutcome) {
    if attempt.zones.len() < 2 {
        return;
    }
    let run = &cx.workload.runs[attempt.run as usize];
    let mut bytes = u128::from(shuffle_bytes(run).as_u64());
    if outcome != RunOutcome::Succeeded {
        let launched = u128::from(attempt.progress.tasks_launched);
        let all = u128::from(tasks(run)).max(launched).max(1);
        bytes = bytes * launched / all;
    }
    let all: u128 = attempt.zones.iter().map(|(_, count)| u128::from(*count)).sum();
    let squares: u128 =
        attempt.zones.iter().map(|(_, count)| u128::from(*count) * u128::from(*count)).sum();
    let crossing = bytes * (all * all - squares) / (all * all);
    let crossing = u64::try_from(crossing).unwrap_or(u64::MAX);
    attempt.network = ledger::cross_zone_fee(&cx.scenario.fees, crossing);
    cx.outcome.cost.network += attempt.network;
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

fn tasks(run: &Run) -> u64 {
    match &run.stages {
        Some(stages) => stages.iter().map(|stage| u64::from(stage.tasks.count())).sum(),
        None => run.tasks.map_or(0, u64::from),
    }
}
