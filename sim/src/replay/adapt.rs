//! From the work as recorded to the work as the target would have it.
//!
//! Models: executors that share one host take CPU from each other, so that the overhead of a
//! stage's first tasks on an executor (CPU work) grows in proportion to the executors on the host,
//! and every task takes a little longer for each more of them; recordings on fresh executors are
//! brought down to warm ones where the target's are warm. Leaves out: contention among tasks that
//! compute, which a recording of one size does not show.
//!
//! The numbers are measured on our own recordings (two cores, 2 to 8 executors) and are guesses for
//! any other host; they matter only to recordings made on one host.

use crate::scenario::Assumptions;
use crate::spark::Overheads;
use crate::units::{Bytes, SimDuration};
use crate::workload::{Recording, Stage};

/// What every task takes more for each more executor on the same host.
const TASK_MS_PER_NEIGHBOUR: f64 = 4.0;
/// What the first tasks of a stage on a warm executor take more, at most, for each executor on the
/// host of the recording; recorded on fresh executors they took longer.
const WARM_FIRST_MS: f64 = 14.0;
/// The same of tasks that read a shuffle.
const WARM_FIRST_READER_MS: f64 = 25.0;
/// What a task on a fresh executor took more, in its own CPU time as it was recorded there.
const FRESH_PER_CPU: f64 = 1.8;
/// A task on a fresh executor took not more than this longer.
const FRESH_TASK_MS: f64 = 100.0;

/// Stages and overheads of a prediction.
pub(super) fn adapt(
    stages: &[Stage],
    source: &Recording,
    target: &Recording,
    assumptions: &Assumptions,
) -> (Vec<Stage>, Overheads) {
    let mut stages = stages.to_vec();
    let mut overheads = match (source.warmed_up, target.warmed_up) {
        (true, false) => Overheads::fresh(assumptions),
        _ => Overheads::default(),
    };
    let mut shift = 0.0;
    let (from, to) = (source.executors_peak(), target.executors_peak());
    if source.one_host && target.one_host && from > 0 && to > 0 {
        overheads.first_task_factor = f64::from(to) / f64::from(from);
        shift += TASK_MS_PER_NEIGHBOUR * (f64::from(to) - f64::from(from));
    }
    let unfreshens = !source.warmed_up && target.warmed_up;
    for stage in &mut stages {
        let mut shift = shift;
        if unfreshens {
            let reads = stage.shuffle_read_bytes > Bytes::ZERO;
            let each = if reads { WARM_FIRST_READER_MS } else { WARM_FIRST_MS };
            let most = SimDuration::from_millis((each * f64::from(from.max(1))).round() as u64);
            stage.first_task_overhead = stage.first_task_overhead.min(most);
            shift -= fresh_part(stage);
        }
        if shift != 0.0 {
            // Spark's own part of a short task is all that can be less.
            stage.tasks = stage.tasks.map(|ms| {
                let ms = f64::from(ms);
                (ms + shift).max(ms * 0.75).round() as u32
            });
        }
    }
    (stages, overheads)
}

/// How much longer the stage's tasks took, on average, because some of their executors were fresh.
fn fresh_part(stage: &Stage) -> f64 {
    let count = f64::from(stage.tasks.count().max(1));
    let share = (f64::from(stage.fresh_tasks) / count).min(1.0);
    let cpu = stage.cpu_time.as_millis() as f64 / count;
    share * (cpu * FRESH_PER_CPU).min(FRESH_TASK_MS)
}
