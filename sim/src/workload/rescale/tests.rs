use proptest::prelude::*;

use super::*;
use crate::workload::TaskDurations;

fn stage(durations: &[u32], overhead: u64, shuffle: bool) -> Stage {
    Stage {
        tasks: TaskDurations::from_millis(durations.to_vec()),
        task_overhead: SimDuration::from_millis(overhead),
        shuffle_parents: if shuffle { vec![0] } else { Vec::new() },
        peak_task_memory: Bytes::mib(100),
        shuffle_read_bytes: if shuffle { Bytes::mib(400) } else { Bytes::ZERO },
        input_bytes: Bytes::mib(10),
        ..Stage::default()
    }
}

fn millis(stage: &Stage) -> Vec<u64> {
    (0..stage.tasks.count()).map(|task| stage.tasks.get(task).as_millis()).collect()
}

fn partitions(from: Option<u32>, to: u32) -> Rescale {
    Rescale { shuffle_partitions: Some(ShufflePartitions { from, to }), ..Rescale::default() }
}

#[test]
fn partitions_share_the_work_and_pay_their_own_overhead() {
    // 4 tasks of 10 ms overhead and 100, 200, 100, 200 ms of work.
    let recorded = stage(&[110, 210, 110, 210], 10, true);
    let twice = &partitions(Some(4), 8).stages(std::slice::from_ref(&recorded))[0];
    assert_eq!(millis(twice), [60, 60, 110, 110, 60, 60, 110, 110]);
    assert_eq!(twice.peak_task_memory, Bytes::mib(50));
    let half = &partitions(None, 2).stages(std::slice::from_ref(&recorded))[0];
    assert_eq!(millis(half), [310, 310]);
    assert_eq!(half.peak_task_memory, Bytes::mib(200));
}

#[test]
fn only_stages_that_follow_the_setting_change() {
    let stages = [
        stage(&[50, 50], 0, false),
        stage(&[50, 50, 50], 0, true),
        stage(&[50, 60, 50], 0, true),
        stage(&[50], 0, true),
        stage(&[50, 50], 0, true),
    ];
    let counts: Vec<u32> =
        partitions(None, 6).stages(&stages).iter().map(|stage| stage.tasks.count()).collect();
    assert_eq!(counts, [2, 6, 6, 1, 2]);
}

#[test]
fn a_heavy_key_is_not_split() {
    let recorded = stage(&[100, 100, 5000, 100], 0, true);
    let more = &partitions(Some(4), 7).stages(std::slice::from_ref(&recorded))[0];
    assert_eq!(millis(more), [50, 50, 50, 5000, 50, 50, 50]);
    assert_eq!(more.peak_task_memory, Bytes::mib(100));
}

#[test]
fn input_makes_more_map_tasks_and_longer_reduce_tasks() {
    let stages = [stage(&[100, 300], 20, false), stage(&[120, 220], 20, true)];
    let rescale = Rescale { input: 1.5, ..Rescale::default() };
    let grown = rescale.stages(&stages);
    assert_eq!(millis(&grown[0]), [100, 100, 300]);
    assert_eq!(millis(&grown[1]), [170, 320]);
    assert_eq!(grown[0].peak_task_memory, Bytes::mib(100));
    assert_eq!(grown[1].peak_task_memory, Bytes::mib(150));
    assert_eq!(grown[1].shuffle_read_bytes, Bytes::mib(600));
    // One split that is not full yet gets fuller.
    let one = rescale.stages(&[stage(&[120], 20, false)]);
    assert_eq!(millis(&one[0]), [170]);
}

#[test]
fn only_the_cpu_part_gets_faster() {
    // 2 x 100 ms of work, of which 120 ms are CPU time: 60 % halved leaves 70 %.
    let mut recorded = stage(&[110, 110], 10, false);
    recorded.cpu_time = SimDuration::from_millis(120);
    let fast = Rescale { cpu_speed: 2.0, ..Rescale::default() };
    let faster = &fast.stages(std::slice::from_ref(&recorded))[0];
    assert_eq!(millis(faster), [80, 80]);
    assert_eq!(faster.cpu_time, SimDuration::from_millis(60));
}

#[test]
fn a_run_with_totals_only_grows_as_a_whole() {
    let run = Run {
        tasks: Some(10),
        executor_task_time: Some(SimDuration::seconds(100)),
        duration: Some(SimDuration::seconds(30)),
        driver_only: Some(SimDuration::seconds(10)),
        peak_executor_memory: Some(Bytes::mib(1684)),
        ..Run::default()
    };
    let grown = Rescale { input: 2.0, ..Rescale::default() }.run(&run);
    assert_eq!(grown.tasks, Some(20));
    assert_eq!(grown.executor_task_time, Some(SimDuration::seconds(200)));
    assert_eq!(grown.duration, Some(SimDuration::seconds(50)));
    assert_eq!(grown.peak_executor_memory, Some(Bytes::mib(684 + 2000)));
}

fn stages() -> impl Strategy<Value = Vec<Stage>> {
    let durations = prop::collection::vec(50_u32..100_000, 1..60);
    let one = (durations, 0_u64..50, any::<bool>(), 0_u64..100_000);
    prop::collection::vec(one, 1..5).prop_map(|stages| {
        let made = stages.into_iter().map(|(durations, overhead, shuffle, cpu)| Stage {
            cpu_time: SimDuration::from_millis(cpu),
            ..stage(&durations, overhead, shuffle)
        });
        made.collect()
    })
}

fn work(stage: &Stage) -> u64 {
    stage.tasks.total().as_millis()
        - stage.task_overhead.as_millis() * u64::from(stage.tasks.count())
}

proptest! {
    #[test]
    fn identity_changes_nothing(stages in stages()) {
        prop_assert_eq!(Rescale::default().stages(&stages), stages.clone());
        let count = stages[0].tasks.count();
        prop_assert_eq!(partitions(Some(count), count).stages(&stages), stages);
    }

    #[test]
    fn partitions_keep_the_work(stages in stages(), to in 1_u32..200) {
        let from = stages[0].tasks.count();
        for (before, after) in stages.iter().zip(partitions(Some(from), to).stages(&stages)) {
            prop_assert_eq!(work(before), work(&after));
        }
    }

    #[test]
    fn more_input_is_never_less_work(stages in stages(), input in 1.0..20.0_f64) {
        let rescale = Rescale { input, ..Rescale::default() };
        for (before, after) in stages.iter().zip(rescale.stages(&stages)) {
            prop_assert!(after.tasks.total() >= before.tasks.total());
            prop_assert!(after.tasks.longest() >= before.tasks.longest());
            prop_assert!(after.peak_task_memory >= before.peak_task_memory);
        }
    }

    #[test]
    fn slower_is_never_faster(stages in stages(), slow in 0.1..1.0_f64, fast in 1.0..10.0_f64) {
        let at = |cpu_speed| Rescale { cpu_speed, ..Rescale::default() }.stages(&stages);
        for ((slow, same), fast) in at(slow).iter().zip(&stages).zip(&at(fast)) {
            prop_assert!(slow.tasks.longest() >= same.tasks.longest());
            prop_assert!(same.tasks.longest() >= fast.tasks.longest());
        }
    }
}
