//! Bare event logs, replayed under their recorded configuration.
//!
//! An application is compared where its log tells when its first job was submitted and its last one
//! ended, and tasks succeeded. The settings are those of its Spark properties; executors come as
//! recorded, or as the settings ask for them; failures and losses are taken from the log.

use sim::replay::{ExecutorArrivals, Replay, ReplaySettings, replay};
use sim::scenario::{Assumptions, SparkDefaults, SparkVersion};
use sim::units::{SimDuration, SimTime};
use sim::workload::{Recording, Run, RunOutcome, Stage, TaskFaultKind};
use traces::event_log::RecordedApplication;

use super::platform::executor_seconds;
use super::{Case, Kind, LeftOut, Scorecard, relative};

/// Where the executors of a prediction come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// The target's log.
    Recorded,
    /// Spark's settings and start-up latencies.
    Modelled,
}

/// An application as it was recorded, ready to be replayed.
#[derive(Debug)]
pub struct Subject {
    /// The run, with its recording.
    pub run: Run,
    /// Its settings.
    pub spark: SparkDefaults,
    /// Its name.
    pub application: String,
}

impl Subject {
    /// The application of a log; `Err` says why it cannot be compared.
    pub fn of(application: &RecordedApplication) -> Result<Self, String> {
        let lowered = application.to_run();
        let recording = lowered.run.recording.clone().unwrap_or_default();
        if lowered.run.stages.is_none() {
            return Err("no stage with a successful task".to_owned());
        }
        if recording.first_job_at.is_none() || recording.last_job_ended_at.is_none() {
            return Err("no job with a recorded start and end".to_owned());
        }
        if lowered.run.outcome == RunOutcome::Unfinished {
            return Err("the log stops before the application's end".to_owned());
        }
        let version = recording.spark_version.unwrap_or(SparkVersion { major: 3, minor: 5 });
        let subject = application.path.display().to_string();
        let (mut spark, _) =
            scenarios::spark::settings_of(version, &application.properties, &subject);
        // Where the properties are silent, the executors tell.
        let configuration = &application.configuration;
        let master = application.master.as_deref().unwrap_or_default();
        let silent =
            |key: &str| !application.properties.contains_key(key) && !master.starts_with("local");
        if let Some(cores) = configuration.executor_cores.filter(|_| silent("spark.executor.cores"))
        {
            spark.executor_cores = cores;
        }
        let count = configuration.executors_max.filter(|_| silent("spark.executor.instances"));
        if let (false, Some(count)) = (spark.dynamic_allocation.enabled, count) {
            spark.executor_instances = count;
        }
        Ok(Self { run: lowered.run, spark, application: lowered.application })
    }

    /// What was recorded.
    pub fn recording(&self) -> &Recording {
        static NOTHING: std::sync::OnceLock<Recording> = std::sync::OnceLock::new();
        self.run.recording.as_deref().unwrap_or_else(|| NOTHING.get_or_init(Recording::default))
    }

    /// First job submitted to last job ended.
    pub fn job_span(&self) -> SimDuration {
        let recording = self.recording();
        let ended = recording.last_job_ended_at.unwrap_or_default();
        ended.saturating_sub(recording.first_job_at.unwrap_or_default())
    }
}

/// Whether a recording's executors came before its jobs ended. Logs were seen where they did not:
/// there they are modelled, whatever was asked for.
fn executors_came(recording: &Recording) -> bool {
    let end = recording.last_job_ended_at.unwrap_or_default();
    recording.executors.iter().any(|executor| executor.added_at < end)
}

/// Predicts `target` from `source`. With `faults`, what failed and was lost in the source's log
/// happens again.
pub fn predict(source: &Subject, target: &Subject, arrivals: Arrivals, faults: bool) -> Replay {
    let assumptions = Assumptions::default();
    let recording = target.recording();
    let arrivals = match arrivals {
        Arrivals::Recorded if executors_came(recording) => ExecutorArrivals::Recorded(recording),
        _ => ExecutorArrivals::Modelled,
    };
    replay(
        &source.run,
        &ReplaySettings {
            spark: &target.spark,
            assumptions: &assumptions,
            arrivals,
            target: Some(recording),
            recorded_faults: faults,
        },
    )
}

/// Replays every application of the logs.
pub fn backtest(applications: &[RecordedApplication], arrivals: Arrivals) -> Scorecard {
    let mut card = Scorecard::default();
    for application in applications {
        match Subject::of(application) {
            Ok(subject) if subject.job_span() > SimDuration::ZERO => {
                let replay = predict(&subject, &subject, arrivals, true);
                let names = (subject.run.run_id.to_string(), subject.run.run_id.to_string());
                card.cases.push(case(&subject, &subject, Kind::Own, names, &replay));
            }
            other => card.left_out.push(LeftOut {
                subject: application.path.display().to_string(),
                reason: other.err().unwrap_or_else(|| "its jobs took no time".to_owned()),
            }),
        }
    }
    card
}

