//! The scheduling framework: what the plugins of a profile say about one pod and the nodes.
//!
//! A [`Cycle`] holds what was worked out about the pod before any node was looked at (upstream's
//! `PreFilter` and `PreScore`). It is asked about nodes one by one ([`Cycle::passes`],
//! [`Cycle::rejection`]) and about all feasible nodes together ([`Cycle::score`]), because scores
//! are normalised over them. A candidate may stand for several nodes that no plugin can tell
//! apart; [`Cycle::tells_nodes_apart`] says when there are no such nodes.

use super::filter::{self, Rejection, StaticFit};
use super::score::{self, Scorer};
use crate::cluster::{Cluster, Node, NodeId, NodeState, PodSpec, SpecId};
use crate::scenario::Images;
use crate::units::SimTime;

/// A node that passed the filters, or several that are the same to every plugin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    /// The node, or any of them.
    pub(crate) node: NodeId,
    /// How many nodes it stands for.
    pub(crate) members: u32,
    /// Weighted sum of all score plugins.
    pub(crate) score: i64,
}

/// One pod's turn in the scheduler.
#[derive(Debug)]
pub(crate) struct Cycle<'a> {
    /// Nodes and pods.
    pub(crate) cluster: &'a Cluster,
    /// What the pod asks for.
    pub(crate) spec: PodSpec,
    /// Score plugins and their weights.
    pub(crate) scorer: &'a Scorer,
    /// What placement rules say about each kind of node.
    pub(crate) fits: &'a [StaticFit],
    /// The Spark image.
    pub(crate) images: &'a Images,
    /// The current time.
    pub(crate) now: SimTime,
}

impl<'a> Cycle<'a> {
    /// Works out what does not depend on a node.
    pub(crate) fn new(
        cluster: &'a Cluster,
        scorer: &'a Scorer,
        fits: &'a [StaticFit],
        images: &'a Images,
        now: SimTime,
        spec: SpecId,
    ) -> Self {
        Self { cluster, spec: *cluster.specs.get(spec), scorer, fits, images, now }
    }

    /// Whether a plugin's answer differs between nodes of one kind with the same requests and
    /// images: then every node has to be a candidate of its own.
    pub(crate) const fn tells_nodes_apart(&self) -> bool {
        false
    }

    /// Whether `node` passes every filter.
    pub(crate) fn passes(&self, node: &Node) -> bool {
        node.state == NodeState::Ready
            && super::room_of(self.cluster, node).fits(&self.spec.requests)
            && self.fit(node).rejected.is_none()
    }

    /// Why `node` does not pass: the first filter that says no, with all it has to say.
    pub(crate) fn rejection(&self, node: &Node) -> Option<Rejection> {
        filter::rejection(self, node)
    }

    /// Scores the candidates: each plugin, normalised over all of them, times its weight.
    pub(crate) fn score(&self, candidates: &mut [Candidate]) {
        score::normalize_and_weigh(self, candidates);
    }

    /// What placement rules say about a node's kind.
    pub(crate) fn fit(&self, node: &Node) -> &StaticFit {
        &self.fits[node.kind.0 as usize]
    }
}
