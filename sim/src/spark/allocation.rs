//! The pod allocator of Spark's Kubernetes backend: executors are asked for in batches.
//!
//! Models: rounds of `allocation.batch.size` pods, one every `allocation.batch.delay` while pods
//! are missing; lost executors are replaced in the next round. Leaves out: limits on pending pods
//! and the wait for the API server to acknowledge a batch (taken to be done by the next round).
//! Source: facts-spark A3.

use super::application;
use super::attempt::AttemptId;
use crate::cluster::PodOwner;
use crate::engine::event::{Event, SparkEvent};
use crate::engine::world::{Cx, World};
use crate::lifecycle;

/// Asks for the next batch.
pub(crate) fn on_allocation_round(world: &mut World, cx: &mut Cx<'_>, id: AttemptId) {
    if !application::advance(world, cx, id) {
        return;
    }
    let attempt = &mut world.attempts[id];
    attempt.allocation_scheduled = false;
    if attempt.shape.dynamic && attempt.progress.is_started() {
        let settings = &cx.scenario.spark.dynamic_allocation;
        let limits = (attempt.shape.min, attempt.shape.max);
        let slots = attempt.shape.slots;
        attempt.target.update(cx.now, &mut attempt.progress, settings, limits, slots);
    }
    let missing = attempt.target.count.saturating_sub(attempt.executors.len() as u32);
    let batch = missing.min(cx.scenario.spark.allocation_batch_size);
    for _ in 0..batch {
        let attempt = &mut world.attempts[id];
        attempt.executors_created += 1;
        let owner = PodOwner::Executor(id, attempt.executors_created);
        let (spec, slots) = (attempt.executor_spec, attempt.shape.slots);
        let pod = lifecycle::create_pod(world, cx, owner, spec, slots);
        world.attempts[id].executors.push(pod);
    }
    if world.attempts[id].progress.is_started() {
        // New pods may turn out to be too many: that has to be looked at in time.
        application::reconsider(world, cx, id);
    } else {
        schedule_round(world, cx, id);
    }
}

/// Makes sure that a round is coming if executors are missing.
pub(crate) fn schedule_round(world: &mut World, cx: &mut Cx<'_>, id: AttemptId) {
    let attempt = &mut world.attempts[id];
    let missing = attempt.target.count > attempt.executors.len() as u32;
    if missing && !attempt.allocation_scheduled {
        attempt.allocation_scheduled = true;
        let delay = cx.scenario.spark.allocation_batch_delay;
        cx.after(delay, Event::Spark(SparkEvent::AllocationRound(id)));
    }
}
