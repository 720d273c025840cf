//! Fresh executors are slow at first: classes are loaded, code is compiled.
//!
//! Models: more time for the first tasks on an executor, for the first tasks of each later stage,
//! and for every task until the executor is warm. It is charged only where the recording's
//! executors were warm and the simulated ones are not; where both were fresh it is in the recorded
//! times already. Leaves out: how it depends on the size of the application's code.
//!
//! Source: our recordings (Spark 3.5, C1 only, two cores shared by eight executors): measured as the
//! time of the same tasks on fresh executors less that on warm ones.

use super::rules::Overheads;
use crate::units::SimDuration;

/// Overheads where a recording on warm executors is run on fresh ones.
impl Overheads {
    /// Overheads where a recording on warm executors is run on fresh ones.
    pub(crate) fn fresh() -> Self {
        Self {
            fresh_first: SimDuration::from_millis(450),
            fresh_stage: SimDuration::from_millis(300),
            fresh_task: SimDuration::from_millis(60),
            warm_after: SimDuration::seconds(8),
            ..Self::default()
        }
    }
}
