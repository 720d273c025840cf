//! `run`: a scenario, its traces, several replications, a result folder and a summary.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use reports::findings::{Findings, Source};
use reports::render::{self, Format};
use reports::summary::{BacktestPart, Summary};
use reports::terminal::{self, Surroundings};
use scenarios::Loaded;
use scenarios::file::TraceKind;
use sim::scenario::apply_settings;
use sim::{Finding, Seed, Severity, Workload};
use traces::{Recorded, Resample, SpoolOptions, TraceError, TraceSource, WorkloadOptions};

use super::Stop;
use super::interrupt::Interrupt;
use super::noise::Noise;
use super::output::Output;
use super::progress::{Reading, Simulating, Working};
use super::timing::Timing;
use crate::replicate::{self, Plan, ReplicateError, Replications};
use crate::result_folder::{self, ResultFolder};
use crate::spot_weather;

/// Larger files are no scorecards.
const SCORECARD_MAX: u64 = 256 << 20;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    #[command(flatten)]
    simulation: SimulationArgs,
    /// Result folder [default: results/<name of the scenario>]. A result that is there already is
    /// replaced, other files are not.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// `backtest.json` of `backtest --out`: its headline goes into the summary.
    #[arg(long, value_name = "FILE")]
    scorecard: Option<PathBuf>,
    /// No report.html: only tables and summary.
    #[arg(long)]
    no_report: bool,
}

/// A scenario and changes to it.
#[derive(Debug, Args)]
pub(super) struct ScenarioArgs {
    /// Scenario file.
    pub(super) scenario: PathBuf,
    /// Change a value: `--set spec.workload.traces[0].jobTable=day.csv`. Repeatable; later ones
    /// win.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(super) sets: Vec<String>,
}

/// How to simulate.
#[derive(Debug, Args)]
pub(super) struct SimulationArgs {
    /// Root of all randomness: the same seed gives the same bytes.
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Simulate so often, each time with other random draws.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(super) replications: u64,
    /// At most so many simulations at once [default: one per CPU]. The result does not depend on
    /// it.
    #[arg(short = 'j', long = "jobs", value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
}

