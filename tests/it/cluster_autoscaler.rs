//! Cluster Autoscaler end to end: failed launches, expanders, limits, and the scans that it skips.

use proptest::prelude::*;

use crate::fixtures::*;
use sim::outcome::{ScalingDecision, ScalingRecord};
use sim::scenario::*;
use sim::units::{MilliCores, SimDuration, SimTime};
use sim::workload::{RunOutcome, TracePod};
use sim::{Outcome, RunOptions, Scenario, Seed, Sink, Workload};

/// Decisions as (seconds, pool, decision, reason).
#[derive(Debug, Default)]
struct Decisions(Vec<(u64, Option<u32>, ScalingDecision, String)>);

impl Sink for Decisions {
    fn scaling(&mut self, record: ScalingRecord<'_>) {
        let seconds = record.at.as_millis() / 1000;
        self.0.push((seconds, record.pool, record.decision, record.reason.to_owned()));
    }
}

fn decide(scenario: &Scenario, workload: &Workload) -> (Outcome, Decisions) {
    let mut decisions = Decisions::default();
    let options = RunOptions { check_invariants: true, ..RunOptions::default() };
    let outcome = sim::run(scenario, workload, Seed::new(1), options, &mut decisions);
    (outcome, decisions)
}

impl Decisions {
    fn launches_failed(&self, pool: u32) -> usize {
        let failed =
            |d: &&(_, Option<u32>, _, _)| d.1 == Some(pool) && d.2 == ScalingDecision::LaunchFailed;
        self.0.iter().filter(failed).count()
    }

    fn grew(&self, pool: u32) -> u32 {
        let nodes = self.0.iter().filter(|d| d.1 == Some(pool)).map(|d| match d.2 {
            ScalingDecision::ScaleUp { nodes } => nodes,
            _ => 0,
        });
        nodes.sum()
    }

    fn says(&self, pool: u32, decision: ScalingDecision, reason: &str) -> bool {
        self.0.iter().any(|d| d.1 == Some(pool) && d.2 == decision && d.3.contains(reason))
    }
}

fn pods(pods: Vec<TracePod>) -> Workload {
    Workload { pods, ..Workload::default() }
}

/// Pool 0 is on-demand, pool 1 spot, which `priority` prefers and which has no capacity.
fn drought() -> Scenario {
    let mut scenario = platform();
    let autoscaler = scenario.cluster_autoscaler_mut().unwrap();
    autoscaler.expander = vec![Expander::Priority];
    autoscaler.priorities = vec![
        (50, vec![GroupPattern::parse("^executors$").unwrap()]),
        (10, vec![GroupPattern::parse(".*").unwrap()]),
    ];
    scenario.assumptions.capacity.limits = vec![CapacityLimit {
        capacity_type: CapacityType::Spot,
        instance_type: None,
        zone: None,
        max_instances: 0,
        from: SimTime::ZERO,
        until: SimTime::MAX,
        probability: 1.0,
    }];
    scenario
}

#[test]
fn a_group_without_capacity_backs_off_and_another_one_helps() {
    let workload = pods(vec![trace_pod("p", 1000, 60_000, MilliCores::cores(3))]);
    let (outcome, decisions) = decide(&drought(), &workload);
    assert_eq!(outcome.trace_pods_succeeded, 1);
    assert_eq!((decisions.launches_failed(1), decisions.grew(0)), (1, 1), "{decisions:?}");
    assert!(decisions.says(1, ScalingDecision::LaunchFailed, "InsufficientInstanceCapacity"));
    assert!(decisions.says(1, ScalingDecision::NoScaleUp, "in backoff after failed scale-up"));
    assert_eq!(outcome.nodes_launched, 1, "what was never launched is not billed");
}

#[test]
fn it_keeps_trying_the_same_spot_group_unless_the_backoff_is_long() {
    // A pod of two hours every ten minutes: each needs a node of its own.
    let list = (0..18).map(|n| trace_pod("p", 600_000 * n, 7_200_000, MilliCores::cores(3)));
    let workload = pods(list.collect());
    let failures = |initial: u64, max: u64, hang: bool| {
        let mut scenario = drought();
        let autoscaler = scenario.cluster_autoscaler_mut().unwrap();
        autoscaler.initial_node_group_backoff_duration = SimDuration::seconds(initial);
        autoscaler.max_node_group_backoff_duration = SimDuration::seconds(max);
        if hang {
            scenario.assumptions.capacity.failure_seen_after = None;
        }
        let (outcome, decisions) = decide(&scenario, &workload);
        assert_eq!(outcome.trace_pods_succeeded, 18);
        (decisions.launches_failed(1), outcome.pod_scheduling_delay.mean_s().unwrap())
    };
    let (often, often_delay) = failures(10, 10, false);
    let (seldom, seldom_delay) = failures(1800, 7200, false);
    assert!(often >= 12 && seldom <= 4, "{often} and {seldom}");
    assert!(seldom_delay < often_delay, "{seldom_delay} and {often_delay}");
    let (_, hanging) = failures(10, 10, true);
    assert!(hanging > 600.0, "new nodes wait out max-node-provision-time: {hanging}");
}

#[test]
fn quotas_and_cluster_limits_say_no() {
    let list = (0..4).map(|n| trace_pod("p", n, 600_000, MilliCores::cores(3)));
    let workload = pods(list.collect());
    let mut scenario = drought();
    scenario.assumptions.capacity.on_demand_vcpu_quota = Some(8);
    let (outcome, decisions) = decide(&scenario, &workload);
    assert_eq!(outcome.nodes_peak, 2, "{decisions:?}");
    assert!(decisions.says(0, ScalingDecision::LaunchFailed, "VcpuLimitExceeded"));
    let mut scenario = platform();
    scenario.cluster_autoscaler_mut().unwrap().cores_total.max = 11;
    let (outcome, decisions) = decide(&scenario, &workload);
    assert_eq!(outcome.nodes_peak, 2, "{decisions:?}");
    assert!(decisions.says(0, ScalingDecision::NoScaleUp, "max cluster resource limit reached"));
    assert_eq!(outcome.trace_pods_succeeded, 4, "they run one after the other");
}

