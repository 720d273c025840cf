//! What is written reads back as it was, from CSV and from Parquet.

use proptest::prelude::*;
use sim::units::{Bytes, MilliCores, SimDuration, SimTime};
use sim::workload::{
    Failure, Locality, NodeLifecycle, RecordedWait, Run, RunOutcome, Stage, TaskDurations, TracePod,
};

use super::*;
use crate::LoweredRun;

/// Text with everything that a CSV writer can get wrong.
fn text() -> impl Strategy<Value = String> {
    "[ -~äß=+@\t\n\r\"',;-]{1,12}"
}

fn bytes() -> impl Strategy<Value = Option<Bytes>> {
    prop::option::of((0..1u64 << 50).prop_map(Bytes::new))
}

fn seconds() -> impl Strategy<Value = Option<SimDuration>> {
    prop::option::of((0..3_155_760_000_000u64).prop_map(SimDuration::from_millis))
}

fn sizes() -> impl Strategy<Value = Run> {
    let memory = (bytes(), bytes(), bytes(), bytes(), bytes());
    let times = (seconds(), seconds(), seconds(), seconds());
    let counts = (
        prop::option::of(1..=1024u32),
        prop::option::of(0..50u32),
        prop::option::of(50..=100_000u32),
        prop::option::of(0..=1_000_000_000u32),
        prop::option::of((1..=10_000_000u64).prop_map(MilliCores::new)),
    );
    let io = prop::option::of(any::<u64>().prop_map(Bytes::new));
    (memory, times, counts, io.clone(), io).prop_map(|(memory, times, counts, input, shuffle)| {
        Run {
            driver_memory: memory.0,
            executor_memory: memory.1,
            executor_memory_overhead: memory.2,
            peak_executor_memory: memory.3,
            peak_driver_memory: memory.4,
            duration: times.0,
            // One of the two has to be there.
            executor_task_time: times.1.or(Some(SimDuration::ZERO)),
            driver_only: times.2,
            timeout: times.3,
            executor_cores: counts.0,
            executors_min: counts.1,
            executors_max: counts.2,
            tasks: counts.3,
            driver_cores: counts.4,
            input_bytes: input,
            shuffle_bytes: shuffle,
            ..Run::default()
        }
    })
}

fn row() -> impl Strategy<Value = RunRow> {
    let ending = prop_oneof![
        Just((RunOutcome::Succeeded, None, None)),
        Just((RunOutcome::Unfinished, None, None)),
        (prop::sample::select(Failure::ALL.to_vec()), any::<Option<i32>>())
            .prop_map(|(failure, code)| (RunOutcome::Failed, Some(failure), code)),
    ];
    let lifecycle =
        prop::sample::select(vec![None, Some(NodeLifecycle::Spot), Some(NodeLifecycle::OnDemand)]);
    let names = (text(), text(), prop::option::of(text()), prop::option::of(text()));
    (
        sizes(),
        ending,
        lifecycle,
        names,
        (any::<bool>(), any::<Option<bool>>()),
        (0..253_402_214_400_000i64, prop::option::of(1..=10_000u32)),
    )
        .prop_map(|(run, ending, node_lifecycle, names, flags, numbers)| RunRow {
            lowered: LoweredRun {
                run: Run {
                    outcome: ending.0,
                    failure: ending.1,
                    node_lifecycle,
                    critical: flags.0,
                    dynamic_allocation: flags.1,
                    ..run
                },
                application: names.0,
                team: names.1,
                submitted_at_ms: numbers.0,
                failure_message: None,
                depends_on: None,
                trigger: names.2,
            },
            exit_code: ending.2,
            attempt: numbers.1,
            retry_of: names.3.clone(),
            depends_on: names.3,
            line: 0,
        })
}

