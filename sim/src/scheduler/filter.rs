//! Filters that do not depend on what runs on a node: taints, node selector, required affinity.
//!
//! They give the same answer for every node of a kind, so they are asked once per kind. Resources
//! are filtered per node in `placement`. Upstream's messages are kept: people grep for them.

use crate::cluster::{NodeKind, Placement};
use crate::scenario::{CapacityType, TaintEffect};

/// What placement rules say about a kind of node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StaticFit {
    /// Why pods of the placement can never run there.
    pub(crate) rejected: Option<&'static str>,
    /// Sum of the weights of matching preferred node affinity terms.
    pub(crate) preferred_affinity: i64,
    /// Number of `PreferNoSchedule` taints that are not tolerated.
    pub(crate) intolerable_preferences: i64,
}

/// Asks the filters in upstream's order: TaintToleration, then NodeAffinity.
pub(crate) fn static_fit(placement: &Placement, kind: &NodeKind) -> StaticFit {
    let template = &placement.template;
    let tolerated = |taint| template.tolerations.iter().any(|t| t.tolerates(taint));
    let hard = |effect| matches!(effect, TaintEffect::NoSchedule | TaintEffect::NoExecute);
    let tainted = kind.taints.iter().any(|taint| hard(taint.effect) && !tolerated(taint));
    let rejected = if tainted {
        Some("had untolerated taint")
    } else if !matches_affinity(placement, kind) {
        Some("didn't match Pod's node affinity/selector")
    } else {
        None
    };
    let preferred = template.preferred_node_affinity.iter();
    let soft = kind.taints.iter().filter(|t| t.effect == TaintEffect::PreferNoSchedule);
    StaticFit {
        rejected,
        preferred_affinity: preferred
            .filter(|preferred| preferred.term.matches(&kind.labels))
            .map(|preferred| preferred.weight)
            .sum(),
        intolerable_preferences: soft.filter(|taint| !tolerated(taint)).count() as i64,
    }
}

fn matches_affinity(placement: &Placement, kind: &NodeKind) -> bool {
    let template = &placement.template;
    if placement.on_demand_only && kind.capacity_type != CapacityType::OnDemand {
        return false;
    }
    let mut selector = template.node_selector.iter();
    let required = &template.required_node_affinity;
    selector.all(|(key, value)| kind.labels.get(key) == Some(value))
        && (required.is_empty() || required.iter().any(|term| term.matches(&kind.labels)))
}
