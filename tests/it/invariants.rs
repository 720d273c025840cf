//! Conservation on random platforms: whatever is turned on, everything adds up.

use proptest::prelude::*;

use crate::fixtures::*;
use sim::scenario::*;
use sim::units::{Bytes, HourlyPrice, MilliCores, SimDuration, SimTime};
use sim::workload::{Failure, Run, RunOutcome, Stage, TaskDurations, TracePod};
use sim::{NodeSearch, RunOptions, Scenario, Seed, Workload};

fn a_run(place: usize) -> impl Strategy<Value = Run> {
    let shape = (1u32..5, 1u64..14, 1u32..9, any::<bool>());
    let work = (0u64..7200, 0u32..60, 0u64..600, 0u64..16);
    let fate = (0usize..9, proptest::option::of(60u64..3000), any::<bool>());
    (shape, work, fate).prop_map(move |(shape, work, fate)| {
        let failures = [Failure::Application, Failure::Transient, Failure::ExecutorOom];
        let failure = failures.get(fate.0).copied();
        Run {
            executor_cores: Some(shape.0),
            executor_memory: Some(Bytes::gib(shape.1)),
            executors_min: Some(1),
            executors_max: Some(shape.2),
            dynamic_allocation: Some(shape.3),
            driver_only: Some(SimDuration::seconds(work.2)),
            peak_executor_memory: (work.3 > 0).then(|| Bytes::gib(work.3)),
            failure,
            outcome: if failure.is_some() { RunOutcome::Failed } else { RunOutcome::Succeeded },
            timeout: fate.1.map(SimDuration::seconds),
            critical: fate.2,
            ..run(&format!("r{place}"), work.0, work.1)
        }
    })
}

pub(crate) fn a_workload() -> impl Strategy<Value = Workload> {
    let list: Vec<_> = (0..12).map(a_run).collect();
    let pod = (0u64..7_200_000, 0u64..1_000_000, 1u64..5000, -1i32..2);
    let pods = proptest::collection::vec(pod, 0..20);
    (list, pods).prop_map(|(mut list, pods)| {
        list.sort_by_key(|run| run.submitted_at);
        let mut pods: Vec<_> = pods
            .into_iter()
            .map(|(at, ms, cpu, priority)| {
                let pod = trace_pod("p", at, ms, MilliCores::new(cpu));
                TracePod { priority, ..pod }
            })
            .collect();
        pods.sort_by_key(|pod| pod.created_at);
        relate(&mut list);
        Workload { pods, ..runs(list) }
    })
}

/// Some runs depend on earlier ones; some have recorded stages that read shuffles and cached
/// blocks; some have deadlines. Which, follows from their own figures.
fn relate(list: &mut [Run]) {
    for (place, run) in list.iter_mut().enumerate() {
        let pick = run.submitted_at.as_millis() / 1000 % 5;
        let parents: Vec<u32> = (0..place as u32).filter(|p| u64::from(*p) % 4 == pick).collect();
        let tasks = run.tasks.unwrap_or(1).max(1);
        let stage = |id: u32, parents: &[u32]| Stage {
            stage_id: id,
            parents: parents.to_vec(),
            shuffle_parents: if id == 1 { parents.to_vec() } else { Vec::new() },
            caches: id == 0,
            cached_by: (id == 2).then_some(0),
            tasks: TaskDurations::from_millis((0..tasks).map(|t| 900 + t * 37 % 5000).collect()),
            ..Stage::default()
        };
        if pick < 2 {
            run.depends_on = parents.into();
            run.deadline = Some(SimDuration::minutes(20));
        }
        if pick == 3 {
            run.stages = Some([stage(0, &[]), stage(1, &[0]), stage(2, &[1])].into());
        }
    }
}

