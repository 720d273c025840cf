//! One pod's turn: which nodes pass the filters, their scores, the choice.
//!
//! Models `percentageOfNodesToScore`: the search goes around the list of nodes (see `node_tree`)
//! from where the last one ended, and ends when enough nodes have passed the filters. Upstream
//! searches with 16 workers at once; here the nodes are looked at one by one, in order, and the
//! search ends at the first feasible node too many, as upstream's does with `parallelism: 1`.
//!
//! Two ways that give the same decision. The plain one asks the plugins about each node, and is the
//! reference. The other walks over the numbers of the nodes' classes (see `classes`) and asks about
//! a class only what is not known of it yet (see `verdicts`).
//!
//! If one node passes, nothing is scored. Equal scores: up to 1.35 the k-th of all best nodes in
//! the order in which they were found, by one draw per pod; from 1.36 on the root of a heap (see
//! `ties`).
//! Source: facts-kubernetes 1.4; upstream `schedule_one.go`.

mod choice;
mod message;

use super::framework::{Candidate, Cycle};
use super::nominated::Nominations;
use super::ties;
use super::verdicts::{Known, Row, bits};
use crate::Seed;
use crate::cluster::{Cluster, Node, NodeId, PodId, Resources};
use crate::engine::NodeSearch;
use crate::engine::world::{Cx, World};

/// Clusters of fewer nodes are searched as a whole; of larger ones, at least so many nodes.
const MIN_FEASIBLE_NODES_TO_FIND: usize = 100;

/// Nodes that are looked at together.
const CHUNK: usize = 32;

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

/// Lists that a search fills, kept for the next one.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    feasible: Vec<Candidate>,
    /// By class: how many nodes of it were found. All 0 between searches.
    counts: Vec<u32>,
    /// Classes of the candidates, in their order.
    found: Vec<u32>,
    /// By class: its nodes are among the best. Only those of `found` count.
    best: Vec<bool>,
    /// How far the best nodes are from where the search started.
    distances: Vec<usize>,
    /// What is said of a pod that no node takes.
    message: String,
}

impl Buffers {
    /// Counts `nodes` more of a class, 0 or 1. Of its first one, the node and its score are asked for.
    #[inline]
    fn find(&mut self, class: u32, nodes: u32, first: impl FnOnce() -> (NodeId, i64)) {
        let count = &mut self.counts[class as usize];
        if (*count == 0) & (nodes > 0) {
            let (node, score) = first();
            self.feasible.push(Candidate { node, members: 1, score });
            self.found.push(class);
        }
        *count += nodes;
    }

    /// The node that is listed of the first class among the best.
    fn first_best(&self) -> NodeId {
        let mut best = self.feasible.iter().zip(&self.found);
        let best = best.find(|(_, class)| self.best[**class as usize]);
        best.expect("the best score is somebody's").0.node
    }

    /// Notes whose score is the highest, and gives how many nodes have it.
    ///
    /// # Panics
    /// If no node was found.
    fn note_best(&mut self) -> usize {
        let highest = self.feasible.iter().map(|candidate| candidate.score).max();
        let highest = highest.expect("not empty");
        let mut ties = 0;
        for (candidate, class) in self.feasible.iter().zip(&self.found) {
            let is_best = candidate.score == highest;
            self.best[*class as usize] = is_best;
            ties += if is_best { candidate.members as usize } else { 0 };
        }
        ties
    }
}

/// What is left for pods on `node`.
pub(crate) fn room_of(cluster: &Cluster, node: &Node) -> Resources {
    cluster.kinds.get(node.kind).allocatable.minus(&node.requested)
}

/// After how many feasible nodes the search among `nodes` ends. `percentage` is
/// `percentageOfNodesToScore`; 0 follows the size of the cluster. Where nothing is scored, one node
/// is enough (`scores`). Source: facts-kubernetes 1.4; upstream `numFeasibleNodesToFind`.
fn nodes_to_find(nodes: usize, percentage: u32, scores: bool) -> usize {
    if !scores {
        return 1;
    }
    if nodes < MIN_FEASIBLE_NODES_TO_FIND {
        return nodes;
    }
    let adaptive = 50_usize.saturating_sub(nodes / 125).max(5);
    let percentage = if percentage == 0 { adaptive } else { percentage.min(100) as usize };
    (nodes * percentage / 100).max(MIN_FEASIBLE_NODES_TO_FIND)
}

