//! From a loaded trace to the simulator's `Workload`: numbers for names, times from one epoch,
//! growth what-ifs and resampling.
//!
//! Copies are drawn from streams keyed by the run's place in the trace and the number of the copy,
//! so that `arrivals: 1.5` holds every copy that `arrivals: 1.2` holds, at the same time.

use std::collections::BTreeMap;

use sim::rng::RngExt;
use sim::units::SimTime;
use sim::workload::{ApplicationId, Rescale, Run, Runs, TeamId, TracePod};
use sim::{Seed, Workload};

use crate::canonical::NO_TEAM;
use crate::load::LoadedTrace;
use crate::table::{render_instant, shorten};
use crate::{LoweredRun, TraceError};

/// Most runs that scaling or resampling may make.
pub const RUNS_MAX: f64 = 20e6;

/// How a trace becomes a workload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorkloadOptions {
    /// How many times every run is submitted: 1 = as recorded; 2 = once more each, at a random
    /// time within the trace's span; the fraction of a number decides by a draw per run.
    pub arrivals: f64,
    /// What becomes of every run's stages.
    pub rescale: Rescale,
    /// Draws new submissions from the recorded runs instead of replaying them.
    pub resample: Option<Resample>,
    /// Root of the draws.
    pub seed: Seed,
}

impl Default for WorkloadOptions {
    fn default() -> Self {
        Self { arrivals: 1.0, rescale: Rescale::default(), resample: None, seed: Seed::new(0) }
    }
}

/// Submissions drawn from the recorded runs, with replacement, at Poisson times. What follows from
/// the time of day (peaks, nights) is lost; what follows from the mix of runs stays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resample {
    /// Mean submissions a day.
    pub runs_per_day: f64,
    /// Length of the new workload, in days.
    pub days: f64,
}

impl WorkloadOptions {
    /// Whether the workload is the trace's as it is, no run of it changed, drawn or left out.
    pub fn is_as_recorded(&self) -> bool {
        self.resample.is_none() && self.arrivals == 1.0 && self.rescale.is_identity()
    }

    /// Checks the numbers against `trace`.
    ///
    /// # Errors
    /// All that are out of range.
    pub fn check(&self, trace: &LoadedTrace) -> Result<(), TraceError> {
        let mut problems = self.rescale.problems();
        let recorded = trace.runs.len() as f64;
        if !(self.arrivals >= 0.0 && self.arrivals * recorded <= RUNS_MAX) {
            problems.push(format!(
                "arrivals: {} times {recorded} runs; at least 0, at most {RUNS_MAX} runs in all",
                self.arrivals
            ));
        }
        if let Some(resample) = self.resample {
            for (name, value) in [("runsPerDay", resample.runs_per_day), ("days", resample.days)] {
                if !(value.is_finite() && value > 0.0) {
                    problems.push(format!("resample.{name}: {value}; more than 0 is expected"));
                }
            }
            if resample.days * resample.runs_per_day * self.arrivals.max(1.0) > RUNS_MAX {
                problems.push(format!("resample: at most {RUNS_MAX} runs in all"));
            }
            if trace.runs.is_empty() {
                problems.push("resample: the trace has no runs to draw from".to_owned());
            }
        }
        match self.resample {
            Some(resample) if resample.days > SPAN_MAX_DAYS => {
                problems.push(format!("resample.days: {}; at most {SPAN_MAX_DAYS}", resample.days));
            }
            Some(_) => {}
            None => problems.extend(span_problem(span(trace), &trace.pods)),
        }
        if problems.is_empty() { Ok(()) } else { Err(TraceError::Options(problems)) }
    }
}

/// All of the time between the first and the last submission is simulated: 100 years of it are a
/// mistake of units, or a time such as 9999-12-31 that means "none".
const SPAN_MAX_DAYS: f64 = 100.0 * 365.25;

/// The first and the last submission: when, and the run's id.
fn span(trace: &LoadedTrace) -> Option<[(i64, &str); 2]> {
    let runs = trace.runs.iter().map(|run| (run.submitted_at_ms, &*run.run.run_id));
    Some([runs.clone().min_by_key(|(at, _)| *at)?, runs.max_by_key(|(at, _)| *at)?])
}

