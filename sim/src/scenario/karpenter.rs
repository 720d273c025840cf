//! Karpenter's settings and its `NodePool`s (v1), by upstream's names.
//!
//! Each NodePool is one group of [`crate::scenario::NodePool`]s for each capacity type that it may
//! launch: the machines, zones, labels and taints are there, already narrowed to what the
//! requirements allow; here is what Karpenter decides with. Source: facts-kubernetes 3
//! (`karpenter.sh/v1`, operator options, `karpenter.k8s.aws/v1`).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{LabelRequirement, Taint};
use crate::units::{Bytes, MilliCores, SimDuration};

/// Karpenter: its operator's options and its NodePools.
#[derive(Debug, Clone, PartialEq)]
pub struct Karpenter {
    /// `batch-idle-duration`: a batch ends when no pod came for so long.
    pub batch_idle_duration: SimDuration,
    /// `batch-max-duration`: a batch ends after so long at the latest.
    pub batch_max_duration: SimDuration,
    /// `vm-memory-overhead-percent`, as a share: what Karpenter takes off an instance type's
    /// memory before it has seen a node of it.
    pub vm_memory_overhead: f64,
    /// Feature gate `SpotToSpotConsolidation`.
    pub spot_to_spot_consolidation: bool,
    /// `preference-policy: Ignore`: preferences of pods are not looked at.
    pub ignore_preferences: bool,
    /// `min-values-policy: BestEffort`: `minValues` are given up where they cannot be met.
    pub min_values_best_effort: bool,
    /// NodePools, in the order of the file; at least one.
    pub node_pools: Vec<KarpenterNodePool>,
}

impl Default for Karpenter {
    /// Upstream's defaults: facts-kubernetes 3.
    fn default() -> Self {
        Self {
            batch_idle_duration: SimDuration::seconds(1),
            batch_max_duration: SimDuration::seconds(10),
            vm_memory_overhead: 0.075,
            spot_to_spot_consolidation: false,
            ignore_preferences: false,
            min_values_best_effort: false,
            node_pools: Vec::new(),
        }
    }
}

impl Karpenter {
    /// Whether the pool at that place of the scenario is one of a NodePool.
    pub fn owns(&self, pool: u32) -> bool {
        self.node_pools.iter().any(|node_pool| node_pool.groups.contains(&pool))
    }
}

/// A NodePool.
#[derive(Debug, Clone, PartialEq)]
pub struct KarpenterNodePool {
    /// `metadata.name`.
    pub name: String,
    /// `spec.weight`, 1 to 100: heavier ones are tried first. 0 = none given.
    pub weight: u32,
    /// `spec.template.spec.requirements` and, as `In`, the labels of `spec.template.metadata`.
    pub requirements: Vec<NodePoolRequirement>,
    /// `spec.template.spec.taints`.
    pub taints: Vec<Taint>,
    /// `spec.template.spec.startupTaints`: there until something takes them off, which is when the
    /// node is ready; pods need not tolerate them.
    pub startup_taints: Vec<Taint>,
    /// `spec.template.spec.expireAfter`; `None` = `Never`.
    pub expire_after: Option<SimDuration>,
    /// `spec.template.spec.terminationGracePeriod`: after so long a draining node goes with
    /// whatever is on it; `None` = it waits.
    pub termination_grace_period: Option<SimDuration>,
    /// When the NodePool or its node class is rolled over (another image, say), from the start on:
    /// nodes launched before are drifted then. A simulation changes neither by itself.
    pub drift_at: Vec<SimDuration>,
    /// `spec.limits`.
    pub limits: NodePoolLimits,
    /// `spec.disruption`.
    pub disruption: Disruption,
    /// Places in [`super::Scenario::pools`] of its groups, one for each capacity type.
    pub groups: Vec<u32>,
    /// Labels beyond those of its groups that requirements and pods may ask for
    /// (`karpenter.k8s.aws/instance-family` and its like), by instance type.
    pub type_labels: BTreeMap<String, BTreeMap<String, String>>,
}

/// A requirement of a NodePool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePoolRequirement {
    /// Key, operator, values.
    pub requirement: LabelRequirement,
    /// `minValues`: so many different values must stay possible for a launch.
    pub min_values: Option<u32>,
}

/// `spec.limits` of a NodePool; `None` = no limit.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct NodePoolLimits {
    /// `cpu`, of the machines' capacity.
    pub cpu: Option<MilliCores>,
    /// `memory`, of the machines' capacity.
    pub memory: Option<Bytes>,
    /// `nodes`.
    pub nodes: Option<u32>,
    /// `nvidia.com/gpu`.
    pub gpus: Option<u64>,
}

/// `spec.disruption` of a NodePool.
#[derive(Debug, Clone, PartialEq)]
pub struct Disruption {
    /// `consolidationPolicy`.
    pub consolidation_policy: ConsolidationPolicy,
    /// `consolidateAfter`; `None` = `Never`.
    pub consolidate_after: Option<SimDuration>,
    /// `budgets`: the most restrictive one that is active counts.
    pub budgets: Vec<DisruptionBudget>,
}

impl Default for Disruption {
    /// Upstream's defaults: facts-kubernetes 3.
    fn default() -> Self {
        Self {
            consolidation_policy: ConsolidationPolicy::WhenEmptyOrUnderutilized,
            consolidate_after: Some(SimDuration::ZERO),
            budgets: vec![DisruptionBudget::default()],
        }
    }
}

/// Which nodes consolidation looks at.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ConsolidationPolicy {
    /// Empty nodes only.
    WhenEmpty,
    /// Empty nodes, and those whose pods fit elsewhere or on a cheaper node.
    #[default]
    WhenEmptyOrUnderutilized,
    /// As `WhenEmptyOrUnderutilized`, where the saving is worth the disruption (score at least 1/k,
    /// k = 2).
    Balanced,
}

impl ConsolidationPolicy {
    /// Every policy by upstream's name.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("WhenEmpty", Self::WhenEmpty),
        ("WhenEmptyOrUnderutilized", Self::WhenEmptyOrUnderutilized),
        ("Balanced", Self::Balanced),
    ];
}

/// A budget of voluntary disruption.
#[derive(Debug, Clone, PartialEq)]
pub struct DisruptionBudget {
    /// `nodes`: how many of the NodePool's nodes may be on their way out at once.
    pub nodes: BudgetNodes,
    /// `reasons`; empty = all of them.
    pub reasons: Vec<DisruptionReason>,
    /// `schedule` and `duration`: when it is active; `None` = always.
    pub window: Option<BudgetWindow>,
}

impl Default for DisruptionBudget {
    /// Upstream's default: a tenth of the nodes, always, for any reason.
    fn default() -> Self {
        Self { nodes: BudgetNodes::Percent(10), reasons: Vec::new(), window: None }
    }
}

/// `nodes` of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetNodes {
    /// So many.
    Count(u32),
    /// So many of a hundred of the NodePool's nodes, rounded up.
    Percent(u32),
}

/// What a budget may speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum DisruptionReason {
    /// No pods that would have to move.
    Empty,
    /// Not as the NodePool or the node class says any more.
    Drifted,
    /// Consolidation.
    Underutilized,
}

impl DisruptionReason {
    /// Every reason by upstream's name.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("Underutilized", Self::Underutilized),
        ("Empty", Self::Empty),
        ("Drifted", Self::Drifted),
    ];
}

/// When a budget is active: from each time that the schedule names, for the duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetWindow {
    /// `schedule`, in UTC.
    pub schedule: super::CronSchedule,
    /// `duration`.
    pub duration: SimDuration,
}
