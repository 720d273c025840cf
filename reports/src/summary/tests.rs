use sim::outcome::{Costs, Ledger, WaitingTotal};
use sim::units::SimTime;

use super::*;

/// An outcome that adds up.
pub(crate) fn outcome() -> Outcome {
    let usd = |nano| NanoUsd::new(nano);
    let mut outcome = Outcome {
        scenario: "quick".to_owned(),
        runs: 3,
        attempts: 4,
        pods: 20,
        span: SimDuration::hours(1),
        end: SimTime::from_millis(5_400_000),
        succeeded: 2,
        failed: 1,
        nodes_launched: 5,
        node_time: (SimDuration::hours(2), SimDuration::minutes(90)),
        cpu_utilization: 0.123_456_789,
        memory_utilization: f64::NAN,
        cost: Bill {
            on_demand: usd(100_000_000_001),
            spot: usd(50_000_000_002),
            costs: Costs {
                nodes: Ledger {
                    useful: usd(150_000_000_000),
                    unallocated: usd(3),
                    ..Ledger::default()
                },
                storage: usd(3),
                control_plane: usd(4),
                emr: usd(5),
                ..Costs::default()
            },
            by_pool: vec![
                ("drivers".to_owned(), usd(100_000_000_001)),
                ("executors".to_owned(), usd(50_000_000_002)),
            ],
            by_team: vec![
                ("data".to_owned(), usd(150_000_000_000)),
                ("(shared)".to_owned(), usd(10)),
                ("(shared)".to_owned(), usd(5)),
            ],
            commitments: Vec::new(),
            terms: Billing::default(),
        },
        ..Outcome::default()
    };
    for ms in 1..=100 {
        outcome.run_queue_delay.add(SimDuration::from_millis(ms * 10));
    }
    outcome.failed_attempts.add(Failure::Spot);
    outcome.waiting_reasons = (0..23_u64)
        .map(|place| WaitingTotal {
            reason: format!("Insufficient thing-{place:02}"),
            pods: 2,
            time: SimDuration::seconds(3600 - place),
            trace_pods_never_bound: u64::from(place > 20),
            ..WaitingTotal::default()
        })
        .collect();
    outcome
}

#[test]
fn money_is_exact_to_the_nano_dollar() {
    let summary = Summary::of(&outcome(), 7).unwrap();
    let text = summary.to_json();
    assert!(text.contains("\"on_demand\": 100.000000001,"), "{text}");
    assert!(text.contains("\"spot\": 50.000000002,"), "{text}");
    assert!(text.contains("\"control_plane\": 4e-9,"), "{text}");
    assert!(text.contains("\"total\": 150.000000015,"), "{text}");
    assert!(text.contains("\"(shared)\": 1.5e-8"), "{text}");
    assert_eq!(summary.node_cost().0, NanoUsd::new(150_000_000_003));
}

#[test]
fn every_amount_below_a_million_dollars_reads_back_exactly() {
    let mut nano: i64 = 1;
    while nano < 1_000_000_000_000_000 {
        for near in [nano - 1, nano, nano + 1, nano * 3 / 2] {
            let text = serde_json::to_string(&Usd(NanoUsd::new(near))).unwrap();
            let read: f64 = text.parse().unwrap();
            assert_eq!((read * 1e9).round() as i64, near, "{text}");
        }
        nano = nano * 7 + 3;
    }
}

#[test]
fn latencies_are_seconds_and_never_null() {
    let summary = Summary::of(&outcome(), 7).unwrap();
    let delays = summary.latency_s.run_queue_delay;
    assert_eq!((delays.p50, delays.p90, delays.p99, delays.max), (0.5, 0.9, 0.99, 1.0));
    assert_eq!(summary.latency_s.run_duration, Quantiles::default());
    assert!(!summary.to_json().contains("null"));
    assert_eq!(summary.utilization.memory, 0.0);
    assert_eq!(summary.utilization.cpu, 0.123457);
    assert_eq!(summary.nodes.node_hours.spot, 1.5);
}

