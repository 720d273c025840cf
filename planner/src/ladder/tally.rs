//! What one simulation under one ladder came to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use sim::outcome::{AttemptRecord, RunRecord};
use sim::units::{Bytes, SimTime};
use sim::workload::{Failure, Run, RunOutcome};
use sim::{Outcome, Sink, Workload};

/// GiB-hours of a byte-millisecond.
const GIB_HOURS: f64 = 1.0 / (1024.0 * 1024.0 * 1024.0) / 3_600_000.0;
/// A run that ran out of memory for good with executors of so many times what it asked for has run
/// away.
const RUNAWAY: u64 = 2;

/// Totals of some runs.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Counts {
    /// Runs.
    pub runs: u64,
    /// Of these, the ones that succeeded.
    pub succeeded: u64,
    /// The ones that failed for good.
    pub failed: u64,
    /// Attempts.
    pub attempts: u64,
    /// Dollars of their nodes and fees.
    pub usd: f64,
    /// Executor memory above what was asked for that did not help: the attempt failed, or less
    /// would have done. In GiB-hours.
    pub vain_gib_hours: f64,
    /// Runs that ran out of memory for good with executors of twice what they asked for, or more.
    pub runaway: u64,
}

impl Counts {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.attempts += other.attempts;
        self.usd += other.usd;
        self.vain_gib_hours += other.vain_gib_hours;
        self.runaway += other.runaway;
    }
}

/// Totals of a simulation.
#[derive(Debug, Default)]
pub struct Tally {
    /// All runs.
    pub all: Counts,
    /// Runs whose first attempt failed, by its cause.
    pub by_cause: BTreeMap<Failure, Counts>,
    /// By application.
    pub by_application: BTreeMap<String, Counts>,
    /// Due to succeeded, in seconds, of runs that needed more than one attempt; ascending.
    pub time_to_success_s: Vec<f64>,
    /// The whole bill, in dollars.
    pub bill_usd: f64,
    /// The largest executor that was handed out.
    pub largest_executor: Bytes,
}

/// Counts while a simulation goes on.
pub(super) struct Counting<'a> {
    workload: &'a Workload,
    stop: &'a AtomicBool,
    tally: Tally,
    /// Runs with attempts that are not counted yet.
    open: BTreeMap<u32, OpenRun>,
}

#[derive(Debug, Default, Clone, Copy)]
struct OpenRun {
    first_failure: Option<Failure>,
    vain_gib_hours: f64,
    /// Executors of the last attempt: asked for, given.
    memory: (Bytes, Bytes),
}

impl Tally {
    /// The middle of [`Self::time_to_success_s`]; 0 without any.
    pub fn median_time_to_success_s(&self) -> f64 {
        let times = &self.time_to_success_s;
        times.get(times.len() / 2).copied().unwrap_or(0.0)
    }
}

impl<'a> Counting<'a> {
    /// Counts runs of `workload`; ends the simulation once `stop` is set.
    pub(super) fn new(workload: &'a Workload, stop: &'a AtomicBool) -> Self {
        Self { workload, stop, tally: Tally::default(), open: BTreeMap::new() }
    }

    pub(super) fn finish(mut self, outcome: &Outcome) -> Tally {
        self.tally.time_to_success_s.sort_by(f64::total_cmp);
        self.tally.bill_usd = outcome.cost.total().as_usd_f64();
        self.tally
    }
}

impl Sink for Counting<'_> {
    fn attempt(&mut self, record: AttemptRecord, _of: &Run) {
        let run = self.open.entry(record.run).or_default();
        if record.attempt == 1 {
            run.first_failure = record.failure;
        }
        run.memory = (record.executor_memory_asked, record.executor_memory);
        run.vain_gib_hours +=
            vain_bytes(&record) * record.executor_time.as_millis() as f64 * GIB_HOURS;
        self.tally.largest_executor = self.tally.largest_executor.max(record.executor_memory);
    }

    fn run(&mut self, record: RunRecord, _of: &Run) {
        let run = self.open.remove(&record.run).unwrap_or_default();
        let (asked, given) = run.memory;
        let failed = record.outcome == RunOutcome::Failed;
        let ran_away = record.failure == Some(Failure::ExecutorOom)
            && failed
            && asked > Bytes::ZERO
            && given.as_u64() >= asked.as_u64().saturating_mul(RUNAWAY);
        let counts = Counts {
            runs: 1,
            succeeded: u64::from(record.outcome == RunOutcome::Succeeded),
            failed: u64::from(failed),
            attempts: u64::from(record.attempts),
            usd: (record.cost.total() + record.emr).as_usd_f64(),
            vain_gib_hours: run.vain_gib_hours,
            runaway: u64::from(ran_away),
        };
        self.tally.all.add(&counts);
        if let Some(failure) = run.first_failure {
            self.tally.by_cause.entry(failure).or_default().add(&counts);
        }
        let names = &self.workload.applications;
        let name = names.get(record.application.0 as usize).cloned().unwrap_or_default();
        self.tally.by_application.entry(name).or_default().add(&counts);
        if let (RunOutcome::Succeeded, Some(ended)) = (record.outcome, record.ended_at)
            && record.attempts > 1
        {
            let took = ended.since(record.submitted_at);
            self.tally.time_to_success_s.push(took.as_secs_f64());
        }
    }

    fn progress(&mut self, _now: SimTime, _finished_runs: u64) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }
}

/// Bytes of an executor above what was asked for that did not help.
fn vain_bytes(record: &AttemptRecord) -> f64 {
    let given = record.executor_memory;
    let useful = match (record.outcome, record.executor_memory_needed) {
        (RunOutcome::Succeeded, Some(needed)) => needed.max(record.executor_memory_asked),
        _ => record.executor_memory_asked,
    };
    given.saturating_sub(useful).as_u64() as f64
}
