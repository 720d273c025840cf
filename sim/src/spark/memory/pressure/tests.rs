use proptest::prelude::*;

use super::*;
use crate::units::SimDuration;
use crate::workload::TaskDurations;

/// Heap, slots and tmpfs of an executor with 384 MiB of overhead, or a tenth.
fn executor(heap_mib: u64, slots: u32, tmpfs: Bytes) -> ExecutorMemory {
    let heap = Bytes::mib(heap_mib);
    ExecutorMemory {
        heap,
        container: Bytes::mib(heap_mib + (heap_mib / 10).max(384)),
        off_heap: Bytes::ZERO,
        pyspark: Bytes::ZERO,
        tmpfs,
        slots,
        executors: 2,
        unified: UnifiedMemory::default(),
    }
}

fn stage(peak_mib: u64) -> Stage {
    Stage {
        tasks: TaskDurations::from_millis(vec![1000; 8]),
        peak_task_memory: Bytes::mib(peak_mib),
        gc_time: SimDuration::from_millis(800),
        ..Stage::default()
    }
}

#[test]
fn verdicts_by_hand() {
    // A heap of 2348 MiB: pool 0.6 x 2048 = 1228.8 MiB, 819.2 MiB beside it.
    let check = |slots, peak_mib, expected: Verdict| {
        let verdict = executor(2348, slots, Bytes::ZERO).verdict(&stage(peak_mib));
        assert_eq!(verdict, expected, "{slots} slots, {peak_mib} MiB");
    };
    check(1, 1000, Verdict::Fits);
    check(2, 600, Verdict::Fits);
    // 1228.8 / 4 = 307.2 MiB each.
    let share = Bytes::mib(2048).scale_floor(0.6).as_u64() / 4;
    check(4, 600, Verdict::Spills(Bytes::new(Bytes::mib(600).as_u64() - share)));
    // 4 tasks with 225 MiB of objects each are more than 819.
    check(4, 900, Verdict::HeapOom);
    // Two tasks with 500 MiB of objects each are more than 819, too.
    check(2, 2000, Verdict::HeapOom);
    assert_eq!(Verdict::HeapOom.exit_code(), Some(52));
}

#[test]
fn tmpfs_fills_the_container() {
    // 300 + 400 + 100 of heap, 208 native: 1008 MiB of 2732.
    let verdict = |tmpfs| executor(2348, 1, Bytes::mib(tmpfs)).verdict(&stage(400));
    assert_eq!(verdict(1724), Verdict::Fits);
    assert_eq!(verdict(1725), Verdict::ContainerKill);
    assert_eq!(Verdict::ContainerKill.exit_code(), Some(137));
}

#[test]
fn cached_blocks_keep_their_half() {
    // 4 GiB cached on two executors: of 1228.8 MiB half is kept, 614.4 is left for one task.
    let cached = Stage { cached_bytes: Bytes::gib(4), ..stage(700) };
    let half = Bytes::mib(2048).scale_floor(0.6).scale_floor(0.5);
    let left = Bytes::mib(2048).scale_floor(0.6).saturating_sub(half);
    let spilled = Bytes::mib(700).saturating_sub(left);
    assert_eq!(executor(2348, 1, Bytes::ZERO).verdict(&cached), Verdict::Spills(spilled));
}

#[test]
fn what_the_recorded_executor_bore_is_no_death() {
    let (small, large) = (executor(1324, 4, Bytes::ZERO), executor(4396, 4, Bytes::ZERO));
    let stages = [stage(500)];
    assert_eq!(small.verdict(&stages[0]), Verdict::HeapOom);
    let change = |recorded, simulated| Change { recorded, simulated };
    assert_eq!(change(large, small).death(&stages), Some(Verdict::HeapOom));
    assert_eq!(change(small, executor(1300, 4, Bytes::ZERO)).death(&stages), None);
    assert_eq!(change(small, large).death(&stages), None);
}

#[test]
fn a_peak_follows_its_slots() {
    // 684 MiB of base and 1000 MiB a task.
    let peak = |task, slots| peak_with_slots(Bytes::mib(2684), Bytes::mib(task), 2, slots);
    assert_eq!(peak(0, 2), Bytes::mib(2684));
    assert_eq!(peak(0, 4), Bytes::mib(4684));
    assert_eq!(peak(0, 1), Bytes::mib(1684));
    // Never below what a task needed for execution alone, nor above the recorded peak.
    assert_eq!(peak(1500, 4), Bytes::mib(5684));
    assert_eq!(peak(1500, 1), Bytes::mib(2184));
    assert_eq!(peak(9000, 1), Bytes::mib(2684));
}

fn rank(verdict: Verdict) -> (u8, u64) {
    match verdict {
        Verdict::Fits => (0, 0),
        Verdict::Spills(bytes) => (1, bytes.as_u64()),
        Verdict::HeapOom | Verdict::ContainerKill => (2, 0),
    }
}

fn stages() -> impl Strategy<Value = Stage> {
    let bytes = 0_u64..1 << 34;
    (bytes.clone(), bytes.clone(), bytes, 1_usize..40).prop_map(|(peak, cached, spilled, tasks)| {
        Stage {
            tasks: TaskDurations::from_millis(vec![1000; tasks]),
            peak_task_memory: Bytes::new(peak),
            cached_bytes: Bytes::new(cached),
            spilled_bytes: Bytes::new(spilled),
            gc_time: SimDuration::seconds(10),
            ..Stage::default()
        }
    })
}

proptest! {
    #[test]
    fn more_memory_is_never_worse(
        stage in stages(), heap in 300_u64..60_000, more in 0_u64..60_000, slots in 1_u32..32,
        tmpfs in 0_u64..1 << 33,
    ) {
        let (small, large) = (
            executor(heap, slots, Bytes::new(tmpfs)),
            executor(heap + more, slots, Bytes::new(tmpfs)),
        );
        prop_assert!(rank(large.verdict(&stage)) <= rank(small.verdict(&stage)));
        let change = Change { recorded: small, simulated: large };
        prop_assert!(change.extra_seconds(&stage, (1e8, 1e8)) <= 1e-9);
        prop_assert_eq!(change.death(&[stage]), None);
    }

    #[test]
    fn more_slots_are_never_better(
        stage in stages(), heap in 300_u64..60_000, few in 1_u32..32, more in 0_u32..32,
    ) {
        let at = |slots| executor(heap, slots, Bytes::ZERO);
        let (small, large) = (at(few), at(few + more));
        prop_assert!(rank(large.verdict(&stage)) >= rank(small.verdict(&stage)));
        let change = Change { recorded: small, simulated: large };
        prop_assert!(change.extra_seconds(&stage, (1e8, 1e8)) >= -1e-9);
        let peak = |slots| peak_with_slots(Bytes::mib(heap), stage.peak_task_memory, 4, slots);
        prop_assert!(peak(few) <= peak(few + more));
    }
}
