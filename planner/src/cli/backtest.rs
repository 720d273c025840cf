//! `backtest`: simulated against recorded, error per application and overall, worst cases.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, ValueEnum};
use reports::grid::{Grid, GridCell, GridColumn};
use reports::render::{self, Format};
use serde_json::json;

use super::Stop;
use super::noise::Noise;
use super::output::Output;
use super::progress::Reading;
use super::run::{self, ScenarioArgs};
use crate::backtest::logs::{self, Arrivals};
use crate::backtest::{Case, Errors, Kind, Scorecard, platform, truth};

/// Worst cases that are shown in a table; the other formats have all.
const WORST_SHOWN: usize = 10;

/// Left out logs and runs that are named; the other formats have all.
const LEFT_OUT_SHOWN: usize = 20;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("recorded").required(true))]
pub(super) struct BacktestArgs {
    /// Scenario file: its runs are simulated and compared with what their trace recorded.
    #[arg(group = "recorded")]
    scenario: Option<PathBuf>,
    /// Event logs, files or folders: each is replayed alone, under its own configuration.
    #[arg(long, value_name = "PATH", num_args = 1.., group = "recorded")]
    event_logs: Vec<PathBuf>,
    /// A folder with `truth.csv` and event logs: each recording predicts the other configurations of
    /// its application.
    #[arg(long, value_name = "DIR", group = "recorded")]
    truth: Option<PathBuf>,
    /// Where executors come from [default: modelled with --truth, recorded with --event-logs].
    #[arg(long, value_enum, value_name = "WHERE")]
    executor_arrivals: Option<ArrivalsArg>,
    /// Change a value of the scenario. Repeatable; later ones win.
    #[arg(long = "set", value_name = "PATH=VALUE", requires = "scenario")]
    sets: Vec<String>,
    /// Root of all randomness of a scenario's simulation.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder for `backtest.json`, the scorecard that `run --scorecard` takes.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// `--executor-arrivals`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ArrivalsArg {
    /// As Spark's settings ask for them, after a start-up latency.
    Modelled,
    /// As the log of the predicted recording has them.
    Recorded,
}

pub(super) fn backtest(args: BacktestArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let card = compare(&args, noise)?;
    if card.cases.is_empty() {
        let reasons =
            card.left_out.iter().take(3).map(|out| format!("{}: {}", out.subject, out.reason));
        let reasons: Vec<String> = reasons.collect();
        return Err(Stop::BadInput(format!("nothing can be compared\n{}", reasons.join("\n"))));
    }
    if let Some(out) = &args.out {
        write(&card, out)?;
    }
    print(&card, noise, output)
}

/// The scorecard, under its final name only once it is whole.
fn write(card: &Scorecard, out: &Path) -> Result<(), Stop> {
    let (path, unfinished) = (out.join("backtest.json"), out.join(".backtest.json.unfinished"));
    std::fs::create_dir_all(out)
        .and_then(|()| std::fs::write(&unfinished, render::json(&card.to_value())))
        .and_then(|()| std::fs::rename(&unfinished, &path))
        .map_err(|error| Stop::Failed(format!("{}: {error}", path.display())))
}

fn compare(args: &BacktestArgs, noise: &Noise) -> Result<Scorecard, Stop> {
    let arrivals = |default| match args.executor_arrivals {
        Some(ArrivalsArg::Modelled) => Arrivals::Modelled,
        Some(ArrivalsArg::Recorded) => Arrivals::Recorded,
        None => default,
    };
    if let Some(folder) = &args.truth {
        let reading = Reading::start(noise, run::size(folder));
        return truth::backtest(folder, arrivals(Arrivals::Modelled), &|bytes| reading.add(bytes))
            .map_err(Stop::BadInput);
    }
    if !args.event_logs.is_empty() {
        let bytes = args.event_logs.iter().map(|path| run::size(path)).sum();
        let reading = Reading::start(noise, bytes);
        let read =
            traces::event_log::read_event_logs(&args.event_logs, &|bytes| reading.add(bytes));
        drop(reading);
        let mut card = logs::backtest(&read.applications, arrivals(Arrivals::Recorded));
        for report in &read.reports {
            if let traces::event_log::Status::Refused(reason) = &report.status {
                card.left_out.push(crate::backtest::LeftOut {
                    subject: report.path.display().to_string(),
                    reason: reason.clone(),
                });
            }
        }
        return Ok(card);
    }
    let scenario = args.scenario.clone().unwrap_or_default();
    let given = ScenarioArgs { scenario, sets: args.sets.clone() };
    let (loaded, findings) = run::load(&given)?;
    noise.findings(findings.iter(), "");
    let workload = run::first_workload(&loaded, args.seed, noise)?;
    let (card, model) = platform::backtest(&loaded.scenario, &workload, args.seed);
    noise.findings(loaded.findings.iter().chain(&model), "said by `seatrial run` too");
    Ok(card)
}

