//! Templates as people write them, wrong ones, and the recorded files where they are there.

use std::path::Path;

use sim::scenario::{
    Container, HostPort, LabelOperator, LabelSelector, NodeInclusionPolicy, TaintEffect,
    TolerationOperator, WhenUnsatisfiable,
};
use sim::units::{Bytes, MilliCores};

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
    let read = read("executor.yaml", TEMPLATE, None);
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

/// A pod with everything else that placement reads.
const WHOLE: &str = r#"
kind: Pod
metadata: {namespace: data}
spec:
  hostNetwork: false
  nodeName: n7
  terminationGracePeriodSeconds: 45
  overhead: {cpu: 250m, memory: 120Mi}
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms:
        - matchFields: [{key: metadata.name, operator: In, values: [n7]}]
    podAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 30
        podAffinityTerm:
          topologyKey: topology.kubernetes.io/zone
          labelSelector:
            matchLabels: {app: etl}
            matchExpressions: [{key: role, operator: NotIn, values: [driver]}]
          namespaces: [data, other]
          matchLabelKeys: [spark-app-selector]
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
      - {topologyKey: kubernetes.io/hostname, labelSelector: {}, namespaceSelector: {}}
      - {topologyKey: kubernetes.io/hostname, labelSelector: null}
  topologySpreadConstraints:
  - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, minDomains: 3,
     nodeAffinityPolicy: Ignore, nodeTaintsPolicy: Honor, labelSelector: {matchLabels: {a: b}},
     matchLabelKeys: [c]}
  - {maxSkew: 5, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}
  volumes:
  - {name: disk, hostPath: {path: /mnt}}
  - {name: scratch, emptyDir: {sizeLimit: 10Gi}}
  - {name: nothing-said}
  - {name: conf, configMap: {name: c}}
  containers:
  - name: log
    image: fluent-bit:3
    resources: {requests: {cpu: 100m}, limits: {cpu: "1", memory: 64Mi}}
    ports: [{containerPort: 80}, {containerPort: 2020, hostPort: 2020, protocol: UDP, hostIP: 10.0.0.1}]
  - name: spark
    image: spark:3.5
    resources:
      requests: {cpu: "4", memory: 8Gi}
      limits: {cpu: "4", memory: 8Gi, nvidia.com/gpu: 2, hugepages-2Mi: 4Mi, ephemeral-storage: 20G}
    ports: [{hostPort: 4040}]
  initContainers:
  - {name: fetch, resources: {requests: {cpu: "2"}}}
  - {name: mesh, restartPolicy: Always, image: proxy:1}
"#;

#[test]
fn a_whole_pod_keeps_its_containers() {
    let read = read_pod("pod.yaml", WHOLE);
    assert_eq!(shown(&read), [""; 0]);
    let pod = read.value;
    assert_eq!((pod.namespace.as_str(), pod.node_name.as_deref()), ("data", Some("n7")));
    assert_eq!(pod.termination_grace, Some(SimDuration::seconds(45)));
    assert_eq!(pod.overhead.cpu, Some(MilliCores::new(250)));
    assert_eq!(pod.required_node_affinity[0].match_fields[0].key, "metadata.name");
    assert_eq!(pod.local_storage, ["disk", "scratch", "nothing-said"]);
    assert_eq!(pod.main, Container::default());
    let [log, spark] = &pod.containers[..] else {
        panic!("{:?}", pod.containers);
    };
    assert_eq!(log.requests.cpu, Some(MilliCores::new(100)));
    // The API server takes a limit as the request where there is none.
    assert_eq!(log.requests.memory, Some(Bytes::mib(64)));
    let port = HostPort { port: 2020, protocol: "UDP".into(), host_ip: "10.0.0.1".into() };
    assert_eq!(log.host_ports, [port]);
    assert_eq!(spark.requests.extended["nvidia.com/gpu"], 2);
    assert_eq!(spark.requests.extended["hugepages-2Mi"], 4 << 20);
    assert_eq!(spark.requests.ephemeral_storage, Some(Bytes::new(20_000_000_000)));
    let init: Vec<_> =
        pod.init_containers.iter().map(|c| (&c.name[..], c.restart_always)).collect();
    assert_eq!(init, [("fetch", false), ("mesh", true)]);
}

