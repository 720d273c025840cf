//! `ladder`: the scenario's runs under other retry ladders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use reports::grid::{Grid, GridCell, GridColumn};
use reports::render::{self, Format};
use reports::student_t::Estimate;
use scenarios::Loaded;
use serde_json::{Value, json};
use sim::{Scenario, Seed, Workload};

use super::Stop;
use super::interrupt::Interrupt;
use super::noise::Noise;
use super::output::Output;
use super::run::{self, ScenarioArgs, SimulationArgs};
use crate::ladder::{Counts, LadderPlan, LadderResult, Tally, best, compare};
use crate::{replicate, result_folder};

/// Applications that are shown in a table; the other formats have all.
const APPLICATIONS_SHOWN: usize = 10;
/// Larger files are no ladders.
const FILE_MAX: u64 = 1 << 20;

#[derive(Debug, Args)]
pub(super) struct LadderArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Presets by name, `best` (computed for the workload's memory need), or files (*.yaml) with what `spec.retries` would hold. The scenario's own
    /// ladder is the base.
    #[arg(long, value_name = "LADDER", value_delimiter = ',', required = true)]
    ladders: Vec<String>,
    /// With the ladder `best`: at most so many of the runs that run out of memory, by their cost, may
    /// fail for good.
    #[arg(long, value_name = "PERCENT", default_value = "1%", value_parser = percent)]
    failure_limit: f64,
    /// With the ladder `best`: write it, as what `spec.retries` holds.
    #[arg(long, value_name = "FILE")]
    best_out: Option<PathBuf>,
    #[command(flatten)]
    simulation: SimulationArgs,
}

pub(super) fn ladder(args: LadderArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let LadderArgs { scenario: given, ladders, failure_limit, best_out, simulation } = args;
    let (own, _) = run::load(&given)?;
    let trace = run::read_traces(&own, noise)?;
    let workload = run::workloads(&own, trace, simulation.seed)?;
    let mut scenarios = vec![Arc::new(own.scenario.clone())];
    for name in &ladders {
        if name == "best" {
            let computed = computed(&own, &workload(0), (simulation.seed, failure_limit), noise)?;
            if let Some(path) = &best_out {
                let text = render::yaml(&scenarios::retries_value(&computed.retries));
                result_folder::write_whole(path, &text).map_err(Stop::failed)?;
            }
            scenarios.push(Arc::new(computed));
            continue;
        }
        let mut with = ScenarioArgs { scenario: given.scenario.clone(), sets: given.sets.clone() };
        with.sets.push(format!("spec.retries={}", retries(name)?));
        let (loaded, _) = run::load(&with).map_err(|stop| match stop {
            Stop::BadInput(reason) => Stop::BadInput(format!("ladder `{name}`: {reason}")),
            other => other,
        })?;
        let mut scenario = loaded.scenario;
        if scenario.retries.name == "custom" {
            scenario.retries.name = name.clone();
        }
        scenarios.push(Arc::new(scenario));
    }
    // The scenario's own ladder may be among those that were asked for.
    let base = scenarios[0].retries.clone();
    let mut first = true;
    scenarios.retain(|scenario| std::mem::take(&mut first) || scenario.retries != base);
    let runtime = replicate::runtime(simulation.threads()).map_err(Stop::failed)?;
    let interrupt = Interrupt::listen(&runtime);
    let plan = LadderPlan {
        scenarios,
        workload,
        seed: simulation.seed,
        replications: simulation.replications,
    };
    interrupt.clean_up_first();
    let results = compare(&runtime, &plan, &interrupt.stop()).map_err(Stop::failed)?;
    print(&results, output)?;
    if simulation.replications < 2 {
        noise.note("no intervals with one replication; `--replications 5` gives them");
    }
    Ok(())
}

/// A percentage as a share.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>();
    match number {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("a percentage from 0 to 100, such as 1%".to_owned()),
    }
}

/// The scenario with the ladder of least expected cost.
fn computed(
    own: &Loaded,
    workload: &Workload,
    (seed, limit): (u64, f64),
    noise: &Noise,
) -> Result<Scenario, Stop> {
    let needs = best::Needs::of(&own.scenario, workload, Seed::new(seed).replication(0));
    let Some(best) = needs.best(limit) else {
        let why = "no run dies of memory, so that there is nothing to compute `best` from";
        return Err(Stop::BadInput(why.to_owned()));
    };
    let types = own.scenario.pools.iter().flat_map(|pool| &pool.instance_types);
    let largest = types.map(|kind| kind.allocatable_memory).max().unwrap_or_default();
    // Spark's overhead is a tenth of the heap.
    let cap = largest.saturating_sub(own.scenario.daemonsets.memory).scale_floor(1.0 / 1.1);
    let factors: Vec<String> = best.factors.iter().map(|factor| format!("x{factor}")).collect();
    noise.note(&format!(
        "best: memory {} after running out of it; expected {:.2} first attempts a run, {:.1} % (by \
         cost) fail for good; from {} runs that die of memory",
        factors.join(", "),
        best.cost,
        best.fails * 100.0,
        best.runs
    ));
    let mut scenario = own.scenario.clone();
    scenario.retries = best::ladder(&own.scenario.retries, &best, cap);
    Ok(scenario)
}

