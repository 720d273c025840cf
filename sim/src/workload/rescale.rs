//! Rules that turn recorded stages into those of other circumstances: more input, other shuffle
//! partitions, faster processors.
//!
//! - **Input** (growth): stages that read no shuffle get more tasks, because a file of twice the
//!   size has twice the splits, and each task takes what it took; what whole tasks cannot show is
//!   put on each. Stages that read a shuffle keep their partitions; work, bytes and memory of each
//!   grow. Limits: operations whose work grows faster than their input (joins of many to many,
//!   sorts) are not seen, nor are broadcasts that become too big, nor many small files merged.
//! - **Shuffle partitions**: stages that read a shuffle and follow the setting get the new count.
//!   Their work stays, each task's overhead stays: `overhead + (duration - overhead) * old / new`.
//!   A partition above [`Rescale::SKEWED`] times the median is taken for one heavy key, which more
//!   partitions do not split. Limits: stages that AQE coalesced or `repartition(n)` fixed are those
//!   of another count, and stay; more partitions write more and smaller blocks, for which the
//!   stages before pay nothing here; recorded spills stay.
//! - **Processor speed** (the ratio of two coremark figures): the CPU part of a task's time
//!   shrinks, Spark's overhead, waiting and garbage collection stay: `overhead + cpu / speed +
//!   rest`. Limits: coremark has no memory traffic; the driver's own time stays.
//!
//! Other executors are not a rescaling of stages: slots are Spark's scheduler's affair, memory and
//! disks that of `spark/memory/` and `spark/local_dirs.rs`. A Spark release changes no duration
//! here either: only defaults ([`crate::scenario::SparkDefaults::default_of`]); that engines get
//! faster from release to release is not modelled.
//!
//! Source: Spark's documentation of `spark.sql.shuffle.partitions` and
//! `spark.sql.files.maxPartitionBytes`; the rules themselves are ours.

mod tasks;

use std::sync::Arc;

use self::tasks::{grown, repartitioned, with_work_scaled};
use super::{Locality, Run, Stage};
use crate::units::{Bytes, SimDuration};

/// A change of `spark.sql.shuffle.partitions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShufflePartitions {
    /// What was set when the run was recorded. `None` = not known: taken to be the commonest count
    /// above 1 of the run's stages that read a shuffle, the greatest where several are (a guess).
    pub from: Option<u32>,
    /// What is set now.
    pub to: u32,
}

/// Other circumstances. The default changes nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rescale {
    /// Input as a multiple of the recorded one.
    pub input: f64,
    /// Other shuffle partitions.
    pub shuffle_partitions: Option<ShufflePartitions>,
    /// Speed of a processor as a multiple of that of the recording.
    pub cpu_speed: f64,
}

impl Default for Rescale {
    fn default() -> Self {
        Self { input: 1.0, shuffle_partitions: None, cpu_speed: 1.0 }
    }
}

impl Rescale {
    /// How much longer than the median a partition is that is taken for one heavy key. Source:
    /// Spark `spark.sql.adaptive.skewJoin.skewedPartitionFactor`, which is 5.
    pub const SKEWED: u32 = 5;

    /// The part of a task's time that is CPU time where it was not recorded: a guess.
    pub const CPU_SHARE: f64 = 0.7;

    /// What of an executor's recorded memory does not grow with its tasks' data: 300 MiB of
    /// reserved heap and the least overhead, 384 MiB. Source: facts-spark A4.
    pub const MEMORY_BASE: Bytes = Bytes::mib(300 + 384);

    /// Whether it changes nothing.
    pub fn is_identity(&self) -> bool {
        *self == Self::default()
    }

    /// What is wrong with its numbers: one sentence each.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, value) in [("input", self.input), ("cpuSpeed", self.cpu_speed)] {
            if !(value.is_finite() && value > 0.0) {
                problems.push(format!("scale.{name}: {value}; more than 0 is expected"));
            }
        }
        if self.shuffle_partitions.is_some_and(|partitions| partitions.to == 0) {
            problems.push("scale.shufflePartitions: 0; at least 1 is expected".to_owned());
        }
        problems
    }

    /// The stages in these circumstances: as many, with the same parents. Factors that are
    /// [`Self::problems`] count as 1.
    pub fn stages(&self, stages: &[Stage]) -> Vec<Stage> {
        let input = factor(self.input);
        let speed = factor(self.cpu_speed);
        let partitions = self.shuffle_partitions.and_then(|change| {
            Some((change.from.or_else(|| commonest(stages))?, change.to.max(1)))
        });
        let rescaled = |stage: &Stage| {
            let mut stage = stage.clone();
            if input != 1.0 {
                grow(&mut stage, input);
            }
            if let Some((from, to)) = partitions
                && reads_shuffle(&stage)
                && stage.tasks.count() == from
                && from != to
            {
                repartition(&mut stage, to);
            }
            if speed != 1.0 {
                speed_up(&mut stage, speed);
            }
            stage
        };
        stages.iter().map(rescaled).collect()
    }

    /// The run in these circumstances. A run with totals only is grown as a whole: its tasks, task
    /// time and bytes by the input, its task time by the guessed [`Self::CPU_SHARE`]; its
    /// partitions are not known.
    #[must_use]
    pub fn run(&self, run: &Run) -> Run {
        let mut run = run.clone();
        if self.is_identity() {
            return run;
        }
        let input = factor(self.input);
        let work = input * cpu_factor(Self::CPU_SHARE, factor(self.cpu_speed));
        match &run.stages {
            Some(stages) => {
                let stages: Arc<[Stage]> = self.stages(stages).into();
                let total = stages
                    .iter()
                    .fold(SimDuration::ZERO, |sum, stage| sum.saturating_add(stage.tasks.total()));
                let tasks: u64 = stages.iter().map(|stage| u64::from(stage.tasks.count())).sum();
                run.executor_task_time = run.executor_task_time.map(|_| total);
                run.tasks = run.tasks.map(|_| u32::try_from(tasks).unwrap_or(u32::MAX));
                run.stages = Some(stages);
            }
            None => {
                run.executor_task_time = run.executor_task_time.map(|time| time.scale_round(work));
                let grown =
                    |tasks: u32| ((f64::from(tasks) * input).floor() as u32).max(tasks.min(1));
                run.tasks = run.tasks.map(grown);
            }
        }
        // What the run took is used where its task time is not known.
        let driver = run.driver_only.unwrap_or(SimDuration::ZERO);
        run.duration = run.duration.map(|all| {
            let driver = driver.min(all);
            driver.saturating_add(all.saturating_sub(driver).scale_round(work))
        });
        run.input_bytes = run.input_bytes.map(|bytes| bytes.scale_floor(input));
        run.shuffle_bytes = run.shuffle_bytes.map(|bytes| bytes.scale_floor(input));
        run.peak_executor_memory = self.peak_memory(&run);
        run
    }

    /// The recorded peak with what depends on partitions grown as they are.
    fn peak_memory(&self, run: &Run) -> Option<Bytes> {
        let peak = run.peak_executor_memory?;
        let no_shuffle = match &run.stages {
            Some(stages) => !stages.iter().any(reads_shuffle),
            None => run.shuffle_bytes == Some(Bytes::ZERO),
        };
        if no_shuffle || self.input == 1.0 {
            return Some(peak);
        }
        let base = Self::MEMORY_BASE.min(peak);
        Some(base.saturating_add(peak.saturating_sub(base).scale_floor(factor(self.input))))
    }
}