/// What pods say of each other: terms of one kind, by node or by zone; containers beside Spark's.
fn a_template(base: PodTemplate) -> impl Strategy<Value = PodTemplate> {
    let choice = (0u32..6, any::<bool>(), 1u32..3, any::<bool>());
    (choice, any::<bool>()).prop_map(move |((kind, by_node, skew, hard), beside)| {
        let mut template = base.clone();
        let key = if by_node { "kubernetes.io/hostname" } else { "topology.kubernetes.io/zone" };
        let role = LabelRequirement {
            key: "spark-role".into(),
            operator: LabelOperator::In,
            values: vec!["executor".into()],
        };
        let selector = LabelSelector { requirements: vec![role] };
        let term = PodAffinityTerm {
            label_selector: Some(selector.clone()),
            topology_key: key.into(),
            ..PodAffinityTerm::default()
        };
        let terms = match hard {
            true => PodAffinity { required: vec![term], ..PodAffinity::default() },
            false => PodAffinity { preferred: vec![(50, term)], ..PodAffinity::default() },
        };
        match kind {
            0 => template.pod_affinity = terms,
            1 => template.pod_anti_affinity = terms,
            2 => template.topology_spread.push(TopologySpreadConstraint {
                max_skew: skew,
                topology_key: key.into(),
                when_unsatisfiable: match hard {
                    true => WhenUnsatisfiable::DoNotSchedule,
                    false => WhenUnsatisfiable::ScheduleAnyway,
                },
                label_selector: Some(selector),
                match_label_keys: vec!["spark-app-selector".into()],
                min_domains: None,
                node_affinity_policy: NodeInclusionPolicy::Honor,
                node_taints_policy: NodeInclusionPolicy::Ignore,
            }),
            _ => {}
        }
        if beside {
            let ports =
                vec![HostPort { port: 4040, protocol: "TCP".into(), host_ip: String::new() }];
            let requests = ResourceList { cpu: Some(MilliCores::new(100)), ..Default::default() };
            let sidecar = Container { name: "proxy".into(), requests, ..Container::default() };
            template.init_containers.push(Container { restart_always: true, ..sidecar.clone() });
            template.containers.push(Container { host_ports: ports, ..sidecar });
        }
        template
    })
}

pub(crate) fn a_platform() -> impl Strategy<Value = Scenario> {
    let base = platform();
    let templates =
        (a_template(base.spark.driver_template), a_template(base.spark.executor_template));
    let more = (any::<bool>(), 0u32..=100, 0u32..6, 0.0f64..1.0);
    (a_plain_platform(), templates, more).prop_map(|(mut scenario, templates, more)| {
        if more.0 {
            let keep =
                (scenario.spark.driver_template.clone(), scenario.spark.executor_template.clone());
            (scenario.spark.driver_template, scenario.spark.executor_template) = templates;
            scenario.spark.driver_template.priority = keep.0.priority;
            scenario.spark.executor_template.priority = keep.1.priority;
            scenario.scheduler.percentage_of_nodes_to_score = Some(more.1);
            scenario.assumptions.capacity.limits = vec![CapacityLimit {
                capacity_type: CapacityType::Spot,
                instance_type: None,
                zone: None,
                max_instances: more.2,
                from: SimTime::ZERO,
                until: SimTime::from_millis(7_200_000),
                probability: more.3,
            }];
        }
        scenario
    })
}

/// Any model of spot capacity, any answer to recommendations, several instance types of which the
/// prices move.
fn weather(scenario: &mut Scenario, hours: f64, share: f64, choice: u32) {
    let spells = Spells { share_taken: share, zone_correlation: share, ..Spells::default() };
    let step = |minutes: u64, tight, share_taken| SpotStep {
        at: SimTime::from_millis(minutes * 60_000),
        tight,
        share_taken,
    };
    let assumptions = &mut scenario.assumptions;
    assumptions.spot = match choice % 3 {
        0 => SpotModel::PoolShocks { mean_hours_between: hours, spells },
        1 => SpotModel::Advisor { spells: Spells { share_taken: 0.001, ..spells } },
        _ => {
            let steps = vec![step(0, false, 0.0), step(7, true, share), step(11, false, share)];
            let pools = vec![RecordedPool { steps, ..RecordedPool::default() }];
            let span = SimTime::from_millis(1_000_000);
            SpotModel::Recorded(std::sync::Arc::new(RecordedSpot { pools, span }))
        }
    };
    assumptions.rebalance = Rebalance {
        recall: share,
        lead_min: SimDuration::minutes(2),
        response: RebalanceResponse::NAMES[choice as usize % 3].1,
        ..Rebalance::default()
    };
    let dear = InstanceType { name: "m6i.xlarge".into(), ..four_cores() };
    let points = (0..50u64).map(|i| (SimTime::from_millis(i * 100_003), 7_919 * i * i + 3));
    let series = SpotPriceSeries {
        instance_type: dear.name.clone(),
        zone: "us-west-2b".into(),
        points: points.map(|(at, nano)| (at, HourlyPrice::from_nano(nano))).collect(),
    };
    assumptions.spot_prices = SpotPrices(std::sync::Arc::new(vec![series]));
    scenario.pools[1].instance_types.push(dear);
    scenario.pools[1].allocation_strategy = AllocationStrategy::NAMES[choice as usize % 5].1;
}

