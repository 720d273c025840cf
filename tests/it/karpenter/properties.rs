//! Karpenter on random platforms: limits and budgets hold, and skipped turns decide nothing.

use proptest::prelude::*;

use super::*;

/// Nodes and cores of the NodePool at every moment.
fn most_at_once(log: &Log) -> (i64, i64) {
    let types = machines();
    let mut changes: Vec<(SimTime, i64, i64)> = Vec::new();
    for node in &log.nodes {
        let cores = i64::from(types[node.instance_type as usize].vcpu);
        changes.push((node.launched_at, 1, cores));
        changes.push((node.terminated_at, -1, -cores));
    }
    changes.sort();
    let (mut nodes, mut cores, mut most) = (0, 0, (0, 0));
    for (_, node, core) in changes {
        nodes += node;
        cores += core;
        most = (i64::max(most.0, nodes), i64::max(most.1, cores));
    }
    most
}

fn a_disruption() -> impl Strategy<Value = Disruption> {
    let budget = (any::<bool>(), 0u32..100, 0usize..4);
    let budgets = proptest::collection::vec(budget, 0..3);
    let choice = (0usize..3, proptest::option::of(0u64..400));
    (choice, budgets).prop_map(|((policy, after), budgets)| Disruption {
        consolidation_policy: ConsolidationPolicy::NAMES[policy].1,
        consolidate_after: after.map(SimDuration::seconds),
        budgets: budgets
            .into_iter()
            .map(|(count, nodes, reason)| DisruptionBudget {
                nodes: match count {
                    true => BudgetNodes::Count(nodes % 4),
                    false => BudgetNodes::Percent(nodes),
                },
                reasons: DisruptionReason::NAMES.get(reason).map(|(_, r)| *r).into_iter().collect(),
                window: None,
            })
            .collect(),
    })
}

fn a_karpenter_platform() -> impl Strategy<Value = Scenario> {
    let limits = (proptest::option::of(4u64..80), proptest::option::of(1u32..12));
    let ends = (proptest::option::of(5u64..60), proptest::option::of(1u64..50), any::<bool>());
    let weather = (any::<bool>(), 0.05f64..2.0, 0.0f64..1.0, 0u32..4);
    let more = (any::<bool>(), any::<bool>(), 0.0f64..0.12, any::<bool>());
    (a_disruption(), limits, ends, weather, more).prop_map(
        |(disruption, limits, ends, weather, more)| {
            let mut scenario = karpenter_platform();
            let karpenter = settings(&mut scenario);
            karpenter.spot_to_spot_consolidation = more.0;
            karpenter.vm_memory_overhead = more.2;
            let pool = &mut karpenter.node_pools[0];
            pool.disruption = disruption;
            pool.limits = NodePoolLimits {
                cpu: limits.0.map(MilliCores::cores),
                nodes: limits.1,
                ..NodePoolLimits::default()
            };
            pool.expire_after = ends.0.map(SimDuration::minutes);
            pool.drift_at = ends.1.map(SimDuration::minutes).into_iter().collect();
            pool.termination_grace_period = ends.2.then(|| SimDuration::minutes(3));
            let protect = ("karpenter.sh/do-not-disrupt".to_owned(), more.1.to_string());
            scenario.spark.driver_template.annotations.extend([protect]);
            if more.3 {
                scenario.assumptions.pod_termination = SimDuration::seconds(40);
            }
            if weather.0 {
                scenario.assumptions.spot = SpotModel::PoolShocks {
                    mean_hours_between: weather.1,
                    spells: Spells { share_taken: weather.2, ..Spells::default() },
                };
                scenario.assumptions.capacity.limits = vec![CapacityLimit {
                    max_instances: weather.3,
                    until: SimTime::from_millis(3_600_000),
                    ..no_capacity(CapacityType::Spot, None)
                }];
            }
            scenario
        },
    )
}

