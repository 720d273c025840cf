//! A scenario's node pools as a `ClusterConfig` of managed node groups.
//!
//! Left out, each said as a finding: allocation strategies and the annotation against scale-down,
//! which managed groups do not take; access, networking, add-ons, which a scenario does not know.
//!
//! Source: as of the reader beside it; tags for scale-ups from zero: eksctl's `propagateASGTags`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sim::scenario::{AllocationStrategy, CapacityType, NodePool, Scenario, Taint};
use sim::units::Bytes;
use sim::{Finding, Severity};

use super::provider_labels;
use crate::native::pod_template::effect_name;

/// A cluster called `cluster` with a managed group for each pool.
pub fn cluster(scenario: &Scenario, cluster: &str, notes: &mut Vec<Finding>) -> Value {
    let zones: BTreeSet<&String> = scenario.node_groups().flat_map(|pool| &pool.zones).collect();
    let grown = scenario.cluster_autoscaler().is_some();
    let groups: Vec<Value> =
        scenario.node_groups().map(|pool| group(pool, &scenario.region, grown)).collect();
    for pool in scenario.node_groups() {
        left_out(pool, &scenario.region, notes);
    }
    let mut out = json!({
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {
            "name": cluster,
            "region": scenario.region,
            "version": scenario.kubernetes.to_string(),
        },
    });
    // A control plane needs two zones; what eksctl takes for it is its own to say below that.
    if zones.len() > 1 {
        out["availabilityZones"] = json!(zones);
    }
    if !groups.is_empty() {
        out["managedNodeGroups"] = json!(groups);
    }
    out
}

fn group(pool: &NodePool, region: &str, grown: bool) -> Value {
    let types: Vec<&str> = pool.instance_types.iter().map(|found| found.name.as_str()).collect();
    let mut out = json!({
        "name": pool.name,
        "instanceTypes": types,
        "spot": pool.capacity_type == CapacityType::Spot,
        "minSize": pool.min_size,
        "desiredCapacity": pool.desired_size,
        "maxSize": pool.max_size,
        "volumeSize": volume_gib(pool.volume),
        "availabilityZones": pool.zones,
    });
    if let Some(pods) = pool.max_pods {
        out["maxPodsPerNode"] = json!(pods);
    }
    let labels = own_labels(pool, region);
    if !labels.is_empty() {
        out["labels"] = json!(labels);
    }
    if !pool.taints.is_empty() {
        out["taints"] = pool.taints.iter().map(taint).collect();
    }
    if grown {
        // The autoscaler may grow the group, and knows its labels and taints while it is empty.
        out["propagateASGTags"] = json!(true);
        out["iam"] = json!({ "withAddonPolicies": { "autoScaler": true } });
    }
    out
}

fn taint(taint: &Taint) -> Value {
    json!({ "key": taint.key, "value": taint.value, "effect": effect_name(taint.effect) })
}

/// Whole GiB, as volumes come.
pub(crate) fn volume_gib(volume: Bytes) -> u64 {
    volume.as_u64().div_ceil(1 << 30)
}

/// Labels besides those that the provider puts on every node.
pub(crate) fn own_labels(pool: &NodePool, region: &str) -> BTreeMap<String, String> {
    let first = pool.instance_types.first();
    let provided =
        first.map(|first| provider_labels(&pool.name, pool.capacity_type, first, Some(region)));
    let provided = provided.unwrap_or_default();
    let own = pool.labels.iter().filter(|(key, value)| provided.get(*key) != Some(value));
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// What a scenario has to say besides the file, so that it reads back: `spec.nodes.overrides`.
pub fn overrides(scenario: &Scenario) -> Map<String, Value> {
    let mut out = Map::new();
    for pool in scenario.node_groups() {
        let mut change = Map::new();
        if pool.allocation_strategy != AllocationStrategy::default() {
            change.insert("allocationStrategy".into(), json!(pool.allocation_strategy.name()));
        }
        if pool.scale_down_disabled {
            change.insert("scaleDownDisabled".into(), json!(true));
        }
        if Bytes::gib(volume_gib(pool.volume)) != pool.volume {
            change.insert("volumeSize".into(), json!(pool.volume.to_string()));
        }
        if !change.is_empty() {
            out.insert(pool.name.clone(), Value::Object(change));
        }
    }
    out
}

/// Says what of a pool a managed group cannot have.
fn left_out(pool: &NodePool, region: &str, notes: &mut Vec<Finding>) {
    let mut note = |message: String| {
        let subject = format!("spec.nodes.pools.{}", pool.name);
        notes.push(Finding::new(Severity::Warning, "not-emitted", subject, message));
    };
    if pool.allocation_strategy != AllocationStrategy::default() {
        note(format!(
            "managed node groups take no allocation strategy: EKS' own holds, not {}",
            pool.allocation_strategy.name()
        ));
    }
    if pool.scale_down_disabled {
        note(
            "eksctl cannot annotate nodes: put \
             cluster-autoscaler.kubernetes.io/scale-down-disabled on them yourself"
                .to_owned(),
        );
    }
    if Bytes::gib(volume_gib(pool.volume)) != pool.volume {
        let whole = volume_gib(pool.volume);
        note(format!("volumes come in whole GiB: {whole} instead of {}", pool.volume));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if pool.name.len() > 63 || !pool.name.chars().all(plain) {
        note("eksctl takes letters, digits and -_. in a group's name, 63 at most".to_owned());
    }
    for key in own_labels(pool, region).keys() {
        let domain = key.split_once('/').map_or("", |(domain, _)| domain);
        let kubelets = ["kubelet.kubernetes.io", "node.kubernetes.io"].contains(&domain);
        if !kubelets && (domain.ends_with("kubernetes.io") || domain.ends_with("k8s.io")) {
            note(format!("kubelets may not label themselves `{key}`: eksctl refuses it"));
        }
    }
}
