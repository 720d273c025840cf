//! The ledger against bills worked out by hand, and what must hold of any bill.

use std::collections::BTreeMap;

use sim::Outcome;
use sim::Workload;
use sim::outcome::{Billed, Costs};
use sim::scenario::*;
use sim::units::{Bytes, HourlyPrice, MilliCores, NanoUsd, SimTime};

use crate::fixtures::{Records, platform, pool, run, runs, simulate, trace_pod};

fn usd(usd: f64) -> HourlyPrice {
    HourlyPrice::from_usd(usd).expect("a price")
}

/// A discount, a tax, and one commitment of every kind.
pub(crate) fn terms() -> Billing {
    let commitment = |name: &str, covers, discount_ppm| Commitment {
        name: name.to_owned(),
        covers,
        discount_ppm,
    };
    let reserved = Covers::Instances {
        instance_type: "m5.xlarge".into(),
        count: 2,
        on_demand_price: usd(0.192),
    };
    let family = Covers::Family { family: "m5".into(), per_hour: usd(0.1) };
    Billing {
        commitments: vec![
            commitment("compute", Covers::Compute { per_hour: usd(0.05) }, 170_000),
            commitment("reserved", reserved, 370_000),
            commitment("family", family, 280_000),
        ],
        discount_ppm: 50_000,
        tax_ppm: 190_000,
        ..Billing::default()
    }
}

/// Rows against totals: the bill, the nodes, the runs, the hours.
pub(crate) fn adds_up(outcome: &Outcome, records: &Records) {
    let mut all = Costs::default();
    let mut by_run: BTreeMap<u32, NanoUsd> = BTreeMap::new();
    let mut by_place: BTreeMap<[u32; 2], NanoUsd> = BTreeMap::new();
    for row in &records.ledger {
        all += &row.costs;
        if let Billed::Run(run) = row.billed {
            *by_run.entry(run).or_default() += row.costs.nodes.total();
        }
        if let Some([pool, _, zone]) = row.node {
            *by_place.entry([pool, zone]).or_default() += row.costs.nodes.total();
        } else {
            assert_eq!(row.costs.nodes.total(), NanoUsd::ZERO, "on no node");
        }
        assert!(row.pod_use.cpu_larger >= row.pod_use.cpu_requested);
        assert!(row.pod_use.cpu_larger >= row.pod_use.cpu_used);
    }
    let bill = &outcome.cost;
    assert_eq!(all, bill.costs);
    assert_eq!(all.total(), bill.total());
    assert_eq!(all.nodes.total(), bill.nodes());
    assert!(all.nodes.kinds().iter().all(|(_, cost)| *cost >= NanoUsd::ZERO), "{all:?}");
    for record in &records.runs {
        let booked = by_run.get(&record.run).copied().unwrap_or_default();
        assert_eq!(booked, record.cost.total(), "run {}", record.run);
    }
    let mut nodes: BTreeMap<[u32; 2], NanoUsd> = BTreeMap::new();
    for node in &records.nodes {
        *nodes.entry([node.pool, node.zone]).or_default() += node.cost;
    }
    assert_eq!(by_place, nodes, "node money by pool and zone");
    for total in &bill.commitments {
        assert!(total.unused <= total.paid && total.unused >= NanoUsd::ZERO, "{total:?}");
    }
}

/// `count` nodes of a type for `seconds`, each filled by one pod that does nothing else.
fn filled(count: u32, kind: InstanceType, seconds: u64) -> (Scenario, Workload) {
    let mut scenario = platform();
    scenario.autoscaler = None;
    scenario.fees.control_plane = HourlyPrice::ZERO;
    scenario.fees.storage_per_gib = HourlyPrice::ZERO;
    scenario.daemonsets = DaemonSets { cpu: MilliCores::new(0), memory: Bytes::ZERO, pods: 0 };
    let mut nodes = pool("nodes", CapacityType::OnDemand, (count, count, count));
    nodes.instance_types = vec![kind];
    scenario.pools = vec![nodes];
    // A second less: what the scheduler and the container take.
    let pod = |n| trace_pod(&format!("p{n}"), 0, (seconds - 1) * 1000, MilliCores::cores(1));
    let workload = Workload { pods: vec![pod(0)], ..Workload::default() };
    (scenario, workload)
}

fn r5_4xlarge() -> InstanceType {
    InstanceType {
        name: "r5.4xlarge".into(),
        vcpu: 16,
        memory: Bytes::gib(128),
        allocatable_cpu: MilliCores::new(15_890),
        allocatable_memory: Bytes::mib(118_312),
        on_demand_price: usd(1.008),
        ..pool("any", CapacityType::OnDemand, (0, 0, 0)).instance_types.remove(0)
    }
}

/// facts-cloud section 3: EMR on EC2, 26 x r5.4xlarge for 3 hours: 78.62 + 19.66 = 98.28 dollars.
/// (EMR on EKS' fee of the same example is tested in `sim::ledger`.)
#[test]
fn the_worked_example_of_emr_on_ec2() {
    let (mut scenario, workload) = filled(26, r5_4xlarge(), 3 * 3600);
    scenario.fees.emr_on_ec2 = Some(EmrOnEc2::default());
    let (outcome, records) = simulate(&scenario, &workload, 0);
    adds_up(&outcome, &records);
    assert_eq!(outcome.end, SimTime::from_millis(3 * 3_600_000));
    assert_eq!(outcome.cost.on_demand, NanoUsd::new(78_624_000_000));
    assert_eq!(outcome.cost.costs.emr, NanoUsd::new(19_656_000_000));
    assert_eq!(outcome.cost.total(), NanoUsd::new(98_280_000_000));
}

