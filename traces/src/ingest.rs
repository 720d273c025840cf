//! Recordings of any kind to a folder with the canonical trace: `runs`, `stages` and `pods`
//! tables, `findings.json`, and `eventlogs.csv`, the account of every event log.
//!
//! Everything is written beside the folder's files first and renamed at the end, so that an error
//! leaves the folder as it was.

use std::fs;
use std::path::{Path, PathBuf};

use sim::Finding;

use crate::TraceError;
use crate::canonical::{RunRow, write_pods, write_runs, write_stages};
use crate::event_log::{EventLogReport, Status};
use crate::load::{Gathered, TableReport, TraceSource, gather};
use crate::table::{Format, replace_file};

/// What [`ingest`] read and wrote.
#[derive(Debug, Default)]
pub struct IngestReport {
    /// Files that were written, in the order of their writing.
    pub written: Vec<PathBuf>,
    /// Rows of the `runs` table.
    pub runs: u64,
    /// Rows of the `stages` table.
    pub stages: u64,
    /// Rows of the `pods` table.
    pub pods: u64,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Where the rows of every table that was read went.
    pub tables: Vec<TableReport>,
    /// What became of every line of every event log.
    pub event_logs: Vec<EventLogReport>,
}

/// Folder for files that are not complete yet.
const PART: &str = ".ingest.part";

/// Reads `paths` (see [`TraceSource::detect`]) and writes the trace to the folder `out_dir`, which
/// is made if it is not there. `progress` gets the number of bytes read since its last call.
///
/// # Errors
/// A path that cannot be read as a whole; nothing at all to write; a folder that holds a table of
/// an earlier trace which this one would not replace. Nothing is written then.
pub fn ingest(
    paths: &[PathBuf],
    out_dir: &Path,
    format: Format,
    progress: &dyn Fn(u64),
) -> Result<IngestReport, TraceError> {
    let sources =
        paths.iter().map(|path| TraceSource::detect(path)).collect::<Result<Vec<_>, _>>()?;
    let gathered = gather(&sources, None, progress)?;
    if gathered.rows.is_empty() && gathered.pods.is_empty() {
        let mut problems = vec!["there is no run and no pod in what was given".to_owned()];
        let refused = gathered.event_logs.iter().filter_map(|log| match &log.status {
            Status::Refused(reason) => Some(format!("{}: {reason}", log.path.display())),
            _ => None,
        });
        problems.extend(refused.take(20));
        return Err(TraceError::Options(problems));
    }
    write_trace(gathered, out_dir, format)
}

/// Writes runs that were made (by [`crate::synthesize()`]) as `ingest` writes recorded ones.
///
/// # Errors
/// What [`ingest`] says about writing.
pub fn write_runs_folder(
    rows: Vec<RunRow>,
    out_dir: &Path,
    format: Format,
) -> Result<IngestReport, TraceError> {
    let gathered = Gathered { rows, ..Gathered::default() };
    write_trace(gathered, out_dir, format)
}

fn write_trace(
    gathered: Gathered,
    out_dir: &Path,
    format: Format,
) -> Result<IngestReport, TraceError> {
    let stages = gathered
        .rows
        .iter()
        .filter_map(|row| row.lowered.run.stages.as_deref())
        .map(|stages| stages.len() as u64)
        .sum();
    let tables = Tables {
        runs: !gathered.rows.is_empty(),
        stages: stages > 0,
        pods: !gathered.pods.is_empty(),
        event_logs: !gathered.event_logs.is_empty(),
    };
    let names = tables.names(format);
    refuse_leftovers(out_dir, &names)?;
    let made = !out_dir.exists();
    let io = |source| TraceError::io(out_dir, source);
    let part = out_dir.join(PART);
    fs::create_dir_all(&part).map_err(io)?;
    let result = write_all(&gathered, &tables, &part, format)
        .and_then(|()| move_into_place(&part, out_dir, &names));
    // The error that matters is the first one; leftovers that cannot be removed are no news.
    let _ = fs::remove_dir_all(&part);
    if result.is_err() && made {
        let _ = fs::remove_dir(out_dir);
    }
    result?;
    Ok(IngestReport {
        written: names.iter().map(|name| out_dir.join(name)).collect(),
        runs: gathered.rows.len() as u64,
        stages,
        pods: gathered.pods.len() as u64,
        findings: gathered.findings,
        tables: gathered.tables,
        event_logs: gathered.event_logs,
    })
}

