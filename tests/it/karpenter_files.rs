//! Scenarios with Karpenter from the outside: files in and out, plans, comparisons, reports.

use std::path::Path;

use serde_json::Value;

use crate::command::{fine, folder, seatrial, write};

const FILES: &str = "\
# Ours.
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: drivers}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: nodes}
      requirements:
      - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand, spot]}
      - key: karpenter.k8s.aws/instance-family  # what we have quota for
        operator: In
        values: [m5, m5a]
      - {key: karpenter.k8s.aws/instance-size, operator: In, values: [xlarge, 4xlarge]}
  disruption:
    consolidationPolicy: WhenEmpty
    consolidateAfter: 10m  # as the autoscaler before
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: nodes}
spec:
  role: nodes
  amiSelectorTerms: [{alias: al2023@latest}]
  subnetSelectorTerms: [{tags: {karpenter.sh/discovery: c}}]
  securityGroupSelectorTerms: [{tags: {karpenter.sh/discovery: c}}]
";

const SCENARIO: &str = "\
base: scenario.yaml
metadata: {name: moved}
spec:
  nodes: {pools: null}
  autoscaler: {clusterAutoscaler: null, karpenter: {manifests: nodepools.yaml}}
";

const POOL: &str = "spec.autoscaler.karpenter.nodePools.drivers";

