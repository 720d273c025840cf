//! The same runs under several retry ladders: what each saves, wastes and costs.
//!
//! Every ladder meets the same failures: the same workload, seeds and weather, replication by
//! replication, so that differences are paired. Measured: how runs end, how long those take that do
//! not succeed at once, dollars, memory handed out in vain, runs that climbed and failed anyway.
//! Leaves out: failures that a longer life of a run would have met in the real world and that the
//! trace does not have.

pub mod best;
mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sim::{RunOptions, Scenario, Seed, Workload};
use tokio::runtime::Runtime;

use crate::replicate::ReplicateError;
pub use tally::{Counts, Tally};

/// What to compare.
pub struct LadderPlan {
    /// The scenario under each ladder; the first one is the base.
    pub scenarios: Vec<Arc<Scenario>>,
    /// The workload of each replication.
    pub workload: Arc<dyn Fn(u64) -> Arc<Workload> + Send + Sync>,
    /// Root of all randomness.
    pub seed: u64,
    /// How many replications; at least 1.
    pub replications: u64,
}

/// A ladder's results, one for each replication.
#[derive(Debug)]
pub struct LadderResult {
    /// Its name.
    pub name: String,
    /// What came of it.
    pub tallies: Vec<Tally>,
}

/// Runs every ladder of the plan on `runtime`.
///
/// # Errors
/// Interrupted, or the engine panicked.
pub fn compare(
    runtime: &Runtime,
    plan: &LadderPlan,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<LadderResult>, ReplicateError> {
    let mut tasks = Vec::new();
    for scenario in &plan.scenarios {
        for number in 0..plan.replications.max(1) {
            let (scenario, workload, stop) =
                (scenario.clone(), plan.workload.clone(), stop.clone());
            let seed = Seed::new(plan.seed).replication(number);
            let task = move || one(&scenario, &workload(number), seed, &stop);
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
    let each = plan.replications.max(1) as usize;
    let results = plan.scenarios.iter().map(|scenario| LadderResult {
        name: scenario.retries.name.clone(),
        tallies: done.by_ref().take(each).collect(),
    });
    Ok(results.collect())
}

fn one(
    scenario: &Scenario,
    workload: &Workload,
    seed: Seed,
    stop: &AtomicBool,
) -> Result<Tally, ReplicateError> {
    let mut tally = tally::Counting::new(workload, stop);
    let outcome = sim::run(scenario, workload, seed, RunOptions::default(), &mut tally);
    if outcome.stopped || stop.load(Ordering::Relaxed) {
        return Err(ReplicateError::Interrupted);
    }
    Ok(tally.finish(&outcome))
}

impl LadderResult {
    /// A figure of every replication.
    pub fn figures(&self, figure: impl Fn(&Tally) -> f64) -> Vec<f64> {
        self.tallies.iter().map(figure).collect()
    }

    /// Its mean over the replications.
    pub fn mean(&self, figure: impl Fn(&Tally) -> f64) -> f64 {
        let figures = self.figures(figure);
        figures.iter().sum::<f64>() / figures.len().max(1) as f64
    }

    /// Counts of all replications together, by cause or by application.
    pub fn all<'a, K: Ord + Clone + 'a>(
        &'a self,
        of: impl Fn(&'a Tally) -> &'a BTreeMap<K, Counts>,
    ) -> BTreeMap<K, Counts> {
        let mut all: BTreeMap<K, Counts> = BTreeMap::new();
        for (key, counts) in self.tallies.iter().flat_map(of) {
            all.entry(key.clone()).or_default().add(counts);
        }
        all
    }
}
