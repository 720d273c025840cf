//! Fresh executors are slow at first: classes are loaded, code is compiled.
//!
//! Models: more time for the first tasks on an executor, for the first ones that take another way
//! through Spark's code (reading a shuffle or not, writing one or not), and for every task until
//! the executor is warm. It is charged only where the recording's executors were warm and the
//! simulated ones are not; where both were fresh it is in the recorded times already. Leaves out:
//! how it depends on the size of the application's own code.
//!
//! Source: the assumptions `executorWarmUp`, `taskWarmUp` and `executorWarmTime`, measured on our
//! recordings as the time of the same tasks on fresh executors less that on warm ones.

use super::rules::Overheads;
use crate::scenario::Assumptions;

/// What a new way through the code costs, as a share of a fresh executor's first task.
const NEW_CODE_SHARE: f64 = 0.7;

impl Overheads {
    /// Overheads where a recording on warm executors is run on fresh ones.
    pub(crate) fn fresh(assumptions: &Assumptions) -> Self {
        Self {
            fresh_first: assumptions.executor_warm_up,
            fresh_code: assumptions.executor_warm_up.scale_round(NEW_CODE_SHARE),
            fresh_task: assumptions.executor_warm_up_tasks,
            warm_after: assumptions.executor_warm_time,
            ..Self::default()
        }
    }
}
