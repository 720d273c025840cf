//! Which capacity pool has an instance for a launch.
//!
//! Models: limits of capacity pools (instance type x zone) by number, for a time, by chance; vCPU
//! quotas by capacity type; spot pools that are tight (`spot::weather`). The group tries its pools
//! in the order of its allocation strategy, zones from the one whose turn it is.
//! Leaves out: other customers' demand beyond these, quotas by instance family.

use crate::cluster::NodeKind;
use crate::engine::world::{Cx, World};
use crate::scenario::{AllocationStrategy, CapacityLimit, CapacityType};
use crate::spot::allocation;

/// EC2's error codes.
const NO_CAPACITY: &str = "InsufficientInstanceCapacity";
const NO_SPOT_QUOTA: &str = "MaxSpotInstanceCountExceeded";
const NO_QUOTA: &str = "VcpuLimitExceeded";

/// Whether a launch of the pool may be anything but its first instance type in the next zone.
pub(super) fn matters(world: &World, cx: &Cx<'_>, pool: u32) -> bool {
    let group = &cx.scenario.pools[pool as usize];
    cx.scenario.assumptions.capacity.is_limited()
        || group.allocation_strategy != AllocationStrategy::default()
        || (group.capacity_type == CapacityType::Spot && !world.spot.processes.is_empty())
}

/// The instance type and zone of the pool's next instance; EC2's error code if there is none.
pub(super) fn find(
    world: &World,
    cx: &Cx<'_>,
    pool: u32,
    first_zone: u32,
) -> Result<(u32, u32), &'static str> {
    let mut reason = NO_CAPACITY;
    for (instance_type, zone) in allocation::order(world, cx, pool, first_zone) {
        match has_instance(world, cx, pool, instance_type, zone) {
            Ok(()) => return Ok((instance_type, zone)),
            Err(NO_CAPACITY) => {}
            Err(over) => reason = over,
        }
    }
    Err(reason)
}

/// Whether there is an instance of that type in that zone; EC2's error code if not.
pub(super) fn has_instance(
    world: &World,
    cx: &Cx<'_>,
    pool: u32,
    instance_type: u32,
    zone: u32,
) -> Result<(), &'static str> {
    let group = &cx.scenario.pools[pool as usize];
    let facts = &group.instance_types[instance_type as usize];
    if let Some(over) = over_quota(world, cx, group.capacity_type, facts.vcpu) {
        return Err(over);
    }
    let kind = world.cluster.kinds.find(pool, instance_type, zone);
    if kind.is_some_and(|kind| world.spot.is_tight(kind)) {
        return Err(NO_CAPACITY);
    }
    let limits = cx.scenario.assumptions.capacity.limits.iter().enumerate();
    let mut limits = limits.filter(|(_, limit)| {
        let wanted =
            |name: &Option<String>, own: &str| name.as_ref().is_none_or(|name| name == own);
        limit.capacity_type == group.capacity_type
            && (limit.from..limit.until).contains(&cx.now)
            && wanted(&limit.instance_type, &facts.name)
            && wanted(&limit.zone, &group.zones[zone as usize])
    });
    let place = (pool, instance_type, zone);
    match limits.any(|(number, limit)| is_short(world, cx, number, limit, place)) {
        true => Err(NO_CAPACITY),
        false => Ok(()),
    }
}

fn is_short(
    world: &World,
    cx: &Cx<'_>,
    number: usize,
    limit: &CapacityLimit,
    (pool, instance_type, zone): (u32, u32, u32),
) -> bool {
    let group = &cx.scenario.pools[pool as usize];
    let name = |kind: &NodeKind| {
        let group = &cx.scenario.pools[kind.pool as usize];
        let instance_type = &group.instance_types[kind.instance_type as usize];
        (&instance_type.name, &group.zones[kind.zone as usize])
    };
    let own = (&group.instance_types[instance_type as usize].name, &group.zones[zone as usize]);
    let nodes = world.cluster.in_order.iter().map(|id| &world.cluster.nodes[*id]);
    let kinds = nodes.map(|node| world.cluster.kinds.get(node.kind));
    let taken =
        kinds.filter(|kind| kind.capacity_type == group.capacity_type && name(kind) == own).count();
    let state = &world.pools[pool as usize];
    let keys =
        [state.key, state.launches, number as u64, u64::from(instance_type), u64::from(zone)];
    taken as u64 >= u64::from(limit.max_instances)
        && (limit.probability >= 1.0 || cx.seed.uniform("launch-fails", &keys) < limit.probability)
}

fn over_quota(
    world: &World,
    cx: &Cx<'_>,
    capacity_type: CapacityType,
    vcpu: u32,
) -> Option<&'static str> {
    let capacity = &cx.scenario.assumptions.capacity;
    let (quota, reason) = match capacity_type {
        CapacityType::Spot => (capacity.spot_vcpu_quota, NO_SPOT_QUOTA),
        CapacityType::OnDemand => (capacity.on_demand_vcpu_quota, NO_QUOTA),
    };
    let quota = u64::from(quota?);
    let nodes = world.cluster.in_order.iter().map(|id| &world.cluster.nodes[*id]);
    let kinds = nodes.map(|node| world.cluster.kinds.get(node.kind));
    let used: u64 = kinds
        .filter(|kind| kind.capacity_type == capacity_type)
        .map(|kind| kind.capacity.cpu.as_millis() / 1000)
        .sum();
    (used + u64::from(vcpu) > quota).then_some(reason)
}
