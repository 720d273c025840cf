//! Checks against closed forms: queues, packing, and a bill worked out by hand.

use crate::fixtures::*;
use sim::Workload;
use sim::rng::{RngExt, Seed};
use sim::scenario::*;
use sim::units::{HourlyPrice, MilliCores, SimDuration};

/// Erlang C: mean wait in an M/M/c queue, in units of the mean service time.
fn erlang_c_wait(servers: u32, load: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..servers {
        term *= load / f64::from(k);
        sum += term;
    }
    let last = term * load / f64::from(servers);
    let queued = last / (1.0 - load / f64::from(servers));
    queued / (sum + queued) / (f64::from(servers) - load)
}

/// The mean wait of `replications` simulated M/M/c queues, in units of the mean service time.
fn simulated_wait(servers: u32, load: f64, replications: u64) -> f64 {
    const PODS: usize = 40_000;
    const SERVICE_MS: f64 = 600_000.0;
    let mut scenario = platform();
    scenario.autoscaler = None;
    scenario.pools = vec![pool("servers", CapacityType::OnDemand, (servers, servers, servers))];
    scenario.assumptions.container_start = SimDuration::ZERO;
    scenario.assumptions.scheduler_pods_per_s = 1000;
    let mut sum = 0.0;
    for replication in 0..replications {
        let mut stream = Seed::new(replication).stream("queue", &[u64::from(servers)]);
        let mut draw = |mean: f64| -mean * (1.0 - stream.random::<f64>()).ln();
        let mut at = 0.0;
        let pods = (0..PODS).map(|i| {
            at += draw(SERVICE_MS / load);
            trace_pod(&format!("p{i}"), at as u64, draw(SERVICE_MS) as u64, MilliCores::new(3000))
        });
        let workload = Workload { pods: pods.collect(), ..Workload::default() };
        let options = sim::RunOptions::default();
        let seed = Seed::new(replication);
        let outcome = sim::run(&scenario, &workload, seed, options, &mut sim::outcome::NoSink);
        assert_eq!(outcome.trace_pods_succeeded, PODS as u64);
        sum += outcome.pod_scheduling_delay.mean_s().unwrap() * 1000.0 / SERVICE_MS;
    }
    sum / replications as f64
}

/// Tolerances are three standard errors, estimated from the spread between replications.
#[test]
fn waits_are_those_of_m_m_c_queues() {
    for (servers, load, tolerance) in [(1, 0.7, 0.03), (5, 4.0, 0.05), (20, 16.0, 0.10)] {
        let simulated = simulated_wait(servers, load, 8);
        let expected = erlang_c_wait(servers, load);
        let error = (simulated - expected).abs() / expected;
        assert!(error < tolerance, "M/M/{servers}: {simulated}, Erlang C {expected}");
    }
}

/// 30 pods of one core, 3 to a node (3.77 cores are left): the estimate needs 10 nodes, no more.
#[test]
fn scale_up_packs_as_tightly_as_possible() {
    let mut scenario = platform();
    scenario.pools = vec![pool("nodes", CapacityType::OnDemand, (0, 0, 100))];
    let pods = (0..30).map(|i| trace_pod(&format!("p{i}"), 0, 600_000, MilliCores::cores(1)));
    let workload = Workload { pods: pods.collect(), ..Workload::default() };
    let (outcome, _) = simulate(&scenario, &workload, 0);
    assert_eq!(outcome.nodes_launched, 10);
    assert_eq!(outcome.trace_pods_succeeded, 30);
}

/// One node, up from the start; one pod of 2 cores and 100 MiB for 3,000 s, created at 600 s.
///
/// Bill: 3,601 s (10 ms of scheduling and 1 s of start on top, in whole seconds) at 0.192 dollars an
/// hour; control plane 0.10; 80 GiB of gp3.
#[test]
fn a_bill_worked_out_by_hand() {
    let mut scenario = platform();
    scenario.autoscaler = None;
    scenario.pools = vec![pool("nodes", CapacityType::OnDemand, (1, 1, 1))];
    let pods = vec![trace_pod("p", 600_000, 3_000_000, MilliCores::cores(2))];
    let workload = Workload { pods, ..Workload::default() };
    let (outcome, records) = simulate(&scenario, &workload, 0);
    assert_eq!(outcome.end.as_millis(), 3_601_000);
    let hours = 3_601.0 / 3600.0;
    let check = |amount: sim::units::NanoUsd, expected: f64| {
        let error = (amount.as_usd_f64() - expected).abs();
        assert!(error < 2e-9, "{amount:?} is not {expected}");
    };
    let cost = &outcome.cost;
    check(cost.on_demand, 0.192 * hours);
    check(cost.costs.control_plane, 0.1 * hours);
    let gib = HourlyPrice::from_usd(0.08 / 730.0).unwrap().as_usd_f64();
    check(cost.costs.storage, 80.0 * gib * hours);
    check(cost.total(), (0.292 + 80.0 * gib) * hours);
    // The pod holds 2 of 4 cores and 100 MiB of 16 GiB, weighed 0.031611 : 0.004237.
    let whole = 4.0 * 0.031611 + 16.0 * 0.004237;
    let share = (2.0 * 0.031611 + 100.0 / 1024.0 * 0.004237) / whole;
    check(cost.costs.nodes.useful, 0.192 * share * 3000.0 / 3600.0);
    check(cost.costs.nodes.starting, 0.192 * share * 1.0 / 3600.0);
    // 80 + 150 millicores and 16,384 - 14,162 MiB are not for pods.
    let reserved = (0.23 * 0.031611 + 2222.0 / 1024.0 * 0.004237) / whole;
    check(cost.costs.nodes.reserved, 0.192 * reserved * hours);
    assert_eq!(cost.costs.nodes.total(), cost.nodes());
    assert_eq!(records.nodes[0].cost, cost.on_demand);
}
