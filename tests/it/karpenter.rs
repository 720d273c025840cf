//! Karpenter end to end: batches, NodePools, launches, disruption and its budgets.

mod properties;

use std::collections::BTreeMap;

use crate::fixtures::*;
use sim::outcome::{DisruptedBy, NodeRecord, ScalingDecision, ScalingRecord};
use sim::scenario::*;
use sim::units::{Bytes, HourlyPrice, MilliCores, SimDuration, SimTime};
use sim::workload::{Run, RunOutcome, TracePod};
use sim::{Outcome, RunOptions, Scenario, Seed, Sink, Workload};

/// A decision: milliseconds, pool, node, decision, reason.
type Decision = (u64, Option<u32>, Option<u64>, ScalingDecision, String);

/// Records and decisions.
#[derive(Debug, Default)]
struct Log {
    decisions: Vec<Decision>,
    nodes: Vec<NodeRecord>,
    unfinished: bool,
}

impl Sink for Log {
    fn scaling(&mut self, record: ScalingRecord<'_>) {
        let ScalingRecord { at, pool, node, decision, reason } = record;
        self.decisions.push((at.as_millis(), pool, node, decision, reason.to_owned()));
    }
    fn node(&mut self, record: NodeRecord) {
        self.nodes.push(record);
    }
    fn run(&mut self, record: sim::outcome::RunRecord, _of: &Run) {
        self.unfinished |= record.outcome == RunOutcome::Unfinished;
    }
}

impl Log {
    fn of(&self, decision: ScalingDecision) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().filter(move |d| d.3 == decision)
    }

    fn launched(&self) -> Vec<&str> {
        self.of(ScalingDecision::ScaleUp { nodes: 1 }).map(|d| d.4.as_str()).collect()
    }

    fn says(&self, decision: ScalingDecision, reason: &str) -> bool {
        self.of(decision).any(|d| d.4.contains(reason))
    }

    fn disrupted(&self, by: DisruptedBy) -> usize {
        self.nodes.iter().filter(|node| node.disrupted_by == Some(by)).count()
    }
}

fn simulate_log(scenario: &Scenario, workload: &Workload, seed: u64) -> (Outcome, Log) {
    let mut log = Log::default();
    let options = RunOptions { check_invariants: true, ..RunOptions::default() };
    let outcome = sim::run(scenario, workload, Seed::new(seed), options, &mut log);
    (outcome, log)
}

/// A machine of so many cores with `gib` a core, at 5 cents a core on demand and 2 on spot; sizes
/// of a family cost a little more the larger they are.
fn machine(family: &str, cores: u32, gib: u64) -> InstanceType {
    let usd = f64::from(cores) * (0.05 + gib as f64 * 0.001) + 0.0001 * f64::from(cores * cores);
    let memory = Bytes::gib(gib * u64::from(cores));
    InstanceType {
        name: format!("{family}.{}xlarge", cores / 4),
        arch: "amd64".into(),
        vcpu: cores,
        memory,
        allocatable_cpu: MilliCores::new(u64::from(cores) * 1000 - 80),
        allocatable_memory: memory.scale_floor(0.92).saturating_sub(Bytes::mib(1000)),
        max_pods: 58,
        gpus: 0,
        on_demand_price: HourlyPrice::from_usd(usd).expect("a price"),
        spot_price: HourlyPrice::from_usd(usd * 0.4),
        interruption_band: Some(1),
    }
}

fn machines() -> Vec<InstanceType> {
    let sizes = [4, 8, 16, 32];
    let of = |family: &'static str, gib| sizes.map(move |cores| machine(family, cores, gib));
    [of("c5", 2), of("m5", 4), of("r5", 8)].concat()
}

fn node_pool(name: &str, groups: &[u32]) -> KarpenterNodePool {
    KarpenterNodePool {
        name: name.into(),
        weight: 0,
        requirements: Vec::new(),
        taints: Vec::new(),
        startup_taints: Vec::new(),
        expire_after: None,
        termination_grace_period: None,
        drift_at: Vec::new(),
        limits: NodePoolLimits::default(),
        disruption: Disruption {
            budgets: vec![DisruptionBudget {
                nodes: BudgetNodes::Percent(100),
                ..DisruptionBudget::default()
            }],
            ..Disruption::default()
        },
        groups: groups.to_vec(),
        type_labels: BTreeMap::new(),
    }
}

