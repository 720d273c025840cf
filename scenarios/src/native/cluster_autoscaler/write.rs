//! The autoscaler as it is deployed: its flags by the release's names, the values of its Helm
//! chart, and the table of the `priority` expander. What the release has no flag for has its
//! default, which needs none.
//!
//! Source: kubernetes/autoscaler `charts/cluster-autoscaler`: `deployment.yaml` prints the value of
//! a flag as Go does, so that a large number or a list has to be a text, and drops what follows an
//! underscore in its name; `priority-expander-configmap.yaml` for the table's name and key.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sim::scenario::{ClusterAutoscaler, KubernetesVersion, ResourceLimit};

use super::flag_exists;
use crate::native::yaml_text;

/// `extraArgs`.
pub(crate) fn flags(ca: &ClusterAutoscaler, version: KubernetesVersion) -> Value {
    let expander: Vec<&str> = ca.expander.iter().map(|expander| expander.name()).collect();
    let limit = |limit: &ResourceLimit| json!(format!("{}:{}", limit.min, limit.max));
    let mut flags: Vec<(&str, Value)> = vec![
        ("scan-interval", json!(ca.scan_interval.to_string())),
        ("scale-down-enabled", json!(ca.scale_down_enabled)),
        ("scale-down-unneeded-time", json!(ca.scale_down_unneeded_time.to_string())),
        ("scale-down-delay-after-add", json!(ca.scale_down_delay_after_add.to_string())),
        ("scale-down-delay-after-delete", json!(ca.scale_down_delay_after_delete.to_string())),
        ("scale-down-delay-type-local", json!(ca.scale_down_delay_type_local)),
        ("scale-down-utilization-threshold", json!(ca.scale_down_utilization_threshold)),
        ("scale-down-gpu-utilization-threshold", json!(ca.scale_down_gpu_utilization_threshold)),
        ("max-drain-parallelism", json!(ca.max_drain_parallelism)),
        ("node-delete-delay-after-taint", json!(ca.node_delete_delay_after_taint.to_string())),
        ("ignore-daemonsets-utilization", json!(ca.ignore_daemonsets_utilization)),
        ("skip-nodes-with-local-storage", json!(ca.skip_nodes_with_local_storage)),
        (
            "skip-nodes-with-custom-controller-pods",
            json!(ca.skip_nodes_with_custom_controller_pods),
        ),
        ("max-node-provision-time", json!(ca.max_node_provision_time.to_string())),
        ("max-nodes-total", json!(ca.max_nodes_total.unwrap_or(0))),
        ("cores-total", limit(&ca.cores_total)),
        ("memory-total", limit(&ca.memory_total)),
        ("max-nodes-per-scaleup", json!(ca.max_nodes_per_scaleup)),
        ("new-pod-scale-up-delay", json!(ca.new_pod_scale_up_delay.to_string())),
        ("scale-up-from-zero", json!(ca.scale_up_from_zero)),
        ("enforce-node-group-min-size", json!(ca.enforce_node_group_min_size)),
        ("salvo-scale-up", json!(ca.salvo_scale_up)),
        ("balance-similar-node-groups", json!(ca.balance_similar_node_groups)),
        ("memory-difference-ratio", json!(ca.memory_difference_ratio)),
        ("max-allocatable-difference-ratio", json!(ca.max_allocatable_difference_ratio)),
        ("max-free-difference-ratio", json!(ca.max_free_difference_ratio)),
        (
            "initial-node-group-backoff-duration",
            json!(ca.initial_node_group_backoff_duration.to_string()),
        ),
        ("max-node-group-backoff-duration", json!(ca.max_node_group_backoff_duration.to_string())),
        (
            "node-group-backoff-reset-timeout",
            json!(ca.node_group_backoff_reset_timeout.to_string()),
        ),
        ("expander", json!(expander.join(","))),
        ("expendable-pods-priority-cutoff", json!(ca.expendable_pods_priority_cutoff)),
        ("max-scale-down-parallelism", json!(ca.max_scale_down_parallelism)),
        ("max-empty-bulk-delete", json!(ca.max_scale_down_parallelism)),
    ];
    if let Some(gpus) = &ca.gpu_total {
        flags.push(("gpu-total", json!(format!("nvidia.com/gpu:{}:{}", gpus.min, gpus.max))));
    }
    for (flag, labels) in [
        ("balancing-ignore-label", &ca.balancing_ignore_labels),
        ("balancing-label", &ca.balancing_labels),
    ] {
        if !labels.is_empty() {
            flags.push((flag, json!(labels)));
        }
    }
    flags.retain(|(flag, _)| flag_exists(flag, version));
    if flags.iter().any(|(flag, _)| *flag == "max-scale-down-parallelism") {
        flags.retain(|(flag, _)| *flag != "max-empty-bulk-delete");
    }
    json!(flags.into_iter().collect::<BTreeMap<_, _>>())
}

/// Values of the Helm chart for the cluster `cluster`.
pub fn helm_values(
    ca: &ClusterAutoscaler,
    version: KubernetesVersion,
    region: &str,
    cluster: &str,
) -> Value {
    let mut args = Map::new();
    let flags = flags(ca, version);
    for (flag, value) in flags.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    args.insert(format!("{flag}_{}", place + 1), text(item));
                }
            }
            _ => {
                args.insert(flag.clone(), text(value));
            }
        }
    }
    json!({
        "cloudProvider": "aws",
        "awsRegion": region,
        "autoDiscovery": { "clusterName": cluster },
        "image": { "tag": format!("v{version}.0") },
        "extraArgs": args,
    })
}

fn text(value: &Value) -> Value {
    json!(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// The `priority` expander's table as the autoscaler looks for it; `None` where there is none.
pub fn priorities_config_map(ca: &ClusterAutoscaler) -> Option<Value> {
    let table = priorities(ca)?;
    // The keys of the table are numbers in the autoscaler's eyes.
    let mut rows = String::new();
    for (priority, patterns) in table.as_object()?.iter().rev() {
        let patterns = yaml_text(std::slice::from_ref(patterns));
        let lines = patterns.lines().map(|line| format!("  {line}\n"));
        rows.push_str(&format!("{priority}:\n{}", lines.collect::<String>()));
    }
    Some(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "cluster-autoscaler-priority-expander", "namespace": "kube-system" },
        "data": { "priorities": rows },
    }))
}

/// The `priority` expander's table; `None` where there is none.
pub fn priorities(ca: &ClusterAutoscaler) -> Option<Value> {
    let row = |(priority, patterns): &(i32, Vec<sim::scenario::GroupPattern>)| {
        let patterns: Vec<&str> = patterns.iter().map(|pattern| pattern.as_str()).collect();
        (priority.to_string(), json!(patterns))
    };
    let table: BTreeMap<String, Value> = ca.priorities.iter().map(row).collect();
    (!table.is_empty()).then(|| json!(table))
}
