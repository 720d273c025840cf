//! The ladder of least expected cost after running out of memory, by dynamic programming over what
//! the workload is known to need.
//!
//! One simulation without retries gives the needs: of each run whose executors died of memory, the
//! factor on its heap that would be enough, weighed by what it costs. A ladder is an ascending
//! sequence of factors. Its expected cost: an attempt with factor `s` costs `1 - m + m * s` of the
//! first one (`m`: memory's share of an executor's price), whole if it is enough, else up to the moment
//! at which it dies. The cheapest sequence of each length is found from its end; the share of runs
//! that no rung is enough for must not pass a limit.
//!
//! Leaves out: other effects of more memory (fewer executors on a node, less spill), waiting, classes
//! of applications with ladders of their own, a larger first size for all. That is why it is then
//! simulated against the presets.

use sim::outcome::{AttemptRecord, Sink};
use sim::scenario::{Adjustment, RetryLadder, Rung, Scenario, weight_usd};
use sim::units::{Bytes, SimDuration};
use sim::workload::{Failure, Run};
use sim::{RunOptions, Seed, Workload};

/// Factors that a rung may have.
const FACTORS: [f64; 14] =
    [1.1, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 10.0];

/// Attempts of a run in all.
const ATTEMPTS_MAX: usize = 6;

/// How much of an attempt is over when it dies of memory: the mean of what the simulator draws
/// (`sim/src/spark/fate.rs`: 0.3 to 0.95).
pub(crate) const DIES_AT: f64 = 0.625;

/// What the workload needs.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// Of each run that dies of memory: the factor that is enough, and its weight. Ascending.
    needs: Vec<(f64, f64)>,
    /// Memory's share of an executor's price.
    memory_share: f64,
}

/// A computed ladder.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Factors of the second and further attempts.
    pub factors: Vec<f64>,
    /// Expected cost of getting a run through, in first attempts.
    pub cost: f64,
    /// Share of the runs (by cost) that no rung is enough for.
    pub fails: f64,
    /// Runs that it was computed from.
    pub runs: usize,
}

impl Needs {
    /// The needs of `workload` on `scenario`, from one simulation without retries.
    pub fn of(scenario: &Scenario, workload: &Workload, seed: Seed) -> Self {
        let mut scenario = scenario.clone();
        scenario.retries = RetryLadder::default();
        let shares = (0.0, 0.0);
        let mut found = Found { scenario: &scenario, needs: Vec::new(), shares };
        sim::run(&scenario, workload, seed, RunOptions::default(), &mut found);
        let (mut needs, shares) = (found.needs, found.shares);
        needs.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { needs, memory_share: if shares.1 > 0.0 { shares.0 / shares.1 } else { 0.5 } }
    }

    /// The share of needs that `factor` is enough for.
    fn enough(&self, factor: f64) -> f64 {
        let all: f64 = self.needs.iter().map(|(_, weight)| weight).sum();
        let below = self.needs.iter().filter(|(need, _)| *need <= factor);
        below.map(|(_, weight)| weight).sum::<f64>() / all.max(1e-12)
    }

    /// The cheapest ladder with which at most `limit` of the runs fail for good; where none has that
    /// few, the one with fewest. `None` where nothing dies of memory.
    pub fn best(&self, limit: f64) -> Option<Best> {
        if self.needs.is_empty() {
            return None;
        }
        let enough: Vec<f64> = FACTORS.iter().map(|factor| self.enough(*factor)).collect();
        let least = 1.0 - enough[FACTORS.len() - 1];
        let limit = limit.max(least) + 1e-9;
        let cost = |place: usize| 1.0 - self.memory_share + self.memory_share * FACTORS[place];
        // From the end: the cheapest way on, knowing that so many attempts are left and that the
        // factor at `place` was not enough (place 0: the first attempt).
        let mut onward: Vec<Option<(f64, Vec<usize>)>> = vec![None; FACTORS.len() + 1];
        let missing = |place: usize| match place.checked_sub(1) {
            None => 1.0,
            Some(place) => 1.0 - enough[place],
        };
        let done = |place: usize| (missing(place) <= limit).then(|| (0.0, Vec::new()));
        for (place, way) in onward.iter_mut().enumerate() {
            *way = done(place);
        }
        for _ in 1..ATTEMPTS_MAX {
            let mut better = onward.clone();
            for (place, way) in better.iter_mut().enumerate() {
                let here = missing(place);
                for next in place..FACTORS.len() {
                    let Some((after, path)) = &onward[next + 1] else { continue };
                    let left = if here > 0.0 { missing(next + 1) / here } else { 0.0 };
                    let own = cost(next) * ((1.0 - left) + left * DIES_AT);
                    let whole = own + left * after;
                    // Stopping where that is allowed saves money and loses runs: it is the limit that
                    // says how many may be lost, so that the cheapest way there counts.
                    if way.as_ref().is_none_or(|(known, _)| whole < *known) {
                        let steps = std::iter::once(next).chain(path.iter().copied());
                        *way = Some((whole, steps.collect()));
                    }
                }
            }
            onward = better;
        }
        let (cost, path) = onward.swap_remove(0)?;
        let last = path.last().map_or(0, |place| place + 1);
        Some(Best {
            factors: path.iter().map(|place| FACTORS[*place]).collect(),
            cost: cost + DIES_AT,
            fails: missing(last),
            runs: self.needs.len(),
        })
    }
}

