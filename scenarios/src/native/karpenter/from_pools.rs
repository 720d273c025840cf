//! A scenario's node pools as Karpenter's: a `NodePool` and an `EC2NodeClass` for each.
//!
//! A pool's types, zones, capacity type, labels and taints become requirements and template; its
//! largest size becomes a limit on CPU; what Cluster Autoscaler calls unneeded time becomes
//! `consolidateAfter` of `WhenEmpty`, because it does not drain nodes with Spark pods either; ranks
//! of the `priority` expander become weights. Left out, each said as a finding: smallest sizes,
//! allocation strategies, labels that Karpenter does not let a pool set. Taken for granted: the role
//! and the discovery tags of Karpenter's own getting-started guide, Amazon Linux 2023, gp3 volumes.
//!
//! Source: the CRDs of v1 (nodepools, ec2nodeclasses); facts-kubernetes 3; restricted label domains
//! as of karpenter.sh's "Scheduling" page.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sim::scenario::{AllocationStrategy, CapacityType, NodePool, Scenario, Taint};
use sim::{Finding, Severity};

use crate::native::eksctl::write::{own_labels, volume_gib};
use crate::native::pod_template::effect_name;

/// A `NodePool` and an `EC2NodeClass` for each pool of a scenario in the cluster `cluster`.
pub fn documents(scenario: &Scenario, cluster: &str, notes: &mut Vec<Finding>) -> Vec<Value> {
    let pools = scenario.pools.iter();
    pools
        .flat_map(|pool| {
            said(pool, &scenario.region, notes);
            [node_pool(scenario, pool), node_class(pool, cluster)]
        })
        .collect()
}

fn node_pool(scenario: &Scenario, pool: &NodePool) -> Value {
    let mut metadata = Map::new();
    let mut labels: Map<String, Value> = own_labels(pool, &scenario.region)
        .into_iter()
        .filter(|(key, _)| may_be_set(key))
        .map(|(key, value)| (key, value.into()))
        .collect();
    // What EKS gives nodes of managed groups, and Karpenter does not: pods go on selecting it.
    labels.insert("eks.amazonaws.com/capacityType".into(), pool.capacity_type.eks_label().into());
    metadata.insert("labels".into(), Value::Object(labels));
    if pool.scale_down_disabled {
        metadata.insert("annotations".into(), json!({"karpenter.sh/do-not-disrupt": "true"}));
    }
    let mut spec = json!({
        "requirements": requirements(pool),
        "nodeClassRef": {
            "group": "karpenter.k8s.aws",
            "kind": "EC2NodeClass",
            "name": name(&pool.name),
        },
        "expireAfter": "Never",
    });
    if !pool.taints.is_empty() {
        spec["taints"] = pool.taints.iter().map(taint).collect();
    }
    let template = json!({"metadata": metadata, "spec": spec});
    let after = scenario.cluster_autoscaler().map_or_else(
        || "Never".to_owned(),
        |ca| seconds(ca.scale_down_unneeded_time.as_secs_f64()),
    );
    let vcpu = pool.instance_types.iter().map(|kind| kind.vcpu).max().unwrap_or(0);
    let mut out = json!({
        "template": template,
        "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": after},
        "limits": {"cpu": (u64::from(vcpu) * u64::from(pool.max_size)).to_string()},
    });
    if let Some(weight) = weight(scenario, &pool.name) {
        out["weight"] = json!(weight);
    }
    json!({
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": name(&pool.name)},
        "spec": out,
    })
}

/// Its CRD takes no empty value.
fn taint(taint: &Taint) -> Value {
    let mut out = json!({"key": taint.key, "effect": effect_name(taint.effect)});
    if !taint.value.is_empty() {
        out["value"] = json!(taint.value);
    }
    out
}

/// Karpenter takes whole seconds and no zero units.
fn seconds(seconds: f64) -> String {
    format!("{}s", seconds.round() as u64)
}

fn requirements(pool: &NodePool) -> Value {
    let capacity = match pool.capacity_type {
        CapacityType::Spot => "spot",
        CapacityType::OnDemand => "on-demand",
    };
    let types: Vec<&str> = pool.instance_types.iter().map(|kind| kind.name.as_str()).collect();
    let arches: BTreeSet<&str> =
        pool.instance_types.iter().map(|kind| kind.arch.as_str()).collect();
    let within = |key: &str, values: Value| json!({"key": key, "operator": "In", "values": values});
    let mut out = vec![
        within("karpenter.sh/capacity-type", json!([capacity])),
        within("kubernetes.io/arch", json!(arches)),
        within("kubernetes.io/os", json!(["linux"])),
        within("node.kubernetes.io/instance-type", json!(types)),
    ];
    if !pool.zones.is_empty() {
        out.push(within("topology.kubernetes.io/zone", json!(pool.zones)));
    }
    Value::Array(out)
}

