//! Retry ladders by name, as data. What no source says is a guess, and is listed as one.
//!
//! Left out: rules over what runs used (Flotilla's p99 of executor counts, its pods' p95 of run
//! times).

use sim::scenario::{Adjustment, HistoryRule, RetryLadder, Rung, SpotRough};
use sim::units::{Bytes, SimDuration};
use sim::workload::Failure;

/// The presets' names and what they are, alphabetically after `none`.
pub const PRESETS: &[(&str, &str)] = &[
    ("none", "a failure is final"),
    (
        "double-cpus-then-memory",
        "after running out of memory: half as many tasks an executor, then executors of 2, 3 and 4 \
         times the memory (Pinterest's)",
    ),
    ("emr-on-eks", "EMR on EKS' retry policy: the driver again, waits doubling from 10 s to 6 min"),
    (
        "flotilla-2021",
        "more memory after running out of it, more executors and on-demand nodes on every retry; the \
         application's next runs start with more memory",
    ),
    (
        "flotilla-2026",
        "what an application met in the last days decides each submission: memory x1.25, driver memory \
         x3, on-demand; nothing compounds",
    ),
    ("spark-operator", "`restartPolicy: OnFailure`, waits growing by 5 s"),
];

/// A preset ladder and what in it is a guess.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// The ladder.
    pub ladder: RetryLadder,
    /// Guessed parts, in words.
    pub guesses: &'static [&'static str],
}

/// The preset of that name.
pub fn preset(name: &str) -> Option<Preset> {
    let (ladder, guesses): (RetryLadder, &[&str]) = match name {
        "none" => (RetryLadder::default(), &[]),
        "double-cpus-then-memory" => (of(vec![double_cpus()]), DOUBLE_CPUS_GUESSES),
        "emr-on-eks" => (of(vec![emr_on_eks()]), &["attemptsMax 3 (EMR's maxAttempts is yours)"]),
        "flotilla-2021" => (flotilla_2021(), FLOTILLA_GUESSES),
        "flotilla-2026" => (flotilla_2026(), FLOTILLA_2026_GUESSES),
        "spark-operator" => {
            (of(vec![spark_operator()]), &["attemptsMax 4 (onFailureRetries is yours)"])
        }
        _ => return None,
    };
    Some(Preset { ladder: RetryLadder { name: name.to_owned(), ..ladder }, guesses })
}

fn of(rungs: Vec<Rung>) -> RetryLadder {
    RetryLadder { rungs, ..RetryLadder::default() }
}

/// A rung that changes nothing and waits for nothing.
fn again(when: &[Failure], attempts_max: u32) -> Rung {
    Rung {
        when: when.to_vec(),
        adjust: Vec::new(),
        steps: Vec::new(),
        attempts_max,
        backoff: SimDuration::ZERO,
        backoff_factor: 1.0,
        backoff_step: SimDuration::ZERO,
        backoff_max: SimDuration::MAX,
    }
}

/// Failures that end a driver's container, which a restart policy sees.
const DRIVER_ENDED: [Failure; 6] = [
    Failure::ExecutorOom,
    Failure::DriverOom,
    Failure::Spot,
    Failure::DriverLost,
    Failure::Application,
    Failure::Transient,
];

/// Source: facts-spark A6: AWS documentation of EMR on EKS, "Using job retry policies": the driver
/// is restarted with waits of 10 s, 20 s, 40 s, .. of at most 6 minutes. Number of attempts: Guess.
fn emr_on_eks() -> Rung {
    Rung {
        backoff: SimDuration::seconds(10),
        backoff_factor: 2.0,
        backoff_max: SimDuration::minutes(6),
        ..again(&DRIVER_ENDED, 3)
    }
}

/// Source: facts-spark A6: kubeflow/spark-operator at 38082f3, `api/v1beta2/defaults.go` (interval
/// 5 s) and `pkg/util/sparkapplication.go` (wait = interval x attempts). Number of attempts: Guess.
fn spark_operator() -> Rung {
    let interval = SimDuration::seconds(5);
    Rung { backoff: interval, backoff_step: interval, ..again(&DRIVER_ENDED, 4) }
}

const DOUBLE_CPUS_GUESSES: &[&str] = &[
    "executorMemory max 350000Mi (Flotilla's limit)",
    "no wait between attempts",
    "the executors' need goes down with their tasks by spark.memory.fraction, where no peak is recorded",
];

/// Source: facts-cloud 4: Pinterest doubles the CPUs of a task (half as many share an executor's
/// memory), then takes executors of 2, 3 and 4 times the memory.
fn double_cpus() -> Rung {
    let times = |factor: f64| vec![Adjustment::ExecutorMemory { factor, max: MEMORY_MAX_2026 }];
    Rung {
        steps: vec![vec![Adjustment::TaskCpus { factor: 2 }], times(2.0), times(3.0), times(4.0)],
        ..again(&[Failure::ExecutorOom], 5)
    }
}

