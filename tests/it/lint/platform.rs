//! A platform about which there is nothing to say, and changes of it.

use scenarios::import::Given;
use scenarios::lint::{LintFinding, Targets, lint};

pub(super) type Files = Vec<(&'static str, String)>;

pub(super) const GROUPS: &str = r#"
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: c, region: us-west-2, version: "1.33"}
managedNodeGroups:
- {name: drivers, instanceTypes: [m5.xlarge], minSize: 0, maxSize: 9, labels: {role: driver}}
- name: executors
  spot: true
  instanceTypes: [m5.4xlarge, m5a.4xlarge]
  minSize: 0
  maxSize: 9
  labels: {role: executor}
  taints: [{key: spark, value: executor, effect: NoSchedule}]
"#;

pub(super) const CONF: &str = "\
spark.executor.memory 8g
spark.executor.cores 4
spark.decommission.enabled true
spark.dynamicAllocation.enabled true
spark.kubernetes.driver.podTemplateFile driver.yaml
spark.kubernetes.executor.podTemplateFile executor.yaml
";

pub(super) const DRIVER: &str = r#"
apiVersion: v1
kind: Pod
metadata:
  annotations:
    cluster-autoscaler.kubernetes.io/safe-to-evict: "false"
    karpenter.sh/do-not-disrupt: "true"
spec:
  nodeSelector: {role: driver}
  containers: [{name: spark-kubernetes-driver}]
"#;

pub(super) const EXECUTOR: &str = r#"
apiVersion: v1
kind: Pod
metadata: {labels: {team: data}}
spec:
  nodeSelector:
    role: executor
  tolerations: [{key: spark, operator: Exists}]
  terminationGracePeriodSeconds: 110
  containers:
  - name: spark-kubernetes-executor
  - name: sidecar
    resources: {requests: {cpu: 100m, memory: 128Mi}}
"#;

pub(super) const VALUES: &str = "\
autoDiscovery: {clusterName: c}
extraArgs:
  expander: priority
  scale-down-unneeded-time: 10m
  scan-interval: 10s
expanderPriorities: {10: [.*drivers.*], 20: [.*executors.*]}
";

pub(super) const PROFILE: &str = "\
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
  plugins: {score: {enabled: [{name: NodeResourcesFit, weight: 5}]}}
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}}
";

pub(super) const NODE_POOL: &str = "\
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: pool}
spec:
  disruption: {consolidationPolicy: WhenEmptyOrUnderutilized, consolidateAfter: 5m}
  template:
    metadata: {labels: {role: driver, pool: p}}
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      requirements:
      - {key: karpenter.k8s.aws/instance-category, operator: In, values: [m, r]}
      - {key: karpenter.k8s.aws/instance-cpu, operator: Lt, values: [\"17\"]}
      - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
";

pub(super) const APPLICATION: &str = r#"
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: app}
spec:
  type: Scala
  sparkVersion: "3.5.3"
  sparkConf: {"spark.decommission.enabled": "true"}
  driver:
    memory: 2g
    nodeSelector: {role: driver}
    annotations:
      cluster-autoscaler.kubernetes.io/safe-to-evict: "false"
      karpenter.sh/do-not-disrupt: "true"
  executor:
    memory: 4g
    nodeSelector: {role: executor}
    tolerations: [{key: spark, operator: Exists}]
"#;

pub(super) const PAUSE: &str = "\
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: pause}
value: -5
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pause}
spec:
  replicas: 2
  template:
    spec:
      priorityClassName: pause
      nodeSelector: {role: driver}
      containers: [{name: pause, resources: {requests: {cpu: \"1\", memory: 1Gi}}}]
";

pub(super) const POLICY: &str = "\
kind: Policy
apiVersion: v1
priorities: [{name: MostRequestedPriority, weight: 1}]
";

/// A platform about which there is nothing to say, at Kubernetes 1.33.
pub(super) fn good() -> Files {
    let texts = [
        ("cluster.yaml", GROUPS),
        ("spark-defaults.conf", CONF),
        ("driver.yaml", DRIVER),
        ("executor.yaml", EXECUTOR),
        ("values.yaml", VALUES),
        ("scheduler.yaml", PROFILE),
        ("pool.yaml", NODE_POOL),
        ("app.yaml", APPLICATION),
        ("pause.yaml", PAUSE),
    ];
    texts.map(|(name, text)| (name, text.to_owned())).to_vec()
}

/// The good platform with `from` as `to` in one file.
#[track_caller]
pub(super) fn changed(file: &str, from: &str, to: &str) -> Files {
    let mut files = good();
    let text = &mut files.iter_mut().find(|(name, _)| *name == file).unwrap().1;
    assert!(text.contains(from), "{file}: {from}");
    *text = text.replacen(from, to, 1);
    files
}

/// Executors that Cluster Autoscaler may move.
pub(super) const EVICTABLE: (&str, &str) = (
    "{labels: {team: data}}",
    "{annotations: {cluster-autoscaler.kubernetes.io/safe-to-evict: \"true\"}}",
);

/// The good platform with a change in each of two files.
#[track_caller]
pub(super) fn both(file: &str, change: (&str, &str), other: &str, also: (&str, &str)) -> Files {
    let with = changed(other, also.0, also.1);
    let of = |name| changed(file, change.0, change.1).into_iter().find(|(own, _)| *own == name);
    with.into_iter()
        .map(|(name, text)| if name == file { of(name).unwrap() } else { (name, text) })
        .collect()
}

/// The good platform and one file more.
pub(super) fn with(file: &'static str, text: &str) -> Files {
    let mut files = good();
    files.push((file, text.to_owned()));
    files
}

pub(super) fn without(gone: &str) -> Files {
    good().into_iter().filter(|(name, _)| *name != gone).collect()
}

pub(super) fn asked(kubernetes: &str, spark: &str) -> Targets {
    let said = |text: &str, by: &str| {
        Some(scenarios::lint::Said { release: text.parse().unwrap(), by: by.to_owned() })
    };
    Targets {
        kubernetes: said(kubernetes, "--kubernetes"),
        spark: if spark.is_empty() { None } else { said(spark, "--spark") },
        karpenter: None,
    }
}

pub(super) fn judged(files: &Files, targets: Targets) -> Vec<LintFinding> {
    let given = files.iter().map(|(name, text)| Given {
        name: (*name).to_owned(),
        text: text.clone(),
        named: true,
    });
    lint(given.collect(), targets).unwrap_or_else(|error| panic!("{error}")).findings
}
