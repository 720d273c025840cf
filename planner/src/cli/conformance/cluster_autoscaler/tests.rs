//! Cluster Autoscaler's decisions in upstream's own tests, against the model's.

use super::run;
use serde_json::{Value, json};

#[test]
fn upstream_cases_come_out_the_same() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/decision-cases/ca_cases.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("SKIPPED: no {path}");
        return;
    };
    let cases: Value = serde_json::from_str(&text).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() > 30);
    let mut wrong = Vec::new();
    for case in cases {
        match run(case) {
            Ok(agreement) if agreement.agrees => {}
            other => wrong.push(format!("{}: {other:?}", case["id"])),
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[track_caller]
fn check(case: &Value, agrees: bool) {
    let found = run(case).unwrap();
    assert_eq!(found.agrees, agrees, "{found:?}");
}

/// Rows of upstream's tables that tell apart what is easily got wrong.
#[test]
fn the_estimator_spreads_and_stops_as_upstream_does() {
    let case = |skew: u32, key: &str, min_domains: u32, cpu: u32, nodes: u32, pods: u32| {
        json!({
            "kind": "ca_estimator",
            "max_nodes": 0,
            "template": {
                "allocatable": {"cpu_milli": 1000, "memory_bytes": 5_242_880_000u64, "pods": 10},
                "labels": {"kubernetes.io/hostname": "template", "zone": "mars"},
            },
            "existing_nodes": [{
                "allocatable": {"cpu_milli": 100, "memory_bytes": 104_857_600u64, "pods": 10},
                "labels": {"kubernetes.io/hostname": "oldnode", "zone": "jupiter"},
            }],
            "pod_groups": [{
                "count": 8, "cpu_milli": cpu, "memory_bytes": 200, "namespace": "universe",
                "labels": {"app": "estimatee"},
                "topology_spread_constraints": [{
                    "maxSkew": skew, "topologyKey": key, "minDomains": min_domains,
                    "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": {"matchLabels": {"app": "estimatee"}},
                }],
            }],
            "expected": {"node_count": nodes, "pod_count": pods},
        })
    };
    check(&case(2, "kubernetes.io/hostname", 1, 200, 4, 8), true);
    check(&case(2, "zone", 1, 20, 1, 2), true);
    check(&case(2, "zone", 1, 20, 2, 4), false);
}

#[test]
fn cores_and_memory_limits_cap() {
    let case = |limits: Value, delta: u32| {
        json!({
            "kind": "ca_scale_up",
            "nodes": [
                {"name": "n1", "group": "ng1", "cpu_milli": 2000, "memory_bytes": 100, "pods": 9},
                {"name": "n2", "group": "ng2", "cpu_milli": 4000, "memory_bytes": 1000, "pods": 9},
            ],
            "pending_pods": [
                {"name": "b", "cpu_milli": 2000, "memory_bytes": 0},
                {"name": "a", "cpu_milli": 2000, "memory_bytes": 0},
            ],
            "chosen_option": {"group": "ng1", "delta": 2},
            "limits": limits,
            "expected": {"final": {"group": "ng1", "delta": delta}, "triggered": ["a", "b"]},
        })
    };
    check(&case(json!({}), 2), true);
    check(&case(json!({"max_cores": 9}), 1), true);
    check(&case(json!({"max_memory_bytes": 1250}), 1), true);
    check(&case(json!({"max_memory_bytes": 1250}), 2), false);
}

#[test]
fn what_is_not_understood_is_an_error() {
    assert!(run(&json!({"kind": "ca_other"})).is_err());
    let case = json!({"kind": "ca_expander", "expander": "least-wast", "options": []});
    assert!(run(&case).is_err());
}