const FLOTILLA_GUESSES: &[&str] = &[
    "attemptsMax 3",
    "backoff 1m, without growth",
    "the window of 7 days, and when spot is rough (5 % retries in 18 minutes): the code's values of 2022 \
     and later",
    "executorMemory factor 2 (the code's value of February 2022)",
    "driverMemory factor 3 (the code's value of 2026)",
    "executorCount factor 1.75, max 100 (the code's values; the article has none)",
];

/// Flotilla's `MaxMem` of 2021, in Mi as the engine passes it on.
const MEMORY_MAX_2021: Bytes = Bytes::mib(248_000);
/// The same of 2026.
const MEMORY_MAX_2026: Bytes = Bytes::mib(350_000);

/// Source: Stitch Fix, "Flotilla" article of 2021: after exit code 137 the next run gets more
/// memory; retries get more executors, up to a limit, and on-demand nodes; errors that are found
/// to be retryable (5xx, transient) are retried; critical runs are on on-demand nodes, and all are
/// while spot is rough. Numbers: facts-spark A7, stitchfix/flotilla-os at 6e75d95 and its history; the
/// rest: Guess.
fn flotilla_2021() -> RetryLadder {
    let max = MEMORY_MAX_2021;
    let memory = Adjustment::ExecutorMemory { factor: 2.0, max };
    let driver_memory = Adjustment::DriverMemory { factor: 3.0, max };
    let more_executors = Adjustment::ExecutorCount { factor: 1.75, max: 100 };
    let rung = |when: &[Failure], memory: Option<&Adjustment>| Rung {
        adjust: memory
            .into_iter()
            .chain([&more_executors, &Adjustment::OnDemand])
            .cloned()
            .collect(),
        backoff: SimDuration::minutes(1),
        ..again(when, 3)
    };
    let next_run = |failure, adjustment: &Adjustment| HistoryRule {
        when: vec![failure],
        within: SimDuration::hours(7 * 24),
        same_run: false,
        adjust: vec![adjustment.clone()],
        compounding: false,
    };
    RetryLadder {
        rungs: vec![
            rung(&[Failure::ExecutorOom], Some(&memory)),
            rung(&[Failure::DriverOom], Some(&driver_memory)),
            rung(
                &[Failure::Timeout, Failure::Spot, Failure::Transient, Failure::Unschedulable],
                None,
            ),
        ],
        critical_on_demand: true,
        history: vec![
            next_run(Failure::ExecutorOom, &memory),
            next_run(Failure::DriverOom, &driver_memory),
        ],
        spot_rough: Some(SPOT_ROUGH),
        ..RetryLadder::default()
    }
}

/// Source: facts-spark A7: `eks_spot_reattempt_override`.
const SPOT_ROUGH: SpotRough = SpotRough { retry_share: 0.05, within: SimDuration::minutes(18) };

const FLOTILLA_2026_GUESSES: &[&str] = &[
    "attemptsMax 3, a minute apart, for every failure: Flotilla does not retry Spark runs, its callers do",
];

/// Source: facts-spark A7, stitchfix/flotilla-os at 6e75d95: any failed run of the definition in 7
/// days counts as out of memory and gives x1.25; a driver that ran out of memory x3; one failure in
/// 12 hours moves executors to on-demand nodes. Memory derives from the definition's value, so that
/// nothing compounds.
fn flotilla_2026() -> RetryLadder {
    let max = MEMORY_MAX_2026;
    let rule = |when: &[Failure], hours: u64, adjustment: Adjustment| HistoryRule {
        when: when.to_vec(),
        within: SimDuration::hours(hours),
        same_run: true,
        adjust: vec![adjustment],
        compounding: false,
    };
    let again = again(&Failure::ALL, 3);
    RetryLadder {
        rungs: vec![Rung { backoff: SimDuration::minutes(1), ..again }],
        history: vec![
            rule(&Failure::ALL, 7 * 24, Adjustment::ExecutorMemory { factor: 1.25, max }),
            rule(&[Failure::DriverOom], 7 * 24, Adjustment::DriverMemory { factor: 3.0, max }),
            rule(&Failure::ALL, 12, Adjustment::OnDemand),
        ],
        spot_rough: Some(SPOT_ROUGH),
        ..RetryLadder::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_ladder_whose_rungs_do_not_overlap() {
        for (name, _) in PRESETS {
            let preset = preset(name).unwrap();
            assert_eq!(preset.ladder.name, *name);
            let mut seen: Vec<Failure> = Vec::new();
            for rung in &preset.ladder.rungs {
                assert!(rung.attempts_max > 1 && rung.backoff <= rung.backoff_max);
                seen.extend(&rung.when);
            }
            let count = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), count, "{name}");
        }
        assert_eq!(preset("flotilla"), None);
    }

    #[test]
    fn flotilla_answers_memory_with_memory_and_code_errors_with_nothing() {
        let ladder = preset("flotilla-2021").unwrap().ladder;
        let rung = |failure| ladder.rungs.iter().find(|rung| rung.when.contains(&failure));
        let oom = rung(Failure::ExecutorOom).unwrap();
        assert!(matches!(oom.adjust[0], Adjustment::ExecutorMemory { .. }));
        assert!(oom.adjust.contains(&Adjustment::OnDemand));
        assert_eq!(rung(Failure::Application), None);
        assert!(ladder.critical_on_demand);
    }
}
