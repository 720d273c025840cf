//! `lint`: every rule fires on a bad file and is silent on a good one; exit codes, formats, hostile
//! names, everything at once, the same bytes; what `emit` writes has no errors.

use std::collections::BTreeSet;
use std::path::Path;

use scenarios::import::Given;
use scenarios::lint::{LintFinding, RULES, Targets, lint};
use serde_json::Value;
use sim::Severity;

use crate::command::{fine, refused, seatrial, write};
use crate::emit::{emitted, folder, scenarios_to_emit};

type Files = Vec<(&'static str, String)>;

const GROUPS: &str = r#"
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

const CONF: &str = "\
spark.executor.memory 8g
spark.executor.cores 4
spark.decommission.enabled true
spark.dynamicAllocation.enabled true
spark.kubernetes.driver.podTemplateFile driver.yaml
spark.kubernetes.executor.podTemplateFile executor.yaml
";

const DRIVER: &str = r#"
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

const EXECUTOR: &str = r#"
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

const VALUES: &str = "\
autoDiscovery: {clusterName: c}
extraArgs:
  expander: priority
  scale-down-unneeded-time: 10m
  scan-interval: 10s
expanderPriorities: {10: [.*drivers.*], 20: [.*executors.*]}
";

const PROFILE: &str = "\
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
  plugins: {score: {enabled: [{name: NodeResourcesFit, weight: 5}]}}
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}}
";

const NODE_POOL: &str = "\
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

const APPLICATION: &str = r#"
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

const PAUSE: &str = "\
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

const POLICY: &str = "\
kind: Policy
apiVersion: v1
priorities: [{name: MostRequestedPriority, weight: 1}]
";

