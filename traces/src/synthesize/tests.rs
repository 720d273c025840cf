//! Statistics of made traces.

use std::collections::{BTreeMap, BTreeSet};

use sim::workload::{Failure, RunOutcome};

use super::*;
use crate::inspect::Quantiles;

fn day() -> Vec<RunRow> {
    synthesize_rows(&SynthOptions::default())
}

fn share(rows: &[RunRow], says: impl Fn(&RunRow) -> bool) -> f64 {
    rows.iter().filter(|row| says(row)).count() as f64 / rows.len() as f64
}

#[track_caller]
fn check_near(name: &str, found: f64, low: f64, high: f64) {
    assert!((low..=high).contains(&found), "{name}: {found}, not in {low}..={high}");
}

#[test]
fn the_same_options_give_the_same_runs_and_another_seed_others() {
    let options = SynthOptions { runs_per_day: 300.0, days: 3, ..SynthOptions::default() };
    let text = |options: &SynthOptions| format!("{:?}", synthesize_rows(options));
    assert_eq!(text(&options), text(&options));
    let other = SynthOptions { seed: Seed::new(1), ..options.clone() };
    assert_ne!(text(&options), text(&other));
    // A longer trace begins as the shorter one does.
    let longer = SynthOptions { days: 4, ..options.clone() };
    let ids = |options: &SynthOptions| -> BTreeSet<String> {
        let rows = synthesize_rows(options);
        rows.iter().map(|row| format!("{row:?}")).collect()
    };
    assert!(ids(&options).is_subset(&ids(&longer)));
}

#[test]
fn a_day_is_like_flotillas() {
    let rows = day();
    check_near("runs", rows.len() as f64, 7_600.0, 8_400.0);
    let trigger =
        |name: &'static str| share(&rows, |row| row.lowered.trigger.as_deref() == Some(name));
    check_near("scheduled", trigger("schedule"), 0.66, 0.74);
    check_near("external", trigger("event"), 0.11, 0.17);
    check_near("ad hoc", trigger("adhoc"), 0.12, 0.20);
    let ids: BTreeSet<&str> = rows.iter().map(|row| &*row.lowered.run.run_id).collect();
    assert_eq!(ids.len(), rows.len(), "ids are unique");
    let applications: BTreeSet<&str> =
        rows.iter().map(|row| row.lowered.application.as_str()).collect();
    check_near("applications", applications.len() as f64, 1_200.0, 1_700.0);
    let mut owners: BTreeMap<&str, f64> = BTreeMap::new();
    for row in &rows {
        *owners.entry(&row.lowered.team).or_default() += 1.0;
    }
    check_near("owners", owners.len() as f64, 95.0, 100.0);
    let busiest = owners.values().fold(0.0_f64, |most, runs| most.max(*runs));
    check_near("busiest owner", busiest / rows.len() as f64, 0.03, 0.20);
}

#[test]
fn failures_come_at_the_rates_asked_for() {
    for seed in 0..4 {
        let rows =
            synthesize_rows(&SynthOptions { seed: Seed::new(seed), ..SynthOptions::default() });
        let failed = |cause: Failure| share(&rows, |row| row.lowered.run.failure == Some(cause));
        check_near("executor OOM", failed(Failure::ExecutorOom), 0.030, 0.050);
        check_near("driver OOM", failed(Failure::DriverOom), 0.003, 0.010);
        check_near("timeout", failed(Failure::Timeout), 0.002, 0.012);
        check_near("application", failed(Failure::Application), 0.012, 0.028);
        check_near("transient", failed(Failure::Transient), 0.008, 0.016);
        let short = |row: &RunRow| {
            let run = &row.lowered.run;
            let heap = run.executor_memory.expect("configured");
            let container = heap + run.executor_memory_overhead.expect("configured");
            run.peak_executor_memory.expect("known") > container
        };
        for row in &rows {
            let run = &row.lowered.run;
            assert_eq!(run.failure.is_some(), run.outcome == RunOutcome::Failed);
            if run.failure == Some(Failure::ExecutorOom) {
                assert!(short(row), "{row:?}");
            }
            if run.outcome == RunOutcome::Succeeded {
                assert!(!short(row), "{row:?}");
                assert_eq!(row.exit_code, Some(0));
            }
        }
    }
}

