//! A workload whose runs are stored, not listed: the same records and totals, bit by bit.

use std::sync::Arc;

use planner::replicate::{Plan, Watch, replicate};
use proptest::prelude::*;
use sim::outcome::{PodRecord, RunRecord};
use sim::scenario::{
    Adjustment, ApplicationSettings, GroupPattern, OwnerLimit, RunRule, apply_settings,
};
use sim::units::{Bytes, SimDuration, SimTime};
use sim::workload::{ApplicationId, Run, RunOutcome, RunStore, Runs, TeamId};
use sim::{RunOptions, Seed, Sink, Workload};
use traces::{Recorded, SpoolOptions, SynthOptions, TraceSource, WorkloadOptions};

use crate::fixtures::*;
use crate::invariants::{a_platform, a_workload, cases};

/// Runs in parts of a size.
#[derive(Debug)]
struct Parts(Vec<Run>, usize);

impl RunStore for Parts {
    fn count(&self) -> usize {
        self.0.len()
    }
    fn part_size(&self) -> usize {
        self.1
    }
    fn part(&self, number: usize) -> Vec<Run> {
        self.0.chunks(self.1).nth(number).expect("a part that there is").to_vec()
    }
}

fn stored(workload: &Workload, size: usize) -> Workload {
    let list = workload.clone().runs.list().clone();
    Workload { runs: Runs::stored(Arc::new(Parts(list, size))), ..workload.clone() }
}

#[track_caller]
fn check(scenario: &sim::Scenario, workload: &Workload, size: usize) {
    let text = |workload| {
        let (outcome, records) = simulate(scenario, workload, 3);
        format!("{outcome:?}\n{records:?}")
    };
    assert_eq!(text(workload), text(&stored(workload, size)));
}

/// Dependencies, two teams, two applications, some runs that need more memory than they have.
fn mixed() -> Workload {
    let one = |place: u64| {
        let mut one = run(&format!("r{place}"), place / 3 * 20, 30);
        one.application = ApplicationId((place % 2) as u32);
        one.team = TeamId((place % 3 / 2) as u32);
        one.critical = place.is_multiple_of(7);
        one.executor_memory = Some(Bytes::gib(2));
        one.peak_executor_memory = Some(Bytes::gib(if place.is_multiple_of(5) { 4 } else { 1 }));
        one.depends_on = match place {
            10.. if place.is_multiple_of(4) => [place as u32 - 10, place as u32 - 1].into(),
            _ => Box::default(),
        };
        one
    };
    Workload {
        applications: vec!["etl".into(), "ml".into()],
        teams: vec!["data".into(), "science".into()],
        runs: (0..60).map(one).collect(),
        ..Workload::default()
    }
}

#[test]
fn retries_dependencies_and_limits_are_the_same() {
    let mut scenario = platform();
    scenario.retries.rungs = vec![sim::scenario::Rung {
        when: vec![sim::workload::Failure::ExecutorOom],
        adjust: vec![Adjustment::ExecutorMemory { factor: 2.0, max: Bytes::gib(12) }],
        steps: Vec::new(),
        backoff_step: SimDuration::ZERO,
        attempts_max: 3,
        backoff: SimDuration::seconds(10),
        backoff_factor: 2.0,
        backoff_max: SimDuration::minutes(6),
    }];
    let team = GroupPattern::parse("data").unwrap();
    scenario.orchestrator.limits = vec![OwnerLimit { team, concurrent_runs: 4 }];
    let (_, records) = simulate(&scenario, &mixed(), 3);
    assert!(records.runs.iter().any(|run| run.attempts > 1), "something is to be retried");
    let held = |run: &RunRecord| run.ready_at > Some(run.submitted_at);
    assert!(records.runs.iter().any(held), "something is to be held back");
    for size in [1, 7, 60, 1000] {
        check(&scenario, &mixed(), size);
    }
    // Nothing can be placed, and what waits for a place in its team is never submitted.
    for pool in &mut scenario.pools {
        (pool.min_size, pool.desired_size, pool.max_size) = (0, 0, 0);
    }
    scenario.assumptions.unschedulable_timeout = SimDuration::hours(24 * 30);
    scenario.assumptions.run_timeout = SimDuration::hours(24 * 30);
    let (outcome, _) = simulate(&scenario, &mixed(), 3);
    assert!(outcome.unfinished > 50, "{}", outcome.unfinished);
    check(&scenario, &mixed(), 7);
}

#[test]
fn rules_and_settings_reach_stored_runs() {
    let pattern = |text| Some(GroupPattern::parse(text).unwrap());
    let mut rules = sim::scenario::Orchestrator::default();
    let rule = RunRule {
        application: pattern("etl"),
        team: None,
        critical: Some(true),
        timeout: Some(SimDuration::seconds(400)),
        deadline: Some(SimDuration::seconds(300)),
    };
    let later = RunRule { application: None, team: pattern("science"), timeout: None, ..rule };
    rules.rules = vec![rule, RunRule { deadline: Some(SimDuration::seconds(200)), ..later }];
    rules.ignore_dependencies = true;
    let mut class = ApplicationSettings {
        application: pattern("^ml"),
        team: None,
        settings: sim::scenario::RunSettings::default(),
    };
    class.settings.executor_cores = Some(2);
    let (mut list, mut store) = (mixed(), stored(&mixed(), 7));
    for workload in [&mut list, &mut store] {
        rules.apply(workload);
        apply_settings(std::slice::from_ref(&class), workload);
    }
    assert_eq!(format!("{:?}", list.runs), format!("{:?}", store.runs));
    assert_ne!(format!("{:?}", list.runs), format!("{:?}", mixed().runs));
    let ids = |runs: &Runs| -> Vec<_> { runs.iter().map(|run| run.run_id.clone()).collect() };
    assert_eq!(ids(&list.runs), ids(&store.runs));
    assert_eq!(store.runs.get(59).unwrap().run_id, list.runs.get(59).unwrap().run_id);
    assert!(store.runs.get(60).is_none());
    assert_eq!(store.last_submission(), list.last_submission());
}

