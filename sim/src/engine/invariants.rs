//! What must hold after every event. A violation is a bug, and stops the simulation with its time.

use super::world::World;
use crate::cluster::{NodeState, PodPhase, Resources};
use crate::units::SimTime;

/// Checks everything that can be seen at one moment. Linear in nodes and pods: for tests and debug
/// builds.
///
/// # Panics
/// If an invariant is broken.
pub(crate) fn check(world: &World, now: SimTime) {
    let cluster = &world.cluster;
    let mut on_nodes = 0;
    for (id, node) in cluster.nodes.iter() {
        let kind = cluster.kinds.get(node.kind);
        let mut sum = kind.daemonsets;
        for pod_id in &node.pods {
            let pod = cluster.pods.get(*pod_id).expect("a node's pods are alive");
            assert_eq!(pod.node, Some(id), "at {now}: pod {} is on two nodes", pod.number);
            assert_eq!(pod.phase, PodPhase::Bound, "at {now}: pod {}", pod.number);
            sum.add(&cluster.specs.get(pod.spec).requests);
        }
        on_nodes += node.pods.len();
        assert_eq!(sum, node.requested, "at {now}: requests on node {}", node.number);
        let room: Resources = kind.allocatable;
        assert!(
            node.pods.is_empty() || room.fits(&node.requested),
            "at {now}: node {} holds {:?} of {room:?}",
            node.number,
            node.requested
        );
    }
    assert_eq!(on_nodes, cluster.pods_bound as usize, "at {now}: bound pods");
    assert_eq!(cluster.in_order.len(), cluster.nodes.len(), "at {now}: nodes in order");
    let registered = cluster.nodes.iter().filter(|(_, node)| node.state != NodeState::Booting);
    assert_eq!(registered.count(), cluster.tree.len(), "at {now}: registered nodes");
    for (pool, state) in world.pools.iter().enumerate() {
        let nodes = cluster.nodes.iter();
        let count = nodes.filter(|(_, n)| cluster.kinds.get(n.kind).pool == pool as u32).count();
        assert_eq!(count, state.nodes as usize, "at {now}: nodes of pool {pool}");
    }
    for (_, attempt) in world.attempts.iter() {
        attempt.check(now);
    }
}