#[test]
fn work_has_the_mean_asked_for_and_a_heavy_tail() {
    for seed in 0..4 {
        let rows =
            synthesize_rows(&SynthOptions { seed: Seed::new(seed), ..SynthOptions::default() });
        let work = |row: &RunRow| {
            let time = row.lowered.run.executor_task_time.expect("known");
            time.as_millis() as f64 / 3_600_000.0
        };
        let all: Vec<f64> = rows.iter().map(work).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        check_near("core-hours", mean, 0.65, 0.95);
        let quantiles = Quantiles::of(all).expect("some");
        check_near("p99 over p50", quantiles.p99 / quantiles.p50, 20.0, 300.0);
        let tasks: f64 = rows.iter().filter_map(|row| row.lowered.run.tasks).map(f64::from).sum();
        check_near("tasks", tasks / rows.len() as f64, 150.0, 700.0);
        let nodes = peak_cores(&rows) / 16.0;
        check_near("16-core nodes at the peak", nodes, 100.0, 300.0);
    }
}

/// The most cores asked for at one time, if every run had all its executors for all its time.
fn peak_cores(rows: &[RunRow]) -> f64 {
    let mut changes: Vec<(i64, i64)> = Vec::new();
    for row in rows {
        let run = &row.lowered.run;
        let executors = run.executors_max.expect("configured");
        let cores = i64::from(executors * run.executor_cores.expect("configured")) + 1;
        let from = row.lowered.submitted_at_ms;
        let duration = run.duration.expect("known").as_millis() as i64;
        changes.push((from, cores));
        changes.push((from + duration, -cores));
    }
    changes.sort_unstable();
    let (mut now, mut most) = (0, 0);
    for (_, change) in changes {
        now += change;
        most = most.max(now);
    }
    most as f64
}

#[test]
fn schedules_peak_on_the_hour_and_people_work_by_day() {
    let rows = day();
    let minute = |row: &RunRow| row.lowered.submitted_at_ms / 60_000 % 60;
    let scheduled = |row: &RunRow| row.lowered.trigger.as_deref() == Some("schedule");
    let at =
        |wanted: i64| rows.iter().filter(|row| scheduled(row) && minute(row) == wanted).count();
    let usual = at(17).max(at(43)).max(1);
    assert!(at(0) > 10 * usual, "{} on the hour, {usual} else", at(0));
    assert!(at(30) > 4 * usual, "{} on the half-hour, {usual} else", at(30));
    let office = |row: &RunRow| (8..19).contains(&(row.lowered.submitted_at_ms / 3_600_000 % 24));
    let adhoc: Vec<RunRow> = rows
        .iter()
        .filter(|row| row.lowered.trigger.as_deref() == Some("adhoc"))
        .cloned()
        .collect();
    check_near("ad hoc in office hours", share(&adhoc, office), 0.85, 1.0);
    let week = synthesize_rows(&SynthOptions {
        runs_per_day: 2_000.0,
        days: 7,
        ..SynthOptions::default()
    });
    let start = SynthOptions::default().start_epoch_ms;
    let on_day = |day: i64| {
        let people = |row: &&RunRow| {
            row.lowered.trigger.as_deref() == Some("adhoc")
                && (row.lowered.submitted_at_ms - start).div_euclid(86_400_000) == day
        };
        week.iter().filter(people).count() as f64
    };
    check_near("Saturday over Wednesday", on_day(5) / on_day(2), 0.02, 0.4);
}

