//! What a pod says about the pods that it wants near it, or far from it.

use std::collections::BTreeMap;

use super::{LabelRequirement, PodTemplate};

/// A label selector: every requirement must hold; none at all selects everything.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LabelSelector {
    /// `matchLabels` (as `In` with one value) and `matchExpressions`.
    pub requirements: Vec<LabelRequirement>,
}

impl LabelSelector {
    /// Whether it selects something with these labels.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }
}

/// `podAffinity` or `podAntiAffinity`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PodAffinity {
    /// `requiredDuringSchedulingIgnoredDuringExecution`: every term must hold.
    pub required: Vec<PodAffinityTerm>,
    /// `preferredDuringSchedulingIgnoredDuringExecution`: (weight 1 to 100, term).
    pub preferred: Vec<(i64, PodAffinityTerm)>,
}

/// Which pods a term is about, and what counts as near.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PodAffinityTerm {
    /// `labelSelector`; `None` selects no pod.
    pub label_selector: Option<LabelSelector>,
    /// `namespaces`.
    pub namespaces: Vec<String>,
    /// `namespaceSelector`; without it and without `namespaces` the pod's own namespace counts.
    pub namespace_selector: Option<LabelSelector>,
    /// `topologyKey`: nodes with the same value of this label are one place.
    pub topology_key: String,
    /// `matchLabelKeys`: the selected pods have the incoming pod's values of these labels.
    pub match_label_keys: Vec<String>,
    /// `mismatchLabelKeys`: the selected pods have other values of these labels.
    pub mismatch_label_keys: Vec<String>,
}

/// One of `topologySpreadConstraints`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopologySpreadConstraint {
    /// `maxSkew`, at least 1.
    pub max_skew: u32,
    /// `topologyKey`.
    pub topology_key: String,
    /// `whenUnsatisfiable`.
    pub when_unsatisfiable: WhenUnsatisfiable,
    /// `labelSelector`; `None` selects no pod.
    pub label_selector: Option<LabelSelector>,
    /// `matchLabelKeys`.
    pub match_label_keys: Vec<String>,
    /// `minDomains`; `None` counts as 1.
    pub min_domains: Option<u32>,
    /// `nodeAffinityPolicy`: `Honor` (the default) leaves out nodes that the pod's node affinity
    /// and selector exclude.
    pub node_affinity_policy: NodeInclusionPolicy,
    /// `nodeTaintsPolicy`: `Ignore` (the default) counts tainted nodes too.
    pub node_taints_policy: NodeInclusionPolicy,
}

impl PodTemplate {
    /// Keys of pod labels that the template's selectors read.
    pub(super) fn labels_read(&self) -> impl Iterator<Item = &String> {
        let affinities = [&self.pod_affinity, &self.pod_anti_affinity];
        let terms = affinities.into_iter().flat_map(|affinity| {
            affinity.required.iter().chain(affinity.preferred.iter().map(|(_, term)| term))
        });
        let of_terms = terms.flat_map(|term| {
            let keys = term.match_label_keys.iter().chain(&term.mismatch_label_keys);
            keys.chain(selector_keys(term.label_selector.as_ref()))
        });
        let of_spread = self.topology_spread.iter().flat_map(|constraint| {
            let keys = constraint.match_label_keys.iter();
            keys.chain(selector_keys(constraint.label_selector.as_ref()))
        });
        of_terms.chain(of_spread)
    }
}

fn selector_keys(selector: Option<&LabelSelector>) -> impl Iterator<Item = &String> {
    let requirements = selector.into_iter().flat_map(|selector| &selector.requirements);
    requirements.map(|requirement| &requirement.key)
}

/// What to do where a constraint does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenUnsatisfiable {
    /// A filter.
    DoNotSchedule,
    /// A score.
    ScheduleAnyway,
}

/// Whether a spread constraint looks at what keeps the pod from a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeInclusionPolicy {
    /// It does: such nodes do not count.
    Honor,
    /// It does not.
    Ignore,
}
