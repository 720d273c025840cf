//! Gathers recorded files of every kind into one [`LoadedTrace`].
//!
//! Nothing is lost without a word: every file leaves its [`TableCounts`] and findings. What is
//! left out: the recorded order of retries (folded, see [`crate::canonical::fold_retries`]).

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use sim::workload::TracePod;
use sim::{Finding, Severity};

use crate::canonical::{RunRow, RunTable, attach_stages, fold_retries, read_runs, read_stages};
use crate::event_log::{EventLogReport, read_event_logs};
use crate::pods::{header, read_pod_trace};
use crate::recorded::{Recorded, SpooledTrace};
use crate::spool::{ReadRuns, SpoolOptions, SpooledRuns, in_vain, read_runs_spooling};
use crate::swf::read_swf;
use crate::table::{Format, TableCounts};
use crate::{LoweredRun, TraceError};

/// A recorded file, and what kind it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraceSource {
    /// A canonical `runs` table, or a folder that `trace ingest` wrote.
    JobTable(PathBuf),
    /// A pod trace.
    Pods(PathBuf),
    /// A batch job log in the Standard Workload Format.
    Swf(PathBuf),
    /// A Spark event log, or a folder of them.
    EventLogs(PathBuf),
}

impl TraceSource {
    /// What kind of recording `path` is: by its ending, and for tables by their header. What is
    /// nothing else is taken for event logs, whose reader says what it is not.
    ///
    /// # Errors
    /// A table that cannot be read, or a path that is not there.
    pub fn detect(path: &Path) -> Result<Self, TraceError> {
        let metadata = std::fs::metadata(path).map_err(|source| TraceError::io(path, source))?;
        let owned = path.to_owned();
        if metadata.is_dir() {
            let tables = ["runs", "pods"].map(|name| table_in(path, name));
            return Ok(if tables.iter().any(Option::is_some) {
                Self::JobTable(owned)
            } else {
                Self::EventLogs(owned)
            });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        if name.ends_with(".swf") || name.ends_with(".swf.gz") {
            return Ok(Self::Swf(owned));
        }
        if Format::of(path).is_err() {
            return Ok(Self::EventLogs(owned));
        }
        let names = header(path)?;
        let has = |name: &str| names.iter().any(|known| known == name);
        let pods = has("pod") || (has("cpu_milli") && has("memory_mib"));
        Ok(if pods && !has("run_id") { Self::Pods(owned) } else { Self::JobTable(owned) })
    }
}

/// What was read from a file that holds a table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TableReport {
    /// The file, as the user named it.
    pub path: PathBuf,
    /// Which table it is: `runs`, `stages`, `pods` or `swf`.
    pub table: &'static str,
    /// Where its rows went.
    pub counts: TableCounts,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct LoadedTrace {
    /// Submissions, in the order of the sources and of their files.
    pub runs: Vec<LoweredRun>,
    /// Plain pods, their times as recorded.
    pub pods: Vec<TracePod>,
    /// What was found, source by source.
    pub findings: Vec<Finding>,
    /// Where the rows of every table went.
    pub tables: Vec<TableReport>,
    /// What became of every line of every event log.
    pub event_logs: Vec<EventLogReport>,
}

/// What was read, with the columns that the simulator has no use for.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) rows: Vec<RunRow>,
    /// Runs that are in a file; there are no rows then.
    pub(crate) spooled: Option<Box<SpooledRuns>>,
    pub(crate) pods: Vec<TracePod>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) tables: Vec<TableReport>,
    pub(crate) event_logs: Vec<EventLogReport>,
}

/// Reads all `sources`. `progress` gets the bytes of each file that was read.
///
/// # Errors
/// The first source that makes no sense as a whole.
pub fn load(sources: &[TraceSource], progress: &dyn Fn(u64)) -> Result<LoadedTrace, TraceError> {
    Ok(listed(gather(sources, None, progress)?))
}

/// Reads all `sources`; the runs of a single large job table go to a temporary file, where that
/// comes to the same (see [`crate::spool`]).
///
/// # Errors
/// As of [`load`]; a temporary file that cannot be written.
pub fn record(
    sources: &[TraceSource],
    spool: &SpoolOptions,
    progress: &dyn Fn(u64),
) -> Result<Recorded, TraceError> {
    let mut others = sources.iter().filter(|source| !matches!(source, TraceSource::Pods(_)));
    let single = matches!((others.next(), others.next()), (Some(TraceSource::JobTable(_)), None));
    let mut gathered = gather(sources, single.then_some(spool), progress)?;
    Ok(match gathered.spooled.take() {
        None => Recorded::Listed(listed(gathered)),
        Some(runs) => Recorded::Spooled(SpooledTrace {
            runs,
            pods: gathered.pods,
            findings: gathered.findings,
            tables: gathered.tables,
        }),
    })
}

