//! `compare`: the same weather over a base and candidates; gates for pull requests.

pub(super) mod page;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use reports::render::{self, Format};
use scenarios::Loaded;
use scenarios::difference::{self, Setting};
use tokio::runtime::Runtime;

use super::Stop;
use super::effect;
use super::interrupt::Interrupt;
use super::metrics::{Sides, differences};
use super::noise::Noise;
use super::output::Output;
use super::progress::Counting;
use super::run::{self, ScenarioArgs, SimulationArgs};
use crate::compare::attribution::one_by_one;
use crate::compare::gate::Gate;
use crate::compare::sequential::{FIRST, Stopped, until_clear};
use crate::compare::{Outcomes, Side, simulate};
use crate::{replicate, result_folder};

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
    /// Do not work out which settings make the difference.
    #[arg(long)]
    no_attribution: bool,
    /// Simulate all replications, also where the answer is clear before.
    #[arg(long)]
    all_replications: bool,
    #[command(flatten)]
    simulation: SimulationArgs,
    /// A scorecard (`backtest.json`): a smaller difference than its mean error is called so.
    #[arg(long, value_name = "FILE")]
    scorecard: Option<PathBuf>,
    /// Also write the comparison as an HTML page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

const SIDES: Sides = [("base", "base"), ("candidate", "value")];

/// What is to be found out.
pub(super) struct Asked {
    /// The base first.
    pub(super) loaded: Vec<Loaded>,
    pub(super) sides: Vec<Side>,
    /// By candidate, the base with one change each.
    pub(super) alone: Vec<Vec<Side>>,
    pub(super) gates: Vec<Gate>,
    /// The backtest's.
    pub(super) error: Option<f64>,
    /// All replications, also where the answer is clear before.
    pub(super) all: bool,
}

/// What was found out.
pub(super) struct Compared {
    sides: Vec<Side>,
    /// By candidate, the settings in which it differs.
    settings: Vec<Vec<Setting>>,
    outcomes: Vec<Outcomes>,
    stopped: Stopped,
    /// By candidate, the base with one change each.
    attributed: Vec<Vec<Outcomes>>,
    error: Option<f64>,
    gates: Vec<Gate>,
    /// What failed gates say.
    failed: Vec<String>,
}

pub(super) fn compare(args: CompareArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let gates: Result<Vec<Gate>, String> = args.fail_if.iter().map(|t| Gate::parse(t)).collect();
    let gates = gates.map_err(Stop::BadInput)?;
    let error = args.scorecard.as_deref().map(run::read_scorecard).transpose()?;
    let error = error.map(|card| card.mean_ape);
    let (loaded, sides) = sides(&args, noise)?;
    let alone = match args.no_attribution {
        true => vec![Vec::new(); sides.len() - 1],
        false => alone(&args, &loaded, &sides, noise)?,
    };
    let asked = Asked { loaded, sides, alone, gates, error, all: args.all_replications };
    let compared = carry_out(asked, &args.simulation, noise)?;
    if let Some(path) = &args.html {
        let page = page::document(&compared).to_html();
        result_folder::write_whole(path, &page).map_err(Stop::failed)?;
    }
    print(&compared, output)?;
    match compared.failed.is_empty() {
        true => Ok(()),
        false => Err(Stop::Gate(compared.failed.join("\n"))),
    }
}

/// Simulates everything that is asked.
pub(super) fn carry_out(
    asked: Asked,
    simulation: &SimulationArgs,
    noise: &Noise,
) -> Result<Compared, Stop> {
    let Asked { loaded, sides, alone, gates, error, all } = asked;
    let runtime = replicate::runtime(simulation.threads()).map_err(Stop::failed)?;
    let interrupt = Interrupt::listen(&runtime);
    interrupt.clean_up_first();
    let most = simulation.replications;
    let bar = Counting::start(noise, most * sides.len() as u64);
    let (stop, finished) = (interrupt.stop(), || bar.one());
    let watch: (&Arc<AtomicBool>, &dyn Fn()) = (&stop, &finished);
    let seed = simulation.seed;
    let first = if all { most } else { FIRST };
    let (outcomes, stopped) =
        until_clear(&runtime, &sides, (seed, first, most), &gates, watch).map_err(Stop::failed)?;
    for gate in &gates {
        if !outcomes[0].has(&gate.metric) {
            return Err(Stop::BadInput(unknown_metric(gate, &outcomes[0])));
        }
    }
    bar.more(alone.iter().map(Vec::len).sum::<usize>() as u64 * stopped.replications);
    let times = (seed, stopped.replications);
    let attributed = simulate_alone(&runtime, &alone, times, watch)?;
    drop(bar);
    let (base, candidates) = (&outcomes[0], &outcomes[1..]);
    let failed = candidates.iter().flat_map(|c| gates.iter().filter_map(|g| g.failed(c, base)));
    let failed: Vec<String> = failed.collect();
    let settings = loaded[1..].iter().map(|one| difference::settings(&loaded[0], one)).collect();
    Ok(Compared { sides, settings, outcomes, stopped, attributed, error, gates, failed })
}

/// The base and its candidates: loaded, and with their workloads.
fn sides(args: &CompareArgs, noise: &Noise) -> Result<(Vec<Loaded>, Vec<Side>), Stop> {
    if args.candidates.is_empty() && args.changes.is_empty() {
        return Err(Stop::BadInput(
            "nothing to compare with: name a second scenario, or --change PATH=VALUE".to_owned(),
        ));
    }
    let seed = args.simulation.seed;
    let mut all = vec![side(&args.base, args.sets.clone(), seed, noise)?];
    for path in &args.candidates {
        all.push(side(path, args.sets.clone(), seed, noise)?);
    }
    if !args.changes.is_empty() {
        let sets = [args.sets.clone(), args.changes.clone()].concat();
        let (loaded, mut changed) = side(&args.base, sets, seed, noise)?;
        "changed".clone_into(&mut changed.name);
        all.push((loaded, changed));
        noise.note(&format!("changed: {}", args.changes.join(", ")));
    }
    Ok(all.into_iter().unzip())
}

