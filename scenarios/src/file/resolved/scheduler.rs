//! The scheduler's profile in place, with every argument.

use serde_json::{Map, Value, json};
use sim::scenario::{SchedulerProfile, ScoreSpec, SpreadDefaults};

use crate::native::pod_template::write::{node_affinity, spread};

pub(super) fn value(profile: &SchedulerProfile) -> Value {
    let scores: Vec<Value> =
        profile.scores.iter().map(|(spec, weight)| score(spec, *weight)).collect();
    let pods = &profile.inter_pod_affinity;
    let mut out = json!({
        "schedulerName": profile.name,
        "scores": scores,
        "hardPodAffinityWeight": pods.hard_pod_affinity_weight,
        "ignorePreferredTermsOfExistingPods": pods.ignore_preferred_terms_of_existing_pods,
        "percentageOfNodesToScore": profile.percentage_of_nodes_to_score.unwrap_or(0),
        "podInitialBackoff": profile.pod_initial_backoff.to_string(),
        "podMaxBackoff": profile.pod_max_backoff.to_string(),
    });
    for (key, names) in [
        ("filtersDisabled", &profile.filters_disabled),
        ("ignoredResources", &profile.ignored_resources),
        ("ignoredResourceGroups", &profile.ignored_resource_groups),
    ] {
        if !names.is_empty() {
            out[key] = json!(names);
        }
    }
    let added = &profile.added_affinity;
    let added = node_affinity(&added.required, &added.preferred);
    if !added.is_empty() {
        out["addedAffinity"] = Value::Object(added);
    }
    if let SpreadDefaults::List(constraints) = &profile.spread_defaults {
        let constraints: Vec<Value> = constraints.iter().map(spread).collect();
        out["defaultConstraints"] = json!(constraints);
    }
    out
}

fn score(spec: &ScoreSpec, weight: i64) -> Value {
    let mut out = Map::new();
    out.insert("plugin".into(), json!(spec.plugin()));
    out.insert("weight".into(), json!(weight));
    let (strategy, resources) = match spec {
        ScoreSpec::LeastAllocated { resources } => ("LeastAllocated", resources),
        ScoreSpec::MostAllocated { resources } => ("MostAllocated", resources),
        ScoreSpec::RequestedToCapacityRatio { resources, shape } => {
            let point = |utilization, score| json!({ "utilization": utilization, "score": score });
            let shape: Vec<Value> =
                shape.iter().map(|at| point(at.utilization, at.score)).collect();
            out.insert("shape".into(), json!(shape));
            ("RequestedToCapacityRatio", resources)
        }
        ScoreSpec::BalancedAllocation { resources } => {
            let resources: Vec<Value> =
                resources.iter().map(|name| json!({ "name": name })).collect();
            out.insert("resources".into(), json!(resources));
            return Value::Object(out);
        }
        _ => return Value::Object(out),
    };
    let resources: Vec<Value> =
        resources.iter().map(|(name, weight)| json!({ "name": name, "weight": weight })).collect();
    out.insert("strategy".into(), json!(strategy));
    out.insert("resources".into(), json!(resources));
    Value::Object(out)
}

#[cfg(test)]
mod tests;
