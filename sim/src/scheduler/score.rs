//! Score plugins: upstream's formulas in integers, with its normalisation and weights.
//!
//! Each plugin is prepared once for a pod's turn (upstream's `PreScore`, and the bounds that
//! normalisation needs); one that has nothing to say about the pod is skipped, and costs nothing.

mod balanced_allocation;
mod fit;
mod image_locality;
mod inter_pod_affinity;
mod resources;
mod topology_spread;

use super::filter::Filters;
use super::framework::{Candidate, Cycle};
use crate::cluster::Node;
use crate::scenario::{InterPodAffinityArgs, KubernetesVersion, SchedulerProfile, ScoreSpec};

use balanced_allocation::BalancedAllocation;
use fit::Fit;
use image_locality::Images;
use inter_pod_affinity::Affinity;
use topology_spread::Spread;

/// The highest score of a plugin.
const MAX_SCORE: i64 = 100;

/// A profile, ready to filter and to score.
#[derive(Debug)]
pub(crate) struct Scorer {
    plugins: Vec<(Plugin, i64)>,
    affinity_args: InterPodAffinityArgs,
    /// Filter plugins with their arguments.
    pub(crate) filters: Filters,
    /// Equal scores are settled at random; else the first node wins. Source: facts-kubernetes 1.4
    /// (random up to 1.34 at least; the heap of 1.36 gives the first).
    pub(crate) random_ties: bool,
}

#[derive(Debug)]
enum Plugin {
    Fit(Fit),
    BalancedAllocation(BalancedAllocation),
    ImageLocality,
    NodeAffinity,
    TaintToleration,
    InterPodAffinity,
    PodTopologySpread,
}

impl Scorer {
    /// The scorer of a profile in a release.
    pub(crate) fn new(profile: &SchedulerProfile, version: KubernetesVersion) -> Self {
        let plugin = |spec: &ScoreSpec| match spec {
            ScoreSpec::BalancedAllocation { resources } => {
                Plugin::BalancedAllocation(BalancedAllocation::of(resources, version))
            }
            ScoreSpec::ImageLocality => Plugin::ImageLocality,
            ScoreSpec::NodeAffinity => Plugin::NodeAffinity,
            ScoreSpec::TaintToleration => Plugin::TaintToleration,
            ScoreSpec::InterPodAffinity => Plugin::InterPodAffinity,
            ScoreSpec::PodTopologySpread => Plugin::PodTopologySpread,
            ScoreSpec::LeastAllocated { .. }
            | ScoreSpec::MostAllocated { .. }
            | ScoreSpec::RequestedToCapacityRatio { .. } => {
                Plugin::Fit(Fit::of(spec, version).expect("a resource strategy"))
            }
        };
        let scores = profile.scores.iter();
        Self {
            plugins: scores.map(|(spec, weight)| (plugin(spec), *weight)).collect(),
            affinity_args: profile.inter_pod_affinity.clone(),
            filters: Filters::of(profile),
            random_ties: version.minor < 36,
        }
    }
}

/// Whether a score differs between nodes of one kind with the same requests and images.
pub(super) fn tells_nodes_apart(cycle: &Cycle<'_>) -> bool {
    cycle.scorer.plugins.iter().any(|(plugin, _)| match plugin {
        Plugin::InterPodAffinity => inter_pod_affinity::tells_nodes_apart(cycle),
        Plugin::PodTopologySpread => topology_spread::tells_nodes_apart(cycle),
        _ => false,
    })
}

/// Scores every candidate: each plugin, normalised over all of them, times its weight.
pub(super) fn add_scores(cycle: &Cycle<'_>, candidates: &mut [Candidate]) {
    let plugins: Vec<(Prepared<'_>, i64)> = cycle
        .scorer
        .plugins
        .iter()
        .filter_map(|(plugin, weight)| Some((prepare(plugin, cycle, candidates)?, *weight)))
        .collect();
    for candidate in candidates {
        let node = &cycle.cluster.nodes[candidate.node];
        let scores = plugins.iter().map(|(plugin, weight)| plugin.score(cycle, node) * weight);
        candidate.score = scores.sum();
    }
}

/// Whether a score may depend on what other candidates there are.
pub(super) fn compares_candidates(cycle: &Cycle<'_>) -> bool {
    cycle.scorer.plugins.iter().any(|(plugin, _)| compares(cycle, plugin))
}

/// Whether the plugin's score may differ between candidates, other than by [`own_score`].
fn compares(cycle: &Cycle<'_>, plugin: &Plugin) -> bool {
    match plugin {
        Plugin::Fit(_) | Plugin::BalancedAllocation(_) => false,
        Plugin::ImageLocality => !cycle.placement().images.is_empty(),
        Plugin::NodeAffinity => cycle.fits.any_preferred,
        Plugin::TaintToleration => cycle.fits.any_intolerable,
        Plugin::InterPodAffinity => cycle.cluster.specs.any_pod_affinity,
        Plugin::PodTopologySpread => topology_spread::has_rules(cycle),
    }
}

/// What plugins that do not compare candidates give a node, weighted: the same for all nodes of a
/// class, whatever else there is.
pub(super) fn own_score(cycle: &Cycle<'_>, node: &Node) -> i64 {
    let names = &cycle.cluster.resource_names;
    let scores = cycle.scorer.plugins.iter().map(|(plugin, weight)| match plugin {
        Plugin::Fit(fit) => fit.score(cycle, node) * weight,
        Plugin::BalancedAllocation(balanced) if balanced.scores(&cycle.spec, names) => {
            balanced.score(cycle, node) * weight
        }
        _ => 0,
    });
    scores.sum()
}

/// Adds what the other plugins give the candidates, but for plugins that give all the same: what is
/// best stays best.
pub(super) fn add_relative_scores(cycle: &Cycle<'_>, candidates: &mut [Candidate]) {
    for (plugin, weight) in &cycle.scorer.plugins {
        if !compares(cycle, plugin) {
            continue;
        }
        let Some(prepared) = prepare(plugin, cycle, candidates) else { continue };
        for candidate in &mut *candidates {
            let node = &cycle.cluster.nodes[candidate.node];
            candidate.score += prepared.score(cycle, node) * weight;
        }
    }
}

/// Scores of one plugin, for decision cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// As the plugin's `Score` gives them, without its `PreScore`, which may skip it.
    Unasked,
    /// As the plugin's `Score` gives them.
    Raw,
    /// After its normalisation.
    Normalized,
}

