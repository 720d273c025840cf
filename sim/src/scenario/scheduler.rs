//! The scheduler's profile: which plugins are on, with what weights and arguments.

use serde::Serialize;

use super::{NodeSelectorTerm, PreferredTerm, TopologySpreadConstraint};
use crate::units::SimDuration;

/// The cluster's Kubernetes release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct KubernetesVersion {
    /// 1.
    pub major: u32,
    /// 20 to 36 are modelled.
    pub minor: u32,
}

impl KubernetesVersion {
    /// Oldest release that is modelled.
    pub const OLDEST: Self = Self { major: 1, minor: 20 };
    /// Newest release that is modelled; the default.
    pub const NEWEST: Self = Self { major: 1, minor: 36 };
}

impl std::fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Plugins of one profile with their arguments, and the queue's times.
#[derive(Debug, Clone, PartialEq)]
pub struct SchedulerProfile {
    /// `schedulerName`.
    pub name: String,
    /// Score plugins with their weights, in configuration order.
    pub scores: Vec<(ScoreSpec, i64)>,
    /// Filter plugins that are disabled, by upstream's names; all others are on.
    pub filters_disabled: Vec<String>,
    /// `NodeResourcesFit`'s `ignoredResources`: extended resources that its filter does not check.
    pub ignored_resources: Vec<String>,
    /// `NodeResourcesFit`'s `ignoredResourceGroups`: the same by the part before the `/`.
    pub ignored_resource_groups: Vec<String>,
    /// `InterPodAffinity`'s arguments.
    pub inter_pod_affinity: InterPodAffinityArgs,
    /// `NodeAffinity`'s `addedAffinity`: holds for every pod besides its own.
    pub added_affinity: AddedAffinity,
    /// `PodTopologySpread`'s constraints for pods that have none.
    pub spread_defaults: SpreadDefaults,
    /// `percentageOfNodesToScore`; `None` and 0: upstream's adaptive share.
    pub percentage_of_nodes_to_score: Option<u32>,
    /// `podInitialBackoffSeconds`.
    pub pod_initial_backoff: SimDuration,
    /// `podMaxBackoffSeconds`.
    pub pod_max_backoff: SimDuration,
}

/// Arguments of `InterPodAffinity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterPodAffinityArgs {
    /// `hardPodAffinityWeight`, 0 to 100: what required affinity of existing pods weighs in scores.
    pub hard_pod_affinity_weight: i64,
    /// `ignorePreferredTermsOfExistingPods`.
    pub ignore_preferred_terms_of_existing_pods: bool,
}

/// Node affinity that a profile adds to every pod's own.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct AddedAffinity {
    /// One of the terms must match. Empty = no requirement.
    pub required: Vec<NodeSelectorTerm>,
    /// Preferred terms.
    pub preferred: Vec<PreferredTerm>,
}

/// `defaultingType` and `defaultConstraints` of `PodTopologySpread`.
///
/// Both hold only for pods that a Service, ReplicaSet, StatefulSet or ReplicationController
/// selects, whose selector the constraints then have: simulated pods have none of these.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum SpreadDefaults {
    /// `System`: the release's own constraints.
    #[default]
    System,
    /// `List`: these.
    List(Vec<TopologySpreadConstraint>),
}

/// A score plugin with its arguments: name and parameters are data.
#[derive(Debug, Clone, PartialEq)]
pub enum ScoreSpec {
    /// `NodeResourcesFit` with `LeastAllocated`.
    LeastAllocated {
        /// Resources by their full names, with their weights.
        resources: Vec<(String, i64)>,
    },
    /// `NodeResourcesFit` with `MostAllocated`.
    MostAllocated {
        /// Resources by their full names, with their weights.
        resources: Vec<(String, i64)>,
    },
    /// `NodeResourcesFit` with `RequestedToCapacityRatio`.
    RequestedToCapacityRatio {
        /// Resources by their full names, with their weights.
        resources: Vec<(String, i64)>,
        /// Utilisation (0..=100) to score (0..=10), ascending.
        shape: Vec<ShapePoint>,
    },
    /// `NodeResourcesBalancedAllocation`.
    BalancedAllocation {
        /// Resources by their full names; upstream allows no weight but 1.
        resources: Vec<String>,
    },
    /// `ImageLocality`.
    ImageLocality,
    /// `NodeAffinity` (preferred terms).
    NodeAffinity,
    /// `TaintToleration` (`PreferNoSchedule`).
    TaintToleration,
    /// `InterPodAffinity`.
    InterPodAffinity,
    /// `PodTopologySpread`.
    PodTopologySpread,
}