/// Which files there are.
struct Tables {
    runs: bool,
    stages: bool,
    pods: bool,
    event_logs: bool,
}

const FINDINGS: &str = "findings.json";
const EVENT_LOGS: &str = "eventlogs.csv";

impl Tables {
    fn names(&self, format: Format) -> Vec<String> {
        let table = |name: &str| format!("{name}.{}", format.ending());
        let all = [
            (self.runs, table("runs")),
            (self.stages, table("stages")),
            (self.pods, table("pods")),
            (self.event_logs, EVENT_LOGS.to_owned()),
            (true, FINDINGS.to_owned()),
        ];
        let there = all.into_iter().filter(|(there, _)| *there);
        there.map(|(_, name)| name).collect()
    }
}

/// A `stages` table of an earlier trace would be read with the new `runs`.
fn refuse_leftovers(out_dir: &Path, names: &[String]) -> Result<(), TraceError> {
    let mut problems = Vec::new();
    for table in ["runs", "stages", "pods"] {
        for ending in [Format::Csv, Format::Parquet].map(Format::ending) {
            let name = format!("{table}.{ending}");
            if !names.contains(&name) && out_dir.join(&name).exists() {
                problems.push(format!(
                    "{}: holds {name} of another trace, which would be read together with this \
                     one; remove it, or choose another folder",
                    out_dir.display()
                ));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(TraceError::Options(problems)) }
}

fn write_all(
    gathered: &Gathered,
    tables: &Tables,
    part: &Path,
    format: Format,
) -> Result<(), TraceError> {
    let table = |name: &str| part.join(format!("{name}.{}", format.ending()));
    if tables.runs {
        write_runs(&table("runs"), &gathered.rows)?;
    }
    if tables.stages {
        write_stages(&table("stages"), &gathered.rows)?;
    }
    if tables.pods {
        write_pods(&table("pods"), &gathered.pods)?;
    }
    if tables.event_logs {
        write_event_logs(&part.join(EVENT_LOGS), &gathered.event_logs)?;
    }
    let path = part.join(FINDINGS);
    replace_file(&path, |file| {
        serde_json::to_writer_pretty(file, &gathered.findings)
            .map_err(|error| TraceError::Write { path: path.clone(), reason: error.to_string() })
    })
}

fn move_into_place(part: &Path, out_dir: &Path, names: &[String]) -> Result<(), TraceError> {
    for name in names {
        let target = out_dir.join(name);
        fs::rename(part.join(name), &target).map_err(|source| TraceError::io(&target, source))?;
    }
    Ok(())
}

/// One row a log; `lines` is the sum of the five columns after it.
fn write_event_logs(path: &Path, reports: &[EventLogReport]) -> Result<(), TraceError> {
    let fail =
        |error: csv::Error| TraceError::Write { path: path.to_owned(), reason: error.to_string() };
    replace_file(path, |file| {
        let mut writer = csv::Writer::from_writer(file);
        let header = "path,layout,files,bytes,bytes_unpacked,lines,events_used,events_ignored,\
                      events_unknown,malformed,blank,truncated,applications,status,reason";
        writer.write_record(header.split(',')).map_err(fail)?;
        for report in reports {
            writer.write_record(account(report)).map_err(fail)?;
        }
        writer.flush().map_err(|source| TraceError::io(path, source))
    })
}

fn account(report: &EventLogReport) -> [String; 15] {
    let (status, reason) = match &report.status {
        Status::Read => ("read", ""),
        Status::Partial => ("partial", ""),
        Status::Refused(reason) => ("refused", reason.as_str()),
    };
    [
        spreadsheet_safe(&report.path.display().to_string()),
        report.layout.map_or("", crate::event_log::Layout::name).to_owned(),
        report.files.to_string(),
        report.bytes.to_string(),
        report.bytes_unpacked.to_string(),
        report.lines.to_string(),
        report.events_used.to_string(),
        report.ignored().to_string(),
        report.events_unknown.to_string(),
        report.malformed.to_string(),
        report.blank.to_string(),
        report.truncated.to_string(),
        report.applications.to_string(),
        status.to_owned(),
        spreadsheet_safe(reason),
    ]
}

/// This table is a report that people open in a spreadsheet: text that would be taken for a
/// formula gets a quote before it. Traces do not, they have to read back.
fn spreadsheet_safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
