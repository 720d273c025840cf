//! Score plugins: upstream's formulas in integers, with its normalisation and weights.
//!
//! InterPodAffinity and PodTopologySpread give every node the same score to pods without such
//! terms, which are all that is modelled so far, so they are left out of the sum.

mod balanced_allocation;
mod fit;
mod image_locality;

use crate::cluster::{Cluster, NodeId, Resources};
use crate::scenario::{KubernetesVersion, SchedulerProfile, ScoreSpec};
use crate::units::Bytes;

use super::filter::StaticFit;
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

/// A node that passed the filters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    /// The node.
    pub(crate) node: NodeId,
    /// What placement rules say about it.
    pub(crate) fit: StaticFit,
    /// The Spark image is on it.
    pub(crate) has_image: bool,
    /// Weighted sum of all plugins.
    pub(crate) score: i64,
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

/// Scores every candidate: each plugin, normalised over all of them, times its weight.
pub(crate) fn normalize_and_weigh(
    scorer: &Scorer,
    cluster: &Cluster,
    request: &Resources,
    image: Bytes,
    candidates: &mut [Candidate],
) {
    let affinity_max = candidates.iter().map(|c| c.fit.preferred_affinity).max().unwrap_or(0);
    let taints_max = candidates.iter().map(|c| c.fit.intolerable_preferences).max().unwrap_or(0);
    let with_image = candidates.iter().filter(|candidate| candidate.has_image).count();
    let nodes = cluster.in_order.len();
    for candidate in candidates {
        let node = &cluster.nodes[candidate.node];
        let allocatable = &cluster.kinds.get(node.kind).allocatable;
        let used = &node.requested;
        candidate.score = 0;
        for (plugin, weight) in &scorer.scores {
            let score = match plugin {
                ScoreSpec::LeastAllocated { cpu, memory } => {
                    fit::least_allocated(allocatable, used, request, [*cpu, *memory])
                }
                ScoreSpec::MostAllocated { cpu, memory } => {
                    fit::most_allocated(allocatable, used, request, [*cpu, *memory])
                }
                ScoreSpec::RequestedToCapacityRatio { cpu, memory, shape } => {
                    fit::requested_to_capacity_ratio(
                        allocatable,
                        used,
                        request,
                        [*cpu, *memory],
                        shape,
                    )
                }
                ScoreSpec::BalancedAllocation => {
                    balanced_allocation::score(scorer.era, allocatable, used, request)
                }
                ScoreSpec::ImageLocality if candidate.has_image => {
                    image_locality::score(image, with_image, nodes)
                }
                ScoreSpec::NodeAffinity if affinity_max > 0 => {
                    MAX_SCORE * candidate.fit.preferred_affinity / affinity_max
                }
                ScoreSpec::TaintToleration => {
                    let count = candidate.fit.intolerable_preferences;
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
