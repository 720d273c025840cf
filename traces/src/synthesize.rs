//! Makes a trace of a platform that is like Flotilla's: thousands of Spark runs a day of about a
//! hundred owners, on schedules, by events and by hand.
//!
//! What it has: recurring applications with their own size, shape and memory need; peaks on the
//! hour and the half-hour, a night batch, bursts of ad-hoc runs in office hours, workflows; heavy
//! tails of work; memory need that drifts and varies, so that a few per cent of first attempts run
//! out; failures of every kind that is the application's own. What it leaves out: spot losses and
//! unschedulable pods (the simulator makes them), retries (likewise), stages, holidays, and how
//! owners react to failures.
//!
//! Memory needs and work are what the run would need to succeed, also where the row's outcome is a
//! failure; `duration_s` is the recorded, failed attempt's.
//!
//! Every draw comes from a stream keyed by the application, the day and the number of the run, and
//! is rounded at once: the same options give the same bytes, and another day or owner moves no
//! other run.
//!
//! Sources: 8,000 runs a day, about 100 owners, scheduled, external and human triggers, ad-hoc
//! bursts: Stitch Fix, "Spark on Kubernetes with Flotilla" (2021). 4.6 % out of memory: Pinterest,
//! InfoQ, April 2026 (facts-cloud section 6). 25 executors by default and 100 at most: flotilla-os
//! (facts-spark A7). All other numbers are a `Guess`, each where it is used.

mod application;
mod arrivals;
mod draw;
mod one_run;

use sim::Seed;

use crate::canonical::RunRow;
use crate::table::ROWS_MAX;
use crate::{LoweredRun, TraceError};

/// What the platform is like. [`SynthOptions::default`] is Flotilla's day.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthOptions {
    /// Mean submissions on a working day. Source: Flotilla, 8,000.
    pub runs_per_day: f64,
    /// Length of the trace.
    pub days: u32,
    /// Root of all draws.
    pub seed: Seed,
    /// People who own applications. Source: Flotilla, about 100.
    pub owners: u32,
    /// Midnight UTC of the first day, in milliseconds since 1970. Default: Monday, 2026-03-02.
    pub start_epoch_ms: i64,
    /// Share of runs that a schedule submits. `Guess`: 0.70.
    pub scheduled_share: f64,
    /// Share of runs that an external trigger submits; people submit the rest. `Guess`: 0.14.
    pub external_share: f64,
    /// Mean work of a run, in core-hours of task time. `Guess`: 0.8, which with executors that
    /// idle, start and wait takes some 100 to 300 nodes of 16 cores at the peak.
    pub mean_core_hours: f64,
    /// Share of applications with dynamic allocation. `Guess`: 0.6.
    pub dynamic_allocation_share: f64,
    /// Share of first attempts whose executors need more memory than they have. Source: 4.6 % of
    /// Pinterest's jobs fail by memory; `Guess`: 4.0 % of them are executors.
    pub executor_oom_share: f64,
    /// Share of first attempts whose driver does: the other 0.6 %.
    pub driver_oom_share: f64,
    /// Share of scheduled and external runs that fail by a bug or bad data. `Guess`: 0.015; of
    /// ad-hoc runs three times as many.
    pub application_failure_share: f64,
    /// Share of runs that fail by a dependency that was away for a moment. `Guess`: 0.012.
    pub transient_failure_share: f64,
    /// Share of runs that have eight times the usual work, most of which pass their timeout.
    /// `Guess`: 0.012.
    pub slow_run_share: f64,
    /// Share of scheduled and external applications that are critical for the business.
    /// `Guess`: 0.12.
    pub critical_share: f64,
    /// Ad-hoc runs of a Saturday or Sunday, as a share of a working day's. `Guess`: 0.15.
    pub weekend_adhoc_share: f64,
}

impl Default for SynthOptions {
    fn default() -> Self {
        Self {
            runs_per_day: 8_000.0,
            days: 1,
            seed: Seed::new(0),
            owners: 100,
            start_epoch_ms: 1_772_409_600_000,
            scheduled_share: 0.70,
            external_share: 0.14,
            mean_core_hours: 0.8,
            dynamic_allocation_share: 0.6,
            executor_oom_share: 0.040,
            driver_oom_share: 0.006,
            application_failure_share: 0.015,
            transient_failure_share: 0.012,
            slow_run_share: 0.012,
            critical_share: 0.12,
            weekend_adhoc_share: 0.15,
        }
    }
}

