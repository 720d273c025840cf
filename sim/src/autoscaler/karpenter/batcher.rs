//! Batches: pods that come together are packed together.
//!
//! The window starts at the first pod and ends when none came for `batch-idle-duration`, at the
//! latest after `batch-max-duration`. Upstream looks at a pod again every ten seconds as long as it
//! waits; here a batch begins again when something changed that may help.
//! Source: facts-kubernetes 3 (`provisioning/batcher.go`).

use super::provisioning;
use crate::engine::event::{AutoscalerEvent, Event, KarpenterEvent};
use crate::engine::world::{Cx, World};
use crate::scenario::Karpenter;
use crate::units::SimTime;

/// The current window.
#[derive(Debug, Default)]
pub(super) struct Batcher {
    window: Option<Window>,
}

/// From the first pod on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    first: SimTime,
    last: SimTime,
}

impl Window {
    /// When it ends if no more pods come.
    fn ends_at(self, settings: &Karpenter) -> SimTime {
        let idle = self.last.saturating_add(settings.batch_idle_duration);
        idle.min(self.first.saturating_add(settings.batch_max_duration))
    }
}

/// A pod came.
pub(super) fn trigger(world: &mut World, cx: &mut Cx<'_>) {
    let Some(settings) = cx.scenario.karpenter() else { return };
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let new = Window { first: cx.now, last: cx.now };
    match &mut state.batcher.window {
        Some(window) => window.last = cx.now,
        None => {
            state.batcher.window = Some(new);
            cx.at(new.ends_at(settings), event());
        }
    }
}

/// The window may be over, or may have been extended.
pub(super) fn on_batch_over(world: &mut World, cx: &mut Cx<'_>) {
    let Some(settings) = cx.scenario.karpenter() else { return };
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let Some(window) = state.batcher.window else { return };
    let end = window.ends_at(settings);
    if cx.now < end {
        return cx.at(end, event());
    }
    state.batcher.window = None;
    provisioning::provision(world, cx);
}

/// An offering that had no capacity is tried again, if anybody still waits.
pub(super) fn on_offering_back(world: &mut World, cx: &mut Cx<'_>) {
    if world.scheduler.unschedulable().next().is_some() {
        trigger(world, cx);
    }
}

fn event() -> Event {
    Event::Autoscaler(AutoscalerEvent::Karpenter(KarpenterEvent::BatchOver))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_when_idle_or_full() {
        let settings = Karpenter::default();
        let at = SimTime::from_millis;
        let end = |first, last| Window { first: at(first), last: at(last) }.ends_at(&settings);
        assert_eq!(end(5_000, 5_000), at(6_000), "alone");
        assert_eq!(end(5_000, 5_900), at(6_900), "extended");
        assert_eq!(end(5_000, 14_500), at(15_000), "at most ten seconds");
    }
}