/// What `--set spec.retries=` gets: a preset, or what a file holds.
fn retries(name: &str) -> Result<String, Stop> {
    let path = Path::new(name);
    let is_file = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    if !is_file {
        return Ok(format!("{{preset: {}}}", json!(name)));
    }
    let bad = |what: String| Stop::BadInput(format!("{name}: {what}"));
    let length = std::fs::metadata(path).map_err(|error| bad(error.to_string()))?.len();
    if length > FILE_MAX {
        return Err(bad(format!("{length} bytes are no ladder; at most {FILE_MAX} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    scenarios::one_line(name, &text).map_err(Stop::bad_input)
}

fn print(results: &[LadderResult], output: &mut Output) -> Result<(), Stop> {
    let [base, ..] = results else { return Ok(()) };
    match output.format() {
        Format::Json => return output.text(&render::json(&value(results, base))),
        Format::Yaml => return output.text(&render::yaml(&value(results, base))),
        Format::Csv => return output.grid(&ladders(results, base)),
        Format::Table | Format::Markdown => {}
    }
    let markdown = output.format() == Format::Markdown;
    let heading = |text: &str| match markdown {
        true => format!("\n## {text}\n\n"),
        false => format!("\n{text}\n\n"),
    };
    output.grid(&ladders(results, base))?;
    output.text(&heading("By the cause of the first attempt's failure"))?;
    output.grid(&parts(results, |result| {
        let causes = result.all(|tally| &tally.by_cause);
        causes.into_iter().map(|(cause, counts)| (cause.name().to_owned(), counts)).collect()
    }))?;
    output.text(&heading("Applications that differ most in dollars"))?;
    let shown = most_different(results, base);
    output.grid(&parts(results, |result| {
        let mut all = result.all(|tally| &tally.by_application);
        shown.iter().filter_map(|name| Some((name.clone(), all.remove(name)?))).collect()
    }))
}

/// Names of the applications whose dollars differ most between the ladders.
fn most_different(results: &[LadderResult], base: &LadderResult) -> Vec<String> {
    let before = base.all(|tally| &tally.by_application);
    let mut differences: Vec<(f64, String)> = before
        .iter()
        .map(|(name, counts)| {
            let usd = results.iter().map(|result| {
                result.all(|tally| &tally.by_application).get(name).map_or(0.0, |c| c.usd)
            });
            let widest = usd.map(|usd| (usd - counts.usd).abs()).fold(0.0, f64::max);
            (widest, name.clone())
        })
        .collect();
    differences.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    differences.into_iter().take(APPLICATIONS_SHOWN).map(|(_, name)| name).collect()
}

/// A figure of the table of ladders: title, key, decimals, and how it is worked out.
type Figure = (&'static str, &'static str, usize, fn(&Tally) -> f64);

const FIGURES: [Figure; 9] = [
    ("succeeded %", "succeeded_percent", 2, |t| {
        100.0 * t.all.succeeded as f64 / t.all.runs.max(1) as f64
    }),
    ("failed for good", "failed", 1, |t| t.all.failed as f64),
    ("attempts a run", "attempts_per_run", 3, |t| t.all.attempts as f64 / t.all.runs.max(1) as f64),
    ("min to success, retried", "median_minutes_to_success", 1, |t| {
        t.median_time_to_success_s() / 60.0
    }),
    ("dollars", "usd", 2, |t| t.bill_usd),
    ("a success", "usd_per_success", 4, |t| t.bill_usd / t.all.succeeded.max(1) as f64),
    ("GiB-h in vain", "vain_gib_hours", 1, |t| t.all.vain_gib_hours),
    ("ran away", "runaway", 1, |t| t.all.runaway as f64),
    ("largest GiB", "largest_executor_gib", 1, |t| t.largest_executor.as_gib_f64()),
];

fn ladders(results: &[LadderResult], base: &LadderResult) -> Grid {
    let mut columns = vec![GridColumn::words("ladder", "ladder")];
    columns.extend(FIGURES.map(|(title, key, ..)| GridColumn::figures(title, key)));
    columns.push(GridColumn::words("dollars against the first", "usd_difference"));
    columns.push(GridColumn::words("failed against the first", "failed_difference"));
    let mut grid = Grid::new(&columns);
    for result in results {
        let mut row = vec![GridCell::text(&result.name)];
        row.extend(
            FIGURES
                .map(|(_, _, decimals, figure)| GridCell::decimal(result.mean(figure), decimals)),
        );
        row.push(GridCell::text(against(result, base, 2, |t| t.bill_usd)));
        row.push(GridCell::text(against(result, base, 1, |t| t.all.failed as f64)));
        grid.push(row);
    }
    grid
}

/// The paired difference with its 95 % interval, as people read it.
fn against(
    result: &LadderResult,
    base: &LadderResult,
    decimals: usize,
    figure: fn(&Tally) -> f64,
) -> String {
    if std::ptr::eq(result, base) {
        return "-".to_owned();
    }
    match difference(result, base, figure) {
        (_, Some(estimate)) => {
            let (low, high) = (estimate.ci95_low, estimate.ci95_high);
            format!("{:+.decimals$} ({low:+.decimals$} to {high:+.decimals$})", estimate.mean)
        }
        (mean, None) => format!("{mean:+.decimals$}"),
    }
}

fn difference(
    result: &LadderResult,
    base: &LadderResult,
    figure: fn(&Tally) -> f64,
) -> (f64, Option<Estimate>) {
    let pairs = result.figures(figure).into_iter().zip(base.figures(figure));
    let differences: Vec<f64> = pairs.map(|(own, before)| own - before).collect();
    let mean = differences.iter().sum::<f64>() / differences.len().max(1) as f64;
    (mean, Estimate::of(&differences))
}

/// A table of parts of all runs, means over the replications.
fn parts(results: &[LadderResult], of: impl Fn(&LadderResult) -> Vec<(String, Counts)>) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("of", "of"),
        GridColumn::words("ladder", "ladder"),
        GridColumn::figures("runs", "runs"),
        GridColumn::figures("succeeded %", "succeeded_percent"),
        GridColumn::figures("failed for good", "failed"),
        GridColumn::figures("attempts", "attempts"),
        GridColumn::figures("dollars", "usd"),
        GridColumn::figures("GiB-h in vain", "vain_gib_hours"),
    ]);
    let each: Vec<Vec<(String, Counts)>> = results.iter().map(&of).collect();
    let mut names: Vec<&String> = each.iter().flatten().map(|(name, _)| name).collect();
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert((*name).clone()));
    for name in names {
        for (result, parts) in results.iter().zip(&each) {
            let Some((_, counts)) = parts.iter().find(|(other, _)| other == name) else { continue };
            let n = result.tallies.len().max(1) as f64;
            let share = 100.0 * counts.succeeded as f64 / counts.runs.max(1) as f64;
            grid.push(vec![
                GridCell::text(name),
                GridCell::text(&result.name),
                GridCell::decimal(counts.runs as f64 / n, 1),
                GridCell::decimal(share, 1),
                GridCell::decimal(counts.failed as f64 / n, 1),
                GridCell::decimal(counts.attempts as f64 / n, 1),
                GridCell::decimal(counts.usd / n, 2),
                GridCell::decimal(counts.vain_gib_hours / n, 1),
            ]);
        }
    }
    grid
}

