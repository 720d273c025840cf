//! Table tests of an application's own scheduler: small applications, moments worked out by hand.

use super::*;
use crate::scenario::{SchedulerMode, SparkDefaults, SparkVersion};
use crate::spark::Overheads;
use crate::units::Bytes;
use crate::workload::{Stage, TaskDurations};

fn ms(ms: u64) -> SimTime {
    SimTime::from_millis(ms)
}

fn stage(parents: &[u32], tasks: &[u32]) -> Stage {
    Stage {
        parents: parents.to_vec(),
        shuffle_parents: parents.to_vec(),
        shuffle_read_bytes: Bytes::new(u64::from(!parents.is_empty())),
        tasks: TaskDurations::from_millis(tasks.to_vec()),
        ..Stage::default()
    }
}

/// Tasks that read shuffles take any slot: what they hold out for is tested in `locality/tests.rs`.
fn defaults() -> SparkDefaults {
    let mut spark = SparkDefaults::default_of(SparkVersion { major: 3, minor: 5 });
    spark.locality_wait.reduce = false;
    spark
}

/// An application with that many executors of one slot, on a host each, started at 0.
fn started(stages: Vec<Stage>, spark: &SparkDefaults, executors: u32) -> Progress<u32> {
    with_overheads(stages, spark, executors, Overheads::default())
}

fn with_overheads(
    stages: Vec<Stage>,
    spark: &SparkDefaults,
    executors: u32,
    overheads: Overheads,
) -> Progress<u32> {
    let work = Work { stages: stages.into(), tail: SimDuration::ZERO };
    let mut progress = Progress::new(work, Rules::new(spark, overheads), None);
    (0..executors).for_each(|key| progress.add_executor(SimTime::ZERO, key, key, 1));
    progress.start(SimTime::ZERO);
    progress
}

/// Advances to the end; gives when that is.
#[track_caller]
fn end_of(progress: &mut Progress<u32>) -> SimTime {
    for _ in 0..10_000 {
        if let Some(end) = progress.stages_finished_at() {
            return end;
        }
        let next = progress.next_moment(progress.advanced_to, false, true).expect("it goes on");
        assert_eq!(progress.advance(next), Met::Nothing);
    }
    panic!("no end");
}

#[test]
fn first_tasks_of_a_stage_on_an_executor_take_longer() {
    let mut first = stage(&[], &[100, 100, 100]);
    first.first_task_overhead = SimDuration::from_millis(40);
    let mut progress = started(vec![first], &defaults(), 1);
    assert_eq!(end_of(&mut progress), ms(340));
}

#[test]
fn fresh_executors_load_and_compile() {
    let overheads = Overheads {
        fresh_first: SimDuration::from_millis(500),
        fresh_code: SimDuration::from_millis(300),
        fresh_reader: SimDuration::from_millis(300),
        fresh_task: SimDuration::from_millis(50),
        warm_after: SimDuration::from_millis(700),
        ..Overheads::default()
    };
    // 600 for the first, 150 while it warms up, 100 after; then a new way through the code.
    let stages = vec![stage(&[], &[100, 100, 100]), stage(&[0], &[100])];
    let mut progress = with_overheads(stages, &defaults(), 1, overheads);
    assert_eq!(end_of(&mut progress), ms(600 + 150 + 100 + 400));
}

#[test]
fn lost_map_outputs_are_computed_again_after_a_fetch_failure() {
    // Two executors; each does one map task (0..100). The reader has two tasks of 1000 and two
    // slots; executor 1 is lost at 700, with a map output and a running task.
    let stages = vec![stage(&[], &[100, 100]), stage(&[0], &[1000, 1000])];
    let mut progress = started(stages, &defaults(), 2);
    assert_eq!(progress.advance(ms(700)), Met::Nothing);
    progress.remove_executor(ms(700), 1, Fate::LOST);
    progress.add_executor(ms(800), 2, 2, 1);
    // At 800 the task that runs again finds the output missing; 200 ms later the map task runs
    // again on executor 2 (1000..1100), then the reader's tasks that are not done: the one that has
    // run on executor 0 since 100 ends at 1100, and the new attempt's copy of it is dropped.
    let end = end_of(&mut progress);
    assert_eq!(end, ms(2100), "the lost task waits for the slot that is free at 1100");
    assert_eq!(progress.tasks_succeeded, 2 + 1 + 2);
}

#[test]
fn outputs_that_were_moved_or_are_kept_elsewhere_are_not_lost() {
    let stages = || vec![stage(&[], &[100, 100]), stage(&[0], &[1000, 1000])];
    let moved = Fate { blames: None, outputs_moved: 1.0 };
    let mut external = defaults();
    external.storage.shuffle = crate::scenario::ShuffleService::External;
    for (spark, fate) in [(defaults(), moved), (external, Fate::LOST)] {
        let mut progress = started(stages(), &spark, 2);
        progress.advance(ms(300));
        progress.remove_executor(ms(300), 1, fate);
        progress.add_executor(ms(400), 2, 2, 1);
        assert_eq!(end_of(&mut progress), ms(1400), "only the running task runs again");
    }
}

#[test]
fn a_stage_that_fails_to_fetch_too_often_ends_the_application() {
    let mut spark = defaults();
    spark.limits.stage_max_consecutive_attempts = 1;
    let stages = vec![stage(&[], &[100, 100]), stage(&[0], &[1000, 1000])];
    let mut progress = started(stages, &spark, 2);
    progress.advance(ms(300));
    progress.remove_executor(ms(300), 1, Fate::LOST);
    progress.add_executor(ms(400), 2, 2, 1);
    assert_eq!(progress.advance(ms(400)), Met::Aborted(Failure::Transient));
}

