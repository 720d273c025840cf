//! `InterPodAffinity` as a filter: required terms of the pod and, of anti-affinity, of pods that
//! are there. Source: upstream `interpodaffinity/filtering.go`.

use super::super::framework::selection::{Answers, Owner, term_selects};
use super::super::framework::topology::{Counts, Topology, registered};
use super::Rejection;
use crate::cluster::{Cluster, Node, PlacementId};
use crate::scenario::{PodAffinityTerm, PodTemplate};

/// The pod's required terms, and the terms of others that are about it, with what they count.
#[derive(Debug)]
pub(in crate::scheduler) struct Affinity<'a> {
    template: &'a PodTemplate,
    affinity: Vec<Term<'a>>,
    /// Existing pods that match all terms of `affinity`.
    in_group: Answers,
    /// The pod matches all of them itself: it may be the first of its group.
    first_of_group: bool,
    anti_affinity: Vec<Term<'a>>,
    /// By the topology keys of anti-affinity terms of existing pods.
    others: Vec<(&'a str, Topology, Counts)>,
    /// By placement: which of `others` its terms about the pod count in; `None` = not asked yet.
    others_of: Vec<Option<Vec<usize>>>,
}

#[derive(Debug)]
struct Term<'a> {
    term: &'a PodAffinityTerm,
    topology: Topology,
    counts: Counts,
    answers: Answers,
}

impl<'a> Affinity<'a> {
    /// `None` where no required term is about the pod.
    pub(in crate::scheduler) fn of(
        cluster: &'a Cluster,
        template: &'a PodTemplate,
    ) -> Option<Self> {
        let required = [&template.pod_affinity.required, &template.pod_anti_affinity.required];
        let own = required.iter().any(|terms| !terms.is_empty());
        if !own && !cluster.specs.any_required_anti_affinity {
            return None;
        }
        let [affinity, anti_affinity] = required.map(|terms| {
            let term = |term: &'a PodAffinityTerm| Term {
                term,
                topology: Topology::of(cluster, &term.topology_key),
                counts: Counts::new(),
                answers: Answers::of(cluster),
            };
            terms.iter().map(term).collect::<Vec<_>>()
        });
        let selects =
            |term: &Term<'_>| term_selects(cluster, Owner::Incoming, term.term, template, template);
        let mut state = Self {
            template,
            first_of_group: affinity.iter().all(selects),
            affinity,
            in_group: Answers::of(cluster),
            anti_affinity,
            others: Vec::new(),
            others_of: vec![None; cluster.specs.placements_len()],
        };
        for node in registered(cluster) {
            for pod in &node.pods {
                let placement = cluster.specs.get(cluster.pods[*pod].spec).placement;
                state.count(cluster, node, placement, 1);
            }
        }
        (own || !state.others.is_empty()).then_some(state)
    }

    /// `by` more pods of `placement` are on `node`.
    pub(in crate::scheduler) fn count(
        &mut self,
        cluster: &'a Cluster,
        node: &Node,
        placement: PlacementId,
        by: i64,
    ) {
        let (own, target) = (self.template, &cluster.specs.placement(placement).template);
        let Self { affinity, anti_affinity, in_group, .. } = self;
        let selects =
            |term: &Term<'_>| term_selects(cluster, Owner::Incoming, term.term, own, target);
        if !affinity.is_empty() && in_group.get(placement, || affinity.iter().all(selects)) {
            for term in affinity {
                add(&term.topology, &mut term.counts, node, by);
            }
        }
        for term in anti_affinity {
            let ask = || term_selects(cluster, Owner::Incoming, term.term, own, target);
            if term.answers.get(placement, ask) {
                add(&term.topology, &mut term.counts, node, by);
            }
        }
        self.count_others(cluster, node, placement, by);
    }

    fn count_others(&mut self, cluster: &'a Cluster, node: &Node, placement: PlacementId, by: i64) {
        if self.others_of[placement.0 as usize].is_none() {
            let theirs = &cluster.specs.placement(placement).template;
            let about = |term: &&PodAffinityTerm| {
                term_selects(cluster, Owner::Existing, term, theirs, self.template)
            };
            let mut places = Vec::new();
            for term in theirs.pod_anti_affinity.required.iter().filter(about) {
                let key = term.topology_key.as_str();
                let known = self.others.iter().position(|(other, ..)| *other == key);
                places.push(known.unwrap_or_else(|| {
                    self.others.push((key, Topology::of(cluster, key), Counts::new()));
                    self.others.len() - 1
                }));
            }
            self.others_of[placement.0 as usize] = Some(places);
        }
        for place in self.others_of[placement.0 as usize].iter().flatten() {
            let (_, topology, counts) = &mut self.others[*place];
            add(topology, counts, node, by);
        }
    }

    /// Whether the pod may be on `node`.
    pub(super) fn rejection(&self, node: &Node) -> Option<Rejection<'static>> {
        const PLUGIN: &str = "InterPodAffinity";
        if !self.affinity_holds(node) {
            let message = "node(s) didn't match pod affinity rules";
            return Some(Rejection::unresolvable(PLUGIN, message));
        }
        let some = |topology: &Topology, counts: &Counts| {
            topology.place(node).and_then(|place| counts.get(&place)).is_some_and(|n| *n > 0)
        };
        if self.anti_affinity.iter().any(|term| some(&term.topology, &term.counts)) {
            return Some(Rejection::of(PLUGIN, "node(s) didn't match pod anti-affinity rules"));
        }
        if self.others.iter().any(|(_, topology, counts)| some(topology, counts)) {
            let message = "node(s) didn't satisfy existing pods anti-affinity rules";
            return Some(Rejection::of(PLUGIN, message));
        }
        None
    }

    fn affinity_holds(&self, node: &Node) -> bool {
        let mut there = true;
        for term in &self.affinity {
            let Some(place) = term.topology.place(node) else {
                return false;
            };
            there &= term.counts.get(&place).is_some_and(|count| *count > 0);
        }
        there || (self.first_of_group && self.affinity.iter().all(|term| term.counts.is_empty()))
    }

    /// See `Cycle::tells_nodes_apart`.
    pub(in crate::scheduler) fn tells_nodes_apart(&self) -> bool {
        let own = self.affinity.iter().chain(&self.anti_affinity);
        own.map(|term| &term.topology)
            .chain(self.others.iter().map(|(_, topology, _)| topology))
            .any(Topology::tells_nodes_apart)
    }
}

/// Places without any are not kept: whether there are any at all is asked.
fn add(topology: &Topology, counts: &mut Counts, node: &Node, by: i64) {
    if let Some(place) = topology.place(node) {
        let count = counts.entry(place).or_default();
        *count += by;
        if *count == 0 {
            counts.remove(&place);
        }
    }
}