fn group(name: &str, capacity_type: CapacityType) -> NodePool {
    let label = match capacity_type {
        CapacityType::Spot => "spot",
        CapacityType::OnDemand => "on-demand",
    };
    let mut pool = pool(name, capacity_type, (0, 0, u32::MAX));
    pool.instance_types = machines();
    pool.labels = BTreeMap::from([
        ("karpenter.sh/capacity-type".to_owned(), label.to_owned()),
        ("karpenter.sh/nodepool".to_owned(), "default".to_owned()),
    ]);
    pool
}

/// One NodePool of spot (pool 0) and on-demand (pool 1).
fn karpenter_platform() -> Scenario {
    let mut scenario = platform();
    scenario.pools = vec![
        group("default-spot", CapacityType::Spot),
        group("default-on-demand", CapacityType::OnDemand),
    ];
    scenario.spark.driver_template = PodTemplate::default();
    scenario.spark.executor_template = PodTemplate::default();
    scenario.autoscaler = Some(Autoscaler::Karpenter(Karpenter {
        node_pools: vec![node_pool("default", &[0, 1])],
        ..Karpenter::default()
    }));
    scenario
}

fn settings(scenario: &mut Scenario) -> &mut Karpenter {
    match &mut scenario.autoscaler {
        Some(Autoscaler::Karpenter(karpenter)) => karpenter,
        _ => panic!("it has Karpenter"),
    }
}

fn default_pool(scenario: &mut Scenario) -> &mut KarpenterNodePool {
    &mut settings(scenario).node_pools[0]
}

/// A pod of so many cores and GiB that runs from one second to another.
fn pod(from_s: u64, to_s: u64, cores: u64, gib: u64) -> TracePod {
    let pod = trace_pod("p", from_s * 1000, (to_s - from_s) * 1000, MilliCores::cores(cores));
    TracePod { memory: Bytes::gib(gib), ..pod }
}

fn on_demand(pod: TracePod) -> TracePod {
    let selector = ("karpenter.sh/capacity-type".to_owned(), "on-demand".to_owned());
    TracePod { node_selector: BTreeMap::from([selector]), ..pod }
}

fn pods(mut pods: Vec<TracePod>) -> Workload {
    pods.sort_by_key(|pod| pod.created_at);
    Workload { pods, ..Workload::default() }
}

fn no_capacity(capacity_type: CapacityType, instance_type: Option<&str>) -> CapacityLimit {
    CapacityLimit {
        capacity_type,
        instance_type: instance_type.map(str::to_owned),
        zone: None,
        max_instances: 0,
        from: SimTime::ZERO,
        until: SimTime::MAX,
        probability: 1.0,
    }
}

#[test]
fn pods_of_a_batch_share_the_cheapest_node_that_holds_them() {
    let list = (0..6).map(|_| pod(10, 2000, 1, 2)).collect();
    let (outcome, log) = simulate_log(&karpenter_platform(), &pods(list), 1);
    assert_eq!(outcome.trace_pods_succeeded, 6);
    let launched = log.launched();
    assert_eq!(launched.len(), 1, "{launched:?}");
    assert!(launched[0].contains("to fit 6 pod(s), nodepool \"default\""), "{launched:?}");
    assert!(launched[0].contains("launched c5.2xlarge") && launched[0].contains("spot"));
    // A second after the last pod.
    assert_eq!(log.decisions[0].0 / 1000, 11);
}

#[test]
fn batches_end_after_ten_seconds_at_the_latest() {
    let list = (0..30).map(|i| TracePod { ..pod(10 + i / 2, 4000, 3, 2) }).collect();
    let (_, log) = simulate_log(&karpenter_platform(), &pods(list), 1);
    let first = log.of(ScalingDecision::ScaleUp { nodes: 1 }).next().expect("a launch");
    assert!((20_000..20_500).contains(&first.0), "{first:?}");
}