#[test]
fn only_failures_that_count_end_the_application() {
    let lose = |fate: Fate| {
        let mut progress = started(vec![stage(&[], &[1000])], &defaults(), 1);
        for (key, at) in [(0, 100), (1, 200), (2, 300), (3, 400)] {
            progress.advance(ms(at));
            progress.remove_executor(ms(at), key, fate);
            progress.add_executor(ms(at), key + 1, key + 1, 1);
        }
        progress.advance(ms(400))
    };
    assert_eq!(lose(Fate::LOST), Met::Nothing, "spot does not count");
    let blamed = Fate::blamed(Failure::ExecutorOom);
    assert_eq!(lose(blamed), Met::Aborted(Failure::ExecutorOom), "an OOM kill does");
}

#[test]
fn a_task_that_throws_four_times_ends_the_application() {
    let throw = |times: u32| {
        let mut progress = started(vec![stage(&[], &[1000])], &defaults(), 1);
        for attempt in 0..times {
            progress.add_fault(0, 0, attempt, Fault::Throws(SimDuration::from_millis(10)));
        }
        progress.advance(ms(2000))
    };
    assert_eq!((throw(3), throw(4)), (Met::Nothing, Met::Aborted(Failure::Application)));
}

#[test]
fn slow_tasks_are_copied_once_enough_others_are_done() {
    let mut spark = defaults();
    spark.speculation.enabled = true;
    spark.speculation.efficiency = false;
    // Three of four tasks take 100; the first attempt of the last is slow by itself.
    let work = Work { stages: vec![stage(&[], &[100; 4])].into(), tail: SimDuration::ZERO };
    let mut progress = Progress::new(work, Rules::new(&spark, Overheads::default()), None);
    progress.add_fault(0, 3, 0, Fault::Slow(SimDuration::seconds(60)));
    (0..4).for_each(|key| progress.add_executor(SimTime::ZERO, key, key, 1));
    progress.start(SimTime::ZERO);
    // 1.5 x the median of 100, looked at every 100 ms: the copy starts at 200.
    assert_eq!(end_of(&mut progress), ms(300));
    assert_eq!((progress.tasks_succeeded, progress.tasks_not_succeeded), (4, 1));
}

#[test]
fn an_executor_that_failed_a_task_does_not_get_it_again() {
    let mut spark = defaults();
    spark.exclude_on_failure.enabled = true;
    let stages = vec![stage(&[], &[100, 500])];
    let work = Work { stages: stages.into(), tail: SimDuration::ZERO };
    let mut progress = Progress::new(work, Rules::new(&spark, Overheads::default()), None);
    progress.add_fault(0, 0, 0, Fault::Throws(SimDuration::from_millis(50)));
    (0..2).for_each(|key| progress.add_executor(SimTime::ZERO, key, key, 1));
    progress.start(SimTime::ZERO);
    // It failed on executor 0 at 50, and waits for executor 1, which is free at 500.
    assert_eq!(end_of(&mut progress), ms(600));
}

#[test]
fn fair_pools_share_the_slots_and_fifo_does_not() {
    let stages = || {
        let mut small = stage(&[], &[100, 100]);
        (small.job, small.pool) = (1, 1);
        vec![stage(&[], &[100; 8]), small]
    };
    let small_ends = |mode| {
        let mut spark = defaults();
        spark.scheduler_mode = mode;
        let mut progress = started(stages(), &spark, 2);
        end_of(&mut progress);
        progress.stage_done_at(1)
    };
    assert_eq!(small_ends(SchedulerMode::Fifo), Some(ms(500)));
    assert_eq!(small_ends(SchedulerMode::Fair), Some(ms(300)));
}

#[test]
fn tasks_that_fetch_from_a_lost_executor_hold_their_slots_until_they_have_tried_again() {
    // Two maps, one on each executor; two reducers from 500 on. Executor 1 goes at 600, while
    // reducer 0 fetches: it holds executor 0 until 5600, and the lost map has to wait for it.
    let stages = || vec![stage(&[], &[500, 500]), stage(&[0], &[3000, 3000])];
    let end_with_loss_at = |at: u64| {
        let mut progress = started(stages(), &defaults(), 2);
        assert_eq!(progress.advance(ms(at)), Met::Nothing);
        progress.remove_executor(ms(at), 1, Fate::LOST);
        end_of(&mut progress).as_millis()
    };
    // At 5600 its stage is given up, again after 200 ms: map 1 (500), then both reducers.
    assert_eq!(end_with_loss_at(600), 5600 + 200 + 500 + 3000 + 3000);
    // Later it has what it needs, and ends at 3500; then reducer 1 cannot fetch.
    assert_eq!(end_with_loss_at(1200), 3500 + 200 + 500 + 3000);
}

/// The look ahead gives the moment itself where nothing happens from outside: while the first stage
/// drains, its wake-ups are few, and none comes after the moment at which no task waits.
#[test]
fn few_wake_ups_see_a_stage_drain_in_time() {
    let tasks: Vec<u32> = (0..200).map(|task| 300 + task * 7919 % 2500).collect();
    let drained = |every_task| {
        let mut progress = started(vec![stage(&[], &tasks)], &defaults(), 8);
        let mut wakes = 0;
        while progress.backlog_since().is_some() || !progress.is_started() || wakes == 0 {
            let now = progress.advanced_to;
            let next = progress.next_moment(now, true, every_task).expect("it goes on");
            assert_eq!(progress.advance(next), Met::Nothing);
            wakes += 1;
        }
        (progress.advanced_to, wakes)
    };
    let ((at, few), (reference, many)) = (drained(false), drained(true));
    assert_eq!(at, reference);
    assert!(few * 10 < many, "{few} of {many}");
}
