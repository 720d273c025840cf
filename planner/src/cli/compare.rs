//! `compare`: the same weather over a base and candidates; gates for pull requests.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use reports::grid::{Grid, GridCell, GridColumn};
use reports::render::{self, Format};
use serde_json::{Value, json};

use super::Stop;
use super::interrupt::Interrupt;
use super::noise::Noise;
use super::output::Output;
use super::run::{self, ScenarioArgs, SimulationArgs};
use crate::compare::gate::Gate;
use crate::compare::{Difference, Outcomes, Side, parts, simulate};
use crate::replicate;

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// The scenario to compare with.
    base: PathBuf,
    /// Scenarios to compare; with --change alone, the base with those changes.
    candidates: Vec<PathBuf>,
    /// Change a value of every scenario. Repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// A candidate that is the base with this value changed. Repeatable: all of them make one
    /// candidate.
    #[arg(long = "change", value_name = "PATH=VALUE")]
    changes: Vec<String>,
    /// Exit with 3 if this holds of a candidate: `cost.total > +5%`,
    /// `latency.pod_scheduling_delay.p99 > 6m`. Repeatable.
    #[arg(long, value_name = "CONDITION")]
    fail_if: Vec<String>,
    /// Do not work out which part of the scenario makes the difference.
    #[arg(long)]
    no_attribution: bool,
    #[command(flatten)]
    simulation: SimulationArgs,
    /// A scorecard (`backtest.json`): a smaller difference than its mean error is called so.
    #[arg(long, value_name = "FILE")]
    scorecard: Option<PathBuf>,
}

/// Metrics that are shown: title, path, what one unit of the figure is.
const SHOWN: [(&str, &str, Unit); 14] = [
    ("cost", "cost_usd.total", Unit::Usd),
    ("on-demand", "cost_usd.by_kind.on_demand", Unit::Usd),
    ("spot", "cost_usd.by_kind.spot", Unit::Usd),
    ("unallocated", "cost_usd.ledger.unallocated", Unit::Usd),
    ("recompute", "cost_usd.ledger.recompute", Unit::Usd),
    ("runs failed", "outcome.failed", Unit::Count),
    ("attempts", "workload.attempts", Unit::Count),
    ("out of memory", "outcome.failed_attempts_by_cause.executor_oom", Unit::Count),
    ("timeouts", "outcome.failed_attempts_by_cause.timeout", Unit::Count),
    ("run queue delay p99", "latency_s.run_queue_delay.p99", Unit::Seconds),
    ("pod scheduling delay p99", "latency_s.pod_scheduling_delay.p99", Unit::Seconds),
    ("run duration p50", "latency_s.run_duration.p50", Unit::Seconds),
    ("nodes launched", "nodes.launched", Unit::Count),
    ("CPU asked for", "utilization.cpu", Unit::Share),
];

#[derive(Debug, Clone, Copy)]
enum Unit {
    Usd,
    Count,
    Seconds,
    Share,
}

pub(super) fn compare(args: CompareArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let gates: Result<Vec<Gate>, String> = args.fail_if.iter().map(|t| Gate::parse(t)).collect();
    let gates = gates.map_err(Stop::BadInput)?;
    let error = args.scorecard.as_deref().map(run::read_scorecard).transpose()?;
    let error = error.map(|card| card.mean_ape);
    if args.candidates.is_empty() && args.changes.is_empty() {
        return Err(Stop::BadInput(
            "nothing to compare with: name a second scenario, or --change PATH=VALUE".to_owned(),
        ));
    }
    let seed = args.simulation.seed;
    let mut sides = vec![side(&args.base, args.sets.clone(), seed, noise)?];
    for path in &args.candidates {
        sides.push(side(path, args.sets.clone(), seed, noise)?);
    }
    if !args.changes.is_empty() {
        let sets = [args.sets.clone(), args.changes.clone()].concat();
        let mut changed = side(&args.base, sets, seed, noise)?;
        "changed".clone_into(&mut changed.name);
        sides.push(changed);
        noise.note(&format!("changed: {}", args.changes.join(", ")));
    }
    let runtime = replicate::runtime(args.simulation.threads()).map_err(Stop::failed)?;
    let interrupt = Interrupt::listen(&runtime);
    interrupt.clean_up_first();
    let attributed = alone(&args, &sides, noise)?;
    let all: Vec<Side> = sides.iter().chain(attributed.iter().flatten()).cloned().collect();
    let times = (seed, args.simulation.replications);
    let mut outcomes = simulate(&runtime, &all, times, &interrupt.stop()).map_err(Stop::failed)?;
    let mut changed = outcomes.split_off(sides.len()).into_iter();
    let attributed: Vec<Vec<Outcomes>> =
        attributed.iter().map(|parts| changed.by_ref().take(parts.len()).collect()).collect();
    for gate in &gates {
        if !outcomes[0].has(&gate.metric) {
            return Err(Stop::BadInput(unknown_metric(gate, &outcomes[0])));
        }
    }
    print(&outcomes, &attributed, error, output)?;
    let (base, candidates) = (&outcomes[0], &outcomes[1..]);
    let failed = candidates.iter().flat_map(|c| gates.iter().filter_map(|g| g.failed(c, base)));
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() { Ok(()) } else { Err(Stop::Gate(failed.join("\n"))) }
}

