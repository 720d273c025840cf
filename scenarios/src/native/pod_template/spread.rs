//! `topologySpreadConstraints`, of pods and of a scheduler's profile, with the checks of the API
//! server and of kube-scheduler.
//!
//! Source: k8s.io/kubernetes `validation.validateTopologySpreadConstraints` and
//! `pkg/scheduler/apis/config/validation` (`ValidatePodTopologySpreadArgs`).

use sim::scenario::{
    LabelSelector, NodeInclusionPolicy, TopologySpreadConstraint, WhenUnsatisfiable,
};

use super::super::keys::Reader;
use super::selectors::{label_keys, label_selector};
use crate::walk::At;

const CONSTRAINT: [&str; 8] = [
    "labelSelector",
    "matchLabelKeys",
    "maxSkew",
    "minDomains",
    "nodeAffinityPolicy",
    "nodeTaintsPolicy",
    "topologyKey",
    "whenUnsatisfiable",
];

const WHEN: [(&str, WhenUnsatisfiable); 2] = [
    ("DoNotSchedule", WhenUnsatisfiable::DoNotSchedule),
    ("ScheduleAnyway", WhenUnsatisfiable::ScheduleAnyway),
];

const POLICIES: [(&str, NodeInclusionPolicy); 2] =
    [("Honor", NodeInclusionPolicy::Honor), ("Ignore", NodeInclusionPolicy::Ignore)];

/// Reads a pod's list.
pub(super) fn read<'a>(reader: &Reader<'a>, at: &At<'a>) -> Vec<TopologySpreadConstraint> {
    let mut constraints: Vec<TopologySpreadConstraint> = Vec::new();
    for item in at.list().unwrap_or_default() {
        let Some(constraint) = constraint(reader, &item) else {
            continue;
        };
        let same = |other: &TopologySpreadConstraint| {
            other.topology_key == constraint.topology_key
                && other.when_unsatisfiable == constraint.when_unsatisfiable
        };
        if constraints.iter().any(same) {
            let key = &constraint.topology_key;
            item.problem(format!(
                "a second constraint on `{key}` with the same `whenUnsatisfiable`"
            ));
            continue;
        }
        constraints.push(constraint);
    }
    constraints
}

/// Reads the default constraints of a scheduler's profile, which select the pods of a workload by
/// themselves and so take no selector.
pub(in crate::native) fn default_constraints<'a>(
    reader: &Reader<'a>,
    at: &At<'a>,
) -> Vec<TopologySpreadConstraint> {
    for item in at.list().unwrap_or_default() {
        if item.node.get("labelSelector").is_some_and(|node| !node.is_null()) {
            item.problem("a default constraint takes no `labelSelector`");
        }
    }
    read(reader, at)
}

fn constraint<'a>(reader: &Reader<'a>, at: &At<'a>) -> Option<TopologySpreadConstraint> {
    let fields = reader.fields(at, &CONSTRAINT, &[])?;
    let most = i64::from(i32::MAX);
    let positive = |at: At<'a>| at.int(1..=most).and_then(|number| u32::try_from(number).ok());
    let max_skew = fields.require("maxSkew").and_then(positive);
    let topology_key = fields.require("topologyKey").and_then(|at| at.name());
    let when_unsatisfiable = fields.require("whenUnsatisfiable").and_then(|at| at.one_of(&WHEN));
    let min_domains = fields.get("minDomains").and_then(positive);
    if let Some(at) = fields.get("minDomains")
        && when_unsatisfiable == Some(WhenUnsatisfiable::ScheduleAnyway)
    {
        at.problem("`minDomains` is for `whenUnsatisfiable: DoNotSchedule` only");
    }
    let policy = |key: &str, default: NodeInclusionPolicy| {
        fields.get(key).and_then(|at| at.one_of(&POLICIES)).unwrap_or(default)
    };
    let selector = fields.get("labelSelector").and_then(|at| label_selector(reader, &at));
    let match_label_keys = label_keys(fields.get("matchLabelKeys"), selector.as_ref());
    selected_twice(at, selector.as_ref(), &match_label_keys);
    Some(TopologySpreadConstraint {
        max_skew: max_skew?,
        topology_key: topology_key?,
        when_unsatisfiable: when_unsatisfiable?,
        label_selector: selector,
        match_label_keys,
        min_domains,
        node_affinity_policy: policy("nodeAffinityPolicy", NodeInclusionPolicy::Honor),
        node_taints_policy: policy("nodeTaintsPolicy", NodeInclusionPolicy::Ignore),
    })
}

/// Of a spread constraint, `matchLabelKeys` may not repeat what the selector asks for.
fn selected_twice(at: &At<'_>, selector: Option<&LabelSelector>, keys: &[String]) {
    let selected = selector.map_or(&[][..], |selector| &selector.requirements);
    if let Some(key) = keys.iter().find(|key| selected.iter().any(|other| other.key == **key)) {
        at.problem(format!("`{key}` is in both `matchLabelKeys` and `labelSelector`"));
    }
}
