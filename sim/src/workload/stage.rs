//! A stage of a run: tasks that run alike, after their parents.

use crate::units::{Bytes, SimDuration};

/// One stage, as recorded. Stages of a run are numbered by their place in its list, and a stage's
/// parents come before it.
///
/// Sums and peaks are over the tasks that are kept: each partition's first success. What was not
/// recorded is zero.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Stage {
    /// Spark's stage id, unique within the run.
    pub stage_id: u32,
    /// Number of the Spark job that submitted it, in order of submission: FIFO goes by it.
    pub job: u32,
    /// FAIR pool of that job (`spark.scheduler.pool`), as a number: equal where the pool is the
    /// same one; 0 = the default pool.
    pub pool: u32,
    /// Places, in the run's list, of the stages whose output it needs.
    pub parents: Vec<u32>,
    /// Those of [`Self::parents`] whose shuffle it reads; the others only come before it in the
    /// driver's program.
    pub shuffle_parents: Vec<u32>,
    /// Time after all parents are done (or after the run's start, without parents) in which the
    /// driver had not submitted it yet: planning, collecting, the user's own code.
    pub driver_gap: SimDuration,
    /// How long each task takes on a core, launch to finish, on an executor that has run a task of
    /// the stage before.
    pub tasks: TaskDurations,
    /// How much longer the first tasks of the stage on an executor that is warm take than
    /// [`Self::tasks`]: fetching and deserialising the task, opening connections. The mean.
    pub first_task_overhead: SimDuration,
    /// The mean part of [`Self::tasks`] that is Spark's own: scheduler delay, deserialisation,
    /// serialising and fetching results.
    pub task_overhead: SimDuration,
    /// How many of its tasks were recorded on executors that were fresh: their times are longer.
    pub fresh_tasks: u32,
    /// CPU time of its tasks, summed (`executorCpuTime`).
    pub cpu_time: SimDuration,
    /// Garbage collection while its tasks ran, summed.
    pub gc_time: SimDuration,
    /// Waiting for shuffle blocks, summed (`fetchWaitTime`).
    pub fetch_wait: SimDuration,
    /// Bytes its tasks read from outside.
    pub input_bytes: Bytes,
    /// Bytes its tasks wrote to outside.
    pub output_bytes: Bytes,
    /// Bytes its tasks read from shuffles.
    pub shuffle_read_bytes: Bytes,
    /// Bytes its tasks wrote for shuffles.
    pub shuffle_write_bytes: Bytes,
    /// Bytes its tasks spilled to disk (`diskBytesSpilled`).
    pub spilled_bytes: Bytes,
    /// Bytes that cached blocks of its RDDs hold in memory.
    pub cached_bytes: Bytes,
    /// Its tasks leave cached blocks on their executors.
    pub caches: bool,
    /// Place of the stage whose tasks left the cached blocks that its own tasks read, partition by
    /// partition: each prefers the executor that holds its block.
    pub cached_by: Option<u32>,
    /// The most execution memory that one of its tasks needed (Spark's `peakExecutionMemory`).
    pub peak_task_memory: Bytes,
    /// How many of its tasks ran where, seen from their data.
    pub locality: Locality,
    /// Its resource profile; 0 = the default one.
    pub resource_profile: u32,
    /// It is a barrier stage: all its tasks start together or none does.
    pub barrier: bool,
}

/// Tasks by their locality level.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Locality {
    /// `PROCESS_LOCAL`: the data is in the executor, or the task prefers no place.
    pub process_local: u32,
    /// `NODE_LOCAL`.
    pub node_local: u32,
    /// `RACK_LOCAL`.
    pub rack_local: u32,
    /// `ANY`: it ran away from its data, or has no preference (`NO_PREF`).
    pub any: u32,
}

/// Durations of a stage's tasks, in launch order: exact for usual stages, compact for huge ones.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskDurations {
    /// Milliseconds of every task, in order of partition.
    Listed(Box<[u32]>),
    /// A stage with very many tasks: its distribution at evenly spaced quantiles (first = minimum,
    /// last = maximum of the body), and the slowest tasks exactly.
    Quantiles {
        /// Number of tasks, the slowest ones included.
        count: u32,
        /// Milliseconds at quantiles 0, 1/(n-1), .. 1 of the body, ascending; at least two.
        body: Box<[u32]>,
        /// Milliseconds of the slowest tasks, ascending, which the body leaves out.
        tail: Box<[u32]>,
    },
}

impl Stage {
    /// Whether its tasks leave cached blocks on their executors.
    pub fn leaves_blocks(&self) -> bool {
        self.caches || self.cached_bytes > Bytes::ZERO
    }
}

impl Default for TaskDurations {
    fn default() -> Self {
        Self::Listed(Box::default())
    }
}

impl TaskDurations {
    /// Above this many tasks a stage is kept as quantiles. 4 bytes a task: 8 KiB at most.
    pub const LISTED_MAX: usize = 2048;
    /// Quantiles kept of a compact stage's body.
    pub const QUANTILES: usize = 129;
    /// Slowest tasks kept exactly in a compact stage.
    pub const TAIL: usize = 128;

    /// Keeps `durations_ms` (in launch order) exactly, or compactly where there are too many.
    pub fn from_millis(durations_ms: Vec<u32>) -> Self {
        if durations_ms.len() <= Self::LISTED_MAX {
            return Self::Listed(durations_ms.into_boxed_slice());
        }
        let count = u32::try_from(durations_ms.len()).unwrap_or(u32::MAX);
        let mut sorted = durations_ms;
        sorted.sort_unstable();
        let tail = sorted.split_off(sorted.len() - Self::TAIL);
        let last = sorted.len() - 1;
        let body = (0..Self::QUANTILES).map(|q| sorted[q * last / (Self::QUANTILES - 1)]).collect();
        Self::Quantiles { count, body, tail: tail.into_boxed_slice() }
    }