/// Finds the best node for a pod, or says why there is none.
pub(crate) fn find_node(world: &mut World, cx: &Cx<'_>, pod_id: PodId) -> Decision {
    let Cluster { classes, nodes, tree, .. } = &mut world.cluster;
    classes.sync(nodes, tree);
    search(world, cx, pod_id, cx.options.node_search == NodeSearch::ByClass)
}

/// The search itself, with classes that are up to date.
fn search(world: &mut World, cx: &Cx<'_>, pod_id: PodId, by_class: bool) -> Decision {
    let World { cluster, scheduler, .. } = world;
    let pod = &cluster.pods[pod_id];
    let placement = cluster.specs.get(pod.spec).placement;
    let mut buffers = std::mem::take(&mut scheduler.buffers);
    let fits = scheduler.fits.of(cluster, placement);
    let cycle = Cycle::new(cluster, &scheduler.scorer, fits, pod.spec);
    let by_class = by_class && !cycle.tells_nodes_apart();
    let nodes = cluster.tree.len();
    let percentage = cx.scenario.scheduler.percentage_of_nodes_to_score.unwrap_or(0);
    let turn = Turn {
        cycle: &cycle,
        nominations: &scheduler.nominations,
        pod: pod_id,
        start: scheduler.next_start.checked_rem(nodes).unwrap_or(0),
        limit: nodes_to_find(nodes, percentage, !cx.scenario.scheduler.scores.is_empty()),
        draws: scheduler.scorer.random_ties.then_some((cx.seed, pod.number)),
    };
    if let Some(node) = turn.nominated_node() {
        scheduler.buffers = buffers;
        return Decision::Node(node);
    }
    let (verdicts, refusals) = scheduler.verdicts.of(pod.spec, &cluster.classes);
    let found =
        if by_class { turn.by_class(verdicts, &mut buffers) } else { turn.plainly(&mut buffers) };
    let decision = match found {
        Found { node: Some(node), .. } => Decision::Node(node),
        Found { node: None, .. } => {
            let known = by_class && !turn.looks_further();
            let kind = turn.reason(known, verdicts, refusals, &mut buffers.message);
            Decision::Rejected { reason: scheduler.reasons.intern(&buffers.message, &kind) }
        }
    };
    scheduler.next_start = (turn.start + found.looked_at).checked_rem(nodes).unwrap_or(0);
    scheduler.buffers = buffers;
    decision
}

/// A pod's turn.
struct Turn<'a> {
    cycle: &'a Cycle<'a>,
    nominations: &'a Nominations,
    pod: PodId,
    /// Index of the node to start with.
    start: usize,
    /// How many feasible nodes are enough.
    limit: usize,
    /// Root and number of the draw that settles ties, where they are settled at random.
    draws: Option<(Seed, u64)>,
}

struct Found {
    node: Option<NodeId>,
    /// How many nodes were looked at.
    looked_at: usize,
}

