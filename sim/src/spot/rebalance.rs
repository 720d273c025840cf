//! Rebalance recommendations, and nodes that leave because of one.
//!
//! Models: before a shock, after a random lead time, a share of the nodes that it will take
//! (`recall`) get a recommendation, and so many others that `precision` of all recommendations are
//! right; it is ignored, answered by a drain (node termination handler), or by a replacement that is
//! launched first (capacity rebalancing). A replacement may take the group above its maximum for a
//! while, as in Auto Scaling groups; where the cloud has no instance, the node stays. Leaves out:
//! recommendations without a shock to come, nodes launched after the recommendation, the handler's
//! own grace period. Source: facts-cloud 6, facts-kubernetes 3.
//!
//! Which nodes a shock takes is drawn from their numbers in their capacity pool, and can so be known
//! ahead.

use super::weather::Turn;
use crate::cluster::{NodeId, NodeState};
use crate::engine::event::{Event, SpotEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::PodResult;
use crate::scenario::{Rebalance, RebalanceResponse};
use crate::units::SimTime;
use crate::{Severity, autoscaler, lifecycle, provisioner};

/// One shock: enough to tell which nodes it takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shock {
    /// Key of its process.
    pub(super) key: u64,
    /// The turns of the process before it.
    pub(super) number: u64,
    /// Share of nodes that it takes.
    pub(super) share: f64,
}

impl Shock {
    /// Whether it takes the node.
    pub(super) fn takes(&self, world: &World, cx: &Cx<'_>, node: NodeId) -> bool {
        self.share > 0.0 && self.draw(world, cx, node, "spot-taken") < self.share
    }

    fn draw(&self, world: &World, cx: &Cx<'_>, node: NodeId, purpose: &'static str) -> f64 {
        let node = &world.cluster.nodes[node];
        let pool = world.spot.pool_of(node.kind).map(|place| &world.spot.pools[place as usize]);
        let [instance_type, zone] = pool.map_or([0, 0], |pool| pool.keys);
        let keys = [instance_type, zone, self.key, self.number, node.spot_number];
        cx.seed.uniform(purpose, &keys)
    }
}

/// The nodes of a process' pools that are not interrupted, in order of launch.
pub(super) fn nodes_of(world: &World, process: u32) -> Vec<NodeId> {
    let pools = &world.spot.processes[process as usize].pools;
    let nodes = world.cluster.in_order.iter().copied();
    let mine = |id: &NodeId| {
        let node = &world.cluster.nodes[*id];
        !node.interrupted && world.spot.pool_of(node.kind).is_some_and(|pool| pools.contains(&pool))
    };
    nodes.filter(mine).collect()
}

/// Schedules the recommendations before `turn`, where anybody listens.
pub(super) fn schedule(world: &World, cx: &mut Cx<'_>, process: u32, turn: &Turn) {
    let settings = &cx.scenario.assumptions.rebalance;
    if settings.response == RebalanceResponse::Ignore || turn.share_taken <= 0.0 {
        return;
    }
    let of = &world.spot.processes[process as usize];
    // All zones of a regional shock are told at once: the key of the first pool's type tells types
    // apart.
    let first = of.pools.first().map_or([0, 0], |pool| world.spot.pools[*pool as usize].keys);
    let keys = [first[0], if of.key == 0 { first[1] } else { of.key }, of.turns];
    let lead = lead(settings, cx.seed.uniform("spot-rebalance-lead", &keys));
    let at = turn.at.since(SimTime::ZERO).saturating_sub(lead);
    let at = SimTime::ZERO.saturating_add(at);
    cx.at(at, Event::Spot(SpotEvent::Recommended(process, of.turns)));
}

/// The lead time at `draw`, in 0 to 1, rounded to a millisecond.
fn lead(settings: &Rebalance, draw: f64) -> crate::units::SimDuration {
    let shortest = settings.lead_min.as_secs_f64().max(1.0);
    let longest = settings.lead_max.as_secs_f64().max(shortest);
    let seconds = shortest * (longest / shortest).powf(draw);
    crate::units::SimDuration::from_secs_f64(seconds)
}

