//! The same weather over several scenarios: paired differences, and where they come from.
//!
//! Replication `n` of every scenario has the same seed, so that runs, draws and spot weather are the
//! same wherever the scenarios are; what is left is the scenarios' own. Where a difference comes from:
//! the parts of the scenario that differ are changed one at a time from the base; what their effects
//! do not add up to is their interaction.

pub mod attribution;
pub mod gate;
pub mod sequential;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reports::student_t::Estimate;
use reports::summary::{Summary, numbers};
use sim::outcome::NoSink;
use sim::units::SimTime;
use sim::{RunOptions, Scenario, Seed, Sink, Workload};
use tokio::runtime::Runtime;

use crate::replicate::ReplicateError;

/// The workload of each replication.
pub type Workloads = Arc<dyn Fn(u64) -> Arc<Workload> + Send + Sync>;

/// One side of a comparison.
#[derive(Clone)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// The platform.
    pub scenario: Arc<Scenario>,
    /// What is submitted.
    pub workload: Workloads,
}

/// What a side came to: by replication, the numbers of its summary by their paths.
#[derive(Debug)]
pub struct Outcomes {
    /// The side's name.
    pub name: String,
    numbers: Vec<Vec<(String, f64)>>,
}

/// A metric on two sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Mean of the base.
    pub base: f64,
    /// Mean of the candidate.
    pub candidate: f64,
    /// Candidate less base, paired; `None` with one replication.
    pub difference: Option<Estimate>,
}

impl Difference {
    /// Candidate less base.
    pub fn absolute(&self) -> f64 {
        self.candidate - self.base
    }

    /// The same over the base; `None` where that is 0.
    pub fn relative(&self) -> Option<f64> {
        (self.base != 0.0).then(|| self.absolute() / self.base.abs())
    }

    /// Whether the interval leaves no doubt about the sign; with one replication it does not.
    pub fn is_clear(&self) -> bool {
        self.difference.is_some_and(|d| d.ci95_low > 0.0 || d.ci95_high < 0.0)
    }
}

impl Outcomes {
    /// Of numbers that were simulated before.
    pub(crate) fn of(name: String, replications: &[&BTreeMap<String, f64>]) -> Self {
        let numbers = replications.iter();
        let pairs = |one: &&BTreeMap<String, f64>| {
            one.iter().map(|(path, value)| (path.clone(), *value)).collect()
        };
        Self { name, numbers: numbers.map(pairs).collect() }
    }

    /// The first replication's numbers, without those of every single owner.
    pub(crate) fn kept(&self) -> BTreeMap<String, f64> {
        let numbers = self.numbers.iter().take(1).flatten();
        let of_owner =
            |path: &str| path.starts_with("owners.") || path.starts_with("cost_usd.by_team.");
        numbers.filter(|(path, _)| !of_owner(path)).cloned().collect()
    }

    /// A metric in every replication; 0 where a summary does not have it.
    pub fn values(&self, path: &str) -> Vec<f64> {
        let value = |numbers: &Vec<(String, f64)>| {
            numbers.iter().find(|(known, _)| known == path).map_or(0.0, |(_, value)| *value)
        };
        self.numbers.iter().map(value).collect()
    }

    /// How many replications there are.
    pub fn replications(&self) -> usize {
        self.numbers.len()
    }

    /// The mean of a metric.
    pub fn mean(&self, path: &str) -> f64 {
        mean(&self.values(path))
    }

    /// Whether any replication has the metric.
    pub fn has(&self, path: &str) -> bool {
        self.numbers.iter().flatten().any(|(known, _)| known == path)
    }

    /// Names of all metrics.
    pub fn metrics(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.numbers.iter().flatten().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// This side as a candidate, against `base`.
    pub fn against(&self, base: &Self, path: &str) -> Difference {
        let (own, before) = (self.values(path), base.values(path));
        let differences: Vec<f64> = own.iter().zip(&before).map(|(a, b)| a - b).collect();
        Difference {
            base: mean(&before),
            candidate: mean(&own),
            difference: Estimate::of(&differences),
        }
    }
}

/// The mean; 0 of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Simulates every side with replications `from..to` on `runtime`, and adds what it finds to
/// `outcomes` (empty, or one for each side). `finished` is called after each simulation.
///
/// # Errors
/// Interrupted, sums that do not add up, or a panic of the engine.
pub fn simulate(
    runtime: &Runtime,
    sides: &[Side],
    seed: u64,
    (from, to): (u64, u64),
    (stop, finished): (&Arc<AtomicBool>, &dyn Fn()),
    outcomes: &mut Vec<Outcomes>,
) -> Result<(), ReplicateError> {
    if outcomes.is_empty() {
        let empty = |side: &Side| Outcomes { name: side.name.clone(), numbers: Vec::new() };
        outcomes.extend(sides.iter().map(empty));
    }
    let mut tasks = Vec::new();
    for number in from..to {
        for (place, side) in sides.iter().enumerate() {
            let (side, stop) = (side.clone(), stop.clone());
            let task = move || one(&side, (seed, number), &stop);
            tasks.push((place, number, runtime.spawn_blocking(task)));
        }
    }
    for (place, number, task) in tasks {
        let result = runtime.block_on(task).unwrap_or(Err(ReplicateError::Panicked(number)));
        if result.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        outcomes[place].numbers.push(result?);
        finished();
    }
    Ok(())
}

fn one(
    side: &Side,
    (seed, number): (u64, u64),
    stop: &AtomicBool,
) -> Result<Vec<(String, f64)>, ReplicateError> {
    let workload = (side.workload)(number);
    let mut sink = Stoppable(stop);
    let root = Seed::new(seed).replication(number);
    let outcome = sim::run(&side.scenario, &workload, root, RunOptions::default(), &mut sink);
    if outcome.stopped || stop.load(Ordering::Relaxed) {
        return Err(ReplicateError::Interrupted);
    }
    Ok(numbers(&Summary::of(&outcome, seed)?))
}

/// Forgets everything, and ends the simulation when it is told to.
struct Stoppable<'a>(&'a AtomicBool);

impl Sink for Stoppable<'_> {
    fn progress(&mut self, now: SimTime, finished_runs: u64) -> bool {
        NoSink.progress(now, finished_runs) && !self.0.load(Ordering::Relaxed)
    }
}
