//! What the trace and one simulation say of each application.

use std::collections::BTreeMap;

use sim::outcome::{AttemptRecord, Sink};
use sim::scenario::{Scenario, weight_usd};
use sim::units::Bytes;
use sim::workload::{Failure, Run, RunOutcome, RunRef};
use sim::{RunOptions, Seed, Workload};

use super::advice::Application;
use super::need::{Fleet, Need, Observed, Seen};

/// The applications of `workload`, in order of their names, as they run on `scenario`.
pub fn gather(scenario: &Scenario, workload: &Workload, seed: Seed) -> Vec<Application> {
    let spark = &scenario.spark;
    let mut hours = Hours { scenario, by: BTreeMap::new(), usd: 0.0, weight: 0.0 };
    sim::run(scenario, workload, seed, RunOptions::default(), &mut hours);
    // Dollars of the bill for each dollar that cores and memory weigh.
    let price = if hours.weight > 0.0 { hours.usd / hours.weight } else { 1.0 };
    let mut runs: BTreeMap<u32, Vec<RunRef<'_>>> = BTreeMap::new();
    for run in workload.runs.iter() {
        runs.entry(run.application.0).or_default().push(run);
    }
    let seen: BTreeMap<u32, Vec<Seen>> = runs
        .iter()
        .map(|(of, runs)| (*of, runs.iter().filter_map(|run| seen(scenario, run)).collect()))
        .collect();
    let observed = |of: &u32| Observed { seen: &seen[of], asked: asked(scenario, &runs[of]) };
    let fleet = Fleet::of(seen.keys().map(observed));
    let name =
        |names: &[String], place: u32| names.get(place as usize).cloned().unwrap_or_default();
    let mut found: Vec<Application> = runs
        .iter()
        .map(|(of, runs)| {
            let (sum, count) = hours.by.get(of).copied().unwrap_or_default();
            let each = if count > 0 { sum / f64::from(count) } else { 0.0 };
            let cores = most(runs.iter().map(|run| spark.executor_cores_of(run))).unwrap_or(1);
            let heap = most(runs.iter().map(|run| spark.executor_heap_of(run))).unwrap_or_default();
            let team = most(runs.iter().map(|run| run.team.0)).unwrap_or_default();
            Application {
                name: name(&workload.applications, *of),
                team: name(&workload.teams, team),
                runs: runs.len(),
                heap,
                overhead: most(runs.iter().map(|run| spark.executor_overhead_of(run))).flatten(),
                usd_cpu: price * weight_usd(each * f64::from(cores), 0.0),
                usd_per_gib: price * weight_usd(0.0, each),
                need: Need::fit(observed(of), &fleet),
            }
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// What is there most often; of two, the larger one.
fn most<T: Ord>(items: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0))).map(|best| best.0)
}

/// The container that a run was recorded with: its peak and its death were seen under that.
pub(super) fn container(scenario: &Scenario, run: &Run) -> Bytes {
    let spark = &scenario.spark;
    let heap = run.executor_memory.unwrap_or(spark.executor_memory);
    let set = run.executor_memory_overhead.or(spark.executor_memory_overhead);
    spark.overheads.executor_container(heap, set)
}

/// Logarithm of the container's bytes that most of `runs` were recorded with.
pub(super) fn asked(scenario: &Scenario, runs: &[RunRef<'_>]) -> f64 {
    let size = most(runs.iter().map(|run| container(scenario, run))).unwrap_or_default();
    (size.as_u64() as f64).max(1.0).ln()
}

/// What a run says of its application's need.
pub(super) fn seen(scenario: &Scenario, run: &Run) -> Option<Seen> {
    let container = container(scenario, run);
    let died = run.failure == Some(Failure::ExecutorOom);
    let ln = |bytes: Bytes| (bytes.as_u64() as f64).ln();
    match run.peak_executor_memory.filter(|peak| *peak > Bytes::ZERO) {
        Some(peak) if !died || peak > container => Some(Seen { ln: ln(peak), died: false }),
        _ if died => Some(Seen { ln: ln(container), died: true }),
        _ => None,
    }
}

/// Executors' time of attempts that succeeded, and what everything costs.
struct Hours<'a> {
    scenario: &'a Scenario,
    /// By application: executor-hours, attempts.
    by: BTreeMap<u32, (f64, u32)>,
    usd: f64,
    weight: f64,
}

impl Sink for Hours<'_> {
    fn attempt(&mut self, record: AttemptRecord, run: &Run) {
        let hours = record.executor_time.as_secs_f64() / 3600.0;
        let cores = hours * f64::from(self.scenario.spark.executor_cores_of(run));
        self.usd += record.cost.total().as_usd_f64();
        self.weight += weight_usd(cores, hours * record.executor_memory.as_gib_f64());
        if record.outcome == RunOutcome::Succeeded {
            let of = self.by.entry(run.application.0).or_default();
            of.0 += hours;
            of.1 += 1;
        }
    }
}