impl Turn<'_> {
    /// Walks the list of nodes.
    fn plainly(&self, buffers: &mut Buffers) -> Found {
        let cluster = self.cycle.cluster;
        let feasible = &mut buffers.feasible;
        feasible.clear();
        let mut looked_at = 0;
        for node in cluster.tree.rotation(self.start) {
            if self.passes(node, &cluster.nodes[node]) {
                if feasible.len() == self.limit {
                    break;
                }
                feasible.push(Candidate { node, members: 1, score: 0 });
            }
            looked_at += 1;
        }
        if feasible.len() <= 1 {
            return Found { node: feasible.first().map(|only| only.node), looked_at };
        }
        self.cycle.score(feasible);
        let scores = feasible.iter().map(|candidate| candidate.score);
        let best = scores.clone().max().expect("not empty");
        let ties = scores.clone().filter(|score| *score == best).count();
        let choice = match self.draw(ties) {
            None => ties::root(scores).expect("not empty"),
            Some(k) => {
                let mut ties = (0..).zip(scores).filter(|(_, score)| *score == best);
                ties.nth(k).expect("the best score is somebody's").0
            }
        };
        Found { node: Some(feasible[choice].node), looked_at }
    }

    /// Walks over the classes of the nodes.
    fn by_class(&self, row: &mut Row, buffers: &mut Buffers) -> Found {
        let slots = self.cycle.cluster.classes.slots();
        buffers.counts.resize(slots, 0);
        buffers.best.resize(slots, false);
        let by_bits = row.keeps_bits(self.cycle.cluster.tree.len()) && !self.looks_further();
        if by_bits {
            self.update_bits(row);
            if self.draws.is_some() && !self.cycle.compares_candidates() {
                return self.best_by_own_score(row, &mut buffers.distances);
            }
        }
        let (count, looked_at) = match by_bits {
            true => self.feasible_by_bits(row, buffers),
            false => self.feasible_classes(row, buffers),
        };
        for (candidate, class) in buffers.feasible.iter_mut().zip(&buffers.found) {
            candidate.members = buffers.counts[*class as usize];
        }
        let node = match &mut *buffers.feasible {
            [] => None,
            _ if count == 1 && by_bits => {
                let first = row.passing_from(self.start).next();
                first.map(|index| self.cycle.cluster.classes.node_at(index))
            }
            [only] if count == 1 => Some(only.node),
            candidates => {
                if candidates.len() > 1 {
                    self.cycle.add_relative_scores(candidates);
                }
                Some(match by_bits {
                    true => self.best_by_bits(row, buffers, count, looked_at),
                    false => self.best_of_found(buffers, looked_at),
                })
            }
        };
        for class in buffers.found.drain(..) {
            buffers.counts[class as usize] = 0;
        }
        Found { node, looked_at }
    }

    /// Lists the classes of the nodes that pass, each with the first node of it that was found, and
    /// counts their nodes; gives the number of nodes that pass and of those looked at.
    fn feasible_classes(&self, row: &mut Row, buffers: &mut Buffers) -> (usize, usize) {
        let order = self.cycle.cluster.classes.in_order();
        let further = self.looks_further();
        buffers.feasible.clear();
        let (mut count, mut steps) = (0, 0);
        for (first, part) in [(self.start, &order[self.start..]), (0, &order[..self.start])] {
            for (classes, index) in part.chunks(CHUNK).zip((first..).step_by(CHUNK)) {
                // All of them may pass: no need to look whether it is enough.
                if count + classes.len() <= self.limit && !further {
                    count += self.find_all(classes, index, row, buffers);
                    continue;
                }
                for (class, index) in classes.iter().zip(index..) {
                    if !self.passes_with_others(*class, index, row) {
                        continue;
                    }
                    if count == self.limit {
                        return (count, steps + index - first);
                    }
                    count += self.find_all(std::slice::from_ref(class), index, row, buffers);
                }
            }
            steps += part.len();
        }
        (count, steps)
    }

    /// The same where all that pass are known by their bits; but the node that is listed of a class
    /// is any of it.
    fn feasible_by_bits(&self, row: &mut Row, buffers: &mut Buffers) -> (usize, usize) {
        let classes = &self.cycle.cluster.classes;
        let order = classes.in_order();
        let passing = row.passing_count();
        let count = passing.min(self.limit);
        // All nodes of a class pass or none: those beyond the limit are counted, or those within
        // it, whichever are fewer.
        let by_beyond = passing - count < count;
        let mut looked_at = order.len();
        for (place, within, beyond) in row.split_from(self.start, count) {
            let others = if by_beyond { beyond } else { within };
            for index in bits(place, others) {
                buffers.counts[order[index] as usize] += 1;
            }
            if beyond != 0 && looked_at == order.len() {
                let first = place * 64 + beyond.trailing_zeros() as usize;
                looked_at = self.distance_to(first);
            }
        }
        buffers.feasible.clear();
        for class in classes.in_use().iter().copied() {
            if row.known(class) == Known::Passes {
                let nodes = classes.nodes_of(class);
                let counted = std::mem::take(&mut buffers.counts[class as usize]);
                let found = if by_beyond { nodes.len() as u32 - counted } else { counted };
                buffers.find(class, found, || (nodes[0], row.score(class)));
            }
        }
        (count, looked_at)
    }

    /// Brings the bits of the nodes that pass up to date.
    fn update_bits(&self, row: &mut Row) {
        let classes = &self.cycle.cluster.classes;
        let order = classes.in_order();
        row.update_bits(classes, |row, index| {
            self.known(order[index], index, row) == Known::Passes
        });
    }

    /// How far a place in the list of nodes is from where the search starts.
    fn distance_to(&self, index: usize) -> usize {
        let nodes = self.cycle.cluster.classes.in_order().len();
        if index < self.start { index + nodes - self.start } else { index - self.start }
    }

    /// Counts the nodes from `index` on, of these `classes`, that pass by themselves.
    fn find_all(
        &self,
        classes: &[u32],
        index: usize,
        row: &mut Row,
        buffers: &mut Buffers,
    ) -> usize {
        let mut passing = 0;
        for (class, index) in classes.iter().zip(index..) {
            let known = self.known(*class, index, row);
            // No branch on what cannot be foreseen: whether the node passes.
            let passes = known as u32;
            let node_at = || self.cycle.cluster.classes.node_at(index);
            buffers.find(*class, passes, || (node_at(), row.score(*class)));
            passing += passes;
        }
        passing as usize
    }

    /// Whether nodes of the class, of which there is one at `index`, pass by themselves.
    #[inline]
    fn known(&self, class: u32, index: usize, row: &mut Row) -> Known {
        match row.known(class) {
            Known::Nothing => self.ask(class, index, row),
            known => known,
        }
    }

    #[cold]
    fn ask(&self, class: u32, index: usize, row: &mut Row) -> Known {
        let cluster = self.cycle.cluster;
        let node = &cluster.nodes[cluster.classes.node_at(index)];
        let passes = self.cycle.passes_alone(node);
        row.set(class, passes.then(|| self.cycle.own_score(node)))
    }

    /// Whether more than the node itself can keep the pod from it.
    fn looks_further(&self) -> bool {
        !self.nominations.is_empty() || self.cycle.spread.is_some() || self.cycle.affinity.is_some()
    }

    /// Whether the node at `index` passes, by itself and beside what is elsewhere or nominated.
    fn passes_with_others(&self, class: u32, index: usize, row: &mut Row) -> bool {
        let cluster = self.cycle.cluster;
        let id = cluster.classes.node_at(index);
        self.known(class, index, row) == Known::Passes
            && self.cycle.passes_beside_others(&cluster.nodes[id])
            && self.leaves_room(id, &cluster.nodes[id])
    }

    /// The node for which the pod's victims went, if it fits there now.
    fn nominated_node(&self) -> Option<NodeId> {
        if self.nominations.is_empty() {
            return None;
        }
        let cluster = self.cycle.cluster;
        let node = self.nominations.node_of(cluster, self.pod)?;
        self.passes(node, &cluster.nodes[node]).then_some(node)
    }

    fn passes(&self, id: NodeId, node: &Node) -> bool {
        self.cycle.passes(node) && self.leaves_room(id, node)
    }

    /// Whether the pod fits beside those that wait for the node.
    fn leaves_room(&self, id: NodeId, node: &Node) -> bool {
        self.nominations.is_empty() || self.room_left(id, node).fits(&self.cycle.spec.requests)
    }

    /// What is left on a node after those that wait for it.
    fn room_left(&self, id: NodeId, node: &Node) -> Resources {
        let room = room_of(self.cycle.cluster, node);
        room.minus(&self.nominations.reserved(id, Some(self.pod), self.cycle.spec.priority))
    }
}

#[cfg(test)]
mod tests;
