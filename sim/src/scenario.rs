//! The platform under trial, validated and in the model's own units.
//!
//! Loaders lower files to these types; the engine knows no file format. Each knob and its default
//! exist once, here, with their source. A default without a source is a guess, and is listed by
//! [`Assumptions::list`] so that reports can show it.

mod assumptions;
mod autoscaler;
mod billing;
mod capacity;
mod container;
mod cron_schedule;
mod fees;
mod group_pattern;
mod images;
mod karpenter;
mod nodes;
mod orchestrator;
mod pod_affinity;
mod pod_shape;
mod prices;
mod retries;
mod scheduler;
mod spark;
mod spot;

pub use assumptions::{Assumption, Assumptions, LocalDisk, LogNormal};
pub use autoscaler::{Autoscaler, ClusterAutoscaler, Expander, ResourceLimit};
pub use billing::{
    Billing, CPU_WEIGHT, Commitment, Covers, MEMORY_WEIGHT, SharedSplit, weight_usd,
};
pub use capacity::{Capacity, CapacityLimit};
pub use container::{Container, HostPort, ResourceList};
pub use cron_schedule::CronSchedule;
pub use fees::{EmrOnEc2, Fees, Nat};
pub use group_pattern::{GroupPattern, PatternError};
pub use images::{Image, ImageLayer, Images};
pub use karpenter::{
    BudgetNodes, BudgetWindow, ConsolidationPolicy, Disruption, DisruptionBudget, DisruptionReason,
    Karpenter, KarpenterNodePool, NodePoolLimits, NodePoolRequirement,
};
pub use nodes::{AllocationStrategy, CapacityType, InstanceType, NodePool, Taint, TaintEffect};
pub use orchestrator::{Orchestrator, OwnerLimit, RunRule};
pub use pod_affinity::{
    LabelSelector, NodeInclusionPolicy, PodAffinity, PodAffinityTerm, TopologySpreadConstraint,
    WhenUnsatisfiable,
};
pub use pod_shape::{
    LabelOperator, LabelRequirement, NodeSelectorTerm, PodTemplate, PreferredTerm, Toleration,
    TolerationOperator,
};
pub use prices::{SpotPriceSeries, SpotPrices};
pub use retries::{Adjustment, HistoryRule, RetryLadder, Rung, SpotRough};
pub use scheduler::{
    AddedAffinity, InterPodAffinityArgs, KubernetesVersion, SchedulerProfile, ScoreSpec,
    ShapePoint, SpreadDefaults,
};
pub use spark::{
    ApplicationSettings, Decommission, DynamicAllocation, ExcludeOnFailure, FailureLimits,
    LocalDirs, LocalityWait, MemoryOverheads, OutputCommitter, OverrideRuns, RunSettings,
    SchedulerMode, ShuffleService, SparkDefaults, SparkVersion, Speculation, Storage,
    UnifiedMemory, apply_settings,
};
pub use spot::{
    Rebalance, RebalanceResponse, RecordedPool, RecordedSpot, Spells, SpotModel, SpotStep,
};

use std::collections::BTreeSet;

use crate::units::{Bytes, MilliCores};

/// Everything about the platform. One value drives the simulator, the search and the emitters.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// `metadata.name`.
    pub name: String,
    /// Picks the era of the scheduler's and the autoscaler's behaviour.
    pub kubernetes: KubernetesVersion,
    /// Cloud region, for example `us-west-2`.
    pub region: String,
    /// Spark's configuration where a run does not say otherwise.
    pub spark: SparkDefaults,
    /// Node groups, in the order of the file.
    pub pools: Vec<NodePool>,
    /// What adds and removes nodes; without it pools stay at their desired size.
    pub autoscaler: Option<Autoscaler>,
    /// The scheduler's plugins and weights.
    pub scheduler: SchedulerProfile,
    /// When runs are submitted, and what is due when.
    pub orchestrator: Orchestrator,
    /// What happens after a failed attempt.
    pub retries: RetryLadder,
    /// Container images.
    pub images: Images,
    /// Pause pods that keep warm room.
    pub overprovisioning: Option<Overprovisioning>,
    /// Requests of the DaemonSet pods on every node, summed.
    pub daemonsets: DaemonSets,
    /// Fees besides nodes.
    pub fees: Fees,
    /// Commitments, discounts, taxes, and how reports split what is shared.
    pub billing: Billing,
    /// What no config file says.
    pub assumptions: Assumptions,
}

impl Scenario {
    /// Cluster Autoscaler, where that is what runs.
    pub fn cluster_autoscaler(&self) -> Option<&ClusterAutoscaler> {
        match &self.autoscaler {
            Some(Autoscaler::ClusterAutoscaler(flags)) => Some(flags),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn cluster_autoscaler_mut(&mut self) -> Option<&mut ClusterAutoscaler> {
        match &mut self.autoscaler {
            Some(Autoscaler::ClusterAutoscaler(flags)) => Some(flags),
            _ => None,
        }
    }

    /// Karpenter, where that is what runs.
    pub fn karpenter(&self) -> Option<&Karpenter> {
        match &self.autoscaler {
            Some(Autoscaler::Karpenter(karpenter)) => Some(karpenter),
            _ => None,
        }
    }

    /// The pools that are the cloud's groups: all but those of Karpenter's NodePools.
    pub fn node_groups(&self) -> impl Iterator<Item = &NodePool> {
        let owners = self.karpenter().map_or(&[][..], |karpenter| &karpenter.node_pools);
        let is_own = move |place: usize| {
            owners.iter().any(|owner| owner.groups.iter().any(|group| *group as usize == place))
        };
        let pools = self.pools.iter().enumerate();
        pools.filter(move |(place, _)| !is_own(*place)).map(|(_, pool)| pool)
    }

    /// Keys of pod labels that some selector of a template reads. Other labels make no difference
    /// to placement.
    pub(crate) fn labels_read(&self) -> BTreeSet<String> {
        let spark = [&self.spark.driver_template, &self.spark.executor_template];
        let pause = self.overprovisioning.as_ref().map(|pause| &pause.template);
        spark.into_iter().chain(pause).flat_map(PodTemplate::labels_read).cloned().collect()
    }
}

/// Overprovisioning: low-priority pause pods that Spark pods push out.
#[derive(Debug, Clone, PartialEq)]
pub struct Overprovisioning {
    /// Number of pause pods.
    pub replicas: u32,
    /// CPU request of each.
    pub cpu: MilliCores,
    /// Memory request of each.
    pub memory: Bytes,
    /// Priority; must be below the Spark pods' and not below the autoscaler's cutoff of -10.
    pub priority: i32,
    /// Where they may run.
    pub template: PodTemplate,
}

/// DaemonSet pods' requests, per node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaemonSets {
    /// CPU requests, summed.
    pub cpu: MilliCores,
    /// Memory requests, summed.
    pub memory: Bytes,
    /// How many pods.
    pub pods: u32,
}

impl Default for DaemonSets {
    /// Guess, after the EKS add-ons' usual requests: `aws-node` 50m (VPC CNI with its network
    /// policy agent), `kube-proxy` 100m, and no memory requests.
    fn default() -> Self {
        Self { cpu: MilliCores::new(150), memory: Bytes::ZERO, pods: 2 }
    }
}