fn print(card: &Scorecard, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    match output.format() {
        Format::Json => return output.text(&render::json(&card.to_value())),
        Format::Yaml => return output.text(&render::yaml(&card.to_value())),
        Format::Csv => return output.grid(&cases(card, usize::MAX)),
        Format::Table | Format::Markdown => {}
    }
    output.grid(&summary(card))?;
    let heading =
        if output.format() == Format::Markdown { "## Worst cases" } else { "Worst cases:" };
    output.text(&format!("\n{heading}\n\n"))?;
    output.grid(&cases(card, WORST_SHOWN))?;
    if !card.left_out.is_empty() {
        let count = card.left_out.len();
        noise.note(&format!("{count} left out:"));
        for out in card.left_out.iter().take(LEFT_OUT_SHOWN) {
            let line = format!("  {}: {}", out.subject, out.reason);
            noise.note(&line);
        }
        if count > LEFT_OUT_SHOWN {
            noise.note("  and others; `-o json` has all (left_out)");
        }
    }
    Ok(())
}

fn summary(card: &Scorecard) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("application", "application"),
        GridColumn::figures("predictions", "predictions"),
        GridColumn::figures("mean %", "mean_percent"),
        GridColumn::figures("median %", "median_percent"),
        GridColumn::figures("p90 %", "p90_percent"),
        GridColumn::figures("worst %", "worst_percent"),
        GridColumn::figures("bias %", "bias_percent"),
        GridColumn::figures("failed", "recorded_failed"),
        GridColumn::figures("predicted", "predicted_failed"),
    ]);
    let mut row = |name: &str, errors: Errors, failed: (usize, usize)| {
        let percent = |share: Option<f64>| match share {
            Some(share) => GridCell::decimal(share * 100.0, 1),
            None => GridCell::figure(json!(null), "-"),
        };
        grid.push(vec![
            GridCell::text(name),
            GridCell::whole(errors.predictions as u64),
            percent(errors.mean_ape),
            percent(errors.median_ape),
            percent(errors.p90_ape),
            percent(errors.worst_ape),
            percent(errors.bias),
            GridCell::whole(failed.0 as u64),
            GridCell::whole(failed.1 as u64),
        ]);
    };
    for name in card.applications() {
        let own = |case: &Case| case.application == name;
        row(name, card.errors(own), card.failed(own));
    }
    for kind in Kind::ALL {
        let of_kind = |case: &Case| case.kind == kind;
        let errors = card.errors(of_kind);
        if errors.predictions > 0 {
            row(&format!("(all, {})", kind.name()), errors, card.failed(of_kind));
        }
    }
    row("(all)", card.errors(|_| true), card.failed(|_| true));
    grid
}

fn cases(card: &Scorecard, most: usize) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("application", "application"),
        GridColumn::words("from", "source"),
        GridColumn::words("predicts", "target"),
        GridColumn::words("kind", "kind"),
        GridColumn::figures("recorded s", "recorded_s"),
        GridColumn::figures("predicted s", "predicted_s"),
        GridColumn::figures("error %", "error_percent"),
        GridColumn::words("reason", "reason"),
    ]);
    let mut worst: Vec<_> = card.cases.iter().collect();
    let size = |case: &Case| case.error.map_or(-1.0, f64::abs);
    worst.sort_by(|a, b| size(b).total_cmp(&size(a)));
    for case in worst.into_iter().take(most) {
        grid.push(vec![
            GridCell::text(&case.application),
            GridCell::text(&case.source),
            GridCell::text(&case.target),
            GridCell::text(case.kind.name()),
            GridCell::decimal(case.recorded_ms as f64 / 1000.0, 1),
            GridCell::decimal(case.predicted_ms as f64 / 1000.0, 1),
            match case.error {
                Some(error) => GridCell::decimal(error * 100.0, 1),
                None => GridCell::figure(json!(null), "-"),
            },
            GridCell::sentence(&case.reason),
        ]);
    }
    grid
}