#[test]
fn offerings_without_capacity_are_left_alone_for_three_minutes() {
    let mut scenario = karpenter_platform();
    let capacity = &mut scenario.assumptions.capacity;
    capacity.limits = vec![no_capacity(CapacityType::Spot, Some("c5.1xlarge"))];
    let (_, log) = simulate_log(&scenario, &pods(vec![pod(10, 900, 2, 2)]), 1);
    assert!(log.launched()[0].contains("launched m5.1xlarge"), "{:?}", log.launched());
    // All of spot: the request fails, and the next batch asks for on-demand instances.
    scenario.assumptions.capacity.limits = vec![no_capacity(CapacityType::Spot, None)];
    let (outcome, log) = simulate_log(&scenario, &pods(vec![pod(10, 900, 2, 2)]), 1);
    assert!(log.says(ScalingDecision::LaunchFailed, "InsufficientInstanceCapacity"));
    assert!(log.launched()[0].contains("on_demand"), "{:?}", log.launched());
    assert_eq!(outcome.trace_pods_succeeded, 1);
    // Nothing at all: tried again when offerings are back.
    scenario.assumptions.capacity.limits.push(CapacityLimit {
        until: SimTime::from_millis(400_000),
        ..no_capacity(CapacityType::OnDemand, None)
    });
    scenario.assumptions.capacity.limits[0].until = SimTime::from_millis(400_000);
    let (outcome, log) = simulate_log(&scenario, &pods(vec![pod(10, 900, 2, 2)]), 1);
    assert!(log.says(ScalingDecision::NoScaleUp, "no instance type has the required offering"));
    assert_eq!(outcome.trace_pods_succeeded, 1, "{:?}", log.decisions);
}

#[test]
fn limits_hold_and_say_so() {
    let mut scenario = karpenter_platform();
    default_pool(&mut scenario).limits.cpu = Some(MilliCores::cores(8));
    let list = (0..4).map(|i| pod(10 + 60 * i, 4000, 3, 2)).collect();
    let (_, log) = simulate_log(&scenario, &pods(list), 1);
    assert!(log.says(ScalingDecision::NoScaleUp, "exceed limits for nodepool"));
    assert!(log.launched().len() <= 2, "{:?}", log.launched());
}

#[test]
fn heavier_node_pools_come_first_and_taints_keep_out() {
    let mut scenario = karpenter_platform();
    scenario.pools.push(group("heavy", CapacityType::OnDemand));
    let heavy = KarpenterNodePool { weight: 50, ..node_pool("heavy", &[2]) };
    settings(&mut scenario).node_pools.push(heavy);
    let (_, log) = simulate_log(&scenario, &pods(vec![pod(10, 900, 2, 2)]), 1);
    assert!(log.launched()[0].contains("nodepool \"heavy\""), "{:?}", log.launched());
    let taint = Taint { key: "a".into(), value: String::new(), effect: TaintEffect::NoSchedule };
    scenario.pools[2].taints = vec![taint.clone()];
    settings(&mut scenario).node_pools[1].taints = vec![taint];
    let (_, log) = simulate_log(&scenario, &pods(vec![pod(10, 900, 2, 2)]), 1);
    assert!(log.launched()[0].contains("nodepool \"default\""), "{:?}", log.launched());
    let big = pods(vec![pod(10, 900, 64, 2)]);
    let (_, log) = simulate_log(&scenario, &big, 1);
    assert!(log.says(ScalingDecision::NoScaleUp, "did not tolerate taint(s)"));
    assert!(log.says(ScalingDecision::NoScaleUp, "no instance type has enough resources"));
}

#[test]
fn empty_nodes_go_after_consolidate_after_and_validation() {
    let mut scenario = karpenter_platform();
    default_pool(&mut scenario).disruption.consolidate_after = Some(SimDuration::minutes(2));
    let list = vec![pod(10, 600, 2, 2), pod(3000, 3100, 2, 2)];
    let (outcome, log) = simulate_log(&scenario, &pods(list), 1);
    assert_eq!(outcome.disruptions[&DisruptedBy::Empty].pods, 0);
    let first = log.of(ScalingDecision::Disrupt).next().expect("a disruption");
    let ended = first.0 - 15_000;
    // The pod ends some seconds after 600 s, as its containers start first.
    assert!((600_000 + 120_000..600_000 + 300_000).contains(&ended), "{first:?}");
    assert!(first.4.contains("via delete: empty"), "{first:?}");
    assert_eq!(log.disrupted(DisruptedBy::Empty), 1);
}