#[test]
fn affinity_between_pods_and_spread_arrive() {
    let pod = read_pod("pod.yaml", WHOLE).value;
    let [(30, near)] = &pod.pod_affinity.preferred[..] else {
        panic!("{:?}", pod.pod_affinity);
    };
    let requirements = &near.label_selector.as_ref().unwrap().requirements;
    let keys: Vec<_> = requirements.iter().map(|r| (&r.key[..], r.operator)).collect();
    assert_eq!(keys, [("app", LabelOperator::In), ("role", LabelOperator::NotIn)]);
    assert_eq!(near.namespaces, ["data", "other"]);
    assert_eq!((near.match_label_keys.len(), near.namespace_selector.is_some()), (1, false));
    let [all, none] = &pod.pod_anti_affinity.required[..] else {
        panic!("{:?}", pod.pod_anti_affinity);
    };
    assert_eq!(all.label_selector, Some(LabelSelector::default()));
    assert_eq!(all.namespace_selector, Some(LabelSelector::default()));
    assert_eq!(none.label_selector, None);
    let [hard, soft] = &pod.topology_spread[..] else {
        panic!("{:?}", pod.topology_spread);
    };
    assert_eq!((hard.max_skew, hard.min_domains), (1, Some(3)));
    assert_eq!(hard.node_affinity_policy, NodeInclusionPolicy::Ignore);
    assert_eq!(hard.node_taints_policy, NodeInclusionPolicy::Honor);
    assert_eq!(soft.when_unsatisfiable, WhenUnsatisfiable::ScheduleAnyway);
    assert_eq!(soft.node_affinity_policy, NodeInclusionPolicy::Honor);
    assert_eq!((soft.label_selector.clone(), soft.min_domains), (None, None));
}

#[test]
fn spark_fills_in_one_container() {
    let named = read("pod.yaml", WHOLE, Some("spark"));
    let message = "CPU and memory of the template's Spark container are not used: Spark replaces \
                   them by its own settings";
    assert_eq!(shown(&named), [format!("46 replaced-by-spark {message}")]);
    let main = &named.value.main;
    assert_eq!((main.name.as_str(), main.image.as_deref()), ("spark", Some("spark:3.5")));
    assert_eq!((main.requests.cpu, main.requests.memory), (None, None));
    assert_eq!(main.requests.extended["nvidia.com/gpu"], 2);
    assert_eq!(main.host_ports[0].port, 4040);
    assert_eq!(named.value.containers[0].name, "log");
    let first = read("pod.yaml", WHOLE, None);
    assert_eq!(first.value.main.name, "log");
    let neither = read("pod.yaml", WHOLE, Some("sprak"));
    assert_eq!(neither.value.main.name, "log");
    let lines = shown(&neither);
    let expected =
        "39 no-such-container no container is named `sprak`: Spark takes the first one for its own";
    assert!(lines.iter().any(|line| line == expected), "{lines:?}");
}

#[test]
fn on_the_hosts_network_ports_are_host_ports() {
    let text = "spec: {hostNetwork: true, containers: [{name: a, ports: [{containerPort: 9}]}]}";
    let ports = read_pod("p.yaml", text).value.containers[0].host_ports.clone();
    assert_eq!(ports, [HostPort { port: 9, protocol: "TCP".into(), host_ip: String::new() }]);
}

#[test]
fn what_is_not_followed_is_named() {
    let read = read(
        "p.yaml",
        "kind: Pod\nspec:\n  nodeSelectr: {a: b}\n  resources: {requests: {cpu: 1}}\n  \
         priorityClassName: batch\n  volumes:\n  - {name: b, emptyDir: {medium: Memory}}\n  - \
         {name: c, persistentVolumeClaim: {claimName: x}}\n  containers:\n  - resources:\n      \
         claims: [{name: g}]\n",
        None,
    );
    assert_eq!(
        shown(&read),
        [
            "4 not-modelled `spec.resources` was read and is not modelled",
            "5 not-modelled `spec.priorityClassName` was read and is not modelled",
            "7 not-modelled `spec.volumes[].emptyDir.medium` was read and is not modelled",
            "8 not-modelled `spec.volumes[].persistentVolumeClaim` was read and is not modelled",
            "11 not-modelled `spec.containers[].resources.claims` was read and is not modelled",
            "3 unknown-key unknown key `nodeSelectr` is ignored; did you mean `nodeSelector`?",
        ]
    );
}