#[test]
fn similar_groups_share_a_scale_up() {
    let list = (0..6).map(|n| trace_pod("p", n, 600_000, MilliCores::cores(3)));
    let workload = pods(list.collect());
    let grew = |balance: bool| {
        let mut scenario = platform();
        scenario.pools[1] = pool("other", CapacityType::OnDemand, (0, 0, 50));
        scenario.cluster_autoscaler_mut().unwrap().balance_similar_node_groups = balance;
        let (_, decisions) = decide(&scenario, &workload);
        let mut grew = [decisions.grew(0), decisions.grew(1)];
        grew.sort_unstable();
        grew
    };
    assert_eq!(grew(true), [3, 3]);
    assert_eq!(grew(false), [0, 6]);
}

#[test]
fn a_pool_may_refuse_to_shrink_and_pods_may_keep_their_node() {
    let workload = pods(vec![
        trace_pod("short", 0, 60_000, MilliCores::cores(3)),
        trace_pod("long", 0, 7_200_000, MilliCores::new(1000)),
    ]);
    let scenario = platform();
    let (_, decisions) = decide(&scenario, &workload);
    let all = |decision| decisions.0.iter().filter(|d| d.2 == decision).count();
    assert_eq!((all(ScalingDecision::Unneeded), all(ScalingDecision::ScaleDown)), (1, 1));
    let kept: Vec<_> = decisions.0.iter().filter(|d| d.2 == ScalingDecision::NoScaleDown).collect();
    assert!(kept.iter().any(|d| d.3 == "NotReplicated"), "{decisions:?}");
    let mut scenario = platform();
    for pool in &mut scenario.pools {
        pool.scale_down_disabled = true;
    }
    let (_, decisions) = decide(&scenario, &workload);
    assert!(decisions.0.iter().all(|d| d.2 != ScalingDecision::ScaleDown));
    assert!(decisions.0.iter().any(|d| d.3 == "ScaleDownDisabledAnnotation"), "{decisions:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Skipped scans are those that would decide nothing: a loop that never sleeps does the same.
    #[test]
    fn a_loop_that_sleeps_decides_the_same(
        pods_ in proptest::collection::vec((0u64..7_200_000, 0u64..900_000, 1u64..3900), 1..30),
        sizes in (0u32..3, 0u32..4, 4u32..9),
        flags in (any::<bool>(), any::<bool>(), any::<bool>(), 1u64..60, 0u64..20),
        short in (0u32..6, 0.0f64..1.0),
        seed in 0u64..1000,
    ) {
        let mut scenario = platform();
        let limits = (sizes.0.min(sizes.1), sizes.1, sizes.2);
        scenario.pools[0] = pool("drivers", CapacityType::OnDemand, limits);
        scenario.pools[1] = pool("executors", CapacityType::Spot, limits);
        scenario.spark.executor_template.annotations.insert(
            "cluster-autoscaler.kubernetes.io/safe-to-evict".to_owned(),
            flags.0.to_string(),
        );
        scenario.overprovisioning = flags.1.then(|| Overprovisioning {
            replicas: 3,
            cpu: MilliCores::new(900),
            memory: sim::units::Bytes::gib(1),
            priority: -5,
            template: PodTemplate::default(),
        });
        scenario.assumptions.capacity.limits = vec![CapacityLimit {
            capacity_type: CapacityType::Spot,
            instance_type: None,
            zone: None,
            max_instances: short.0,
            from: SimTime::ZERO,
            until: SimTime::from_millis(3_600_000),
            probability: short.1,
        }];
        let autoscaler = scenario.cluster_autoscaler_mut().unwrap();
        autoscaler.scan_interval = SimDuration::seconds(flags.3);
        autoscaler.scale_down_unneeded_time = SimDuration::minutes(flags.4);
        autoscaler.scale_down_delay_after_add = SimDuration::minutes(flags.4 / 2);
        autoscaler.scale_down_delay_type_local = flags.2;
        autoscaler.enforce_node_group_min_size = flags.0;
        autoscaler.expander = vec![Expander::Random];
        let mut list: Vec<_> = pods_
            .iter()
            .map(|(at, ms, cpu)| trace_pod("p", *at, *ms, MilliCores::new(*cpu)))
            .collect();
        list.sort_by_key(|pod| pod.created_at);
        let workload = Workload { pods: list, ..runs(vec![run("r", 600, 30)]) };
        let simulate = |every_scan| {
            let options = RunOptions { every_scan, ..RunOptions::default() };
            let mut records = Records::default();
            let outcome = sim::run(&scenario, &workload, Seed::new(seed), options, &mut records);
            let mut decisions = Decisions::default();
            sim::run(&scenario, &workload, Seed::new(seed), options, &mut decisions);
            let ended = records.runs.iter().all(|run| run.outcome != RunOutcome::Unfinished);
            (format!("{:?}", outcome.cost), format!("{records:?}"), format!("{:#?}", decisions.0), ended)
        };
        let (sleeping, reference) = (simulate(false), simulate(true));
        // Without anything to come, the sleeping one ends at once and the other one at its horizon.
        if reference.3 {
            prop_assert_eq!(&sleeping.0, &reference.0);
            prop_assert!(sleeping.1 == reference.1);
            prop_assert_eq!(&sleeping.2, &reference.2);
        }
    }
}
