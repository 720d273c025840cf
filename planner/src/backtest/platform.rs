//! A whole scenario, simulated, beside what its trace recorded of each run.
//!
//! A run is compared where its trace has a duration and its last attempt succeeded in the
//! simulation: that attempt's time from its driver's start to its end, against the recorded
//! duration. Stage ends are not compared: the simulation's records do not hold them.

use sim::outcome::AttemptRecord;
use sim::workload::{Recording, RunOutcome};
use sim::{RunOptions, Scenario, Seed, Sink, Workload};

use super::{Case, Kind, LeftOut, Scorecard, relative};

#[derive(Default)]
struct Attempts(Vec<AttemptRecord>);

impl Sink for Attempts {
    fn attempt(&mut self, record: AttemptRecord) {
        self.0.push(record);
    }
}

/// Simulates `workload` on `scenario` and compares its runs.
pub fn backtest(scenario: &Scenario, workload: &Workload, seed: u64) -> Scorecard {
    let mut attempts = Attempts::default();
    sim::run(scenario, workload, Seed::new(seed), RunOptions::default(), &mut attempts);
    let mut last: Vec<Option<&AttemptRecord>> = vec![None; workload.runs.len()];
    for attempt in &attempts.0 {
        last[attempt.run as usize] = Some(attempt);
    }
    let mut card = Scorecard::default();
    for (run, attempt) in workload.runs.iter().zip(last) {
        let leave_out =
            |reason: &str| LeftOut { subject: run.run_id.to_string(), reason: reason.to_owned() };
        let recorded = run.duration.filter(|duration| duration.as_millis() > 0);
        let Some(recorded) = recorded else {
            card.left_out.push(leave_out("the trace has no duration of it"));
            continue;
        };
        let ended = attempt.filter(|attempt| attempt.outcome == RunOutcome::Succeeded);
        let Some((attempt, started)) = ended.and_then(|a| Some((a, a.started_at?))) else {
            card.left_out.push(leave_out("it did not succeed in the simulation"));
            continue;
        };
        let recorded_ms = recorded.as_millis();
        let predicted_ms = attempt.ended_at.since(started).as_millis();
        let application = workload.applications.get(run.application.0 as usize);
        let peak = run.recording.as_deref().map(Recording::executors_peak);
        card.cases.push(Case {
            application: application.cloned().unwrap_or_default(),
            source: run.run_id.to_string(),
            target: run.run_id.to_string(),
            kind: Kind::Own,
            recorded_ms,
            predicted_ms,
            error: relative(recorded_ms, predicted_ms),
            reason: reason(attempt, started),
            run_duration_ms: Some((recorded_ms, predicted_ms)),
            stage_end_error: None,
            executor_seconds: None,
            peak_executors: peak.map(|recorded| (recorded, attempt.executors_peak)),
            failed: (run.outcome == RunOutcome::Failed, false),
        });
    }
    card
}

/// What the simulated attempt spent besides its tasks.
fn reason(attempt: &AttemptRecord, started: sim::units::SimTime) -> String {
    let waited = attempt.tasks_started_at.map(|at| at.since(started).as_secs_f64());
    let mut parts = Vec::new();
    if let Some(waited) = waited.filter(|waited| *waited > 1.0) {
        parts.push(format!("tasks started after {waited:.0} s"));
    }
    if attempt.executors_lost_to_spot > 0 {
        parts.push(format!("{} executors lost to spot", attempt.executors_lost_to_spot));
    }
    if attempt.executors_oom_killed > 0 {
        parts.push(format!("{} executors out of memory", attempt.executors_oom_killed));
    }
    if parts.is_empty() {
        parts.push("other executors, or none of the recording's own delays".to_owned());
    }
    parts.join(", ")
}
