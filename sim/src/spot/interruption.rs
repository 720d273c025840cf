//! Spot interruptions: shock, notice, drain, reclaim.

use rand_distr::Exp1;

use crate::cluster::{NodeId, NodeState};
use crate::engine::event::{Event, SpotEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::PodResult;
use crate::rng::RngExt;
use crate::scenario::{CapacityType, SpotModel};
use crate::spark::application;
use crate::units::SimDuration;
use crate::{lifecycle, provisioner};

/// Schedules each capacity pool's first shock.
pub(crate) fn start(world: &mut World, cx: &mut Cx<'_>) {
    for pool in 0..world.capacity_pools.len() as u32 {
        schedule_shock(world, cx, pool);
    }
}

/// A capacity pool goes tight: some of its nodes get their notice.
pub(crate) fn on_pool_shock(world: &mut World, cx: &mut Cx<'_>, place: u32) {
    let SpotModel::PoolShocks { share_taken, .. } = cx.scenario.assumptions.spot else {
        return;
    };
    let pool = &world.capacity_pools[place as usize];
    let [type_key, zone_key] = pool.keys;
    let in_pool = |id: &NodeId| {
        let node = &world.cluster.nodes[*id];
        let kind = world.cluster.kinds.get(node.kind);
        let group = &cx.scenario.pools[kind.pool as usize];
        kind.capacity_type == CapacityType::Spot
            && !node.interrupted
            && group.instance_types[kind.instance_type as usize].name == pool.instance_type
            && group.zones[kind.zone as usize] == pool.zone
    };
    let nodes: Vec<NodeId> = world.cluster.in_order.iter().copied().filter(in_pool).collect();
    for (ordinal, node) in nodes.into_iter().enumerate() {
        let keys =
            [type_key, zone_key, world.capacity_pools[place as usize].shocks, ordinal as u64];
        if cx.seed.uniform("spot-taken", &keys) < share_taken {
            give_notice(world, cx, node);
        }
    }
    world.capacity_pools[place as usize].shocks += 1;
    schedule_shock(world, cx, place);
}

/// The notice is over: the instance goes with whatever is still on it, and its group replaces it.
pub(crate) fn on_instance_reclaimed(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(node) = world.cluster.nodes.get(node_id) else {
        return;
    };
    let pool = world.cluster.kinds.get(node.kind).pool;
    lifecycle::evict_all(world, cx, node_id, PodResult::SpotReclaimed);
    lifecycle::end_all_terminating(world, cx, node_id);
    provisioner::terminate(world, cx, node_id);
    cx.outcome.spot_interruptions += 1;
    provisioner::launch(world, cx, pool);
}

fn give_notice(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    // Ending one node's driver may have changed others, but never removes a node.
    let node = &mut world.cluster.nodes[node_id];
    if node.state == NodeState::Cordoned {
        // The autoscaler is deleting it already.
        return;
    }
    let notice = cx.scenario.assumptions.spot_notice;
    node.interrupted = true;
    node.gone_at = Some(cx.now.saturating_add(notice));
    world.cluster.set_node_state(node_id, NodeState::Cordoned);
    cx.after(notice, Event::Spot(SpotEvent::InstanceReclaimed(node_id)));
    if cx.scenario.assumptions.spot_drain {
        lifecycle::evict_all(world, cx, node_id, PodResult::SpotReclaimed);
    } else if cx.scenario.spark.decommission.enabled {
        application::decommission_all(world, cx, node_id);
    }
}

/// Draws the time to the pool's next shock.
fn schedule_shock(world: &World, cx: &mut Cx<'_>, place: u32) {
    let SpotModel::PoolShocks { mean_hours_between, .. } = cx.scenario.assumptions.spot else {
        return;
    };
    let pool = &world.capacity_pools[place as usize];
    let [type_key, zone_key] = pool.keys;
    let draw: f64 = cx.seed.stream("spot-shock", &[type_key, zone_key, pool.shocks]).sample(Exp1);
    let hours = draw * mean_hours_between / pool.rate();
    let wait = SimDuration::from_secs_f64(hours * 3600.0);
    cx.after(wait, Event::Spot(SpotEvent::PoolShock(place)));
}
