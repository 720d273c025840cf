//! Gathers the tasks of one stage in little memory: each partition's first success.
//!
//! While a stage runs, 40 bytes a task. When it is complete, its durations are packed
//! ([`TaskDurations`]) and only a bit a partition stays, to know repeated work when it comes.
//!
//! Which partition a task computed: `Partition ID` where Spark wrote it (3.3 and later); else the
//! task's index, which is its partition's place in a first attempt. In a later attempt of an older
//! log the index only counts the missing partitions; there, as many tasks are kept as the stage
//! still lacked, and the rest is repeated work.

use std::collections::BTreeMap;

use sim::workload::TaskDurations;

use super::task_overheads::{self, KeptTask, TaskOverheads};

/// A successful task attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct DoneTask {
    pub(super) stage_attempt: u32,
    pub(super) index: u32,
    pub(super) partition: Option<u32>,
    pub(super) launched_ms: i64,
    pub(super) duration_ms: u32,
    pub(super) spark_ms: u32,
    pub(super) cpu_ms: u32,
    pub(super) executor: u32,
    pub(super) slots: u32,
    pub(super) fresh: bool,
}

/// Tasks of a stage so far.
#[derive(Debug, Default)]
pub(super) struct StageTasks {
    open: Vec<KeptTask>,
    packed: TaskDurations,
    /// The same tasks, as they ran.
    times: TaskDurations,
    done: PartitionSet,
    /// Sum of kept durations.
    pub(super) kept_ms: u64,
    kept: u64,
    /// What was told apart from the durations.
    pub(super) overheads: TaskOverheads,
    /// The most tasks of the stage that ran on each executor at one time.
    slots_seen: BTreeMap<u32, u32>,
    /// It reads shuffles.
    pub(super) reads_shuffle: bool,
    /// It matters which task is which partition: tasks of it failed or were lost, or it leaves or
    /// reads cached blocks. Partitions did not run in their order then.
    pub(super) by_partition: bool,
}

impl StageTasks {
    /// Takes a task of a stage of `number_of_tasks`; `false` if its partition was done already.
    pub(super) fn add(&mut self, task: DoneTask, number_of_tasks: u32) -> bool {
        let new = match task.partition {
            Some(partition) => self.done.insert(partition),
            None if task.stage_attempt == 0 => self.done.insert(task.index),
            None => self.kept < u64::from(number_of_tasks),
        };
        if new {
            let place = task.partition.unwrap_or(task.index);
            self.open.push(KeptTask {
                launched_ms: task.launched_ms,
                place,
                duration_ms: task.duration_ms,
                spark_ms: task.spark_ms,
                cpu_ms: task.cpu_ms,
                executor: task.executor,
                slots: task.slots,
                fresh: task.fresh,
            });
            self.kept += 1;
            self.kept_ms += u64::from(task.duration_ms);
        }
        new
    }

    /// Packs what is there when an attempt is complete. Tasks that still come are added behind;
    /// as long as they are few, they stay open, since packing again goes through all.
    pub(super) fn pack(&mut self) {
        if self.packed.count() == 0 || self.open.len() > self.packed.count() as usize {
            self.pack_all();
        }
    }

    fn pack_all(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let mut open = std::mem::take(&mut self.open);
        if self.by_partition {
            open.sort_unstable_by_key(|task| (task.place, task.launched_ms));
        } else {
            open.sort_unstable();
        }
        for (executor, slots) in task_overheads::most_at_a_time(&open) {
            let seen = self.slots_seen.entry(executor).or_default();
            *seen = slots.max(*seen);
        }
        let times = appended(&self.times, open.iter().map(|task| task.duration_ms));
        self.overheads.take_out_of(&mut open, self.reads_shuffle);
        self.packed = appended(&self.packed, open.iter().map(|task| task.duration_ms));
        self.times = times;
    }

    /// All tasks, packed.
    pub(super) fn finish(mut self) -> DoneTasks {
        self.pack_all();
        DoneTasks {
            tasks: self.packed,
            times: self.times,
            overheads: self.overheads,
            slots_seen: self.slots_seen,
        }
    }
}

/// A stage's tasks, packed.
pub(super) struct DoneTasks {
    /// As they would have been on an executor that had run one before.
    pub(super) tasks: TaskDurations,
    /// As they were.
    pub(super) times: TaskDurations,
    /// What makes the difference.
    pub(super) overheads: TaskOverheads,
    /// The most of them that ran on each executor at one time.
    pub(super) slots_seen: BTreeMap<u32, u32>,
}

fn appended(packed: &TaskDurations, more: impl Iterator<Item = u32>) -> TaskDurations {
    // A log has at most milliseconds that fit, because each packed one did.
    let before = (0..packed.count()).map(|task| packed.get(task).as_millis() as u32);
    TaskDurations::from_millis(before.chain(more).collect())
}

/// A set of partition numbers: a bit each, in blocks, so that a single huge number costs one
/// block only.
#[derive(Debug, Default)]
struct PartitionSet(BTreeMap<u32, Box<[u64; 16]>>);

impl PartitionSet {
    /// Adds `partition`; `false` if it was in.
    fn insert(&mut self, partition: u32) -> bool {
        let block = self.0.entry(partition >> 10).or_default();
        let word = &mut block[(partition >> 6 & 15) as usize];
        let bit = 1u64 << (partition & 63);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(stage_attempt: u32, index: u32, partition: Option<u32>, at: i64) -> DoneTask {
        DoneTask {
            stage_attempt,
            index,
            partition,
            launched_ms: at,
            duration_ms: 10 + index,
            spark_ms: u32::MAX,
            cpu_ms: 0,
            executor: 0,
            slots: 0,
            fresh: false,
        }
    }

    #[test]
    fn keeps_each_partition_once_in_launch_order() {
        let mut tasks = StageTasks::default();
        assert!(tasks.add(task(0, 1, Some(1), 7), 3));
        assert!(tasks.add(task(0, 0, Some(0), 5), 3));
        assert!(!tasks.add(task(0, 1, Some(1), 8), 3), "speculation");
        tasks.pack();
        assert!(tasks.add(task(1, 0, Some(2), 20), 3), "only partition 2 was missing");
        assert!(!tasks.add(task(1, 1, Some(0), 21), 3), "recomputed");
        assert_eq!(tasks.kept_ms, 11 + 10 + 10);
        let durations = TaskDurations::from_millis(vec![10, 11, 10]);
        assert_eq!(tasks.finish().tasks, durations);
    }

    #[test]
    fn without_partition_ids_a_later_attempt_only_fills_what_lacks() {
        let mut tasks = StageTasks::default();
        assert!(tasks.add(task(0, 0, None, 1), 3));
        assert!(tasks.add(task(0, 2, None, 2), 3));
        assert!(tasks.add(task(1, 0, None, 3), 3));
        assert!(!tasks.add(task(1, 1, None, 4), 3));
        assert_eq!(tasks.finish().tasks.count(), 3);
    }

    #[test]
    fn a_huge_index_costs_one_block() {
        let mut set = PartitionSet::default();
        assert!(set.insert(u32::MAX));
        assert!(!set.insert(u32::MAX));
        assert!(set.insert(0));
        assert_eq!(set.0.len(), 2);
    }
}
