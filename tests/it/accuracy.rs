//! Replaying our own recordings: does a simulated application take as long as the real one took?

use std::path::PathBuf;

use crate::fixtures::*;
use sim::scenario::CapacityType;
use sim::units::{Bytes, SimDuration, SimTime};

/// Recorded and replayed time from the driver's start of work to the end of the application, in
/// seconds, of the recording `name` in `traces/samples/recorded`.
fn replay(name: &str) -> (f64, f64) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/traces/samples/recorded");
    let path = PathBuf::from(folder).join(format!("{name}.json.zstd"));
    let logs = traces::event_log::read_event_logs(&[path], &|_| {});
    let mut lowered = logs.applications[0].to_run();
    let recorded = lowered.run.duration.unwrap().as_secs_f64();
    lowered.run.submitted_at = SimTime::ZERO;

    // Every executor is there from the start, as in the recording.
    let mut scenario = platform();
    scenario.autoscaler = None;
    scenario.pools = vec![pool("nodes", CapacityType::OnDemand, (4, 4, 4))];
    scenario.spark.driver_template = Default::default();
    scenario.spark.executor_template = Default::default();
    scenario.spark.executor_memory = Bytes::mib(512);
    scenario.spark.min_registered_resources_ratio = 1.0;
    scenario.spark.max_registered_resources_waiting_time = SimDuration::hours(1);
    scenario.images.size = Bytes::ZERO;
    // The recording's executors were warm: a job that is not in its log ran before.
    scenario.assumptions.executor_warm_up = SimDuration::ZERO;
    scenario.assumptions.executor_warm_up_tasks = SimDuration::ZERO;
    // And on one host, where no slot is nearer to a shuffle's output than another.
    scenario.spark.locality_wait.reduce = false;
    let (outcome, records) = simulate(&scenario, &runs(vec![lowered.run]), 0);
    assert_eq!(outcome.succeeded, 1, "{name}");
    let attempt = &records.attempts[0];
    assert_eq!(attempt.executors_peak, 4, "{name}");
    let replayed = attempt.ended_at.since(attempt.tasks_started_at.unwrap()).as_secs_f64();
    (recorded, replayed)
}

/// Plain list scheduling without launch overheads; what is left of the error is the wait for slots
/// that the recording's own scheduler took.
#[test]
fn recorded_applications_take_as_long_as_they_took() {
    let mut errors = Vec::new();
    for name in ["etl_skew", "iterative", "join_dag", "longtail_gap", "skewed_join"] {
        let (recorded, replayed) = replay(&format!("{name}-e4x1"));
        let error = (replayed - recorded) / recorded;
        println!(
            "{name}: recorded {recorded:.1} s, replayed {replayed:.1} s, {:+.1} %",
            error * 100.0
        );
        assert!(error.abs() < 0.03, "{name}: recorded {recorded} s, replayed {replayed} s");
        errors.push(error.abs());
    }
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    assert!(mean < 0.015, "mean error {mean}");
}
