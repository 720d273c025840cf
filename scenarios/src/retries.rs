//! Retry ladders by name, as data.
//!
//! Left out: conditions on history across runs (a definition's failures of the last days), which
//! a ladder of one run does not see. What no source says is a guess, and is listed as one.

use sim::scenario::{Adjustment, RetryLadder, Rung};
use sim::units::{Bytes, SimDuration};
use sim::workload::Failure;

/// The presets' names and what they are, alphabetically after `none`.
pub const PRESETS: &[(&str, &str)] = &[
    ("none", "a failure is final"),
    ("emr-on-eks", "EMR on EKS' retry policy: the driver again, waits doubling from 10 s to 6 min"),
    (
        "flotilla-2021",
        "more memory after running out of it, more executors and on-demand nodes on \
      every retry",
    ),
    ("spark-operator", "`restartPolicy: OnFailure`, waits growing from 5 s"),
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
    let (rungs, critical_on_demand, guesses): (_, _, &[&str]) = match name {
        "none" => (Vec::new(), false, &[]),
        "emr-on-eks" => {
            (vec![emr_on_eks()], false, &["attemptsMax 3 (EMR's maxAttempts is yours)"])
        }
        "flotilla-2021" => (flotilla(), true, FLOTILLA_GUESSES),
        "spark-operator" => {
            (vec![spark_operator()], false, &["attemptsMax 4 (onFailureRetries is yours)"])
        }
        _ => return None,
    };
    let ladder = RetryLadder { name: name.to_owned(), rungs, critical_on_demand };
    Some(Preset { ladder, guesses })
}

/// Failures that end a driver's container, which a restart policy sees.
const DRIVER_ENDED: [Failure; 5] = [
    Failure::ExecutorOom,
    Failure::DriverOom,
    Failure::Spot,
    Failure::Application,
    Failure::Transient,
];

/// Source: facts-spark A6: AWS documentation of EMR on EKS, "Using job retry policies": the driver
/// is restarted with waits of 10 s, 20 s, 40 s, .. of at most 6 minutes. Number of attempts: Guess.
fn emr_on_eks() -> Rung {
    Rung {
        when: DRIVER_ENDED.to_vec(),
        adjust: Vec::new(),
        attempts_max: 3,
        backoff: SimDuration::seconds(10),
        backoff_factor: 2.0,
        backoff_max: SimDuration::minutes(6),
    }
}

/// Source: facts-spark A6: kubeflow/spark-operator at 38082f3, `api/v1beta2/defaults.go` (interval
/// 5 s) and `pkg/util/sparkapplication.go` (wait = interval x attempts: 5, 10, 15 s, which doubling
/// with a limit of 15 s gives too, for four attempts). Number of attempts: Guess.
fn spark_operator() -> Rung {
    Rung {
        when: DRIVER_ENDED.to_vec(),
        adjust: Vec::new(),
        attempts_max: 4,
        backoff: SimDuration::seconds(5),
        backoff_factor: 2.0,
        backoff_max: SimDuration::seconds(15),
    }
}

const FLOTILLA_GUESSES: &[&str] = &[
    "attemptsMax 3",
    "backoff 1m, without growth",
    "executorMemory factor 2 (the code's value of February 2022)",
    "driverMemory factor 3 (the code's value of 2026)",
    "executorCount factor 1.75, max 100 (the code's values; the article has none)",
];

/// Source: Stitch Fix, "Flotilla" article of 2021: after exit code 137 the next run gets more
/// memory; retries get more executors, up to a limit, and on-demand nodes; errors that are found
/// to be retryable (5xx, transient) are retried; critical runs are on on-demand nodes.
/// Numbers: facts-spark A7, stitchfix/flotilla-os at 6e75d95 and its history; the rest: Guess.
fn flotilla() -> Vec<Rung> {
    // `MaxMem` of that time, in Mi as the engine passes it on.
    let max = Bytes::mib(248_000);
    let more_executors = Adjustment::ExecutorCount { factor: 1.75, max: 100 };
    let rung = |when: &[Failure], memory: Option<Adjustment>| Rung {
        when: when.to_vec(),
        adjust: memory.into_iter().chain([more_executors.clone(), Adjustment::OnDemand]).collect(),
        attempts_max: 3,
        backoff: SimDuration::minutes(1),
        backoff_factor: 1.0,
        backoff_max: SimDuration::minutes(1),
    };
    vec![
        rung(&[Failure::ExecutorOom], Some(Adjustment::ExecutorMemory { factor: 2.0, max })),
        rung(&[Failure::DriverOom], Some(Adjustment::DriverMemory { factor: 3.0, max })),
        rung(&[Failure::Timeout, Failure::Spot, Failure::Transient, Failure::Unschedulable], None),
    ]
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
