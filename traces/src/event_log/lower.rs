//! A recorded application as a run of a workload.
//!
//! The run is what the application has to do, not what befell it on the recorded cluster: each
//! partition's work counts once, waiting for executors inside stages does not count at all.

use std::sync::Arc;

use sim::units::{Bytes, SimDuration};
use sim::workload::{Run, Stage};

use super::recorded::{RecordedApplication, RecordedStage};
use super::recording::recording_of;
use crate::LoweredRun;

/// Puts `stages` and the application's columns into a run.
pub(super) fn lower(application: &RecordedApplication, stages: Vec<Stage>) -> LoweredRun {
    let sum = |value: fn(&RecordedStage) -> u64| {
        let values = application.stages.iter().map(value);
        values.fold(0u64, u64::saturating_add)
    };
    let tasks = sum(|stage| u64::from(stage.tasks.count()));
    let duration = application.ended_or_last_ms() - application.started_ms;
    let configuration = &application.configuration;
    let run = Run {
        run_id: application.run_id.as_str().into(),
        driver_cores: configuration.driver_cores,
        driver_memory: configuration.driver_memory,
        executor_cores: configuration.executor_cores,
        executor_memory: configuration.executor_memory,
        executor_memory_overhead: configuration.executor_memory_overhead,
        executors_min: configuration.executors_min,
        executors_max: configuration.executors_max,
        dynamic_allocation: configuration.dynamic_allocation,
        duration: Some(SimDuration::from_millis(u64::try_from(duration).unwrap_or(0))),
        executor_task_time: Some(SimDuration::from_millis(sum(|stage| stage.task_ms))),
        driver_only: Some(SimDuration::from_millis(application.driver_only_ms())),
        tasks: Some(u32::try_from(tasks).unwrap_or(u32::MAX)),
        peak_executor_memory: application.peak_executor_bytes.map(Bytes::new),
        peak_driver_memory: application.peak_driver_bytes.map(Bytes::new),
        input_bytes: Some(Bytes::new(sum(|stage| stage.input_bytes))),
        shuffle_bytes: Some(Bytes::new(sum(|stage| stage.shuffle_write_bytes))),
        outcome: application.outcome,
        failure: application.failure,
        recording: Some(Arc::new(recording_of(application, &stages))),
        stages: (!stages.is_empty()).then(|| Arc::from(stages)),
        ..Run::default()
    };
    LoweredRun {
        run,
        application: application.name.clone(),
        team: application.user.clone().unwrap_or_default(),
        submitted_at_ms: application.started_ms,
        trigger: None,
        failure_message: application.failure_message.clone(),
        depends_on: None,
    }
}
