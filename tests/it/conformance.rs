//! `seatrial conformance`: every recorded decision is taken as upstream took it; what is not
//! understood is refused, and a difference is seen.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/decision-cases");

fn conformance(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatrial"));
    command.arg("conformance").args(arguments).output().expect("the binary starts")
}

/// The summary of a file, which must agree in everything.
fn agrees(name: &str) -> Option<Value> {
    let path = format!("{CASES}/{name}");
    if !Path::new(&path).exists() {
        eprintln!("SKIPPED: no {path}");
        return None;
    }
    let output = conformance(&[&path, "-o", "json"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{name}: {text}{output:?}");
    Some(serde_json::from_str(&text).expect("it prints JSON"))
}

#[test]
fn recorded_decisions_of_plugins_are_ours() {
    for (name, at_least) in [
        ("scheduler_cases_k136.json", 100),
        ("scheduler_cases_k120.json", 20),
        ("scheduler_golden_k136.json", 200),
    ] {
        if let Some(summary) = agrees(name) {
            assert_eq!(summary["disagreements"], json!([]), "{name}");
            assert!(summary["decisions"].as_u64() >= Some(at_least), "{name}: {summary}");
        }
    }
}

#[test]
fn recorded_placements_are_ours() {
    for name in ["default_11", "most_21", "rtcr_31", "flotilla_41"] {
        if let Some(summary) = agrees(&format!("placement-{name}.json")) {
            assert_eq!(summary["disagreements"], json!([]), "{name}");
            assert!(summary["decisions"].as_u64() >= Some(500), "{name}: {summary}");
        }
    }
}

/// The recordings list scores in the order in which the real scheduler had its nodes, so that its
/// ties can be checked too: the conformance command itself only asks that one of the best was taken.
#[test]
fn recorded_ties_are_settled_as_ours() {
    let (mut ties, mut ours) = (0, 0);
    for name in ["default_11", "most_21", "rtcr_31", "flotilla_41"] {
        let path = format!("{CASES}/placement-{name}.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("SKIPPED: no {path}");
            return;
        };
        let recorded: Value = serde_json::from_str(&text).expect("JSON");
        for step in recorded["steps"].as_array().expect("steps") {
            let Some(scores) = step["final_scores"].as_object() else { continue };
            let values: Vec<i64> = scores.values().filter_map(Value::as_i64).collect();
            let best = values.iter().max();
            if values.iter().filter(|score| Some(*score) == best).count() > 1 {
                ties += 1;
                let choice = sim::decisions::choice(values.iter().copied()).expect("not empty");
                ours += u32::from(
                    scores.keys().nth(choice).map(String::as_str) == step["node"].as_str(),
                );
            }
        }
    }
    assert_eq!((ties, ours), (67, 67));
}

/// A pod of half a core and 250 MiB on a node of one core and 1000 MiB.
fn case(expected: Value) -> Value {
    json!({
        "id": "one", "kind": "score", "plugin": "NodeResourcesFit",
        "args": {"scoringStrategy": {"type": "MostAllocated", "resources": [{"name": "cpu", "weight": 1}]}},
        "pod": {"containers": [{"requests": {"cpu_milli": 500, "memory_bytes": 262144000}}]},
        "nodes": [{"name": "a", "allocatable": {"cpu_milli": 1000, "memory_bytes": 1048576000, "pods": 10}}],
        "expected": expected,
    })
}

fn run_on(case: &Value) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cases.json");
    std::fs::write(&path, json!({"schema": "s", "cases": [case]}).to_string()).expect("written");
    conformance(&[&path.to_string_lossy()])
}

#[test]
fn a_difference_is_seen_and_shown() {
    let right = run_on(&case(json!({"scores": [{"node": "a", "score": 50}]})));
    assert_eq!(right.status.code(), Some(0), "{right:?}");
    let wrong = run_on(&case(json!({"scores": [{"node": "a", "score": 51}]})));
    assert_eq!(wrong.status.code(), Some(3), "{wrong:?}");
    let text = String::from_utf8_lossy(&wrong.stdout).into_owned();
    assert!(
        text.contains("expected scores a=51") && text.contains("got      scores a=50"),
        "{text}"
    );
}

#[test]
fn what_is_not_understood_is_refused() {
    let scores = json!({"scores": [{"node": "a", "score": 50}]});
    for (key, value, message) in [
        ("kind", json!("scores"), "unknown kind `scores`"),
        ("plugin", json!("NodeFit"), "unknown plugin `NodeFit`"),
        ("pods", json!([]), "unknown field `pods`"),
        ("args", json!({"strategy": 1}), "unknown field `strategy`"),
        ("source", json!({"ref": "v1.99.0"}), "release 1.99"),
        ("nodes", json!([{"name": "a", "gpu": 1}]), "unknown field `gpu`"),
        ("existing_pods", json!([{"node": "b"}]), "which is not among the nodes"),
    ] {
        let mut case = case(scores.clone());
        case[key] = value;
        let output = run_on(&case);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{key}: {text}");
        assert!(text.contains(message), "{key}: {text}");
    }
}
