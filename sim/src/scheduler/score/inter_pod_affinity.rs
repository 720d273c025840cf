//! `InterPodAffinity` as a score: preferred terms of the pod and of pods that are there, and what
//! required affinity of pods that are there weighs. Source: facts-kubernetes 1.2; upstream
//! `interpodaffinity/scoring.go`.

use super::super::framework::selection::{Owner, term_selects};
use super::super::framework::topology::{Counts, Topology, registered};
use super::super::framework::{Candidate, Cycle};
use super::MAX_SCORE;
use crate::cluster::{Node, PlacementId};
use crate::scenario::{InterPodAffinityArgs, PodAffinityTerm, PodTemplate};

/// Weights per place, by topology key.
#[derive(Debug)]
pub(super) struct Affinity<'a> {
    keys: Vec<(&'a str, Topology, Counts)>,
    /// By placement: what one of its pods adds, as (place in `keys`, weight).
    of_placement: Vec<Option<Vec<(usize, i64)>>>,
    touched: bool,
}

/// Whether nodes of one kind may score differently.
pub(super) fn tells_nodes_apart(cycle: &Cycle<'_>) -> bool {
    // Terms of other pods count too.
    cycle.cluster.specs.any_node_level_affinity
}

impl<'a> Affinity<'a> {
    /// `PreScore`; `None` where no term is about the pod.
    pub(super) fn of(
        cycle: &Cycle<'a>,
        args: &InterPodAffinityArgs,
        candidates: &[Candidate],
    ) -> Option<Self> {
        if candidates.is_empty() || !cycle.cluster.specs.any_pod_affinity {
            return None;
        }
        let template = &cycle.placement().template;
        let own = !template.pod_affinity.preferred.is_empty()
            || !template.pod_anti_affinity.preferred.is_empty();
        if args.ignore_preferred_terms_of_existing_pods && !own {
            return None;
        }
        let mut state = Self {
            keys: Vec::new(),
            of_placement: vec![None; cycle.cluster.specs.placements_len()],
            touched: false,
        };
        for node in registered(cycle.cluster) {
            for pod in &node.pods {
                let placement = cycle.cluster.specs.get(cycle.cluster.pods[*pod].spec).placement;
                state.add(cycle, args, node, placement);
            }
        }
        state.touched.then_some(state)
    }

    fn add(
        &mut self,
        cycle: &Cycle<'a>,
        args: &InterPodAffinityArgs,
        node: &Node,
        placement: PlacementId,
    ) {
        let place = placement.0 as usize;
        if self.of_placement[place].is_none() {
            let weights =
                self.weights(cycle, args, &cycle.cluster.specs.placement(placement).template);
            self.of_placement[place] = Some(weights);
        }
        for (key, weight) in self.of_placement[place].iter().flatten() {
            let (_, topology, counts) = &mut self.keys[*key];
            if let Some(place) = topology.place(node) {
                *counts.entry(place).or_default() += weight;
                self.touched = true;
            }
        }
    }

    /// What a pod of a template adds to the places that it is in.
    fn weights(
        &mut self,
        cycle: &Cycle<'a>,
        args: &InterPodAffinityArgs,
        theirs: &'a PodTemplate,
    ) -> Vec<(usize, i64)> {
        let own = &cycle.placement().template;
        let mut weights = Vec::new();
        let mut add = |owner, term: &'a PodAffinityTerm, weight: i64| {
            let (of, target) = match owner {
                Owner::Incoming => (own, theirs),
                Owner::Existing => (theirs, own),
            };
            if weight == 0 || !term_selects(cycle.cluster, owner, term, of, target) {
                return;
            }
            let key = term.topology_key.as_str();
            let known = self.keys.iter().position(|(other, ..)| *other == key);
            let place = known.unwrap_or_else(|| {
                self.keys.push((key, Topology::of(cycle.cluster, key), Counts::new()));
                self.keys.len() - 1
            });
            weights.push((place, weight));
        };
        for (owner, template) in [(Owner::Incoming, own), (Owner::Existing, theirs)] {
            for (weight, term) in &template.pod_affinity.preferred {
                add(owner, term, *weight);
            }
            for (weight, term) in &template.pod_anti_affinity.preferred {
                add(owner, term, -weight);
            }
        }
        for term in &theirs.pod_affinity.required {
            add(Owner::Existing, term, args.hard_pod_affinity_weight);
        }
        weights
    }

    /// The score of a node before normalisation.
    pub(super) fn raw(&self, node: &Node) -> i64 {
        let of = |(_, topology, counts): &(&str, Topology, Counts)| {
            topology.place(node).and_then(|place| counts.get(&place)).copied().unwrap_or(0)
        };
        self.keys.iter().map(of).sum()
    }

    /// Over the lowest and the highest score.
    pub(super) fn normalize(score: i64, (min, max): (i64, i64)) -> i64 {
        if max == min {
            return 0;
        }
        (MAX_SCORE as f64 * ((score - min) as f64 / (max - min) as f64)) as i64
    }
}
