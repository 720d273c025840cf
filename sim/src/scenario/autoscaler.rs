//! Cluster Autoscaler's settings: the flags that the model follows, by upstream's names.

use serde::Serialize;

use super::KubernetesVersion;
use crate::units::SimDuration;

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
    /// Any.
    Random,
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
    /// `scale-down-utilization-threshold`.
    pub scale_down_utilization_threshold: f64,
    /// `max-scale-down-parallelism` (`max-empty-bulk-delete` before 1.33).
    pub max_scale_down_parallelism: u32,
    /// `node-delete-delay-after-taint`.
    pub node_delete_delay_after_taint: SimDuration,
    /// `ignore-daemonsets-utilization`.
    pub ignore_daemonsets_utilization: bool,
    /// `max-node-provision-time`.
    pub max_node_provision_time: SimDuration,
    /// `max-nodes-total`; `None` = no limit.
    pub max_nodes_total: Option<u32>,
    /// `max-nodes-per-scaleup`.
    pub max_nodes_per_scaleup: u32,
    /// `new-pod-scale-up-delay`.
    pub new_pod_scale_up_delay: SimDuration,
    /// `expander`, in order; ties that remain are settled at random.
    pub expander: Vec<Expander>,
    /// `expendable-pods-priority-cutoff`.
    pub expendable_pods_priority_cutoff: i32,
}

impl ClusterAutoscaler {
    /// The release's defaults.
    ///
    /// Source: facts-kubernetes 2.1 (`cluster-autoscaler-release-1.36`, `config/flags/flags.go`,
    /// and the changes measured across branches): expander `random` up to 1.32.
    pub fn default_of(version: KubernetesVersion) -> Self {
        let expander = if version.minor >= 33 { Expander::LeastWaste } else { Expander::Random };
        Self {
            scan_interval: SimDuration::seconds(10),
            scale_down_enabled: true,
            scale_down_unneeded_time: SimDuration::minutes(10),
            scale_down_delay_after_add: SimDuration::minutes(10),
            scale_down_delay_after_delete: SimDuration::ZERO,
            scale_down_utilization_threshold: 0.5,
            max_scale_down_parallelism: 10,
            node_delete_delay_after_taint: SimDuration::seconds(5),
            ignore_daemonsets_utilization: false,
            max_node_provision_time: SimDuration::minutes(15),
            max_nodes_total: None,
            max_nodes_per_scaleup: 1000,
            new_pod_scale_up_delay: SimDuration::ZERO,
            expander: vec![expander],
            expendable_pods_priority_cutoff: -10,
        }
    }
}
