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

use crate::engine::event::{AutoscalerEvent, Event};
use crate::engine::world::{Cx, World};
use crate::units::{SimDuration, SimTime};

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

/// Something changed that the next scan may act on.
pub(crate) fn arm(world: &mut World, cx: &mut Cx<'_>) {
    let Some(flags) = cx.scenario.cluster_autoscaler() else {
        return;
    };
    let Some(state) = world.autoscaler.as_mut() else {
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

/// A turn of the loop.
pub(crate) fn on_scan(world: &mut World, cx: &mut Cx<'_>) {
    let Some(flags) = cx.scenario.cluster_autoscaler() else {
        return;
    };
    let Some(state) = world.autoscaler.as_mut() else {
        return;
    };
    state.woken = false;
    let below = flags.enforce_node_group_min_size && scale_up::enforce_min_size(world, cx);
    let pending = scale_up::scale_up(world, cx, flags);
    let shrinking = flags.scale_down_enabled && scale_down::scale_down(world, cx, flags);
    let Some(state) = world.autoscaler.as_mut() else {
        return;
    };
    state.armed = pending || shrinking || below || state.woken || cx.options.every_scan;
    if state.armed {
        let step = flags.scan_interval.max(SimDuration::seconds(1));
        cx.after(step, Event::Autoscaler(AutoscalerEvent::Scan));
    }
}
