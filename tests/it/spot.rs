//! Spot capacity on whole platforms: weather, failed launches, prices, recommendations, strategies.

use std::sync::Arc;

use crate::fixtures::*;
use sim::outcome::NodeRecord;
use sim::scenario::*;
use sim::units::{HourlyPrice, MilliCores, NanoUsd, SimDuration, SimTime};
use sim::{Scenario, Workload};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// Something that lasts, so that the simulation goes on.
fn hours(count: u64) -> Workload {
    let pod = trace_pod("lasts", 0, count * HOUR, MilliCores::new(100));
    Workload { pods: vec![pod], ..Workload::default() }
}

/// Six spot nodes in one zone, kept at that by their group, and one on-demand node.
fn six_spot_nodes() -> Scenario {
    let mut scenario = platform();
    scenario.autoscaler = None;
    scenario.pools = vec![
        pool("anchor", CapacityType::OnDemand, (1, 1, 1)),
        pool("spot", CapacityType::Spot, (6, 6, 6)),
    ];
    scenario.pools[1].zones = vec!["us-west-2a".into()];
    scenario.pools[1].taints =
        vec![Taint { key: "spot".into(), value: String::new(), effect: TaintEffect::NoSchedule }];
    scenario
}

/// Every pool goes through `steps`: minute, tight, share taken.
fn recorded(steps: &[(u64, bool, f64)]) -> SpotModel {
    let step = |(minute, tight, share_taken): &(u64, bool, f64)| SpotStep {
        at: SimTime::from_millis(minute * MINUTE),
        tight: *tight,
        share_taken: *share_taken,
    };
    let steps = steps.iter().map(step).collect();
    let pools = vec![RecordedPool { steps, ..RecordedPool::default() }];
    SpotModel::Recorded(Arc::new(RecordedSpot { pools, span: SimTime::from_millis(1000 * HOUR) }))
}

fn spot_nodes(records: &Records) -> Vec<&NodeRecord> {
    let mut nodes: Vec<&NodeRecord> =
        records.nodes.iter().filter(|n| n.capacity_type == CapacityType::Spot).collect();
    nodes.sort_by_key(|node| node.node);
    nodes
}

#[test]
fn a_shock_takes_its_share_and_launches_fail_until_the_pool_is_calm() {
    let mut scenario = six_spot_nodes();
    scenario.assumptions.spot = recorded(&[(0, false, 0.0), (60, true, 1.0), (90, false, 0.0)]);
    let (outcome, records) = simulate(&scenario, &hours(3), 1);
    assert_eq!(outcome.spot_interruptions, 6);
    let nodes = spot_nodes(&records);
    assert_eq!(nodes.len(), 12);
    for node in &nodes[..6] {
        assert!(node.interrupted);
        assert_eq!(node.terminated_at.as_millis(), 62 * MINUTE, "two minutes after the notice");
    }
    for node in &nodes[6..] {
        // The group tries again every minute.
        assert!((90 * MINUTE..=91 * MINUTE).contains(&node.launched_at.as_millis()));
    }
    assert!(outcome.findings.iter().any(|finding| finding.code == "launch-failed"));
}

/// Common random numbers: what a pool goes through does not change with what else there is.
#[test]
fn a_pools_weather_is_its_own() {
    let mut scenario = six_spot_nodes();
    scenario.assumptions.spot =
        SpotModel::PoolShocks { mean_hours_between: 3.0, spells: Spells::default() };
    let interrupted = |scenario: &Scenario, seed| {
        let (_, records) = simulate(scenario, &hours(48), seed);
        let name = |node: &NodeRecord| scenario.pools[node.pool as usize].name.clone();
        let nodes = records.nodes.iter().filter(|node| node.interrupted && name(node) == "spot");
        nodes.map(|node| node.terminated_at).collect::<Vec<_>>()
    };
    let before = interrupted(&scenario, 3);
    assert!(before.len() > 6, "{before:?}");
    let mut other = pool("other", CapacityType::Spot, (3, 3, 3));
    other.instance_types[0].name = "c5.xlarge".into();
    let mut with_other = scenario.clone();
    with_other.pools.insert(0, other);
    with_other.assumptions.node_boot.p50 = scenario.assumptions.node_boot.p50;
    assert_eq!(before, interrupted(&with_other, 3));
    scenario.assumptions.unschedulable_timeout = SimDuration::hours(5);
    assert_eq!(before, interrupted(&scenario, 3));
    assert_ne!(before, interrupted(&scenario, 4));
}

#[test]
fn where_spot_is_tight_the_priority_expander_falls_back_to_on_demand() {
    let mut scenario = platform();
    scenario.spark.driver_template = PodTemplate::default();
    scenario.spark.executor_template = PodTemplate::default();
    scenario.assumptions.spot = recorded(&[(0, true, 0.0)]);
    let autoscaler = scenario.cluster_autoscaler_mut().expect("there is one");
    autoscaler.expander = vec![Expander::Priority];
    let pattern = |name: &str| vec![GroupPattern::parse(name).expect("a pattern")];
    autoscaler.priorities = [(50, pattern("executors")), (10, pattern(".*"))].into_iter().collect();
    let (outcome, records) = simulate(&scenario, &runs(vec![run("r", 0, 40)]), 1);
    assert_eq!(outcome.succeeded, 1);
    assert!(spot_nodes(&records).is_empty());
    assert!(outcome.findings.iter().any(|finding| finding.code == "launch-failed"));
}

