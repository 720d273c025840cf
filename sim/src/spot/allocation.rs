//! Allocation strategies: which capacity pool of a group a launch tries first.
//!
//! Models: an Auto Scaling group picks the zone (its zones in turn, so that they stay balanced),
//! and its strategy the instance type within it; where the cloud has none, the next zone follows.
//! `prioritized` keeps to the first instance type as long as some zone has it. A pool's depth, which
//! only the cloud knows, is the share of time in which its weather leaves it calm; depths within a
//! factor of two of the deepest one's tight share count as equal (a guess). On-demand groups have
//! no depth, so that only prices and the order of the file tell their types apart. Leaves out:
//! weights, `spotInstancePools`, the share of on-demand instances within a group (groups of their
//! own say it, with the autoscaler's `priority` expander: see `scenarios/library/spot-drought.yaml`).
//! Source: facts-kubernetes 3.

use crate::cluster::NodeKindId;
use crate::engine::world::{Cx, World};
use crate::scenario::AllocationStrategy;
use crate::units::{HourlyPrice, SimTime};

/// Tight shares up to so many times the least one are as good. Guess.
const AS_DEEP: f64 = 2.0;

/// What is known of an instance type in a zone.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    instance_type: u32,
    price: HourlyPrice,
    tight_share: f64,
}

/// Every (instance type, zone) of the group, in the order in which a launch tries them.
pub(crate) fn order(world: &World, cx: &Cx<'_>, pool: u32, first_zone: u32) -> Vec<(u32, u32)> {
    let group = &cx.scenario.pools[pool as usize];
    let (types, zones) = (group.instance_types.len() as u32, group.zones.len() as u32);
    let in_turn = (0..zones).map(|turn| (first_zone + turn) % zones);
    if group.allocation_strategy == AllocationStrategy::Prioritized {
        let of = |instance_type| in_turn.clone().map(move |zone| (instance_type, zone));
        return (0..types).flat_map(of).collect();
    }
    let mut order = Vec::new();
    for zone in in_turn {
        let candidates = (0..types).filter_map(|instance_type| {
            let kind = world.cluster.kinds.find(pool, instance_type, zone)?;
            let depth = world.spot.pool_of(kind).map(|place| &world.spot.pools[place as usize]);
            Some(Candidate {
                instance_type,
                price: world.cluster.kinds.get(kind).price_at(cx.now),
                tight_share: depth.map_or(0.0, |pool| pool.tight_share),
            })
        });
        let sorted = sorted(group.allocation_strategy, candidates.collect());
        order.extend(sorted.into_iter().map(|found| (found.instance_type, zone)));
    }
    order
}

/// Kinds of nodes in the order in which a request that names all of them tries them.
pub(crate) fn order_kinds(
    world: &World,
    now: SimTime,
    strategy: AllocationStrategy,
    kinds: &[NodeKindId],
) -> Vec<NodeKindId> {
    let candidates = (0..).zip(kinds).map(|(place, kind)| {
        let depth = world.spot.pool_of(*kind).map(|place| &world.spot.pools[place as usize]);
        Candidate {
            instance_type: place,
            price: world.cluster.kinds.get(*kind).price_at(now),
            tight_share: depth.map_or(0.0, |pool| pool.tight_share),
        }
    });
    let sorted = sorted(strategy, candidates.collect());
    sorted.into_iter().map(|found| kinds[found.instance_type as usize]).collect()
}

fn sorted(strategy: AllocationStrategy, mut of: Vec<Candidate>) -> Vec<Candidate> {
    let least = of.iter().map(|c| c.tight_share).fold(f64::INFINITY, f64::min);
    let deep = |c: &Candidate| c.tight_share <= least * AS_DEEP;
    let by_depth = |a: &Candidate, b: &Candidate| a.tight_share.total_cmp(&b.tight_share);
    // Sorting is stable: what is equal stays in the order of the file.
    match strategy {
        AllocationStrategy::Prioritized => {}
        AllocationStrategy::LowestPrice => of.sort_by_key(|c| c.price),
        AllocationStrategy::CapacityOptimized => of.sort_by(by_depth),
        AllocationStrategy::CapacityOptimizedPrioritized => {
            of.sort_by(by_depth);
            of.sort_by_key(|c| if deep(c) { (0, c.instance_type) } else { (1, 0) });
        }
        AllocationStrategy::PriceCapacityOptimized => {
            of.sort_by(by_depth);
            of.sort_by_key(|c| if deep(c) { (0, c.price) } else { (1, HourlyPrice::ZERO) });
        }
    }
    of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(strategy: AllocationStrategy, expected: [u32; 4]) {
        let candidate = |instance_type, usd: u64, tight_share| Candidate {
            instance_type,
            price: HourlyPrice::from_nano(usd),
            tight_share,
        };
        // Deep and dear, nearly as deep and cheap, shallow and cheapest, the deepest.
        let of = vec![
            candidate(0, 40, 0.015),
            candidate(1, 20, 0.019),
            candidate(2, 10, 0.200),
            candidate(3, 30, 0.010),
        ];
        let order: Vec<u32> = sorted(strategy, of).iter().map(|c| c.instance_type).collect();
        assert_eq!(order, expected, "{}", strategy.name());
    }

    #[test]
    fn strategies_weigh_order_price_and_depth() {
        check(AllocationStrategy::Prioritized, [0, 1, 2, 3]);
        check(AllocationStrategy::LowestPrice, [2, 1, 3, 0]);
        check(AllocationStrategy::CapacityOptimized, [3, 0, 1, 2]);
        check(AllocationStrategy::CapacityOptimizedPrioritized, [0, 1, 3, 2]);
        check(AllocationStrategy::PriceCapacityOptimized, [1, 3, 0, 2]);
    }
}
