//! Cluster Autoscaler: every `scan-interval`, scale up for pods that cannot be placed, then scale
//! down nodes that are not needed.
//!
//! Models the loop in its order (facts-kubernetes 2.2 and 2.3): pods that fit existing or upcoming
//! nodes are dropped; one scale-up a loop, of the group that the expander chooses; unneeded timers
//! and cooldowns; a node that runs a pod which may not be evicted (any Spark pod without
//! `safe-to-evict: "true"`) stays. Leaves out: similar-group balancing, resource limits, the cap
//! of ten equivalence groups per controller, disruption budgets, annotations on nodes.
//!
//! Scans at which nothing can change are skipped, not simulated: the loop sleeps while no pod is
//! unschedulable and no node above its group's minimum could become unneeded, and is woken by what
//! changes that ([`arm`]). Scans stay on the grid of the interval, so the times are the same.

mod expander;
mod scale_down;
mod scale_up;

use crate::engine::event::{AutoscalerEvent, Event};
use crate::engine::world::{Cx, World};
use crate::units::{SimDuration, SimTime};

/// What Cluster Autoscaler remembers.
#[derive(Debug, Default)]
pub(crate) struct ClusterAutoscalerState {
    /// A scan is in the calendar.
    armed: bool,
    /// When it last scaled up.
    last_scale_up: Option<SimTime>,
    /// When it last deleted a node.
    last_delete: Option<SimTime>,
    /// Scans so far, for the seeds of random choices.
    scans: u64,
}

/// Something changed that the next scan may act on.
pub(crate) fn arm(world: &mut World, cx: &mut Cx<'_>) {
    let Some(flags) = cx.scenario.autoscaler.as_ref() else {
        return;
    };
    let Some(state) = world.autoscaler.as_mut() else {
        return;
    };
    if !state.armed {
        state.armed = true;
        // A scan that is due at this very moment still sees what happened at it.
        let step = flags.scan_interval.max(SimDuration::seconds(1));
        cx.at(cx.now.round_up_to(step), Event::Autoscaler(AutoscalerEvent::Scan));
    }
}

/// A turn of the loop.
pub(crate) fn on_scan(world: &mut World, cx: &mut Cx<'_>) {
    let Some(flags) = cx.scenario.autoscaler.as_ref() else {
        return;
    };
    let Some(state) = world.autoscaler.as_mut() else {
        return;
    };
    state.armed = false;
    state.scans += 1;
    let pending = scale_up::scale_up(world, cx, flags);
    let shrinking = flags.scale_down_enabled && scale_down::scale_down(world, cx, flags);
    if pending || shrinking {
        let Some(state) = world.autoscaler.as_mut() else {
            return;
        };
        state.armed = true;
        let step = flags.scan_interval.max(SimDuration::seconds(1));
        cx.after(step, Event::Autoscaler(AutoscalerEvent::Scan));
    }
}
