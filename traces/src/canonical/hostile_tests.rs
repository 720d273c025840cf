//! Files that nobody should have to read.

use std::fmt::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::TraceError;

fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("written");
    (folder, path)
}

fn runs(content: &str) -> Result<RunTable, TraceError> {
    let (_folder, path) = file("runs.csv", content.as_bytes());
    read_runs(&path)
}

#[track_caller]
fn check_error(content: &str, parts: &[&str]) {
    let error = runs(content).expect_err("refused").to_string();
    for part in parts {
        assert!(error.contains(part), "{error}\nlacks {part}");
    }
}

#[track_caller]
fn check_finding(table: &RunTable, code: &str, column: &str, count: u64, line: u64) {
    let found = table
        .findings
        .iter()
        .find(|finding| finding.code == code && finding.subject.ends_with(column));
    let found = found.unwrap_or_else(|| panic!("no {code} {column} in {:#?}", table.findings));
    assert_eq!((found.count, found.line), (count, Some(line)), "{found:?}");
}

#[track_caller]
fn check_counts(table: &RunTable) {
    let counts = table.counts;
    assert_eq!(counts.rows, counts.kept + counts.dropped());
    assert_eq!(counts.kept, table.rows.len() as u64);
}

#[test]
fn all_missing_columns_are_named_with_what_may_be_meant() {
    check_error(
        "Run-ID,app,submit_time,duration\n",
        &[
            "`run_id` is missing; the file has `Run-ID`",
            "`application`",
            "`submitted_at`",
            "duration",
        ],
    );
}

#[test]
fn a_header_twice_is_refused() {
    check_error(
        "run_id,application,submitted_at,duration_s,run_id\n",
        &["`run_id` is there twice, as column 1 and as column 5"],
    );
}

#[test]
fn another_separator_is_named() {
    check_error("run_id;application;submitted_at;duration_s\n", &["separated by ';'"]);
}

#[test]
fn nothing_is_refused_by_name() {
    check_error("", &["empty"]);
    let (_folder, path) = file("runs.tsv", b"");
    let error = read_runs(&path).expect_err("refused").to_string();
    assert!(error.contains(".parquet"), "{error}");
    assert!(matches!(
        read_runs(std::path::Path::new("/nowhere/runs.csv")),
        Err(TraceError::Io { .. })
    ));
}

#[test]
fn bad_cells_are_counted_by_column_with_the_first_line() {
    let table = runs(
        "run_id,application,submitted_at,duration_s,tasks,team,colour\n\
         a,app,2026-03-02T10:00:00Z,12.5,7,red,x\n\
         b,app,2026-03-02T10:00:00Z,-3,x,red,x\n\
         c,app,2026-03-02T10:00:00Z,NaN,7,,x\n\
         d,app,soon,5,7,red,x\n\
         ,app,0,5,7,red,x\n\
         a,app,0,5,7,red,x\n\
         e,app,0,5,7,red\n\
         f,app,0,5,99999999999999999999999,red,x\n",
    )
    .expect("read");
    check_counts(&table);
    assert_eq!(table.counts.rows, 8);
    assert_eq!((table.counts.kept, table.counts.bad, table.counts.duplicates), (2, 5, 1));
    check_finding(&table, "unknown-column", "colour", 1, 1);
    check_finding(&table, "negative-value", "duration_s", 1, 3);
    check_finding(&table, "not-a-number", "duration_s", 1, 4);
    check_finding(&table, "missing-value", "duration_s", 2, 3);
    check_finding(&table, "bad-value", "tasks", 1, 3);
    check_finding(&table, "value-out-of-range", "tasks", 1, 9);
    check_finding(&table, "bad-value", "submitted_at", 1, 5);
    check_finding(&table, "missing-value", "run_id", 1, 6);
    check_finding(&table, "duplicate-run-id", "run_id", 1, 7);
    check_finding(&table, "wrong-field-count", "", 1, 8);
    assert_eq!(table.rows[0].lowered.run.tasks, Some(7));
    assert_eq!(table.rows[1].lowered.run.tasks, None);
}

