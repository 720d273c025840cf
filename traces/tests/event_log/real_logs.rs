//! All logs of the shared data folder: against what their manifests say of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sim::workload::{Failure, RunOutcome};
use traces::event_log::{
    Codec, EventLogReport, EventLogs, Layout, RecordedApplication, Status, read_event_logs,
};

/// The shared data, where it is there.
fn data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/spark");
    if data.is_dir() {
        return Some(data);
    }
    eprintln!("skipped: no shared data");
    None
}

fn read(folder: &Path) -> EventLogs {
    let logs = read_event_logs(&[folder.to_owned()], &|_| ());
    for report in &logs.reports {
        assert!(report.adds_up(), "{report:?}");
        let found = logs.applications.iter().filter(|one| one.path == report.path);
        assert_eq!(found.count() as u64, report.applications);
    }
    for application in &logs.applications {
        check_run(application);
    }
    logs
}

/// What holds for every application, whatever its log.
#[track_caller]
fn check_run(application: &RecordedApplication) {
    let lowered = application.to_run();
    let run = lowered.run;
    let stages = run.stages.as_deref().unwrap_or_default();
    let id = &application.run_id;
    let tasks: u64 = stages.iter().map(|stage| u64::from(stage.tasks.count())).sum();
    let counts = &application.tasks;
    assert_eq!(u64::from(run.tasks.unwrap()), tasks, "{id}");
    assert_eq!(tasks, counts.succeeded - counts.repeated, "{id}");
    let work = run.executor_task_time.unwrap().as_millis();
    assert_eq!(work, counts.succeeded_ms - counts.repeated_ms, "{id}");
    assert!(run.driver_only.unwrap() <= run.duration.unwrap(), "{id}");
    for (place, stage) in stages.iter().enumerate() {
        assert!(stage.parents.iter().all(|parent| (*parent as usize) < place), "{id}");
        assert!(stage.tasks.count() > 0, "{id}");
    }
    check_chain(application);
}

/// Following the longest chain of gaps and recorded stage times never passes the recorded end: a
/// stage starts when the last task of its parents ended plus its gap: at its submission, or at its
/// first task's launch where only the driver was waited for.
#[track_caller]
fn check_chain(application: &RecordedApplication) {
    let run = application.to_run().run;
    let by_id: BTreeMap<u32, _> =
        application.stages.iter().map(|stage| (stage.stage_id, stage)).collect();
    for stage in run.stages.as_deref().unwrap_or_default() {
        let recorded = by_id[&stage.stage_id];
        let submitted = recorded.submitted_ms();
        let ready = stage.parents.iter().map(|parent| {
            let parent = &run.stages.as_ref().unwrap()[*parent as usize];
            by_id[&parent.stage_id].over_before(submitted).unwrap_or(submitted)
        });
        let ready = ready.max().unwrap_or(application.started_ms);
        let start = ready + stage.driver_gap.as_millis() as i64;
        assert!(start >= submitted, "{} stage {}", application.run_id, stage.stage_id);
        let launched = recorded.first_launch_ms.unwrap_or(submitted);
        assert!(start <= submitted.max(launched).max(ready), "{}", application.run_id);
    }
}

#[test]
fn the_collected_logs_hold_what_their_manifest_says() {
    let Some(data) = data() else { return };
    let folder = data.join("eventlogs");
    let logs = read(&folder);
    let mut manifest = csv::Reader::from_path(folder.join("MANIFEST.csv")).unwrap();
    let mut rows = 0;
    for row in manifest.deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        let path = folder.join(&row["file"]);
        let report = logs.reports.iter().find(|report| report.path == path);
        check_against_manifest(&row, report.expect("every log is found"), &logs);
        rows += 1;
    }
    assert_eq!(rows, 70);
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in &logs.findings {
        *codes.entry(finding.code.as_str()).or_default() += 1;
    }
    let expected = [
        ("duplicate-application", 8),
        ("executors-added-again", 1),
        ("executors-from-tasks", 7),
        ("jobs-without-end", 1),
        ("jobs-without-start", 1),
        ("malformed-lines", 1),
        ("no-event-log", 2),
        ("repeated-tasks", 1),
        ("stages-without-tasks", 3),
        ("unfinished-application", 9),
        ("unsuccessful-task-attempts", 7),
    ];
    assert_eq!(codes, BTreeMap::from(expected));
    // The manifest itself is in the folder and is no log.
    assert_eq!(logs.reports.len(), 71);
}

