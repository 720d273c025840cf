//! The cluster's state: nodes, pods and what pods ask for. Plain data, no behaviour in time.

mod node;
mod pod;
mod slab;
mod spec;

pub(crate) use node::{Node, NodeId, NodeKind, NodeKindId, NodeKinds, NodeState};
pub(crate) use pod::{Pod, PodId, PodOwner, PodPhase};
pub(crate) use slab::{Id, Slab};
pub(crate) use spec::{Placement, PlacementId, PodSpec, Resources, SpecId, Specs};

use crate::units::SimTime;

/// Nodes and pods that are alive.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    /// Nodes that are billed.
    pub(crate) nodes: Slab<Node>,
    /// The same nodes in order of launch: the order in which the scheduler sees them.
    pub(crate) in_order: Vec<NodeId>,
    /// Pods that are pending or bound.
    pub(crate) pods: Slab<Pod>,
    /// What pods ask for, each different request once.
    pub(crate) specs: Specs,
    /// Pool x instance type x zone.
    pub(crate) kinds: NodeKinds,
    /// Nodes launched so far.
    pub(crate) nodes_launched: u64,
    /// Pods created so far.
    pub(crate) pods_created: u64,
    /// Pods on a node.
    pub(crate) pods_bound: u32,
}

impl Cluster {
    /// Puts `pod` on `node`: its requests are taken from the node's room.
    pub(crate) fn bind(&mut self, pod_id: PodId, node_id: NodeId, now: SimTime) {
        let pod = &mut self.pods[pod_id];
        let requests = self.specs.get(pod.spec).requests;
        let node = &mut self.nodes[node_id];
        node.requested.add(&requests);
        node.pods.push(pod_id);
        node.pods_bound_ever += 1;
        pod.phase = PodPhase::Bound;
        pod.node = Some(node_id);
        pod.bound_at = Some(now);
        self.pods_bound += 1;
    }

    /// Takes a pod out of the cluster and gives its room back.
    pub(crate) fn remove_pod(&mut self, pod_id: PodId) -> Pod {
        let pod = self.pods.remove(pod_id);
        if let Some(node) = pod.node.and_then(|id| self.nodes.get_mut(id)) {
            node.requested.subtract(&self.specs.get(pod.spec).requests);
            node.pods.retain(|other| *other != pod_id);
            self.pods_bound -= 1;
        }
        pod
    }

    /// Takes a node out; its pods must be gone.
    pub(crate) fn remove_node(&mut self, node_id: NodeId) -> Node {
        let node = self.nodes.remove(node_id);
        assert!(
            node.pods.is_empty(),
            "node {} goes with {} pods on it",
            node.number,
            node.pods.len()
        );
        self.in_order.retain(|other| *other != node_id);
        node
    }
}
