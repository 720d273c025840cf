//! Fresh executors are slow at first: classes are loaded, code is compiled.
//!
//! Models: more time for the first tasks on an executor, for the first ones that take another way
//! through Spark's code (reading a shuffle or not, writing one or not), and for every task until
//! the executor is warm, in proportion to what it computes. It is charged only where the recording's
//! executors were warm and the simulated ones are not; where both were fresh it is in the recorded
//! times already. Leaves out: how it depends on the size of the application's own code.
//!
//! Source: the assumptions `executorWarmUp`, `taskWarmUp` and `executorWarmTime`, measured on our
//! recordings as the time of tasks on fresh executors less that on warm ones.

use super::rules::Overheads;
use crate::scenario::Assumptions;

/// What a new way through the code costs, as a share of a fresh executor's first task. Guess:
/// measured as above (about 100 ms).
const NEW_CODE_SHARE: f64 = 0.2;
/// The same of reading a shuffle, whose classes are many. Guess: as above (300 to 1000 ms).
const NEW_READER_SHARE: f64 = 1.0;
/// Tasks on a fresh executor take so many times their CPU time more: their code is interpreted. Guess:
/// as above (2 to 6 in five applications, from 18 to 110 ms a task).
pub(crate) const FRESH_PER_CPU: f64 = 2.0;

impl Overheads {
    /// Overheads where a recording on warm executors is run on fresh ones.
    pub(crate) fn fresh(assumptions: &Assumptions) -> Self {
        Self {
            fresh_first: assumptions.executor_warm_up,
            fresh_code: assumptions.executor_warm_up.scale_round(NEW_CODE_SHARE),
            fresh_reader: assumptions.executor_warm_up.scale_round(NEW_READER_SHARE),
            fresh_task: assumptions.executor_warm_up_tasks,
            fresh_per_cpu: FRESH_PER_CPU,
            warm_after: assumptions.executor_warm_time,
            ..Self::default()
        }
    }
}