/// The chance of a node that the shock will not take to get a recommendation nevertheless.
fn false_alarm(settings: &Rebalance, share: f64) -> f64 {
    let wrong = 1.0 / settings.precision.max(1e-6) - 1.0;
    let others = (1.0 - share).max(1e-9);
    (share * settings.recall * wrong / others).clamp(0.0, 1.0)
}

/// Nodes get their recommendations; stale if the process has turned since.
pub(crate) fn on_recommended(world: &mut World, cx: &mut Cx<'_>, process: u32, turns: u64) {
    let of = &world.spot.processes[process as usize];
    let Some(turn) = of.next.filter(|_| of.turns == turns) else {
        return;
    };
    let shock = of.shock(turn.share_taken);
    let settings = cx.scenario.assumptions.rebalance;
    for node in nodes_of(world, process) {
        let chance = match shock.takes(world, cx, node) {
            true => settings.recall,
            false => false_alarm(&settings, shock.share),
        };
        if shock.draw(world, cx, node, "spot-recommended") < chance {
            respond(world, cx, node, settings.response);
        }
    }
}

fn respond(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId, response: RebalanceResponse) {
    // Ending one node's driver may have changed others.
    let node = &world.cluster.nodes[node_id];
    if node.state != NodeState::Ready || node.replaced {
        return;
    }
    let pool = world.cluster.kinds.get(node.kind).pool;
    if !autoscaler::replaces_lost_nodes(cx, pool) {
        let message = "rebalance recommendations do nothing under Karpenter, whatever the answer";
        let name = &cx.scenario.pools[pool as usize].name;
        return cx.find(Severity::Warning, "rebalance-ignored", name, message.to_owned());
    }
    match response {
        RebalanceResponse::Ignore => {}
        RebalanceResponse::Drain => drain(world, cx, node_id),
        RebalanceResponse::Replace => {
            if let Some(other) = provisioner::launch_replacement(world, cx, pool) {
                world.cluster.nodes[other].replaces = Some(node_id);
                world.cluster.nodes[node_id].replaced = true;
                world.pools[pool as usize].replaced += 1;
            }
        }
    }
}

/// The replacement of the node is ready: the node is drained.
pub(crate) fn on_replaced(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(node) = world.cluster.nodes.get(node_id) else {
        return;
    };
    if node.state == NodeState::Ready && node.replaced {
        drain(world, cx, node_id);
    }
}

fn drain(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    world.cluster.set_node_state(node_id, NodeState::Cordoned);
    lifecycle::evict_all(world, cx, node_id, PodResult::Deleted);
    on_drained(world, cx, node_id);
}

/// The node is empty, or some pod takes its time to end: then it goes later.
pub(crate) fn on_drained(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(node) = world.cluster.nodes.get(node_id) else {
        return;
    };
    match lifecycle::last_pod_ends_at(world, node) {
        Some(at) => cx.at(at, Event::Spot(SpotEvent::Drained(node_id))),
        None => leave(world, cx, node_id),
    }
}

/// The node goes, and its group replaces it, where that has not happened already.
pub(super) fn leave(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let node = &world.cluster.nodes[node_id];
    let (pool, replaced) = (world.cluster.kinds.get(node.kind).pool, node.replaced);
    provisioner::terminate(world, cx, node_id);
    if !replaced && autoscaler::replaces_lost_nodes(cx, pool) {
        provisioner::launch(world, cx, pool);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    #[test]
    fn false_alarms_make_the_measured_precision() {
        let settings = Rebalance::default();
        let right = 0.25 * settings.recall;
        let wrong = 0.75 * false_alarm(&settings, 0.25);
        assert!((right / (right + wrong) - 0.3).abs() < 1e-12);
        assert_eq!(false_alarm(&Rebalance { precision: 1.0, ..settings }, 0.25), 0.0);
        assert_eq!(false_alarm(&settings, 1.0), 1.0, "nobody else is there");
    }

    #[test]
    fn lead_times_are_within_what_was_measured() {
        let settings = Rebalance::default();
        assert_eq!(lead(&settings, 0.0), SimDuration::minutes(17));
        assert_eq!(lead(&settings, 1.0), SimDuration::minutes(522));
        let median = lead(&settings, 0.5);
        assert!(median > SimDuration::minutes(94) && median < SimDuration::minutes(95));
    }
}
