//! `plan`: searches what the scenario's `plan` allows; recommends, with reasons.

mod page;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use reports::render::{self, Format};
use scenarios::Loaded;
use sim::Workload;
use sim::units::SimTime;

use super::Stop;
use super::effect;
use super::interrupt::Interrupt;
use super::noise::Noise;
use super::output::Output;
use super::progress::Counting;
use super::run::{self, ScenarioArgs, SimulationArgs};
use crate::compare::{Side, Workloads};
use crate::fnv::Fnv1a;
use crate::plan::answer::{self, Answer, HELD_OUT};
use crate::plan::evaluate::PlanError;
use crate::plan::search::search;
use crate::plan::window::{cut, window};
use crate::plan::{Evaluator, Question, Task};
use crate::{emit, replicate, result_folder};

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    #[command(flatten)]
    simulation: SimulationArgs,
    /// Folder of the plan: plan.html, plan.json, recommended.yaml, and evaluations.jsonl, from which
    /// a plan that was stopped goes on [default: results/<name>-plan].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// At most so many simulations in the search [default: the plan's, else 200].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    evaluations: Option<u64>,
}

pub(super) fn plan(args: PlanArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let (loaded, _) = run::load(&args.scenario)?;
    let Some(given) = &loaded.plan else {
        return Err(Stop::BadInput(format!(
            "{}: no spec.plan: say what may change, for example --set 'spec.plan={{knobs: [{{path: \
             spec.overprovisioning.replicas, values: [0, 2, 4]}}]}}'; docs/plan.md",
            args.scenario.scenario.display()
        )));
    };
    let mut question = Question::read(given).map_err(Stop::BadInput)?;
    question.evaluations = args.evaluations.unwrap_or(question.evaluations);
    let seed = args.simulation.seed;
    let name = format!("{}-plan", result_folder::sanitised(&loaded.scenario.name));
    let out = args.out.unwrap_or_else(|| Path::new("results").join(name));
    let trace = run::read_traces(&loaded, noise)?;
    let workloads = run::workloads(&loaded, trace, seed)?;
    let id = identity(&loaded, &workloads(0), seed);
    let build = builder(&args.scenario, &loaded, &question, (workloads, seed), noise);
    // Before anything is written: a world that makes no scenario is a slip.
    for risk in &question.risks {
        build(&Task { world: risk.name.clone(), sets: Vec::new() })
            .map_err(|why| Stop::BadInput(format!("spec.plan.risks, `{}`: {why}", risk.name)))?;
    }
    let runtime = replicate::runtime(args.simulation.threads()).map_err(Stop::failed)?;
    let interrupt = Interrupt::listen(&runtime);
    interrupt.clean_up_first();
    let bar = Counting::start(noise, question.evaluations);
    let finished = || bar.one();
    let watch: (Arc<AtomicBool>, &dyn Fn()) = (interrupt.stop(), &finished);
    let mut evaluator = Evaluator::open(&out, &id, (&runtime, seed), &*build, watch)
        .map_err(|error| Stop::BadInput(error.to_string()))?;
    let done = search(&question, &mut evaluator)
        .and_then(|found| answer::answer(&question, &mut evaluator, found));
    let answer = done.map_err(|error| match error {
        PlanError::Refused(_) => Stop::bad_input(error),
        PlanError::Simulation(replicate::ReplicateError::Interrupted) => Stop::Failed(format!(
            "interrupted; what was evaluated is in {}: the same command goes on",
            out.display()
        )),
        other => Stop::failed(other),
    })?;
    drop(bar);
    let today = Task { world: String::new(), sets: Vec::new() };
    let tried = build(&today).map_err(Stop::BadInput)?.workload;
    let expected = effect::sentence(&answer.today, &answer.best, &tried(0));
    write(&out, &question, &answer, (&args.scenario, &expected))?;
    print(&out, &question, &answer, output)
}

type Builder<'a> = Box<dyn Fn(&Task) -> Result<Side, String> + 'a>;

/// What a plan is about: its scenario with its question, what is submitted, and the seed. Evaluations
/// of anything else are not its own.
fn identity(loaded: &Loaded, workload: &Workload, seed: u64) -> String {
    let mut hash = Fnv1a::default();
    hash.add(loaded.resolved.as_bytes());
    // The whole of it, without a text of its size.
    let _ = write!(hash, "{workload:?}");
    format!("{:016x}-{seed}", hash.value())
}

