//! One pod's turn: which nodes pass the filters, their scores, the choice.
//!
//! Two ways that give the same decision. The plain one walks the list of nodes (see `node_tree`)
//! from where the last search ended, and is the reference. The other asks the plugins once per
//! class of nodes (see `classes`) and finds by counting which members the plain one would have come
//! across (see `rotation`); its cost follows the number of classes. Small clusters are searched
//! plainly, because keeping the index costs more than it saves there.
//!
//! If one node passes, nothing is scored. Equal scores: up to 1.35 the k-th of all best nodes in
//! the order in which they were found, by one draw per pod; from 1.36 on the root of a heap (see
//! `ties`).
//! Source: facts-kubernetes 1.4; upstream `schedule_one.go`.

use super::classes::{Class, NONE, NodeClasses};
use super::filter;
use super::framework::{Candidate, Cycle};
use super::nominated::Nominations;
use super::rotation::{Rotation, Span, nodes_to_find};
use super::ties;
use crate::cluster::{Cluster, Node, NodeId, NodeState, PodId, Resources};
use crate::engine::NodeSearch;
use crate::engine::world::{Cx, World};

/// From so many nodes on, classes are looked at. Measured: `docs/performance.md`.
const NODES_BY_CLASS: usize = 100;

/// So many searches at every node follow one by class that was not worth it. The index then follows
/// all changes since at once.
const PLAIN_SEARCHES: u32 = 200;

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
    spans: Vec<Span>,
    /// Place of each class among the spans.
    span_of: Vec<u32>,
}

/// What is left for pods on `node`.
pub(crate) fn room_of(cluster: &Cluster, node: &Node) -> Resources {
    cluster.kinds.get(node.kind).allocatable.minus(&node.requested)
}

/// Finds the best node for a pod, or says why there is none.
pub(crate) fn find_node(world: &mut World, cx: &Cx<'_>, pod_id: PodId) -> Decision {
    let World { cluster, scheduler, .. } = world;
    let Cluster { classes, nodes, tree, .. } = &mut *cluster;
    let by_class = match cx.options.node_search {
        NodeSearch::EveryNode => false,
        NodeSearch::ByClass => true,
        NodeSearch::BySize => scheduler.way.by_class(tree.len()),
    };
    if by_class {
        classes.sync(nodes, tree);
    } else if tree.len() < NODES_BY_CLASS {
        classes.drop_index();
    }
    search(world, cx, pod_id, by_class)
}

/// Which way to search: whichever is likely to look at less.
#[derive(Debug, Default)]
pub(crate) struct Way {
    /// Classes are more than nodes that a search looks at: so many searches more at every node.
    plain_searches: u32,
}

impl Way {
    fn by_class(&mut self, nodes: usize) -> bool {
        if nodes < NODES_BY_CLASS {
            return false;
        }
        if self.plain_searches > 0 {
            self.plain_searches -= 1;
            return false;
        }
        true
    }

    /// A search by class found `classes`; the plain one would have looked at `looked_at` nodes.
    fn learn(&mut self, classes: usize, looked_at: usize) {
        if classes > looked_at {
            self.plain_searches = PLAIN_SEARCHES;
        }
    }
}