/// For each candidate, the base with one change at a time: one `--change`, or one setting.
fn alone(
    args: &CompareArgs,
    loaded: &[Loaded],
    sides: &[Side],
    noise: &Noise,
) -> Result<Vec<Vec<Side>>, Stop> {
    let refused = |what: &str| noise.note(&format!("`{what}` makes no scenario alone"));
    let mut all = Vec::new();
    for place in 1..sides.len() {
        let is_changed = place > args.candidates.len();
        if !is_changed {
            let (own, not) = one_by_one((&loaded[0], &sides[0]), (&loaded[place], &sides[place]));
            not.iter().for_each(|what| refused(what));
            all.push(own);
            continue;
        }
        let mut own = Vec::new();
        for change in args.changes.iter().filter(|_| args.changes.len() > 1) {
            let sets = [args.sets.clone(), vec![change.clone()]].concat();
            // A change may need another one to make sense; then it cannot be looked at alone.
            match side(&args.base, sets, args.simulation.seed, noise) {
                Ok((_, side)) => own.push(Side { name: change.clone(), ..side }),
                Err(Stop::BadInput(_)) => refused(change),
                Err(other) => return Err(other),
            }
        }
        all.push(own);
    }
    // One change alone is the whole difference.
    all.iter_mut().filter(|own| own.len() < 2).for_each(Vec::clear);
    Ok(all)
}

fn simulate_alone(
    runtime: &Runtime,
    alone: &[Vec<Side>],
    (seed, replications): (u64, u64),
    watch: (&Arc<AtomicBool>, &dyn Fn()),
) -> Result<Vec<Vec<Outcomes>>, Stop> {
    let flat: Vec<Side> = alone.iter().flatten().cloned().collect();
    let mut outcomes = Vec::new();
    simulate(runtime, &flat, seed, (0, replications), watch, &mut outcomes)
        .map_err(Stop::failed)?;
    let mut outcomes = outcomes.into_iter();
    Ok(alone.iter().map(|parts| outcomes.by_ref().take(parts.len()).collect()).collect())
}

pub(super) fn side(
    path: &Path,
    sets: Vec<String>,
    seed: u64,
    noise: &Noise,
) -> Result<(Loaded, Side), Stop> {
    let given = ScenarioArgs { scenario: path.to_owned(), sets };
    let (loaded, _) = run::load(&given)?;
    let trace = run::record_traces(&loaded, noise)?;
    let workload = run::workloads(&loaded, trace, seed)?;
    let name = loaded.scenario.name.clone();
    let scenario = Arc::new(loaded.scenario.clone());
    Ok((loaded, Side { name, scenario, workload }))
}

fn unknown_metric(gate: &Gate, outcomes: &Outcomes) -> String {
    let last = gate.metric.rsplit('.').next().unwrap_or_default();
    let near = outcomes.metrics().into_iter().filter(|name| name.contains(last)).take(4);
    let near: Vec<&str> = near.collect();
    let help =
        if near.is_empty() { String::new() } else { format!("; there are {}", near.join(", ")) };
    format!("--fail-if `{}`: no metric `{}` in summary.json{help}", gate.text, gate.metric)
}

/// What side `place` is expected to do against the base.
pub(super) fn expected(compared: &Compared, place: usize) -> Option<String> {
    let (base, then) = (compared.outcomes.first()?, compared.outcomes.get(place)?);
    Some(effect::sentence(base, then, &(compared.sides.first()?.workload)(0)))
}

/// What was found out, for scripts.
pub(super) fn value(compared: &Compared) -> serde_json::Value {
    let (base, candidates) = (&compared.outcomes[0], &compared.outcomes[1..]);
    let mut value = tables::value(base, candidates, &compared.attributed);
    value["replications"] = compared.stopped.replications.into();
    value["clear"] = compared.stopped.open.is_empty().into();
    value
}

/// The comparison as tables for a terminal.
pub(super) fn print_tables(compared: &Compared, output: &mut Output) -> Result<(), Stop> {
    let [base, candidates @ ..] = compared.outcomes.as_slice() else { return Ok(()) };
    output.text(&format!("{}\n\n", compared.stopped.said()))?;
    output.grid(&differences(SIDES, base, candidates, compared.error))?;
    for (candidate, parts) in candidates.iter().zip(&compared.attributed) {
        if parts.len() < 2 {
            continue;
        }
        let title = format!("Where the difference of `{}` comes from", candidate.name);
        output.text(&format!("\n{}\n\n", reports::escape::sentence(&title)))?;
        output.grid(&tables::attribution(base, candidate, parts))?;
    }
    Ok(())
}

fn print(compared: &Compared, output: &mut Output) -> Result<(), Stop> {
    let [base, candidates @ ..] = compared.outcomes.as_slice() else { return Ok(()) };
    match output.format() {
        Format::Json => output.text(&render::json(&value(compared))),
        Format::Yaml => output.text(&render::yaml(&value(compared))),
        Format::Csv => output.grid(&differences(SIDES, base, candidates, compared.error)),
        Format::Markdown => output.text(&page::document(compared).to_markdown()),
        Format::Table => print_tables(compared, output),
    }
}