fn some_work() -> impl Strategy<Value = Workload> {
    let pod_ = (0u64..5000, 1u64..3000, 1u64..7, 1u64..20, any::<bool>());
    let run_ = (0u64..5000, 1u32..200, 1u32..6, any::<bool>());
    let pods_ = proptest::collection::vec(pod_, 0..25);
    (pods_, proptest::collection::vec(run_, 0..8)).prop_map(|(list, runs_)| {
        let list = list.into_iter().map(|(from, length, cores, gib, demand)| {
            let pod = pod(from, from + length, cores, gib);
            if demand { on_demand(pod) } else { pod }
        });
        let mut of: Vec<Run> = runs_
            .into_iter()
            .enumerate()
            .map(|(place, (at, tasks, executors, dynamic))| Run {
                executors_max: Some(executors),
                dynamic_allocation: Some(dynamic),
                ..run(&format!("r{place}"), at, tasks)
            })
            .collect();
        of.sort_by_key(|run| run.submitted_at);
        Workload { pods: pods(list.collect()).pods, ..runs(of) }
    })
}

/// The most nodes that were on their way out at once for a reason that budgets speak of, in excess
/// of what the whole pool's nodes allow.
fn over_budget(log: &Log, disruption: &Disruption) -> bool {
    let fixed = disruption.budgets.iter().filter_map(|budget| match budget.nodes {
        BudgetNodes::Count(count) if budget.reasons.is_empty() => Some(count),
        _ => None,
    });
    let Some(least) = fixed.min() else { return false };
    let voluntary = [DisruptedBy::Empty, DisruptedBy::Drifted, DisruptedBy::Underutilized];
    let mut changes: Vec<(u64, i64)> = Vec::new();
    for (at, _, node, _, _) in log.of(ScalingDecision::Disrupt) {
        let of = log.nodes.iter().find(|record| Some(record.node) == *node).expect("it ended");
        if of.disrupted_by.is_some_and(|by| voluntary.contains(&by)) {
            changes.push((*at, 1));
            changes.push((of.terminated_at.as_millis(), -1));
        }
    }
    changes.sort();
    let mut now = 0;
    changes.into_iter().any(|(_, change)| {
        now += change;
        now > i64::from(least)
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: crate::invariants::cases(40),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The engine checks after every event that pods fit their nodes, and when a consolidation is
    /// carried out that it is cheaper; here limits and budgets.
    #[test]
    fn limits_and_budgets_are_never_exceeded(
        scenario in a_karpenter_platform(),
        workload in some_work(),
        seed in 0u64..1000,
    ) {
        let (outcome, log) = simulate_log(&scenario, &workload, seed);
        let pool = &scenario.karpenter().expect("it has it").node_pools[0];
        let (nodes, cores) = most_at_once(&log);
        if let Some(limit) = pool.limits.nodes {
            prop_assert!(nodes <= i64::from(limit), "{nodes} nodes");
        }
        if let Some(limit) = pool.limits.cpu {
            prop_assert!(cores * 1000 <= limit.as_millis() as i64, "{cores} cores");
        }
        prop_assert!(!over_budget(&log, &pool.disruption));
        let counted: u64 = outcome.disruptions.values().map(|total| total.nodes).sum();
        let marked = log.nodes.iter().filter(|node| node.disrupted_by.is_some()).count() as u64;
        prop_assert!(counted <= marked + log.nodes.len() as u64);
    }

    /// The disruption loop may take every turn: the same decisions at the same times.
    #[test]
    fn turns_that_are_skipped_decide_nothing(
        scenario in a_karpenter_platform(),
        workload in some_work(),
        seed in 0u64..1000,
    ) {
        let simulate = |every_scan| {
            let options = RunOptions { every_scan, ..RunOptions::default() };
            let mut log = Log::default();
            let outcome = sim::run(&scenario, &workload, Seed::new(seed), options, &mut log);
            let unfinished = log.unfinished || outcome.trace_pods_unfinished > 0;
            (format!("{:?}", outcome.cost), format!("{log:#?}"), unfinished)
        };
        let (sleeping, reference) = (simulate(false), simulate(true));
        if !reference.2 {
            prop_assert_eq!(&sleeping.0, &reference.0);
            prop_assert_eq!(&sleeping.1, &reference.1);
        }
        prop_assert_eq!(simulate(false), sleeping, "the same seed");
    }
}
