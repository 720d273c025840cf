//! The command line: arguments in, exit codes out.
//!
//! Data goes to stdout, everything else to stderr. Each verb is a file below. What a verb cannot do
//! is an error before anything is written.

mod backtest;
mod catalog;
mod compare;
mod conformance;
mod cost;
mod effect;
mod emit;
mod explain;
mod export;
mod import;
mod interrupt;
mod ladder;
mod lint;
mod metrics;
mod noise;
mod output;
mod plan;
mod progress;
mod report;
mod run;
mod sizing;
mod timing;
mod trace;
mod upgrade;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use reports::render::Format;

use noise::Noise;
use output::Output;
use timing::Timing;

/// All went well.
pub const EXIT_FINE: u8 = 0;
/// Something failed while running: the disk was full, the user pressed Ctrl-C, a bug.
pub const EXIT_FAILED: u8 = 1;
/// Bad usage or bad input. Nothing was written.
pub const EXIT_BAD_INPUT: u8 = 2;
/// A gate said no: the command did its work, and a limit that the user set was passed.
pub const EXIT_GATE: u8 = 3;

/// Why a verb ended early.
#[derive(Debug)]
enum Stop {
    /// The user's arguments or files: [`EXIT_BAD_INPUT`].
    BadInput(String),
    /// Anything else: [`EXIT_FAILED`].
    Failed(String),
    /// A limit that the user set was passed: [`EXIT_GATE`].
    Gate(String),
    /// Whoever read our output has closed it and wants no more: [`EXIT_FINE`].
    ReaderGone,
}

impl Stop {
    fn bad_input(error: impl std::fmt::Display) -> Self {
        Self::BadInput(error.to_string())
    }

    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Capacity planner and cluster simulator for Spark on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "seatrial", version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 fine, 1 failed while running, 2 bad usage or bad input \
                        (nothing written), 3 a gate said no.")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    global: Global,
}

/// Options of every verb.
#[derive(Debug, Args)]
struct Global {
    /// How data is printed.
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", help_heading = "Output")]
    output: Option<OutputFormat>,
    /// No progress bars.
    #[arg(long, global = true, help_heading = "Output")]
    no_progress: bool,
    /// Only data and errors: no progress, no warnings, no timing.
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    quiet: bool,
    /// Also notes: defaults that were used, assumptions.
    #[arg(short, long, global = true, help_heading = "Output")]
    verbose: bool,
    /// Write wall time, CPU time and peak memory to a JSON file.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Output")]
    timing: Option<PathBuf>,
}

/// `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    /// Aligned text for people.
    Table,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// CSV with a header.
    Csv,
    /// Markdown.
    Markdown,
}

