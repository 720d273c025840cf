use std::path::Path;

use sim::Workload;

use super::*;
use crate::canonical::write_runs;
use crate::{Recorded, SynthOptions, TraceSource, WorkloadOptions, load, record, synthesize_rows};

const HEADER: &str = "run_id,application,team,submitted_at,duration_s,outcome,failure_message,\
                      attempt,retry_of,depends_on\n";

fn options(threshold: usize) -> SpoolOptions {
    SpoolOptions { threshold, ..SpoolOptions::default() }
}

/// Everything that can be told of a trace, by both ways of reading.
#[track_caller]
fn check(sources: &[TraceSource], threshold: usize, spooled: bool) {
    let quiet = |_: u64| {};
    let tell = |trace: Recorded| {
        let plain = WorkloadOptions::default();
        let seen = format!("{:?}\n{:?}\n{:?}", trace.findings(), trace.tables(), trace.gap());
        let problem = trace.check(&plain).err().map(|error| error.to_string());
        let workload: Workload = trace.into_workload(&plain);
        format!("{seen}\n{problem:?}\n{workload:?}")
    };
    let listed = Recorded::Listed(load(sources, &quiet).unwrap());
    let recorded = record(sources, &options(threshold), &quiet).unwrap();
    assert_eq!(matches!(recorded, Recorded::Spooled(_)), spooled);
    assert_eq!(tell(recorded), tell(listed));
}

#[track_caller]
fn check_rows(rows: &str, threshold: usize, spooled: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.csv");
    std::fs::write(&path, format!("{HEADER}{rows}")).unwrap();
    check(&[TraceSource::JobTable(path)], threshold, spooled);
}

fn written(path: &Path) -> TraceSource {
    let rows = synthesize_rows(&SynthOptions { runs_per_day: 600.0, ..SynthOptions::default() });
    assert!(rows.iter().any(|row| row.depends_on.is_some()), "dependencies are to be looked at");
    write_runs(path, &rows).unwrap();
    TraceSource::JobTable(path.to_owned())
}

const PLAIN: &str = "a,etl,data,2026-03-02T00:00:00Z,60,,,,,\n\
                     b,etl,,2026-03-02T00:00:01Z,60,failed,OutOfMemoryError,,,\n\
                     c,ml,data,2026-03-02T05:00:01Z,60,,,1,,\n";

#[test]
fn a_table_above_the_threshold_is_spooled() {
    check_rows(PLAIN, 3, false);
    check_rows(PLAIN, 2, true);
    check_rows(PLAIN, 0, true);
    let folder = tempfile::tempdir().unwrap();
    for name in ["day.csv", "day.parquet"] {
        check(&[written(&folder.path().join(name))], 100, true);
    }
}

#[test]
fn messy_rows_give_the_same_findings() {
    for threshold in [0, 1, 3] {
        // Duplicates, bad values, too few fields.
        let rows = "a,etl,data,never,60,,,,,\nc,x,x,2026-03-03T00:00:00Z,60,,,,,\n\
                    d,x,x,2026-03-03T00:00:00Z,,,,,,\nd,x,x\nd,x,x,2026-03-03T00:00:00Z,-1,,,,,\n";
        check_rows(&format!("{PLAIN}{rows}"), threshold.min(2), true);
        // Parents: earlier, itself, at the same time but later, later, nowhere, twice.
        let rows = "d,x,x,2026-03-03T00:00:00Z,60,,,,,a; d ;e;f;gone;a;\n\
                    e,x,x,2026-03-03T00:00:00Z,60,,,,,d;gone;gone\n\
                    f,x,x,2026-03-03T00:00:01Z,60,,,,,e;g\n\
                    a,x,x,2026-03-03T00:00:01Z,60,,,,,e;g\n\
                    g,x,x,2026-05-03T00:00:01Z,60,,,,,f\n";
        check_rows(&format!("{PLAIN}{rows}"), threshold, true);
    }
}

#[test]
fn what_is_not_simple_is_listed() {
    let rows = [
        // Not in order.
        "d,x,x,2026-03-01T00:00:00Z,60,,,,,\n",
        // Retries, one under the id of what it retried.
        "a,etl,data,2026-03-03T00:00:00Z,60,,,2,,\n",
        "d,etl,data,2026-03-03T00:00:00Z,60,,,,b,\n",
        // What looks like a copy has the dependencies of what it is a copy of.
        "d,x,x,2026-03-03T00:00:00Z,60,,,,,a\nd~2,x,x,2026-03-03T00:00:00Z,60,,,,,\n",
    ];
    for row in rows {
        for threshold in [0, 3] {
            check_rows(&format!("{PLAIN}{row}"), threshold, false);
            check_rows(&format!("{row}{PLAIN}"), threshold, row.starts_with("d,x,x,2026-03-01"));
        }
    }
    // A time that is wrong by itself is refused by both.
    check_rows(&format!("{PLAIN}z,x,x,9999-12-31T00:00:00Z,60,,,,,\n"), 1, true);
}

#[test]
fn other_sources_decide_too() {
    let folder = tempfile::tempdir().unwrap();
    let table = written(&folder.path().join("runs.csv"));
    let pods = folder.path().join("pods.csv");
    // Seconds since 1970, two hours before the first run.
    let text = "pod,created_s,duration_s,cpu_milli,memory_mib\n\
                p,1772402400,60,1000,100\nq,1772452800,60,1000,100\n";
    std::fs::write(&pods, text).unwrap();
    let alone = [table.clone()];
    check(&alone, 10, true);
    check(&[TraceSource::JobTable(folder.path().to_owned())], 10, true);
    check(&[TraceSource::Pods(pods.clone()), table.clone(), TraceSource::Pods(pods)], 10, true);
    check(&[table.clone(), table], 10, false);
    let stages = "run_id,stage_id,tasks,task_s\n";
    std::fs::write(folder.path().join("stages.csv"), stages).unwrap();
    check(&alone, 10, false);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let sources = [written(&folder.path().join("day.csv"))];
    let nowhere = SpoolOptions { threshold: 5, folder: folder.path().join("gone") };
    let error = record(&sources, &nowhere, &|_| {}).err().unwrap().to_string();
    assert!(error.contains("gone") && error.contains("TMPDIR"), "{error}");
}