#[test]
fn huge_cells_and_open_quotes_are_bounded() {
    let huge = "x".repeat(1_000_000);
    let table = runs(&format!(
        "run_id,application,submitted_at,duration_s,team\na,{huge},0,1,t\nb,app,0,1,{huge}\n"
    ))
    .expect("read");
    check_counts(&table);
    assert_eq!(table.counts.kept, 1);
    check_finding(&table, "cell-too-long", "application", 1, 2);
    check_finding(&table, "cell-too-long", "team", 1, 3);
    assert!(table.findings.iter().all(|finding| finding.message.len() < 300));
    let open = "run_id,application,submitted_at,duration_s\n\"a".to_owned() + &"y".repeat(6 << 20);
    check_error(&open, &["quote never closed"]);
}

#[test]
fn bytes_that_are_no_text_are_bad_cells() {
    let (_folder, path) = file(
        "runs.csv",
        b"run_id,application,submitted_at,duration_s\n\xff\xfe,app,0,1\nb,app,0,1\n",
    );
    let table = read_runs(&path).expect("read");
    check_counts(&table);
    assert_eq!(table.counts.kept, 1);
    check_finding(&table, "bad-value", "run_id", 1, 2);
}

fn written_parquet() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("runs.parquet");
    let mut content = String::from("run_id,application,submitted_at,duration_s\n");
    for place in 0..500 {
        writeln!(content, "r{place},app{},{place},{place}.5", place % 7).expect("written");
    }
    let table = runs(&content).expect("read");
    write_runs(&path, &table.rows).expect("written");
    std::fs::read(&path).expect("read")
}

#[test]
fn cut_parquet_files_are_errors() {
    let whole = written_parquet();
    for length in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        let (_folder, path) = file("runs.parquet", &whole[..length]);
        assert!(read_runs(&path).is_err(), "{length} of {} bytes", whole.len());
    }
    let (_folder, path) = file("runs.parquet", &whole);
    assert_eq!(read_runs(&path).expect("read").counts.kept, 500);
}

#[test]
fn parquet_of_other_types_is_reported_cell_by_cell() {
    use polars::prelude::*;
    let mut frame = DataFrame::new(
        2,
        vec![
            Series::new("run_id".into(), [1_i64, 2]).into_column(),
            Series::new("application".into(), ["a", "b"]).into_column(),
            Series::new("submitted_at".into(), [1_772_445_600_000_000_i64, 0])
                .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
                .expect("a cast")
                .into_column(),
            Series::new("duration_s".into(), ["5", "f"]).into_column(),
            Series::new("executor_task_s".into(), [f64::NAN, 7.0]).into_column(),
            Series::new(
                "team".into(),
                [Series::new("".into(), ["x"]), Series::new("".into(), ["y"])],
            )
            .into_column(),
        ],
    )
    .expect("a frame");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("runs.parquet");
    let output = std::fs::File::create(&path).expect("created");
    ParquetWriter::new(output).finish(&mut frame).expect("written");
    let table = read_runs(&path).expect("read");
    check_counts(&table);
    assert_eq!(table.counts.kept, 2);
    assert_eq!(&*table.rows[0].lowered.run.run_id, "1");
    assert_eq!(table.rows[0].lowered.submitted_at_ms, 1_772_445_600_000);
    check_finding(&table, "bad-value", "duration_s", 1, 2);
    check_finding(&table, "not-a-number", "executor_task_s", 1, 1);
    check_finding(&table, "bad-value", "team", 2, 1);
}

/// As pandas and Spark write times: with a zone, which only says how to show them.
#[test]
fn parquet_times_with_a_zone_are_read() {
    use polars::prelude::*;
    let times = Series::new("submitted_at".into(), [1_772_445_600_000_i64, 0])
        .cast(&DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC)))
        .expect("a cast");
    let mut frame = DataFrame::new(
        2,
        vec![
            Series::new("run_id".into(), ["a", "b"]).into_column(),
            Series::new("application".into(), ["a", "b"]).into_column(),
            times.into_column(),
            Series::new("duration_s".into(), [5_i32, 6]).into_column(),
        ],
    )
    .expect("a frame");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("runs.parquet");
    let output = std::fs::File::create(&path).expect("created");
    ParquetWriter::new(output).finish(&mut frame).expect("written");
    let table = read_runs(&path).expect("read");
    assert_eq!(table.findings, []);
    assert_eq!(table.rows[0].lowered.submitted_at_ms, 1_772_445_600_000);
}

