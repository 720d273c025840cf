//! What a ladder remembers between the runs of an application, and of spot.
//!
//! Models: attempts of an application that failed in a window before a submission change what is
//! submitted, once or once for each of them; while retries are a large share of what was submitted
//! lately, new runs' executors go to on-demand nodes. Leaves out: rules over what runs used (a
//! quantile of executor counts, of run times). Source: facts-spark A7 (Flotilla's queries over its
//! run table).

use std::collections::{BTreeMap, VecDeque};

use super::Raises;
use crate::engine::world::{Cx, World};
use crate::scenario::RetryLadder;
use crate::units::SimTime;
use crate::workload::{ApplicationId, Failure};

/// Failures kept of an application at most: upstream's queries look at 30.
const KEPT_MAX: usize = 30;

/// What was met lately; empty where no rule asks.
#[derive(Debug, Default)]
pub(crate) struct RetryHistory {
    failures: BTreeMap<ApplicationId, VecDeque<Failed>>,
    /// Submissions on spot, and whether each was a retry.
    submissions: VecDeque<(SimTime, bool)>,
    /// How many of them are.
    retries: usize,
}

/// An attempt that failed.
#[derive(Debug, Clone, Copy)]
struct Failed {
    at: SimTime,
    run: u32,
    failure: Failure,
}

impl RetryHistory {
    /// An attempt of the run has failed.
    pub(super) fn failed(&mut self, cx: &Cx<'_>, run: u32, failure: Failure) {
        if cx.scenario.retries.history.is_empty() {
            return;
        }
        let application = cx.run(run).application;
        let failures = self.failures.entry(application).or_default();
        failures.push_back(Failed { at: cx.now, run, failure });
        if failures.len() > KEPT_MAX {
            failures.pop_front();
        }
    }

    /// Whether spot is rough by the ladder's rule.
    fn is_rough(&mut self, ladder: &RetryLadder, now: SimTime) -> bool {
        let Some(rough) = ladder.spot_rough else { return false };
        while self.submissions.front().is_some_and(|(at, _)| now.since(*at) > rough.within) {
            if let Some((_, retry)) = self.submissions.pop_front() {
                self.retries -= usize::from(retry);
            }
        }
        let firsts = self.submissions.len() - self.retries;
        self.retries > 0 && self.retries as f64 >= rough.retry_share * firsts as f64
    }

    fn submitted(&mut self, ladder: &RetryLadder, now: SimTime, retry: bool) {
        if ladder.spot_rough.is_some() {
            self.submissions.push_back((now, retry));
            self.retries += usize::from(retry);
        }
    }
}

/// What the run's next attempt gets: what its own attempts have raised, and what the ladder
/// remembers.
pub(crate) fn raises_for(world: &mut World, cx: &Cx<'_>, place: u32, number: u32) -> Raises {
    let ladder = &cx.scenario.retries;
    let mut raises = world.runs.get_mut(place).raises;
    if ladder.looks_back().is_none() {
        return raises;
    }
    let application = cx.run(place).application;
    let failures = world.history.failures.get(&application);
    for rule in &ladder.history {
        let counts = |failed: &&Failed| {
            rule.when.contains(&failed.failure)
                && cx.now.since(failed.at) <= rule.within
                && (rule.same_run || failed.run != place)
        };
        let count = failures.into_iter().flatten().filter(counts).count();
        let times = if rule.compounding { count } else { count.min(1) };
        for adjustment in (0..times).flat_map(|_| &rule.adjust) {
            raises.apply(adjustment);
        }
    }
    if number == 1 && world.history.is_rough(ladder, cx.now) {
        raises.on_demand = true;
        // It stays there.
        world.runs.get_mut(place).raises.on_demand = true;
    }
    if !raises.on_demand {
        world.history.submitted(ladder, cx.now, number > 1);
    }
    raises
}