fn value(results: &[LadderResult], base: &LadderResult) -> Value {
    let counts = |counts: &Counts, n: f64| {
        json!({
            "runs": counts.runs as f64 / n,
            "succeeded": counts.succeeded as f64 / n,
            "failed": counts.failed as f64 / n,
            "attempts": counts.attempts as f64 / n,
            "usd": counts.usd / n,
            "vain_gib_hours": counts.vain_gib_hours / n,
            "runaway": counts.runaway as f64 / n,
        })
    };
    let one = |result: &LadderResult| {
        let n = result.tallies.len().max(1) as f64;
        let figures = FIGURES.map(|(_, key, _, figure)| {
            let estimate = Estimate::of(&result.figures(figure));
            let (mean, against) = difference(result, base, figure);
            let value = json!({
                "mean": result.mean(figure),
                "ci95": estimate.map(|e| [e.ci95_low, e.ci95_high]),
                "against_first": mean,
                "against_first_ci95": against.map(|e| [e.ci95_low, e.ci95_high]),
            });
            (key.to_owned(), value)
        });
        let causes = result.all(|tally| &tally.by_cause);
        let causes = causes.iter().map(|(cause, c)| (cause.name().to_owned(), counts(c, n)));
        let applications = result.all(|tally| &tally.by_application);
        let applications = applications.iter().map(|(name, c)| (name.clone(), counts(c, n)));
        json!({
            "ladder": result.name,
            "replications": result.tallies.len(),
            "figures": Value::Object(figures.into_iter().collect()),
            "by_cause": Value::Object(causes.collect()),
            "by_application": Value::Object(applications.collect()),
        })
    };
    json!({ "ladders": results.iter().map(one).collect::<Vec<_>>() })
}