/// The search itself. `by_class` asks for an index that is up to date.
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
        draw: scheduler.scorer.random_ties.then(|| cx.seed.uniform("scheduler-tie", &[pod.number])),
    };
    if let Some(node) = turn.nominated_node() {
        scheduler.buffers = buffers;
        return Decision::Node(node);
    }
    let found = if by_class { turn.by_class(&mut buffers) } else { turn.plainly(&mut buffers) };
    if by_class {
        scheduler.way.learn(cluster.classes.in_use().len(), found.looked_at);
    }
    let decision = match found {
        Found { node: Some(node), .. } => Decision::Node(node),
        Found { node: None, .. } => {
            let reason = turn.reason(by_class);
            Decision::Rejected { reason: scheduler.reasons.intern(reason) }
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
    /// Settles ties, where they are settled at random.
    draw: Option<f64>,
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
        let choice = match self.draw {
            None => ties::root(scores).expect("not empty"),
            Some(draw) => {
                let best = scores.clone().max().expect("not empty");
                let mut ties = (0..).zip(scores).filter(|(_, score)| *score == best);
                let k = (draw * ties.clone().count() as f64) as usize;
                ties.nth(k).expect("the best score is somebody's").0
            }
        };
        Found { node: Some(feasible[choice].node), looked_at }
    }

    /// Asks about one node of each class, and counts.
    fn by_class(&self, buffers: &mut Buffers) -> Found {
        let cluster = self.cycle.cluster;
        let classes = &cluster.classes;
        let Buffers { feasible, spans, span_of } = buffers;
        feasible.clear();
        spans.clear();
        for id in classes.in_use() {
            let node = any_of(classes.get(*id));
            if self.passes(node, &cluster.nodes[node]) {
                spans.push(Span::of(*id));
            }
        }
        let rotation = Rotation { tree: &cluster.tree, classes, start: self.start };
        let looked_at = rotation.search(spans, span_of, self.limit);
        spans.retain(|span| span.found > 0);
        let count: usize = spans.iter().map(|span| span.found as usize).sum();
        if count <= 1 {
            let node = spans.first_mut().map(|only| rotation.nth(std::slice::from_mut(only), 0));
            return Found { node, looked_at };
        }
        if spans.len() > 1 {
            feasible.extend(spans.iter().map(|span| Candidate {
                node: any_of(classes.get(span.class)),
                members: span.found,
                score: 0,
            }));
            self.cycle.score(feasible);
            let best = feasible.iter().map(|candidate| candidate.score).max().expect("not empty");
            if self.draw.is_none() {
                span_of.clear();
                span_of.resize(classes.slots(), NONE);
                for (span, candidate) in spans.iter().zip(&*feasible) {
                    span_of[span.class as usize] = u32::from(candidate.score == best);
                }
            }
            let mut scored = feasible.iter();
            spans.retain(|_| scored.next().expect("a candidate per span").score == best);
        }
        let best: usize = spans.iter().map(|span| span.found as usize).sum();
        let node = match self.draw {
            Some(draw) => rotation.nth(spans, (draw * best as f64) as usize),
            // All are the same, or one is the best: nothing to settle.
            None if best == count || best == 1 => rotation.nth(spans, 0),
            None => self.root(span_of, looked_at),
        };
        Found { node: Some(node), looked_at }
    }

    /// The root of the heap of all nodes found, of which `best` says 1 for a class with the best
    /// score, 0 for one with a lower score. A walk without asking any plugin.
    fn root(&self, best: &[u32], looked_at: usize) -> NodeId {
        let Cluster { classes, tree, .. } = self.cycle.cluster;
        let mut rank = 0;
        let mut choice = None;
        for node in tree.rotation(self.start).take(looked_at) {
            let of_class = best[classes.class_of(node) as usize];
            if of_class == 1 {
                let order = ties::walk_order(rank);
                if choice.is_none_or(|(other, _)| order < other) {
                    choice = Some((order, node));
                }
                if rank == 0 {
                    break;
                }
            }
            rank += usize::from(of_class != NONE);
        }
        choice.expect("the best score is somebody's").1
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
        self.cycle.passes(node)
            && (self.nominations.is_empty()
                || self.room_left(id, node).fits(&self.cycle.spec.requests))
    }

    /// What is left on a node after those that wait for it.
    fn room_left(&self, id: NodeId, node: &Node) -> Resources {
        let room = room_of(self.cycle.cluster, node);
        room.minus(&self.nominations.reserved(id, Some(self.pod), self.cycle.spec.priority))
    }

    /// Why a node does not pass: calls `say` with each message.
    fn messages<'b>(&'b self, id: NodeId, node: &'b Node, mut say: impl FnMut(&'b str)) {
        let fit = self.cycle.fit(node);
        if let Some(message) = fit.rejected.filter(|_| node.state == NodeState::Ready) {
            // Asked first, because most nodes are of another kind.
            return say(message);
        }
        let ready = node.state == NodeState::Ready;
        if ready && !self.cycle.has_ports && !filter::fits(self.cycle, node, &[]) {
            // Nearly always so: said without a list.
            return filter::each_short_beside(self.cycle, node, &node.requested, |short| {
                say(short.message);
            });
        }
        if let Some(rejection) = self.cycle.rejection(node) {
            return rejection.messages.into_iter().for_each(say);
        }
        let mut used = node.requested;
        used.add(&self.nominations.reserved(id, Some(self.pod), self.cycle.spec.priority));
        filter::each_short_beside(self.cycle, node, &used, |short| say(short.message));
    }

    /// Upstream's message, with the pod's request as the next thing a person asks for.
    fn reason(&self, by_class: bool) -> String {
        let cluster = self.cycle.cluster;
        // Few messages, all of them static or the cluster's: found by looking.
        let mut counts: Vec<(&str, u32)> = Vec::new();
        let mut count = |id: NodeId, members: u32| {
            self.messages(id, &cluster.nodes[id], |message| {
                let same = |known: &str| std::ptr::eq(known, message) || known == message;
                match counts.iter_mut().find(|(known, _)| same(known)) {
                    Some((_, count)) => *count += members,
                    None => counts.push((message, members)),
                }
            });
        };
        if by_class {
            let classes: &NodeClasses = &cluster.classes;
            for class in classes.in_use().iter().map(|id| classes.get(*id)) {
                count(any_of(class), class.members.len() as u32);
            }
        } else {
            cluster.tree.rotation(0).for_each(|id| count(id, 1));
        }
        let mut parts: Vec<String> =
            counts.into_iter().map(|(message, count)| format!("{count} {message}")).collect();
        // Upstream sorts the finished parts, numbers and all.
        parts.sort();
        let detail = if parts.is_empty() { "no nodes".to_owned() } else { parts.join(", ") };
        let request = &self.cycle.spec.requests;
        let memory = request.memory.as_gib_f64();
        let asks = format!("asks cpu {}, memory {memory:.1}Gi", request.cpu);
        format!("0/{} nodes are available: {detail} ({asks})", cluster.tree.len())
    }
}

/// A node of a class in use.
fn any_of(class: &Class) -> NodeId {
    class.members[0].node
}

#[cfg(test)]
mod tests;