/// A point of a `RequestedToCapacityRatio` shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ShapePoint {
    /// 0 to 100.
    pub utilization: i64,
    /// 0 to 10.
    pub score: i64,
}

impl ScoreSpec {
    /// `resources` with a weight for CPU and one for memory; a weight of 0 leaves the resource out.
    pub fn cpu_and_memory(cpu: i64, memory: i64) -> Vec<(String, i64)> {
        let all = [("cpu", cpu), ("memory", memory)].into_iter();
        all.filter(|(_, weight)| *weight > 0)
            .map(|(name, weight)| (name.to_owned(), weight))
            .collect()
    }

    /// `NodeResourcesBalancedAllocation` over CPU and memory, the default.
    pub fn balanced_allocation() -> Self {
        Self::BalancedAllocation { resources: vec!["cpu".to_owned(), "memory".to_owned()] }
    }

    /// Upstream's plugin name.
    pub const fn plugin(&self) -> &'static str {
        match self {
            Self::LeastAllocated { .. }
            | Self::MostAllocated { .. }
            | Self::RequestedToCapacityRatio { .. } => "NodeResourcesFit",
            Self::BalancedAllocation { .. } => "NodeResourcesBalancedAllocation",
            Self::ImageLocality => "ImageLocality",
            Self::NodeAffinity => "NodeAffinity",
            Self::TaintToleration => "TaintToleration",
            Self::InterPodAffinity => "InterPodAffinity",
            Self::PodTopologySpread => "PodTopologySpread",
        }
    }
}

impl Default for InterPodAffinityArgs {
    /// Source: K136 and K120 `apis/config/v1/defaults.go` (`hardPodAffinityWeight` 1).
    fn default() -> Self {
        Self { hard_pod_affinity_weight: 1, ignore_preferred_terms_of_existing_pods: false }
    }
}

impl SchedulerProfile {
    /// A profile with these scores, and everything else at its default.
    ///
    /// Source: facts-kubernetes 1.4 (`podInitialBackoffSeconds` 1, `podMaxBackoffSeconds` 10).
    pub fn new(name: &str, scores: Vec<(ScoreSpec, i64)>) -> Self {
        Self {
            name: name.to_owned(),
            scores,
            filters_disabled: Vec::new(),
            ignored_resources: Vec::new(),
            ignored_resource_groups: Vec::new(),
            inter_pod_affinity: InterPodAffinityArgs::default(),
            added_affinity: AddedAffinity::default(),
            spread_defaults: SpreadDefaults::default(),
            percentage_of_nodes_to_score: None,
            pod_initial_backoff: SimDuration::seconds(1),
            pod_max_backoff: SimDuration::seconds(10),
        }
    }

    /// The release's default profile.
    ///
    /// Source: facts-kubernetes 1.3: K136 `apis/config/v1/default_plugins.go`; K120
    /// `algorithmprovider/registry.go` (`NodePreferAvoidPods` left out: no node carries its
    /// annotation). The weights of 1.36 are used from 1.23 on, when `v1beta3` brought them.
    pub fn default_of(version: KubernetesVersion) -> Self {
        let fit = ScoreSpec::LeastAllocated { resources: ScoreSpec::cpu_and_memory(1, 1) };
        let modern = version.minor >= 23;
        let weight = |then: i64, now: i64| if modern { now } else { then };
        Self::new(
            "default-scheduler",
            vec![
                (ScoreSpec::TaintToleration, weight(1, 3)),
                (ScoreSpec::NodeAffinity, weight(1, 2)),
                (ScoreSpec::PodTopologySpread, 2),
                (ScoreSpec::InterPodAffinity, weight(1, 2)),
                (fit, 1),
                (ScoreSpec::balanced_allocation(), 1),
                (ScoreSpec::ImageLocality, 1),
            ],
        )
    }
}