    /// The same tasks with other durations. `change` must not turn the order of two durations.
    #[must_use]
    pub fn map_millis(&self, change: impl Fn(u32) -> u32) -> Self {
        let all = |durations: &[u32]| durations.iter().map(|ms| change(*ms)).collect();
        match self {
            Self::Listed(durations) => Self::Listed(all(durations)),
            Self::Quantiles { count, body, tail } => {
                Self::Quantiles { count: *count, body: all(body), tail: all(tail) }
            }
        }
    }

    /// Number of tasks.
    pub fn count(&self) -> u32 {
        match self {
            Self::Listed(durations) => durations.len() as u32,
            Self::Quantiles { count, .. } => *count,
        }
    }

    /// The duration of task `index` (0-based, below [`Self::count`]). A compact stage's tasks are
    /// spread over its distribution in a fixed, well-mixed order.
    ///
    /// # Panics
    /// If `index` is not below the count.
    pub fn get(&self, index: u32) -> SimDuration {
        match self {
            Self::Listed(durations) => {
                SimDuration::from_millis(u64::from(durations[index as usize]))
            }
            Self::Quantiles { count, body, tail } => {
                assert!(index < *count, "task {index} of {count}");
                let rank = scatter(index, *count);
                let in_body = count - tail.len() as u32;
                let ms = match rank.checked_sub(in_body) {
                    Some(place) => u64::from(tail[place as usize]),
                    None => interpolate(body, rank, in_body),
                };
                SimDuration::from_millis(ms)
            }
        }
    }

    /// The same tasks, each as long as `change` makes it; `change` keeps their order.
    #[must_use]
    pub fn map(&self, change: impl Fn(u32) -> u32) -> Self {
        let all = |ms: &[u32]| ms.iter().map(|ms| change(*ms)).collect();
        match self {
            Self::Listed(durations) => Self::Listed(all(durations)),
            Self::Quantiles { count, body, tail } => {
                Self::Quantiles { count: *count, body: all(body), tail: all(tail) }
            }
        }
    }

    /// The longest task; zero without tasks.
    pub fn longest(&self) -> SimDuration {
        let ms = match self {
            Self::Listed(durations) => durations.iter().max(),
            Self::Quantiles { body, tail, .. } => tail.last().or(body.last()),
        };
        SimDuration::from_millis(u64::from(ms.copied().unwrap_or(0)))
    }

    /// The sum over all tasks.
    pub fn total(&self) -> SimDuration {
        let ms = match self {
            Self::Listed(durations) => durations.iter().map(|ms| u64::from(*ms)).sum(),
            Self::Quantiles { count, body, tail } => {
                let in_body = count - tail.len() as u32;
                let body: u64 = (0..in_body).map(|rank| interpolate(body, rank, in_body)).sum();
                body + tail.iter().map(|ms| u64::from(*ms)).sum::<u64>()
            }
        };
        SimDuration::from_millis(ms)
    }
}

/// A permutation of `0..count` without pattern: multiplication by a number coprime to `count`.
fn scatter(index: u32, count: u32) -> u32 {
    let golden = (f64::from(count) * 0.618_033_988_75) as u32;
    let step = (golden.max(1)..).find(|step| gcd(*step, count) == 1).unwrap_or(1);
    (u64::from(index) * u64::from(step) % u64::from(count)) as u32
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn interpolate(body: &[u32], rank: u32, count: u32) -> u64 {
    let steps = body.len() as u64 - 1;
    let spans = u64::from(count).saturating_sub(1).max(1);
    let position = u64::from(rank) * steps;
    let (low, rest) = ((position / spans) as usize, position % spans);
    let from = u64::from(body[low]);
    let to = u64::from(body[(low + 1).min(body.len() - 1)]);
    from + (to - from) * rest / spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_stages_are_exact() {
        let tasks = TaskDurations::from_millis(vec![5, 1, 9]);
        assert_eq!(tasks.count(), 3);
        assert_eq!(tasks.get(1), SimDuration::from_millis(1));
        assert_eq!(tasks.total(), SimDuration::from_millis(15));
        assert_eq!(tasks.longest(), SimDuration::from_millis(9));
    }

    #[test]
    fn compact_stages_keep_count_sum_and_extremes() {
        let durations: Vec<u32> =
            (0..10_000u32).map(|i| 100 + i % 977 + (i % 1000 / 999) * 60_000).collect();
        let exact: u64 = durations.iter().map(|ms| u64::from(*ms)).sum();
        let tasks = TaskDurations::from_millis(durations.clone());
        assert_eq!(tasks.count(), 10_000);
        let all: Vec<u64> = (0..10_000).map(|i| tasks.get(i).as_millis()).collect();
        assert_eq!(all.iter().sum::<u64>(), tasks.total().as_millis());
        let error = (tasks.total().as_millis() as f64 - exact as f64).abs() / exact as f64;
        assert!(error < 0.01, "{error}");
        assert_eq!(all.iter().max(), durations.iter().max().map(|ms| u64::from(*ms)).as_ref());
        assert_eq!(all.iter().min(), durations.iter().min().map(|ms| u64::from(*ms)).as_ref());
    }
}
