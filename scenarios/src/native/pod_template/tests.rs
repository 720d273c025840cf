//! Templates as people write them, wrong ones, and the recorded files where they are there.

use std::path::Path;

use sim::scenario::{LabelOperator, TaintEffect, TolerationOperator};

use super::*;

const TEMPLATE: &str = r#"
apiVersion: v1
kind: Pod
metadata:
  labels: {team: data, version: 3.5}
  annotations: {cluster-autoscaler.kubernetes.io/safe-to-evict: "true"}
spec:
  nodeSelector: {pool: executors}
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms:
        - matchExpressions:
          - {key: cpu, operator: Gt, values: ["7"]}
          - {key: eks.amazonaws.com/capacityType, operator: In, values: [SPOT, ON_DEMAND]}
        - matchExpressions: [{key: debug, operator: Exists}]
      preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 50
        preference: {matchExpressions: [{key: arch, operator: NotIn, values: [arm64]}]}
  tolerations:
  - {key: spot, operator: Equal, value: "true", effect: NoSchedule}
  - operator: Exists
  priorityClassName: system-node-critical
  schedulerName: packer
  containers:
  - name: spark-kubernetes-executor
    volumeMounts: []
"#;

/// One line per problem and per finding.
fn shown(read: &NativeRead<PodTemplate>) -> Vec<String> {
    let problems = read.problems.iter().map(|p| format!("{}:{} {}", p.line, p.column, p.message));
    let findings = read
        .not_modelled
        .iter()
        .map(|f| format!("{} {} {}", f.line.unwrap_or(0), f.code, f.message));
    problems.chain(findings).collect()
}

#[test]
fn every_placement_rule_arrives() {
    let read = read("executor.yaml", TEMPLATE);
    assert_eq!(shown(&read), [""; 0]);
    let pod = read.value;
    assert_eq!(pod.labels["version"], "3.5");
    assert_eq!(pod.annotations.len(), 1);
    assert_eq!(pod.node_selector["pool"], "executors");
    assert_eq!(pod.required_node_affinity.len(), 2);
    let first = &pod.required_node_affinity[0].match_expressions;
    assert_eq!(first[0].operator, LabelOperator::Gt);
    assert_eq!(first[1].values, ["SPOT", "ON_DEMAND"]);
    assert_eq!(pod.preferred_node_affinity[0].weight, 50);
    assert_eq!(pod.tolerations[0].effect, Some(TaintEffect::NoSchedule));
    assert_eq!(pod.tolerations[1].operator, TolerationOperator::Exists);
    assert_eq!(pod.tolerations[1].effect, None);
    assert_eq!(pod.priority, 2_000_001_000);
    assert_eq!(pod.scheduler_name.as_deref(), Some("packer"));
}

#[test]
fn what_is_not_followed_is_named() {
    let read = read(
        "p.yaml",
        "kind: Pod\nspec:\n  nodeSelectr: {a: b}\n  topologySpreadConstraints: [{maxSkew: 1}]\n  \
         affinity: {podAffinity: {x: 1}}\n  priorityClassName: batch\n  volumes:\n  - \
         {name: a, hostPath: {path: /x}}\n  - {name: b, emptyDir: {medium: Memory}}\n  - \
         {name: c, emptyDir: {}}\n  containers:\n  - resources:\n      \
         limits: {nvidia.com/gpu: 1, cpu: 4}\n",
    );
    assert_eq!(
        shown(&read),
        [
            "4 not-modelled `spec.topologySpreadConstraints` was read and is not modelled",
            "5 not-modelled `spec.affinity.podAffinity` was read and is not modelled",
            "6 not-modelled `spec.priorityClassName` was read and is not modelled",
            "8 not-modelled `spec.volumes[].hostPath` was read and is not modelled",
            "9 not-modelled `spec.volumes[].emptyDir.medium` was read and is not modelled",
            "13 not-modelled `spec.containers[].resources.limits.nvidia.com/gpu` was read and is \
             not modelled",
            "3 unknown-key unknown key `nodeSelectr` is ignored; did you mean `nodeSelector`?",
            "13 replaced-by-spark CPU and memory of a template's container are not used: Spark \
             replaces them by its own settings (of a sidecar they are not modelled)",
        ]
    );
}

#[test]
fn wrong_values_are_problems_all_at_once() {
    let read = read(
        "p.yaml",
        "spec:\n  nodeSelector: [a]\n  tolerations:\n  - {value: x}\n  - {key: a, operator: Exist}\n  \
         - {key: a, effect: NoRun}\n  affinity:\n    nodeAffinity:\n      \
         preferredDuringSchedulingIgnoredDuringExecution:\n      - {weight: 200, preference: {}}\n      \
         requiredDuringSchedulingIgnoredDuringExecution:\n        nodeSelectorTerms:\n        - \
         matchExpressions: [{key: a, operator: Gt, values: [x]}]\n",
    );
    assert_eq!(
        shown(&read),
        [
            "2:17 `nodeSelector`: expected a map, found a list",
            "13:61 operator `Gt` takes one whole number as value",
            "10:18 `weight`: expected a whole number from 1 to 100, found `200`",
            "4:5 a toleration without `key` needs `operator: Exists`",
            "5:24 unknown value `Exist`",
            "6:22 unknown value `NoRun`",
        ]
    );
}

#[test]
fn hostile_texts_end_in_problems() {
    for text in ["", "---\n---\n", "[1, 2]", "kind: Deployment", "kind: Pod\nspec: 3", "\0", "a: ["]
    {
        assert_ne!(read("p.yaml", text).problems.len(), 0, "{text:?}");
    }
    let deep = format!("spec: {}", "[".repeat(100_000));
    assert_ne!(read("p.yaml", &deep).problems.len(), 0);
}

#[test]
fn recorded_templates_load() {
    let folder =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/native-configs/pod-templates");
    let Ok(files) = std::fs::read_dir(Path::new(folder)) else {
        eprintln!("skipped: no {folder}");
        return;
    };
    let mut count = 0;
    for file in files {
        let path = file.unwrap().path();
        let read = read("f", &std::fs::read_to_string(&path).unwrap());
        assert_eq!(read.problems, [], "{path:?}");
        assert!(read.value.node_selector.contains_key("NodeGroupType"), "{path:?}");
        assert_eq!(read.value.required_node_affinity.len(), 1, "{path:?}");
        count += 1;
    }
    assert_eq!(count, 4);
}