fn moved() -> tempfile::TempDir {
    let folder = folder();
    write(&folder.path().join("nodepools.yaml"), FILES);
    write(&folder.path().join("moved.yaml"), SCENARIO);
    folder
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn summary(folder: &Path, out: &str) -> Value {
    json(&std::fs::read_to_string(folder.join(out).join("summary.json")).unwrap())
}

#[test]
fn a_diff_changes_what_is_set_and_what_is_emitted_reads_back() {
    let folder = moved();
    let here = folder.path();
    let sets = [
        format!("{POOL}.consolidateAfter=2m"),
        format!("{POOL}.requirements={{karpenter.k8s.aws/instance-family: [m5, m5a, m5d]}}"),
    ];
    let sets = ["--set", &sets[0], "--set", &sets[1]];
    let diff = fine(here, &[&["emit", "moved.yaml", "--diff"][..], &sets].concat());
    let changed: Vec<&str> = diff
        .lines()
        .filter(|line| {
            line.starts_with(['+', '-']) && !line.starts_with("++") && !line.starts_with("--")
        })
        .collect();
    let expected = [
        "-        values: [m5, m5a]",
        "+        values: [m5, m5a, m5d]",
        "-    consolidateAfter: 10m  # as the autoscaler before",
        "+    consolidateAfter: 2m  # as the autoscaler before",
    ];
    assert_eq!(changed, expected, "{diff}");
    fine(here, &[&["emit", "moved.yaml", "--out", "out"][..], &sets].concat());
    assert!(here.join("out/karpenter.yaml").exists());
    let run = |arguments: &[&str], out: &str| {
        let more = ["--no-report", "--out", out];
        fine(here, &[&["run"], arguments, &more].concat());
        let mut summary = summary(here, out);
        summary["scenario"] = Value::Null;
        summary
    };
    let changed = run(&[&["moved.yaml"][..], &sets].concat(), "changed");
    assert_eq!(changed, run(&["out/scenario.yaml"], "again"));
    assert_ne!(changed, run(&["moved.yaml"], "today"));
}

#[test]
fn the_move_is_compared_and_attributed_as_one_change() {
    let folder = moved();
    let here = folder.path();
    // One change alone is the whole difference: there is another one beside it.
    let more = "base: moved.yaml\nmetadata: {name: moved}\nspec: {assumptions: {nodeBoot: \
                {p50: 20s, p99: 40s}}}\n";
    write(&here.join("more.yaml"), more);
    let base = ["compare", "scenario.yaml", "more.yaml", "--replications", "2", "-o", "json"];
    let value = json(&fine(here, &base));
    let candidate = &value["candidates"][0];
    let metrics = candidate["metrics"].as_object().unwrap();
    assert!(metrics.contains_key("disruption.total.nodes"), "nodes go when they are empty");
    let alone = candidate["changed_alone"].as_object().unwrap();
    let names: Vec<&str> = alone.keys().map(String::as_str).collect();
    assert!(names.contains(&"autoscaler and nodes"), "{names:?}");
    let others = names.iter().filter(|name| **name != "autoscaler and nodes");
    assert!(others.clone().count() > 0, "{names:?}");
    assert!(others.clone().all(|name| name.starts_with("assumptions.")), "{names:?}");
}

#[test]
fn a_plan_varies_a_node_pool() {
    let folder = moved();
    let here = folder.path();
    let plan = format!(
        "base: moved.yaml\nmetadata: {{name: planned}}\nspec:\n  plan:\n    knobs:\n    - {{path: \
         {POOL}.consolidateAfter, values: [30s, 2h]}}\n    - path: \
         '{POOL}.requirements.karpenter\\.k8s\\.aws/instance-family'\n      values: ['[m5]']\n    \
         replications: 6\n"
    );
    write(&here.join("plan.yaml"), &plan);
    let answer = json(&fine(here, &["plan", "plan.yaml", "--out", "out", "-o", "json"]));
    let sets = answer["recommended"].to_string();
    assert!(sets.contains("consolidateAfter=30s"), "{answer}");
    assert!(answer["relative"].as_f64().unwrap() < 0.0, "{answer}");
    assert_eq!(answer["refused"].as_array().map(Vec::len), Some(0), "{answer}");
    fine(here, &["run", "out/recommended.yaml", "--no-report", "--out", "run"]);
}

#[test]
fn what_was_disrupted_is_reported_and_explained() {
    let folder = moved();
    let here = folder.path();
    let set = format!("{POOL}.consolidateAfter=30s");
    let said = fine(here, &["run", "moved.yaml", "--set", &set, "--out", "run"]);
    assert!(said.contains("nodes disrupted by Karpenter"), "{said}");
    let summary = summary(here, "run");
    let count = |path: &str| summary.pointer(path).and_then(Value::as_u64).unwrap();
    assert!(count("/disruption/by_reason/empty/nodes") > 0);
    assert_eq!(count("/disruption/by_reason/expired/nodes"), 0);
    let page = std::fs::read_to_string(here.join("run/report.html")).unwrap();
    assert!(page.contains("Nodes disrupted, by reason"));
    let output = seatrial(here, &["explain", "run", "--node", "1"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("disrupted by Karpenter"), "{text}");
}

#[test]
fn thrash_is_seen_and_cured() {
    let folder = tempfile::tempdir().unwrap();
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/library");
    let scenario = library.join("karpenter-thrash.yaml").display().to_string();
    let cure = "spec.autoscaler.karpenter.nodePools.executors.consolidationPolicy=WhenEmpty";
    let run = |more: &[&str], out: &str| {
        let base = ["run", &scenario, "--no-report", "--out", out];
        fine(folder.path(), &[&base[..], more].concat());
        summary(folder.path(), out)
    };
    let (thrash, cured) = (run(&[], "thrash"), run(&["--set", cure], "cured"));
    let number = |summary: &Value, path: &str| {
        summary.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path}"))
    };
    let evicted = "/disruption/total/pods_evicted";
    assert!(number(&thrash, evicted) > 100.0);
    assert_eq!(number(&cured, evicted), 0.0);
    assert!(number(&thrash, "/disruption/total/task_time_lost_s") > 0.0);
    for path in ["/cost_usd/total", "/nodes/launched", "/outcome/failed_attempts_by_cause/timeout"]
    {
        assert!(number(&cured, path) < number(&thrash, path), "{path}");
    }
    let said = fine(folder.path(), &["lint", &scenario]);
    assert!(said.contains("consolidation-before-idle-timeout"), "{said}");
}
