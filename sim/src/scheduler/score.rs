//! Score plugins: upstream's formulas in integers, with its normalisation and weights.
//!
//! InterPodAffinity and PodTopologySpread give every node the same score to pods without such
//! terms, which are all that is modelled so far, so they are left out of the sum.

mod balanced_allocation;
mod fit;
mod image_locality;

use super::framework::{Candidate, Cycle};
use crate::cluster::Node;
use crate::scenario::{KubernetesVersion, SchedulerProfile, ScoreSpec};

use balanced_allocation::Era;

/// The highest score of a plugin.
const MAX_SCORE: i64 = 100;

/// A profile, ready to score.
#[derive(Debug)]
pub(crate) struct Scorer {
    scores: Vec<(ScoreSpec, i64)>,
    era: Era,
    /// Equal scores are settled at random; else the first node wins. Source: facts-kubernetes 1.4
    /// (random up to 1.34 at least; the heap of 1.36 gives the first).
    pub(crate) random_ties: bool,
}

impl Scorer {
    /// The scorer of a profile in a release.
    pub(crate) fn new(profile: &SchedulerProfile, version: KubernetesVersion) -> Self {
        Self {
            scores: profile.scores.clone(),
            era: Era::of(version),
            random_ties: version.minor < 36,
        }
    }
}

/// Weights of CPU and memory.
fn weights(resources: &[(String, i64)]) -> [i64; 2] {
    ["cpu", "memory"].map(|name| {
        resources.iter().find(|(known, _)| known == name).map_or(0, |(_, weight)| *weight)
    })
}

/// Scores every candidate: each plugin, normalised over all of them, times its weight.
pub(super) fn normalize_and_weigh(cycle: &Cycle<'_>, candidates: &mut [Candidate]) {
    let cluster = cycle.cluster;
    let node_of = |candidate: &Candidate| &cluster.nodes[candidate.node];
    let fit_of = |candidate: &Candidate| cycle.fit(node_of(candidate));
    let affinity_max = candidates.iter().map(|c| fit_of(c).preferred_affinity).max().unwrap_or(0);
    let taints_max = candidates.iter().map(|c| fit_of(c).intolerable_preferences).max();
    let taints_max = taints_max.unwrap_or(0);
    let images = &cycle.cluster.specs.placement(cycle.spec.placement).images;
    let has_image = |node: &Node| images.iter().any(|image| node.images.contains(image));
    let with_image: u32 =
        candidates.iter().filter(|c| has_image(node_of(c))).map(|c| c.members).sum();
    let nodes = cluster.in_order.len();
    let request = &cycle.spec.requests;
    for candidate in candidates {
        let node = node_of(candidate);
        let fit = cycle.fit(node);
        let allocatable = &cluster.kinds.get(node.kind).allocatable;
        let used = &node.requested;
        candidate.score = 0;
        for (plugin, weight) in &cycle.scorer.scores {
            let score = match plugin {
                ScoreSpec::LeastAllocated { resources } => {
                    fit::least_allocated(allocatable, used, request, weights(resources))
                }
                ScoreSpec::MostAllocated { resources } => {
                    fit::most_allocated(allocatable, used, request, weights(resources))
                }
                ScoreSpec::RequestedToCapacityRatio { resources, shape } => {
                    fit::requested_to_capacity_ratio(
                        allocatable,
                        used,
                        request,
                        weights(resources),
                        shape,
                    )
                }
                ScoreSpec::BalancedAllocation { .. } => {
                    balanced_allocation::score(cycle.scorer.era, allocatable, used, request)
                }
                ScoreSpec::ImageLocality if has_image(node) => {
                    image_locality::score(cycle.images.size, with_image as usize, nodes)
                }
                ScoreSpec::NodeAffinity if affinity_max > 0 => {
                    MAX_SCORE * fit.preferred_affinity / affinity_max
                }
                ScoreSpec::TaintToleration => {
                    let count = fit.intolerable_preferences;
                    (MAX_SCORE * count).checked_div(taints_max).map_or(MAX_SCORE, |s| MAX_SCORE - s)
                }
                ScoreSpec::ImageLocality
                | ScoreSpec::NodeAffinity
                | ScoreSpec::InterPodAffinity
                | ScoreSpec::PodTopologySpread => 0,
            };
            candidate.score += score * weight;
        }
    }
}