/// Scores of the profile's plugin at `place`; `None` = it is skipped for this pod.
pub(crate) fn scores_of(
    cycle: &Cycle<'_>,
    place: usize,
    candidates: &[Candidate],
    stage: Stage,
) -> Option<Vec<i64>> {
    let plugin = &cycle.scorer.plugins[place].0;
    let prepared = match (plugin, stage) {
        (Plugin::BalancedAllocation(balanced), Stage::Unasked) => {
            Prepared::BalancedAllocation(balanced)
        }
        _ => prepare(plugin, cycle, candidates)?,
    };
    let score = |candidate: &Candidate| {
        let node = &cycle.cluster.nodes[candidate.node];
        match stage {
            Stage::Unasked | Stage::Raw => prepared.raw(cycle, node),
            Stage::Normalized => prepared.score(cycle, node),
        }
    };
    Some(candidates.iter().map(score).collect())
}

/// A plugin that has something to say about the pod, with the bounds of its scores over all
/// candidates, where it normalises.
enum Prepared<'a> {
    Fit(&'a Fit),
    BalancedAllocation(&'a BalancedAllocation),
    ImageLocality(Images),
    NodeAffinity { max: i64 },
    TaintToleration { max: i64 },
    InterPodAffinity(Affinity<'a>, (i64, i64)),
    PodTopologySpread(Spread<'a>, (i64, i64)),
}

fn prepare<'a>(
    plugin: &'a Plugin,
    cycle: &Cycle<'a>,
    candidates: &[Candidate],
) -> Option<Prepared<'a>> {
    let nodes = || candidates.iter().map(|candidate| &cycle.cluster.nodes[candidate.node]);
    match plugin {
        Plugin::Fit(fit) => Some(Prepared::Fit(fit)),
        Plugin::BalancedAllocation(balanced) => balanced
            .scores(&cycle.spec, &cycle.cluster.resource_names)
            .then_some(Prepared::BalancedAllocation(balanced)),
        Plugin::ImageLocality => Some(Prepared::ImageLocality(Images::of(cycle))),
        Plugin::NodeAffinity => {
            let max = nodes().map(|node| cycle.fit(node).preferred_affinity).max()?;
            (max > 0).then_some(Prepared::NodeAffinity { max })
        }
        Plugin::TaintToleration => {
            let max = nodes().map(|node| cycle.fit(node).intolerable_preferences).max()?;
            Some(Prepared::TaintToleration { max })
        }
        Plugin::InterPodAffinity => {
            let affinity = Affinity::of(cycle, &cycle.scorer.affinity_args, candidates)?;
            let bounds = bounds(nodes().map(|node| affinity.raw(node)));
            Some(Prepared::InterPodAffinity(affinity, bounds))
        }
        Plugin::PodTopologySpread => {
            let spread = Spread::of(cycle, candidates)?;
            let counted = nodes().filter(|node| !spread.is_ignored(node));
            let bounds = bounds(counted.map(|node| spread.raw(node)));
            Some(Prepared::PodTopologySpread(spread, bounds))
        }
    }
}

impl Prepared<'_> {
    fn raw(&self, cycle: &Cycle<'_>, node: &Node) -> i64 {
        match self {
            Self::Fit(fit) => fit.score(cycle, node),
            Self::BalancedAllocation(balanced) => balanced.score(cycle, node),
            Self::ImageLocality(images) => images.score(node),
            Self::NodeAffinity { .. } => cycle.fit(node).preferred_affinity,
            Self::TaintToleration { .. } => cycle.fit(node).intolerable_preferences,
            Self::InterPodAffinity(affinity, _) => affinity.raw(node),
            Self::PodTopologySpread(spread, _) if spread.is_ignored(node) => 0,
            Self::PodTopologySpread(spread, _) => spread.raw(node),
        }
    }

    fn score(&self, cycle: &Cycle<'_>, node: &Node) -> i64 {
        let raw = self.raw(cycle, node);
        match self {
            Self::Fit(_) | Self::BalancedAllocation(_) | Self::ImageLocality(_) => raw,
            Self::NodeAffinity { max } => MAX_SCORE * raw / max,
            Self::TaintToleration { max } => {
                (MAX_SCORE * raw).checked_div(*max).map_or(MAX_SCORE, |score| MAX_SCORE - score)
            }
            Self::InterPodAffinity(_, bounds) => Affinity::normalize(raw, *bounds),
            Self::PodTopologySpread(spread, _) if spread.is_ignored(node) => 0,
            Self::PodTopologySpread(_, bounds) => Spread::normalize(raw, *bounds),
        }
    }
}

/// Lowest and highest.
fn bounds(scores: impl Iterator<Item = i64>) -> (i64, i64) {
    scores.fold((i64::MAX, i64::MIN), |(min, max), score| (min.min(score), max.max(score)))
}
