//! Autoscalers; of Cluster Autoscaler, the flags that the model follows, by upstream's names.

use serde::Serialize;

use super::{GroupPattern, Karpenter, KubernetesVersion};
use crate::units::SimDuration;

/// What adds and removes nodes.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a scenario has one")]
pub enum Autoscaler {
    /// Cluster Autoscaler: grows and shrinks node groups.
    ClusterAutoscaler(ClusterAutoscaler),
    /// Karpenter: launches and disrupts nodes of NodePools.
    Karpenter(Karpenter),
}

/// How one of several node groups is chosen for a scale-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expander {
    /// Fewest nodes.
    LeastNodes,
    /// Least CPU and memory left unused.
    LeastWaste,
    /// Most pods helped.
    MostPods,
    /// Cheapest.
    Price,
    /// By the table of priorities.
    Priority,
    /// Any.
    Random,
}

impl Expander {
    /// Upstream's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeastNodes => "least-nodes",
            Self::LeastWaste => "least-waste",
            Self::MostPods => "most-pods",
            Self::Price => "price",
            Self::Priority => "priority",
            Self::Random => "random",
        }
    }
}

/// Least and most of a resource in the whole cluster (`cores-total` and its like).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceLimit {
    /// Least: scale-down stops there.
    pub min: u64,
    /// Most: scale-up stops there.
    pub max: u64,
}

/// Cluster Autoscaler. Field names are flag names.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterAutoscaler {
    /// `scan-interval`.
    pub scan_interval: SimDuration,
    /// `scale-down-enabled`.
    pub scale_down_enabled: bool,
    /// `scale-down-unneeded-time`.
    pub scale_down_unneeded_time: SimDuration,
    /// `scale-down-delay-after-add`.
    pub scale_down_delay_after_add: SimDuration,
    /// `scale-down-delay-after-delete`.
    pub scale_down_delay_after_delete: SimDuration,
    /// `scale-down-delay-type-local`: the delays count for each group apart.
    pub scale_down_delay_type_local: bool,
    /// `scale-down-utilization-threshold`.
    pub scale_down_utilization_threshold: f64,
    /// `scale-down-gpu-utilization-threshold`.
    pub scale_down_gpu_utilization_threshold: f64,
    /// `max-scale-down-parallelism` (`max-empty-bulk-delete` before 1.33).
    pub max_scale_down_parallelism: u32,
    /// `max-drain-parallelism`; 1 before the flag came.
    pub max_drain_parallelism: u32,
    /// `node-delete-delay-after-taint`.
    pub node_delete_delay_after_taint: SimDuration,
    /// `ignore-daemonsets-utilization`.
    pub ignore_daemonsets_utilization: bool,
    /// `skip-nodes-with-local-storage`.
    pub skip_nodes_with_local_storage: bool,
    /// `skip-nodes-with-custom-controller-pods`; true before the flag came.
    pub skip_nodes_with_custom_controller_pods: bool,
    /// `max-node-provision-time`.
    pub max_node_provision_time: SimDuration,
    /// `max-nodes-total`; `None` = no limit.
    pub max_nodes_total: Option<u32>,
    /// `cores-total`, whole cores.
    pub cores_total: ResourceLimit,
    /// `memory-total`, GiB.
    pub memory_total: ResourceLimit,
    /// `gpu-total`, over all kinds of GPUs; `None` = no limit.
    pub gpu_total: Option<ResourceLimit>,
    /// `max-nodes-per-scaleup`.
    pub max_nodes_per_scaleup: u32,
    /// `new-pod-scale-up-delay`.
    pub new_pod_scale_up_delay: SimDuration,
    /// `scale-up-from-zero`.
    pub scale_up_from_zero: bool,
    /// `enforce-node-group-min-size`.
    pub enforce_node_group_min_size: bool,
    /// `salvo-scale-up`: several options in one loop.
    pub salvo_scale_up: bool,
    /// `balance-similar-node-groups`.
    pub balance_similar_node_groups: bool,
    /// `balancing-ignore-label`.
    pub balancing_ignore_labels: Vec<String>,
    /// `balancing-label`: where given, only these labels are compared.
    pub balancing_labels: Vec<String>,
    /// `memory-difference-ratio`.
    pub memory_difference_ratio: f64,
    /// `max-allocatable-difference-ratio`.
    pub max_allocatable_difference_ratio: f64,
    /// `max-free-difference-ratio`.
    pub max_free_difference_ratio: f64,
    /// `initial-node-group-backoff-duration`.
    pub initial_node_group_backoff_duration: SimDuration,
    /// `max-node-group-backoff-duration`.
    pub max_node_group_backoff_duration: SimDuration,
    /// `node-group-backoff-reset-timeout`.
    pub node_group_backoff_reset_timeout: SimDuration,
    /// `expander`, in order; ties that remain are settled at random.
    pub expander: Vec<Expander>,
    /// The `priority` expander's table (ConfigMap `cluster-autoscaler-priority-expander`).
    pub priorities: Vec<(i32, Vec<GroupPattern>)>,
    /// `expendable-pods-priority-cutoff`.
    pub expendable_pods_priority_cutoff: i32,
}

impl ClusterAutoscaler {
    /// The release's defaults.
    ///
    /// Source: facts-kubernetes 2.1 (`cluster-autoscaler-release-1.36`, `config/flags/flags.go`,
    /// and the changes measured across branches): expander `random` up to 1.32. Limits before
    /// their flags came (backoff 1.25, drain parallelism 1.26) were the same constants.
    pub fn default_of(version: KubernetesVersion) -> Self {
        let expander = if version.minor >= 33 { Expander::LeastWaste } else { Expander::Random };
        Self {
            scan_interval: SimDuration::seconds(10),
            scale_down_enabled: true,
            scale_down_unneeded_time: SimDuration::minutes(10),
            scale_down_delay_after_add: SimDuration::minutes(10),
            scale_down_delay_after_delete: SimDuration::ZERO,
            scale_down_delay_type_local: false,
            scale_down_utilization_threshold: 0.5,
            scale_down_gpu_utilization_threshold: 0.5,
            max_scale_down_parallelism: 10,
            max_drain_parallelism: 1,
            node_delete_delay_after_taint: SimDuration::seconds(5),
            ignore_daemonsets_utilization: false,
            skip_nodes_with_local_storage: true,
            skip_nodes_with_custom_controller_pods: true,
            max_node_provision_time: SimDuration::minutes(15),
            max_nodes_total: None,
            cores_total: ResourceLimit { min: 0, max: 5000 * 64 },
            memory_total: ResourceLimit { min: 0, max: 5000 * 64 * 20 },
            gpu_total: None,
            max_nodes_per_scaleup: 1000,
            new_pod_scale_up_delay: SimDuration::ZERO,
            scale_up_from_zero: true,
            enforce_node_group_min_size: false,
            salvo_scale_up: false,
            balance_similar_node_groups: false,
            balancing_ignore_labels: Vec::new(),
            balancing_labels: Vec::new(),
            memory_difference_ratio: 0.015,
            max_allocatable_difference_ratio: 0.05,
            max_free_difference_ratio: 0.05,
            initial_node_group_backoff_duration: SimDuration::minutes(5),
            max_node_group_backoff_duration: SimDuration::minutes(30),
            node_group_backoff_reset_timeout: SimDuration::hours(3),
            expander: vec![expander],
            priorities: Vec::new(),
            expendable_pods_priority_cutoff: -10,
        }
    }
}