#[test]
fn workflows_run_in_order() {
    let rows = day();
    let by_id: BTreeMap<&str, &RunRow> =
        rows.iter().map(|row| (&*row.lowered.run.run_id, row)).collect();
    let mut dependent = 0;
    for row in &rows {
        let Some(before) = &row.depends_on else {
            continue;
        };
        dependent += 1;
        let before = by_id[before.as_str()];
        let end = before.lowered.submitted_at_ms
            + before.lowered.run.duration.expect("known").as_millis() as i64;
        assert!(row.lowered.submitted_at_ms > end, "{row:?}");
        assert_eq!(before.lowered.team, row.lowered.team);
    }
    check_near("dependent runs", f64::from(dependent), 100.0, 400.0);
}

#[test]
fn small_platforms_and_odd_shares_work() {
    for (runs_per_day, scheduled, external) in [(1.0, 1.0, 0.0), (5.0, 0.0, 1.0), (9.0, 0.0, 0.0)] {
        let options = SynthOptions {
            runs_per_day,
            scheduled_share: scheduled,
            external_share: external,
            owners: 1,
            days: 20,
            executor_oom_share: 0.0,
            driver_oom_share: 0.0,
            ..SynthOptions::default()
        };
        let rows = synthesize_rows(&options);
        assert!(rows.iter().all(|row| row.lowered.run.failure != Some(Failure::ExecutorOom)));
        let per_day = rows.len() as f64 / 20.0;
        check_near("runs a day", per_day / runs_per_day, 0.3, 2.0);
    }
}

#[test]
fn nonsense_is_refused_all_at_once() {
    let options = SynthOptions {
        runs_per_day: f64::NAN,
        days: 0,
        owners: 0,
        scheduled_share: 0.9,
        external_share: 0.9,
        critical_share: 2.0,
        ..SynthOptions::default()
    };
    let error = options.check().expect_err("refused").to_string();
    assert_eq!(error.lines().count(), 5, "{error}");
}

#[test]
fn a_made_trace_reads_back_and_lints_clean() {
    let options = SynthOptions { runs_per_day: 400.0, ..SynthOptions::default() };
    let rows = synthesize_rows(&options);
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["runs.csv", "runs.parquet"] {
        let path = folder.path().join(name);
        crate::canonical::write_runs(&path, &rows).expect("written");
        let mut table = crate::canonical::read_runs(&path).expect("read");
        assert_eq!(table.findings, []);
        for row in &mut table.rows {
            row.line = 0;
        }
        assert_eq!(format!("{:?}", table.rows), format!("{rows:?}"));
    }
    let trace = crate::LoadedTrace { runs: synthesize(&options), ..crate::LoadedTrace::default() };
    assert_eq!(crate::lint(&trace), []);
}

#[test]
fn days_one_by_one_are_the_whole() {
    let options = SynthOptions { runs_per_day: 300.0, days: 3, ..SynthOptions::default() };
    let days: Vec<Vec<RunRow>> = synthesize_days(&options).collect();
    assert_eq!(days.len(), 3);
    let rows: Vec<RunRow> = days.iter().flatten().cloned().collect();
    let key = |row: &RunRow| (row.lowered.submitted_at_ms, row.lowered.run.run_id.clone());
    assert!(rows.is_sorted_by_key(key));
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (folder.path().join("one.csv"), folder.path().join("other.csv"));
    crate::canonical::write_runs(&one, &rows).expect("written");
    let count = crate::canonical::write_runs_csv(&other, days).expect("written");
    assert_eq!(count, rows.len() as u64);
    assert!(std::fs::read(one).expect("there") == std::fs::read(other).expect("there"));
}

/// `traces/samples/platform-day.csv` is the day of the default options. Where it differs although
/// nothing was changed, the platform's math library shows through the rounding.
#[test]
fn the_committed_sample_is_the_default_day() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/platform-day.csv");
    let path = std::path::Path::new(path);
    let folder = tempfile::tempdir().expect("a folder");
    let made = folder.path().join("runs.csv");
    crate::canonical::write_runs(&made, &day()).expect("written");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::copy(&made, path).expect("samples/ can be written");
    }
    let (made, committed) = (std::fs::read(made), std::fs::read(path));
    assert!(
        made.expect("written") == committed.unwrap_or_default(),
        "samples/platform-day.csv is stale: run UPDATE_EXPECT=1 cargo test -p traces"
    );
}