#[test]
fn recorded_parquet_of_other_schemas_is_refused_by_its_columns() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/traces/opendc");
    for name in ["surf_week/tasks.parquet", "wtf_shell/tasks/schema-1.0/part.0.parquet"] {
        let path = std::path::Path::new(folder).join(name);
        if !path.exists() {
            eprintln!("skipped: {} is not here", path.display());
            continue;
        }
        let error = read_runs(&path).expect_err("refused");
        assert!(matches!(error, TraceError::Columns { .. }), "{error}");
    }
}

#[test]
fn stage_rows_that_make_no_sense_take_their_run_with_them() {
    let (_folder, path) = file(
        "stages.csv",
        b"run_id,stage_id,parents,tasks,task_ms\n\
          a,0,,2,5;6\n\
          a,1,0,1,7\n\
          b,0,,2,5;6\n\
          b,1,9,1,7\n\
          c,0,,1,1x4000000000\n\
          d,0,,1,5\n\
          d,0,,1,5\n",
    );
    let table = read_stages(&path).expect("read");
    let ids: Vec<&str> = table.stages.keys().map(|id| &**id).collect();
    assert_eq!(ids, ["a"]);
    let counts = table.counts;
    assert_eq!((counts.rows, counts.kept, counts.bad, counts.duplicates), (7, 2, 4, 1));
    assert_eq!(table.stages["a"][1].parents, [0]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for name in ["runs.csv", "runs.csv.gz", "runs.parquet"] {
            let (_folder, path) = file(name, &bytes);
            let _ = read_runs(&path);
        }
        let mut table = b"run_id,application,submitted_at,duration_s\n".to_vec();
        table.extend(&bytes);
        let (_folder, path) = file("runs.csv", &table);
        if let Ok(table) = read_runs(&path) {
            check_counts(&table);
        }
        let mut packed = b"PAR1".to_vec();
        packed.extend(&bytes);
        packed.extend((bytes.len() as u32).to_le_bytes());
        packed.extend(b"PAR1");
        let (_folder, path) = file("runs.parquet", &packed);
        prop_assert!(read_runs(&path).is_err());
    }

    #[test]
    fn random_cells_never_panic(cells in prop::collection::vec("[0-9a-z;:x|%=.,+-]{0,12}", 12)) {
        let stages = format!(
            "run_id,stage_id,tasks,parents,task_ms\na,0,{},,{}\na,1,2,{},q:{}|tail:{}\n",
            cells[0].replace(',', ""),
            cells[1].replace(',', ""),
            cells[2].replace(',', ""),
            cells[3].replace(',', ""),
            cells[4].replace(',', ""),
        );
        let (_folder, path) = file("stages.csv", stages.as_bytes());
        let table = read_stages(&path).expect("a table");
        prop_assert_eq!(table.counts.rows, 2);
        prop_assert_eq!(table.counts.rows, table.counts.kept + table.counts.dropped());
        let pods = format!(
            "pod,created_s,duration_s,cpu_milli,memory_mib,labels,recorded_wait_s\np,{}\nq,{}\n",
            cells[5..9].join(","),
            cells[6..12].join(","),
        );
        let (_folder, path) = file("pods.csv", pods.as_bytes());
        let (pods, counts, _) = read_pods(&path).expect("a table");
        prop_assert_eq!(counts.rows, 2);
        prop_assert_eq!(counts.kept, pods.len() as u64);
    }

    /// The footer says what is where and how much of it. Damage inside a data page is left out: the
    /// decoder trusts run lengths it finds there, and may ask for more memory than there is, which
    /// ends the process (see `table::parquet_file`).
    #[test]
    fn a_damaged_parquet_footer_never_panics(
        changes in prop::collection::vec(any::<(u16, u8)>(), 1..9),
    ) {
        static WHOLE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(written_parquet);
        let mut bytes = WHOLE.clone();
        let end = bytes.len() - 8;
        let footer: [u8; 4] = bytes[end..end + 4].try_into().expect("four bytes");
        let footer = u32::from_le_bytes(footer) as usize;
        for (at, value) in changes {
            let at = end - footer + at as usize % (footer + 8);
            bytes[at] = value;
        }
        let (_folder, path) = file("runs.parquet", &bytes);
        if let Ok(table) = read_runs(&path) {
            check_counts(&table);
        }
    }
}