fn a_plain_platform() -> impl Strategy<Value = Scenario> {
    let switches = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let sizes = (0u32..3, 0u32..4, 4u32..12, 20u32..=36);
    let spot = (0.02f64..2.0, 0.1f64..1.0, any::<bool>(), any::<bool>());
    let priorities = (-1i32..2, -1i32..2);
    (switches, sizes, spot, priorities).prop_map(|(switches, sizes, spot, priorities)| {
        let mut scenario = platform();
        scenario.kubernetes.minor = sizes.3;
        scenario.scheduler = SchedulerProfile::default_of(scenario.kubernetes);
        let limits = (sizes.0.min(sizes.1), sizes.1, sizes.2);
        scenario.pools[0] = pool("drivers", CapacityType::OnDemand, limits);
        scenario.pools[1] = pool("executors", CapacityType::Spot, limits);
        if !switches.0 {
            scenario.autoscaler = None;
        }
        if switches.1 {
            scenario.assumptions.spot_drain = spot.2;
            weather(&mut scenario, spot.0, spot.1, sizes.0 + sizes.1);
        }
        if switches.2 {
            scenario.overprovisioning = Some(Overprovisioning {
                replicas: 2,
                cpu: MilliCores::new(1500),
                memory: Bytes::gib(3),
                priority: -5,
                template: PodTemplate::default(),
            });
        }
        if switches.3 {
            scenario.spark.executor_template = PodTemplate::default();
            scenario.spark.driver_template = PodTemplate::default();
        }
        scenario.spark.driver_template.priority = priorities.0;
        scenario.spark.executor_template.priority = priorities.1;
        scenario.images.pre_pulled = spot.3;
        if switches.3 {
            let layer = |name: &str, gib| ImageLayer { name: name.into(), size: Bytes::gib(gib) };
            let image = |name: &str, own| Image {
                name: name.into(),
                layers: vec![layer("base", 2), layer(name, own)],
                pre_pulled: spot.2,
            };
            scenario.images.list = vec![image("spark:3.4", 1), image("spark:3.5", 12)];
            scenario.images.max_parallel_pulls = 1 + sizes.0;
            scenario.images.registry_bytes_per_s = Some(Bytes::new(150_000_000));
            scenario.spark.driver_template.main.image = Some("spark:3.4".into());
            scenario.spark.executor_template.main.image = Some("spark:3.5".into());
            // Small enough for garbage to be collected.
            for pool in &mut scenario.pools {
                pool.volume = Bytes::gib(40);
            }
            scenario.assumptions.pod_termination = SimDuration::seconds(40);
            scenario.spark.executor_template.termination_grace = Some(SimDuration::seconds(35));
        }
        if switches.0 {
            let team = GroupPattern::parse("team").expect("a pattern");
            scenario.orchestrator.limits =
                vec![OwnerLimit { team, concurrent_runs: 1 + sizes.2 / 2 }];
        }
        if switches.1 {
            scenario.billing = crate::ledger::terms();
            scenario.fees.nat =
                Some(Nat { image_pulls: true, input_ppm: 300_000, ..Nat::default() });
            scenario.fees.emr_on_ec2 = Some(EmrOnEc2::default());
        }
        scenario.fees.emr_per_vcpu = scenario.fees.control_plane;
        scenario.fees.emr_per_gb = scenario.fees.control_plane;
        scenario.retries = RetryLadder {
            name: "test".into(),
            history: vec![HistoryRule {
                when: vec![Failure::ExecutorOom, Failure::Transient],
                within: SimDuration::minutes(40),
                same_run: switches.1,
                adjust: vec![Adjustment::ExecutorMemory { factor: 2.0, max: Bytes::gib(12) }],
                compounding: switches.2,
            }],
            spot_rough: switches
                .2
                .then(|| SpotRough { retry_share: 0.3, within: SimDuration::minutes(30) }),
            critical_on_demand: true,
            rungs: vec![Rung {
                when: Failure::ALL.to_vec(),
                adjust: vec![
                    Adjustment::ExecutorMemory { factor: 1.5, max: Bytes::gib(12) },
                    Adjustment::ExecutorCount { factor: 1.5, max: 10 },
                    Adjustment::OnDemand,
                ],
                steps: Vec::new(),
                backoff_step: SimDuration::ZERO,
                attempts_max: 3,
                backoff: SimDuration::seconds(10),
                backoff_factor: 2.0,
                backoff_max: SimDuration::minutes(6),
            }],
        };
        scenario
    })
}

