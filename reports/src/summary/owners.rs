//! The part of the summary that says how the runs of each owner went: failures, timeouts,
//! deadlines, late parents.

use serde::Serialize;
use sim::outcome::{Outcome, OwnerTotal};

use super::Named;

/// How the runs of a team went.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize)]
pub struct OwnerPart {
    /// Runs that were due: `succeeded + failed + unfinished`.
    pub runs: u64,
    /// Succeeded.
    pub succeeded: u64,
    /// Failed for good.
    pub failed: u64,
    /// On their way, or held back, at the end.
    pub unfinished: u64,
    /// Attempts that the orchestrator's timeout ended.
    pub timeouts: u64,
    /// Runs with a deadline.
    pub with_deadline: u64,
    /// Of those, the ones that had not succeeded by it.
    pub deadline_missed: u64,
    /// Of those, critical ones.
    pub critical_missed: u64,
    /// Runs that others, on which they depend, held back.
    pub held_by_parents: u64,
    /// For how long in all, in seconds.
    pub held_by_parents_s: f64,
}

impl OwnerPart {
    fn of(owner: &OwnerTotal) -> Self {
        Self {
            runs: owner.runs,
            succeeded: owner.succeeded,
            failed: owner.failed,
            unfinished: owner.unfinished,
            timeouts: owner.timeouts,
            with_deadline: owner.with_deadline,
            deadline_missed: owner.deadline_missed,
            critical_missed: owner.critical_missed,
            held_by_parents: owner.late_parents.0,
            held_by_parents_s: owner.late_parents.1.as_secs_f64(),
        }
    }

    /// Whether there is something that its owner would want to know.
    pub fn is_worth_a_line(&self) -> bool {
        self.timeouts + self.deadline_missed + self.failed + self.unfinished > 0
    }
}

/// By team, in the order of the workload.
pub(super) fn of(outcome: &Outcome) -> Named<OwnerPart> {
    let owners = outcome.owners.iter().filter(|owner| owner.runs > 0);
    Named(owners.map(|owner| (owner.team.clone(), OwnerPart::of(owner))).collect())
}
