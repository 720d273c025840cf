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
    /// What an application's recent failures change in its further submissions.
    pub history: Vec<HistoryRule>,
    /// New runs' executors go to on-demand nodes while spot is rough.
    pub spot_rough: Option<SpotRough>,
}

/// State that a ladder keeps between the runs of an application.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRule {
    /// Attempts of the application that failed so ..
    pub when: Vec<Failure>,
    /// .. in the time before a submission ..
    pub within: SimDuration,
    /// .. of other runs only, or of the same run too.
    pub same_run: bool,
    /// What changes in the submission.
    pub adjust: Vec<Adjustment>,
    /// Once for each such attempt, instead of once: whoever submits again takes over what was
    /// raised before.
    pub compounding: bool,
}

/// Spot is rough while so many of the runs submitted lately are retries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpotRough {
    /// Second and further attempts over first ones.
    pub retry_share: f64,
    /// How far back.
    pub within: SimDuration,
}

impl RetryLadder {
    /// The longest time that any of its rules looks back; `None` without rules.
    pub fn looks_back(&self) -> Option<SimDuration> {
        let rules = self.history.iter().map(|rule| rule.within);
        rules.chain(self.spot_rough.map(|rough| rough.within)).max()
    }

    /// Every adjustment that it may make.
    pub fn adjustments(&self) -> impl Iterator<Item = &Adjustment> {
        let rungs = self
            .rungs
            .iter()
            .flat_map(|rung| rung.adjust.iter().chain(rung.steps.iter().flatten()));
        rungs.chain(self.history.iter().flat_map(|rule| &rule.adjust))
    }

    /// Whether it may move executors to on-demand nodes.
    pub fn moves_to_on_demand(&self) -> bool {
        self.critical_on_demand
            || self.spot_rough.is_some()
            || self.adjustments().any(|adjustment| *adjustment == Adjustment::OnDemand)
    }
}

impl RetryLadder {
    /// The rung that answers `failure`. A driver that was preempted, drained or lost lost its node,
    /// as one whose node was reclaimed: the rung of that answers, where no rung names them; an image
    /// that could not be pulled is a dependency that failed.
    pub fn rung_for(&self, failure: Failure) -> Option<&Rung> {
        let naming = |failure| self.rungs.iter().find(|rung| rung.when.contains(&failure));
        naming(failure).or_else(|| match failure {
            Failure::Preempted | Failure::Drained | Failure::DriverLost => naming(Failure::Spot),
            Failure::ImagePull => naming(Failure::Transient),
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
    /// What the next attempt is, by the number of the one that failed (the last entry for all further
    /// ones): instead of what earlier attempts changed, not on top of it.
    pub steps: Vec<Vec<Adjustment>>,
    /// Attempts of a run in all, the first one included, after which it has failed for good.
    pub attempts_max: u32,
    /// Wait before the second attempt.
    pub backoff: SimDuration,
    /// Each further wait is this many times the one before ..
    pub backoff_factor: f64,
    /// .. and so much longer.
    pub backoff_step: SimDuration,
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
    /// `spark.task.cpus` times `factor`: fewer tasks share an executor's memory.
    TaskCpus {
        /// Multiplier.
        factor: u32,
    },
    /// Executors go to on-demand nodes.
    OnDemand,
}