/// What is wrong with the time between the first and the last of all.
pub(crate) fn span_problem(runs: Option<[(i64, &str); 2]>, pods: &[TracePod]) -> Option<String> {
    let runs = runs.into_iter().flatten().map(|(at, id)| (at, "run", id));
    let since_1970 = pods.iter().filter(|pod| created_since_1970(pod)).map(|pod| {
        (i64::try_from(pod.created_at.as_millis()).unwrap_or(i64::MAX), "pod", &*pod.name)
    });
    let first = runs.clone().chain(since_1970.clone()).min_by_key(|(at, ..)| *at)?;
    let last = runs.chain(since_1970).max_by_key(|(at, ..)| *at)?;
    let days = last.0.saturating_sub(first.0) as f64 / DAY_MS as f64;
    let name = |(at, kind, name): (i64, &str, &str)| {
        format!("{kind} {} at {}", shorten(name), render_instant(at))
    };
    (days > SPAN_MAX_DAYS).then(|| {
        format!(
            "the trace spans {:.0} years, from {} to {}; at most 100 years are simulated: one of \
             these times is wrong",
            days / 365.25,
            name((first.0, first.1, first.2)),
            name((last.0, last.1, last.2)),
        )
    })
}

fn created_since_1970(pod: &TracePod) -> bool {
    pod.created_at.as_millis() >= EPOCH_CREATED_MS
}

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// Pods created at or after this many seconds are recorded since 1970, not since the start.
const EPOCH_CREATED_MS: u64 = 1_000_000_000_000;

/// A submission in the making: which recorded run, which copy of it, and when.
struct Submission {
    run: usize,
    /// 1 = the recorded one; copies count from 2.
    copy: u64,
    at_ms: i64,
}

/// Makes the workload.
///
/// Its epoch is the full hour (UTC) before the first submission when the trace spans more than an
/// hour, so that hours mean something and nothing is billed for the part of a day before the
/// trace; else the first submission itself. Options out of
/// range (see [`WorkloadOptions::check`]) are cut to the range.
pub fn to_workload(trace: &LoadedTrace, options: &WorkloadOptions) -> Workload {
    let submissions = match options.resample {
        Some(resample) if !trace.runs.is_empty() => resampled(trace, resample, options.seed),
        _ => recorded(trace),
    };
    let submissions = scaled(submissions, options);
    let epoch_ms = epoch(submissions.iter().map(|submission| submission.at_ms), &trace.pods);
    let mut names = Names::default();
    // Once for each recorded run, so that its copies share their stages.
    let rescaled: Option<Vec<Run>> = (!options.rescale.is_identity())
        .then(|| trace.runs.iter().map(|lowered| options.rescale.run(&lowered.run)).collect());
    let runs: Vec<Run> = submissions
        .iter()
        .map(|submission| {
            let lowered = &trace.runs[submission.run];
            let run = rescaled.as_ref().map_or(&lowered.run, |runs| &runs[submission.run]);
            let at = since(epoch_ms, submission.at_ms);
            names.place(lowered, run.clone(), submission.copy, at)
        })
        .collect();
    let dependent = if options.resample.is_none() { dependent(trace) } else { BTreeMap::new() };
    put_together(epoch_ms, names, (runs, dependent), trace.pods.clone())
}

/// The same of a trace that nobody needs any more: memory holds no run twice.
pub fn into_workload(mut trace: LoadedTrace, options: &WorkloadOptions) -> Workload {
    if !options.is_as_recorded() {
        return to_workload(&trace, options);
    }
    let times = trace.runs.iter().map(|run| run.submitted_at_ms);
    let epoch_ms = epoch(times, &trace.pods);
    let dependent = dependent(&trace);
    let mut names = Names::default();
    let place = |mut lowered: LoweredRun| {
        let run = std::mem::take(&mut lowered.run);
        let at = since(epoch_ms, lowered.submitted_at_ms);
        names.place(&lowered, run, 1, at)
    };
    let runs = std::mem::take(&mut trace.runs).into_iter().map(place).collect();
    put_together(epoch_ms, names, (runs, dependent), trace.pods)
}

