//! The scheduling framework: what the plugins of a profile say about one pod and the nodes.
//!
//! A [`Cycle`] holds what was worked out about the pod before any node was looked at (upstream's
//! `PreFilter`). It is asked about nodes one by one ([`Cycle::passes`], [`Cycle::rejection`]) and
//! about all feasible nodes together ([`Cycle::score`]), because scores are normalised over them. A
//! candidate may stand for several nodes that no plugin can tell apart;
//! [`Cycle::tells_nodes_apart`] says when there are no such nodes.
//!
//! Terms about other pods are counted over all nodes at the start of a pod's turn, and only where
//! some pod of the simulation has such terms.

pub(crate) mod selection;
pub(super) mod topology;

use super::filter::{self, Affinity, KindFits, Rejection, Spread, StaticFit};
use super::score::{self, Scorer};
use crate::cluster::{
    Cluster, Node, NodeId, NodeState, Placement, PlacementId, PodId, PodSpec, SpecId,
};

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
    /// Plugins with their arguments and weights.
    pub(crate) scorer: &'a Scorer,
    /// What placement rules say about each kind of node.
    pub(crate) fits: &'a KindFits,
    /// `NodeResourcesFit` is asked: always, but in decision cases about another filter.
    pub(super) checks_resources: bool,
    /// The pod asks for ports of the node.
    pub(super) has_ports: bool,
    /// `PodTopologySpread`, where the pod has such constraints.
    pub(super) spread: Option<Box<Spread<'a>>>,
    /// `InterPodAffinity`, where required terms are about the pod.
    pub(super) affinity: Option<Box<Affinity<'a>>>,
}

impl<'a> Cycle<'a> {
    /// Works out what does not depend on a node.
    pub(crate) fn new(
        cluster: &'a Cluster,
        scorer: &'a Scorer,
        fits: &'a KindFits,
        spec: SpecId,
    ) -> Self {
        let spec = *cluster.specs.get(spec);
        let placement = cluster.specs.placement(spec.placement);
        let template = &placement.template;
        let on = scorer.filters.on;
        let spread = || Spread::of(cluster, fits, template).map(Box::new);
        let affinity = || Affinity::of(cluster, template).map(Box::new);
        Self {
            cluster,
            spec,
            scorer,
            fits,
            checks_resources: on.resources,
            has_ports: on.ports && placement.host_ports().next().is_some(),
            spread: if on.spread { spread() } else { None },
            affinity: if on.affinity { affinity() } else { None },
        }
    }

    /// Whether a plugin's answer differs between nodes of one kind with the same requests and
    /// images: then every node has to be a candidate of its own.
    pub(crate) fn tells_nodes_apart(&self) -> bool {
        self.has_ports
            || self.spread.as_ref().is_some_and(|spread| spread.tells_nodes_apart())
            || self.affinity.as_ref().is_some_and(|affinity| affinity.tells_nodes_apart())
            || score::tells_nodes_apart(self)
    }

    /// Whether `node` passes every filter.
    pub(crate) fn passes(&self, node: &Node) -> bool {
        node.state == NodeState::Ready
            && self.fit(node).rejected.is_none()
            && filter::passes_by_state(self, node, &[])
    }

    /// Whether `node` passes the filters that look at nothing but the node: all of them, where the
    /// pod asks for no ports and [`Cycle::passes_beside_others`] holds.
    pub(super) fn passes_alone(&self, node: &Node) -> bool {
        node.state == NodeState::Ready
            && self.fit(node).rejected.is_none()
            && filter::fits(self, node, &[])
    }

    /// Whether the filters that look at pods elsewhere let `node` pass.
    pub(super) fn passes_beside_others(&self, node: &Node) -> bool {
        filter::passes_beside_others(self, node)
    }

    /// Whether `node`, of a kind that the pod may run on, passes once `gone` of its pods are not
    /// there. They must have been taken out by [`Cycle::count_pods`].
    pub(super) fn passes_without(&self, node: &Node, gone: &[PodId]) -> bool {
        filter::passes_by_state(self, node, gone)
    }

    /// Why `node` does not pass: the first filter that says no, with all it has to say.
    pub(crate) fn rejection(&self, node: &Node) -> Option<Rejection<'a>> {
        filter::rejection(self, node)
    }

    /// Why `node`, of a kind that the pod may run on, does not pass even when `gone` of its pods are
    /// not there.
    pub(crate) fn rejection_without(
        &mut self,
        node: &Node,
        gone: &[PodId],
    ) -> Option<Rejection<'a>> {
        self.count_pods(node, gone, -1);
        let rejection = filter::rejection_by_state(self, node, gone);
        self.count_pods(node, gone, 1);
        rejection
    }

    /// Scores the candidates: each plugin, normalised over all of them, times its weight.
    pub(crate) fn score(&self, candidates: &mut [Candidate]) {
        score::add_scores(self, candidates);
    }

    /// What [`Cycle::score`] would give a node without regard to other candidates.
    pub(super) fn own_score(&self, node: &Node) -> i64 {
        score::own_score(self, node)
    }

    /// Whether that is not all there is to the score.
    pub(super) fn compares_candidates(&self) -> bool {
        score::compares_candidates(self)
    }

    /// Adds to what [`Cycle::own_score`] gave the candidates what makes them differ besides.
    pub(super) fn add_relative_scores(&self, candidates: &mut [Candidate]) {
        score::add_relative_scores(self, candidates);
    }

    /// What placement rules say about the node's kind.
    pub(crate) fn fit(&self, node: &Node) -> &StaticFit {
        self.fits.of(node)
    }

    /// The pod's placement.
    pub(crate) fn placement(&self) -> &'a Placement {
        self.cluster.specs.placement(self.spec.placement)
    }

    /// Counts each of the node's `pods` `by` times more, as if they had been bound (or were gone).
    pub(super) fn count_pods(&mut self, node: &Node, pods: &[PodId], by: i64) {
        if self.spread.is_some() || self.affinity.is_some() {
            for pod in pods {
                let placement = self.cluster.specs.get(self.cluster.pods[*pod].spec).placement;
                self.count(node, placement, by);
            }
        }
    }

    fn count(&mut self, node: &Node, placement: PlacementId, by: i64) {
        if let Some(spread) = &mut self.spread {
            spread.count(self.cluster, self.fits, node, placement, by);
        }
        if let Some(affinity) = &mut self.affinity {
            affinity.count(self.cluster, node, placement, by);
        }
    }
}
