//! A pod template in place, as Kubernetes writes it.

use serde_json::{Map, Value, json};
use sim::scenario::{NodeSelectorTerm, PodTemplate, Toleration};

use super::effect_name;

pub(super) fn value(template: &PodTemplate) -> Value {
    let mut metadata = Map::new();
    if !template.labels.is_empty() {
        metadata.insert("labels".into(), json!(template.labels));
    }
    if !template.annotations.is_empty() {
        metadata.insert("annotations".into(), json!(template.annotations));
    }
    let mut spec = Map::new();
    if !template.node_selector.is_empty() {
        spec.insert("nodeSelector".into(), json!(template.node_selector));
    }
    if let Some(affinity) = node_affinity(template) {
        spec.insert("affinity".into(), json!({ "nodeAffinity": affinity }));
    }
    if !template.tolerations.is_empty() {
        let tolerations: Vec<Value> = template.tolerations.iter().map(toleration).collect();
        spec.insert("tolerations".into(), json!(tolerations));
    }
    spec.insert("priority".into(), json!(template.priority));
    if let Some(name) = &template.scheduler_name {
        spec.insert("schedulerName".into(), json!(name));
    }
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec })
}

fn node_affinity(template: &PodTemplate) -> Option<Value> {
    let mut out = Map::new();
    if !template.required_node_affinity.is_empty() {
        let terms: Vec<Value> = template.required_node_affinity.iter().map(term).collect();
        let required = json!({ "nodeSelectorTerms": terms });
        out.insert("requiredDuringSchedulingIgnoredDuringExecution".into(), required);
    }
    if !template.preferred_node_affinity.is_empty() {
        let terms: Vec<Value> = template
            .preferred_node_affinity
            .iter()
            .map(|preferred| {
                json!({ "weight": preferred.weight, "preference": term(&preferred.term) })
            })
            .collect();
        out.insert("preferredDuringSchedulingIgnoredDuringExecution".into(), json!(terms));
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

fn term(term: &NodeSelectorTerm) -> Value {
    let expressions: Vec<Value> = term
        .match_expressions
        .iter()
        .map(|requirement| {
            let (key, operator) = (&requirement.key, &requirement.operator);
            let mut out = json!({ "key": key, "operator": operator });
            if !requirement.values.is_empty() {
                out["values"] = json!(requirement.values);
            }
            out
        })
        .collect();
    json!({ "matchExpressions": expressions })
}

fn toleration(toleration: &Toleration) -> Value {
    let mut out = json!({ "operator": toleration.operator });
    if !toleration.key.is_empty() {
        out["key"] = json!(toleration.key);
    }
    if !toleration.value.is_empty() {
        out["value"] = json!(toleration.value);
    }
    if let Some(effect) = toleration.effect {
        out["effect"] = json!(effect_name(effect));
    }
    out
}
