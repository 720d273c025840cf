//! A look at a loaded trace: what it holds, how its columns are distributed, what is missing and
//! what will be used instead; and what is suspicious about it.

mod lint;

use std::collections::BTreeMap;

use sim::workload::RunOutcome;

pub(crate) use lint::Gaps;
pub use lint::{gap, lint};

use crate::canonical::{
    NO_TEAM, POD_COLUMNS, RUN_COLUMNS, RUN_FIELDS, RunRow, outcome_name, pod_value,
};
use crate::failure_patterns::{self, Pattern};
use crate::load::LoadedTrace;
use crate::table::{Column, Value, render_instant, shorten};

/// What `trace inspect` shows.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Inspection {
    /// Submissions.
    pub runs: u64,
    /// Plain pods.
    pub pods: u64,
    /// Stages, over all runs that have them.
    pub stages: u64,
    /// Runs that have stages; the others are simulated from their totals.
    pub runs_with_stages: u64,
    /// The first submission, RFC 3339; `None` without runs.
    pub first_submission: Option<String>,
    /// The last submission.
    pub last_submission: Option<String>,
    /// Seconds between the two.
    pub span_s: f64,
    /// Core-hours of task time, over all runs that say.
    pub task_core_hours: f64,
    /// Different applications.
    pub applications: u64,
    /// Different teams.
    pub teams: u64,
    /// Runs by team, most first; at most [`Inspection::TOP`].
    pub top_teams: Vec<(String, u64)>,
    /// Runs by application, most first; at most [`Inspection::TOP`].
    pub top_applications: Vec<(String, u64)>,
    /// Runs by what set them off; `unknown` where it is not recorded.
    pub triggers: BTreeMap<String, u64>,
    /// Runs by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Failed runs by cause; `unknown` where it is not recorded.
    pub failures: BTreeMap<String, u64>,
    /// Failed runs by the pattern that what was said of their failure holds, most first.
    pub failure_patterns: Vec<FailurePattern>,
    /// Failed runs of which something was said, and no pattern is in it.
    pub failures_unclassified: u64,
    /// What was said of the first of them.
    pub unclassified_sample: Option<String>,
    /// Runs by hour of the day, UTC.
    pub submissions_by_hour: [u64; 24],
    /// Columns of `runs`, then of `pods` where there are any.
    pub columns: Vec<ColumnInspection>,
}

impl Inspection {
    /// Rows of a top list.
    pub const TOP: usize = 10;
}

/// How many failures a pattern tells.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FailurePattern {
    /// The cause that it is a sign of.
    pub cause: &'static str,
    /// The text.
    pub pattern: &'static str,
    /// Who says it.
    pub source: &'static str,
    /// Runs.
    pub runs: u64,
}

/// One column.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ColumnInspection {
    /// `runs` or `pods`.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Unit of its numbers.
    pub unit: &'static str,
    /// Rows that have a value.
    pub present: u64,
    /// The same as a share of all rows, 0 to 1.
    pub present_share: f64,
    /// What its numbers are like, where it holds numbers.
    pub numbers: Option<Quantiles>,
    /// What is used for the rows without; `None` where every row has a value.
    pub default: Option<&'static str>,
}

/// Quantiles of a column, by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Quantiles {
    /// Smallest.
    pub min: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest.
    pub max: f64,
}

impl Quantiles {
    /// Of `numbers`; `None` without any.
    pub fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let last = numbers.len().checked_sub(1)?;
        let rank =
            |share: f64| numbers[((share * numbers.len() as f64).ceil() as usize).max(1) - 1];
        Some(Self {
            min: numbers[0],
            p50: rank(0.5),
            p90: rank(0.9),
            p99: rank(0.99),
            max: numbers[last],
        })
    }
}

/// Looks at `trace`.
pub fn inspect(trace: &LoadedTrace) -> Inspection {
    let times = || trace.runs.iter().map(|run| run.submitted_at_ms);
    let (first, last) = (times().min(), times().max());
    let span_ms = first.zip(last).map_or(0, |(first, last)| last.saturating_sub(first));
    let stages = || trace.runs.iter().filter_map(|run| run.run.stages.as_deref());
    let task_ms =
        |run: &crate::LoweredRun| run.run.executor_task_time.map(|t| t.as_millis() as f64);
    let mut hours = [0; 24];
    for at in times() {
        hours[at.div_euclid(3_600_000).rem_euclid(24) as usize] += 1;
    }
    let by_team = count(trace.runs.iter().map(|run| named(&run.team, NO_TEAM)));
    let by_application = count(trace.runs.iter().map(|run| run.application.as_str()));
    let classified = classified(trace);
    Inspection {
        runs: trace.runs.len() as u64,
        pods: trace.pods.len() as u64,
        stages: stages().map(|stages| stages.len() as u64).sum(),
        runs_with_stages: stages().count() as u64,
        first_submission: first.map(render_instant),
        last_submission: last.map(render_instant),
        span_s: span_ms as f64 / 1000.0,
        task_core_hours: trace.runs.iter().filter_map(task_ms).fold(0.0, |sum, ms| sum + ms)
            / 3_600_000.0,
        applications: by_application.len() as u64,
        teams: by_team.len() as u64,
        top_teams: top(by_team),
        top_applications: top(by_application),
        triggers: count(trace.runs.iter().map(|run| run.trigger.as_deref().unwrap_or(UNKNOWN))),
        outcomes: count(trace.runs.iter().map(|run| outcome_name(run.run.outcome))),
        failures: failures(trace),
        failure_patterns: classified.0,
        failures_unclassified: classified.1,
        unclassified_sample: classified.2,
        submissions_by_hour: hours,
        columns: columns(trace),
    }
}

