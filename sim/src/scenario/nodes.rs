//! Node pools and the instance types they are made of.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::units::{Bytes, HourlyPrice, MilliCores};

/// How the capacity is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CapacityType {
    /// Full price, not taken back.
    OnDemand,
    /// Cheaper, may be taken back after a two-minute notice.
    Spot,
}

impl CapacityType {
    /// The name in results: `on_demand` or `spot`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on_demand",
            Self::Spot => "spot",
        }
    }

    /// The value of EKS' node label `eks.amazonaws.com/capacityType`.
    pub const fn eks_label(self) -> &'static str {
        match self {
            Self::OnDemand => "ON_DEMAND",
            Self::Spot => "SPOT",
        }
    }
}

/// One instance type in one region, with what a Kubernetes node of it offers.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceType {
    /// For example `m5.xlarge`.
    pub name: String,
    /// `amd64` or `arm64`, as in the node label `kubernetes.io/arch`.
    pub arch: String,
    /// vCPUs: the node's CPU capacity.
    pub vcpu: u32,
    /// Memory capacity.
    pub memory: Bytes,
    /// CPU that pods may request.
    pub allocatable_cpu: MilliCores,
    /// Memory that pods may request.
    pub allocatable_memory: Bytes,
    /// Pods that fit by number (ENI limit or kubelet's).
    pub max_pods: u32,
    /// GPUs (`nvidia.com/gpu`).
    pub gpus: u32,
    /// On-demand price.
    pub on_demand_price: HourlyPrice,
    /// Spot price; `None` where the region's spot saving is unknown.
    pub spot_price: Option<HourlyPrice>,
    /// Spot Advisor's interruption band, 0 (below 5 %) to 4 (above 20 %).
    pub interruption_band: Option<u8>,
}

/// A group of nodes that the autoscaler grows and shrinks as one (an EKS managed node group).
#[derive(Debug, Clone, PartialEq)]
pub struct NodePool {
    /// Its name, unique in a scenario.
    pub name: String,
    /// Spot or on-demand.
    pub capacity_type: CapacityType,
    /// Instance types, in the order of the file; at least one. Which one a launch takes is up to
    /// the allocation strategy.
    pub instance_types: Vec<InstanceType>,
    /// Which of its capacity pools a launch takes.
    pub allocation_strategy: AllocationStrategy,
    /// Zones, taken in turn.
    pub zones: Vec<String>,
    /// Fewest nodes.
    pub min_size: u32,
    /// Nodes at the start.
    pub desired_size: u32,
    /// Most nodes.
    pub max_size: u32,
    /// Labels of every node, the provider's own ones among them, without zone and hostname.
    pub labels: BTreeMap<String, String>,
    /// Taints of every node.
    pub taints: Vec<Taint>,
    /// Root volume, for the storage bill and for images.
    pub volume: Bytes,
    /// Nodes carry the annotation `cluster-autoscaler.kubernetes.io/scale-down-disabled: "true"`.
    pub scale_down_disabled: bool,
    /// Kubelet `maxPods`, where it is not the type's: prefix delegation, or eksctl's
    /// `maxPodsPerNode`. What the kubelet keeps back stays the type's, as EKS computes it.
    pub max_pods: Option<u32>,
}

/// Which capacity pool (instance type x zone) of a group a launch takes, if that has an instance;
/// the next one otherwise. Source: facts-kubernetes 3 (names and when they came).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum AllocationStrategy {
    /// The first instance type in every zone, then the second one, and so on.
    #[default]
    Prioritized,
    /// The cheapest instance type of the zone whose turn it is.
    LowestPrice,
    /// The instance type with the deepest capacity in that zone.
    CapacityOptimized,
    /// The same, but the first of those that are about as deep.
    CapacityOptimizedPrioritized,
    /// The same, but the cheapest of those that are about as deep.
    PriceCapacityOptimized,
}

impl AllocationStrategy {
    /// Every strategy by its name in a scenario file, which is the EC2 API's.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("prioritized", Self::Prioritized),
        ("lowest-price", Self::LowestPrice),
        ("capacity-optimized", Self::CapacityOptimized),
        ("capacity-optimized-prioritized", Self::CapacityOptimizedPrioritized),
        ("price-capacity-optimized", Self::PriceCapacityOptimized),
    ];

    /// Whether spot requests know it; `prioritized` is of on-demand ones only.
    pub const fn is_of_spot(self) -> bool {
        !matches!(self, Self::Prioritized)
    }

    /// The name in a scenario file.
    pub fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(_, strategy)| *strategy == self);
        found.map_or("", |(name, _)| name)
    }
}

/// A node taint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taint {
    /// Key.
    pub key: String,
    /// Value, often empty.
    pub value: String,
    /// What it does to pods that do not tolerate it.
    pub effect: TaintEffect,
}

/// What a taint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum TaintEffect {
    /// No new pods.
    NoSchedule,
    /// No new pods if it can be avoided.
    PreferNoSchedule,
    /// No new pods, and running ones are evicted.
    NoExecute,
}