impl SimulationArgs {
    pub(super) fn threads(&self) -> usize {
        match self.jobs {
            Some(jobs) => usize::from(jobs),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

pub(super) fn run(
    args: RunArgs,
    timing: &mut Timing,
    noise: &Noise,
    output: &mut Output,
) -> Result<(), Stop> {
    let RunArgs { scenario: given, simulation, out, scorecard, no_report } = args;
    let backtest = scorecard.as_deref().map(read_scorecard).transpose()?;
    let (loaded, series) = load(&given)?;
    let out = out.unwrap_or_else(|| {
        Path::new("results").join(result_folder::sanitised(&loaded.scenario.name))
    });
    result_folder::check(&out).map_err(Stop::bad_input)?;
    timing.lap("scenario");
    let runtime = replicate::runtime(simulation.threads()).map_err(Stop::failed)?;
    let interrupt = Interrupt::listen(&runtime);
    let trace = record_traces(&loaded, noise)?;
    timing.lap("traces");

    let mut findings = Findings::new(loaded.scenario.assumptions.list());
    findings.extend(Source::Scenario, loaded.findings.iter().cloned());
    findings.extend(Source::Scenario, timezone_finding(&loaded));
    findings.extend(Source::Scenario, series);
    findings.extend(Source::Trace, trace.findings().iter().cloned());
    if loaded.workload.resample.is_none() {
        findings.extend(Source::Trace, trace.gap());
    }
    let workload = workloads(&loaded, trace, simulation.seed)?;
    interrupt.clean_up_first();
    let folder = ResultFolder::create(&out).map_err(Stop::failed)?;
    let plan = Plan {
        workload,
        scenario: Arc::new(loaded.scenario),
        seed: simulation.seed,
        replications: simulation.replications,
        tables: Some(folder.path().to_owned()),
    };
    let watch = Arc::new(Simulating::new(noise));
    let Replications { mut summary, findings: model } =
        replicate::replicate(&runtime, plan, watch, interrupt.stop()).map_err(Stop::failed)?;
    timing.lap("simulating");
    findings.extend(Source::Model, model);
    summary.backtest = backtest;

    folder
        .write("summary.json", &summary.to_json())
        .and_then(|()| folder.write("findings.json", &findings.to_json()))
        .and_then(|()| folder.write("scenario.resolved.yaml", &loaded.resolved))
        .map_err(Stop::failed)?;
    if !no_report {
        let working = Working::start(noise, "report");
        super::report::into_folder(folder.path())?;
        drop(working);
        timing.lap("report");
    }
    if interrupt.stopped() {
        return Err(Stop::failed(ReplicateError::Interrupted));
    }
    folder.commit().map_err(Stop::failed)?;
    timing.lap("writing");
    let all = findings.findings.iter().map(|entry| &entry.finding);
    noise.findings(all, "in findings.json");
    noise.note(&timing.line());
    print(&summary, &findings, &out, &given.scenario, output)
}

/// Loads the scenario with the spot series that it names, and gives the findings about those.
pub(super) fn load(given: &ScenarioArgs) -> Result<(Loaded, Vec<Finding>), Stop> {
    let mut loaded = scenarios::load(&given.scenario, &given.sets).map_err(Stop::bad_input)?;
    let findings = spot_weather::apply(&mut loaded.scenario, &loaded.spot_series);
    Ok((loaded, findings.map_err(Stop::bad_input)?))
}

/// The headline of a `backtest.json`.
pub(super) fn read_scorecard(path: &Path) -> Result<BacktestPart, Stop> {
    let bad = |reason: String| {
        Stop::BadInput(format!(
            "{}: {reason}; expected the backtest.json that `seatrial backtest --out DIR` writes",
            path.display()
        ))
    };
    let file = std::fs::File::open(path).map_err(|error| bad(error.to_string()))?;
    let text = std::io::Read::take(file, SCORECARD_MAX);
    serde_json::from_reader(text).map_err(|error| bad(error.to_string()))
}

fn print(
    summary: &Summary,
    findings: &Findings,
    out: &Path,
    scenario: &Path,
    output: &mut Output,
) -> Result<(), Stop> {
    let folder = format!(
        "{} (report.html, plots, summary.json, findings.json, scenario.resolved.yaml, {} Parquet tables)",
        out.display(),
        reports::tables::TABLES.len()
    );
    let next = format!(
        "change one thing and look again, for example seatrial run {} --set \
         spec.workload.scale.arrivals=1.5 --out results/other",
        scenario.display()
    );
    let around = Surroundings { bold: output.bold(), folder: Some(&folder), next: Some(&next) };
    match output.format() {
        Format::Table => output.text(&terminal::summary(summary, findings, around)),
        Format::Json => output.text(&summary.to_json()),
        Format::Yaml => output.text(&render::yaml(summary)),
        Format::Csv => output.text(&terminal::summary_csv(summary)),
        Format::Markdown => output.text(&terminal::summary_markdown(summary, findings)),
    }
}

/// The traces of a scenario, all in memory.
pub(super) fn read_traces(loaded: &Loaded, noise: &Noise) -> Result<Recorded, Stop> {
    read(loaded, noise, &|sources, progress| traces::load(sources, progress).map(Recorded::Listed))
}

/// The same for commands that go through the runs in their order: those of a large job table are in
/// a temporary file, where the workload is to be as recorded.
pub(super) fn record_traces(loaded: &Loaded, noise: &Noise) -> Result<Recorded, Stop> {
    let options = options(loaded, 0);
    if options.is_as_recorded() {
        read(loaded, noise, &|sources, progress| {
            traces::record(sources, &SpoolOptions::default(), progress)
        })
    } else {
        read_traces(loaded, noise)
    }
}

type Read<'a> = &'a dyn Fn(&[TraceSource], &dyn Fn(u64)) -> Result<Recorded, TraceError>;

fn read(loaded: &Loaded, noise: &Noise, read: Read<'_>) -> Result<Recorded, Stop> {
    let mut sources = Vec::new();
    for trace in &loaded.traces {
        if trace.is_address() {
            return Err(Stop::BadInput(format!(
                "{}: traces are read from files and folders, not from addresses",
                trace.written
            )));
        }
        let path = trace.path.clone();
        sources.push(match trace.kind {
            TraceKind::JobTable => TraceSource::JobTable(path),
            TraceKind::EventLogs => TraceSource::EventLogs(path),
            TraceKind::Pods => TraceSource::Pods(path),
            TraceKind::Swf => TraceSource::Swf(path),
        });
    }
    if sources.is_empty() {
        return Err(Stop::BadInput(
            "the scenario names no trace: nothing would run. Name one in spec.workload.traces, \
             for example --set spec.workload.traces[0].jobTable=day.csv"
                .to_owned(),
        ));
    }
    loaded.check_traces().map_err(Stop::bad_input)?;
    let reading = Reading::start(noise, loaded.traces.iter().map(|t| size(&t.path)).sum());
    let trace = read(&sources, &|bytes| reading.add(bytes)).map_err(|error| match error {
        // The temporary file: not the input's fault.
        TraceError::Write { .. } => Stop::failed(error),
        _ => Stop::bad_input(error),
    })?;
    drop(reading);
    if trace.is_empty() {
        noise.findings(trace.findings().iter(), "");
        return Err(Stop::BadInput(
            "the traces hold no run and no pod that can be used".to_owned(),
        ));
    }
    Ok(trace)
}

/// The workload of each replication. Where it is drawn (scaled or resampled arrivals) each
/// replication draws its own, so that the spread over replications holds the draw's too.
pub(super) fn workloads(
    loaded: &Loaded,
    trace: Recorded,
    seed: u64,
) -> Result<Arc<dyn Fn(u64) -> Arc<Workload> + Send + Sync>, Stop> {
    let options = options(loaded, seed);
    trace.check(&options).map_err(Stop::bad_input)?;
    let rules = loaded.scenario.orchestrator.clone();
    let classes = loaded.scenario.spark.applications.clone();
    let settle = move |mut workload: Workload| {
        rules.apply(&mut workload);
        apply_settings(&classes, &mut workload);
        Arc::new(workload)
    };
    let drawn = options.resample.is_some() || options.arrivals != 1.0;
    let (first, trace) = match trace {
        Recorded::Listed(trace) if drawn => {
            (settle(traces::to_workload(&trace, &options)), Some(trace))
        }
        trace => (settle(trace.into_workload(&options)), None),
    };
    if first.runs.is_empty() && first.pods.is_empty() {
        return Err(Stop::BadInput(format!(
            "spec.workload.scale.arrivals {} leaves nothing to run",
            options.arrivals
        )));
    }
    Ok(Arc::new(move |replication| match &trace {
        Some(trace) if replication > 0 => {
            let seed = options.seed.replication(replication);
            let options = WorkloadOptions { seed, ..options };
            settle(traces::to_workload(trace, &options))
        }
        _ => first.clone(),
    }))
}

fn options(loaded: &Loaded, seed: u64) -> WorkloadOptions {
    WorkloadOptions {
        arrivals: loaded.workload.arrivals,
        rescale: loaded.workload.rescale,
        resample: loaded.workload.resample.map(|resample| Resample {
            runs_per_day: f64::from(resample.runs_per_day),
            days: resample.days,
        }),
        seed: Seed::new(seed),
    }
}

/// The workload of the first replication, for commands that simulate once.
pub(super) fn first_workload(
    loaded: &Loaded,
    seed: u64,
    noise: &Noise,
) -> Result<Arc<Workload>, Stop> {
    let trace = read_traces(loaded, noise)?;
    Ok(workloads(loaded, trace, seed)?(0))
}

/// Times without a zone are read as UTC, whatever the scenario says.
fn timezone_finding(loaded: &Loaded) -> Option<Finding> {
    let zone = &loaded.workload.timezone;
    (zone != "UTC").then(|| {
        Finding::new(
            Severity::Warning,
            "not-modelled",
            "spec.workload.timezone",
            format!("times without a zone are taken as UTC, not as {zone}"),
        )
    })
}

/// Bytes of a file, or of all files below a folder; links are not followed. For the progress bar:
/// what cannot be read counts nothing here, and is said by the reader.
pub(super) fn size(path: &Path) -> u64 {
    let mut bytes = 0;
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        match std::fs::read_dir(&path) {
            Ok(entries) => waiting.extend(
                entries
                    .flatten()
                    .filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()))
                    .map(|entry| entry.path()),
            ),
            Err(_) => bytes += std::fs::metadata(&path).map_or(0, |metadata| metadata.len()),
        }
    }
    bytes
}
