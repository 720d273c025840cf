//! Which files each rule is about, and where it says so.

use super::platform::{EVICTABLE, Files, POLICY, both, changed, with, without};

/// Rule, what makes it fire, where, at which releases.
#[allow(clippy::type_complexity, reason = "a table")]
pub(super) fn cases() -> Vec<(&'static str, Files, &'static str, (&'static str, &'static str))> {
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