/// `own` with the computed rungs for executors that died of memory; its other rungs stay, what it
/// remembers between runs goes.
pub fn ladder(own: &RetryLadder, best: &Best, cap: Bytes) -> RetryLadder {
    let mut rungs: Vec<Rung> = own.rungs.clone();
    let before = own.rung_for(Failure::ExecutorOom).cloned();
    for rung in &mut rungs {
        rung.when.retain(|failure| *failure != Failure::ExecutorOom);
    }
    rungs.retain(|rung| !rung.when.is_empty());
    let step = |factor: &f64| vec![Adjustment::ExecutorMemory { factor: *factor, max: cap }];
    let wait = |pick: fn(&Rung) -> SimDuration, default| before.as_ref().map_or(default, pick);
    rungs.insert(
        0,
        Rung {
            when: vec![Failure::ExecutorOom],
            adjust: Vec::new(),
            steps: best.factors.iter().map(step).collect(),
            attempts_max: best.factors.len() as u32 + 1,
            backoff: wait(|rung| rung.backoff, SimDuration::seconds(10)),
            backoff_factor: 1.0,
            backoff_step: SimDuration::ZERO,
            backoff_max: wait(|rung| rung.backoff_max, SimDuration::MAX),
        },
    );
    // What is remembered between runs raises memory too: the computed steps are instead of it. A
    // share of retries tells of rough spot only where memory is remembered: more runs climb here.
    RetryLadder {
        name: "best".to_owned(),
        rungs,
        history: Vec::new(),
        spot_rough: None,
        ..own.clone()
    }
}

struct Found<'a> {
    scenario: &'a Scenario,
    needs: Vec<(f64, f64)>,
    /// Dollars of memory, and of everything.
    shares: (f64, f64),
}

impl Found<'_> {
    /// The least factor that gives the run's container what it needs: a factor raises the heap, and
    /// the overhead only where it is set or above its minimum.
    fn factor(&self, run: &Run, needed: u64) -> f64 {
        let spark = &self.scenario.spark;
        let (heap, set) = (spark.executor_heap_of(run), spark.executor_overhead_of(run));
        let enough = |factor: &f64| {
            let set = set.map(|bytes| bytes.scale_floor(*factor));
            let container = spark.overheads.executor_container(heap.scale_floor(*factor), set);
            container.as_u64() >= needed
        };
        FACTORS.into_iter().find(enough).unwrap_or(f64::INFINITY)
    }
}

impl Sink for Found<'_> {
    fn attempt(&mut self, record: AttemptRecord, run: &Run) {
        let asked = record.executor_memory_asked.as_u64();
        let needed = record.executor_memory_needed.map(Bytes::as_u64);
        let (Some(needed), Some(Failure::ExecutorOom)) = (needed, record.failure) else { return };
        if asked == 0 || record.attempt > 1 {
            return;
        }
        let weight = record.cost.total().as_usd_f64().max(1e-9);
        self.needs.push((self.factor(run, needed), weight));
        let cores = self.scenario.spark.executor_cores_of(run);
        let gib = Bytes::new(asked).as_gib_f64();
        let memory = weight_usd(0.0, gib);
        let whole = weight_usd(f64::from(cores), gib);
        self.shares.0 += memory / whole * weight;
        self.shares.1 += weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(needs: &[f64], memory_share: f64) -> Needs {
        Needs { needs: needs.iter().map(|need| (*need, 1.0)).collect(), memory_share }
    }

    /// Expected cost of a ladder, straight from its definition.
    fn cost(needs: &Needs, factors: &[f64]) -> f64 {
        let of = |factor: f64| 1.0 - needs.memory_share + needs.memory_share * factor;
        let one = |need: f64| {
            let mut sum = DIES_AT;
            for factor in factors {
                let enough = need <= *factor;
                sum += of(*factor) * if enough { 1.0 } else { DIES_AT };
                if enough {
                    break;
                }
            }
            sum
        };
        needs.needs.iter().map(|(need, _)| one(*need)).sum::<f64>() / needs.needs.len() as f64
    }

    #[test]
    fn nobody_finds_a_cheaper_one() {
        let needs = needs(&[1.05, 1.2, 1.2, 1.4, 1.9, 2.4, 3.9, 7.0], 0.6);
        for limit in [0.0, 0.13, 0.3] {
            let best = needs.best(limit).unwrap();
            assert!(best.fails <= limit + 1e-9);
            assert!((cost(&needs, &best.factors) - best.cost).abs() < 1e-9, "{best:?}");
            // Every ascending sequence of up to five factors.
            for bits in 1_u32..1 << FACTORS.len() {
                if bits.count_ones() as usize >= ATTEMPTS_MAX {
                    continue;
                }
                let chosen = (0..FACTORS.len()).filter(|place| bits & (1 << place) != 0);
                let factors: Vec<f64> = chosen.map(|place| FACTORS[place]).collect();
                let last = *factors.last().unwrap();
                if 1.0 - needs.enough(last) <= limit + 1e-9 {
                    assert!(best.cost <= cost(&needs, &factors) + 1e-9, "{factors:?} {best:?}");
                }
            }
        }
    }

    #[test]
    fn cheap_memory_climbs_in_large_steps() {
        let few = needs(&[1.2, 1.4, 1.9, 2.4, 3.9], 0.05).best(0.0).unwrap();
        let many = needs(&[1.2, 1.4, 1.9, 2.4, 3.9], 0.95).best(0.0).unwrap();
        assert!(few.factors.len() < many.factors.len(), "{few:?} {many:?}");
        assert_eq!(needs(&[], 0.5).best(0.0), None);
        // More than any rung has: as good as it gets.
        assert_eq!(needs(&[1.2, 50.0], 0.5).best(0.0).unwrap().fails, 0.5);
    }
}
