//! A whole scenario, simulated, beside what its trace recorded of each run.
//!
//! Durations are compared of runs that succeeded on both sides: the last attempt's time from its
//! driver's start to its end, against the recorded duration. Of the others, how they ended is.
//! Executor-seconds, peaks and ends of stages are those of the last attempt; stages count from when
//! its first task could be launched, recorded ones from the first job.

use sim::outcome::{AttemptRecord, RunRecord};
use sim::units::SimTime;
use sim::workload::{Recording, Run, RunOutcome};
use sim::{Finding, RunOptions, Scenario, Seed, Sink, Workload};

use super::{Case, Kind, LeftOut, Scorecard, relative};

#[derive(Default)]
struct Records {
    attempts: Vec<AttemptRecord>,
    runs: Vec<RunRecord>,
}

impl Sink for Records {
    fn attempt(&mut self, record: AttemptRecord, _of: &Run) {
        self.attempts.push(record);
    }
    fn run(&mut self, record: RunRecord, _of: &Run) {
        self.runs.push(record);
    }
}

/// Simulates `workload` on `scenario` and compares its runs; what the model has to say beside.
pub fn backtest(scenario: &Scenario, workload: &Workload, seed: u64) -> (Scorecard, Vec<Finding>) {
    let mut records = Records::default();
    let seed = Seed::new(seed);
    let outcome = sim::run(scenario, workload, seed, RunOptions::default(), &mut records);
    let mut last: Vec<Option<&AttemptRecord>> = vec![None; workload.runs.len()];
    for attempt in &records.attempts {
        last[attempt.run as usize] = Some(attempt);
    }
    records.runs.sort_by_key(|run| run.run);
    let mut card = Scorecard::default();
    // Every run has one record.
    for (record, run) in records.runs.iter().zip(workload.runs.iter()) {
        match last[record.run as usize].map(|attempt| compare(workload, &run, record, attempt)) {
            Some(Ok(case)) => card.cases.push(case),
            other => card.left_out.push(LeftOut {
                subject: run.run_id.to_string(),
                reason: match other {
                    Some(Err(reason)) => reason.to_owned(),
                    _ => "it was not submitted in the simulation".to_owned(),
                },
            }),
        }
    }
    (card, outcome.findings)
}

fn compare(
    workload: &Workload,
    run: &Run,
    record: &RunRecord,
    attempt: &AttemptRecord,
) -> Result<Case, &'static str> {
    let recorded = run.duration.filter(|duration| duration.as_millis() > 0);
    let recorded_ms = recorded.ok_or("the trace has no duration of it")?.as_millis();
    if run.outcome == RunOutcome::Unfinished || record.outcome == RunOutcome::Unfinished {
        return Err("it was not finished, in the recording or in the simulation");
    }
    let failed = (run.outcome == RunOutcome::Failed, record.outcome == RunOutcome::Failed);
    let started = attempt.started_at.unwrap_or(attempt.submitted_at);
    let predicted_ms = attempt.ended_at.since(started).as_millis();
    let succeeded = !failed.0 && !failed.1;
    let application = workload.applications.get(run.application.0 as usize);
    let recording = run.recording.as_deref();
    let seconds = recording.and_then(executor_seconds);
    Ok(Case {
        application: application.cloned().unwrap_or_default(),
        source: run.run_id.to_string(),
        target: run.run_id.to_string(),
        kind: Kind::Own,
        recorded_ms,
        predicted_ms,
        error: succeeded.then(|| relative(recorded_ms, predicted_ms)),
        reason: reason(record, attempt, started, failed),
        run_duration_ms: succeeded.then_some((recorded_ms, predicted_ms)),
        stage_end_error: recording.and_then(|recording| stage_end_error(recording, attempt)),
        executor_seconds: seconds.map(|recorded| (recorded, attempt.executor_time.as_secs_f64())),
        peak_executors: recording.map(|r| (r.executors_peak(), attempt.executors_peak)),
        failed,
    })
}

/// Mean distance of the ends of stages, as a share of the recorded time.
fn stage_end_error(recording: &Recording, attempt: &AttemptRecord) -> Option<f64> {
    let (first_job, started) = (recording.first_job_at?, attempt.tasks_started_at?);
    let whole = recording.last_job_ended_at?.saturating_sub(first_job).as_secs_f64().max(1e-3);
    let pairs = recording.stage_ends.iter().zip(&attempt.stage_ends);
    let distances: Vec<f64> = pairs
        .filter_map(|(recorded, simulated)| {
            let recorded = recorded.as_ref()?.saturating_sub(first_job).as_secs_f64();
            Some((simulated.as_ref()?.since(started).as_secs_f64() - recorded).abs())
        })
        .collect();
    let count = distances.len();
    (count > 0).then(|| distances.iter().sum::<f64>() / count as f64 / whole)
}

/// Registered to gone, or to the end of the last job.
pub(super) fn executor_seconds(recording: &Recording) -> Option<f64> {
    let end = recording.last_job_ended_at?;
    let of_one = recording.executors.iter().map(|executor| {
        let until = executor.removed_at.map_or(end, |at| at.min(end));
        until.saturating_sub(executor.added_at).as_secs_f64()
    });
    (!recording.executors.is_empty()).then(|| of_one.sum())
}

/// What the simulated attempt spent besides its tasks, and how it ended.
fn reason(
    record: &RunRecord,
    attempt: &AttemptRecord,
    started: SimTime,
    failed: (bool, bool),
) -> String {
    let mut parts = Vec::new();
    if failed != (false, false) {
        let cause = record.failure.map_or("no known cause", sim::workload::Failure::name);
        parts.push(match failed {
            (true, true) => format!("failed in both; here: {cause}"),
            (true, false) => "failed in the recording only".to_owned(),
            _ => format!("failed here only: {cause}"),
        });
    }
    let waited = attempt.tasks_started_at.map(|at| at.since(started).as_secs_f64());
    if let Some(waited) = waited.filter(|waited| *waited > 1.0) {
        parts.push(format!("tasks started after {waited:.0} s"));
    }
    if record.attempts > 1 {
        parts.push(format!("attempt {} counts", record.attempts));
    }
    if attempt.executors_lost_to_spot > 0 {
        parts.push(format!("{} executors lost to spot", attempt.executors_lost_to_spot));
    }
    if attempt.executors_oom_killed > 0 {
        parts.push(format!("{} executors out of memory", attempt.executors_oom_killed));
    }
    if parts.is_empty() {
        parts.push("nothing that the records tell of".to_owned());
    }
    parts.join(", ")
}