#[test]
fn a_nodes_bill_follows_the_price() {
    let mut scenario = six_spot_nodes();
    let price = |usd: f64| HourlyPrice::from_usd(usd).expect("a price");
    let at = |minute: u64| SimTime::from_millis(minute * MINUTE);
    scenario.assumptions.spot_prices = SpotPrices(Arc::new(vec![SpotPriceSeries {
        instance_type: "m5.xlarge".into(),
        zone: "us-west-2a".into(),
        points: vec![(at(10), price(0.06)), (at(30), price(0.36)), (at(40), price(0.12))],
    }]));
    let (outcome, records) = simulate(&scenario, &hours(1), 1);
    let nodes = spot_nodes(&records);
    let end = nodes[0].terminated_at.as_millis();
    assert!((HOUR..HOUR + 5 * MINUTE).contains(&end));
    // Whole seconds: 30 minutes at 6 cents, 10 at 36, the rest at 12.
    let rest = end.div_ceil(1000) - 2400;
    let nano = 30_000_000 + 60_000_000 + 120_000_000 * rest / 3600;
    for node in &nodes {
        assert_eq!(node.cost, NanoUsd::new(nano as i64));
    }
    let spot: NanoUsd = nodes.iter().map(|node| node.cost).sum();
    assert_eq!(outcome.cost.by_pool[1].1, spot);
}

/// Recommendations that are all right and miss nothing, half an hour ahead.
fn warned(response: RebalanceResponse) -> Scenario {
    let mut scenario = six_spot_nodes();
    scenario.assumptions.spot = recorded(&[(0, false, 0.0), (120, true, 0.5), (150, false, 0.0)]);
    scenario.assumptions.rebalance = Rebalance {
        recall: 1.0,
        precision: 1.0,
        lead_min: SimDuration::minutes(30),
        lead_max: SimDuration::minutes(30),
        response,
    };
    scenario
}

#[test]
fn replacements_come_before_the_nodes_that_were_warned_go() {
    let (_, ignored) = simulate(&warned(RebalanceResponse::Ignore), &hours(4), 1);
    let taken: Vec<u64> =
        ignored.nodes.iter().filter(|node| node.interrupted).map(|node| node.node).collect();
    assert!(!taken.is_empty() && taken.len() < 6, "{taken:?}");
    for response in [RebalanceResponse::Replace, RebalanceResponse::Drain] {
        let (outcome, records) = simulate(&warned(response), &hours(4), 1);
        let nodes = spot_nodes(&records);
        for node in nodes.iter().filter(|node| taken.contains(&node.node)) {
            assert!(!node.interrupted, "{response:?}");
            let gone = node.terminated_at.as_millis();
            assert!((90 * MINUTE..100 * MINUTE).contains(&gone), "{response:?}: {gone}");
            let new = nodes.iter().filter(|other| other.launched_at.as_millis() == 90 * MINUTE);
            assert_eq!(new.clone().count(), taken.len(), "{response:?}");
            let first = new.filter_map(|other| other.ready_at).min().expect("one was ready");
            let replaced_first = first <= node.terminated_at;
            assert_eq!(replaced_first, response == RebalanceResponse::Replace, "{response:?}");
        }
        let at_end = nodes.iter().filter(|node| node.terminated_at == outcome.end).count();
        assert_eq!(at_end, 6, "{response:?}: the group keeps its size");
    }
}

#[test]
fn strategies_choose_among_instance_types() {
    let launched = |strategy: AllocationStrategy, tight: &str| {
        let mut scenario = platform();
        let cheap = InstanceType {
            name: "m5a.xlarge".into(),
            spot_price: HourlyPrice::from_usd(0.05),
            ..four_cores()
        };
        scenario.pools[1].instance_types.push(cheap);
        scenario.pools[1].zones = vec!["us-west-2a".into()];
        scenario.pools[1].allocation_strategy = strategy;
        // `tight` often is, though not now; the other one never.
        let step = |minute: u64, tight| SpotStep {
            at: SimTime::from_millis(minute * MINUTE),
            tight,
            share_taken: 0.0,
        };
        let pool = |name: &str| RecordedPool {
            instance_type: name.into(),
            zone: "us-west-2a".into(),
            steps: vec![step(0, false), step(600, name == tight)],
        };
        let pools = vec![pool("m5.xlarge"), pool("m5a.xlarge")];
        let span = SimTime::from_millis(1000 * MINUTE);
        scenario.assumptions.spot = SpotModel::Recorded(Arc::new(RecordedSpot { pools, span }));
        let (_, records) = simulate(&scenario, &runs(vec![run("r", 0, 40)]), 1);
        spot_nodes(&records)[0].instance_type
    };
    use AllocationStrategy::{
        CapacityOptimized, CapacityOptimizedPrioritized, LowestPrice, PriceCapacityOptimized,
        Prioritized,
    };
    let (first, cheap) = (0, 1);
    assert_eq!(launched(Prioritized, ""), first);
    assert_eq!(launched(LowestPrice, "m5a.xlarge"), cheap);
    assert_eq!(launched(CapacityOptimized, "m5.xlarge"), cheap);
    assert_eq!(launched(CapacityOptimized, "m5a.xlarge"), first);
    assert_eq!(launched(CapacityOptimizedPrioritized, ""), first);
    assert_eq!(launched(PriceCapacityOptimized, ""), cheap);
    assert_eq!(launched(PriceCapacityOptimized, "m5a.xlarge"), first);
}
