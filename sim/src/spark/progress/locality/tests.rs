//! Table tests of delay scheduling: moments worked out by hand.

use crate::scenario::{SparkDefaults, SparkVersion};
use crate::spark::{Fate, Met, Overheads, Progress, Rules, Work};
use crate::units::{Bytes, SimDuration, SimTime};
use crate::workload::{Locality, Stage, TaskDurations};

fn ms(ms: u64) -> SimTime {
    SimTime::from_millis(ms)
}

fn stage(parents: &[u32], tasks: &[u32]) -> Stage {
    Stage {
        parents: parents.to_vec(),
        tasks: TaskDurations::from_millis(tasks.to_vec()),
        ..Stage::default()
    }
}

/// A stage that leaves cached blocks, and one that reads them.
fn cached(tasks: &[u32], again: &[u32]) -> Vec<Stage> {
    let first = Stage { caches: true, ..stage(&[], tasks) };
    vec![first, Stage { cached_by: Some(0), ..stage(&[0], again) }]
}

fn shuffled(tasks: &[u32], again: &[u32]) -> Vec<Stage> {
    let read = Bytes::new(1);
    let reader = Stage { shuffle_parents: vec![0], shuffle_read_bytes: read, ..stage(&[0], again) };
    vec![stage(&[], tasks), reader]
}

fn spark(minor: u32) -> SparkDefaults {
    SparkDefaults::default_of(SparkVersion { major: 3, minor })
}

/// Executors of one slot on these hosts, and others that come at 1000 ms.
fn end_of(stages: Vec<Stage>, spark: &SparkDefaults, hosts: &[u32], late: &[u32]) -> u64 {
    let work = Work { stages: stages.into(), tail: SimDuration::ZERO };
    let mut progress = Progress::new(work, Rules::new(spark, Overheads::default()), None);
    for (key, host) in hosts.iter().enumerate() {
        progress.add_executor(SimTime::ZERO, key as u32, *host, 1);
    }
    progress.start(SimTime::ZERO);
    assert_eq!(progress.advance(ms(1000)), Met::Nothing);
    for (key, host) in late.iter().enumerate() {
        progress.add_executor(ms(1000), 100 + key as u32, *host, 1);
    }
    finish(&mut progress)
}

#[track_caller]
fn finish(progress: &mut Progress<u32>) -> u64 {
    for _ in 0..10_000 {
        if let Some(end) = progress.stages_finished_at() {
            return end.as_millis();
        }
        let next = progress.next_moment(progress.advanced_to, false, true).expect("it goes on");
        assert_eq!(progress.advance(next), Met::Nothing);
    }
    panic!("no end");
}

const WAIT: u64 = 3000;

#[test]
fn tasks_wait_for_the_executor_that_holds_their_cached_block() {
    // Executor 0 computes all four blocks by 1000; its reads go there, one after the other, although
    // another executor on another host is free: they do not last as long as the wait.
    let stages = || cached(&[250; 4], &[600; 4]);
    assert_eq!(end_of(stages(), &spark(3), &[0], &[1]), 1000 + 4 * 600);
    let mut eager = spark(3);
    (eager.locality_wait.process, eager.locality_wait.node) =
        (SimDuration::ZERO, SimDuration::ZERO);
    assert_eq!(end_of(stages(), &eager, &[0], &[1]), 1000 + 2 * 600);
}

#[test]
fn after_the_wait_another_host_will_do() {
    let stages = || cached(&[200; 5], &[2000; 5]);
    let start = 1000;
    // On the same host, after 3 s: executor 0 has tasks at 0, 2, 4 and 6 s, the late one at 3 s; as
    // nothing was refused then, the wait starts anew, and the fifth goes to executor 0.
    assert_eq!(end_of(stages(), &spark(3), &[0], &[0]), start + 8000);
    // On another host, after 6 s: the late one has the fifth.
    assert_eq!(end_of(stages(), &spark(3), &[0], &[1]), start + 8000);
    assert_eq!(end_of(stages(), &spark(3), &[0], &[]), start + 10_000);
}

#[test]
fn before_3_1_every_launch_starts_the_wait_anew() {
    let stages = || cached(&[200; 5], &[2000; 5]);
    assert_eq!(end_of(stages(), &spark(0), &[0], &[0]), 1000 + 10_000);
    let mut legacy = spark(5);
    legacy.locality_wait.legacy_reset = true;
    assert_eq!(end_of(stages(), &legacy, &[0], &[0]), 1000 + 10_000);
}

#[test]
fn reducers_prefer_hosts_with_a_fifth_of_their_input() {
    // All maps ran on executor 0; the late one on another host waits for 3 s.
    let stages = || shuffled(&[200; 5], &[2000; 4]);
    let alone = end_of(stages(), &spark(3), &[0], &[]);
    assert_eq!(alone, 1000 + 8000);
    assert_eq!(end_of(stages(), &spark(3), &[0], &[1]), 1000 + WAIT + 2000 + 1000);
    let mut anywhere = spark(3);
    anywhere.locality_wait.reduce = false;
    assert_eq!(end_of(stages(), &anywhere, &[0], &[1]), 1000 + 4000);
    // The same host is as good.
    assert_eq!(end_of(stages(), &spark(3), &[0], &[0]), 1000 + 4000);
}

#[test]
fn a_cogroup_prefers_nothing() {
    let mut stages = shuffled(&[200; 5], &[2000; 4]);
    stages[1].locality = Locality { process_local: 4, ..Locality::default() };
    assert_eq!(end_of(stages, &spark(3), &[0], &[1]), 1000 + 4000);
}

#[test]
fn a_lost_block_is_computed_again() {
    let work = Work { stages: cached(&[500; 2], &[100; 2]).into(), tail: SimDuration::ZERO };
    let mut progress = Progress::new(work, Rules::new(&spark(3), Overheads::default()), None);
    progress.add_executor(SimTime::ZERO, 0, 0, 1);
    progress.add_executor(SimTime::ZERO, 1, 1, 1);
    progress.start(SimTime::ZERO);
    assert_eq!(progress.advance(ms(500)), Met::Nothing);
    // Both read tasks run; executor 1 goes with its block, and its task starts again at 600 on 0.
    progress.remove_executor(ms(550), 1, Fate::LOST);
    assert_eq!(finish(&mut progress), 600 + 500 + 100);
}
