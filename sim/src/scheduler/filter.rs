//! Filters. Upstream's messages are kept: people grep for them.
//!
//! Taints, node selector and required node affinity give the same answer for every node of a kind,
//! so they are asked once per kind ([`static_fit`]). The rest is asked per node.

use super::framework::Cycle;
use crate::cluster::{Cluster, Node, NodeKind, NodeState, Placement, PlacementId, Resources};
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

const UNTOLERATED: &str = "had untolerated taint";

/// Asks the filters in upstream's order: TaintToleration, then NodeAffinity.
fn static_fit(placement: &Placement, kind: &NodeKind) -> StaticFit {
    let template = &placement.template;
    let tolerated = |taint| template.tolerations.iter().any(|t| t.tolerates(taint));
    let hard = |effect| matches!(effect, TaintEffect::NoSchedule | TaintEffect::NoExecute);
    let tainted = kind.taints.iter().any(|taint| hard(taint.effect) && !tolerated(taint));
    let rejected = if tainted {
        Some(UNTOLERATED)
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

/// What placement rules say about every kind of node, worked out when first asked.
#[derive(Debug, Default)]
pub(crate) struct StaticFits {
    by_placement: Vec<Vec<StaticFit>>,
}

impl StaticFits {
    /// One entry per kind of node.
    pub(crate) fn of(&mut self, cluster: &Cluster, placement: PlacementId) -> &[StaticFit] {
        let place = placement.0 as usize;
        if self.by_placement.len() <= place {
            self.by_placement.resize(place + 1, Vec::new());
        }
        let row = &mut self.by_placement[place];
        if row.len() < cluster.kinds.len() {
            let rules = cluster.specs.placement(placement);
            *row = cluster.kinds.iter().map(|(_, kind)| static_fit(rules, kind)).collect();
        }
        row
    }
}

/// Why a filter turned a node down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// Upstream's plugin name.
    pub(crate) plugin: &'static str,
    /// What it says: one message, or one per resource that is short.
    pub(crate) messages: Vec<&'static str>,
}

/// Asks the filters in upstream's order; the first that says no is the answer.
pub(super) fn rejection(cycle: &Cycle<'_>, node: &Node) -> Option<Rejection> {
    let no = |plugin, message| Some(Rejection { plugin, messages: vec![message] });
    if node.state != NodeState::Ready {
        return no("NodeUnschedulable", "were unschedulable");
    }
    match cycle.fit(node).rejected {
        Some(message @ UNTOLERATED) => return no("TaintToleration", message),
        Some(message) => return no("NodeAffinity", message),
        None => {}
    }
    let short = insufficient(&super::room_of(cycle.cluster, node), &cycle.spec.requests);
    (!short.is_empty()).then_some(Rejection { plugin: "NodeResourcesFit", messages: short })
}

pub(super) fn insufficient(room: &Resources, request: &Resources) -> Vec<&'static str> {
    let checks = [
        (request.pods > room.pods, "Too many pods"),
        (request.cpu > room.cpu, "Insufficient cpu"),
        (request.memory > room.memory, "Insufficient memory"),
        (request.gpus() > room.gpus(), "Insufficient nvidia.com/gpu"),
    ];
    checks.into_iter().filter(|(fails, _)| *fails).map(|(_, message)| message).collect()
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