fn check_against_manifest(
    row: &BTreeMap<String, String>,
    report: &EventLogReport,
    logs: &EventLogs,
) {
    let file = row["file"].as_str();
    let applications = logs.applications.iter().filter(|one| one.path == report.path);
    let applications: Vec<_> = applications.collect();
    if row["app_name"].is_empty() {
        assert_eq!(file, "spark-rapids-tools/profiling/driverlog");
        assert!(matches!(report.status, Status::Refused(_)));
        assert!(applications.is_empty());
        return;
    }
    let [application] = applications[..] else {
        panic!("{file}: {} applications", applications.len());
    };
    let number = |column: &str| row[column].parse::<u64>().unwrap();
    assert_eq!(application.name, row["app_name"], "{file}");
    // The manifest counts job starts. One log has five job ends more than starts: it was cut down
    // by its publishers.
    let started = application.jobs.iter().filter(|job| job.has_start);
    assert_eq!(started.count() as u64, number("jobs"), "{file}: jobs");
    assert_eq!(application.stages.len() as u64, number("stages"), "{file}: stages");
    assert_eq!(application.tasks.ended(), number("tasks"), "{file}: tasks");
    // The manifest counts executors that were added; where none was, tasks show them.
    if number("executors") > 0 || application.tasks.ended() == 0 {
        assert_eq!(application.executors.len() as u64, number("executors"), "{file}: executors");
    } else {
        assert!(!application.executors.is_empty(), "{file}: executors of its tasks");
    }
    let version = application.spark_version.as_deref().unwrap_or("");
    assert_eq!(version, row["spark_version"], "{file}: version");
    let ended = if application.ended_ms.is_some() { "yes" } else { "no" };
    assert_eq!(ended, row["has_app_end"], "{file}");
    let duration = application.ended_or_last_ms() - application.started_ms;
    // For a log without an end, the manifest took the last task's time; here any event counts.
    let later = duration - number("duration_ms") as i64;
    let later_max = if application.ended_ms.is_some() { 0 } else { 1 };
    assert!((0..=later_max).contains(&later), "{file}: {later} ms later");
    let failures: BTreeMap<&str, u64> = row["failures"]
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .map(|(reason, count)| (reason, count.parse().unwrap()))
        .collect();
    for (reason, count) in &application.tasks.not_succeeded {
        assert_eq!(failures.get(reason.as_str()), Some(count), "{file}: {reason}");
    }
    assert_eq!(report.malformed, failures.get("bad_lines").copied().unwrap_or(0), "{file}");
}

#[test]
fn our_recordings_agree_with_what_was_measured() {
    let Some(data) = data() else { return };
    let folder = data.join("recorded");
    let logs = read(&folder);
    let mut truth = csv::Reader::from_path(folder.join("truth.csv")).unwrap();
    let mut rows = 0;
    for row in truth.deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        let file = &row["event_log"];
        let number = |column: &str| row[column].parse::<i64>().unwrap();
        let path = folder.join(file);
        let application = logs.applications.iter().find(|one| one.path == path).unwrap();
        let lowered = application.to_run();
        assert_eq!(application.tasks.succeeded as i64, number("tasks_succeeded"), "{file}");
        assert_eq!(i64::from(lowered.run.tasks.unwrap()), number("tasks_succeeded"), "{file}");
        assert_eq!(application.tasks.ended() as i64, number("tasks_succeeded"), "{file}");
        let work = lowered.run.executor_task_time.unwrap().as_millis();
        assert_eq!(work as i64, number("task_wall_ms"), "{file}");
        assert_eq!(application.executors.len() as i64, number("executors_added"), "{file}");
        assert_eq!(i64::from(application.executors_peak()), number("peak_executors"), "{file}");
        let first = application.jobs.iter().map(|job| job.submitted_ms).min().unwrap();
        let last = application.jobs.iter().filter_map(|job| job.completed_ms).max().unwrap();
        assert_eq!(first, number("first_job_submitted_ms"), "{file}");
        assert_eq!(last, number("last_job_ended_ms"), "{file}");
        assert_eq!(application.spark_version.as_deref(), Some("3.5.9"), "{file}");
        check_configuration(application, &row);
        check_first_gap(application, first);
        assert_eq!(lowered.run.outcome, RunOutcome::Succeeded, "{file}");
        rows += 1;
    }
    assert_eq!(rows, 35);
    assert_eq!(logs.applications.len(), 35);
}

#[track_caller]
fn check_configuration(application: &RecordedApplication, row: &BTreeMap<String, String>) {
    let configuration = &application.configuration;
    let executors: u32 = row["executors_max"].parse().unwrap();
    let cores: u32 = row["cores_per_executor"].parse().unwrap();
    assert_eq!(configuration.executor_cores, Some(cores), "{}", application.name);
    assert_eq!(configuration.executors_max, Some(executors), "{}", application.name);
    let dynamic = row["configuration"].starts_with("da8");
    assert_eq!(configuration.dynamic_allocation.unwrap_or(false), dynamic, "{row:?}");
    // The dynamic ones were recorded with a minimum of 1.
    let expected = if dynamic { 1 } else { executors };
    assert_eq!(configuration.executors_min, Some(expected), "{}", application.name);
}

