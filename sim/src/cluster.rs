//! The cluster's state: nodes, pods and what pods ask for. Plain data, no behaviour in time.

mod image;
mod node;
mod pod;
mod requests;
mod resources;
mod slab;
mod spec;

pub(crate) use image::{ImageId, ImageNames};
pub(crate) use node::{Node, NodeId, NodeKind, NodeKindId, NodeKinds, NodeState};
pub(crate) use pod::{Pod, PodId, PodOwner, PodPhase};
pub(crate) use requests::{Amounts, resources};
pub(crate) use resources::{ResourceNames, Resources};
pub(crate) use slab::{Id, Slab};
pub(crate) use spec::{NonZeroRequests, Placement, PlacementId, PodSpec, SpecId, Specs};

use std::collections::{BTreeMap, BTreeSet};

use crate::scheduler::{NodeClasses, NodeTree};
use crate::units::SimTime;

/// Nodes and pods that are alive.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    /// Nodes that are billed.
    pub(crate) nodes: Slab<Node>,
    /// The same nodes in order of launch.
    pub(crate) in_order: Vec<NodeId>,
    /// Those that registered, in the order in which the scheduler looks at them.
    pub(crate) tree: NodeTree,
    /// The same by what the scheduler can tell apart.
    pub(crate) classes: NodeClasses,
    /// Pods that are pending or bound.
    pub(crate) pods: Slab<Pod>,
    /// What pods ask for, each different request once.
    pub(crate) specs: Specs,
    /// Pool x instance type x zone.
    pub(crate) kinds: NodeKinds,
    /// Names of the extended resources.
    pub(crate) resource_names: ResourceNames,
    /// Images that containers name.
    pub(crate) image_names: ImageNames,
    /// Keys of pod labels that some selector of the scenario reads.
    pub(crate) labels_read: BTreeSet<String>,
    /// Labels of the namespaces that exist, for namespace selectors.
    pub(crate) namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// Nodes launched so far.
    pub(crate) nodes_launched: u64,
    /// Pods created so far.
    pub(crate) pods_created: u64,
    /// When the last of the pods that are, or were, being deleted ends.
    pub(crate) last_pod_ends_at: SimTime,
    /// Pods on a node.
    pub(crate) pods_bound: u32,
}

/// What the scheduler reads of a node changes through these methods only, so that the indexes over
/// nodes can follow. What filters and scores read of a node and what is not set here must be noted
/// by [`Cluster::touch`].
impl Cluster {
    /// Adds a node, as the last in order.
    pub(crate) fn add_node(&mut self, node: Node) -> NodeId {
        self.image_names.gained(&node.images);
        self.kinds.meet(node.kind);
        let registers = node.state != NodeState::Booting;
        let id = self.nodes.insert(node);
        self.in_order.push(id);
        if registers {
            self.register(id);
        }
        id
    }

    /// The node is in `state` from now on. It registers when it stops booting.
    pub(crate) fn set_node_state(&mut self, node_id: NodeId, state: NodeState) {
        let before = std::mem::replace(&mut self.nodes[node_id].state, state);
        match (before == NodeState::Booting, state == NodeState::Booting) {
            (true, false) => self.register(node_id),
            (false, true) => self.unregister(node_id, self.nodes[node_id].kind),
            (false, false) => self.classes.touch(node_id),
            (true, true) => {}
        }
    }

    /// The node reports `images` (ascending) from now on.
    pub(crate) fn set_node_images(&mut self, node_id: NodeId, images: Vec<ImageId>) {
        self.image_names.gained(&images);
        let node = &mut self.nodes[node_id];
        let before = std::mem::replace(&mut node.images, images);
        if node.state != NodeState::Booting {
            self.classes.set_images(node_id, &node.images);
        }
        self.image_names.lost(&before);
    }

    fn register(&mut self, node_id: NodeId) {
        let node = &self.nodes[node_id];
        let member = self.tree.add(&self.kinds, node.kind, node_id);
        self.classes.add(member, &node.images);
    }

    fn unregister(&mut self, node_id: NodeId, kind: NodeKindId) {
        let serial = self.classes.remove(node_id);
        self.tree.remove(kind, serial);
    }

    /// Puts `pod` on `node`: its requests are taken from the node's room.
    pub(crate) fn bind(&mut self, pod_id: PodId, node_id: NodeId, now: SimTime) {
        let pod = &mut self.pods[pod_id];
        let spec = self.specs.get(pod.spec);
        let node = &mut self.nodes[node_id];
        node.requested.add(&spec.requests);
        node.nonzero_requested.add(&spec.nonzero);
        node.pods.push(pod_id);
        node.lowest_priority = node.lowest_priority.min(spec.priority);
        node.pods_bound_ever += 1;
        node.well_used = false;
        pod.phase = PodPhase::Bound;
        pod.node = Some(node_id);
        pod.bound_at = Some(now);
        self.pods_bound += 1;
        self.classes.touch(node_id);
    }

    /// Takes a pod out of the cluster and gives its room back.
    pub(crate) fn remove_pod(&mut self, pod_id: PodId) -> Pod {
        let pod = self.pods.remove(pod_id);
        if let Some((node_id, node)) =
            pod.node.and_then(|id| self.nodes.get_mut(id).map(|node| (id, node)))
        {
            let spec = self.specs.get(pod.spec);
            node.requested.subtract(&spec.requests);
            node.nonzero_requested.subtract(&spec.nonzero);
            node.well_used = false;
            node.pods.retain(|other| *other != pod_id);
            if node.lowest_priority == spec.priority {
                let left = node.pods.iter().map(|pod| self.specs.get(self.pods[*pod].spec));
                node.lowest_priority = left.map(|spec| spec.priority).min().unwrap_or(i32::MAX);
            }
            self.pods_bound -= 1;
            self.classes.touch(node_id);
        }
        pod
    }

    /// Takes a node out; its pods must be gone.
    pub(crate) fn remove_node(&mut self, node_id: NodeId) -> Node {
        let number = self.nodes[node_id].number;
        let place = self
            .in_order
            .binary_search_by_key(&number, |other| self.nodes[*other].number)
            .expect("nodes are in order of launch");
        self.in_order.remove(place);
        let node = self.nodes.remove(node_id);
        self.image_names.lost(&node.images);
        if node.state != NodeState::Booting {
            self.unregister(node_id, node.kind);
        }
        assert!(
            node.pods.is_empty(),
            "node {} goes with {} pods on it",
            node.number,
            node.pods.len()
        );
        node
    }
}