fn stages() -> impl Strategy<Value = Vec<Stage>> {
    let stage = (
        prop::collection::vec(0..u32::MAX, 0..6),
        prop::collection::vec(any::<u64>(), 4),
        0..1_000_000u64,
        any::<bool>(),
    );
    prop::collection::vec(stage, 1..5).prop_map(|stages| {
        let made = stages.into_iter().enumerate().map(|(place, stage)| {
            let (listed, amounts, gap, huge) = stage;
            let tasks = if huge {
                TaskDurations::from_millis((0..3000).map(|i| i * 7 % 1009).collect())
            } else {
                TaskDurations::from_millis(listed)
            };
            Stage {
                stage_id: place as u32 * 3,
                parents: (0..place as u32).step_by(2).collect(),
                driver_gap: SimDuration::from_millis(gap),
                tasks,
                input_bytes: Bytes::new(amounts[0]),
                shuffle_read_bytes: Bytes::new(amounts[1]),
                shuffle_write_bytes: Bytes::new(amounts[2]),
                peak_task_memory: Bytes::new(amounts[3]),
                shuffle_parents: (0..place as u32).step_by(4).collect(),
                job: place as u32,
                pool: amounts[0] as u32 % 3,
                resource_profile: amounts[1] as u32 % 2,
                first_task_overhead: SimDuration::from_millis(gap / 3),
                task_overhead: SimDuration::from_millis(gap / 5),
                fresh_tasks: amounts[2] as u32 % 100,
                cpu_time: SimDuration::from_millis(gap / 7),
                gc_time: SimDuration::from_millis(gap / 11),
                fetch_wait: SimDuration::from_millis(gap / 13),
                output_bytes: Bytes::new(amounts[0] / 2),
                spilled_bytes: Bytes::new(amounts[1] / 2),
                cached_bytes: Bytes::new(amounts[2] / 2),
                caches: !huge,
                cached_by: (place > 1).then_some(place as u32 / 2),
                locality: Locality { process_local: 1, node_local: 2, rack_local: 0, any: 7 },
                barrier: huge,
            }
        });
        made.collect()
    })
}

fn pod() -> impl Strategy<Value = TracePod> {
    let wait = prop_oneof![
        Just(RecordedWait::Unknown),
        Just(RecordedWait::Never),
        (0..1_000_000u64).prop_map(|ms| RecordedWait::Took(SimDuration::from_millis(ms))),
    ];
    let pairs = || prop::collection::btree_map("[a-z=;%]{1,5}", "[a-z=;%]{0,5}", 0..3);
    (
        (0..3_155_760_000_000u64, 0..3_155_760_000_000u64, 0..10_000_000u64, 0..1u64 << 50),
        (0..1024u32, any::<i32>()),
        (pairs(), pairs(), wait),
    )
        .prop_map(|(amounts, numbers, rest)| TracePod {
            name: Box::default(),
            created_at: SimTime::from_millis(amounts.0),
            duration: SimDuration::from_millis(amounts.1),
            cpu: MilliCores::new(amounts.2),
            memory: Bytes::new(amounts.3),
            gpus: numbers.0,
            priority: numbers.1,
            node_selector: rest.0,
            labels: rest.1,
            recorded_wait: rest.2,
        })
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn runs_and_stages_read_back(mut rows in prop::collection::vec((row(), stages()), 0..6)) {
        let folder = tempfile::tempdir().expect("a folder");
        for (place, (row, stages)) in rows.iter_mut().enumerate() {
            row.lowered.run.run_id = format!("{}~{place}", row.lowered.application).into();
            row.lowered.run.stages = Some(std::sync::Arc::from(std::mem::take(stages)));
        }
        let rows: Vec<RunRow> = rows.into_iter().map(|(row, _)| row).collect();
        for ending in ["csv", "parquet"] {
            let (runs, stages) = (
                folder.path().join(format!("runs.{ending}")),
                folder.path().join(format!("stages.{ending}")),
            );
            write_runs(&runs, &rows).expect("written");
            write_stages(&stages, &rows).expect("written");
            let mut table = read_runs(&runs).expect("read");
            prop_assert_eq!(&table.findings, &[]);
            let stages = read_stages(&stages).expect("read");
            let findings = attach_stages(&mut table.rows, stages, "stages");
            prop_assert_eq!(&findings, &[]);
            for row in &mut table.rows {
                row.line = 0;
            }
            // `Run` has no equality of its own; its debug text shows every field.
            prop_assert_eq!(format!("{:#?}", table.rows), format!("{rows:#?}"));
        }
    }

    #[test]
    fn pods_read_back(mut pods in prop::collection::vec(pod(), 0..6)) {
        let folder = tempfile::tempdir().expect("a folder");
        for (place, pod) in pods.iter_mut().enumerate() {
            pod.name = format!("=pod,\"{place}").into();
        }
        for ending in ["csv", "parquet"] {
            let path = folder.path().join(format!("pods.{ending}"));
            write_pods(&path, &pods).expect("written");
            let (read, counts, findings) = read_pods(&path).expect("read");
            prop_assert_eq!(&findings, &[]);
            prop_assert_eq!(counts.kept, pods.len() as u64);
            prop_assert_eq!(format!("{read:#?}"), format!("{pods:#?}"));
        }
    }
}