/// What makes a candidate's scenario and workload. The trace is read and cut once for all that
/// submit the same; others, as some risks, read it anew.
fn builder<'a>(
    given: &'a ScenarioArgs,
    loaded: &Loaded,
    question: &'a Question,
    (all, seed): (Workloads, u64),
    noise: &'a Noise,
) -> Builder<'a> {
    let at = cut(&all(0), question.hold_out);
    let same = same_workload(loaded);
    let seen = move |whole: Workloads, world: &str| match world {
        HELD_OUT => part(whole, at, SimTime::MAX),
        _ if question.hold_out > 0.0 => part(whole, SimTime::ZERO, at),
        _ => whole,
    };
    let (search, held_out) = (seen(all.clone(), ""), seen(all, HELD_OUT));
    Box::new(move |task: &Task| {
        let risk = question.risks.iter().find(|risk| risk.name == task.world);
        let mut sets = given.sets.clone();
        sets.extend(task.sets.iter().cloned());
        sets.extend(risk.into_iter().flat_map(|risk| risk.sets.iter().cloned()));
        let changed = ScenarioArgs { scenario: given.scenario.clone(), sets };
        let said = |stop: Stop| match stop {
            Stop::BadInput(reason) | Stop::Failed(reason) | Stop::Gate(reason) => reason,
            Stop::ReaderGone => String::new(),
        };
        let (loaded, _) = run::load(&changed).map_err(said)?;
        let workload = match (same_workload(&loaded) == same, task.world == HELD_OUT) {
            (true, false) => search.clone(),
            (true, true) => held_out.clone(),
            (false, _) => {
                let trace = run::read_traces(&loaded, noise).map_err(said)?;
                seen(run::workloads(&loaded, trace, seed).map_err(said)?, &task.world)
            }
        };
        let name = task.sets.join(", ");
        Ok(Side { name, scenario: Arc::new(loaded.scenario), workload })
    })
}

/// What a workload is made of, as text: whatever changes it shows here.
fn same_workload(loaded: &Loaded) -> String {
    let orchestrator = &loaded.scenario.orchestrator;
    format!("{:?} {:?} {orchestrator:?}", loaded.workload, loaded.traces)
}

fn part(whole: Workloads, from: SimTime, to: SimTime) -> Workloads {
    let base = whole(0);
    let first: Arc<Workload> = Arc::new(window(&base, from, to));
    Arc::new(move |replication| {
        let one = whole(replication);
        // The same trace for every replication is cut once.
        match Arc::ptr_eq(&one, &base) {
            true => first.clone(),
            false => Arc::new(window(&one, from, to)),
        }
    })
}

fn write(
    out: &Path,
    question: &Question,
    answer: &Answer,
    (given, expected): (&ScenarioArgs, &str),
) -> Result<(), Stop> {
    let put = |name: &str, text: &str| {
        result_folder::write_whole(&out.join(name), text).map_err(Stop::failed)
    };
    let document = page::document(question, answer);
    put("plan.html", &document.to_html())?;
    put("plan.json", &render::json(&page::value(question, answer)))?;
    let sets = [given.sets.clone(), answer.sets.clone()].concat();
    let best = ScenarioArgs { scenario: given.scenario.clone(), sets };
    let (best, _) = run::load(&best)?;
    let expected = Some(expected).filter(|_| !answer.sets.is_empty());
    let header = match answer.sets.is_empty() {
        true => "# seatrial plan: today's settings; nothing better was found.\n".to_owned(),
        false => {
            let lines =
                answer.sets.iter().map(|set| format!("#   {}\n", reports::escape::sentence(set)));
            format!("# seatrial plan: changed against today:\n{}", lines.collect::<String>())
        }
    };
    put("recommended.yaml", &format!("{header}{}", emit::in_one_file(&best, out, expected)))
}

fn print(
    out: &Path,
    question: &Question,
    answer: &Answer,
    output: &mut Output,
) -> Result<(), Stop> {
    match output.format() {
        Format::Json => output.text(&render::json(&page::value(question, answer))),
        Format::Yaml => output.text(&render::yaml(&page::value(question, answer))),
        Format::Csv => output.grid(&page::front(answer)),
        Format::Markdown => output.text(&page::document(question, answer).to_markdown()),
        Format::Table => {
            for line in page::lines(question, answer) {
                output.text(&format!("{}\n", reports::escape::sentence(&line)))?;
            }
            output.text("\nAgainst today\n")?;
            output.grid(&page::against(&answer.today, &answer.best))?;
            for (title, grid) in [
                ("What each change does: taken back alone", page::without(answer)),
                ("In other worlds", page::worlds(answer)),
                ("What nothing beats in cost, waiting and failures at once", page::front(answer)),
            ] {
                if !grid.is_empty() {
                    output.text(&format!("\n{title}\n"))?;
                    output.grid(&grid)?;
                }
            }
            let next = "plan.html, plan.json; seatrial emit recommended.yaml writes the files";
            output.text(&format!("\n{}: {next}\n", out.display()))
        }
    }
}
