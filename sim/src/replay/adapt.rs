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
use crate::units::SimDuration;
use crate::workload::{Recording, Stage};

/// What every task takes more for each more executor on the same host.
const TASK_MS_PER_NEIGHBOUR: f64 = 4.0;
/// What the first tasks of a stage on a warm executor take at least, as recorded on fresh ones.
const WARM_FIRST_MAX: SimDuration = SimDuration::from_millis(60);
/// What every task on a fresh executor takes more, on average.
const FRESH_TASK_MS: f64 = 50.0;
/// The same of stages that ended later than [`YOUNG`].
const GROWN_TASK_MS: f64 = 25.0;
/// Until then after the first job's start most executors of a recording are fresh.
const YOUNG: SimDuration = SimDuration::seconds(12);

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
    if !source.warmed_up && target.warmed_up {
        for stage in &mut stages {
            stage.first_task_overhead = stage.first_task_overhead.min(WARM_FIRST_MAX);
        }
    }
    let start = source.first_job_at.unwrap_or_default();
    for (place, stage) in stages.iter_mut().enumerate() {
        let mut shift = shift;
        if !source.warmed_up && target.warmed_up {
            let end = source.stage_ends.get(place).copied().flatten();
            let young = end.is_some_and(|end| end.saturating_sub(start) < YOUNG);
            shift -= if young { FRESH_TASK_MS } else { GROWN_TASK_MS };
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
