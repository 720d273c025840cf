//! A batch: every pod that waits is packed, and what is planned is launched.
//!
//! Pods that wait in vain are recorded with upstream's reason for each NodePool, once as long as
//! the reason stays the same.

use super::packing::{Packing, Plan, PodGroup};
use super::{KarpenterState, batcher, launch};
use crate::control_plane;
use crate::engine::world::{Cx, World};
use crate::outcome::{ScalingDecision, ScalingRecord};
use crate::scenario::Karpenter;
use crate::units::{SimDuration, SimTime};

/// How long a node that pods are on their way to is not disrupted: twice `batch-max-duration`'s
/// default. Source: upstream `state.nominationWindow`.
pub(super) const NOMINATION: SimDuration = SimDuration::seconds(20);

/// The batch is over.
pub(super) fn provision(world: &mut World, cx: &mut Cx<'_>) {
    let Some(settings) = cx.scenario.karpenter() else { return };
    let groups = pending(world);
    let all: u32 = groups.iter().map(|group| group.count).sum();
    let now = cx.now;
    let planned =
        super::with_state(world, |state, world| plan(state, world, settings, now, groups));
    let Some(plan) = planned else { return };
    for (node, _) in &plan.nominated {
        let number = world.cluster.nodes[*node].number;
        let state = world.autoscaler.karpenter_mut();
        if let Some(facts) = state.and_then(|state| state.nodes.get_mut(&number)) {
            facts.nominated_until = facts.nominated_until.max(now.saturating_add(NOMINATION));
        }
    }
    refuse(world, cx, settings, &plan);
    let mut left: u32 = plan.unplaced.iter().map(|(_, count, _)| count).sum();
    let mut failed = false;
    for claim in &plan.claims {
        let name = super::with_state(world, |state, _| state.catalogue.pools[claim.pool].place);
        let name = name.map_or("", |place| settings.node_pools[place].name.as_str());
        let why =
            format!("computed new nodeclaim(s) to fit {} pod(s), nodepool {name:?}", claim.pods);
        if launch::launch(world, cx, claim, &why).is_err() {
            failed = true;
            left += claim.pods;
        }
    }
    if let Some(state) = world.autoscaler.karpenter_mut() {
        state.unplaced = left;
    }
    if all > 0 {
        control_plane::on_scale_up(world, cx, all - left, left);
    }
    if failed {
        batcher::trigger(world, cx);
    }
}

/// Pods that the scheduler could not place, by spec.
pub(super) fn pending(world: &World) -> Vec<PodGroup> {
    let waiting = world.scheduler.unschedulable();
    waiting
        .map(|(spec, count, queue)| {
            let mut pods = queue.filter_map(|id| world.cluster.pods.get(id));
            let since = pods.next().map_or(SimTime::ZERO, |pod| pod.created_at);
            PodGroup { spec, count, since }
        })
        .collect()
}

fn plan(
    state: &mut KarpenterState,
    world: &World,
    settings: &Karpenter,
    now: SimTime,
    groups: Vec<PodGroup>,
) -> Plan {
    let KarpenterState { catalogue, levels, .. } = state;
    Packing::new(&world.cluster, catalogue, levels, settings, (now, &[])).pack(groups)
}

/// Records why pods get no node, once per change.
fn refuse(world: &mut World, cx: &mut Cx<'_>, settings: &Karpenter, plan: &Plan) {
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let mut known = std::mem::take(&mut state.refusals);
    let places: Vec<usize> = state.catalogue.pools.iter().map(|pool| pool.place).collect();
    for (spec, count, reasons) in &plan.unplaced {
        for (pool, reason) in reasons {
            let node_pool = &settings.node_pools[places[*pool]];
            let text = format!("incompatible with nodepool {:?}, {reason}", node_pool.name);
            let before = known.remove(&(spec.0, *pool));
            if before.as_ref() != Some(&text) {
                let reason = format!("{text} ({count} pod(s))");
                cx.sink.scaling(ScalingRecord {
                    at: cx.now,
                    pool: node_pool.groups.first().copied(),
                    node: None,
                    decision: ScalingDecision::NoScaleUp,
                    reason: &reason,
                });
            }
            state.refusals.insert((spec.0, *pool), text);
        }
    }
}
