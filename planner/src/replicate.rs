//! One scenario, several replications, in parallel; each of them single-threaded and the same
//! whatever the number of threads.
//!
//! The first replication's records go to the tables of the result folder, the others only to their
//! totals, so that memory and disk do not grow with the number of replications. Stopping: every
//! simulation looks at the flag at its next sign of progress.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reports::summary::{Imbalance, Summary};
use reports::tables::{TableError, TableSink};
use sim::outcome::{
    AttemptRecord, LedgerRecord, NoSink, NodeRecord, PodRecord, RunRecord, ScalingRecord, Sink,
    TimelineRecord, WaitingRecord,
};
use sim::units::SimTime;
use sim::workload::Run;
use sim::{Finding, RunOptions, Scenario, Seed, Workload};
use tokio::runtime::Runtime;

/// What to run.
pub struct Plan {
    /// The platform.
    pub scenario: Arc<Scenario>,
    /// The workload of each replication: all the same, or each its own sample.
    pub workload: Arc<dyn Fn(u64) -> Arc<Workload> + Send + Sync>,
    /// Root of all randomness.
    pub seed: u64,
    /// How many replications; at least 1.
    pub replications: u64,
    /// Where the first replication's tables go; `None` = no tables.
    pub tables: Option<PathBuf>,
}

/// Looks at simulations while they run.
pub trait Watch: Send + Sync {
    /// Replication `number` is about to start on `workload`.
    fn started(&self, _number: u64, _workload: &Workload) {}
    /// Its simulated time is `now`, and so many of its runs are finished.
    fn progress(&self, _number: u64, _now: SimTime, _finished_runs: u64) {}
    /// It is finished.
    fn finished(&self, _number: u64) {}
}

/// All replications together.
#[derive(Debug)]
pub struct Replications {
    /// The first one's totals, with the statistics of all.
    pub summary: Summary,
    /// What the model had to say, each code and subject once.
    pub findings: Vec<Finding>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum ReplicateError {
    /// Stopped from outside.
    #[error("interrupted; nothing was written")]
    Interrupted,
    /// Sums do not add up.
    #[error(transparent)]
    Imbalance(#[from] Imbalance),
    /// A table could not be written.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// The engine panicked.
    #[error("replication {0} ended in a panic; this is a bug in seatrial, please report it")]
    Panicked(u64),
    /// The threads could not be started.
    #[error("cannot start threads: {0}")]
    Threads(std::io::Error),
}

/// A runtime on which at most `threads` simulations run at once.
///
/// # Errors
/// If the system gives no threads.
pub fn runtime(threads: usize) -> Result<Runtime, ReplicateError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(threads.max(1))
        .enable_all()
        .build()
        .map_err(ReplicateError::Threads)
}

/// Runs all replications of `plan` on `runtime`; results are in the order of their numbers.
///
/// # Errors
/// See [`ReplicateError`]; the first replication that failed.
pub fn replicate(
    runtime: &Runtime,
    plan: Plan,
    watch: Arc<dyn Watch>,
    stop: Arc<AtomicBool>,
) -> Result<Replications, ReplicateError> {
    let plan = Arc::new(plan);
    // Waiting tasks start in the order of their numbers as soon as a thread is free.
    let tasks: Vec<_> = (0..plan.replications.max(1))
        .map(|number| {
            let (plan, watch, stop) = (plan.clone(), watch.clone(), stop.clone());
            let task = move || one(&plan, number, &*watch, &stop);
            (number, runtime.spawn_blocking(task))
        })
        .collect();
    let mut summaries = Vec::new();
    let mut findings = Vec::new();
    let mut known = BTreeSet::new();
    for (number, task) in tasks {
        let result = runtime.block_on(task).unwrap_or(Err(ReplicateError::Panicked(number)));
        let (summary, found) = match result {
            Ok(done) => done,
            Err(error) => {
                // The others must not go on behind a result that will not be.
                stop.store(true, Ordering::Relaxed);
                return Err(error);
            }
        };
        summaries.push(summary);
        findings.extend(found.into_iter().filter(|finding| {
            known.insert((finding.code.clone(), finding.subject.clone())) || number == 0
        }));
    }
    let summary = Summary::of_replications(summaries).expect("at least one replication was run");
    Ok(Replications { summary, findings })
}

fn one(
    plan: &Plan,
    number: u64,
    watch: &dyn Watch,
    stop: &AtomicBool,
) -> Result<(Summary, Vec<Finding>), ReplicateError> {
    if stop.load(Ordering::Relaxed) {
        return Err(ReplicateError::Interrupted);
    }
    let workload = (plan.workload)(number);
    watch.started(number, &workload);
    let seed = Seed::new(plan.seed).replication(number);
    let options = RunOptions::default();
    let scenario = &*plan.scenario;
    let mut tables = match &plan.tables {
        Some(folder) if number == 0 => Some(TableSink::create(folder, scenario, &workload)?),
        _ => None,
    };
    let mut forget = NoSink;
    let inner: &mut dyn Sink = match &mut tables {
        Some(tables) => tables,
        None => &mut forget,
    };
    let mut sink = Watched { inner, number, watch, stop };
    let outcome = sim::run(scenario, &workload, seed, options, &mut sink);
    if let Some(tables) = tables {
        tables.finish()?;
    }
    if outcome.stopped || stop.load(Ordering::Relaxed) {
        return Err(ReplicateError::Interrupted);
    }
    watch.finished(number);
    let summary = Summary::of(&outcome, plan.seed)?;
    Ok((summary, outcome.findings))
}

/// Passes records on, reports progress, and stops the simulation when it is told to.
struct Watched<'a> {
    inner: &'a mut dyn Sink,
    number: u64,
    watch: &'a dyn Watch,
    stop: &'a AtomicBool,
}

impl Sink for Watched<'_> {
    fn run(&mut self, record: RunRecord, of: &Run) {
        self.inner.run(record, of);
    }
    fn attempt(&mut self, record: AttemptRecord, of: &Run) {
        self.inner.attempt(record, of);
    }
    fn pod(&mut self, record: PodRecord, of: Option<&Run>) {
        self.inner.pod(record, of);
    }
    fn node(&mut self, record: NodeRecord) {
        self.inner.node(record);
    }
    fn timeline(&mut self, record: TimelineRecord) {
        self.inner.timeline(record);
    }
    fn ledger(&mut self, record: LedgerRecord, of: Option<&Run>) {
        self.inner.ledger(record, of);
    }
    fn waiting(&mut self, record: WaitingRecord<'_>) {
        self.inner.waiting(record);
    }
    fn scaling(&mut self, record: ScalingRecord<'_>) {
        self.inner.scaling(record);
    }
    fn progress(&mut self, now: SimTime, finished_runs: u64) -> bool {
        self.watch.progress(self.number, now, finished_runs);
        self.inner.progress(now, finished_runs) && !self.stop.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