/// Most owners and days.
const OWNERS_MAX: u32 = 10_000;
const DAYS_MAX: u32 = 3_660;
/// Submissions a day: below 1 there is no platform.
const RUNS_PER_DAY: std::ops::RangeInclusive<f64> = 1.0..=1e6;

impl SynthOptions {
    fn shares(&self) -> [(&'static str, f64); 9] {
        [
            ("scheduledShare", self.scheduled_share),
            ("externalShare", self.external_share),
            ("dynamicAllocationShare", self.dynamic_allocation_share),
            ("executorOomShare", self.executor_oom_share),
            ("driverOomShare", self.driver_oom_share),
            ("applicationFailureShare", self.application_failure_share),
            ("transientFailureShare", self.transient_failure_share),
            ("slowRunShare", self.slow_run_share),
            ("weekendAdhocShare", self.weekend_adhoc_share),
        ]
    }

    /// Checks all options.
    ///
    /// # Errors
    /// Everything that is out of range, with the range.
    pub fn check(&self) -> Result<(), TraceError> {
        let mut problems = Vec::new();
        let (low, high) = RUNS_PER_DAY.into_inner();
        if !(low..=high).contains(&self.runs_per_day) {
            problems.push(format!("runsPerDay: {}; from {low} to {high}", self.runs_per_day));
        }
        if self.runs_per_day * f64::from(self.days) > ROWS_MAX as f64 {
            problems.push(format!("runsPerDay x days: at most {ROWS_MAX} runs in all"));
        }
        if !(1..=DAYS_MAX).contains(&self.days) {
            problems.push(format!("days: {}; from 1 to {DAYS_MAX}", self.days));
        }
        if !(1..=OWNERS_MAX).contains(&self.owners) {
            problems.push(format!("owners: {}; from 1 to {OWNERS_MAX}", self.owners));
        }
        if !(0..=4_102_444_800_000).contains(&self.start_epoch_ms) {
            problems.push("start: from 1970 to 2100".to_owned());
        }
        if !(1e-4..=1_000.0).contains(&self.mean_core_hours) {
            let value = self.mean_core_hours;
            problems.push(format!("meanCoreHours: {value}; from 0.0001 to 1000"));
        }
        let mut shares = self.shares().to_vec();
        shares.push(("criticalShare", self.critical_share));
        for (name, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                problems.push(format!("{name}: {value}; from 0 to 1"));
            }
        }
        if self.scheduled_share + self.external_share > 1.0 + 1e-9 {
            problems.push("scheduledShare + externalShare: at most 1".to_owned());
        }
        if problems.is_empty() { Ok(()) } else { Err(TraceError::Options(problems)) }
    }
}

/// Makes the submissions, in order of time.
///
/// # Panics
/// With options that [`SynthOptions::check`] refuses.
pub fn synthesize(options: &SynthOptions) -> Vec<LoweredRun> {
    let rows = synthesize_rows(options);
    rows.into_iter().map(|row| row.lowered).collect()
}

/// The same with the columns that the simulator does not read: exit codes and dependencies.
///
/// # Panics
/// With options that [`SynthOptions::check`] refuses.
pub fn synthesize_rows(options: &SynthOptions) -> Vec<RunRow> {
    synthesize_days(options).flatten().collect()
}

/// The same, a day of submissions in memory at a time.
///
/// # Panics
/// With options that [`SynthOptions::check`] refuses.
pub fn synthesize_days(options: &SynthOptions) -> impl Iterator<Item = Vec<RunRow>> {
    assert!(options.check().is_ok(), "options are checked before: {options:?}");
    let platform = application::Platform::new(options);
    // A day's workflows and bursts may go on after midnight; none begins before its day.
    let mut rows: Vec<RunRow> = Vec::new();
    (0..options.days).map(move |day| {
        arrivals::add_scheduled(options, &platform, day, &mut rows);
        arrivals::add_external(options, &platform, day, &mut rows);
        arrivals::add_adhoc(options, &platform, day, &mut rows);
        rows.sort_by(|a: &RunRow, b: &RunRow| {
            let key = |row: &RunRow| row.lowered.submitted_at_ms;
            (key(a), &a.lowered.run.run_id).cmp(&(key(b), &b.lowered.run.run_id))
        });
        let midnight = arrivals::start_of(options, day + 1);
        let last = day + 1 == options.days;
        let later = match last {
            true => rows.len(),
            false => rows.partition_point(|row| row.lowered.submitted_at_ms < midnight),
        };
        let rest = rows.split_off(later);
        std::mem::replace(&mut rows, rest)
    })
}

#[cfg(test)]
mod tests;