/// Four nodes at 0.192 for two hours, 1.536 dollars at on-demand prices. Two are reserved at 37 %
/// off: 0.768 less 0.28416. The rest, 0.384 an hour: the family's plan of 0.1 covers 0.1 / 0.72 of
/// it, the compute plan of 0.05 covers 0.05 / 0.83.
#[test]
fn commitments_cover_what_runs_hour_by_hour() {
    let (mut scenario, workload) = filled(4, r5_4xlarge(), 2 * 3600);
    scenario.pools[0].instance_types[0].name = "m5.xlarge".into();
    scenario.pools[0].instance_types[0].on_demand_price = usd(0.192);
    scenario.billing = Billing { discount_ppm: 0, tax_ppm: 0, ..terms() };
    let (outcome, records) = simulate(&scenario, &workload, 0);
    adds_up(&outcome, &records);
    let paid: f64 = 2.0 * (2.0 * 0.192 * 0.63 + 0.1 + 0.05);
    let uncovered = 2.0 * (0.384 - 0.1 / 0.72 - 0.05 / 0.83);
    let total = outcome.cost.total().as_usd_f64();
    assert!((total - paid - uncovered).abs() < 1e-7, "{total}");
    assert_eq!(outcome.cost.costs.commitment_unused, NanoUsd::ZERO);
    assert!((outcome.cost.commitments[1].covered.as_usd_f64() - 0.768).abs() < 1e-9);
    // One node is not enough for what was reserved.
    let (mut scenario, workload) = filled(1, r5_4xlarge(), 2 * 3600);
    scenario.pools[0].instance_types[0].name = "m5.xlarge".into();
    scenario.pools[0].instance_types[0].on_demand_price = usd(0.192);
    scenario.billing = Billing { discount_ppm: 0, tax_ppm: 0, ..terms() };
    let (outcome, _) = simulate(&scenario, &workload, 0);
    let total = outcome.cost.total().as_usd_f64();
    assert!((total - paid).abs() < 1e-7, "{total}");
    let unused = 2.0 * (0.192 * 0.63 + 0.1 + 0.05);
    assert!((outcome.cost.costs.commitment_unused.as_usd_f64() - unused).abs() < 1e-7);
}

/// 100 dollars, 5 % off, 19 % on what is left.
#[test]
fn discounts_and_taxes_are_factors() {
    let (mut scenario, workload) = filled(4, r5_4xlarge(), 2 * 3600);
    scenario.pools[0].instance_types[0].on_demand_price = usd(12.5);
    scenario.billing = Billing { discount_ppm: 50_000, tax_ppm: 190_000, ..Billing::default() };
    let (outcome, records) = simulate(&scenario, &workload, 0);
    adds_up(&outcome, &records);
    let costs = &outcome.cost.costs;
    let near = |cost: NanoUsd, expected: f64| (cost.as_usd_f64() - expected).abs() < 1e-6;
    assert!(near(costs.discount, -5.0) && near(costs.tax, 18.05), "{costs:?}");
    assert!(near(outcome.cost.total(), 113.05));
}

/// Two gateways for two hours, and 8 GiB of input of which a quarter comes through them.
#[test]
fn nat_gateways_cost_hours_and_bytes() {
    let mut scenario = platform();
    let mut one = run("r", 0, 10);
    one.input_bytes = Some(Bytes::gib(8));
    scenario.fees.nat = Some(Nat { gateways: 2, input_ppm: 250_000, ..Nat::default() });
    let (outcome, records) = simulate(&scenario, &runs(vec![one]), 0);
    adds_up(&outcome, &records);
    let hours = outcome.end.as_millis().div_ceil(1000) as f64 / 3600.0;
    let expected = 2.0 * 0.045 * hours + 2.0 * 0.045;
    assert!((outcome.cost.costs.nat.as_usd_f64() - expected).abs() < 1e-7, "{outcome:?}");
    assert_eq!(records.runs[0].network, NanoUsd::new(90_000_000));
}

/// A pod of two and a half hours from twenty past: what it costs is in the hours in which it ran.
#[test]
fn money_is_booked_in_the_hour_in_which_it_arose() {
    let (scenario, mut workload) = filled(1, r5_4xlarge(), 9000);
    workload.epoch_ms = 20 * 60_000;
    let (outcome, records) = simulate(&scenario, &workload, 0);
    adds_up(&outcome, &records);
    let mut hours: BTreeMap<i64, NanoUsd> = BTreeMap::new();
    for row in &records.ledger {
        *hours.entry(row.hour_ms).or_default() += row.costs.total();
    }
    let minutes = |m: i64| NanoUsd::new(1_008_000_000 * m / 60);
    let expected = [(-20, minutes(40)), (40, minutes(60)), (100, minutes(50))];
    let expected = expected.map(|(begin, cost)| (begin * 60_000, cost));
    assert_eq!(hours, BTreeMap::from(expected));
}