fn node_class(pool: &NodePool, cluster: &str) -> Value {
    let discovery = json!([{"tags": {"karpenter.sh/discovery": cluster}}]);
    let mut spec = json!({
        "role": format!("KarpenterNodeRole-{cluster}"),
        "amiSelectorTerms": [{"alias": "al2023@latest"}],
        "subnetSelectorTerms": discovery,
        "securityGroupSelectorTerms": discovery,
        "blockDeviceMappings": [{
            "deviceName": "/dev/xvda",
            "rootVolume": true,
            "ebs": {
                "volumeSize": format!("{}Gi", volume_gib(pool.volume)),
                "volumeType": "gp3",
                "encrypted": true,
                "deleteOnTermination": true,
            },
        }],
    });
    if let Some(pods) = pool.max_pods {
        spec["kubelet"] = json!({"maxPods": pods});
    }
    json!({
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": name(&pool.name)},
        "spec": spec,
    })
}

/// The pool's rank in the `priority` expander's table: 1 for the lowest one of it.
fn weight(scenario: &Scenario, pool: &str) -> Option<u32> {
    let table = &scenario.cluster_autoscaler()?.priorities;
    let matching = table.iter().filter(|(_, patterns)| patterns.iter().any(|p| p.matches(pool)));
    let own = matching.map(|(priority, _)| *priority).max()?;
    let ranks: BTreeSet<i32> = table.iter().map(|(priority, _)| *priority).collect();
    let rank = ranks.iter().position(|priority| *priority == own)?;
    // Weights go from 1 to 100.
    Some(u32::try_from(rank + 1).unwrap_or(100).min(100))
}

/// Names of objects: lower case, digits and hyphens, at most 63.
fn name(pool: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = pool.chars().map(plain).take(63).collect();
    let text = text.trim_matches('-');
    if text.is_empty() { "pool".to_owned() } else { text.to_owned() }
}

/// Karpenter refuses labels of its own and of Kubernetes' domains in a template.
fn may_be_set(label: &str) -> bool {
    const RESTRICTED: [&str; 4] = ["kubernetes.io", "k8s.io", "karpenter.sh", "karpenter.k8s.aws"];
    let Some((domain, _)) = label.split_once('/') else { return true };
    let below = |of: &str| {
        domain.strip_suffix(of).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    domain == "node-restriction.kubernetes.io" || !RESTRICTED.into_iter().any(below)
}

/// Says what a `NodePool` cannot have.
fn said(pool: &NodePool, region: &str, notes: &mut Vec<Finding>) {
    let mut note = |message: String| {
        let subject = format!("spec.nodes.pools.{}", pool.name);
        notes.push(Finding::new(Severity::Warning, "not-emitted", subject, message));
    };
    if pool.min_size > 0 {
        note(format!(
            "a NodePool has no smallest size: its {} nodes go when they are empty; keep them as a \
             managed node group, or keep them busy with pause pods",
            pool.min_size
        ));
    }
    if pool.allocation_strategy != AllocationStrategy::default() {
        note(format!(
            "Karpenter launches by price and capacity on spot and by price on demand, not {}",
            pool.allocation_strategy.name()
        ));
    }
    for key in own_labels(pool, region).keys().filter(|key| !may_be_set(key)) {
        note(format!("Karpenter lets no NodePool set the label `{key}`: pods cannot select it"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_those_that_karpenter_takes() {
        assert_eq!(name("Spot_Executors.1"), "spot-executors-1");
        assert_eq!(name("--"), "pool");
        assert_eq!(name(&"x".repeat(80)).len(), 63);
        for (label, may) in [
            ("team", true),
            ("example.com/team", true),
            ("node-restriction.kubernetes.io/team", true),
            ("kubernetes.io/team", false),
            ("x.k8s.io/team", false),
            ("notkubernetes.io/team", true),
            ("karpenter.sh/x", false),
        ] {
            assert_eq!(may_be_set(label), may, "{label}");
        }
        assert_eq!(seconds(300.0), "300s");
    }
}
