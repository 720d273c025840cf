//! Karpenter with every value explicit: its objects in place, and the types that it chooses from.

use serde_json::{Map, Value, json};
use sim::scenario::{InstanceType, Scenario};

use super::instance_types;

pub(in crate::file) use crate::file::karpenter::Read as Karpenter;

/// Puts it into `spec`, and takes its groups out of the pools.
pub(super) fn put(spec: &mut Value, scenario: &Scenario, read: &Karpenter) {
    if let Some(pools) = spec["nodes"]["pools"].as_array_mut() {
        pools.truncate(read.others);
    }
    let others = scenario.pools.iter().take(read.others).flat_map(|pool| &pool.instance_types);
    let all = others.chain(&read.types);
    spec["instanceTypes"] = instance_types(all);
    let given = &read.karpenter;
    let word = |is: bool, yes: &'static str, no: &'static str| if is { yes } else { no };
    let names: Vec<&str> = read.types.iter().map(|t: &InstanceType| t.name.as_str()).collect();
    let drifts = given.node_pools.iter().filter(|pool| !pool.drift_at.is_empty());
    let drifts: Map<String, Value> = drifts
        .map(|pool| {
            let at: Vec<String> = pool.drift_at.iter().map(ToString::to_string).collect();
            (pool.name.clone(), json!({ "driftAt": at }))
        })
        .collect();
    spec["autoscaler"] = json!({ "karpenter": {
        "manifests": read.documents,
        "settings": {
            "batchIdleDuration": given.batch_idle_duration.to_string(),
            "batchMaxDuration": given.batch_max_duration.to_string(),
            "vmMemoryOverheadPercent": given.vm_memory_overhead,
            "preferencePolicy": word(given.ignore_preferences, "Ignore", "Respect"),
            "minValuesPolicy": word(given.min_values_best_effort, "BestEffort", "Strict"),
            "featureGates": { "spotToSpotConsolidation": given.spot_to_spot_consolidation },
        },
        "zones": read.zones,
        "instanceTypes": names,
    }});
    if !drifts.is_empty() {
        spec["autoscaler"]["karpenter"]["nodePools"] = Value::Object(drifts);
    }
}
