//! Retry ladders: what is tried after a failed attempt. Data, not code: the same value drives the
//! simulator and the emitted configuration.

use crate::units::{Bytes, SimDuration};
use crate::workload::Failure;

/// Rungs in order; the first one whose `when` holds the failure decides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RetryLadder {
    /// Name for reports: a preset's, or `custom`.
    pub name: String,
    /// The rungs. A failure that no rung covers is final.
    pub rungs: Vec<Rung>,
    /// Runs marked critical have their executors on on-demand nodes from the first attempt.
    pub critical_on_demand: bool,
}

impl RetryLadder {
    /// The rung that answers `failure`. A driver that was preempted or drained lost its node, as
    /// one whose node was reclaimed: the rung of that answers, where no rung names them.
    pub fn rung_for(&self, failure: Failure) -> Option<&Rung> {
        let naming = |failure| self.rungs.iter().find(|rung| rung.when.contains(&failure));
        naming(failure).or_else(|| match failure {
            Failure::Preempted | Failure::Drained => naming(Failure::Spot),
            _ => None,
        })
    }
}

/// One rung.
#[derive(Debug, Clone, PartialEq)]
pub struct Rung {
    /// The failures it answers.
    pub when: Vec<Failure>,
    /// What changes in the next attempt, on top of what earlier rungs changed.
    pub adjust: Vec<Adjustment>,
    /// Attempts of a run in all, the first one included, after which it has failed for good.
    pub attempts_max: u32,
    /// Wait before the second attempt.
    pub backoff: SimDuration,
    /// Each further wait is this many times the one before.
    pub backoff_factor: f64,
    /// Longest wait.
    pub backoff_max: SimDuration,
}

/// A change to the next attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Adjustment {
    /// The executors' heap (and overhead, where it is set) times `factor`, up to `max`.
    ExecutorMemory {
        /// Multiplier.
        factor: f64,
        /// Cap.
        max: Bytes,
    },
    /// The driver's heap times `factor`, up to `max`.
    DriverMemory {
        /// Multiplier.
        factor: f64,
        /// Cap.
        max: Bytes,
    },
    /// Executor count times `factor`, up to `max`.
    ExecutorCount {
        /// Multiplier.
        factor: f64,
        /// Cap.
        max: u32,
    },
    /// Executors go to on-demand nodes.
    OnDemand,
}