/// A factor that is none counts as 1.
fn factor(value: f64) -> f64 {
    if value.is_finite() && value > 0.0 { value } else { 1.0 }
}

/// What is left of a time of which `share` is CPU time.
fn cpu_factor(share: f64, speed: f64) -> f64 {
    1.0 - share + share / speed
}

fn reads_shuffle(stage: &Stage) -> bool {
    !stage.shuffle_parents.is_empty() || stage.shuffle_read_bytes > Bytes::ZERO
}

/// The commonest count of tasks of stages that read a shuffle. Stages of one task are global
/// aggregates or written as one file, whatever the setting.
fn commonest(stages: &[Stage]) -> Option<u32> {
    let mut times = std::collections::BTreeMap::<u32, u32>::new();
    for stage in stages.iter().filter(|stage| reads_shuffle(stage) && stage.tasks.count() > 1) {
        *times.entry(stage.tasks.count()).or_default() += 1;
    }
    times.into_iter().max_by_key(|(count, times)| (*times, *count)).map(|(count, _)| count)
}

fn grow(stage: &mut Stage, input: f64) {
    let per_task = if reads_shuffle(stage) {
        stage.tasks = with_work_scaled(&stage.tasks, stage.task_overhead, input);
        input
    } else {
        let before = stage.tasks.count();
        let (tasks, per_task) = grown(&stage.tasks, stage.task_overhead, input);
        stage.tasks = tasks;
        rescale_locality(&mut stage.locality, before, stage.tasks.count());
        per_task
    };
    stage.peak_task_memory = stage.peak_task_memory.scale_floor(per_task);
    for time in [&mut stage.cpu_time, &mut stage.gc_time, &mut stage.fetch_wait] {
        *time = time.scale_round(input);
    }
    for bytes in [
        &mut stage.input_bytes,
        &mut stage.output_bytes,
        &mut stage.shuffle_read_bytes,
        &mut stage.shuffle_write_bytes,
        &mut stage.spilled_bytes,
        &mut stage.cached_bytes,
    ] {
        *bytes = bytes.scale_floor(input);
    }
}

fn repartition(stage: &mut Stage, to: u32) {
    let from = stage.tasks.count();
    let (tasks, skewed) = repartitioned(&stage.tasks, stage.task_overhead, to);
    stage.tasks = tasks;
    // The peak is that of the greatest partition, which a heavy key keeps as it is.
    if !skewed {
        let factor = f64::from(from) / f64::from(to);
        stage.peak_task_memory = stage.peak_task_memory.scale_floor(factor);
    }
    rescale_locality(&mut stage.locality, from, to);
}

fn speed_up(stage: &mut Stage, speed: f64) {
    let overhead = stage.task_overhead * u64::from(stage.tasks.count());
    let work = stage.tasks.total().saturating_sub(overhead);
    let share = if stage.cpu_time.is_zero() || work.is_zero() {
        Rescale::CPU_SHARE
    } else {
        (stage.cpu_time.as_secs_f64() / work.as_secs_f64()).min(1.0)
    };
    let factor = cpu_factor(share, speed);
    stage.tasks = with_work_scaled(&stage.tasks, stage.task_overhead, factor);
    stage.cpu_time = stage.cpu_time.scale_round(1.0 / speed);
}

/// Tasks by locality, in the same proportions.
fn rescale_locality(locality: &mut Locality, from: u32, to: u32) {
    if from == 0 {
        return;
    }
    for count in [
        &mut locality.process_local,
        &mut locality.node_local,
        &mut locality.rack_local,
        &mut locality.any,
    ] {
        let scaled = u64::from(*count) * u64::from(to) / u64::from(from);
        *count = u32::try_from(scaled).unwrap_or(u32::MAX);
    }
}

#[cfg(test)]
mod tests;
