//! Spot capacity and how it is taken back.
//!
//! Models: capacity pools (instance type x zone) that alternate between calm and tight spells of
//! heavy-tailed lengths, partly with their region ([`weather`]), or as recorded; a shock at the
//! start of each tight spell that takes a share of the pool's nodes at once; launches that fail
//! while the pool is tight; recommendations before, the two-minute notice, drain on notice,
//! replacement ([`interruption`], [`rebalance`]); allocation strategies ([`allocation`]). Leaves
//! out: nodes taken one by one in calm times, capacity that comes back slowly, our own demand
//! making a pool tight, instance types of one family moving together. Source: facts-cloud 0.4
//! (interruptions are bursty: an independent exponential per node is wrong).

pub(crate) mod allocation;
mod band;
pub(crate) mod forecast;
pub(crate) mod interruption;
pub(crate) mod rebalance;
pub(crate) mod weather;

use crate::cluster::{NodeKindId, NodeKinds};
use crate::rng;
use crate::scenario::{CapacityType, Scenario};
use weather::Process;

/// Every capacity pool that the scenario's spot groups draw on, and what moves them.
#[derive(Debug, Default)]
pub(crate) struct SpotMarket {
    /// Capacity pools.
    pub(crate) pools: Vec<CapacityPool>,
    /// The pool of each kind of node, where that is spot.
    of_kind: Vec<Option<u32>>,
    /// What makes them tight.
    pub(crate) processes: Vec<Process>,
}

/// A capacity pool: one instance type in one zone. Groups of the scenario that share it share its
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
    /// How many processes hold it tight.
    pub(crate) tight: u32,
    /// Nodes launched from it so far.
    pub(crate) launches: u64,
    /// Share of the time in which it is tight, in the long run: what allocation strategies take
    /// for its depth.
    pub(crate) tight_share: f64,
}

impl SpotMarket {
    /// Every capacity pool that the scenario's spot groups draw on, all calm.
    pub(crate) fn new(scenario: &Scenario, kinds: &NodeKinds) -> Self {
        let mut market = Self::default();
        for (_, kind) in kinds.iter() {
            let group = &scenario.pools[kind.pool as usize];
            let instance_type = &group.instance_types[kind.instance_type as usize];
            let zone = &group.zones[kind.zone as usize];
            let place = (kind.capacity_type == CapacityType::Spot).then(|| {
                market.place_of(&instance_type.name, zone, instance_type.interruption_band)
            });
            market.of_kind.push(place);
        }
        market
    }

    fn place_of(&mut self, instance_type: &str, zone: &str, band: Option<u8>) -> u32 {
        let mut known = self.pools.iter();
        let place = known.position(|p| p.instance_type == instance_type && p.zone == zone);
        place.unwrap_or_else(|| {
            self.pools.push(CapacityPool::new(instance_type, zone, band));
            self.pools.len() - 1
        }) as u32
    }

    /// The capacity pool of a kind of node, by its place.
    pub(crate) fn pool_of(&self, kind: NodeKindId) -> Option<u32> {
        self.of_kind.get(kind.0 as usize).copied().flatten()
    }

    /// Whether the cloud has no spot instance of this kind now.
    pub(crate) fn is_tight(&self, kind: NodeKindId) -> bool {
        self.pool_of(kind).is_some_and(|pool| self.pools[pool as usize].tight > 0)
    }

    /// The number of the node that is launched now, within its capacity pool: it does not change
    /// with what happens to other pools.
    pub(crate) fn count_launch(&mut self, kind: NodeKindId) -> u64 {
        let Some(pool) = self.pool_of(kind) else { return 0 };
        let launches = &mut self.pools[pool as usize].launches;
        *launches += 1;
        *launches - 1
    }
}

impl CapacityPool {
    fn new(instance_type: &str, zone: &str, band: Option<u8>) -> Self {
        Self {
            instance_type: instance_type.to_owned(),
            zone: zone.to_owned(),
            // The middle one, where the catalogue does not know it. Guess.
            band: band.unwrap_or(2),
            keys: [rng::key_of(instance_type), rng::key_of(zone)],
            tight: 0,
            launches: 0,
            tight_share: 0.0,
        }
    }

    /// The region of its zone: `us-west-2` of `us-west-2a`, `us-east1` of `us-east1-c`.
    pub(crate) fn region(&self) -> &str {
        self.zone.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end_matches('-')
    }
}
