//! Files that look wrong and are not.

use super::platform::{EVICTABLE, Files, both, changed, with};

/// What looks wrong and is not, or is not sure: rule, files, releases. The rule is silent.
#[allow(clippy::type_complexity, reason = "a table")]
pub(super) fn silent() -> Vec<(&'static str, Files, (&'static str, &'static str))> {
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
        // The catalogue does not have every family.
        (
            "unknown-instance-type",
            changed("cluster.yaml", unknown, "instanceTypes: [p3.2xlarge]"),
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
        (
            "dynamic-allocation-refused",
            conf("spark.executor.cores 4\nspark.master yarn\n"),
            ("1.33", "3.3"),
        ),
        ("pod-fits-no-node", conf("spark.executor.cores 16\nspark.master yarn-cluster\n"), now),
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
