//! The message of a pod that could not be placed. Source: upstream `framework/types.go`
//! (`FitError`), `framework/preemption`.

use std::collections::BTreeMap;

use super::Insufficient;
use crate::cluster::{Node, PodId};
use crate::scenario::{KubernetesVersion, PodTemplate};
use crate::scheduler::filter::{Short, nodes_by_name};
use crate::scheduler::framework::Cycle;

/// What `NodeAffinity` says of terms of which none can hold for any node name.
pub(super) const NAMES_CONFLICT: &str = "pod affinity terms conflict";

/// Whether the pod's terms contradict themselves about the node's name.
pub(super) fn names_conflict(template: &PodTemplate) -> bool {
    nodes_by_name(template).is_some_and(|names| names.is_empty())
}

/// Upstream's message; without what preemption says where that would help. `allowed`: the nodes to which `metadata.name` fields narrow the search.
pub(super) fn unschedulable(
    cycle: &mut Cycle<'_>,
    version: KubernetesVersion,
    allowed: impl Fn(&Node) -> bool,
) -> String {
    let template = &cycle.placement().template;
    let (mut reasons, mut preemption) = (BTreeMap::new(), BTreeMap::new());
    let cluster = cycle.cluster;
    let (nodes, mut helps) = (cluster.in_order.len(), false);
    for node in cluster.in_order.iter().map(|id| &cluster.nodes[*id]) {
        let rejection = cycle.rejection(node).filter(|_| allowed(node));
        let unresolvable = rejection.as_ref().is_none_or(|rejection| rejection.unresolvable);
        let narrowed = || vec!["node(s) didn't satisfy plugin(s) [NodeAffinity]"];
        for message in rejection.map_or_else(narrowed, |rejection| rejection.messages) {
            *reasons.entry(message).or_insert(0) += 1;
        }
        let lower = lower(cycle, node);
        let why = if unresolvable {
            vec!["Preemption is not helpful for scheduling"]
        } else if lower.is_empty() {
            vec!["No preemption victims found for incoming pod"]
        } else {
            let rejection = cycle.rejection_without(node, &lower);
            helps |= rejection.is_none();
            rejection.map_or_else(Vec::new, |rejection| rejection.messages)
        };
        for message in why {
            *preemption.entry(message).or_insert(0) += 1;
        }
    }
    let first = if names_conflict(template) {
        format!("0/{nodes} nodes are available: {NAMES_CONFLICT}.")
    } else {
        format!("0/{nodes} nodes are available: {}.", histogram(&reasons))
    };
    if version.minor < 21 || helps {
        return first;
    }
    let devices = if version.minor >= 34 { "no new claims to deallocate, " } else { "" };
    let preemption = histogram(&preemption);
    format!("{first} {devices}preemption: 0/{nodes} nodes are available: {preemption}.")
}

fn lower(cycle: &Cycle<'_>, node: &Node) -> Vec<PodId> {
    let cluster = cycle.cluster;
    let priority = |pod: &PodId| cluster.specs.get(cluster.pods[*pod].spec).priority;
    node.pods.iter().copied().filter(|pod| priority(pod) < cycle.spec.priority).collect()
}

/// `count message`, sorted as text.
fn histogram(counts: &BTreeMap<&str, u32>) -> String {
    let mut parts: Vec<String> =
        counts.iter().map(|(text, count)| format!("{count} {text}")).collect();
    parts.sort();
    parts.join(", ")
}

/// In the words of the case files.
pub(super) fn insufficient(short: &Short<'_>) -> Insufficient {
    let resource = short.message.strip_prefix("Insufficient ").unwrap_or("pods");
    Insufficient {
        resource: resource.to_owned(),
        requested: short.requested,
        used: short.used,
        capacity: short.capacity,
        unresolvable: short.unresolvable(),
    }
}
