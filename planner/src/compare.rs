//! The same weather over several scenarios: paired differences, and where they come from.
//!
//! Replication `n` of every scenario has the same seed, so that runs, draws and spot weather are the
//! same wherever the scenarios are; what is left is the scenarios' own. Where a difference comes from:
//! the parts of the scenario that differ are changed one at a time from the base; what their effects
//! do not add up to is their interaction. Leaves out: stopping as soon as the answer is clear, single
//! settings within a part.

pub mod gate;

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
    /// A metric in every replication; 0 where a summary does not have it.
    pub fn values(&self, path: &str) -> Vec<f64> {
        let value = |numbers: &Vec<(String, f64)>| {
            numbers.iter().find(|(known, _)| known == path).map_or(0.0, |(_, value)| *value)
        };
        self.numbers.iter().map(value).collect()
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
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let differences: Vec<f64> = own.iter().zip(&before).map(|(a, b)| a - b).collect();
        Difference {
            base: mean(&before),
            candidate: mean(&own),
            difference: Estimate::of(&differences),
        }
    }
}

/// The parts of a scenario that can be changed one at a time.
pub fn parts(base: &Side, candidate: &Side) -> Vec<Side> {
    let from = &*candidate.scenario;
    type Change = fn(&mut Scenario, &Scenario);
    let changes: [(&'static str, Change); 10] = [
        ("spark", |to, from| to.spark = from.spark.clone()),
        ("nodes", |to, from| {
            to.pools.clone_from(&from.pools);
            to.daemonsets = from.daemonsets;
        }),
        ("autoscaler", |to, from| to.autoscaler.clone_from(&from.autoscaler)),
        ("scheduler", |to, from| {
            to.scheduler = from.scheduler.clone();
            to.kubernetes = from.kubernetes;
        }),
        ("retries", |to, from| to.retries = from.retries.clone()),
        ("orchestrator", |to, from| to.orchestrator = from.orchestrator.clone()),
        ("images", |to, from| to.images = from.images.clone()),
        ("overprovisioning", |to, from| to.overprovisioning.clone_from(&from.overprovisioning)),
        ("fees", |to, from| to.fees = from.fees),
        ("assumptions", |to, from| to.assumptions = from.assumptions.clone()),
    ];
    let mut parts = Vec::new();
    for (name, change) in changes {
        let mut scenario = (*base.scenario).clone();
        let before = format!("{scenario:?}");
        change(&mut scenario, from);
        if format!("{scenario:?}") != before {
            let scenario = Arc::new(scenario);
            parts.push(Side { name: name.to_owned(), scenario, ..base.clone() });
        }
    }
    let same = format!("{:?}", (base.workload)(0)) == format!("{:?}", (candidate.workload)(0));
    if !same {
        let workload = candidate.workload.clone();
        parts.push(Side { name: "workload".to_owned(), workload, ..base.clone() });
    }
    parts
}

/// Simulates every side, `replications` times each, on `runtime`.
///
/// # Errors
/// Interrupted, sums that do not add up, or a panic of the engine.
pub fn simulate(
    runtime: &Runtime,
    sides: &[Side],
    (seed, replications): (u64, u64),
    stop: &Arc<AtomicBool>,
) -> Result<Vec<Outcomes>, ReplicateError> {
    let mut tasks = Vec::new();
    for side in sides {
        for number in 0..replications.max(1) {
            let (side, stop) = (side.clone(), stop.clone());
            let task = move || one(&side, (seed, number), &stop);
            tasks.push((number, runtime.spawn_blocking(task)));
        }
    }
    let mut done = Vec::new();
    for (number, task) in tasks {
        let result = runtime.block_on(task).unwrap_or(Err(ReplicateError::Panicked(number)));
        if result.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        done.push(result?);
    }
    let mut done = done.into_iter();
    let each = replications.max(1) as usize;
    let outcomes = sides.iter().map(|side| Outcomes {
        name: side.name.clone(),
        numbers: done.by_ref().take(each).collect(),
    });
    Ok(outcomes.collect())
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