/// A prediction beside its recording. `names` are of source and target.
pub fn case(
    source: &Subject,
    target: &Subject,
    kind: Kind,
    names: (String, String),
    replay: &Replay,
) -> Case {
    let recorded_ms = target.job_span().as_millis();
    let predicted_ms = replay.job_span.as_millis();
    let recording = target.recording();
    let own = kind == Kind::Own;
    let duration = target.run.duration.filter(|_| own);
    Case {
        application: target.application.clone(),
        source: names.0,
        target: names.1,
        kind,
        recorded_ms,
        predicted_ms,
        error: Some(relative(recorded_ms, predicted_ms)),
        reason: reason(source, target, replay),
        run_duration_ms: duration.map(|d| (d.as_millis(), replay.duration.as_millis())),
        stage_end_error: own.then(|| stage_end_error(recording, replay)).flatten(),
        executor_seconds: executor_seconds(recording)
            .map(|recorded| (recorded, replay.executor_time.as_secs_f64())),
        peak_executors: (!recording.executors.is_empty())
            .then(|| (recording.executors_peak(), replay.executors_peak)),
        failed: (target.run.outcome == RunOutcome::Failed, replay.result.is_err()),
    }
}

/// Mean distance of the ends of stages, as a share of the recorded time.
fn stage_end_error(recording: &Recording, replay: &Replay) -> Option<f64> {
    let whole = recording.last_job_ended_at?.as_secs_f64().max(1e-3);
    let pairs = recording.stage_ends.iter().zip(&replay.stage_ends);
    let distances: Vec<f64> = pairs
        .filter_map(|(recorded, predicted)| Some((recorded.as_ref()?, predicted.as_ref()?)))
        .map(|(recorded, predicted)| {
            let predicted = predicted.since(SimTime::ZERO).as_secs_f64();
            (predicted - recorded.as_secs_f64()).abs()
        })
        .collect();
    let count = distances.len();
    (count > 0).then(|| distances.iter().sum::<f64>() / count as f64 / whole)
}

/// Where most of the difference comes from: the stage, or the gap before it, whose length differs
/// most from the recorded one; what else the logs tell.
fn reason(source: &Subject, target: &Subject, replay: &Replay) -> String {
    if let Err(failure) = replay.result {
        return format!("the replay ended as {}", failure.name());
    }
    let recording = target.recording();
    let mut parts: Vec<String> = Vec::new();
    if !executors_came(recording) {
        parts.push("its executors came after its jobs, and are modelled".to_owned());
    }
    parts.extend(widest_gap(source, target, replay));
    let task_time = |subject: &Subject| {
        subject.run.executor_task_time.unwrap_or_default().as_secs_f64().max(1e-3)
    };
    let ratio = task_time(target) / task_time(source) - 1.0;
    if ratio.abs() > 0.03 {
        let more = if ratio > 0.0 { "longer" } else { "shorter" };
        let percent = ratio.abs() * 100.0;
        parts.push(format!("all tasks took {percent:.0} % {more} in the target's log"));
    }
    let faults = recording.task_faults.iter();
    let lost = faults.filter(|fault| fault.kind != TaskFaultKind::Killed).count();
    if lost > 0 {
        parts.push(format!("{lost} tasks failed or were lost in the recording"));
    }
    if parts.is_empty() {
        parts.push("no single stage stands out".to_owned());
    }
    parts.join("; ")
}

/// The stage whose end came latest after the one before it, against the recording, or soonest.
fn widest_gap(source: &Subject, target: &Subject, replay: &Replay) -> Option<String> {
    let (from, to) = (source.recording(), target.recording());
    let stages = source.run.stages.as_deref()?;
    let targets = target.run.stages.as_deref()?;
    let same = |a: &Stage, b: &Stage| a.tasks.count() == b.tasks.count();
    if stages.len() != targets.len() || !stages.iter().zip(targets).all(|(a, b)| same(a, b)) {
        return None;
    }
    let (source_start, target_start) = (from.first_job_at?, to.first_job_at?);
    let ends = to.stage_ends.iter().zip(&replay.stage_ends).enumerate();
    let mut ends: Vec<(i64, i64, usize)> = ends
        .filter_map(|(place, (recorded, predicted))| {
            let recorded = recorded.as_ref()?.saturating_sub(target_start);
            let predicted = predicted.as_ref()?.since(SimTime::ZERO).saturating_sub(source_start);
            Some((recorded.as_millis() as i64, predicted.as_millis() as i64, place))
        })
        .collect();
    ends.sort_unstable();
    let mut before = (0, 0);
    let mut widest: Option<(i64, usize)> = None;
    for (recorded, predicted, place) in ends {
        let longer = (predicted - before.1) - (recorded - before.0);
        if widest.is_none_or(|(most, _)| longer.abs() > most.abs()) {
            widest = Some((longer, place));
        }
        before = (recorded, predicted.max(before.1));
    }
    let (longer, place) = widest?;
    let stage = &targets[place];
    let word = if longer > 0 { "longer" } else { "shorter" };
    Some(format!(
        "up to the end of stage {} ({} tasks) {:.1} s {word} than recorded",
        stage.stage_id,
        stage.tasks.count(),
        longer.abs() as f64 / 1000.0
    ))
}