/// Two pods fill a machine of 8 cores; one ends, and the other one fits on 4.
fn half_empty() -> Workload {
    pods(vec![
        on_demand(pod(10, 600, 3, 2)),
        on_demand(pod(10, 20_000, 3, 2)),
        on_demand(pod(30_000, 30_100, 3, 2)),
    ])
}

#[test]
fn an_underutilized_node_is_replaced_by_a_cheaper_one() {
    let (outcome, log) = simulate_log(&karpenter_platform(), &half_empty(), 1);
    assert!(log.says(ScalingDecision::Disrupt, "via replace: underutilized"), "{log:#?}");
    let total = outcome.disruptions[&DisruptedBy::Underutilized];
    assert_eq!((total.nodes, total.pods), (1, 1));
    // The replacement comes first: launched before the old one is gone.
    let old = log.nodes.iter().find(|n| n.disrupted_by.is_some()).expect("it went");
    let new = log.nodes.iter().find(|n| n.node == old.node + 1).expect("its replacement");
    assert!(new.ready_at.expect("ready") <= old.terminated_at);
    // The pod of a trace is lost when it is evicted: it has no controller.
    assert_eq!(outcome.trace_pods_unfinished, 1);
}

#[test]
fn policies_budgets_and_never_keep_nodes() {
    let check = |change: &dyn Fn(&mut Disruption), expected: usize| {
        let mut scenario = karpenter_platform();
        change(&mut default_pool(&mut scenario).disruption);
        let (_, log) = simulate_log(&scenario, &half_empty(), 1);
        assert_eq!(log.disrupted(DisruptedBy::Underutilized), expected, "{log:#?}");
    };
    check(&|_| (), 1);
    check(&|d| d.consolidation_policy = ConsolidationPolicy::WhenEmpty, 0);
    check(&|d| d.consolidate_after = None, 0);
    check(&|d| d.budgets[0].nodes = BudgetNodes::Count(0), 0);
    check(&|d| d.budgets[0].reasons = vec![DisruptionReason::Underutilized], 1);
    // Half of the pool's cost for all of its disruption: just enough.
    check(&|d| d.consolidation_policy = ConsolidationPolicy::Balanced, 1);
    let quiet = |d: &mut Disruption| {
        let schedule = CronSchedule::parse("* * * * *").expect("a schedule");
        let window = Some(BudgetWindow { schedule, duration: SimDuration::minutes(1) });
        d.budgets[0].nodes = BudgetNodes::Count(0);
        d.budgets[0].window = window;
    };
    check(&quiet, 0);
}

/// Three of seven pods are left on a machine of 8 cores, beside a dear machine that is full.
#[test]
fn balanced_keeps_what_would_save_little() {
    let mut list = vec![on_demand(pod(10, 600, 4, 2)), on_demand(pod(100, 20_000, 30, 2))];
    list.extend((0..3).map(|_| on_demand(pod(10, 20_000, 1, 2))));
    let workload = pods(list);
    let mut scenario = karpenter_platform();
    let (_, log) = simulate_log(&scenario, &workload, 1);
    assert_eq!(log.disrupted(DisruptedBy::Underutilized), 1, "{log:#?}");
    let disruption = &mut default_pool(&mut scenario).disruption;
    disruption.consolidation_policy = ConsolidationPolicy::Balanced;
    let (_, log) = simulate_log(&scenario, &workload, 1);
    assert_eq!(log.disrupted(DisruptedBy::Underutilized), 0, "{log:#?}");
    assert!(log.says(ScalingDecision::Unconsolidatable, "balanced consolidation score"));
}

#[test]
fn spot_is_replaced_by_spot_only_behind_the_gate_with_fifteen_types() {
    let list = vec![pod(10, 600, 3, 2), pod(10, 20_000, 3, 2), pod(30_000, 30_100, 3, 2)];
    let mut scenario = karpenter_platform();
    let (_, log) = simulate_log(&scenario, &pods(list.clone()), 1);
    let gate = "SpotToSpotConsolidation is disabled, can't replace a spot node with a spot node";
    assert!(log.says(ScalingDecision::Unconsolidatable, gate), "{log:#?}");
    settings(&mut scenario).spot_to_spot_consolidation = true;
    let (_, log) = simulate_log(&scenario, &pods(list), 1);
    let few = "SpotToSpotConsolidation requires 15 cheaper instance type options";
    assert!(log.says(ScalingDecision::Unconsolidatable, few), "{log:#?}");
}

