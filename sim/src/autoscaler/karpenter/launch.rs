//! Launches: which offering of a planned node's is taken.
//!
//! One request asks for at most 60 instance types, the cheapest ones, and one capacity type: spot
//! if the NodePool and the pods allow it and some spot offering is not known to lack capacity. Spot
//! offerings dearer than the cheapest on-demand one are left out where both were allowed. EC2 takes
//! spot by price-capacity-optimized and on demand the cheapest; an offering that has no instance is
//! remembered as unavailable, and the next one of the request is tried at once. Where none has one,
//! the planned node is deleted, and its pods come into the next batch. Among equal offerings zones
//! take turns (EC2 does not say which one it takes). Source: facts-kubernetes 3;
//! karpenter-provider-aws `pkg/providers/instance`.

use super::catalogue::OfferingSet;
use super::claim::Claim;
use super::{KarpenterState, NodeFacts, disruption, termination};
use crate::cluster::{NodeId, NodeKindId};
use crate::engine::event::{AutoscalerEvent, Event, KarpenterEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::{ScalingDecision, ScalingRecord};
use crate::provisioner;
use crate::scenario::{AllocationStrategy, CapacityType};
use crate::spot::allocation;
use crate::units::SimTime;

/// Most instance types of one request. Source: facts-kubernetes 3.
pub(super) const TYPES_MAX: usize = 60;

/// Launches the planned node. `why` says what for.
///
/// # Errors
/// EC2's last error code, where no offering has an instance.
pub(super) fn launch(
    world: &mut World,
    cx: &mut Cx<'_>,
    claim: &Claim,
    why: &str,
) -> Result<NodeId, &'static str> {
    let Some(settings) = cx.scenario.karpenter() else { return Err("") };
    let Some((offerings, list)) =
        super::with_state(world, |state, world| request(state, world, cx.now, claim))
    else {
        return Err("");
    };
    let mut reason = "InsufficientInstanceCapacity";
    for kind in &offerings {
        match provisioner::launch_kind(world, cx, *kind) {
            Ok(node) => {
                tell_launch(world, cx, node, &format!("{why}; instance-types {list}"));
                return Ok(node);
            }
            Err(code) => {
                reason = code;
                mark_unavailable(world, cx, *kind);
            }
        }
    }
    let pool = super::with_state(world, |state, _| state.catalogue.pools[claim.pool].place);
    let pool = pool.map_or(0, |place| settings.node_pools[place].groups[0]);
    record_failure(cx, pool, reason);
    Err(reason)
}

/// The offering has no instance now; it is tried again later, if anybody waits then.
pub(super) fn mark_unavailable(world: &mut World, cx: &mut Cx<'_>, kind: NodeKindId) {
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    if let Some(until) = state.catalogue.mark_unavailable(kind, cx.now) {
        cx.at(until, Event::Autoscaler(AutoscalerEvent::Karpenter(KarpenterEvent::OfferingBack)));
    }
}

/// Records that no node came of a planned one.
pub(super) fn record_failure(cx: &mut Cx<'_>, pool: u32, reason: &str) {
    let decision = ScalingDecision::LaunchFailed;
    let pool = Some(pool);
    cx.sink.scaling(ScalingRecord { at: cx.now, pool, node: None, decision, reason });
}

/// Offerings in the order in which EC2 takes them, and the names of the first types asked for.
fn request(
    state: &KarpenterState,
    world: &World,
    now: SimTime,
    claim: &Claim,
) -> (Vec<NodeKindId>, String) {
    let of = &state.catalogue.pools[claim.pool];
    let kinds = &world.cluster.kinds;
    let mut types = claim.by_price(of, kinds, now);
    types.truncate(TYPES_MAX);
    let list = claim.type_list(of, &types);
    let open = OpenOfferings { state, claim };
    let spot = types.iter().any(|t| open.of(*t, CapacityType::Spot).next().is_some());
    let capacity_type = if spot { CapacityType::Spot } else { CapacityType::OnDemand };
    let mut offerings: Vec<NodeKindId> =
        types.iter().flat_map(|of_type| open.of(*of_type, capacity_type)).collect();
    let price = |kind: &NodeKindId| kinds.get(*kind).price_at(now);
    if spot {
        let on_demand = types.iter().flat_map(|t| open.of(*t, CapacityType::OnDemand));
        if let Some(cheapest) = on_demand.map(|kind| price(&kind)).min() {
            let cheaper: Vec<NodeKindId> =
                offerings.iter().copied().filter(|kind| price(kind) <= cheapest).collect();
            if !cheaper.is_empty() {
                offerings = cheaper;
            }
        }
    }
    // Zones take turns among equals: sorting is stable.
    let zones = kinds.zones_len().max(1);
    let turn = world.cluster.nodes_launched as u32 % zones;
    offerings.sort_by_key(|kind| (kinds.get(*kind).zone_number + zones - turn) % zones);
    let strategy = match capacity_type {
        CapacityType::Spot => AllocationStrategy::PriceCapacityOptimized,
        CapacityType::OnDemand => AllocationStrategy::LowestPrice,
    };
    (allocation::order_kinds(world, now, strategy, &offerings), list)
}

/// Offerings of a planned node that are not known to lack capacity: others of the same batch may
/// have found out meanwhile.
struct OpenOfferings<'a> {
    state: &'a KarpenterState,
    claim: &'a Claim,
}

impl OpenOfferings<'_> {
    fn of(
        &self,
        of_type: u32,
        capacity_type: CapacityType,
    ) -> impl Iterator<Item = NodeKindId> + '_ {
        let set: &OfferingSet = &self.claim.offerings;
        let of = &self.state.catalogue.pools[self.claim.pool];
        of.offerings_in(of_type as usize, set)
            .filter(move |offering| offering.capacity_type == capacity_type)
            .map(|offering| offering.kind)
    }
}

/// Notes a launched node, and records why it was launched.
fn tell_launch(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId, why: &str) {
    let Some(settings) = cx.scenario.karpenter() else { return };
    let node = &world.cluster.nodes[node_id];
    let (number, kind) = (node.number, world.cluster.kinds.get(node.kind));
    let group = &cx.scenario.pools[kind.pool as usize];
    let pools = &settings.node_pools;
    let node_pool = pools.iter().position(|of| of.groups.contains(&kind.pool)).unwrap_or(0);
    let reason = format!(
        "{why}; launched {} in {}, {}",
        group.instance_types[kind.instance_type as usize].name,
        group.zones[kind.zone as usize],
        kind.capacity_type.name(),
    );
    cx.sink.scaling(ScalingRecord {
        at: cx.now,
        pool: Some(kind.pool),
        node: Some(number),
        decision: ScalingDecision::ScaleUp { nodes: 1 },
        reason: &reason,
    });
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let facts = NodeFacts {
        id: node_id,
        node_pool,
        last_pod_event: cx.now,
        nominated_until: cx.now,
        draining: false,
        waits: false,
        note: String::new(),
    };
    state.nodes.insert(number, facts);
    if let Some(after) = settings.node_pools[node_pool].expire_after {
        cx.after(after, termination::event(KarpenterEvent::Expired(node_id)));
    }
    disruption::changed(world, cx);
}