impl From<OutputFormat> for Format {
    fn from(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Table => Self::Table,
            OutputFormat::Json => Self::Json,
            OutputFormat::Yaml => Self::Yaml,
            OutputFormat::Csv => Self::Csv,
            OutputFormat::Markdown => Self::Markdown,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Simulate a scenario, print the summary, write the result folder.
    Run(run::RunArgs),
    /// The same weather over two or more scenarios: differences, their causes, gates.
    #[command(mut_arg("replications", |arg| {
        arg.default_value("9").help("Simulate each scenario at most so often; fewer where the \
                                     answer is clear")
    }))]
    Compare(compare::CompareArgs),
    /// Search what the scenario's `plan` allows: a recommendation with reasons and risks.
    Plan(plan::PlanArgs),
    /// Executor memory by application: what it needs, what may shrink, what runs out too often.
    #[command(mut_arg("replications", |arg| arg.default_value("5")))]
    Sizing(sizing::SizingArgs),
    /// What other releases of Spark and Kubernetes change by default, and what that does.
    #[command(mut_arg("replications", |arg| arg.default_value("5")))]
    Upgrade(upgrade::UpgradeArgs),
    /// Simulated against recorded: replay recordings, or predict other recorded configurations.
    Backtest(backtest::BacktestArgs),
    /// The scenario's runs under other retry ladders: who is saved, and at what price.
    #[command(mut_arg("replications", |arg| arg.default_value("5")))]
    Ladder(ladder::LadderArgs),
    /// A scenario out of what people have: eksctl, kubectl dumps, flags, templates, Spark's settings.
    Import(import::ImportArgs),
    /// What is wrong with these files: what never schedules, what fights, what upstream removed.
    Lint(lint::LintArgs),
    /// Render a result folder again: HTML, Markdown, CSV.
    Report(report::ReportArgs),
    /// Who spent what, against the period before, with waste and a forecast.
    Cost(cost::CostArgs),
    /// Why a pod, run, node or node group of a result lived as it did.
    Explain(explain::ExplainArgs),
    /// Results for other tools: a Parquet dataset, or Prometheus metrics.
    Export(export::ExportArgs),
    /// The live system's files for a scenario: new ones, or a diff of the user's own.
    Emit(emit::EmitArgs),
    /// Recorded runs: read, look at, check, make.
    #[command(subcommand)]
    Trace(trace::TraceVerb),
    /// Instance types: shape, allocatable resources, prices; which executors fit.
    Catalog(catalog::CatalogArgs),
    /// Run decision cases derived from upstream Kubernetes; print agreement per plugin.
    Conformance(conformance::ConformanceArgs),
    /// Print the JSON Schema of the scenario file, for editors.
    Schema,
    /// Print a completion script.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// Reads the arguments, does what they say, and gives the exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no reason to fail here: there is nothing else to do.
            let _ = error.print();
            let code = match error.use_stderr() {
                true => EXIT_BAD_INPUT,
                false => EXIT_FINE,
            };
            return ExitCode::from(code);
        }
    };
    let noise = Noise::new(&cli.global);
    let mut output = Output::new(cli.global.output.map(Format::from));
    let mut timing = Timing::start();
    let mut done = verb(cli.verb, &mut timing, &noise, &mut output);
    done = done.and_then(|()| output.finish());
    if let (Ok(()) | Err(Stop::ReaderGone | Stop::Gate(_)), Some(path)) =
        (&done, &cli.global.timing)
    {
        done = timing.write(path).and(done);
    }
    let (code, reason) = match done {
        Ok(()) | Err(Stop::ReaderGone) => return ExitCode::from(EXIT_FINE),
        Err(Stop::BadInput(reason)) => (EXIT_BAD_INPUT, reason),
        Err(Stop::Failed(reason)) => (EXIT_FAILED, reason),
        Err(Stop::Gate(reason)) => (EXIT_GATE, reason),
    };
    noise.error(&reason);
    ExitCode::from(code)
}

fn verb(verb: Verb, timing: &mut Timing, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    match verb {
        Verb::Run(args) => run::run(args, timing, noise, output),
        Verb::Compare(args) => compare::compare(args, noise, output),
        Verb::Plan(args) => plan::plan(args, noise, output),
        Verb::Sizing(args) => sizing::sizing(args, noise, output),
        Verb::Upgrade(args) => upgrade::upgrade(args, noise, output),
        Verb::Backtest(args) => backtest::backtest(args, noise, output),
        Verb::Ladder(args) => ladder::ladder(args, noise, output),
        Verb::Import(args) => import::import(args, output),
        Verb::Lint(args) => lint::lint(args, noise, output),
        Verb::Report(args) => report::report(args, noise, output),
        Verb::Cost(args) => cost::cost(args, output),
        Verb::Explain(args) => explain::explain(args, output),
        Verb::Export(args) => export::export(args, noise, output),
        Verb::Emit(args) => emit::emit(args, noise, output),
        Verb::Trace(verb) => trace::trace(verb, noise, output),
        Verb::Catalog(args) => catalog::catalog(args, noise, output),
        Verb::Conformance(args) => conformance::conformance(args, noise, output),
        Verb::Schema => output.value(&scenarios::schema::schema()),
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "seatrial", &mut script);
            output.bytes(&script)
        }
        Verb::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Stop::failed)?;
            output.bytes(&page)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
