//! Places of a topology: nodes with the same value of a label are one place.
//!
//! Values are looked up once per kind of node that was ever there. Simulated nodes have no `kubernetes.io/hostname` in
//! their kind's labels: each is a place of its own.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, Node, NodeKind};

/// The label of single nodes.
pub(in crate::scheduler) const HOSTNAME: &str = "kubernetes.io/hostname";

/// How many of something there are in each place.
pub(in crate::scheduler) type Counts = BTreeMap<u64, i64>;

/// One topology key over the nodes of a cluster.
#[derive(Debug)]
pub(in crate::scheduler) struct Topology {
    by_kind: Vec<Domain>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Domain {
    /// The label is not there.
    Missing,
    /// Nodes of the kind are in this place.
    Place(u64),
    /// Each node is a place.
    Each,
}

/// Places that are single nodes are numbered from here.
const NODES_FROM: u64 = 1 << 32;

impl Topology {
    /// Of the label `key`.
    pub(in crate::scheduler) fn of(cluster: &Cluster, key: &str) -> Self {
        let mut values: BTreeMap<&str, u64> = BTreeMap::new();
        let mut domain = |kind| match value_of(kind, key) {
            Value::Missing => Domain::Missing,
            Value::Each => Domain::Each,
            Value::Label(value) => {
                let next = values.len() as u64;
                Domain::Place(*values.entry(value).or_insert(next))
            }
        };
        let mut by_kind = vec![Domain::Missing; cluster.kinds.len()];
        for id in cluster.kinds.met() {
            by_kind[id.0 as usize] = domain(cluster.kinds.get(*id));
        }
        Self { by_kind }
    }

    /// The place of `node`; `None` without the label.
    pub(in crate::scheduler) fn place(&self, node: &Node) -> Option<u64> {
        match self.by_kind[node.kind.0 as usize] {
            Domain::Missing => None,
            Domain::Place(place) => Some(place),
            Domain::Each => Some(NODES_FROM + node.number),
        }
    }

    /// Whether nodes of one kind are in different places.
    pub(in crate::scheduler) fn tells_nodes_apart(&self) -> bool {
        self.by_kind.contains(&Domain::Each)
    }
}

enum Value<'a> {
    Missing,
    Each,
    Label(&'a str),
}

fn value_of<'a>(kind: &'a NodeKind, key: &str) -> Value<'a> {
    match kind.labels.get(key) {
        Some(value) => Value::Label(value),
        None if key == HOSTNAME && kind.node_name.is_none() => Value::Each,
        None => Value::Missing,
    }
}

/// Nodes that registered, with their pods' placements, in order.
pub(in crate::scheduler) fn registered(cluster: &Cluster) -> impl Iterator<Item = &Node> {
    let nodes = cluster.in_order.iter().map(|id| &cluster.nodes[*id]);
    nodes.filter(|node| node.state != crate::cluster::NodeState::Booting)
}