const UNKNOWN: &str = "unknown";

fn named<'a>(name: &'a str, otherwise: &'a str) -> &'a str {
    if name.is_empty() { otherwise } else { name }
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for name in names {
        if let Some(count) = counts.get_mut(name) {
            *count += 1;
        } else {
            counts.insert(name.to_owned(), 1);
        }
    }
    counts
}

fn top(counts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut list: Vec<(String, u64)> = counts.into_iter().collect();
    // Stable: equal counts stay in the order of their names.
    list.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    list.truncate(Inspection::TOP);
    list
}

fn failures(trace: &LoadedTrace) -> BTreeMap<String, u64> {
    let failed = trace
        .runs
        .iter()
        .filter(|run| run.run.failure.is_some() || run.run.outcome == RunOutcome::Failed);
    count(failed.map(|run| run.run.failure.map_or(UNKNOWN, sim::workload::Failure::name)))
}

/// Failures by pattern, how many have none, and what was said of the first of those.
fn classified(trace: &LoadedTrace) -> (Vec<FailurePattern>, u64, Option<String>) {
    let mut found: Vec<FailurePattern> = Vec::new();
    let (mut unclassified, mut sample) = (0, None);
    for run in &trace.runs {
        let failed = run.run.outcome == RunOutcome::Failed;
        let Some(said) = run.failure_message.as_ref().filter(|_| failed) else { continue };
        // Spark's log and the driver's pod mean other containers by the same words: the pattern is
        // the one whose cause was taken.
        let patterns = [
            failure_patterns::by_texts(&[said]).map(|found| found.0),
            failure_patterns::by_message(said),
        ];
        let taken = |pattern: &&&Pattern| run.run.failure == Some(pattern.cause);
        let pattern = patterns.iter().flatten().find(taken).or(patterns.iter().flatten().next());
        let Some(pattern) = pattern else {
            unclassified += 1;
            sample.get_or_insert_with(|| shorten(said));
            continue;
        };
        match found.iter_mut().find(|other| other.pattern == pattern.text) {
            Some(other) => other.runs += 1,
            None => found.push(FailurePattern {
                cause: pattern.cause.name(),
                pattern: pattern.text,
                source: pattern.source,
                runs: 1,
            }),
        }
    }
    found.sort_by_key(|pattern| std::cmp::Reverse(pattern.runs));
    (found, unclassified, sample)
}

fn columns(trace: &LoadedTrace) -> Vec<ColumnInspection> {
    // Columns that the simulator does not read are not in a loaded trace.
    let kept = |column: &Column| {
        !matches!(column.name, "exit_code" | "attempt" | "retry_of" | "depends_on")
    };
    let mut found = Vec::new();
    let rows: Vec<RunRow> = trace.runs.iter().cloned().map(RunRow::from).collect();
    if !rows.is_empty() {
        for (column, field) in RUN_COLUMNS.iter().zip(RUN_FIELDS) {
            if kept(column) {
                let values = rows.iter().map(field.get);
                found.push(column_inspection("runs", column, rows.len(), values));
            }
        }
    }
    if !trace.pods.is_empty() {
        for column in POD_COLUMNS {
            let values = trace.pods.iter().map(|pod| pod_value(pod, column.name));
            found.push(column_inspection("pods", column, trace.pods.len(), values));
        }
    }
    found
}

fn column_inspection(
    table: &'static str,
    column: &Column,
    rows: usize,
    values: impl Iterator<Item = Value>,
) -> ColumnInspection {
    let mut present = 0;
    let mut numbers = Vec::new();
    for value in values {
        if value == Value::Missing || value == Value::Text(String::new()) {
            continue;
        }
        present += 1;
        if column.kind.is_number() {
            numbers.extend(column.kind.number(&value));
        }
    }
    ColumnInspection {
        table,
        name: column.name,
        unit: column.unit,
        present,
        present_share: present as f64 / rows as f64,
        numbers: Quantiles::of(numbers),
        default: (present < rows as u64).then_some(column.default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let quantiles = Quantiles::of(hundred).expect("some");
        assert_eq!(
            (quantiles.min, quantiles.p50, quantiles.p90, quantiles.p99, quantiles.max),
            (1.0, 50.0, 90.0, 99.0, 100.0)
        );
        let one = Quantiles::of(vec![7.0]).expect("one");
        assert_eq!((one.min, one.p50, one.max), (7.0, 7.0, 7.0));
        assert_eq!(Quantiles::of(Vec::new()), None);
    }

    #[test]
    fn what_is_missing_is_shown_with_its_default() {
        let mut trace = LoadedTrace::default();
        for (place, tasks) in [Some(3), None, Some(5), None].into_iter().enumerate() {
            let mut run = crate::LoweredRun {
                application: "app".into(),
                submitted_at_ms: 1_772_445_600_000 + place as i64 * 3_600_000,
                ..crate::LoweredRun::default()
            };
            run.run.tasks = tasks;
            run.run.run_id = format!("r{place}").into();
            trace.runs.push(run);
        }
        let seen = inspect(&trace);
        let tasks = seen.columns.iter().find(|column| column.name == "tasks").expect("there");
        assert_eq!((tasks.present, tasks.present_share), (2, 0.5));
        assert_eq!(tasks.numbers.expect("numbers").max, 5.0);
        assert!(tasks.default.expect("a default").contains("assumption"));
        assert_eq!((seen.runs, seen.teams, seen.span_s), (4, 1, 10_800.0));
        assert_eq!(seen.top_teams, [(NO_TEAM.to_owned(), 4)]);
        assert_eq!(seen.submissions_by_hour[10..14], [1, 1, 1, 1]);
        assert_eq!(seen.outcomes["succeeded"], 4);
    }
}
