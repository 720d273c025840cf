//! Spot capacity and how it is taken back.
//!
//! Models: capacity pools (instance type x zone) that go tight at random times and then take a
//! share of their nodes at once; the two-minute notice; drain on notice; replacement by the Auto
//! Scaling group. Leaves out: zones of a region moving together, recorded series, rebalance
//! recommendations, launches that fail for lack of capacity, prices that move. Source: facts-cloud
//! 0.4 (interruptions are bursty: an independent exponential per node is wrong).

pub(crate) mod interruption;

use crate::cluster::NodeKinds;
use crate::rng;
use crate::scenario::{CapacityType, Scenario};

/// A capacity pool: one instance type in one zone. Pools of the scenario that share it share its
/// weather.
#[derive(Debug)]
pub(crate) struct CapacityPool {
    /// Instance type's name.
    pub(crate) instance_type: String,
    /// Zone.
    pub(crate) zone: String,
    /// Spot Advisor's band, 0 to 4.
    pub(crate) band: u8,
    /// Keys of its random streams: they do not change when the scenario does.
    pub(crate) keys: [u64; 2],
    /// Shocks so far.
    pub(crate) shocks: u64,
}

impl CapacityPool {
    /// Every capacity pool that the scenario's spot pools draw on.
    pub(crate) fn all(scenario: &Scenario, kinds: &NodeKinds) -> Vec<Self> {
        let mut pools: Vec<Self> = Vec::new();
        for (_, kind) in kinds.iter().filter(|(_, k)| k.capacity_type == CapacityType::Spot) {
            let pool = &scenario.pools[kind.pool as usize];
            let instance_type = &pool.instance_types[kind.instance_type as usize];
            let zone = &pool.zones[kind.zone as usize];
            if pools.iter().any(|p| p.instance_type == instance_type.name && p.zone == *zone) {
                continue;
            }
            pools.push(Self {
                instance_type: instance_type.name.clone(),
                zone: zone.clone(),
                band: instance_type.interruption_band.unwrap_or(2),
                keys: [rng::key_of(&instance_type.name), rng::key_of(zone)],
                shocks: 0,
            });
        }
        pools
    }

    /// How often this band's pools go tight, relative to band 2: the middles of the Spot Advisor's
    /// bands (below 5 %, 5-10, 10-15, 15-20, above 20 %), the last one open-ended and taken as 30 %
    /// (a guess; facts-cloud 0.3).
    pub(crate) fn rate(&self) -> f64 {
        const MIDDLES: [f64; 5] = [0.025, 0.075, 0.125, 0.175, 0.30];
        MIDDLES[usize::from(self.band.min(4))] / MIDDLES[2]
    }
}
