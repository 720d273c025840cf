//! Whether the cloud has an instance when one is asked for.

use super::CapacityType;
use crate::units::{SimDuration, SimTime};

/// What limits launches. The default is a cloud without limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Capacity {
    /// Limits of capacity pools; one that says no is enough.
    pub limits: Vec<CapacityLimit>,
    /// vCPU quota of spot instances; `None` = no limit.
    pub spot_vcpu_quota: Option<u32>,
    /// vCPU quota of on-demand instances; `None` = no limit.
    pub on_demand_vcpu_quota: Option<u32>,
    /// When the autoscaler learns that a launch fails; `None` = never, so that it waits for
    /// `max-node-provision-time`. Guess: a minute, as the group's scaling activity must fail and be
    /// polled first.
    pub failure_seen_after: Option<SimDuration>,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            limits: Vec::new(),
            spot_vcpu_quota: None,
            on_demand_vcpu_quota: None,
            failure_seen_after: Some(SimDuration::minutes(1)),
        }
    }
}

impl Capacity {
    /// Whether there is any limit at all.
    pub const fn is_limited(&self) -> bool {
        !self.limits.is_empty()
            || self.spot_vcpu_quota.is_some()
            || self.on_demand_vcpu_quota.is_some()
    }
}

/// A limit of the capacity pools (instance type x zone) that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityLimit {
    /// Spot or on-demand.
    pub capacity_type: CapacityType,
    /// Instance type; `None` = every one.
    pub instance_type: Option<String>,
    /// Zone; `None` = every one.
    pub zone: Option<String>,
    /// Most instances at one time in each capacity pool; 0 = none to be had.
    pub max_instances: u32,
    /// From when it holds.
    pub from: SimTime,
    /// Until when it holds, that moment not included.
    pub until: SimTime,
    /// Chance that a launch beyond `max_instances` fails: 1 = each one does.
    pub probability: f64,
}