/// For each candidate, the base with one part of it changed: one `--change`, or one part of the
/// scenario.
fn alone(args: &CompareArgs, sides: &[Side], noise: &Noise) -> Result<Vec<Vec<Side>>, Stop> {
    let [base, candidates @ ..] = sides else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        let changed = place == args.candidates.len();
        let mut own = Vec::new();
        if changed && !args.no_attribution && args.changes.len() > 1 {
            for change in &args.changes {
                let sets = [args.sets.clone(), vec![change.clone()]].concat();
                // A change may need another one to make sense; then it cannot be looked at alone.
                match side(&args.base, sets, args.simulation.seed, noise) {
                    Ok(side) => own.push(Side { name: change.clone(), ..side }),
                    Err(Stop::BadInput(_)) => {
                        noise.note(&format!("`{change}` makes no scenario alone"));
                    }
                    Err(other) => return Err(other),
                }
            }
        } else if !args.no_attribution {
            own.extend(parts(base, candidate));
        }
        all.push(own);
    }
    Ok(all)
}

fn side(path: &std::path::Path, sets: Vec<String>, seed: u64, noise: &Noise) -> Result<Side, Stop> {
    let given = ScenarioArgs { scenario: path.to_owned(), sets };
    let (loaded, _) = run::load(&given)?;
    let trace = run::read_traces(&loaded, noise)?;
    let workload = run::workloads(&loaded, trace, seed)?;
    let name = loaded.scenario.name.clone();
    Ok(Side { name, scenario: Arc::new(loaded.scenario), workload })
}

fn unknown_metric(gate: &Gate, outcomes: &Outcomes) -> String {
    let last = gate.metric.rsplit('.').next().unwrap_or_default();
    let near = outcomes.metrics().into_iter().filter(|name| name.contains(last)).take(4);
    let near: Vec<&str> = near.collect();
    let help =
        if near.is_empty() { String::new() } else { format!("; there are {}", near.join(", ")) };
    format!("--fail-if `{}`: no metric `{}` in summary.json{help}", gate.text, gate.metric)
}

fn print(
    outcomes: &[Outcomes],
    attributed: &[Vec<Outcomes>],
    error: Option<f64>,
    output: &mut Output,
) -> Result<(), Stop> {
    let [base, candidates @ ..] = outcomes else { return Ok(()) };
    match output.format() {
        Format::Json => return output.text(&render::json(&value(base, candidates, attributed))),
        Format::Yaml => return output.text(&render::yaml(&value(base, candidates, attributed))),
        Format::Csv => return output.grid(&differences(base, candidates, error)),
        Format::Table | Format::Markdown => {}
    }
    output.grid(&differences(base, candidates, error))?;
    for (candidate, parts) in candidates.iter().zip(attributed) {
        if parts.len() < 2 {
            continue;
        }
        let title = format!("Where the difference of `{}` comes from", candidate.name);
        let title = reports::escape::sentence(&title);
        output.text(&match output.format() {
            Format::Markdown => format!("\n### {title}\n\n"),
            _ => format!("\n{title}\n\n"),
        })?;
        output.grid(&attribution(base, candidate, parts))?;
    }
    Ok(())
}