/// A platform about which there is nothing to say, at Kubernetes 1.33.
fn good() -> Files {
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
fn changed(file: &str, from: &str, to: &str) -> Files {
    let mut files = good();
    let text = &mut files.iter_mut().find(|(name, _)| *name == file).unwrap().1;
    assert!(text.contains(from), "{file}: {from}");
    *text = text.replacen(from, to, 1);
    files
}

/// Executors that Cluster Autoscaler may move.
const EVICTABLE: (&str, &str) = (
    "{labels: {team: data}}",
    "{annotations: {cluster-autoscaler.kubernetes.io/safe-to-evict: \"true\"}}",
);

/// The good platform with a change in each of two files.
#[track_caller]
fn both(file: &str, change: (&str, &str), other: &str, also: (&str, &str)) -> Files {
    let with = changed(other, also.0, also.1);
    let of = |name| changed(file, change.0, change.1).into_iter().find(|(own, _)| *own == name);
    with.into_iter()
        .map(|(name, text)| if name == file { of(name).unwrap() } else { (name, text) })
        .collect()
}

/// The good platform and one file more.
fn with(file: &'static str, text: &str) -> Files {
    let mut files = good();
    files.push((file, text.to_owned()));
    files
}

fn without(gone: &str) -> Files {
    good().into_iter().filter(|(name, _)| *name != gone).collect()
}

fn asked(kubernetes: &str, spark: &str) -> Targets {
    let said = |text: &str, by: &str| {
        Some(scenarios::lint::Said { release: text.parse().unwrap(), by: by.to_owned() })
    };
    Targets {
        kubernetes: said(kubernetes, "--kubernetes"),
        spark: if spark.is_empty() { None } else { said(spark, "--spark") },
        karpenter: None,
    }
}

fn judged(files: &Files, targets: Targets) -> Vec<LintFinding> {
    let given = files.iter().map(|(name, text)| Given {
        name: (*name).to_owned(),
        text: text.clone(),
        named: true,
    });
    lint(given.collect(), targets).unwrap_or_else(|error| panic!("{error}")).findings
}

#[test]
fn there_is_nothing_to_say_about_a_good_platform() {
    let findings = judged(&good(), asked("1.33", ""));
    assert!(findings.is_empty(), "{findings:#?}");
}

/// What looks wrong and is not, or is not sure: rule, files, releases. The rule is silent.
#[allow(clippy::type_complexity, reason = "a table")]
fn silent() -> Vec<(&'static str, Files, (&'static str, &'static str))> {
    let now = ("1.33", "");
    let conf = |to: &str| changed("spark-defaults.conf", "spark.executor.cores 4\n", to);
    let select = |label: &str| changed("executor.yaml", "    role: executor", label);
    let pool = |text: &str| {
        let soon = "consolidateAfter: 30s";
        let text = format!("{soon}{text}");
        let swapped = changed("pool.yaml", "consolidateAfter: 5m", &text);
        let swap = |(name, text): (&'static str, String)| match name {
            "pool.yaml" => (name, text.replace("role: driver", "role: executor")),
            _ => (name, text),
        };
        swapped.into_iter().map(swap).collect::<Files>()
    };
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  \
               labels: {type: object, maxProperties: 100, nullable: true}\n";
    let other = "apiVersion: example.com/v1\nkind: Thing\nspec: {labels: {a: 1}, data: {b: 2}}\n";
    let pdb = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n";
    let unknown = "instanceTypes: [m5.4xlarge, m5a.4xlarge]";
    vec![
        // Schemas of other kinds, and kinds whose maps are their own.
        ("text-expected", with("crd.yaml", crd), now),
        ("text-expected", with("thing.yaml", other), now),
        // Labels of add-ons and of eksctl's, and of types that nobody knows.
        ("no-node-has-the-label", select("    nvidia.com/gpu.present: \"true\""), now),
        ("no-node-has-the-label", select("    node-lifecycle: spot"), now),
        (
            "no-node-has-the-label",
            both(
                "cluster.yaml",
                (unknown, "instanceTypes: [m99.large]"),
                "executor.yaml",
                ("    role: executor", "    role: executor\n    kubernetes.io/arch: arm64"),
            ),
            now,
        ),
        // The kubelet keeps what the group says; a node may have more than Karpenter estimates.
        (
            "pod-fits-no-node",
            both(
                "cluster.yaml",
                (unknown, "instanceTypes: [m5.4xlarge]\n  kubeletExtraConfig: {kubeReserved: {}}"),
                "spark-defaults.conf",
                ("cores 4\n", "cores 16\nspark.kubernetes.executor.request.cores 15900m\n"),
            ),
            now,
        ),
        // Nodes with executors that may not be moved are not taken away, whatever the time.
        ("scale-down-before-idle-timeout", changed("values.yaml", "10m", "30s"), now),
        // Executors that may be moved are no obstacle.
        (
            "spreading-scheduler",
            both("scheduler.yaml", ("MostAllocated", "LeastAllocated"), "executor.yaml", EVICTABLE)
                .into_iter()
                .filter(|(name, _)| *name != "app.yaml")
                .collect(),
            now,
        ),
        // A budget of none.
        ("consolidation-before-idle-timeout", pool(", budgets: [{nodes: \"0\"}]"), now),
        (
            "consolidation-before-idle-timeout",
            pool(", budgets: [{nodes: 0%, reasons: [Underutilized]}]"),
            now,
        ),
        // Another shuffle manager, another master.
        (
            "shuffle-service-on-kubernetes",
            conf("spark.shuffle.service.enabled true\nspark.shuffle.manager a.RssShuffleManager\n"),
            now,
        ),
        (
            "shuffle-service-on-kubernetes",
            conf("spark.shuffle.service.enabled true\nspark.master yarn\n"),
            now,
        ),
        // Names of Auto Scaling groups hold the cluster's, which need not be in the files.
        (
            "priority-names-no-group",
            changed("values.yaml", ".*drivers.*", "^eksctl-prod-nodegroup-drivers-.*"),
            now,
        ),
        // There is nothing else to write yet.
        ("api-deprecated", with("pdb.yaml", pdb), ("1.20", "")),
        // Both names: ready for either.
        (
            "label-renamed",
            changed(
                "executor.yaml",
                "    role: executor",
                "    beta.kubernetes.io/os: linux\n    kubernetes.io/os: linux\n    role: executor",
            ),
            now,
        ),
    ]
}

#[test]
fn rules_are_silent_about_what_is_right_or_not_known() {
    let found: Vec<String> = silent()
        .iter()
        .flat_map(|(rule, files, (kubernetes, spark))| {
            let findings = judged(files, asked(kubernetes, spark));
            findings.into_iter().filter(move |one| one.rule.id == *rule)
        })
        .map(|one| format!("{one:#?}"))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn advice_is_of_the_release() {
    let files = changed("spark-defaults.conf", "enabled true", "enabled false");
    let next = |spark| {
        let findings = judged(&files, asked("1.33", spark));
        let found = findings.into_iter().find(|one| one.rule.id == "spot-without-decommission");
        found.unwrap().next
    };
    assert!(next("3.0").contains("3.1") && !next("3.0").contains("spark.decommission.enabled"));
    assert!(next("3.1").contains("spark.decommission.enabled=true"));
}

/// Rule, what makes it fire, where, at which releases.
#[allow(clippy::type_complexity, reason = "a table")]
fn cases() -> Vec<(&'static str, Files, &'static str, (&'static str, &'static str))> {
    let conf = |to: &str| changed("spark-defaults.conf", "spark.executor.cores 4\n", to);
    let now = ("1.33", "");
    let gpu = "resources: {requests: {cpu: 100m, memory: 128Mi, nvidia.com/gpu: \"1\"}, limits: \
               {nvidia.com/gpu: \"1\"}}";
    let plain = "resources: {requests: {cpu: 100m, memory: 128Mi}}";
    let spread = changed("scheduler.yaml", "MostAllocated", "LeastAllocated");
    let empty = "consolidateAfter: 5m";
    let soon = changed("pool.yaml", empty, "consolidateAfter: 30s");
    let soon: Files = soon
        .into_iter()
        .map(|(name, text)| match name {
            "pool.yaml" => (name, text.replace("role: driver", "role: executor")),
            _ => (name, text),
        })
        .collect();
    let unmarked = |annotation: &str| changed("driver.yaml", annotation, "");
    let do_not_disrupt = "    karpenter.sh/do-not-disrupt: \"true\"\n";
    let safe = "    cluster-autoscaler.kubernetes.io/safe-to-evict: \"false\"\n";
    vec![
        (
            "no-node-has-the-label",
            changed("driver.yaml", "role: driver", "role: drvr"),
            "driver.yaml:9",
            now,
        ),
        (
            "taint-not-tolerated",
            changed("executor.yaml", "key: spark,", "key: sparc,"),
            "executor.yaml:8",
            now,
        ),
        ("pod-fits-no-node", conf("spark.executor.cores 16\n"), "spark-defaults.conf:2", now),
        (
            "pod-fits-no-node",
            changed("spark-defaults.conf", "8g", "60g"),
            "spark-defaults.conf:1",
            now,
        ),
        (
            "pod-barely-fits",
            conf("spark.executor.cores 15\nspark.kubernetes.executor.request.cores 15700m\n"),
            "spark-defaults.conf:3",
            now,
        ),
        ("no-node-has-gpus", changed("executor.yaml", plain, gpu), "executor.yaml:11", now),
        (
            "unknown-instance-type",
            changed("cluster.yaml", "m5.xlarge", "m5.xlrage"),
            "cluster.yaml:6",
            now,
        ),
        ("consolidation-before-idle-timeout", soon, "pool.yaml:5", now),
        (
            "scale-down-before-idle-timeout",
            both("values.yaml", ("10m", "30s"), "executor.yaml", EVICTABLE),
            "values.yaml:4",
            now,
        ),
        ("driver-may-be-evicted", unmarked(do_not_disrupt), "driver.yaml:6", now),
        (
            "driver-may-be-evicted",
            changed("driver.yaml", "evict: \"false\"", "evict: \"true\""),
            "driver.yaml:6",
            now,
        ),
        ("driver-not-marked", unmarked(safe), "driver.yaml:6", now),
        (
            "driver-on-spot",
            changed("cluster.yaml", "- {name: drivers,", "- {name: drivers, spot: true,"),
            "driver.yaml:9",
            now,
        ),
        (
            "spot-without-decommission",
            changed("spark-defaults.conf", "enabled true", "enabled false"),
            "spark-defaults.conf:3",
            now,
        ),
        ("grace-over-spot-notice", changed("executor.yaml", "110", "300"), "executor.yaml:9", now),
        (
            "dynamic-allocation-refused",
            conf("spark.executor.cores 4\n"),
            "spark-defaults.conf",
            ("1.33", "3.3"),
        ),
        (
            "shuffle-service-on-kubernetes",
            conf("spark.shuffle.service.enabled true\n"),
            "spark-defaults.conf:2",
            now,
        ),
        ("spreading-scheduler", spread, "scheduler.yaml:1", now),
        ("spreading-by-default", without("scheduler.yaml"), "values.yaml:1", now),
        (
            "no-priority-table",
            changed("values.yaml", "expanderPriorities", "other"),
            "values.yaml:3",
            now,
        ),
        (
            "priority-names-no-group",
            changed("values.yaml", ".*drivers.*", ".*gpu.*"),
            "values.yaml:1",
            now,
        ),
        ("overprovisioning-expendable", changed("pause.yaml", "-5", "-50"), "pause.yaml:4", now),
        (
            "api-removed",
            changed("pause.yaml", "scheduling.k8s.io/v1", "scheduling.k8s.io/v1beta1"),
            "pause.yaml:1",
            now,
        ),
        (
            "api-removed",
            with("psp.yaml", "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\n"),
            "psp.yaml:1",
            now,
        ),
        (
            "api-removed",
            with(
                "p.yaml",
                "apiVersion: karpenter.sh/v1alpha5\nkind: Provisioner\nmetadata: {name: p}\nspec: {}\n",
            ),
            "p.yaml:1",
            now,
        ),
        (
            "api-removed",
            changed("pool.yaml", "karpenter.sh/v1\n", "karpenter.sh/v1beta1\n"),
            "pool.yaml:1",
            now,
        ),
        (
            "api-deprecated",
            with("pdb.yaml", "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n"),
            "pdb.yaml:1",
            ("1.24", ""),
        ),
        (
            "karpenter-field-moved",
            changed("pool.yaml", "WhenEmptyOrUnderutilized", "WhenUnderutilized"),
            "pool.yaml:5",
            now,
        ),
        (
            "karpenter-field-moved",
            changed("pool.yaml", empty, "consolidateAfter: 5m, expireAfter: 720h"),
            "pool.yaml:5",
            now,
        ),
        (
            "label-renamed",
            changed(
                "executor.yaml",
                "    role: executor",
                "    beta.kubernetes.io/os: linux\n    role: executor",
            ),
            "executor.yaml:7",
            now,
        ),
        (
            "label-renamed",
            conf("spark.kubernetes.executor.node.selector.beta.kubernetes.io/arch amd64\n"),
            "spark-defaults.conf:2",
            now,
        ),
        (
            "spark-setting-deprecated",
            conf("spark.blacklist.enabled true\n"),
            "spark-defaults.conf:2",
            now,
        ),
        (
            "spark-setting-removed",
            conf("spark.ui.jettyStopTimeout 3s\n"),
            "spark-defaults.conf:2",
            ("1.33", "4.2"),
        ),
        (
            "ignored-by-spark",
            conf("spark.kubernetes.executor.terminationGracePeriodSeconds 60s\n"),
            "spark-defaults.conf:2",
            now,
        ),
        ("unknown-setting", conf("spark.executor.core 4\n"), "spark-defaults.conf:2", now),
        (
            "autoscaler-flag-unknown",
            changed("values.yaml", "scan-interval: 10s", "max-empty-bulk-delete: 5"),
            "values.yaml:5",
            now,
        ),
        (
            "scheduler-api-removed",
            changed("scheduler.yaml", "k8s.io/v1", "k8s.io/v1beta3"),
            "scheduler.yaml:1",
            now,
        ),
        (
            "scheduler-plugin-removed",
            changed("scheduler.yaml", "name: NodeResourcesFit,", "name: NodeLabel,"),
            "scheduler.yaml:5",
            now,
        ),
        ("scheduler-policy-removed", with("policy.yaml", POLICY), "policy.yaml:1", now),
        (
            "unknown-key",
            changed("executor.yaml", "tolerations:", "toleratons:"),
            "executor.yaml:8",
            now,
        ),
        (
            "set-twice",
            conf("spark.executor.cores 4\nspark.executor.cores 5\n"),
            "spark-defaults.conf:3",
            now,
        ),
        ("refused", conf("spark.executor.memoryOverhead 4Gi\n"), "spark-defaults.conf:2", now),
        ("refused", changed("executor.yaml", "128Mi", "4g"), "executor.yaml:13", now),
        (
            "text-expected",
            changed("executor.yaml", "team: data", "team: 12"),
            "executor.yaml:4",
            now,
        ),
        (
            "text-expected",
            changed("executor.yaml", "team: data", "team: on"),
            "executor.yaml:4",
            now,
        ),
        ("text-expected", changed("app.yaml", "\"true\"", "true"), "app.yaml:8", now),
        ("version-as-number", changed("cluster.yaml", "\"1.33\"", "1.33"), "cluster.yaml:4", now),
        ("version-as-number", changed("app.yaml", "\"3.5.3\"", "3.5"), "app.yaml:7", now),
        (
            "memory-in-millibytes",
            changed("executor.yaml", "128Mi", "512m"),
            "executor.yaml:13",
            now,
        ),
    ]
}

#[test]
fn every_rule_fires_where_it_should() {
    let mut wrong = Vec::new();
    for (rule, files, place, (kubernetes, spark)) in cases() {
        let findings = judged(&files, asked(kubernetes, spark));
        let at = |one: &LintFinding| match one.line {
            0 => one.file.clone(),
            line => format!("{}:{line}", one.file),
        };
        let found: Vec<String> =
            findings.iter().map(|one| format!("{} {}", one.rule.id, at(one))).collect();
        if !findings.iter().any(|one| one.rule.id == rule && at(one).starts_with(place)) {
            wrong.push(format!("{rule} at {place}: {found:#?}"));
        }
        for one in &findings {
            assert!(!one.what.is_empty() && !one.next.is_empty(), "{one:?}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let tried: BTreeSet<&str> = cases().iter().map(|(rule, ..)| *rule).collect();
    // Of a scenario: tested below.
    let missing: Vec<&str> = RULES
        .iter()
        .map(|rule| rule.id)
        .filter(|id| !tried.contains(id) && *id != "scenario")
        .collect();
    assert!(missing.is_empty(), "rules without a case: {missing:?}");
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
}

fn put(folder: &Path, files: &Files) {
    for (name, text) in files {
        write(&folder.join(name), text);
    }
}

#[test]
fn exit_codes_and_formats() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    put(path, &good());
    let said = fine(path, &["lint", "."]);
    assert!(said.contains("9 files, 0 errors, 0 warnings, 0 notes"), "{said}");
    assert!(said.contains("Kubernetes 1.33 (./cluster.yaml)"), "{said}");
    // Warnings are no errors, unless asked.
    write(&path.join("executor.yaml"), &EXECUTOR.replace("110", "300"));
    fine(path, &["lint", "."]);
    let strict = seatrial(path, &["lint", "--strict", "."]);
    assert_eq!(strict.status.code(), Some(3));
    // Errors, every one of them at once.
    write(
        &path.join("spark-defaults.conf"),
        &CONF.replace("8g", "900g").replace("cores 4", "cores x"),
    );
    write(&path.join("driver.yaml"), &DRIVER.replace("role: driver", "role: none"));
    let failed = seatrial(path, &["lint", ".", "-o", "json"]);
    assert_eq!(failed.status.code(), Some(3));
    let value: Value = serde_json::from_slice(&failed.stdout).unwrap();
    let rules: BTreeSet<&str> = value["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["rule"].as_str().unwrap())
        .collect();
    for rule in ["refused", "pod-fits-no-node", "no-node-has-the-label", "grace-over-spot-notice"] {
        assert!(rules.contains(rule), "{rules:?}");
    }
    let first = &value["findings"][0];
    for key in ["file", "severity", "rule", "what", "why", "next"] {
        assert!(first[key].is_string(), "{first}");
    }
    assert_eq!(value["targets"]["kubernetes"]["release"], "1.33");
    // The same bytes.
    let again = seatrial(path, &["lint", ".", "-o", "json"]);
    assert_eq!(failed.stdout, again.stdout);
    let csv = seatrial(path, &["lint", ".", "-o", "csv"]);
    assert!(csv.stdout.starts_with(b"file,line,column,severity,rule,what,why,next\n"));
    let rules = fine(path, &["lint", "--rules", "-o", "json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&rules).unwrap().as_array().unwrap().len(),
        RULES.len()
    );
}

#[test]
fn what_cannot_be_read_is_refused_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(&path.join("a.yaml"), "a: [\n");
    write(&path.join("b.yaml"), "");
    write(&path.join("c.yaml"), "hello: 1\n");
    let said = refused(path, &["lint", "a.yaml", "b.yaml", "c.yaml"]);
    for part in ["a.yaml: line", "b.yaml: an empty file", "c.yaml: nothing that is known"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    refused(path, &["lint", "none.yaml"]);
    refused(path, &["lint", "."]);
    refused(path, &["lint"]);
    refused(path, &["lint", "--kubernetes", "new", "a.yaml"]);
    // In a folder with something to judge they are named and left out.
    write(&path.join("driver.yaml"), DRIVER);
    let output = seatrial(path, &["lint", ".", "-o", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["skipped"].as_array().unwrap().len(), 3);
}

#[test]
fn hostile_names_reach_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let evil = "\\e[31mred\\u2028\\u202e";
    let groups = GROUPS.replace("{role: driver}", &format!("{{role: \"{evil}\"}}"));
    write(&path.join("\u{1b}[2Jcluster.yaml"), &groups.replace("m5.xlarge", "m5.x\u{1b}[31m"));
    write(
        &path.join("driver.yaml"),
        &DRIVER.replace("role: driver", &format!("role: \"x{evil}\"")),
    );
    write(&path.join("app.yaml"), &APPLICATION.replace("name: app", &format!("name: \"{evil}\"")));
    for format in ["table", "csv", "markdown", "json"] {
        let output = seatrial(path, &["lint", ".", "-o", format]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{2028}', '\u{202e}']) || format == "json", "{text:?}");
        assert!(!text.contains('\u{1b}'), "{format}: {text:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains('\u{1b}'), "{format}: {stderr:?}");
    }
}

#[test]
fn a_scenario_stands_for_the_files_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    put(path, &good());
    let scenario = r#"
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: s}
spec:
  kubernetesVersion: "1.22"
  region: us-west-2
  workload: {traces: [{jobTable: day.csv}]}
  spark:
    version: "3.3"
    defaults: spark-defaults.conf
    driverPodTemplate: driver.yaml
    executorPodTemplate: executor.yaml
  nodes: {eksctl: cluster.yaml}
  autoscaler: {clusterAutoscaler: {values: values.yaml}}
  retries: {preset: flotilla-2021}
"#;
    std::fs::remove_file(path.join("app.yaml")).unwrap();
    write(&path.join("s.yaml"), scenario);
    let lint = |arguments: &[&str]| {
        let output = seatrial(path, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let value: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {stderr}"));
        value
    };
    let value = lint(&["lint", "s.yaml", "-o", "json"]);
    assert_eq!(value["targets"]["kubernetes"]["release"], "1.22");
    assert_eq!(value["targets"]["spark"]["release"], "3.3");
    assert_eq!(value["judged"].as_array().unwrap().len(), 6, "{value:#}");
    // Spark 3.3 has no shuffle tracking by default; the file that says it is named.
    let refused = |value: &Value| {
        let findings = value["findings"].as_array().unwrap().clone();
        let mut of = findings.iter().filter(|one| one["rule"] == "dynamic-allocation-refused");
        (of.next().cloned(), of.count())
    };
    let (found, more) = refused(&value);
    assert_eq!(found.unwrap()["file"], "spark-defaults.conf");
    assert_eq!(more, 0);
    // The folder with the scenario in it judges no file twice.
    let (found, more) = refused(&lint(&["lint", ".", "-o", "json"]));
    assert_eq!((found.unwrap()["file"].as_str(), more), (Some("./spark-defaults.conf"), 0));
    // What the scenario's own checks find.
    let spot = GROUPS.replace("- {name: drivers,", "- {name: drivers, spot: true,");
    write(&path.join("cluster.yaml"), &spot);
    let value = lint(&["lint", "s.yaml", "-o", "json"]);
    let rules = value["findings"].to_string();
    assert!(rules.contains("\"scenario\"") && rules.contains("on-demand"), "{rules}");
    // One that does not load is bad input, with its problems.
    write(&path.join("s.yaml"), &scenario.replace("eksctl:", "ekstcl:"));
    let output = seatrial(path, &["lint", "s.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ekstcl"));
}

#[test]
fn what_emit_writes_has_no_errors() {
    let folder = folder();
    for (name, loaded) in scenarios_to_emit(folder.path()) {
        let target = folder.path().join(&name);
        emitted(&loaded, &target);
        let (given, _) = scenarios::import::gather(&[target], None).unwrap();
        let report = lint(given, Targets::default()).unwrap_or_else(|error| panic!("{error}"));
        let errors = report.findings.iter().filter(|one| one.rule.severity == Severity::Error);
        let mut errors: Vec<&LintFinding> = errors.collect();
        // What is truly wrong with two of them: the drivers' pool has lost the label that drivers
        // select; executors ask for GPUs, and no type of any pool has one.
        let wrong = match name.as_str() {
            "quickstart-4" => Some("no-node-has-the-label"),
            "rich" => Some("no-node-has-gpus"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            assert!(errors.iter().any(|one| one.rule.id == wrong), "{name}: {errors:#?}");
            errors.retain(|one| one.rule.id != wrong);
        }
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn the_document_has_every_rule_with_its_source() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint.md");
    let (start, end) = ("<!-- rules -->\n", "<!-- end of rules -->");
    let mut table = "| rule | is | why | source |\n|---|---|---|---|\n".to_owned();
    for rule in RULES {
        let is = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "note",
        };
        table.push_str(&format!("| `{}` | {is} | {} | {} |\n", rule.id, rule.why, rule.source));
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(start).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let wanted = format!("{before}{start}{table}{end}{after}");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    } else {
        assert_eq!(text, wanted, "UPDATE_EXPECT=1 cargo test --release rewrites it");
    }
}
