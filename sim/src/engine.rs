//! The engine: one loop over the calendar.

use crate::{Outcome, Scenario, Seed, Sink, Workload};

/// How to run, besides what is run.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions {
    /// Check the invariants after every event. Always on in debug builds.
    pub check_invariants: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            check_invariants: cfg!(debug_assertions),
        }
    }
}

/// Simulates `workload` on `scenario`.
pub fn run(
    scenario: &Scenario,
    _workload: &Workload,
    _seed: Seed,
    _options: RunOptions,
    _sink: &mut dyn Sink,
) -> Outcome {
    Outcome {
        scenario: scenario.name.clone(),
        ..Outcome::default()
    }
}