#[test]
fn drifted_and_expired_nodes_go() {
    let list = || pods(vec![pod(10, 9000, 3, 2), pod(9000, 9100, 3, 2)]);
    let mut scenario = karpenter_platform();
    default_pool(&mut scenario).drift_at = vec![SimDuration::minutes(20)];
    let (outcome, log) = simulate_log(&scenario, &list(), 1);
    assert!(log.says(ScalingDecision::Disrupt, "via replace: drifted"), "{log:#?}");
    assert_eq!(outcome.disruptions[&DisruptedBy::Drifted].pods, 1);
    let mut scenario = karpenter_platform();
    let pool = default_pool(&mut scenario);
    pool.expire_after = Some(SimDuration::minutes(30));
    pool.disruption.budgets[0].nodes = BudgetNodes::Count(0);
    let (outcome, log) = simulate_log(&scenario, &list(), 1);
    assert!(outcome.disruptions[&DisruptedBy::Expired].nodes >= 1);
    let expired = log.of(ScalingDecision::Disrupt).next().expect("it expired");
    assert!((1_810_000..1_830_000).contains(&expired.0), "{expired:?}");
}

/// A budget of one node at a time does not end with the first candidate that cannot go.
#[test]
fn a_budget_of_one_lets_any_node_be_the_one() {
    let mut scenario = karpenter_platform();
    let disruption = &mut default_pool(&mut scenario).disruption;
    disruption.budgets[0].nodes = BudgetNodes::Percent(10);
    let pods_of = [(10, 20_000, 12), (300, 600, 2), (300, 20_000, 2), (30_000, 30_100, 2)];
    let list = pods_of.map(|(from, to, gib)| on_demand(pod(from, to, 3, gib)));
    let (_, log) = simulate_log(&scenario, &pods(list.to_vec()), 1);
    let first = log.of(ScalingDecision::Disrupt).next().expect("a disruption");
    assert_eq!(first.2, Some(1), "the first node has nowhere to go: {log:#?}");
}

/// Runs that have dynamic allocation, with pauses in which executors are idle.
fn thrashing_runs() -> Workload {
    let list = (0..60u64).map(|i| Run {
        executor_cores: Some(2),
        executor_memory: Some(Bytes::gib(4)),
        executors_min: Some(1),
        executors_max: Some(1 + (i % 9) as u32),
        dynamic_allocation: Some(true),
        driver_only: Some(SimDuration::seconds(60)),
        ..run(&format!("r{i}"), i * 90, 40 + (i % 7) as u32 * 30)
    });
    runs(list.collect())
}

#[test]
fn consolidation_thrashes_against_dynamic_allocation_and_can_be_cured() {
    let simulate = |after: u64, protect: bool| {
        let mut scenario = karpenter_platform();
        default_pool(&mut scenario).disruption.consolidate_after =
            Some(SimDuration::seconds(after));
        for template in [&mut scenario.spark.driver_template, &mut scenario.spark.executor_template]
        {
            let annotation = ("karpenter.sh/do-not-disrupt".to_owned(), protect.to_string());
            template.annotations.extend([annotation]);
        }
        scenario.spark.dynamic_allocation.executor_idle_timeout = SimDuration::seconds(20);
        let (outcome, _) = simulate_log(&scenario, &thrashing_runs(), 1);
        outcome.disruptions.get(&DisruptedBy::Underutilized).copied().unwrap_or_default()
    };
    let (thrash, patient, protected) =
        (simulate(0, false), simulate(300, false), simulate(0, true));
    println!("{thrash:?}\n{patient:?}\n{protected:?}");
    assert!(thrash.nodes >= 10, "{thrash:?}");
    assert!(thrash.pods > thrash.nodes && thrash.task_time_lost > SimDuration::minutes(5));
    assert!(patient.nodes * 4 <= thrash.nodes, "{patient:?} against {thrash:?}");
    assert_eq!(protected.pods, 0, "{protected:?}");
}

