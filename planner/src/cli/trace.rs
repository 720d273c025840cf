//! `trace`: recorded runs, before anything is simulated.

mod fit_spot;
mod inspection;
mod synth;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use reports::findings::{Findings, Source};
use reports::grid::{Grid, GridCell, GridColumn};
use reports::render::Format;
use sim::{Finding, Severity};
use traces::event_log::Status;
use traces::{IngestReport, LoadedTrace, TraceError, TraceSource};

use super::Stop;
use super::noise::Noise;
use super::output::Output;
use super::progress::Reading;
use super::run::size;

#[derive(Debug, Subcommand)]
pub(super) enum TraceVerb {
    /// Read event logs or tables and write the canonical trace to a folder.
    Ingest(IngestArgs),
    /// What is in a recording: counts, spans, columns, and which defaults will be used.
    Inspect(Paths),
    /// What is wrong or suspicious in a recording.
    Lint(LintArgs),
    /// Fit the model of spot capacity to a recorded series, and say how well it fits.
    FitSpot(fit_spot::FitSpotArgs),
    /// Make a recording of a platform that does not exist.
    Synth(synth::SynthArgs),
}

/// Recordings.
#[derive(Debug, Args)]
pub(super) struct Paths {
    /// Event logs, folders of them, job tables, pod traces, SWF logs, or ingested folders; their
    /// kind is found out.
    #[arg(required = true, value_name = "FILE_OR_FOLDER")]
    paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct IngestArgs {
    #[command(flatten)]
    paths: Paths,
    /// Folder for the trace.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Format of its tables.
    #[arg(long, value_enum, default_value_t = TableFormat::Parquet)]
    format: TableFormat,
}

#[derive(Debug, Args)]
pub(super) struct LintArgs {
    #[command(flatten)]
    paths: Paths,
    /// Exit with 3 if there is a finding of this severity or worse.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TableFormat {
    Csv,
    Parquet,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOn {
    Warning,
    Error,
}

pub(super) fn trace(verb: TraceVerb, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    match verb {
        TraceVerb::Ingest(args) => ingest(&args, noise, output),
        TraceVerb::Inspect(paths) => {
            let trace = load(&paths, noise)?;
            noise.findings(trace.findings.iter(), "from `seatrial trace lint`");
            if trace.runs.is_empty() && trace.pods.is_empty() {
                return Err(Stop::bad_input("there is no run and no pod in what was given"));
            }
            inspection::print(&traces::inspect(&trace), output)
        }
        TraceVerb::Lint(args) => lint(&args, noise, output),
        TraceVerb::FitSpot(args) => fit_spot::fit(&args, noise, output),
        TraceVerb::Synth(args) => synth::synth(&args, noise),
    }
}

/// What cannot be written is not the input's fault.
fn stop(error: TraceError) -> Stop {
    match error {
        TraceError::Write { .. } => Stop::failed(error),
        _ => Stop::bad_input(error),
    }
}

fn load(paths: &Paths, noise: &Noise) -> Result<LoadedTrace, Stop> {
    let mut sources = Vec::new();
    let mut wrong = Vec::new();
    for path in &paths.paths {
        match TraceSource::detect(path) {
            Ok(source) => sources.push(source),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if !wrong.is_empty() {
        return Err(Stop::BadInput(wrong.join("\n")));
    }
    let reading = Reading::start(noise, paths.paths.iter().map(|path| size(path)).sum());
    traces::load(&sources, &|bytes| reading.add(bytes)).map_err(stop)
}

fn ingest(args: &IngestArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let format = match args.format {
        TableFormat::Csv => traces::table::Format::Csv,
        TableFormat::Parquet => traces::table::Format::Parquet,
    };
    let paths = &args.paths.paths;
    let reading = Reading::start(noise, paths.iter().map(|path| size(path)).sum());
    let report =
        traces::ingest(paths, &args.out, format, &|bytes| reading.add(bytes)).map_err(stop)?;
    drop(reading);
    let rest = format!("in {}", args.out.join("findings.json").display());
    noise.findings(report.findings.iter(), &rest);
    output.grid(&written(&report))?;
    for path in &report.written {
        noise.note(&format!("written: {}", path.display()));
    }
    Ok(())
}

/// What was read, and where its rows went.
fn written(report: &IngestReport) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("Read from", "path"),
        GridColumn::words("As", "kind"),
        GridColumn::words("Status", "status"),
        GridColumn::figures("Rows or lines", "rows"),
        GridColumn::figures("Used", "used"),
        GridColumn::figures("Not used", "not_used"),
    ]);
    for table in &report.tables {
        let (rows, kept) = (table.counts.rows, table.counts.kept);
        grid.push(vec![
            GridCell::text(table.path.to_string_lossy()),
            GridCell::text(table.table),
            GridCell::text(if rows == kept { "read" } else { "partial" }),
            GridCell::whole(rows),
            GridCell::whole(kept),
            GridCell::whole(rows.saturating_sub(kept)),
        ]);
    }
    for log in &report.event_logs {
        let status = match &log.status {
            Status::Read => "read".to_owned(),
            Status::Partial => "partial".to_owned(),
            Status::Refused(reason) => format!("refused: {reason}"),
        };
        grid.push(vec![
            GridCell::text(log.path.to_string_lossy()),
            GridCell::text("event log"),
            GridCell::text(status),
            GridCell::whole(log.lines),
            GridCell::whole(log.events_used),
            GridCell::whole(log.lines.saturating_sub(log.events_used)),
        ]);
    }
    grid
}

fn lint(args: &LintArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let trace = load(&args.paths, noise)?;
    let mut findings = Findings::new(Vec::new());
    findings.extend(Source::Trace, traces::lint(&trace));
    let sorted: Vec<&Finding> = [Severity::Error, Severity::Warning, Severity::Info]
        .into_iter()
        .flat_map(|severity| findings.of(severity))
        .collect();
    match output.format() {
        Format::Json | Format::Yaml => output.value(&sorted)?,
        _ => output.grid(&table(&sorted))?,
    }
    let worst = match args.fail_on {
        None => return Ok(()),
        Some(FailOn::Warning) => Severity::Warning,
        Some(FailOn::Error) => Severity::Error,
    };
    match sorted.iter().filter(|f| f.severity >= worst).count() {
        0 => Ok(()),
        n => Err(Stop::Gate(format!("{n} findings that --fail-on is about"))),
    }
}

fn table(findings: &[&Finding]) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("Severity", "severity"),
        GridColumn::words("Code", "code"),
        GridColumn::figures("Count", "count"),
        GridColumn::words("Subject", "subject"),
        GridColumn::figures("Line", "line"),
        GridColumn::words("Message", "message"),
    ]);
    for finding in findings {
        let severity = match finding.severity {
            Severity::Info => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        grid.push(vec![
            GridCell::text(severity),
            GridCell::text(&finding.code),
            GridCell::whole(finding.count),
            GridCell::text(&finding.subject),
            finding.line.map_or(GridCell::Missing, GridCell::whole),
            GridCell::sentence(&finding.message),
        ]);
    }
    grid
}
