//! Random applications for tests that compare two ways to take the same steps.

use super::{Overheads, Progress, Rules, Work};
use crate::Seed;
use crate::rng::RngExt;
use crate::scenario::{SparkDefaults, SparkVersion};
use crate::units::SimDuration;
use crate::workload::{Stage, TaskDurations};

/// Two stages, a reader of both, and a chain of readers; tasks are up to `longest` times 100 ms long,
/// so that many end together where that is little. One that is `exceptional` is never usual (see
/// `recovery`).
pub(super) fn application(seed: u64, longest: u32, exceptional: bool) -> Progress<u32> {
    let mut stream = Seed::new(seed).stream("application", &[]);
    let stages: Vec<Stage> = (0..5)
        .map(|place: u32| {
            let parents = match place {
                0 | 1 => Vec::new(),
                2 => vec![0, 1],
                _ => vec![place - 1],
            };
            let count = stream.random_range(1..40);
            let tasks = (0..count).map(|_| 100 * stream.random_range(0..=longest)).collect();
            Stage {
                shuffle_parents: parents.clone(),
                parents,
                tasks: TaskDurations::from_millis(tasks),
                driver_gap: SimDuration::from_millis(stream.random_range(0..300)),
                ..Stage::default()
            }
        })
        .collect();
    let mut spark = SparkDefaults::default_of(SparkVersion { major: 3, minor: 5 });
    let (reduce, legacy_reset) = [(false, false), (true, false), (true, true)][seed as usize % 3];
    spark.locality_wait.reduce = reduce;
    spark.locality_wait.legacy_reset = legacy_reset;
    if exceptional {
        // Executors are excluded after more failures than there are: nothing else happens to it.
        let exclusion = &mut spark.exclude_on_failure;
        exclusion.enabled = true;
        exclusion.application = false;
        exclusion.task_attempts_per_executor = u32::MAX;
        exclusion.task_attempts_per_node = u32::MAX;
        exclusion.stage_failed_tasks_per_executor = u32::MAX;
    }
    let work = Work { stages: stages.into(), tail: SimDuration::ZERO };
    Progress::new(work, Rules::new(&spark, Overheads::default()), None)
}
