//! Recordings of the same applications in several configurations: each predicts the others.
//!
//! A folder with `truth.csv`, one row a recording. Read of it: `application`, `configuration`,
//! `event_log` (a path below the folder), `status` (rows that say `contended` do not count, neither
//! as source nor as target) and `job_span_ms`, the truth. Everything else about a target comes from
//! its log's own Spark properties.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::logs::{Arrivals, Subject, case, predict};
use super::{Kind, LeftOut, Scorecard, relative};

/// Columns that must be there.
const COLUMNS: [&str; 5] = ["application", "configuration", "event_log", "status", "job_span_ms"];
/// More rows than this are no truth file.
const ROWS_MAX: usize = 10_000;

/// A row of `truth.csv`.
#[derive(Debug)]
struct Row {
    application: String,
    configuration: String,
    event_log: PathBuf,
    counts: bool,
    job_span_ms: u64,
}

/// Predicts every recording of `folder` from every other one, and from itself.
///
/// # Errors
/// What is wrong with `truth.csv`, all of it, a problem a line.
pub fn backtest(
    folder: &Path,
    arrivals: Arrivals,
    progress: &dyn Fn(u64),
) -> Result<Scorecard, String> {
    let rows = read(&folder.join("truth.csv"), folder)?;
    let mut card = Scorecard::default();
    let mut subjects: Vec<(Row, Subject)> = Vec::new();
    for row in rows {
        let subject = row.event_log.display().to_string();
        let mut leave_out = |reason: String| {
            card.left_out.push(LeftOut { subject: subject.clone(), reason });
        };
        if !row.counts {
            leave_out("truth.csv calls it contended".to_owned());
            continue;
        }
        let logs =
            traces::event_log::read_event_logs(std::slice::from_ref(&row.event_log), progress);
        if logs.applications.len() > 1 {
            let count = logs.applications.len();
            leave_out(format!("it holds {count} applications; the first one was taken"));
        }
        match logs.applications.first().map(Subject::of) {
            Some(Ok(read)) => subjects.push((row, read)),
            Some(Err(reason)) => leave_out(reason),
            None => leave_out("not an event log".to_owned()),
        }
    }
    for (target_row, target) in &subjects {
        let others = subjects.iter().filter(|(row, _)| row.application == target_row.application);
        for (source_row, source) in others {
            let own = source_row.configuration == target_row.configuration;
            let kind = match (own, target.spark.dynamic_allocation.enabled) {
                (true, _) => Kind::Own,
                (false, true) => Kind::Dynamic,
                (false, false) => Kind::Fixed,
            };
            let replay = predict(source, target, arrivals, own);
            let names = (source_row.configuration.clone(), target_row.configuration.clone());
            let mut case = case(source, target, kind, names, &replay);
            case.application.clone_from(&target_row.application);
            case.recorded_ms = target_row.job_span_ms;
            case.error = Some(relative(case.recorded_ms, case.predicted_ms));
            card.cases.push(case);
        }
    }
    Ok(card)
}

fn read(path: &Path, folder: &Path) -> Result<Vec<Row>, String> {
    let shown = path.display();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(|error| {
        format!("{shown}: {error}; a folder laid out like this has one row a recording")
    })?;
    let headers = reader.headers().map_err(|error| format!("{shown}: {error}"))?.clone();
    let place = |name: &str| headers.iter().position(|header| header.trim() == name);
    let missing: Vec<&str> = COLUMNS.into_iter().filter(|column| place(column).is_none()).collect();
    if !missing.is_empty() {
        return Err(format!(
            "{shown}:1: no column {}; there are {}",
            missing.join(", "),
            headers.iter().collect::<Vec<_>>().join(", ")
        ));
    }
    let places = COLUMNS.map(|column| place(column).unwrap_or_default());
    let (mut rows, mut problems, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut logs = BTreeSet::new();
    for (number, record) in reader.records().enumerate() {
        if number == ROWS_MAX {
            problems.push(format!("{shown}: more than {ROWS_MAX} rows are no truth file"));
            break;
        }
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                problems.push(format!("{shown}: {error}"));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let value = |column: usize| record.get(places[column]).unwrap_or_default().trim();
        let at = |column: usize| format!("{shown}:{line}:{}", COLUMNS[column]);
        let row = Row {
            application: value(0).to_owned(),
            configuration: value(1).to_owned(),
            event_log: folder.join(value(2)),
            counts: value(3) != "contended",
            job_span_ms: value(4).parse().unwrap_or(0),
        };
        for column in [0, 1].into_iter().filter(|column| value(*column).is_empty()) {
            problems.push(format!("{}: is empty", at(column)));
        }
        if !logs.insert(row.event_log.clone()) {
            problems.push(format!("{}: `{}`: is there twice", at(2), value(2)));
        }
        if !matches!(value(3), "ok" | "contended") {
            problems.push(format!("{}: `{}`: allowed are ok, contended", at(3), value(3)));
        }
        if row.job_span_ms == 0 {
            let found = value(4);
            problems.push(format!("{}: `{found}`: a whole number of milliseconds above 0", at(4)));
        }
        let inside = Path::new(value(2)).components();
        if !inside.clone().all(|part| matches!(part, std::path::Component::Normal(_))) {
            problems.push(format!("{}: `{}`: a path below the folder", at(2), value(2)));
        } else if !row.event_log.exists() {
            problems.push(format!("{}: `{}`: there is no such file", at(2), value(2)));
        }
        if !seen.insert((row.application.clone(), row.configuration.clone())) {
            problems.push(format!("{}: `{}`: is there twice", at(1), value(1)));
        }
        rows.push(row);
    }
    if problems.is_empty() { Ok(rows) } else { Err(problems.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("truth.csv"), text).unwrap();
        let error = backtest(folder.path(), Arrivals::Modelled, &|_| {}).unwrap_err();
        for part in expected {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn all_problems_of_a_truth_file_are_told_at_once() {
        check("application,status\n", &["truth.csv:1: no column configuration, event_log"]);
        let head = "application,configuration,event_log,status,job_span_ms\n";
        let rows = "a,x,gone.json,ok,12\na,x,../up.json,fine,-3\n,y,gone.json,ok,1\n";
        check(
            &format!("{head}{rows}"),
            &[
                "truth.csv:2:event_log: `gone.json`: there is no such file",
                "truth.csv:3:status: `fine`: allowed are ok, contended",
                "truth.csv:3:job_span_ms: `-3`",
                "truth.csv:3:event_log: `../up.json`: a path below the folder",
                "truth.csv:3:configuration: `x`: is there twice",
                "truth.csv:4:application: is empty",
                "truth.csv:4:event_log: `gone.json`: is there twice",
            ],
        );
    }
}