fn listed(gathered: Gathered) -> LoadedTrace {
    LoadedTrace {
        runs: gathered.rows.into_iter().map(RunRow::into_lowered).collect(),
        pods: gathered.pods,
        findings: gathered.findings,
        tables: gathered.tables,
        event_logs: gathered.event_logs,
    }
}

/// Reads all `sources`; the runs of a job table into a file, if that is asked for and there is only
/// one.
pub(crate) fn gather(
    sources: &[TraceSource],
    spool: Option<&SpoolOptions>,
    progress: &dyn Fn(u64),
) -> Result<Gathered, TraceError> {
    let mut trace = Gathered::default();
    for source in sources {
        match source {
            TraceSource::JobTable(path) if path.is_dir() => {
                trace.add_folder(path, spool, progress)?
            }
            TraceSource::JobTable(path) => trace.add_runs(path, spool, progress)?,
            TraceSource::Pods(path) => trace.add_pods(path, progress)?,
            TraceSource::Swf(path) => trace.add_swf(path, progress)?,
            TraceSource::EventLogs(path) => trace.add_event_logs(path, progress),
        }
    }
    trace.name_runs_apart();
    trace.name_pods_apart();
    Ok(trace)
}

impl Gathered {
    fn add_folder(
        &mut self,
        folder: &Path,
        spool: Option<&SpoolOptions>,
        progress: &dyn Fn(u64),
    ) -> Result<(), TraceError> {
        let runs = table_in(folder, "runs");
        let pods = table_in(folder, "pods");
        if runs.is_none() && pods.is_none() {
            return Err(TraceError::unreadable(
                folder,
                "the folder holds no runs.parquet, runs.csv, pods.parquet or pods.csv",
            ));
        }
        if let Some(runs) = runs {
            self.add_runs(&runs, spool, progress)?;
        }
        if let Some(pods) = pods {
            self.add_pods(&pods, progress)?;
        }
        Ok(())
    }

    fn add_runs(
        &mut self,
        path: &Path,
        spool: Option<&SpoolOptions>,
        progress: &dyn Fn(u64),
    ) -> Result<(), TraceError> {
        let spool = spool.filter(|_| stages_beside(path).is_none());
        let table = match spool {
            Some(options) => read_runs_spooling(path, options)?,
            None => ReadRuns::Listed(read_runs(path)?),
        };
        progress(length(path));
        match table {
            ReadRuns::Listed(table) => self.add_table(path, table, progress),
            ReadRuns::Spooled(runs) => {
                self.add_spooled(path, runs);
                Ok(())
            }
        }
    }

    fn add_spooled(&mut self, path: &Path, mut runs: Box<SpooledRuns>) {
        let subject = path.display().to_string();
        self.findings.append(&mut runs.findings);
        self.tables.push(TableReport { path: path.to_owned(), table: "runs", counts: runs.counts });
        self.findings.extend(in_vain(runs.in_vain, &subject));
        self.spooled = Some(runs);
    }

    fn add_table(
        &mut self,
        path: &Path,
        table: RunTable,
        progress: &dyn Fn(u64),
    ) -> Result<(), TraceError> {
        self.findings.extend(table.findings);
        let mut counts = table.counts;
        let subject = path.display().to_string();
        let (mut rows, findings) = fold_retries(table.rows, &mut counts, &subject);
        self.findings.extend(findings);
        self.tables.push(TableReport { path: path.to_owned(), table: "runs", counts });
        self.note_dependencies(&rows, &subject);
        if let Some(stages) = stages_beside(path) {
            let table = read_stages(&stages)?;
            progress(length(&stages));
            self.tables.push(TableReport {
                path: stages.clone(),
                table: "stages",
                counts: table.counts,
            });
            let subject = stages.display().to_string();
            self.findings.extend(attach_stages(&mut rows, table, &subject));
        }
        self.rows.extend(rows);
        Ok(())
    }

