//! The work of a run: its stages and tasks, recorded or made up from what was recorded.
//!
//! A run with recorded stages is replayed as it was, adapted to other circumstances
//! (`circumstances.rs`). Of a run with totals only, the shape is made
//! up (a guess, the same for every scenario): up to 20 tasks make one stage; more make three in a
//! row with 60, 30 and 10 % of the tasks; task times are log-normal with the assumed coefficient of
//! variation, scaled so that they add up to the recorded sum; the driver's own time is spent half
//! before the first stage, the rest in equal parts between and after the stages.

use rand_distr::StandardNormal;

use super::circumstances;
use super::memory::Shape;
use crate::engine::world::Cx;
use crate::rng::RngExt;
use crate::scenario::Assumptions;
use crate::units::{Bytes, SimDuration};
use crate::workload::{Run, Stage, TaskDurations};

/// Most tasks that are made up for one run: bounds what a row of a trace can make us allocate.
pub(crate) const TASKS_MAX: u64 = 1_000_000;

/// What an attempt has to do.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// Stages; parents come before their children.
    pub(crate) stages: std::sync::Arc<[Stage]>,
    /// The driver's time after the last stage.
    pub(crate) tail: SimDuration,
}

impl Work {
    /// The stages, by place, whose shuffle the stage at `place` reads. Where that is not recorded,
    /// all its parents.
    pub(crate) fn read_by(&self, place: usize) -> &[u32] {
        let stage = &self.stages[place];
        if stage.shuffle_parents.is_empty() && stage.shuffle_read_bytes > Bytes::ZERO {
            &stage.parents
        } else {
            &stage.shuffle_parents
        }
    }
}

/// The work of `run`.
pub(crate) fn work_of(cx: &Cx<'_>, run: &Run, run_key: u64, shape: &Shape) -> Work {
    match &run.stages {
        Some(stages) => {
            let tail = recorded_tail(run, stages);
            circumstances::adapt(cx, &shape.memory, Work { stages: stages.clone(), tail })
        }
        None => made_up(cx, run, run_key),
    }
}

/// Driver-only time that the gaps before the stages do not account for.
fn recorded_tail(run: &Run, stages: &[Stage]) -> SimDuration {
    let gaps = stages.iter().fold(SimDuration::ZERO, |sum, stage| sum + stage.driver_gap);
    run.driver_only.unwrap_or(SimDuration::ZERO).saturating_sub(gaps)
}

fn made_up(cx: &Cx<'_>, run: &Run, run_key: u64) -> Work {
    let assumptions = &cx.scenario.assumptions;
    let total = task_time(cx, run);
    let mean = assumptions.mean_task_duration.as_millis().max(1);
    let recorded = run.tasks.map(u64::from);
    let tasks = recorded.unwrap_or_else(|| total.as_millis().div_ceil(mean));
    let tasks = tasks.clamp(u64::from(!total.is_zero()), TASKS_MAX) as usize;
    let driver = run.driver_only.unwrap_or(SimDuration::ZERO);
    let counts = if tasks <= 20 {
        vec![tasks]
    } else {
        let (first, second) = (tasks * 6 / 10, tasks * 3 / 10);
        vec![first, second, tasks - first - second]
    };
    let before = SimDuration::from_millis(driver.as_millis() / 2);
    let between =
        SimDuration::from_millis(driver.saturating_sub(before).as_millis() / counts.len() as u64);
    let mut stages = Vec::with_capacity(counts.len());
    let durations = durations(cx, assumptions, run_key, &counts, total);
    for (place, durations) in durations.into_iter().enumerate() {
        stages.push(Stage {
            stage_id: place as u32,
            parents: place.checked_sub(1).map(|parent| parent as u32).into_iter().collect(),
            shuffle_parents: place.checked_sub(1).map(|parent| parent as u32).into_iter().collect(),
            driver_gap: if place == 0 { before } else { between },
            tasks: TaskDurations::Listed(durations),
            ..Stage::default()
        });
    }
    let gaps = before + between * (counts.len() as u64 - 1);
    Work { stages: stages.into(), tail: driver.saturating_sub(gaps) }
}

/// The recorded task time; where only the duration is recorded, executors are taken to have been
/// busy for all of it but the driver's own part (a guess that keeps the recorded duration).
fn task_time(cx: &Cx<'_>, run: &Run) -> SimDuration {
    run.executor_task_time.unwrap_or_else(|| {
        let spark = &cx.scenario.spark;
        let duration = run.duration.unwrap_or(SimDuration::ZERO);
        let busy = duration.saturating_sub(run.driver_only.unwrap_or(SimDuration::ZERO));
        let executors = run.executors_max.or(run.executors_min).unwrap_or(spark.executor_instances);
        let cores = run.executor_cores.unwrap_or(spark.executor_cores);
        // Bounded, so that a hostile row cannot overflow.
        let slots = u64::from(executors.clamp(1, 10_000)) * u64::from(cores.clamp(1, 1_000));
        SimDuration::from_millis(busy.as_millis().saturating_mul(slots))
    })
}

/// `value.round()` of what is not negative: the function of the C library costs more than the
/// draw.
fn round(value: f64) -> u64 {
    let whole = value as u64;
    // Exact: the difference of two floats so near to each other is one.
    whole + u64::from(value - whole as f64 >= 0.5)
}

/// Milliseconds of the tasks of stages of so many tasks, which add up to `total`.
fn durations(
    cx: &Cx<'_>,
    assumptions: &Assumptions,
    run_key: u64,
    stages: &[usize],
    total: SimDuration,
) -> Vec<Box<[u32]>> {
    let tasks = stages.iter().sum();
    let sigma = (1.0 + assumptions.task_duration_cv.powi(2)).ln().sqrt();
    let mut stream = cx.seed.stream("task-time", &[run_key]);
    // Rounded to 2^-20 at once, so that the last bit of a platform's `exp` cannot show.
    let weights: Vec<u64> = (0..tasks)
        .map(|_| {
            let z: f64 = stream.sample(StandardNormal);
            round((sigma * z).exp() * f64::from(1 << 20)) + 1
        })
        .collect();
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let total = total.as_millis();
    // Small products are divided as such: long division is slow, and there are millions of tasks.
    let small_sum = u64::try_from(sum).ok();
    let share = |weight: u64| match (total.checked_mul(weight), small_sum) {
        (Some(product), Some(sum)) => product / sum,
        _ => (u128::from(total) * u128::from(weight) / sum) as u64,
    };
    let (mut left, mut rest) = (total, weights.as_slice());
    let mut durations: Vec<Box<[u32]>> = Vec::with_capacity(stages.len());
    for count in stages {
        let (own, others) = rest.split_at(*count);
        rest = others;
        let shares = own.iter().map(|weight| {
            let ms = share(*weight);
            left -= ms;
            u32::try_from(ms).unwrap_or(u32::MAX)
        });
        durations.push(shares.collect());
    }
    // Rounding is given back a millisecond a task, so that the sum is the recorded one.
    for duration in durations.iter_mut().flatten().take(left as usize) {
        *duration = duration.saturating_add(1);
    }
    durations
}
