//! One pod, every ready node: filter, score, choose.
//!
//! The plain version, which looks at every node. Filters that are the same for all nodes of a kind
//! are looked up (see `filter`), so a node costs a table lookup and a comparison of its room.

use super::score::{Candidate, normalize_and_weigh};
use crate::cluster::{Cluster, Node, NodeId, NodeState, PodId, Resources, SpecId};
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
pub(crate) fn find_node(world: &mut World, cx: &mut Cx<'_>, pod_id: PodId) -> Decision {
    let spec_id = world.cluster.pods[pod_id].spec;
    let spec = *world.cluster.specs.get(spec_id);
    let cluster = &world.cluster;
    let mut feasible = Vec::new();
    for node_id in &cluster.in_order {
        let node = &cluster.nodes[*node_id];
        if node.state != NodeState::Ready || !room_of(cluster, node).fits(&spec.requests) {
            continue;
        }
        let fit = world.scheduler.static_fit(cluster, spec.placement, node.kind);
        if fit.rejected.is_none() {
            feasible.push(Candidate {
                node: *node_id,
                fit,
                has_image: node.image_ready_at.is_some_and(|at| at <= cx.now),
                score: 0,
            });
        }
    }
    if feasible.is_empty() {
        let reason = reason(world, spec_id);
        return Decision::Rejected { reason: world.scheduler.keep_reason(reason) };
    }
    if let [only] = feasible.as_slice() {
        return Decision::Node(only.node);
    }
    let image = cx.scenario.images.size;
    normalize_and_weigh(&world.scheduler.scorer, cluster, &spec.requests, image, &mut feasible);
    let best = feasible.iter().map(|candidate| candidate.score).max().expect("not empty");
    let mut ties = feasible.iter().filter(|candidate| candidate.score == best);
    let choice = if world.scheduler.scorer.random_ties {
        let count = ties.clone().count();
        let number = world.cluster.pods[pod_id].number;
        let draw = cx.seed.uniform("scheduler-tie", &[number]);
        ties.nth((draw * count as f64) as usize)
    } else {
        ties.next()
    };
    Decision::Node(choice.expect("the best score is somebody's").node)
}

/// Upstream's message, with the largest room as the next thing a person asks for.
fn reason(world: &mut World, spec_id: SpecId) -> String {
    let spec = *world.cluster.specs.get(spec_id);
    let cluster = &world.cluster;
    let mut counts: std::collections::BTreeMap<&'static str, u32> = Default::default();
    let mut nodes = 0;
    for node_id in &cluster.in_order {
        let node = &cluster.nodes[*node_id];
        match node.state {
            NodeState::Booting => continue,
            NodeState::Cordoned => *counts.entry("were unschedulable").or_default() += 1,
            NodeState::Ready => {
                let fit = world.scheduler.static_fit(cluster, spec.placement, node.kind);
                if let Some(rejected) = fit.rejected {
                    *counts.entry(rejected).or_default() += 1;
                } else {
                    for message in insufficient(&room_of(cluster, node), &spec.requests) {
                        *counts.entry(message).or_default() += 1;
                    }
                }
            }
        }
        nodes += 1;
    }
    let parts: Vec<String> =
        counts.into_iter().map(|(message, count)| format!("{count} {message}")).collect();
    let detail = if parts.is_empty() { "no nodes".to_owned() } else { parts.join(", ") };
    let asks = format!(
        "asks cpu {}, memory {:.1}Gi",
        spec.requests.cpu,
        spec.requests.memory.as_gib_f64()
    );
    format!("0/{nodes} nodes are available: {detail} ({asks})")
}

fn insufficient(room: &Resources, request: &Resources) -> Vec<&'static str> {
    let checks = [
        (request.pods > room.pods, "Too many pods"),
        (request.cpu > room.cpu, "Insufficient cpu"),
        (request.memory > room.memory, "Insufficient memory"),
        (request.gpus > room.gpus, "Insufficient nvidia.com/gpu"),
    ];
    checks.into_iter().filter(|(fails, _)| *fails).map(|(_, message)| message).collect()
}
