//! One pod, every node: filter, score, choose.
//!
//! The plain version, which looks at every node. Filters that are the same for all nodes of a kind
//! are looked up (see `filter`), so a node costs a table lookup and a comparison of its room.

use std::collections::BTreeMap;

use super::framework::{Candidate, Cycle};
use crate::cluster::{Cluster, Node, NodeId, NodeState, PodId, Resources};
use crate::engine::world::{Cx, World};

/// What the scheduler decided for a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// This node.
    Node(NodeId),
    /// None; why, as a place in the scheduler's list of reasons.
    Rejected {
        /// The place.
        reason: u32,
    },
}

/// What is left for pods on `node`.
pub(crate) fn room_of(cluster: &Cluster, node: &Node) -> Resources {
    cluster.kinds.get(node.kind).allocatable.minus(&node.requested)
}

/// Finds the best node for a pod, or says why there is none.
pub(crate) fn find_node(world: &mut World, cx: &Cx<'_>, pod_id: PodId) -> Decision {
    let World { cluster, scheduler, .. } = world;
    let (spec, number) = (cluster.pods[pod_id].spec, cluster.pods[pod_id].number);
    let placement = cluster.specs.get(spec).placement;
    let fits = scheduler.fits.of(cluster, placement);
    let cycle = Cycle::new(cluster, &scheduler.scorer, fits, &cx.scenario.images, cx.now, spec);
    let mut feasible: Vec<Candidate> = Vec::new();
    for node in &cluster.in_order {
        if cycle.passes(&cluster.nodes[*node]) {
            feasible.push(Candidate { node: *node, members: 1, score: 0 });
        }
    }
    if feasible.is_empty() {
        let reason = reason(&cycle);
        return Decision::Rejected { reason: scheduler.keep_reason(reason) };
    }
    if let [only] = feasible.as_slice() {
        return Decision::Node(only.node);
    }
    cycle.score(&mut feasible);
    let best = feasible.iter().map(|candidate| candidate.score).max().expect("not empty");
    let mut ties = feasible.iter().filter(|candidate| candidate.score == best);
    let choice = if scheduler.scorer.random_ties {
        let count = ties.clone().count();
        let draw = cx.seed.uniform("scheduler-tie", &[number]);
        ties.nth((draw * count as f64) as usize)
    } else {
        ties.next()
    };
    Decision::Node(choice.expect("the best score is somebody's").node)
}

/// Upstream's message, with the largest room as the next thing a person asks for.
fn reason(cycle: &Cycle<'_>) -> String {
    let cluster = cycle.cluster;
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut nodes = 0;
    for node_id in &cluster.in_order {
        let node = &cluster.nodes[*node_id];
        if node.state == NodeState::Booting {
            continue;
        }
        nodes += 1;
        for message in cycle.rejection(node).map(|rejection| rejection.messages).unwrap_or_default()
        {
            *counts.entry(message).or_default() += 1;
        }
    }
    let mut parts: Vec<String> =
        counts.into_iter().map(|(message, count)| format!("{count} {message}")).collect();
    parts.sort();
    let detail = if parts.is_empty() { "no nodes".to_owned() } else { parts.join(", ") };
    let request = &cycle.spec.requests;
    let memory = request.memory.as_gib_f64();
    let asks = format!("asks cpu {}, memory {memory:.1}Gi", request.cpu);
    format!("0/{nodes} nodes are available: {detail} ({asks})")
}
