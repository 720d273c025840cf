//! Spot interruptions: shock, notice, drain, reclaim.

use crate::cluster::{NodeId, NodeState};
use crate::engine::event::{Event, SpotEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::PodResult;
use crate::spark::application;
use crate::{autoscaler, lifecycle};

use super::rebalance;

/// Sets the weather, and schedules its first turns.
pub(crate) fn start(world: &mut World, cx: &mut Cx<'_>) {
    world.spot.set_weather(&cx.scenario.assumptions.spot, cx.seed);
    for place in 0..world.spot.processes.len() as u32 {
        let process = &mut world.spot.processes[place as usize];
        process.next = process.start(cx.seed);
        if process.tight {
            hold(world, place);
        }
        schedule(world, cx, place);
    }
}

/// The weather turns: a process holds its pools tight, or lets them go; a shock takes some of their
/// nodes.
pub(crate) fn on_weather_turned(world: &mut World, cx: &mut Cx<'_>, place: u32) {
    let process = &mut world.spot.processes[place as usize];
    let Some(turn) = process.next.take() else {
        return;
    };
    let (shock, was_tight) = (process.shock(turn.share_taken), process.tight);
    process.next = process.turn(cx.seed, &turn);
    match (was_tight, turn.tight) {
        (false, true) => hold(world, place),
        (true, false) => release(world, place),
        _ => {}
    }
    if turn.share_taken > 0.0 {
        for node in rebalance::nodes_of(world, place) {
            if shock.takes(world, cx, node) {
                give_notice(world, cx, node);
            }
        }
    }
    schedule(world, cx, place);
}

/// The notice is over: the instance goes with whatever is still on it, and its group replaces it.
pub(crate) fn on_instance_reclaimed(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    if world.cluster.nodes.get(node_id).is_none() {
        return;
    }
    lifecycle::evict_all(world, cx, node_id, PodResult::SpotReclaimed);
    lifecycle::end_all_terminating(world, cx, node_id);
    cx.outcome.spot_interruptions += 1;
    rebalance::leave(world, cx, node_id);
}

fn hold(world: &mut World, place: u32) {
    for pool in &world.spot.processes[place as usize].pools {
        world.spot.pools[*pool as usize].tight += 1;
    }
}

fn release(world: &mut World, place: u32) {
    for pool in &world.spot.processes[place as usize].pools {
        world.spot.pools[*pool as usize].tight -= 1;
    }
}

fn give_notice(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    // Ending one node's driver may have changed others, but never removes a node.
    let stays = autoscaler::may_still_stay(world, node_id);
    let node = &mut world.cluster.nodes[node_id];
    if node.state == NodeState::Cordoned && !stays {
        // It is on its way out already.
        return;
    }
    let notice = cx.scenario.assumptions.spot_notice;
    node.interrupted = true;
    node.gone_at = Some(cx.now.saturating_add(notice));
    world.cluster.set_node_state(node_id, NodeState::Cordoned);
    cx.after(notice, Event::Spot(SpotEvent::InstanceReclaimed(node_id)));
    if autoscaler::node_interrupted(world, cx, node_id) {
        return;
    }
    if cx.scenario.assumptions.spot_drain {
        lifecycle::evict_all(world, cx, node_id, PodResult::SpotReclaimed);
    } else if cx.scenario.spark.decommission.enabled {
        application::decommission_all(world, cx, node_id);
    }
}

/// Schedules the next turn, and the recommendations before it.
fn schedule(world: &World, cx: &mut Cx<'_>, place: u32) {
    if let Some(turn) = world.spot.processes[place as usize].next {
        cx.at(turn.at, Event::Spot(SpotEvent::WeatherTurned(place)));
        rebalance::schedule(world, cx, place, &turn);
    }
}
