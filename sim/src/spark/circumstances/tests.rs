use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::scenario::{LocalDirs, OutputCommitter, UnifiedMemory};
use crate::spark::memory::ExecutorMemory;
use crate::units::Bytes;
use crate::workload::TaskDurations;

fn executor(heap_mib: u64, slots: u32) -> ExecutorMemory {
    ExecutorMemory {
        heap: Bytes::mib(heap_mib),
        container: Bytes::mib(heap_mib * 2 + 1000),
        off_heap: Bytes::ZERO,
        pyspark: Bytes::ZERO,
        tmpfs: Bytes::ZERO,
        slots,
        executors: 2,
        unified: UnifiedMemory::default(),
    }
}

fn same() -> Change {
    Change { recorded: executor(4000, 2), simulated: executor(4000, 2) }
}

/// Two stages of 4 tasks of 2 s; the second one writes 40 MB.
fn work() -> Work {
    let stage = |parents: Vec<u32>, output| Stage {
        parents,
        tasks: TaskDurations::from_millis(vec![1500, 2000, 2000, 2500]),
        task_overhead: SimDuration::from_millis(500),
        shuffle_write_bytes: Bytes::mib(100),
        peak_task_memory: Bytes::mib(300),
        output_bytes: Bytes::new(output),
        ..Stage::default()
    };
    let stages = vec![stage(Vec::new(), 40_000_000), stage(vec![0], 40_000_000)];
    Work { stages: stages.into(), tail: SimDuration::from_millis(100) }
}

fn recorded() -> Storage {
    Storage { committer: OutputCommitter::FileV2, ..Storage::default() }
}

fn under(memory: &Change, storage: Storage) -> Work {
    adapted(work(), memory, &recorded(), &storage, &StorageSpeeds::default())
}

fn total(work: &Work) -> SimDuration {
    work.stages.iter().fold(work.tail, |sum, stage| sum + stage.tasks.total() + stage.driver_gap)
}

#[test]
fn the_recorded_circumstances_share_the_stages() {
    let before = work();
    let stages = before.stages.clone();
    let after = adapted(before, &same(), &recorded(), &recorded(), &StorageSpeeds::default());
    assert!(Arc::ptr_eq(&stages, &after.stages));
}

#[test]
fn the_driver_commits_after_each_job_and_at_the_end() {
    let storage = Storage { committer: OutputCommitter::FileV1, ..Storage::default() };
    let after = under(&same(), storage);
    // 4 x (0.2 s + 10 MB at 10 MB/s); tasks rename as before.
    assert_eq!(after.stages[1].driver_gap, SimDuration::from_millis(4800));
    assert_eq!(after.tail, SimDuration::from_millis(4900));
    assert_eq!(after.stages[0].tasks, work().stages[0].tasks);
}

#[test]
fn tasks_without_renames_are_shorter_and_keep_their_skew() {
    let storage = Storage { committer: OutputCommitter::Magic, ..Storage::default() };
    let after = under(&same(), storage);
    // 1.2 s less of 1.5 s of work in the mean: a fifth of the work is left.
    let left: Vec<u64> = (0..4).map(|task| after.stages[0].tasks.get(task).as_millis()).collect();
    assert_eq!(left, [700, 800, 800, 900]);
    assert_eq!(after.tail, SimDuration::from_millis(150));
}

proptest! {
    #[test]
    fn slower_never_becomes_faster(heap in 1000_u64..4000, slots in 2_u32..16) {
        let memory = Change { recorded: executor(4000, 2), simulated: executor(heap, slots) };
        prop_assert!(total(&under(&memory, recorded())) >= total(&work()));
        let nvme = Storage { local_dirs: LocalDirs::HostPath, ..recorded() };
        prop_assert!(total(&under(&same(), nvme)) <= total(&work()));
    }
}
