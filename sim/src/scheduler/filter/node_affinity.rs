//! `NodeName`, `NodeAffinity`: what a pod says about nodes by name and label.
//!
//! Names are known only where a kind is one node (decision cases): in a simulation a pod that asks
//! for a node by name finds none. Source: upstream `nodeaffinity/node_affinity.go`,
//! `component-helpers/scheduling/corev1/nodeaffinity`.

use std::collections::BTreeSet;

use crate::cluster::{NodeKind, Placement};
use crate::scenario::{
    CapacityType, LabelOperator, LabelRequirement, NodeSelectorTerm, PodTemplate,
};

/// Whether `nodeSelector` and required node affinity let the pod onto nodes of the kind.
pub(in crate::scheduler) fn matches(placement: &Placement, kind: &NodeKind) -> bool {
    let template = &placement.template;
    if placement.on_demand_only && kind.capacity_type != CapacityType::OnDemand {
        return false;
    }
    let mut selector = template.node_selector.iter();
    selector.all(|(key, value)| kind.labels.get(key) == Some(value))
        && any_matches(&template.required_node_affinity, kind)
}

/// Whether one of the terms matches, or there are none.
pub(super) fn any_matches(terms: &[NodeSelectorTerm], kind: &NodeKind) -> bool {
    terms.is_empty() || terms.iter().any(|term| term_matches(term, kind))
}

/// Whether all requirements of the term hold; a term without any never matches, nor does one that
/// the API server would refuse.
pub(super) fn term_matches(term: &NodeSelectorTerm, kind: &NodeKind) -> bool {
    if term.match_expressions.is_empty() && term.match_fields.is_empty() {
        return false;
    }
    let name = kind.node_name.as_deref();
    term.match_expressions.iter().all(|r| r.is_valid() && r.matches(&kind.labels))
        && term.match_fields.iter().all(|field| field_matches(field, name))
}

/// The one field that there is, with one value.
fn field_matches(field: &LabelRequirement, name: Option<&str>) -> bool {
    let [value] = field.values.as_slice() else {
        return false;
    };
    let same = name == Some(value);
    field.key == "metadata.name"
        && match field.operator {
            LabelOperator::In => same,
            LabelOperator::NotIn => !same,
            _ => false,
        }
}

/// Nodes to which the terms' `metadata.name` fields narrow the search down (upstream's `PreFilter`):
/// `None` = all nodes; an empty set = the terms contradict themselves.
pub(crate) fn names(template: &PodTemplate) -> Option<BTreeSet<&str>> {
    let mut all = BTreeSet::new();
    for term in &template.required_node_affinity {
        let by_name = |field: &&LabelRequirement| {
            field.key == "metadata.name" && field.operator == LabelOperator::In
        };
        let mut fields = term.match_fields.iter().filter(by_name);
        let values = |field: &'_ LabelRequirement| -> BTreeSet<String> {
            field.values.iter().cloned().collect()
        };
        let first = fields.next()?;
        let rest: Vec<BTreeSet<String>> = fields.map(values).collect();
        let in_all = |value: &&String| rest.iter().all(|set| set.contains(*value));
        all.extend(first.values.iter().filter(in_all).map(String::as_str));
    }
    (!template.required_node_affinity.is_empty()).then_some(all)
}
