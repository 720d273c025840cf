//! The order in which the scheduler looks at nodes: round robin over zones.
//!
//! Models upstream's node tree: zones in the order of their first node, the nodes of a zone in the
//! order in which they registered, and the list that takes the first node of every zone, then the
//! second of every zone, and so on. A zone whose last node goes leaves the list, and comes back at
//! its end. A node registers when it stops booting.
//!
//! The list itself is never written down: a node's place in it follows from the number of nodes
//! before it in its zone, its rank, and the sizes of the zones.
//! Source: facts-kubernetes 1.4; upstream `backend/cache/node_tree.go`, `GetZoneKey`.

use crate::cluster::{NodeId, NodeKindId, NodeKinds};

/// A registered node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    /// Counts registrations: ascending within a zone.
    pub(crate) serial: u32,
    /// The node.
    pub(crate) node: NodeId,
}

/// Registered nodes by zone.
#[derive(Debug, Default)]
pub(crate) struct NodeTree {
    zones: Vec<Zone>,
    /// Zones that have nodes, in order.
    in_use: Vec<u32>,
    /// Zone of each kind of node; filled as kinds are met.
    zone_of_kind: Vec<u32>,
    registrations: u32,
    nodes: usize,
}

#[derive(Debug)]
struct Zone {
    key: (String, String),
    members: Vec<Member>,
}

/// A place in the list: everything before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    /// Every zone's nodes of a rank below this one are before the place.
    round: usize,
    /// So are the nodes of this rank in so many of the zones that have one, in order.
    zones: usize,
}

impl NodeTree {
    /// How many nodes are registered.
    pub(crate) fn len(&self) -> usize {
        self.nodes
    }

    /// Registers a node, as the last of its zone.
    pub(crate) fn add(&mut self, kinds: &NodeKinds, kind: NodeKindId, node: NodeId) -> Member {
        let zone = self.zone(kinds, kind);
        let member = Member { serial: self.registrations, node };
        self.registrations = self.registrations.checked_add(1).expect("fewer than 2^32 nodes");
        self.nodes += 1;
        let members = &mut self.zones[zone as usize].members;
        if members.is_empty() {
            self.in_use.push(zone);
        }
        members.push(member);
        member
    }

    /// Takes a registered node out.
    pub(crate) fn remove(&mut self, kind: NodeKindId, serial: u32) {
        let zone = self.zone_of_kind[kind.0 as usize];
        let members = &mut self.zones[zone as usize].members;
        let rank = members
            .binary_search_by_key(&serial, |member| member.serial)
            .expect("a registered node is in its zone");
        members.remove(rank);
        self.nodes -= 1;
        if members.is_empty() {
            self.in_use.retain(|other| *other != zone);
        }
    }

    /// Nodes in order, from the `start`-th on and around.
    pub(super) fn rotation(&self, start: usize) -> impl Iterator<Item = NodeId> + '_ {
        let cut = self.cut(start);
        let (mut round, mut place) = (cut.round, 0);
        let mut skip = cut.zones;
        std::iter::from_fn(move || {
            loop {
                if place == self.in_use.len() {
                    place = 0;
                    round = if round + 1 < self.rounds() { round + 1 } else { 0 };
                }
                let zone = &self.zones[self.in_use[place] as usize];
                place += 1;
                match zone.members.get(round) {
                    Some(_) if skip > 0 => skip -= 1,
                    Some(member) => return Some(member.node),
                    None => {}
                }
            }
        })
        .take(self.nodes)
    }

    /// The size of the largest zone.
    fn rounds(&self) -> usize {
        self.in_use.iter().map(|zone| self.zones[*zone as usize].members.len()).max().unwrap_or(0)
    }

    /// How many nodes have a rank below `round`, whatever their zone.
    fn before_round(&self, round: usize) -> usize {
        let sizes = self.in_use.iter().map(|zone| self.zones[*zone as usize].members.len());
        sizes.map(|size| size.min(round)).sum()
    }

    /// The `index`-th place of the list.
    fn cut(&self, index: usize) -> Cut {
        // The last round that begins at or before the place.
        let (mut low, mut high) = (0, self.rounds() + 1);
        while high - low > 1 {
            let middle = low.midpoint(high);
            if self.before_round(middle) <= index {
                low = middle;
            } else {
                high = middle;
            }
        }
        Cut { round: low, zones: index - self.before_round(low) }
    }

    fn zone(&mut self, kinds: &NodeKinds, kind: NodeKindId) -> u32 {
        for (_, kind) in kinds.iter().skip(self.zone_of_kind.len()) {
            let label = |key: &str| kind.labels.get(key).cloned().unwrap_or_default();
            let key =
                (label("topology.kubernetes.io/region"), label("topology.kubernetes.io/zone"));
            let known = self.zones.iter().position(|zone| zone.key == key);
            self.zone_of_kind.push(known.unwrap_or_else(|| {
                self.zones.push(Zone { key, members: Vec::new() });
                self.zones.len() - 1
            }) as u32);
        }
        self.zone_of_kind[kind.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Slab;

    /// A tree without kinds: zones are given by their place.
    fn tree(sizes: &[usize]) -> NodeTree {
        let mut slab = Slab::default();
        let mut tree = NodeTree::default();
        for (zone, size) in sizes.iter().enumerate() {
            let key = (String::new(), zone.to_string());
            tree.zones.push(Zone { key, members: Vec::new() });
            tree.zone_of_kind.push(zone as u32);
            for _ in 0..*size {
                let node = slab.insert(crate::scheduler::test_cluster::bare_node());
                tree.add(&NodeKinds::default(), NodeKindId(zone as u32), node);
            }
        }
        tree
    }

    fn list(tree: &NodeTree, start: usize) -> Vec<String> {
        tree.rotation(start).map(|node| format!("{node:?}")).collect()
    }

    #[test]
    fn zones_take_turns() {
        // Nodes 0 to 2 are in the first zone, 3 in the second, 4 and 5 in the third.
        let mut tree = tree(&[3, 1, 2]);
        assert_eq!(list(&tree, 0), ["#0.0", "#3.0", "#4.0", "#1.0", "#5.0", "#2.0"]);
        assert_eq!(list(&tree, 4), ["#5.0", "#2.0", "#0.0", "#3.0", "#4.0", "#1.0"]);
        tree.remove(NodeKindId(0), 0);
        assert_eq!(list(&tree, 0), ["#1.0", "#3.0", "#4.0", "#2.0", "#5.0"]);
        tree.remove(NodeKindId(1), 3);
        assert_eq!(list(&tree, 0), ["#1.0", "#4.0", "#2.0", "#5.0"]);
    }

    #[test]
    fn places_are_where_the_list_says() {
        let tree = tree(&[7, 1, 4]);
        let list = list(&tree, 0);
        for index in 0..list.len() {
            let rotated: Vec<String> = [&list[index..], &list[..index]].concat();
            assert_eq!(self::list(&tree, index), rotated);
        }
    }
}