    /// Dependencies that cannot hold: on what is not there, or is submitted later.
    fn note_dependencies(&mut self, rows: &[RunRow], subject: &str) {
        let ids = rows.iter().map(|row| (&*row.lowered.run.run_id, row.lowered.submitted_at_ms));
        let submitted: BTreeMap<&str, i64> = ids.collect();
        let mut count = 0;
        for row in rows {
            let at = row.lowered.submitted_at_ms;
            let known = |id: &str| submitted.get(id).is_some_and(|before| *before <= at);
            count += row.parents().filter(|id| !known(id)).count() as u64;
        }
        self.findings.extend(in_vain(count, subject));
    }

    fn add_pods(&mut self, path: &Path, progress: &dyn Fn(u64)) -> Result<(), TraceError> {
        let table = read_pod_trace(path)?;
        progress(length(path));
        self.pods.extend(table.pods);
        self.findings.extend(table.findings);
        self.tables.push(TableReport {
            path: path.to_owned(),
            table: "pods",
            counts: table.counts,
        });
        Ok(())
    }

    fn add_swf(&mut self, path: &Path, progress: &dyn Fn(u64)) -> Result<(), TraceError> {
        let table = read_swf(path)?;
        progress(length(path));
        self.rows.extend(table.runs.into_iter().map(RunRow::from));
        self.findings.extend(table.findings);
        self.tables.push(TableReport { path: path.to_owned(), table: "swf", counts: table.counts });
        Ok(())
    }

    fn add_event_logs(&mut self, path: &Path, progress: &dyn Fn(u64)) {
        let logs = read_event_logs(&[path.to_owned()], progress);
        let subject = path.display().to_string();
        let mut unnamed = 0;
        for application in &logs.applications {
            let mut run = application.to_run();
            if run.application.is_empty() {
                unnamed += 1;
                run.application = "unnamed".to_owned();
            }
            self.rows.push(RunRow::from(run));
        }
        self.findings.extend(logs.findings);
        if unnamed > 0 {
            let message = "applications without a name; called `unnamed`";
            let finding = Finding::new(Severity::Info, "unnamed-application", subject, message);
            self.findings.push(finding.times(unnamed));
        }
        self.event_logs.extend(logs.reports);
    }

    /// Ids are unique in a workload; files that were recorded apart may use the same ones.
    fn name_runs_apart(&mut self) {
        let ids = self.rows.iter_mut().map(|row| &mut row.lowered.run.run_id);
        if let Some(finding) = name_apart(ids, "duplicate-run-id") {
            self.findings.push(finding);
        }
    }

    fn name_pods_apart(&mut self) {
        let names = self.pods.iter_mut().map(|pod| &mut pod.name);
        if let Some(finding) = name_apart(names, "duplicate-pod") {
            self.findings.push(finding);
        }
    }
}

/// Appends `#2`, `#3` .. to names that another source has too.
fn name_apart<'a>(names: impl Iterator<Item = &'a mut Box<str>>, code: &str) -> Option<Finding> {
    // Only asked, never listed: its order cannot show.
    let mut seen: HashSet<Box<str>> = HashSet::new();
    let mut renamed: Option<Finding> = None;
    for name in names {
        if seen.insert(name.clone()) {
            continue;
        }
        let free = (2_u64..)
            .map(|number| format!("{name}#{number}").into_boxed_str())
            .find(|free| !seen.contains(free))
            .expect("there are more numbers than names");
        match &mut renamed {
            Some(finding) => finding.count += 1,
            None => {
                let message = "in more than one source; the later one was named apart with `#2`";
                let subject = crate::table::shorten(name);
                renamed = Some(Finding::new(Severity::Warning, code, subject, message));
            }
        }
        seen.insert(free.clone());
        *name = free;
    }
    renamed
}

/// Bytes of a file, for progress.
fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// The table of that name in an ingested folder; Parquet before CSV.
fn table_in(folder: &Path, name: &str) -> Option<PathBuf> {
    [Format::Parquet.ending(), Format::Csv.ending()]
        .into_iter()
        .map(|ending| folder.join(format!("{name}.{ending}")))
        .find(|path| path.is_file())
}

/// The `stages` table beside a file that is called `runs`; of the same format, if there are two.
fn stages_beside(runs: &Path) -> Option<PathBuf> {
    if runs.file_stem()? != "runs" {
        return None;
    }
    let folder = runs.parent()?;
    let same = runs.with_file_name("stages").with_extension(runs.extension()?);
    if same.is_file() {
        return Some(same);
    }
    table_in(folder, "stages")
}
