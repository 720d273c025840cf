//! `sizing`: executor memory by application, from what it is seen to need.

mod page;

use std::path::{Path, PathBuf};

use clap::Args;
use reports::render::{self, Format};
use scenarios::Loaded;
use serde_json::{Value, json};
use sim::Seed;
use sim::units::spark_size::format_size;

use super::Stop;
use super::compare::{self, Asked, Compared};
use super::ladder::percent;
use super::noise::Noise;
use super::output::Output;
use super::run::{ScenarioArgs, SimulationArgs};
use crate::emit;
use crate::result_folder::{self, Owner, ResultFolder};
use crate::sizing::{Advice, HeldOut, Limits, Verdict, advise, gather, held_out};

#[derive(Debug, Args)]
pub(super) struct SizingArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// An application shrinks where its executors run out of memory in at most so many runs, with
    /// 95 % confidence; where they do more often, more memory is looked at.
    #[arg(long, value_name = "PERCENT", default_value = "1%", value_parser = percent)]
    oom_limit: f64,
    /// At most so many of an application's runs may fail for good for want of memory.
    #[arg(long, value_name = "PERCENT", default_value = "1%", value_parser = percent)]
    failure_limit: f64,
    #[command(flatten)]
    simulation: SimulationArgs,
    /// Folder of the answer: sizing.html, sizing.json, sizes.csv, sized.yaml
    /// [default: results/<name>-sizing].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Folders that an earlier `sizing` wrote.
const SIZING: Owner = Owner {
    is_ours: |folder| folder.join("sizing.json").is_file() && folder.join("sizes.csv").is_file(),
    refusal: "holds other files than those of seatrial sizing, and is not overwritten",
};

/// The answer.
struct Sizing {
    base: Loaded,
    sized: Loaded,
    limits: Limits,
    /// By saved dollars, the largest first.
    advice: Vec<Advice>,
    /// How the fits do on runs that they did not see.
    held_out: Option<HeldOut>,
    /// Today against what is recommended; `None` where nothing is.
    compared: Option<Compared>,
}

pub(super) fn sizing(args: SizingArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let SizingArgs { scenario: given, oom_limit, failure_limit, simulation, out } = args;
    let seed = simulation.seed;
    let (base, base_side) = compare::side(&given.scenario, given.sets.clone(), seed, noise)?;
    let out = out.unwrap_or_else(|| {
        let name = result_folder::sanitised(&base.scenario.name);
        Path::new("results").join(format!("{name}-sizing"))
    });
    result_folder::check_as(&SIZING, &out).map_err(Stop::bad_input)?;
    let limits = Limits { oom: oom_limit, fails: failure_limit, largest: largest(&base)? };
    let workload = (base_side.workload)(0);
    let found = gather(&base.scenario, &workload, Seed::new(seed).replication(0));
    let held_out = held_out(&base.scenario, &workload);
    let spark = &base.scenario.spark;
    let advise = |one| advise(one, &base.scenario.retries, &spark.overheads, &limits);
    let mut advice: Vec<Advice> = found.into_iter().map(advise).collect();
    advice.sort_by(|a, b| {
        let saved = b.saved_usd().total_cmp(&a.saved_usd());
        a.verdict
            .cmp(&b.verdict)
            .then(saved)
            .then_with(|| a.application.name.cmp(&b.application.name))
    });
    let sets = [given.sets.clone(), vec![classes(&base, &advice)]].concat();
    let (sized, mut sized_side) = compare::side(&given.scenario, sets, seed, noise)?;
    "sized".clone_into(&mut sized_side.name);
    let changes = advice.iter().any(|one| one.heap != one.application.heap);
    let compared = match changes {
        false => None,
        true => {
            let asked = Asked {
                loaded: vec![base.clone(), sized.clone()],
                sides: vec![base_side, sized_side],
                alone: vec![Vec::new()],
                gates: Vec::new(),
                error: None,
                all: false,
            };
            Some(compare::carry_out(asked, &simulation, noise)?)
        }
    };
    let found = Sizing { base, sized, limits, advice, held_out, compared };
    write(&out, &found)?;
    print(&out, &found, output)
}

/// The largest container that a node of any pool has room for.
fn largest(base: &Loaded) -> Result<sim::units::Bytes, Stop> {
    let types = base.scenario.pools.iter().flat_map(|pool| &pool.instance_types);
    let room = types.map(|kind| kind.allocatable_memory).max();
    let room = room.map(|room| room.saturating_sub(base.scenario.daemonsets.memory));
    room.ok_or_else(|| Stop::BadInput("the scenario has no node pool: nothing to size for".into()))
}

/// `--set` with the classes that the scenario has, and the new sizes behind them.
fn classes(base: &Loaded, advice: &[Advice]) -> String {
    let resolved = scenarios::one_line("resolved", &base.resolved).unwrap_or_default();
    let resolved: Value = serde_json::from_str(&resolved).unwrap_or_default();
    let own = resolved["spec"]["spark"]["applications"].as_array().cloned().unwrap_or_default();
    let changed = advice.iter().filter(|one| one.heap != one.application.heap);
    let sizes = changed.map(|one| {
        json!({
            "application": format!("^{}$", regex::escape(&one.application.name)),
            "sparkConf": {"spark.executor.memory": format_size(one.heap)},
        })
    });
    let all: Vec<Value> = own.into_iter().chain(sizes).collect();
    format!("spec.spark.applications={}", Value::Array(all))
}

fn write(out: &Path, found: &Sizing) -> Result<(), Stop> {
    let folder = ResultFolder::create_as(SIZING, out).map_err(Stop::failed)?;
    let put = |name: &str, text: &str| folder.write(name, text).map_err(Stop::failed);
    put("sizing.html", &page::document(found).to_html())?;
    put("sizing.json", &render::json(&page::value(found)))?;
    put("sizes.csv", &page::applications(found, |_| true).to_csv())?;
    let header =
        "# seatrial sizing: executor memory by application, under spec.spark.applications\n";
    let compared = found.compared.as_ref();
    let expected = compared.and_then(|compared| compare::expected(compared, 1));
    put(
        "sized.yaml",
        &format!("{header}{}", emit::in_one_file(&found.sized, out, expected.as_deref())),
    )?;
    folder.commit().map_err(Stop::failed)
}

fn print(out: &Path, found: &Sizing, output: &mut Output) -> Result<(), Stop> {
    match output.format() {
        Format::Json => return output.text(&render::json(&page::value(found))),
        Format::Yaml => return output.text(&render::yaml(&page::value(found))),
        Format::Csv => return output.grid(&page::applications(found, |_| true)),
        Format::Markdown => return output.text(&page::document(found).to_markdown()),
        Format::Table => {}
    }
    for line in page::lines(found) {
        output.text(&format!("{}\n", reports::escape::sentence(&line)))?;
    }
    for (verdict, title) in [(Verdict::Shrink, "Safe to shrink"), (Verdict::Raise, "To raise")] {
        let grid = page::applications(found, |one| one.verdict == verdict);
        if !grid.is_empty() {
            output.text(&format!("\n{title} (the ten that save most; sizes.csv has all)\n"))?;
            output.grid(&grid.first(10))?;
        }
    }
    if let Some(compared) = &found.compared {
        output.text("\nSimulated with these sizes: ")?;
        compare::print_tables(compared, output)?;
    }
    let next = "sizing.html, sizes.csv; seatrial run sized.yaml simulates it";
    output.text(&format!("\n{}: {next}\n", out.display()))
}