/// Stops at the first sign of progress.
#[derive(Default)]
struct Stopping(Vec<(u32, RunOutcome, String)>, usize);

impl Sink for Stopping {
    fn run(&mut self, record: RunRecord, of: &Run) {
        self.0.push((record.run, record.outcome, of.run_id.to_string()));
    }
    fn pod(&mut self, record: PodRecord, of: Option<&Run>) {
        assert!(record.owner.is_some() == of.is_some());
        self.1 += 1;
    }
    fn progress(&mut self, _now: SimTime, _finished: u64) -> bool {
        false
    }
}

#[test]
fn runs_that_were_never_due_are_unfinished_too() {
    let list = runs((0..3000).map(|i| run(&format!("r{i}"), i * 20, 30)).collect());
    let text = |workload: &Workload| {
        let mut sink = Stopping::default();
        let options = RunOptions::default();
        let outcome = sim::run(&platform(), workload, Seed::new(1), options, &mut sink);
        assert!(outcome.stopped && outcome.unfinished > 1000);
        let last = sink.0.last().unwrap();
        assert_eq!(last, &(2999, RunOutcome::Unfinished, "r2999".to_owned()));
        format!("{outcome:?} {:?} {}", sink.0, sink.1)
    };
    assert_eq!(text(&list), text(&stored(&list, 256)));
}

const SCENARIO: &str = "
apiVersion: seatrial/v1alpha1
kind: Scenario
spec:
  region: us-west-2
  nodes:
    pools:
      - {name: all, capacityType: spot, instanceTypes: [m5.4xlarge], minSize: 1, maxSize: 20}
";

struct Unwatched;

impl Watch for Unwatched {}

/// Three replications on two threads share one file.
#[test]
fn a_spooled_table_gives_the_bytes_of_a_listed_one() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("day.csv");
    let day = SynthOptions { runs_per_day: 700.0, ..SynthOptions::default() };
    traces::canonical::write_runs(&table, &traces::synthesize_rows(&day)).unwrap();
    let sources = [TraceSource::JobTable(table)];
    let runtime = planner::replicate::runtime(2).unwrap();
    let mut loaded = scenarios::load_text("test", SCENARIO).unwrap();
    let rule = RunRule {
        application: None,
        team: Some(GroupPattern::parse("[02468]$").unwrap()),
        critical: Some(true),
        timeout: None,
        deadline: Some(SimDuration::minutes(20)),
    };
    loaded.scenario.orchestrator.rules = vec![rule];
    let scenario = Arc::new(loaded.scenario);
    let result = |threshold: usize, name: &str| {
        let out = folder.path().join(name);
        std::fs::create_dir(&out).unwrap();
        let options = SpoolOptions { threshold, folder: folder.path().to_owned() };
        let trace = traces::record(&sources, &options, &|_| {}).unwrap();
        assert_eq!(matches!(trace, Recorded::Spooled(_)), threshold < 600);
        let mut workload = trace.into_workload(&WorkloadOptions::default());
        scenario.orchestrator.apply(&mut workload);
        let workload = Arc::new(workload);
        let plan = Plan {
            scenario: scenario.clone(),
            workload: Arc::new(move |_| workload.clone()),
            seed: 0,
            replications: 3,
            tables: Some(out.clone()),
        };
        let done = replicate(&runtime, plan, Arc::new(Unwatched), Arc::default()).unwrap();
        let mut files: Vec<_> =
            std::fs::read_dir(&out).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        let bytes = files.iter().map(|file| std::fs::read(file).unwrap()).collect::<Vec<_>>();
        assert!(bytes.len() > 5);
        (done.summary.to_json(), format!("{:?}", done.findings), bytes)
    };
    let (listed, spooled) = (result(10_000, "listed"), result(100, "spooled"));
    assert_eq!(listed.0, spooled.0);
    assert_eq!(listed.1, spooled.1);
    assert!(listed.2 == spooled.2);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(40),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn stored_runs_are_simulated_as_listed_ones(
        scenario in a_platform(),
        workload in a_workload(),
        seed in 0u64..1000,
        size in 1usize..15,
    ) {
        let text = |workload: &Workload| {
            let mut records = Records::default();
            let options = RunOptions::default();
            let outcome = sim::run(&scenario, workload, Seed::new(seed), options, &mut records);
            (format!("{outcome:?}"), format!("{records:?}"))
        };
        let (listed, kept) = (text(&workload), text(&stored(&workload, size)));
        prop_assert_eq!(listed.0, kept.0);
        prop_assert!(listed.1 == kept.1);
    }
}