fn differences(base: &Outcomes, candidates: &[Outcomes], error: Option<f64>) -> Grid {
    let several = candidates.len() > 1;
    let mut columns = vec![GridColumn::words("metric", "metric")];
    columns.extend(several.then(|| GridColumn::words("of", "candidate")));
    columns.extend([
        GridColumn::figures("base", "base"),
        GridColumn::figures("candidate", "value"),
        GridColumn::figures("difference", "difference"),
        GridColumn::words("95 % interval", "interval"),
        GridColumn::figures("%", "percent"),
        GridColumn::words("verdict", "verdict"),
    ]);
    let mut grid = Grid::new(&columns);
    for candidate in candidates {
        for (title, path, unit) in SHOWN {
            let found = candidate.against(base, path);
            if found.base == 0.0 && found.candidate == 0.0 {
                continue;
            }
            let interval = found.difference.map_or_else(String::new, |d| {
                format!("{} to {}", shown(d.ci95_low, unit, true), shown(d.ci95_high, unit, true))
            });
            let percent = found.relative().map_or_else(
                || GridCell::figure(json!(null), "-"),
                |share| GridCell::figure(share * 100.0, format!("{:+.1}", share * 100.0)),
            );
            let mut row = vec![GridCell::text(title)];
            row.extend(several.then(|| GridCell::text(&candidate.name)));
            row.extend([
                GridCell::figure(found.base, shown(found.base, unit, false)),
                GridCell::figure(found.candidate, shown(found.candidate, unit, false)),
                GridCell::figure(found.absolute(), shown(found.absolute(), unit, true)),
                GridCell::text(interval),
                percent,
                GridCell::text(verdict(&found, error)),
            ]);
            grid.push(row);
        }
    }
    grid
}

/// What the difference is worth.
fn verdict(found: &Difference, error: Option<f64>) -> &'static str {
    let small = error.zip(found.relative()).is_some_and(|(error, share)| share.abs() < error);
    match (found.difference, found.is_clear()) {
        (None, _) => "one replication",
        (Some(_), false) => "not clear",
        (Some(_), true) if small => "below the backtest's error",
        (Some(_), true) => "",
    }
}

fn shown(value: f64, unit: Unit, signed: bool) -> String {
    let (number, suffix) = match unit {
        Unit::Usd => (format!("{:.2}", value.abs()), ""),
        Unit::Count => (format!("{:.1}", value.abs()), ""),
        Unit::Seconds => (format!("{:.1}", value.abs()), " s"),
        Unit::Share => (format!("{:.3}", value.abs()), ""),
    };
    let sign = if value < 0.0 {
        "-"
    } else if signed {
        "+"
    } else {
        ""
    };
    let dollar = if matches!(unit, Unit::Usd) { "$" } else { "" };
    format!("{sign}{dollar}{number}{suffix}")
}

/// Metrics whose difference is taken apart.
const TAKEN_APART: [(&str, &str, Unit); 4] = [SHOWN[0], SHOWN[5], SHOWN[9], SHOWN[10]];

/// Each part changed alone, and what they do not add up to.
fn attribution(base: &Outcomes, candidate: &Outcomes, parts: &[Outcomes]) -> Grid {
    let mut columns = vec![GridColumn::words("changed alone", "part")];
    columns.extend(TAKEN_APART.map(|(title, path, _)| GridColumn::figures(title, path)));
    let mut grid = Grid::new(&columns);
    let effect = |of: &Outcomes, path: &str| of.against(base, path).absolute();
    let mut row =
        |name: &str, effects: [f64; 4]| {
            let mut cells = vec![GridCell::text(name)];
            cells.extend(effects.iter().zip(TAKEN_APART).map(|(effect, (_, _, unit))| {
                GridCell::figure(*effect, shown(*effect, unit, true))
            }));
            grid.push(cells);
        };
    let mut sums = [0.0; 4];
    for part in parts {
        let effects = TAKEN_APART.map(|(_, path, _)| effect(part, path));
        sums.iter_mut().zip(effects).for_each(|(sum, own)| *sum += own);
        row(&part.name, effects);
    }
    let whole = TAKEN_APART.map(|(_, path, _)| effect(candidate, path));
    row("(together beyond that)", std::array::from_fn(|place| whole[place] - sums[place]));
    row("(all)", whole);
    grid
}

fn value(base: &Outcomes, candidates: &[Outcomes], attributed: &[Vec<Outcomes>]) -> Value {
    let difference = |of: &Outcomes, path: &str| {
        let found = of.against(base, path);
        json!({
            "base": found.base,
            "candidate": found.candidate,
            "difference": found.absolute(),
            "relative": found.relative(),
            "ci95": found.difference.map(|d| [d.ci95_low, d.ci95_high]),
        })
    };
    let one = |(candidate, parts): (&Outcomes, &Vec<Outcomes>)| {
        let metrics = candidate.metrics();
        let metrics = metrics.iter().map(|path| ((*path).to_owned(), difference(candidate, path)));
        let parts = parts.iter().map(|part| {
            let effects = TAKEN_APART.map(|(_, path, _)| (path.to_owned(), difference(part, path)));
            (part.name.clone(), Value::Object(effects.into_iter().collect()))
        });
        json!({
            "candidate": candidate.name,
            "metrics": Value::Object(metrics.collect()),
            "changed_alone": Value::Object(parts.collect()),
        })
    };
    let candidates: Vec<Value> = candidates.iter().zip(attributed).map(one).collect();
    json!({ "base": base.name, "candidates": candidates })
}
