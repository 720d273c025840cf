//! `PodTopologySpread` as a score: `ScheduleAnyway` constraints.
//!
//! System default constraints are left out: they hold only for pods that a Service or a controller
//! selects. Source: facts-kubernetes 1.2; upstream `podtopologyspread/scoring.go`.

use super::super::filter::{spread_includes, spread_rules};
use super::super::framework::selection::{Answers, constraint_counts};
use super::super::framework::topology::{Counts, HOSTNAME, Topology, registered};
use super::super::framework::{Candidate, Cycle};
use super::MAX_SCORE;
use crate::cluster::Node;
use crate::scenario::{TopologySpreadConstraint, WhenUnsatisfiable};

/// The constraints with what they count.
#[derive(Debug)]
pub(super) struct Spread<'a> {
    constraints: Vec<Constraint<'a>>,
}

#[derive(Debug)]
struct Constraint<'a> {
    rule: &'a TopologySpreadConstraint,
    topology: Topology,
    /// Counted on the node itself, not per place.
    by_node: bool,
    /// Places of the candidates.
    counts: Counts,
    /// By placement; `None` = no pod of it is on any node.
    counted: Answers,
    weight: f64,
}

/// Whether nodes of one kind may score differently.
pub(super) fn tells_nodes_apart(cycle: &Cycle<'_>) -> bool {
    let template = &cycle.placement().template;
    spread_rules(template, WhenUnsatisfiable::ScheduleAnyway)
        .any(|rule| Topology::of(cycle.cluster, &rule.topology_key).tells_nodes_apart())
}

/// Whether the pod has constraints that score.
pub(super) fn has_rules(cycle: &Cycle<'_>) -> bool {
    let template = &cycle.placement().template;
    spread_rules(template, WhenUnsatisfiable::ScheduleAnyway).next().is_some()
}

impl<'a> Spread<'a> {
    /// `PreScore`; `None` without such constraints.
    pub(super) fn of(cycle: &Cycle<'a>, candidates: &[Candidate]) -> Option<Self> {
        let template = &cycle.placement().template;
        let rules = spread_rules(template, WhenUnsatisfiable::ScheduleAnyway);
        let constraints: Vec<Constraint<'a>> = rules
            .map(|rule| Constraint {
                rule,
                topology: Topology::of(cycle.cluster, &rule.topology_key),
                by_node: rule.topology_key == HOSTNAME,
                counts: Counts::new(),
                counted: Answers::of(cycle.cluster),
                weight: 0.0,
            })
            .collect();
        if constraints.is_empty() {
            return None;
        }
        let mut spread = Self { constraints };
        spread.find_places(cycle, candidates);
        for node in registered(cycle.cluster) {
            if !spread.is_ignored(node) {
                spread.count_node(cycle, node);
            }
        }
        Some(spread)
    }

    fn find_places(&mut self, cycle: &Cycle<'_>, candidates: &[Candidate]) {
        let mut nodes = 0;
        for candidate in candidates {
            let node = &cycle.cluster.nodes[candidate.node];
            if self.is_ignored(node) {
                continue;
            }
            nodes += candidate.members as usize;
            for constraint in &mut self.constraints {
                if let Some(place) = constraint.topology.place(node) {
                    constraint.counts.insert(place, 0);
                }
            }
        }
        for constraint in &mut self.constraints {
            let size = if constraint.by_node { nodes } else { constraint.counts.len() };
            constraint.weight = ((size + 2) as f64).ln();
        }
    }

    fn count_node(&mut self, cycle: &Cycle<'_>, node: &Node) {
        let fit = cycle.fit(node);
        let template = &cycle.placement().template;
        for constraint in &mut self.constraints {
            let Constraint { rule, topology, by_node, counts, counted, .. } = constraint;
            // Of single nodes, upstream counts whatever is there.
            if !*by_node && !spread_includes(rule, fit) {
                continue;
            }
            let Some(count) = topology.place(node).and_then(|place| counts.get_mut(&place)) else {
                continue;
            };
            for pod in &node.pods {
                let placement = cycle.cluster.specs.get(cycle.cluster.pods[*pod].spec).placement;
                let ask = || constraint_counts(cycle.cluster, rule, template, placement);
                *count += i64::from(counted.get(placement, ask));
            }
        }
    }

    /// Nodes that lack one of the keys score 0.
    pub(super) fn is_ignored(&self, node: &Node) -> bool {
        self.constraints.iter().any(|constraint| constraint.topology.place(node).is_none())
    }

    /// The score of a node that is not ignored, before normalisation: lower is better.
    pub(super) fn raw(&self, node: &Node) -> i64 {
        let of = |constraint: &Constraint<'_>| {
            let place = constraint.topology.place(node)?;
            let count = *constraint.counts.get(&place)?;
            let free = f64::from(constraint.rule.max_skew) - 1.0;
            Some(count as f64 * constraint.weight + free)
        };
        self.constraints.iter().filter_map(of).sum::<f64>().round() as i64
    }

    /// Over the lowest and the highest score of nodes that are not ignored.
    pub(super) fn normalize(score: i64, (min, max): (i64, i64)) -> i64 {
        if max == 0 { MAX_SCORE } else { MAX_SCORE * (max + min - score) / max }
    }
}
