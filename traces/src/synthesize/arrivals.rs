//! When runs are submitted: schedules, external events, bursts of people at work.

use std::collections::BTreeMap;

use sim::rng::key_of;

use super::SynthOptions;
use super::application::{Platform, Trigger};
use super::draw::{clock_ms, exponential, normal, uniform, weighted};
use super::one_run::{Submission, make};
use crate::canonical::RunRow;

const DAY_MS: i64 = 86_400_000;
/// An orchestrator submits a moment after the time on the schedule. `Guess`: 8 s on average.
const LAG_MS: f64 = 8_000.0;
/// From submission to a running driver, for what waits for the end of a run. `Guess`.
const QUEUE_MS: i64 = 60_000;

/// External events: all day, more by day. `Guess`.
const EXTERNAL_HOURS: [f64; 24] = [
    2.0, 2.0, 2.0, 2.0, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 6.0, 6.0, 5.5, 6.0, 6.0, 6.0, 6.0, 5.5, 5.0,
    4.0, 3.5, 3.0, 2.5, 2.0,
];
/// People: office hours with a lunch break, and a few in the evening. `Guess`.
const OFFICE_HOURS: [f64; 24] = [
    0.1, 0.1, 0.0, 0.0, 0.0, 0.0, 0.1, 0.5, 2.5, 7.0, 9.0, 9.0, 5.0, 7.0, 9.0, 9.0, 8.0, 5.0, 2.0,
    1.0, 0.8, 0.6, 0.4, 0.2,
];

/// Mean runs of a burst: somebody tries, looks, and tries again. `Guess`.
const BURST_RUNS: f64 = 6.0;
const BURST_RUNS_MAX: u64 = 100;

pub(super) fn start_of(options: &SynthOptions, day: u32) -> i64 {
    options.start_epoch_ms + i64::from(day) * DAY_MS
}

/// Runs on a schedule; those of a workflow when the one before is done.
pub(super) fn add_scheduled(
    options: &SynthOptions,
    platform: &Platform,
    day: u32,
    rows: &mut Vec<RunRow>,
) {
    // Of workflows: run id and end of today's run, by application.
    let mut ends: BTreeMap<usize, (String, i64)> = BTreeMap::new();
    for (place, application) in platform.applications.iter().enumerate() {
        let Trigger::Schedule { period_min, offset_min } = application.trigger else {
            continue;
        };
        for number in 0..1_440 / period_min {
            let keys = [key_of(&application.name), u64::from(day), u64::from(number)];
            let mut stream = options.seed.stream("synth-arrival", &keys);
            let lag = (exponential(&mut stream) * LAG_MS).round() as i64;
            let before = application.after.and_then(|before| ends.get(&before));
            let minute = i64::from(offset_min + number * period_min);
            let due = before.map_or(start_of(options, day) + minute * 60_000, |(_, end)| *end);
            let row = make(
                options,
                application,
                &Submission {
                    at_ms: due + lag,
                    day,
                    number: u64::from(number),
                    depends_on: before.map(|(run_id, _)| run_id.clone()),
                },
            );
            if period_min == 1_440 {
                ends.insert(
                    place,
                    (row.row.lowered.run.run_id.to_string(), row.success_ms + QUEUE_MS),
                );
            }
            rows.push(row.row);
        }
    }
}

/// Runs by external triggers: a Poisson process per application, faster by day.
pub(super) fn add_external(
    options: &SynthOptions,
    platform: &Platform,
    day: u32,
    rows: &mut Vec<RunRow>,
) {
    let runs = options.runs_per_day * options.external_share;
    let rate = runs / platform.external.len().max(1) as f64;
    for place in &platform.external {
        let application = &platform.applications[*place];
        let keys = [key_of(&application.name), u64::from(day)];
        let mut stream = options.seed.stream("synth-external", &keys);
        let mut share = 0.0;
        for number in 0.. {
            // Gaps are exponential in the share of the day's runs that is over.
            share += exponential(&mut stream) / rate;
            if share >= 1.0 {
                break;
            }
            let submission = Submission {
                at_ms: start_of(options, day) + clock_ms(share, &EXTERNAL_HOURS),
                day,
                number,
                depends_on: None,
            };
            rows.push(make(options, application, &submission).row);
        }
    }
}

/// Bursts of runs by people.
pub(super) fn add_adhoc(
    options: &SynthOptions,
    platform: &Platform,
    day: u32,
    rows: &mut Vec<RunRow>,
) {
    let share = (1.0 - options.scheduled_share - options.external_share).max(0.0);
    let weekday = (start_of(options, day).div_euclid(DAY_MS) + 3).rem_euclid(7);
    let activity = if weekday >= 5 { options.weekend_adhoc_share } else { 1.0 };
    let bursts = options.runs_per_day * share * activity / BURST_RUNS;
    if bursts <= 0.0 {
        return;
    }
    let mut stream = options.seed.stream("synth-bursts", &[u64::from(day)]);
    let mut at = 0.0;
    for burst in 0.. {
        at += exponential(&mut stream) / bursts;
        if at >= 1.0 {
            break;
        }
        let start = start_of(options, day) + clock_ms(at, &OFFICE_HOURS);
        add_burst(options, platform, (day, burst), start, rows);
    }
}

fn add_burst(
    options: &SynthOptions,
    platform: &Platform,
    (day, burst): (u32, u64),
    start: i64,
    rows: &mut Vec<RunRow>,
) {
    let mut stream = options.seed.stream("synth-burst", &[u64::from(day), burst]);
    let owner = weighted(&mut stream, &platform.owner_weights);
    let mine = &platform.adhoc[owner];
    let application = &platform.applications[mine[weighted(&mut stream, &vec![1.0; mine.len()])]];
    // Geometric.
    let runs = (uniform(&mut stream).ln() / (1.0 - 1.0 / BURST_RUNS).ln()).floor() as u64 + 1;
    let mut at_ms = start;
    for number in 0..runs.min(BURST_RUNS_MAX) {
        let submission = Submission {
            at_ms,
            day,
            // Unique among the application's runs of the day.
            number: burst * 1_000 + number,
            depends_on: None,
        };
        rows.push(make(options, application, &submission).row);
        // Median 4 minutes to look at the result and try again. `Guess`.
        at_ms += (240_000.0 * (0.9 * normal(&mut stream)).exp()).round() as i64;
    }
}
