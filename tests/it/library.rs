//! Scenarios that come with the program, run to their end.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Runs `seatrial` in the project's folder, and gives the `summary.json` that it wrote.
#[track_caller]
fn summary(arguments: &[&str], out: &Path) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_seatrial"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .arg("--out")
        .arg(out)
        .output()
        .expect("the binary runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    std::fs::read(out.join("summary.json")).expect("a run writes its summary")
}

#[test]
fn the_flotilla_policy_runs_and_its_resolved_form_means_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let [first, second, third] = ["first", "second", "third"].map(|name| folder.path().join(name));
    let once = summary(&["run", "scenarios/library/flotilla-policy.yaml"], &first);
    let resolved = first.join("scenario.resolved.yaml");
    let resolved = resolved.to_str().expect("temporary folders have plain names");
    let traces = "spec.workload.traces[0].eventLogs=traces/samples/recorded";
    let again = summary(&["run", resolved, "--set", traces], &second);
    assert!(once == again, "the resolved scenario gives another summary");
    let spreading = ["run", resolved, "--set", traces, "--set", "spec.scheduler=null"];
    assert!(once != summary(&spreading, &third), "packing or spreading makes no difference");
}

/// A scenario of the library, run: its summary, and a table of its result folder.
fn ran(name: &str, seed: &str) -> (Value, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = format!("scenarios/library/{name}.yaml");
    let text = summary(&["run", &path, "--seed", seed], &folder.path().join("out"));
    (serde_json::from_slice(&text).expect("JSON"), folder)
}

#[test]
fn in_the_spot_tutorial_one_node_is_reclaimed_and_all_end_at_almost_the_same_time() {
    let (summary, _folder) = ran("eks-spot-tutorial", "0");
    let number = |path: &str| summary.pointer(path).and_then(Value::as_f64).expect("a number");
    assert_eq!(number("/outcome/succeeded"), 4.0);
    assert!(number("/nodes/spot_interruptions") > 0.0);
    assert!(number("/cost_usd/ledger/recompute") > 0.0, "tasks ran again");
    // All four were submitted at once.
    let (middle, last) =
        (number("/latency_s/run_duration/p50"), number("/latency_s/run_duration/max"));
    assert!(last / middle < 1.10, "{middle} to {last} s");
    // And without the reclaim they are not slower.
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let calm = [
        "run",
        "scenarios/library/eks-spot-tutorial.yaml",
        "--set",
        "spec.assumptions.spot={model: none}",
    ];
    let calm: Value =
        serde_json::from_slice(&self::summary(&calm, &folder.path().join("out"))).expect("JSON");
    let before =
        calm.pointer("/latency_s/run_duration/max").and_then(Value::as_f64).expect("a number");
    assert!(before <= last, "{before} s without, {last} s with");
}

#[test]
fn with_room_executors_come_at_once_and_with_a_new_node_in_a_minute_or_two() {
    let (cold, _cold) = ran("data-mechanics", "0");
    let (warm, _warm) = ran("data-mechanics-warm", "0");
    let number = |summary: &Value, path: &str| {
        summary.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path}"))
    };
    // Drivers find room: of all pods the median waits for a node.
    let (middle, tail) =
        ("/latency_s/pod_scheduling_delay/p50", "/latency_s/pod_scheduling_delay/p90");
    assert!((45.0..130.0).contains(&number(&cold, middle)), "{}", number(&cold, middle));
    // Container start and JVM are some 6 s more (assumptions): under 10 s to an executor.
    assert!(number(&warm, middle) < 1.0 && number(&warm, tail) < 3.0, "{}", number(&warm, tail));
    let faster =
        number(&cold, "/latency_s/run_duration/p50") - number(&warm, "/latency_s/run_duration/p50");
    assert!(faster > 60.0, "{faster} s");
    // The gain is paid for.
    assert!(number(&warm, "/cost_usd/total") > number(&cold, "/cost_usd/total"));
    assert!(number(&warm, "/cost_usd/ledger/pause_pods") > 0.0);
}

#[test]
fn emr_on_eks_costs_less_and_fails_less_than_clusters_of_fixed_size() {
    let (eks, _eks) = ran("emr-on-eks", "0");
    let (ec2, _ec2) = ran("emr-on-ec2", "0");
    let number = |summary: &Value, path: &str| {
        summary.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path}"))
    };
    for path in [
        "/cost_usd/total",
        "/outcome/failed_attempts_by_cause/executor_oom",
        "/outcome/failed_attempts_by_cause/timeout",
    ] {
        assert!(number(&eks, path) < number(&ec2, path), "{path}");
    }
    // EMR is billed by what pods ask for on EKS, and by the instance on EC2: a quarter of its price.
    assert!(number(&eks, "/cost_usd/by_kind/emr") > 0.0);
    let emr = number(&ec2, "/cost_usd/by_kind/emr");
    assert!((emr / number(&ec2, "/cost_usd/by_kind/on_demand") - 0.25).abs() < 1e-6, "{emr}");
    assert_eq!(number(&ec2, "/nodes/launched"), number(&ec2, "/nodes/peak"), "a fixed size");
    assert!(number(&eks, "/nodes/launched") > number(&eks, "/nodes/peak"), "it comes and goes");
}