#[test]
fn interrupted_nodes_are_drained_at_once_and_nothing_replaces_them() {
    let mut scenario = karpenter_platform();
    scenario.assumptions.spot = SpotModel::PoolShocks {
        mean_hours_between: 0.3,
        spells: Spells { share_taken: 1.0, ..Spells::default() },
    };
    scenario.assumptions.rebalance.response = RebalanceResponse::Replace;
    let workload = runs((0..40).map(|i| run(&format!("r{i}"), i * 100, 60)).collect());
    let (outcome, log) = simulate_log(&scenario, &workload, 3);
    assert!(outcome.spot_interruptions > 0);
    assert!(log.says(ScalingDecision::Disrupt, "spot interruption warning"));
    // Others were interrupted when they were on their way out already.
    assert!(outcome.disruptions[&DisruptedBy::Interrupted].nodes <= outcome.spot_interruptions);
    assert!(log.launched().iter().all(|reason| reason.contains("pod(s)")));
}

#[test]
fn groups_beside_karpenter_are_left_alone_and_used() {
    let mut scenario = karpenter_platform();
    scenario.pools.push(pool("static", CapacityType::OnDemand, (1, 1, 1)));
    let list = vec![pod(10, 600, 2, 2), pod(10, 600, 8, 2), pod(4000, 4100, 1, 1)];
    let (_, log) = simulate_log(&scenario, &pods(list), 1);
    let of_static = |node: &&NodeRecord| node.pool == 2;
    assert_eq!(log.nodes.iter().filter(of_static).count(), 1);
    assert!(log.nodes.iter().filter(of_static).all(|node| node.pods == 2), "{:?}", log.nodes);
}

/// Executors that must be spread over zones, or be in one, or on hosts of their own.
#[test]
fn rules_about_other_pods_choose_zones_and_hosts() {
    let simulate = |change: &dyn Fn(&mut PodTemplate, LabelSelector)| {
        let mut scenario = karpenter_platform();
        default_pool(&mut scenario).disruption.consolidate_after = None;
        let role = LabelRequirement {
            key: "spark-role".into(),
            operator: LabelOperator::In,
            values: vec!["executor".into()],
        };
        let selector = LabelSelector { requirements: vec![role] };
        change(&mut scenario.spark.executor_template, selector);
        let workload = runs(vec![Run {
            executor_cores: Some(2),
            executors_min: Some(8),
            executors_max: Some(8),
            ..run("r", 10, 200)
        }]);
        let (outcome, log) = simulate_log(&scenario, &workload, 1);
        assert_eq!(outcome.succeeded, 1, "{log:#?}");
        let zones = log.nodes.iter().filter(|node| node.pods > 0).map(|node| node.zone);
        let mut zones: Vec<u32> = zones.collect();
        zones.sort_unstable();
        zones
    };
    let term = |key: &str, selector| PodAffinityTerm {
        label_selector: Some(selector),
        topology_key: key.into(),
        ..PodAffinityTerm::default()
    };
    let zone = "topology.kubernetes.io/zone";
    let near = simulate(&|template, selector| {
        template.pod_affinity.required = vec![term(zone, selector)];
    });
    let hosts = simulate(&|template, selector| {
        template.pod_anti_affinity.required = vec![term("kubernetes.io/hostname", selector)];
    });
    assert!(hosts.len() >= 8, "{hosts:?}");
    assert!(near.len() <= 3, "{near:?}");
    let spread = simulate(&|template, selector| {
        template.topology_spread = vec![TopologySpreadConstraint {
            max_skew: 1,
            topology_key: zone.into(),
            when_unsatisfiable: WhenUnsatisfiable::DoNotSchedule,
            label_selector: Some(selector),
            match_label_keys: Vec::new(),
            min_domains: None,
            node_affinity_policy: NodeInclusionPolicy::Honor,
            node_taints_policy: NodeInclusionPolicy::Ignore,
        }];
    });
    assert!(spread.contains(&0) && spread.contains(&1), "{spread:?}");
    assert!(spread.len() <= 4, "{spread:?}");
}
