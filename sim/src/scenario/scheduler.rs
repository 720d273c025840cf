//! The scheduler's profile: which plugins score nodes, and with what weight.

use serde::Serialize;

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

/// Score plugins and their weights, in configuration order. Filters are always on.
#[derive(Debug, Clone, PartialEq)]
pub struct SchedulerProfile {
    /// `schedulerName`.
    pub name: String,
    /// Plugins with their weights; a plugin appears once.
    pub scores: Vec<(ScoreSpec, i64)>,
    /// `percentageOfNodesToScore`: the search for feasible nodes ends with this share of all nodes;
    /// 0, like `None`, follows the size of the cluster. Source: facts-kubernetes 1.4.
    pub percentage_of_nodes_to_score: Option<u32>,
    /// `podInitialBackoffSeconds`. Source of the default: facts-kubernetes 1.4.
    pub pod_initial_backoff: SimDuration,
    /// `podMaxBackoffSeconds`. Source of the default: facts-kubernetes 1.4.
    pub pod_max_backoff: SimDuration,
}

/// A score plugin with its arguments: name and parameters are data.
#[derive(Debug, Clone, PartialEq)]
pub enum ScoreSpec {
    /// `NodeResourcesFit` with `LeastAllocated`, with weights of (cpu, memory).
    LeastAllocated {
        /// Weight of CPU.
        cpu: i64,
        /// Weight of memory.
        memory: i64,
    },
    /// `NodeResourcesFit` with `MostAllocated`.
    MostAllocated {
        /// Weight of CPU.
        cpu: i64,
        /// Weight of memory.
        memory: i64,
    },
    /// `NodeResourcesFit` with `RequestedToCapacityRatio`.
    RequestedToCapacityRatio {
        /// Weight of CPU.
        cpu: i64,
        /// Weight of memory.
        memory: i64,
        /// Utilisation (0..=100) to score (0..=10), ascending.
        shape: Vec<ShapePoint>,
    },
    /// `NodeResourcesBalancedAllocation`.
    BalancedAllocation,
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
    /// Upstream's plugin name.
    pub const fn plugin(&self) -> &'static str {
        match self {
            Self::LeastAllocated { .. }
            | Self::MostAllocated { .. }
            | Self::RequestedToCapacityRatio { .. } => "NodeResourcesFit",
            Self::BalancedAllocation => "NodeResourcesBalancedAllocation",
            Self::ImageLocality => "ImageLocality",
            Self::NodeAffinity => "NodeAffinity",
            Self::TaintToleration => "TaintToleration",
            Self::InterPodAffinity => "InterPodAffinity",
            Self::PodTopologySpread => "PodTopologySpread",
        }
    }
}

impl SchedulerProfile {
    /// The release's default profile.
    ///
    /// Source: facts-kubernetes 1.3: K136 `apis/config/v1/default_plugins.go`; K120
    /// `algorithmprovider/registry.go` (`NodePreferAvoidPods` left out: no node carries its
    /// annotation). The weights of 1.36 are used from 1.23 on, when `v1beta3` brought them.
    pub fn default_of(version: KubernetesVersion) -> Self {
        let fit = ScoreSpec::LeastAllocated { cpu: 1, memory: 1 };
        let modern = version.minor >= 23;
        let weight = |then: i64, now: i64| if modern { now } else { then };
        Self {
            name: "default-scheduler".to_owned(),
            scores: vec![
                (ScoreSpec::TaintToleration, weight(1, 3)),
                (ScoreSpec::NodeAffinity, weight(1, 2)),
                (ScoreSpec::PodTopologySpread, 2),
                (ScoreSpec::InterPodAffinity, weight(1, 2)),
                (fit, 1),
                (ScoreSpec::BalancedAllocation, 1),
                (ScoreSpec::ImageLocality, 1),
            ],
            percentage_of_nodes_to_score: None,
            pod_initial_backoff: SimDuration::seconds(1),
            pod_max_backoff: SimDuration::seconds(10),
        }
    }
}