pub(crate) fn since(epoch_ms: i64, at_ms: i64) -> SimTime {
    SimTime::from_millis(u64::try_from(at_ms.saturating_sub(epoch_ms)).unwrap_or(0))
}

fn put_together(
    epoch_ms: i64,
    names: Names,
    (mut runs, dependent): (Vec<Run>, BTreeMap<Box<str>, String>),
    pods: Vec<TracePod>,
) -> Workload {
    // Stable: equal times keep the order of the trace.
    runs.sort_by_key(|run| run.submitted_at);
    depend(&mut runs, &dependent);
    names.workload(epoch_ms, runs.into(), pods)
}

fn placed(epoch_ms: i64, mut pods: Vec<TracePod>) -> Vec<TracePod> {
    if pods.iter().any(created_since_1970) {
        for pod in &mut pods {
            let since = pod.created_at.as_millis().saturating_sub(epoch_ms.max(0) as u64);
            pod.created_at = SimTime::from_millis(since);
        }
    }
    pods.sort_by_key(|pod| pod.created_at);
    pods
}

fn recorded(trace: &LoadedTrace) -> Vec<Submission> {
    let submission = |(run, lowered): (usize, &LoweredRun)| Submission {
        run,
        copy: 1,
        at_ms: lowered.submitted_at_ms,
    };
    trace.runs.iter().enumerate().map(submission).collect()
}

fn resampled(trace: &LoadedTrace, resample: Resample, seed: Seed) -> Vec<Submission> {
    let start = trace.runs.iter().map(|run| run.submitted_at_ms).min();
    let start = start.unwrap_or_default();
    // The whole workload is one entity: its arrival times are one stream.
    let mut stream = seed.stream("resample", &[]);
    let end_ms = (resample.days * DAY_MS as f64).min(1e13);
    let mean_gap_ms = DAY_MS as f64 / resample.runs_per_day.max(1e-9);
    let mut copies = vec![0_u64; trace.runs.len()];
    let mut submissions = Vec::new();
    let mut at_ms = 0.0;
    loop {
        let draw: f64 = stream.random();
        at_ms += (-(1.0 - draw).ln() * mean_gap_ms).round();
        if at_ms >= end_ms || submissions.len() as f64 >= RUNS_MAX {
            return submissions;
        }
        let run = stream.random_range(0..trace.runs.len());
        copies[run] += 1;
        submissions.push(Submission {
            run,
            copy: copies[run],
            at_ms: start.saturating_add(at_ms as i64),
        });
    }
}

fn scaled(submissions: Vec<Submission>, options: &WorkloadOptions) -> Vec<Submission> {
    let most = RUNS_MAX / submissions.len().max(1) as f64;
    let arrivals = if options.arrivals.is_nan() { 1.0 } else { options.arrivals.clamp(0.0, most) };
    if arrivals == 1.0 {
        return submissions;
    }
    let first = submissions.iter().map(|submission| submission.at_ms).min();
    let last = submissions.iter().map(|submission| submission.at_ms).max();
    let (Some(first), Some(last)) = (first, last) else {
        return submissions;
    };
    let span = last.saturating_sub(first).max(0) as f64;
    let resampled = options.resample.is_some();
    let mut copies_of: BTreeMap<usize, u64> = BTreeMap::new();
    for submission in &submissions {
        let most = copies_of.entry(submission.run).or_default();
        *most = submission.copy.max(*most);
    }
    let mut scaled = Vec::new();
    for (place, submission) in submissions.into_iter().enumerate() {
        let place = place as u64;
        // Keyed by place alone, so that growing `arrivals` only ever adds copies.
        let fraction = options.seed.uniform("arrivals-fraction", &[place]);
        let times = arrivals.floor() as u64 + u64::from(fraction < arrivals.fract());
        for number in 2..=times {
            let offset = options.seed.uniform("arrivals-offset", &[place, number]);
            let copy = if resampled {
                let most = copies_of.get_mut(&submission.run).expect("counted above");
                *most += 1;
                *most
            } else {
                number
            };
            scaled.push(Submission {
                run: submission.run,
                copy,
                at_ms: first + (offset * span).round() as i64,
            });
        }
        if times > 0 {
            scaled.push(submission);
        }
    }
    // Back in the order of the trace, copies after what they copy.
    scaled.sort_by_key(|submission| (submission.run, submission.copy));
    scaled
}

