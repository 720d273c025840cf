//! Scaling, resampling, epochs.

use super::*;
use std::collections::BTreeSet;

fn trace(times_ms: &[i64]) -> LoadedTrace {
    let run = |(place, at): (usize, &i64)| LoweredRun {
        run: Run { run_id: format!("r{place}").into(), ..Run::default() },
        application: format!("app{}", place % 3),
        submitted_at_ms: *at,
        ..LoweredRun::default()
    };
    LoadedTrace { runs: times_ms.iter().enumerate().map(run).collect(), ..LoadedTrace::default() }
}

fn many() -> LoadedTrace {
    let times: Vec<i64> = (0..1000).map(|i| 1_772_445_600_000 + i * 60_000).collect();
    trace(&times)
}

fn ids(workload: &Workload) -> BTreeSet<String> {
    workload.runs.iter().map(|run| run.run_id.to_string()).collect()
}

fn with_arrivals(arrivals: f64) -> Workload {
    let options = WorkloadOptions { arrivals, ..WorkloadOptions::default() };
    to_workload(&many(), &options)
}

#[test]
fn long_traces_start_at_the_full_hour_and_short_ones_at_once() {
    let long = to_workload(&many(), &WorkloadOptions::default());
    assert_eq!(long.epoch_ms, 1_772_409_600_000 + 10 * 3_600_000);
    assert_eq!(long.runs.first_submission(), Some(SimTime::ZERO));
    let short = to_workload(&trace(&[5_000, 3_000, 5_000]), &WorkloadOptions::default());
    assert_eq!(short.epoch_ms, 3_000);
    let order: Vec<_> = short.runs.iter().map(|run| run.run_id.to_string()).collect();
    assert_eq!(order, ["r1", "r0", "r2"]);
    assert_eq!(short.teams, [NO_TEAM]);
    assert_eq!(short.applications, ["app0", "app1", "app2"]);
}

#[test]
fn growth_only_adds_runs() {
    let half = with_arrivals(0.5);
    let same = with_arrivals(1.0);
    let more = with_arrivals(1.2);
    let twice = with_arrivals(2.0);
    assert!((430..570).contains(&half.runs.len()), "{}", half.runs.len());
    assert!((1150..1250).contains(&more.runs.len()), "{}", more.runs.len());
    assert_eq!(twice.runs.len(), 2000);
    assert!(ids(&half).is_subset(&ids(&same)));
    assert!(ids(&same).is_subset(&ids(&more)));
    assert!(ids(&more).is_subset(&ids(&twice)));
    assert!(ids(&twice).contains("r7~2"));
    assert_eq!(ids(&twice).len(), 2000);
    assert!(twice.runs.iter().is_sorted_by_key(|run| run.submitted_at));
    let last = same.last_submission();
    assert!(twice.last_submission() <= last, "copies stay within the span");
    assert_eq!(with_arrivals(0.0).runs.len(), 0);
}

#[test]
fn resampling_draws_at_the_rate_asked_for() {
    let options = WorkloadOptions {
        arrivals: 1.5,
        resample: Some(Resample { runs_per_day: 800.0, days: 10.0 }),
        seed: Seed::new(3),
        ..WorkloadOptions::default()
    };
    let workload = to_workload(&many(), &options);
    assert!((11_500..12_500).contains(&workload.runs.len()), "{}", workload.runs.len());
    assert_eq!(ids(&workload).len(), workload.runs.len(), "ids are unique");
    let again = to_workload(&many(), &options);
    assert_eq!(format!("{workload:?}"), format!("{again:?}"));
}

#[test]
fn nonsense_is_refused_and_does_not_run_away() {
    let trace = many();
    for arrivals in [f64::NAN, -1.0, 1e12, f64::INFINITY] {
        let options = WorkloadOptions { arrivals, ..WorkloadOptions::default() };
        assert!(options.check(&trace).is_err(), "{arrivals}");
    }
    let options = WorkloadOptions {
        resample: Some(Resample { runs_per_day: 0.0, days: f64::NAN }),
        ..WorkloadOptions::default()
    };
    let error = options.check(&LoadedTrace::default()).expect_err("refused").to_string();
    assert_eq!(error.lines().count(), 3, "{error}");
    assert!(to_workload(&LoadedTrace::default(), &options).runs.is_empty());
}

#[test]
fn a_trace_of_centuries_is_refused_with_the_times_that_make_it_one() {
    let times = [1_772_445_600_000, 0, 253_402_000_000_000];
    let options = WorkloadOptions::default();
    let error = options.check(&trace(&times)).expect_err("refused").to_string();
    for part in [" years, from", "run r1 at 1970-01-01T00:00:00.000Z", "run r2 at 9999-12-2"] {
        assert!(error.contains(part), "{error}\nlacks {part}");
    }
    assert!(options.check(&trace(&times[..2])).is_ok());
    // The times of the recording do not matter to what is drawn from it.
    let resampled = |days| WorkloadOptions {
        resample: Some(Resample { runs_per_day: 0.001, days }),
        ..options
    };
    assert!(resampled(1.0).check(&trace(&times)).is_ok());
    let error = resampled(1e9).check(&trace(&times)).expect_err("refused").to_string();
    assert!(error.contains("resample.days: 1000000000"), "{error}");
}

#[test]
fn runs_are_rescaled_and_their_copies_share_stages() {
    let mut recorded = trace(&[0]);
    let stage = sim::workload::Stage {
        tasks: sim::workload::TaskDurations::from_millis(vec![100, 200]),
        ..Default::default()
    };
    recorded.runs[0].run.stages = Some(vec![stage].into());
    let rescale = Rescale { input: 2.0, ..Rescale::default() };
    let options = WorkloadOptions { arrivals: 2.0, rescale, ..WorkloadOptions::default() };
    assert!(options.check(&recorded).is_ok());
    let workload = to_workload(&recorded, &options);
    let stages: Vec<_> = workload.runs.iter().filter_map(|run| run.stages.clone()).collect();
    assert_eq!(stages[0][0].tasks.count(), 4);
    assert!(std::sync::Arc::ptr_eq(&stages[0], &stages[1]));
    let wrong = Rescale { input: -1.0, cpu_speed: f64::NAN, ..Rescale::default() };
    let wrong = WorkloadOptions { rescale: wrong, ..WorkloadOptions::default() };
    let message = wrong.check(&recorded).unwrap_err().to_string();
    assert!(message.contains("scale.input") && message.contains("scale.cpuSpeed"), "{message}");
}

#[test]
fn a_trace_that_is_not_needed_any_more_makes_the_same_workload() {
    let mut recorded = many();
    recorded.runs[3].depends_on = Some(recorded.runs[1].run.run_id.to_string());
    recorded.pods.push(TracePod { name: "p".into(), ..TracePod::default() });
    for arrivals in [1.0, 1.5] {
        let options = WorkloadOptions { arrivals, ..WorkloadOptions::default() };
        let copied = format!("{:?}", to_workload(&recorded, &options));
        let again = LoadedTrace {
            runs: recorded.runs.clone(),
            pods: recorded.pods.clone(),
            ..LoadedTrace::default()
        };
        assert_eq!(format!("{:?}", into_workload(again, &options)), copied);
    }
}