/// The first gap is the driver's: it does not contain the wait for executors.
#[track_caller]
fn check_first_gap(application: &RecordedApplication, first_job_ms: i64) {
    let run = application.to_run().run;
    let gap = run.stages.unwrap()[0].driver_gap.as_millis() as i64;
    let to_job = first_job_ms - application.started_ms;
    assert!((0..300).contains(&(gap - to_job)), "{}: {gap} {to_job}", application.name);
}

/// File, codec, outcome, cause, unsuccessful attempts, repeated tasks, lost executors.
type Fault<'a> = (&'a str, Codec, RunOutcome, Option<Failure>, &'a [(&'a str, u64)], u64, usize);

#[test]
fn faults_are_told_apart() {
    use RunOutcome::{Failed, Succeeded};
    let Some(data) = data() else { return };
    let folder = data.join("recorded-faults");
    let logs = read(&folder);
    let lost_137 = [("ExecutorLostFailure", 1), ("FetchFailed", 4)];
    let lost_52 = [
        ("ExceptionFailure", 1),
        ("ExecutorLostFailure", 1),
        ("FetchFailed", 3),
        ("Resubmitted", 1),
    ];
    let killed = [("ExecutorLostFailure", 1), ("Resubmitted", 6)];
    let (plain, lz4, zstd) = (Codec::Plain, Codec::Lz4Java, Codec::Zstd);
    let application = Some(Failure::Application);
    let expected: [Fault<'_>; 9] = [
        ("etl_abort_n4.json", plain, Failed, application, &[("ExceptionFailure", 4)], 0, 0),
        ("etl_halt137_n4.json.lz4", lz4, Succeeded, None, &lost_137, 9, 1),
        ("etl_oom_n4.json", plain, Succeeded, None, &lost_52, 14, 1),
        ("etl_skew_n4_kill1_8s.json.zstd", zstd, Succeeded, None, &killed, 6, 1),
        ("etl_straggler_n8_nospec.json", plain, Succeeded, None, &[], 0, 0),
        (
            "etl_throw_n4.json.snappy",
            Codec::SnappyJava,
            Succeeded,
            None,
            &[("ExceptionFailure", 3)],
            0,
            0,
        ),
        ("eventlog_v2_etl_skew_spark43_n4", zstd, Succeeded, None, &[], 0, 0),
        ("eventlog_v2_etl_straggler_n8_spec", zstd, Succeeded, None, &[], 0, 0),
        ("longtail_gap_da16_i5_shuffle_timeout_5s.json", plain, Succeeded, None, &[], 0, 27),
    ];
    assert_eq!(logs.applications.len(), expected.len());
    // Executors took shuffle files with them; the second job computed 39 of 40 parts again.
    let again = logs.findings.iter().filter(|one| one.code == "stages-recomputed");
    let again: Vec<_> = again.map(|one| (one.subject.as_str(), one.count)).collect();
    let longtail = folder.join("longtail_gap_da16_i5_shuffle_timeout_5s.json");
    assert_eq!(again, [(longtail.to_str().unwrap(), 1)]);
    for (file, codec, outcome, cause, reasons, repeated, lost) in expected {
        let path = folder.join(file);
        let report = logs.reports.iter().find(|report| report.path == path).unwrap();
        assert_eq!(report.codec, Some(codec), "{file}");
        assert_eq!(report.status, Status::Read, "{file}");
        let rolled = report.layout == Some(Layout::Rolling);
        assert_eq!(rolled, file.starts_with("eventlog_v2_"), "{file}");
        let one = logs.applications.iter().find(|one| one.path == path).unwrap();
        assert_eq!((one.outcome, one.failure), (outcome, cause), "{file}");
        let found: Vec<_> = one.tasks.not_succeeded.iter().map(|(r, n)| (&**r, *n)).collect();
        assert_eq!(found, reasons, "{file}");
        assert_eq!(one.tasks.repeated, repeated, "{file}");
        let removed = one.executors.iter().filter(|one| one.removed_ms.is_some());
        assert_eq!(removed.count(), lost, "{file}");
        // The warm-up job is an ordinary one; the dynamic recording had none.
        let warm_up = one.jobs[0].group.as_deref() == Some("warmup");
        assert_eq!(warm_up, !file.starts_with("longtail"), "{file}");
    }
}
