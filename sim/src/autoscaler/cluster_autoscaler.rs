//! Cluster Autoscaler: every `scan-interval`, scale up for pods that cannot be placed, then scale
//! down nodes that are not needed.
//!
//! Models the loop in its order (facts-kubernetes 2.2 and 2.3): pods that fit existing or upcoming
//! nodes are dropped; one scale-up a loop, of the group that the expander chooses; failed launches
//! and backoff; unneeded timers and cooldowns; a node that runs a pod which may not be evicted (any
//! Spark pod without `safe-to-evict: "true"`) stays. Leaves out: disruption budgets.
//!
//! Scans at which nothing can change are skipped, not simulated. What a scan reads beside the clock:
//! unschedulable pods (while there are any, it scans), the nodes' pods and states, and its own
//! timers, which count only for unneeded nodes (while one could go, or could become needed again
//! because others fill up, it scans). A node becomes unneeded, or is kept for another reason, only
//! when a pod is bound or ends or a node becomes ready, and those wake the loop ([`arm`]), as do
//! parked pods and failed launches. Scans stay on the grid of the interval, and random choices are
//! keyed by the time, so a loop that never sleeps (`RunOptions::every_scan`) decides and says the
//! same, at the same times: a property test compares them.

pub(crate) mod backoff;
mod drainability;
pub(crate) mod eligibility;
pub(crate) mod estimator;
pub(crate) mod expander;
pub(crate) mod limits;
pub(crate) mod removal;
mod scale_down;
mod scale_up;
mod similar_groups;
pub(crate) mod utilization;

use crate::cluster::{NodeId, NodeState};
use crate::engine::event::{AutoscalerEvent, Event};
use crate::engine::world::{Cx, World};
use crate::outcome::{ScalingDecision, ScalingRecord};
use crate::units::{SimDuration, SimTime};
use backoff::BackoffTimes;

/// What Cluster Autoscaler remembers.
#[derive(Debug, Default)]
pub(crate) struct ClusterAutoscalerState {
    /// A scan is in the calendar, or going on.
    armed: bool,
    /// Something changed since the last scan began: what a scan does itself is seen by the next one,
    /// an interval later.
    woken: bool,
    /// When it last scaled up.
    last_scale_up: Option<SimTime>,
    /// When it last deleted a node.
    last_delete: Option<SimTime>,
}

/// The simulation begins.
pub(super) fn start(world: &mut World, cx: &mut Cx<'_>) {
    if cx.options.every_scan {
        arm(world, cx);
    }
}

/// Something changed that the next scan may act on.
pub(super) fn arm(world: &mut World, cx: &mut Cx<'_>) {
    let Some(flags) = cx.scenario.cluster_autoscaler() else {
        return;
    };
    let Some(state) = world.autoscaler.cluster_autoscaler_mut() else {
        return;
    };
    state.woken = true;
    if !state.armed {
        state.armed = true;
        // A scan that is due at this very moment still sees what happened at it.
        let step = flags.scan_interval.max(SimDuration::seconds(1));
        cx.at(cx.now.round_up_to(step), Event::Autoscaler(AutoscalerEvent::Scan));
    }
}

/// A node takes pods.
pub(super) fn node_ready(world: &mut World, cx: &mut Cx<'_>, node: NodeId) {
    let pool = world.cluster.kinds.get(world.cluster.nodes[node].kind).pool;
    if world.pools[pool as usize].backoff.is_known() && !any_upcoming(world, pool) {
        // All that was asked for came: upstream then takes the group for healthy.
        world.pools[pool as usize].backoff.remove();
    }
    arm(world, cx);
}

fn any_upcoming(world: &World, pool: u32) -> bool {
    let mut nodes = world.cluster.in_order.iter().map(|id| &world.cluster.nodes[*id]);
    world.pools[pool as usize].unfulfilled > 0
        || nodes.any(|node| {
            node.state == NodeState::Booting && world.cluster.kinds.get(node.kind).pool == pool
        })
}

/// The autoscaler learns of a failed launch: the group backs off.
pub(super) fn launch_failed(world: &mut World, cx: &mut Cx<'_>, pool: u32, reason: &'static str) {
    let Some(flags) = cx.scenario.cluster_autoscaler() else {
        return;
    };
    let times = BackoffTimes {
        initial: flags.initial_node_group_backoff_duration,
        max: flags.max_node_group_backoff_duration,
        reset: flags.node_group_backoff_reset_timeout,
    };
    let state = &mut world.pools[pool as usize];
    let was_backed_off = state.backoff.is_backed_off(cx.now);
    let until = state.backoff.fail(cx.now, &times);
    let mut tell = |decision, reason: &str| {
        let pool = Some(pool);
        cx.sink.scaling(ScalingRecord { at: cx.now, pool, node: None, decision, reason });
    };
    tell(ScalingDecision::LaunchFailed, reason);
    if !was_backed_off {
        tell(ScalingDecision::BackedOff, &format!("backed off until {until}: {reason}"));
    }
    arm(world, cx);
}

/// A turn of the loop.
pub(super) fn on_scan(world: &mut World, cx: &mut Cx<'_>) {
    let Some(flags) = cx.scenario.cluster_autoscaler() else {
        return;
    };
    let Some(state) = world.autoscaler.cluster_autoscaler_mut() else {
        return;
    };
    state.woken = false;
    let below = flags.enforce_node_group_min_size && scale_up::enforce_min_size(world, cx);
    let pending = scale_up::scale_up(world, cx, flags);
    let shrinking = flags.scale_down_enabled && scale_down::scale_down(world, cx, flags);
    let Some(state) = world.autoscaler.cluster_autoscaler_mut() else {
        return;
    };
    state.armed = pending || shrinking || below || state.woken || cx.options.every_scan;
    if state.armed {
        let step = flags.scan_interval.max(SimDuration::seconds(1));
        cx.after(step, Event::Autoscaler(AutoscalerEvent::Scan));
    }
}
