//! Files to a folder, and the folder to the same trace.

use std::path::{Path, PathBuf};

use crate::table::Format;
use crate::{TraceError, TraceSource, ingest, inspect, load};

const RUNS: &str = "run_id,application,submitted_at,duration_s,attempt,retry_of,depends_on\n\
                    a,app,2026-03-02T10:00:00Z,5,1,,\n\
                    a2,app,2026-03-02T10:01:00Z,5,2,a,\n\
                    b,app,2026-03-02T10:02:00Z,5,1,,a;z\n\
                    c,app,never,5,1,,a\n";
const STAGES: &str = "run_id,stage_id,tasks,task_ms\nb,0,2,5;6\nz,0,2,5;6\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("written");
    }
    folder
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn quiet(_: u64) {}

#[test]
fn an_ingested_folder_loads_as_what_went_in() {
    let given = folder(&[("runs.csv", RUNS), ("stages.csv", STAGES)]);
    let out = tempfile::tempdir().expect("a folder");
    for format in [Format::Csv, Format::Parquet] {
        let target = out.path().join(format.ending());
        let report = ingest(&[given.path().to_owned()], &target, format, &quiet).expect("ingested");
        assert_eq!((report.runs, report.stages, report.pods), (2, 1, 0));
        let counts = report.tables[0].counts;
        assert_eq!((counts.rows, counts.kept, counts.bad, counts.folded), (4, 2, 1, 1));
        let ending = format.ending();
        assert_eq!(
            names_in(&target),
            ["findings.json".to_owned(), format!("runs.{ending}"), format!("stages.{ending}")]
        );
        let before = load(&[TraceSource::JobTable(given.path().to_owned())], &quiet).expect("read");
        let after = load(&[TraceSource::JobTable(target)], &quiet).expect("read");
        assert_eq!(format!("{:?}", before.runs), format!("{:?}", after.runs));
        let codes: Vec<&str> = before.findings.iter().map(|found| found.code.as_str()).collect();
        for code in ["bad-value", "retry-folded", "stages-without-run", "depends-on-nothing"] {
            assert!(codes.contains(&code), "{code} in {codes:?}");
        }
        let grown = crate::WorkloadOptions { arrivals: 2.0, ..crate::WorkloadOptions::default() };
        let mut workload = crate::to_workload(&after, &grown);
        let runs = workload.runs.list();
        let of = |id: &str| runs.iter().find(|run| &*run.run_id == id).expect("it is there");
        let parents = |id: &str| -> Vec<&str> {
            let places = of(id).depends_on.iter();
            places.map(|place| &*runs[*place as usize].run_id).collect()
        };
        assert_eq!(parents("b"), ["a"], "{ending}");
        assert!(parents("a").is_empty());
        // A copy's parent is its own copy, where that comes before it.
        assert!(parents("b~2").iter().all(|parent| *parent == "a~2"));
    }
}

#[test]
fn nothing_is_written_over_an_error_or_beside_another_trace() {
    let given = folder(&[("runs.csv", RUNS), ("empty.csv", "run_id,application\n")]);
    let out = tempfile::tempdir().expect("a folder");
    let target = out.path().join("trace");
    let paths = [given.path().join("runs.csv"), given.path().join("empty.csv")];
    assert!(matches!(
        ingest(&paths, &target, Format::Csv, &quiet),
        Err(TraceError::Columns { .. })
    ));
    assert!(!target.exists());
    let other = folder(&[("stages.parquet", "")]);
    let error = ingest(&paths[..1], other.path(), Format::Csv, &quiet).expect_err("refused");
    assert!(error.to_string().contains("stages.parquet"), "{error}");
    assert_eq!(names_in(other.path()), ["stages.parquet"]);
}

#[test]
fn the_same_file_twice_is_told_apart() {
    let given = folder(&[("day.csv", RUNS)]);
    let source = TraceSource::JobTable(given.path().join("day.csv"));
    let trace = load(&[source.clone(), source], &quiet).expect("read");
    let ids: Vec<&str> = trace.runs.iter().map(|run| &*run.run.run_id).collect();
    assert_eq!(ids, ["a", "b", "a#2", "b#2"]);
    let found = trace.findings.iter().find(|found| found.code == "duplicate-run-id");
    assert_eq!(found.map(|found| found.count), Some(2));
}

#[test]
fn kinds_of_recordings_are_told_apart() {
    let given = folder(&[
        ("a.csv", RUNS),
        ("b.csv", "pod,created_s,duration_s,cpu_milli,memory_mib\n"),
        ("c.swf", ""),
        ("app-1.zstd", ""),
    ]);
    let kind = |name: &str| TraceSource::detect(&given.path().join(name)).expect("there");
    assert!(matches!(kind("a.csv"), TraceSource::JobTable(_)));
    assert!(matches!(kind("b.csv"), TraceSource::Pods(_)));
    assert!(matches!(kind("c.swf"), TraceSource::Swf(_)));
    assert!(matches!(kind("app-1.zstd"), TraceSource::EventLogs(_)));
    assert!(TraceSource::detect(Path::new("/nowhere")).is_err());
}

/// The recorded event logs, where they are.
fn recorded() -> Option<PathBuf> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/spark/recorded");
    let path = PathBuf::from(path);
    if !path.is_dir() {
        eprintln!("skipped: {} is not here", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn event_logs_become_a_trace_that_reads_back() {
    let Some(path) = recorded() else { return };
    let out = tempfile::tempdir().expect("a folder");
    let target = out.path().join("trace");
    let report =
        ingest(std::slice::from_ref(&path), &target, Format::Parquet, &quiet).expect("ingested");
    assert!(report.runs > 10 && report.stages > report.runs, "{} runs", report.runs);
    assert!(names_in(&target).contains(&"eventlogs.csv".to_owned()));
    let before = load(&[TraceSource::EventLogs(path)], &quiet).expect("read");
    let after = load(&[TraceSource::JobTable(target)], &quiet).expect("read");
    assert_eq!(after.findings, []);
    assert_eq!(before.runs.len(), after.runs.len());
    for (before, after) in before.runs.iter().zip(&after.runs) {
        // What the recording met is no part of the trace.
        let mut before = before.clone();
        before.run.recording = None;
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
    }
    let seen = inspect(&after);
    assert_eq!(seen.runs_with_stages, seen.runs);
}