/// The workload's epoch (see [`to_workload`]) for runs that are submitted at `runs`.
pub(crate) fn epoch(runs: impl Iterator<Item = i64> + Clone, pods: &[TracePod]) -> i64 {
    let pods_since_1970 = pods.iter().any(created_since_1970);
    let pods = pods
        .iter()
        .filter(|_| pods_since_1970)
        .map(|pod| i64::try_from(pod.created_at.as_millis()).unwrap_or(i64::MAX));
    let times = || runs.clone().chain(pods.clone());
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return 0;
    };
    if last.saturating_sub(first) > HOUR_MS { first.div_euclid(HOUR_MS) * HOUR_MS } else { first }
}

/// What runs depend on, of those that do. In a resampled workload nothing depends on anything.
fn dependent(trace: &LoadedTrace) -> BTreeMap<Box<str>, String> {
    let runs = trace.runs.iter();
    runs.filter_map(|lowered| Some((lowered.run.run_id.clone(), lowered.depends_on.clone()?)))
        .collect()
}

/// Tells runs which earlier ones they depend on; a copy of a run on the same copy of its parent,
/// where there is one.
fn depend(runs: &mut [Run], dependent: &BTreeMap<Box<str>, String>) {
    if dependent.is_empty() {
        return;
    }
    let places: BTreeMap<Box<str>, u32> =
        runs.iter().enumerate().map(|(place, run)| (run.run_id.clone(), place as u32)).collect();
    for (place, run) in runs.iter_mut().enumerate() {
        let (id, copy) = match run.run_id.rsplit_once('~') {
            Some((id, copy)) if !dependent.contains_key(&*run.run_id) => (id, Some(copy)),
            _ => (&*run.run_id, None),
        };
        let Some(parents) = dependent.get(id) else { continue };
        let found = parents.split(';').map(str::trim).filter_map(|parent| {
            let same = copy.and_then(|copy| places.get(&*format!("{parent}~{copy}")));
            same.or_else(|| places.get(parent)).copied()
        });
        run.depends_on = found.filter(|parent| (*parent as usize) < place).collect();
    }
}

/// Numbers for names, in order of first use.
#[derive(Default)]
struct Interner {
    list: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Interner {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).expect("fewer names than 2^32");
        self.list.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// Numbers of applications and teams.
#[derive(Default)]
pub(crate) struct Names {
    applications: Interner,
    teams: Interner,
}

impl Names {
    /// The numbers of a run's application and team.
    pub(crate) fn of(&mut self, application: &str, team: &str) -> (ApplicationId, TeamId) {
        let team = if team.is_empty() { NO_TEAM } else { team };
        (ApplicationId(self.applications.number(application)), TeamId(self.teams.number(team)))
    }

    /// The workload of runs that have these names.
    pub(crate) fn workload(self, epoch_ms: i64, runs: Runs, pods: Vec<TracePod>) -> Workload {
        Workload {
            epoch_ms,
            applications: self.applications.list,
            teams: self.teams.list,
            runs,
            pods: placed(epoch_ms, pods),
        }
    }

    fn place(&mut self, lowered: &LoweredRun, mut run: Run, copy: u64, at: SimTime) -> Run {
        (run.application, run.team) = self.of(&lowered.application, &lowered.team);
        run.submitted_at = at;
        if copy > 1 {
            run.run_id = format!("{}~{copy}", run.run_id).into();
        }
        run
    }
}

#[cfg(test)]
mod tests;
