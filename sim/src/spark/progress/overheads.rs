//! How long a task takes where it runs.
//!
//! Models: the recorded time, more for the first tasks of a stage on an executor, more on a fresh
//! executor (`warm_up.rs`), and once more the time of the stage that had cached the task's block,
//! where that block is lost (all of that stage's task: what caching took of it is not recorded).
//! Leaves out: reading a cached block from another executor.

use super::Progress;
use crate::units::{SimDuration, SimTime};

impl<K: Copy + Eq> Progress<K> {
    /// How long a task takes on that executor, from `at` on.
    pub(super) fn duration_on(&self, stage: u32, task: u32, slot: u32, at: SimTime) -> SimDuration {
        let recorded = &self.work.stages[stage as usize];
        let overheads = &self.rules.overheads;
        let executor = &self.executors[slot as usize];
        let mut duration = recorded.tasks.get(task) + overheads.every_task;
        if let Some(by) = self.computes_block_of(stage, task) {
            duration += self.work.stages[by as usize].tasks.get(task);
        }
        let first = !self.stages[stage as usize].ran_on.contains(slot);
        if first && !recorded.first_task_overhead.is_zero() {
            duration += recorded.first_task_overhead.scale_round(overheads.first_task_factor);
        }
        if executor.warm {
            return duration;
        }
        let Some(since) = executor.first_task_at.filter(|since| *since < at) else {
            return duration + overheads.fresh_first;
        };
        if at.since(since) < overheads.warm_after {
            duration += self.fresh_task(stage);
        }
        if executor.code_paths & self.code_path(stage) == 0 {
            let reads = !self.work.read_by(stage as usize).is_empty();
            duration += if reads { overheads.fresh_reader } else { overheads.fresh_code };
        }
        duration
    }

    /// How much longer a task of the stage takes on an executor that is not warm yet. Without a
    /// recorded CPU time, the most that it may be.
    fn fresh_task(&self, stage: u32) -> SimDuration {
        let overheads = &self.rules.overheads;
        let recorded = &self.work.stages[stage as usize];
        if recorded.cpu_time.is_zero() || overheads.fresh_per_cpu == 0.0 {
            return overheads.fresh_task;
        }
        let cpu = recorded.cpu_time.as_millis() / u64::from(recorded.tasks.count().max(1));
        SimDuration::from_millis(cpu).scale_round(overheads.fresh_per_cpu).min(overheads.fresh_task)
    }

    /// The way through Spark's code that the stage's tasks take, as a bit: they read a shuffle or
    /// not, and write one or not.
    pub(super) fn code_path(&self, stage: u32) -> u8 {
        let reads = !self.work.read_by(stage as usize).is_empty();
        let writes = !self.stages[stage as usize].readers.is_empty();
        1 << (u8::from(reads) + 2 * u8::from(writes))
    }

    /// All executors that are there are warm: tasks ran on them before.
    pub(crate) fn warm_executors(&mut self) {
        for executor in &mut self.executors {
            executor.warm = true;
        }
    }
}