#[test]
fn keys_are_those_of_the_contract_in_their_order() {
    let summary = Summary::of(&outcome(), 0).unwrap();
    let value = serde_json::to_value(&summary).unwrap();
    let keys = |path: &str| -> Vec<String> {
        let object = value.pointer(path).and_then(serde_json::Value::as_object);
        object.unwrap().keys().cloned().collect()
    };
    assert_eq!(
        keys("").join(" "),
        "schema scenario seed replications workload outcome owners latency_s waiting nodes utilization \
         cost_usd control_plane engine"
    );
    assert_eq!(
        keys("/outcome/failed_attempts_by_cause").join(" "),
        "executor_oom driver_oom timeout spot application transient unschedulable \
         preempted drained driver_lost image_pull"
    );
    assert_eq!(keys("/cost_usd").join(" "), "total by_kind by_pool by_team ledger terms");
    assert_eq!(
        keys("/cost_usd/ledger").join(" "),
        "useful recompute failed_attempts executor_idle starting reserved pause_pods unallocated"
    );
    assert_eq!(keys("/latency_s").join(" "), "pod_scheduling_delay run_queue_delay run_duration");
}

#[track_caller]
fn check_imbalance(change: impl FnOnce(&mut Outcome), expected: &str) {
    let mut outcome = outcome();
    change(&mut outcome);
    let error = Summary::of(&outcome, 0).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn what_does_not_add_up_is_refused() {
    let one = NanoUsd::new(1);
    check_imbalance(|o| o.cost.costs.nodes.starting += one, "ledger");
    check_imbalance(|o| o.cost.by_pool[0].1 += one, "by node pool");
    check_imbalance(|o| o.cost.by_team[0].1 -= one, "by team");
    check_imbalance(|o| o.cost.costs.emr += one, "by team");
    check_imbalance(|o| o.cost.spot += one, "rows of the ledger");
    check_imbalance(|o| o.failed += 1, "runs by outcome: 4 instead of 3");
    check_imbalance(|o| o.trace_pods += 1, "trace pods");
}

#[test]
fn replications_give_intervals() {
    let first = Summary::of(&outcome(), 0).unwrap();
    let mut other = outcome();
    other.nodes_peak = 10;
    other.cost.by_team[0].0 = "ml".to_owned();
    let second = Summary::of(&other, 0).unwrap();
    let both = Summary::of_replications(vec![first, second]).unwrap();
    assert_eq!(both.replications, 2);
    let peak = both.replication_statistics["nodes.peak"];
    assert_eq!((peak.mean, peak.n), (5.0, 2));
    assert!((peak.ci95_high - (5.0 + 12.706205 * 5.0)).abs() < 1e-6);
    let ml = both.replication_statistics["cost_usd.by_team.ml"];
    assert_eq!(ml.mean, 75.0);
    assert!(!both.replication_statistics.contains_key("seed"));
}

#[test]
fn one_replication_has_no_statistics() {
    let one = Summary::of_replications(vec![Summary::of(&outcome(), 0).unwrap()]).unwrap();
    assert!(!one.to_json().contains("replication_statistics"));
    assert!(Summary::of_replications(Vec::new()).is_none());
}

#[test]
fn rare_reasons_are_added_up() {
    let summary = Summary::of(&outcome(), 0).unwrap();
    let reasons = &summary.waiting.by_reason;
    assert_eq!(reasons.len(), 21);
    assert_eq!((reasons[0].reason.as_str(), reasons[0].wait_s), ("Insufficient thing-00", 3600.0));
    let others = &reasons[20];
    assert_eq!((others.reason.as_str(), others.pods), ("(other reasons)", 6));
    assert_eq!(others.wait_s, f64::from(3 * 3600 - 20 - 21 - 22));
    assert_eq!(summary.outcome.trace_pods.never_bound, 2);
    assert_eq!(summary.pod_waits, None);
}