/// `PROPTEST_CASES` asks for more: a thorough hunt takes some thousands (see CONTRIBUTING.md).
pub(crate) fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(60),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The engine checks requests against allocatable after every event, and the bill and the
    /// counts at the end; here the records are checked against the totals.
    #[test]
    fn everything_adds_up(scenario in a_platform(), workload in a_workload(), seed in 0u64..1000) {
        let (outcome, records) = simulate(&scenario, &workload, seed);
        let count = |wanted| records.runs.iter().filter(|run| run.outcome == wanted).count() as u64;
        prop_assert_eq!(records.runs.len(), workload.runs.len());
        prop_assert_eq!(count(RunOutcome::Succeeded), outcome.succeeded);
        prop_assert_eq!(count(RunOutcome::Failed), outcome.failed);
        prop_assert_eq!(count(RunOutcome::Unfinished), outcome.unfinished);
        prop_assert_eq!(records.attempts.len() as u64, outcome.attempts);
        // The ladder gives no more attempts and memory than it says.
        for run in &records.runs {
            prop_assert!(run.attempts <= 3);
        }
        let most = Bytes::gib(14).max(Bytes::gib(12)).scale_floor(1.4);
        prop_assert!(records.attempts.iter().all(|attempt| attempt.executor_memory <= most));
        // Nobody starts before those that it waits for have ended.
        for record in &records.runs {
            for parent in &workload.runs.get(record.run as usize).unwrap().depends_on {
                let parent = records.runs.iter().find(|run| run.run == *parent);
                let ended = parent.and_then(|run| run.ended_at);
                prop_assert!(record.ready_at.is_none() || ended <= record.ready_at);
            }
        }
        let owner = &outcome.owners[0];
        prop_assert_eq!(owner.runs, owner.succeeded + owner.failed + owner.unfinished);
        prop_assert!(owner.deadline_missed <= owner.with_deadline);
        prop_assert_eq!(records.pods.len() as u64, outcome.pods);
        prop_assert_eq!(records.nodes.len() as u64, outcome.nodes_launched);
        let nodes: i64 = records.nodes.iter().map(|node| node.cost.as_nano()).sum();
        prop_assert_eq!(nodes, outcome.cost.nodes().as_nano());
        crate::ledger::adds_up(&outcome, &records);
        for pod in &records.pods {
            prop_assert!(pod.created_at <= pod.ended_at);
            prop_assert!(pod.bound_at.is_none_or(|at| pod.created_at <= at && at <= pod.ended_at));
            let node = pod.node.and_then(|number| records.nodes.iter().find(|n| n.node == number));
            if let Some(node) = node {
                prop_assert!(node.ready_at.is_some_and(|ready| Some(ready) <= pod.bound_at));
                prop_assert!(pod.ended_at <= node.terminated_at);
            }
        }
    }

    /// Applications sleep until something is to be decided. Waking them at every end of a task
    /// must lead to the same decisions.
    #[test]
    fn sleeping_applications_decide_the_same(
        scenario in a_platform(),
        workload in a_workload(),
        seed in 0u64..1000,
    ) {
        let run = |every_task| {
            let options = RunOptions { every_task, ..RunOptions::default() };
            let mut records = Records::default();
            let mut outcome =
                sim::run(&scenario, &workload, Seed::new(seed), options, &mut records);
            outcome.events = 0;
            (format!("{outcome:?}"), format!("{records:?}"))
        };
        let (sleeping, reference) = (run(false), run(true));
        prop_assert_eq!(sleeping.0, reference.0);
        prop_assert!(sleeping.1 == reference.1);
    }

    /// The scheduler may look at classes of nodes instead of every node: the same decisions.
    #[test]
    fn classes_of_nodes_decide_as_every_node_does(
        scenario in a_platform(),
        workload in a_workload(),
        seed in 0u64..1000,
    ) {
        let run = |node_search| {
            let options = RunOptions { node_search, ..RunOptions::default() };
            let mut records = Records::default();
            let outcome = sim::run(&scenario, &workload, Seed::new(seed), options, &mut records);
            (format!("{outcome:?}"), format!("{records:?}"))
        };
        let reference = run(NodeSearch::EveryNode);
        let by_class = run(NodeSearch::ByClass);
        prop_assert_eq!(by_class.0, reference.0);
        prop_assert!(by_class.1 == reference.1);
    }
}
