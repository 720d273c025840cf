//! Damaged files: whatever is cut out of, put into or swapped in a valid file, every reader ends
//! with a value and a list of problems, and every problem points into the file.

use sim::scenario::{ClusterAutoscaler, KubernetesVersion, SparkDefaults, SparkVersion};

use super::*;

const SPARK_DEFAULTS: &str = "spark.executor.memory 4g\nspark.executor.cores=4\n# c\n\
    spark.kubernetes.executor.node.selector.a b\\\n  c\nspark.dynamicAllocation.enabled: true\n\
    spark.dynamicAllocation.maxExecutors 9\nspark.memory.offHeap.size \\u0031g\n";

const POD: &str = "kind: Pod\nmetadata: {labels: {a: b}}\nspec:\n  nodeSelector: {a: b}\n  \
    tolerations: [{key: a, operator: Equal, value: b, effect: NoExecute}]\n  affinity:\n    \
    nodeAffinity:\n      requiredDuringSchedulingIgnoredDuringExecution:\n        \
    nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}]}]\n  \
    volumes: [{name: a, hostPath: {path: /b}}]\n  containers: [{resources: {limits: {cpu: 1}}}]\n";

const CLUSTER: &str = "kind: ClusterConfig\nmetadata: {name: a, region: b}\nmanagedNodeGroups:\n\
    - {name: a, spot: true, instanceTypes: [m5.large], minSize: 0, maxSize: 9}\nnodeGroups:\n\
    - {name: b, instancesDistribution: {instanceTypes: [m5.large]}, taints: \
    {a: \"b:NoSchedule\"}}\n";

const VALUES: &str = "extraArgs: {scan-interval: 1m, expander: 'least-waste,random', v: 4, \
    scale-down-utilization-threshold: 0.6, max-nodes-total: 4, nodes_1: a, nodes_2: b}\n\
    autoscalingGroups: [{name: a, minSize: 1, maxSize: 2}]\nimage: {tag: v1.30.1}\n";

const DEPLOYMENT: &str = "kind: Deployment\nspec: {template: {spec: {containers: [{name: \
    cluster-autoscaler, command: [./ca, --scan-interval=5s, --max-nodes-total, '7', -v, \
    '4']}]}}}\n";

const SCHEDULER: &str = "apiVersion: kubescheduler.config.k8s.io/v1\n\
    kind: KubeSchedulerConfiguration\nprofiles:\n- plugins: {score: {disabled: [{name: '*'}], \
    enabled: [{name: NodeResourcesFit, weight: 3}]}}\n  pluginConfig: [{name: NodeResourcesFit, \
    args: {scoringStrategy: {type: RequestedToCapacityRatio, requestedToCapacityRatio: {shape: \
    [{utilization: 0, score: 0}, {utilization: 100, score: 10}]}}}}]\n";

const POLICY: &str = "{\"kind\": \"Policy\", \"priorities\": \
    [{\"name\": \"MostRequestedPriority\", \
    \"weight\": 2}, {\"name\": \"EqualPriority\", \"weight\": 1}]}";

const APPLICATION: &str = "kind: SparkApplication\nspec:\n  type: Python\n  sparkVersion: 3.5.1\n  \
    driver: {cores: 1, memory: 1g}\n  executor: {instances: 2, template: {spec: {}}}\n  \
    sparkConf: {spark.task.cpus: 1}\n  dynamicAllocation: {enabled: true, maxExecutors: 4}\n  \
    restartPolicy: {type: OnFailure, onFailureRetries: 3}\n";

/// Small and repeatable; the draws need no quality.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// `text` with one to three damages.
fn damaged(text: &str, draw: &mut Draw) -> String {
    const PIECES: [&str; 20] = [
        "\n",
        " ",
        ":",
        "-1",
        "[",
        "]",
        "{",
        "}",
        "null",
        "\"",
        "99999999999999999999",
        "é",
        "&a ",
        "*a",
        "\t",
        "- ",
        "\\",
        "~",
        ".",
        "1e400",
    ];
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=draw.below(3) {
        let at = draw.below(chars.len().max(1));
        match draw.below(3) {
            0 => chars.truncate(at.max(1)),
            1 => {
                let end = (at + 1 + draw.below(12)).min(chars.len());
                chars.drain(at..end);
            }
            _ => {
                let piece = PIECES[draw.below(PIECES.len())];
                chars.splice(at..at, piece.chars());
            }
        }
        if chars.is_empty() {
            break;
        }
    }
    chars.into_iter().collect()
}

/// What is wrong with a text, by the reader under test.
type Check<'c> = &'c dyn Fn(&str) -> Vec<Problem>;

#[test]
fn damaged_files_never_panic_and_problems_point_into_them() {
    let version = KubernetesVersion { major: 1, minor: 30 };
    let release = SparkVersion { major: 3, minor: 5 };
    let flags = |read: NativeRead<cluster_autoscaler::AutoscalerFlags>| {
        let mut autoscaler = ClusterAutoscaler::default_of(version);
        let applied = read.value.apply(version, &mut autoscaler).0;
        read.problems.into_iter().chain(applied).collect()
    };
    let readers: [(&str, Check<'_>); 8] = [
        (SPARK_DEFAULTS, &|text| {
            let read = spark_defaults::read("f", text);
            let applied = read.value.apply(&mut SparkDefaults::default_of(release)).0;
            read.problems.into_iter().chain(applied).collect()
        }),
        (POD, &|text| pod_template::read("f", text, None).problems),
        (CLUSTER, &|text| eksctl::read("f", text).problems),
        (VALUES, &|text| flags(cluster_autoscaler::read_helm_values("f", text))),
        (DEPLOYMENT, &|text| flags(cluster_autoscaler::read_manifest("f", text))),
        (SCHEDULER, &|text| kube_scheduler::read("f", text, version).problems),
        (POLICY, &|text| legacy_policy::read("f", text, version).problems),
        (APPLICATION, &|text| {
            let read = spark_application::read("f", text);
            let mut problems = read.problems;
            for application in read.value {
                let mut spark = SparkDefaults::default_of(release);
                problems.extend(application.apply(&mut spark).0);
            }
            problems
        }),
    ];
    let mut draw = Draw(20_261_121);
    for (valid, check) in readers {
        assert_eq!(check(valid), [], "{valid}");
        let mut refused = 0;
        for _ in 0..500 {
            let text = damaged(valid, &mut draw);
            let problems = check(&text);
            let lines = text.lines().count() as u32 + 1;
            for problem in &problems {
                assert!(problem.line <= lines, "{problem} in {text:?}");
                assert!(problem.message.chars().count() < 1_000, "{problem}");
            }
            refused += usize::from(!problems.is_empty());
        }
        assert!(refused > 30, "only {refused} of 500 damaged texts were refused: {valid}");
    }
}
