//! `PodTopologySpread` as a filter: `DoNotSchedule` constraints.
//!
//! Counts matching pods per place once for a pod's turn; preemption takes victims away and puts
//! them back by [`Spread::count`]. Default constraints hold only for pods that a Service or a
//! controller selects; simulated pods have neither. Source: upstream
//! `podtopologyspread/filtering.go`, `common.go`.

use super::super::framework::selection::{Answers, constraint_counts, constraint_selects};
use super::super::framework::topology::{Counts, Topology, registered};
use super::{KindFits, Rejection, StaticFit};
use crate::cluster::{Cluster, Node, PlacementId};
use crate::scenario::{
    NodeInclusionPolicy, PodTemplate, TopologySpreadConstraint, WhenUnsatisfiable,
};

/// The pod's constraints with what they count.
#[derive(Debug)]
pub(in crate::scheduler) struct Spread<'a> {
    template: &'a PodTemplate,
    constraints: Vec<Constraint<'a>>,
}

#[derive(Debug)]
struct Constraint<'a> {
    rule: &'a TopologySpreadConstraint,
    topology: Topology,
    counts: Counts,
    fewest: i64,
    selects_itself: bool,
    answers: Answers,
}

/// Whether nodes of a kind count for the constraint.
pub(in crate::scheduler) fn includes(rule: &TopologySpreadConstraint, fit: &StaticFit) -> bool {
    let honors = |policy| policy == NodeInclusionPolicy::Honor;
    (!honors(rule.node_affinity_policy) || fit.own_affinity)
        && (!honors(rule.node_taints_policy) || fit.tolerated)
}

/// The constraints of a kind.
pub(in crate::scheduler) fn rules(
    template: &PodTemplate,
    when: WhenUnsatisfiable,
) -> impl Iterator<Item = &TopologySpreadConstraint> {
    template.topology_spread.iter().filter(move |rule| rule.when_unsatisfiable == when)
}

impl<'a> Spread<'a> {
    /// `None` without such constraints.
    pub(in crate::scheduler) fn of(
        cluster: &'a Cluster,
        fits: &KindFits,
        template: &'a PodTemplate,
    ) -> Option<Self> {
        let rules = rules(template, WhenUnsatisfiable::DoNotSchedule);
        let constraints: Vec<Constraint<'a>> = rules
            .map(|rule| Constraint {
                rule,
                topology: Topology::of(cluster, &rule.topology_key),
                counts: Counts::new(),
                fewest: 0,
                selects_itself: constraint_selects(rule, template, template),
                answers: Answers::of(cluster),
            })
            .collect();
        if constraints.is_empty() {
            return None;
        }
        let mut spread = Self { template, constraints };
        for node in registered(cluster) {
            spread.add_node(cluster, fits, node);
        }
        spread.find_fewest();
        Some(spread)
    }

    fn add_node(&mut self, cluster: &Cluster, fits: &KindFits, node: &Node) {
        if self.constraints.iter().any(|constraint| constraint.topology.place(node).is_none()) {
            return;
        }
        let fit = fits.of(node);
        for constraint in self.constraints.iter_mut().filter(|c| includes(c.rule, fit)) {
            let place = constraint.topology.place(node).expect("every key is there");
            let Constraint { rule, answers, counts, .. } = constraint;
            let count = counts.entry(place).or_default();
            for pod in &node.pods {
                let placement = cluster.specs.get(cluster.pods[*pod].spec).placement;
                let ask = || constraint_counts(cluster, rule, self.template, placement);
                *count += i64::from(answers.get(placement, ask));
            }
        }
    }

    /// `by` more pods of `placement` are on `node`.
    pub(in crate::scheduler) fn count(
        &mut self,
        cluster: &Cluster,
        fits: &KindFits,
        node: &Node,
        placement: PlacementId,
        by: i64,
    ) {
        if self.constraints.iter().any(|constraint| constraint.topology.place(node).is_none()) {
            return;
        }
        let fit = fits.of(node);
        for constraint in self.constraints.iter_mut().filter(|c| includes(c.rule, fit)) {
            let Constraint { rule, answers, counts, topology, .. } = constraint;
            let ask = || constraint_counts(cluster, rule, self.template, placement);
            if answers.get(placement, ask) {
                let place = topology.place(node).expect("every key is there");
                *counts.entry(place).or_default() += by;
            }
        }
        self.find_fewest();
    }

    fn find_fewest(&mut self) {
        for constraint in &mut self.constraints {
            let enough =
                constraint.counts.len() >= constraint.rule.min_domains.unwrap_or(1) as usize;
            // Without any place upstream takes the largest number: no skew.
            let fewest = constraint.counts.values().min().copied().unwrap_or(i64::from(i32::MAX));
            constraint.fewest = if enough { fewest } else { 0 };
        }
    }

    /// Whether the pod may be on `node`.
    pub(super) fn rejection(&self, node: &Node) -> Option<Rejection<'static>> {
        for constraint in &self.constraints {
            let Some(place) = constraint.topology.place(node) else {
                let message = "node(s) didn't match pod topology spread constraints (missing \
                               required label)";
                return Some(Rejection::unresolvable("PodTopologySpread", message));
            };
            let there = constraint.counts.get(&place).copied().unwrap_or(0);
            let skew = there + i64::from(constraint.selects_itself) - constraint.fewest;
            if skew > i64::from(constraint.rule.max_skew) {
                let message = "node(s) didn't match pod topology spread constraints";
                return Some(Rejection::of("PodTopologySpread", message));
            }
        }
        None
    }

    /// See `Cycle::tells_nodes_apart`.
    pub(in crate::scheduler) fn tells_nodes_apart(&self) -> bool {
        self.constraints.iter().any(|constraint| constraint.topology.tells_nodes_apart())
    }
}