/// Problems with a pod whose spec is `spec`: `line:column message (help)`.
#[track_caller]
fn check_problems(spec: &str, expected: &[&str]) {
    let lines = read_pod("p.yaml", &format!("spec:\n{spec}")).problems.into_iter().map(|p| {
        let help = p.help.map_or(String::new(), |help| format!(" ({help})"));
        format!("{}:{} {}{help}", p.line, p.column, p.message)
    });
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

#[test]
fn wrong_values_are_problems_all_at_once() {
    check_problems(
        "  nodeSelector: [a]\n  tolerations:\n  - {value: x}\n  - {key: a, operator: Exist}\n  \
         - {key: a, effect: NoRun}\n  affinity:\n    nodeAffinity:\n      \
         preferredDuringSchedulingIgnoredDuringExecution:\n      - {weight: 200, preference: \
         {}}\n      \
         requiredDuringSchedulingIgnoredDuringExecution:\n        nodeSelectorTerms:\n        - \
         matchExpressions: [{key: a, operator: Gt, values: [x]}]\n        - matchFields: [{key: \
         spec.x, operator: In, values: [a]}, {key: metadata.name, operator: In, values: [a, b]}, \
         {key: metadata.name, operator: Exists}]\n",
        &[
            "2:17 `nodeSelector`: expected a map, found a list",
            "13:61 operator `Gt` takes one whole number as value",
            "14:25 unknown field `spec.x` (known: `metadata.name`)",
            "14:67 `metadata.name` takes one value",
            "14:150 unknown value `Exists` (known: `In`, `NotIn`)",
            "10:18 `weight`: expected a whole number from 1 to 100, found `200`",
            "4:5 a toleration without `key` needs `operator: Exists`",
            "5:24 unknown value `Exist` (did you mean `Exists`?)",
            "6:22 unknown value `NoRun` (known: `NoSchedule`, `PreferNoSchedule`, `NoExecute`)",
        ],
    );
}

#[test]
fn wrong_affinity_between_pods() {
    check_problems(
        "  affinity:\n    podAffinity:\n      requiredDuringSchedulingIgnoredDuringExecution:\n      \
         - {labelSelector: {}}\n      - {topologyKey: z, matchLabelKeys: [a]}\n      - \
         {topologyKey: z, labelSelector: {}, matchLabelKeys: [a], mismatchLabelKeys: [a]}\n      - \
         {topologyKey: z, labelSelector: {matchExpressions: [{key: a, operator: Gt, values: \
         [1]}]}}\n      \
         preferredDuringSchedulingIgnoredDuringExecution:\n      - {weight: 0, podAffinityTerm: \
         {topologyKey: z}}\n",
        &[
            "5:9 `topologyKey` is missing",
            "6:42 `matchLabelKeys` needs a `labelSelector` beside it",
            "7:9 `a` is in both `matchLabelKeys` and `mismatchLabelKeys`",
            "8:80 unknown value `Gt` (did you mean `In`?)",
            "10:18 `weight`: expected a whole number from 1 to 100, found `0`",
        ],
    );
}

#[test]
fn wrong_spread_constraints() {
    check_problems(
        "  topologySpreadConstraints:\n  - {maxSkew: 0, topologyKey: z, whenUnsatisfiable: \
         DoNotSchedule}\n  - {maxSkew: 1, whenUnsatisfiable: Do}\n  - {maxSkew: 1, topologyKey: z, \
         whenUnsatisfiable: ScheduleAnyway, minDomains: 2}\n  - {maxSkew: 2, topologyKey: z, \
         whenUnsatisfiable: ScheduleAnyway}\n  - {maxSkew: 1, topologyKey: y, whenUnsatisfiable: \
         ScheduleAnyway, nodeTaintsPolicy: honor, labelSelector: {matchLabels: {a: b}}, \
         matchLabelKeys: [a]}\n",
        &[
            "3:15 `maxSkew`: expected a whole number from 1 to 2147483647, found `0`",
            "4:5 `topologyKey` is missing",
            "4:37 unknown value `Do` (known: `DoNotSchedule`, `ScheduleAnyway`)",
            "5:81 `minDomains` is for `whenUnsatisfiable: DoNotSchedule` only",
            "6:5 a second constraint on `z` with the same `whenUnsatisfiable`",
            "7:5 `a` is in both `matchLabelKeys` and `labelSelector`",
            "7:87 unknown value `honor` (did you mean `Honor`?)",
        ],
    );
}

#[test]
fn wrong_containers() {
    check_problems(
        "  containers:\n  - {name: a, resources: {requests: {cpu: 2, gpu: 1}, limits: {cpu: \
         1}}}\n  - {name: a, resources: {requests: {nvidia.com/gpu: 1}, limits: {nvidia.com/gpu: \
         2}}}\n  - {name: b, resources: {limits: {nvidia.com/gpu: 0.5, memroy: 1Gi}}}\n  - {name: \
         c, ports: [{hostPort: 70000}, {hostPort: 1, protocol: ICMP}]}\n  \
         terminationGracePeriodSeconds: -1\n",
        &[
            "3:51 unknown resource `gpu` (did you mean `nvidia.com/gpu`?)",
            "3:26 the cpu request 2 is above the limit 1",
            "4:26 the request of `nvidia.com/gpu` must be its limit, 2",
            "5:52 `nvidia.com/gpu`: expected a whole number, found `0.5`",
            "5:65 unknown resource `memroy` (did you mean `memory`?)",
            "6:34 `hostPort`: expected a whole number from 0 to 65535, found `70000`",
            "6:66 unknown value `ICMP` (did you mean `SCTP`?)",
            "4:5 a second container named `a`",
            "7:34 `terminationGracePeriodSeconds`: expected a whole number from 0 to 4294967295, found `-1`",
        ],
    );
}

#[test]
fn hostile_texts_end_in_problems() {
    for text in ["", "---\n---\n", "[1, 2]", "kind: Deployment", "kind: Pod\nspec: 3", "\0", "a: ["]
    {
        assert_ne!(read("p.yaml", text, None).problems.len(), 0, "{text:?}");
    }
    let deep = format!("spec: {}", "[".repeat(100_000));
    assert_ne!(read("p.yaml", &deep, None).problems.len(), 0);
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
        let read = read("f", &std::fs::read_to_string(&path).unwrap(), None);
        assert_eq!(read.problems, [], "{path:?}");
        assert!(read.value.node_selector.contains_key("NodeGroupType"), "{path:?}");
        assert_eq!(read.value.required_node_affinity.len(), 1, "{path:?}");
        count += 1;
    }
    assert_eq!(count, 4);
}

/// Every pod that a recorded scheduler took reads without a word.
#[test]
fn pods_of_a_real_scheduler_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/decision-cases");
    let mut count = 0;
    for name in ["default_11", "flotilla_41", "most_21", "rtcr_31"] {
        let path = format!("{folder}/placement-{name}.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: no {path}");
            return;
        };
        let case: serde_json::Value = serde_json::from_str(&text).unwrap();
        for step in case["steps"].as_array().unwrap() {
            if step["op"] != "create" {
                continue;
            }
            let pod = serde_json::json!({
                "metadata": {"name": step["pod"], "labels": step["labels"]},
                "spec": step["spec"],
            });
            let read = read_pod("case.json", &pod.to_string());
            assert_eq!(shown(&read), [""; 0], "{step}");
            let containers = step["spec"]["containers"].as_array().unwrap();
            assert_eq!(read.value.containers.len(), containers.len());
            assert_eq!(read.value.labels.len(), step["labels"].as_object().unwrap().len());
            count += 1;
        }
    }
    assert!(count > 1_000, "{count}");
}
