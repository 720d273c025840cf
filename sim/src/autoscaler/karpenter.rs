//! Karpenter: launches nodes for pods that cannot be placed, and disrupts nodes.
//!
//! Models: batches of pods ([`batcher`]), packed onto existing and planned nodes ([`packing`]) of
//! the NodePools' instance types ([`catalogue`]) by what pods require and prefer ([`preferences`]),
//! under limits; launches of the cheapest or deepest offering, and offerings without capacity
//! ([`launch`]); the disruption loop ([`disruption`]) with emptiness, drift and consolidation under
//! budgets; expiry, interruption and the graceful drain ([`termination`]).
//!
//! Leaves out: static pools (`replicas`), capacity reservations, node overlays, node auto repair,
//! the launch timeout of five minutes (a launch succeeds or fails at once here), garbage
//! collection, scheduled maintenance events, labels of NodePools with more than one value that no
//! group carries (a node gets none of them), pod disruption budgets, volumes, DRA, and the time
//! limits of multi-node and single-node consolidation. Limits count nodes on their way out, and
//! candidates of a consolidation, so that they are never exceeded; upstream may exceed them while
//! it replaces. Nodes of groups that are not Karpenter's are left alone; their free room is used.
//!
//! Nothing polls in vain. A batch begins with a pod that was parked, and again only when an
//! offering is back, a launch failed or a node is gone while pods wait. The disruption loop stays
//! on the grid of its ten seconds; turns at which neither a pod or node has changed nor a timer is
//! due are skipped, and with them nothing is lost: consolidation itself remembers, as upstream's
//! does, that nothing has changed since it last found nothing to do. `RunOptions::every_scan` takes
//! every turn; a property test compares. Source: facts-kubernetes 3; kubernetes-sigs/karpenter v1.

mod balanced;
mod batcher;
mod budgets;
mod candidates;
mod catalogue;
mod claim;
mod consolidation;
mod disruption;
mod launch;
mod packing;
mod preferences;
mod provisioning;
mod termination;
mod topology;

use std::collections::BTreeMap;

use crate::cluster::{NodeId, NodeKindId};
use crate::engine::event::KarpenterEvent;
use crate::engine::world::{Cx, World};
use crate::scenario::Karpenter;
use crate::units::{SimDuration, SimTime};
use batcher::Batcher;
use catalogue::Catalogue;
use disruption::DisruptionLoop;
use preferences::Levels;

use super::AutoscalerState;

/// A node that has not registered for so long is given up. Source: facts-kubernetes 3.
pub(super) const REGISTRATION_TIMEOUT: SimDuration = SimDuration::minutes(15);

/// What Karpenter remembers.
#[derive(Debug)]
pub(crate) struct KarpenterState {
    /// Instance types and offerings of the NodePools.
    catalogue: Catalogue,
    /// What pods require and prefer.
    levels: Levels,
    /// The pods that came.
    batcher: Batcher,
    /// The disruption loop.
    disruption: DisruptionLoop,
    /// Nodes of the NodePools by number.
    nodes: BTreeMap<u64, NodeFacts>,
    /// Why pods of a spec get no node of a NodePool, as last recorded.
    refusals: BTreeMap<(u32, usize), String>,
    /// Pods of the last batch that got no place.
    unplaced: u32,
}

/// What is known of a node besides what the cluster holds.
#[derive(Debug, Clone)]
struct NodeFacts {
    id: NodeId,
    /// Its NodePool, by place in the settings.
    node_pool: usize,
    /// When a pod was last bound to it or left it; when it became ready, before that.
    last_pod_event: SimTime,
    /// Pods are on their way to it until then.
    nominated_until: SimTime,
    /// It is cordoned, and its pods have gone or are going.
    draining: bool,
    /// It is cordoned, and waits for what replaces it.
    waits: bool,
    /// Why it is not consolidated, as last recorded.
    note: String,
}

impl KarpenterState {
    /// Before anything happened.
    pub(super) fn new(_settings: &Karpenter) -> Self {
        Self {
            catalogue: Catalogue::default(),
            levels: Levels::default(),
            batcher: Batcher::default(),
            disruption: DisruptionLoop::default(),
            nodes: BTreeMap::new(),
            refusals: BTreeMap::new(),
            unplaced: 0,
        }
    }

    /// Whether Karpenter has cordoned the node, and the cloud may still take it before it is gone.
    pub(super) fn waits_for_replacement(&self, node: NodeId) -> bool {
        self.nodes.values().any(|facts| facts.id == node && (facts.waits || facts.draining))
    }
}

/// The simulation begins.
pub(super) fn start(world: &mut World, cx: &mut Cx<'_>) {
    let Some(settings) = cx.scenario.karpenter() else { return };
    let catalogue = Catalogue::of(&world.cluster.kinds, cx.scenario, settings);
    if let Some(state) = world.autoscaler.karpenter_mut() {
        state.catalogue = catalogue;
    }
    if cx.options.every_scan {
        disruption::arm(world, cx);
    }
}

/// A pod was parked.
pub(super) fn pod_unschedulable(world: &mut World, cx: &mut Cx<'_>) {
    batcher::trigger(world, cx);
}

/// A pod came to the node, or left it.
pub(super) fn pod_changed(world: &mut World, cx: &mut Cx<'_>, node: NodeId) {
    let number = world.cluster.nodes.get(node).map(|node| (node.number, node.pods.is_empty()));
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let facts = number.and_then(|(number, empty)| Some((state.nodes.get_mut(&number)?, empty)));
    if let Some((facts, empty)) = facts {
        facts.last_pod_event = cx.now;
        if facts.draining {
            if empty {
                cx.after(SimDuration::ZERO, termination::event(KarpenterEvent::Drained(node)));
            }
            return;
        }
    }
    disruption::changed(world, cx);
}

/// A node takes pods.
pub(super) fn node_ready(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let node = &world.cluster.nodes[node_id];
    let (number, kind) = (node.number, node.kind);
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    if let Some(facts) = state.nodes.get_mut(&number) {
        facts.last_pod_event = cx.now;
        facts.nominated_until = cx.now.saturating_add(provisioning::NOMINATION);
        let real = world.cluster.kinds.get(kind).room();
        state.catalogue.discover(kind, real);
        disruption::replacement_ready(world, cx, node_id);
    }
    disruption::changed(world, cx);
}

/// A node is gone.
pub(super) fn node_gone(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId, _kind: NodeKindId) {
    let Some(state) = world.autoscaler.karpenter_mut() else { return };
    let numbers = state.nodes.iter();
    let number = numbers.filter(|(_, facts)| facts.id == node_id).map(|(number, _)| *number).next();
    let Some(number) = number else { return };
    state.nodes.remove(&number);
    let waiting = state.unplaced > 0;
    disruption::node_gone(world, cx, node_id);
    disruption::changed(world, cx);
    if waiting {
        batcher::trigger(world, cx);
    }
}

/// The cloud takes the node back: it is drained at once. Tells whether it is one of Karpenter's.
pub(super) fn node_interrupted(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) -> bool {
    termination::interrupted(world, cx, node_id)
}

/// A node did not register in time, and is gone.
pub(super) fn launch_failed(world: &mut World, cx: &mut Cx<'_>, pool: u32, reason: &'static str) {
    let owned = cx.scenario.karpenter().is_some_and(|settings| settings.owns(pool));
    if owned {
        launch::record_failure(cx, pool, reason);
        batcher::trigger(world, cx);
    }
}

/// One of Karpenter's own events.
pub(super) fn on_event(world: &mut World, cx: &mut Cx<'_>, event: KarpenterEvent) {
    match event {
        KarpenterEvent::BatchOver => batcher::on_batch_over(world, cx),
        KarpenterEvent::OfferingBack => batcher::on_offering_back(world, cx),
        KarpenterEvent::Poll(number) => disruption::on_poll(world, cx, number),
        KarpenterEvent::Validate => disruption::on_validate(world, cx),
        KarpenterEvent::Expired(node) => termination::on_expired(world, cx, node),
        KarpenterEvent::GraceOver(node) => termination::on_grace_over(world, cx, node),
        KarpenterEvent::Drained(node) => termination::on_drained(world, cx, node),
    }
}

/// Takes the state out of the world, so that the rest of the world can be read beside it. Nothing
/// that tells the autoscaler of changes may be called meanwhile.
fn with_state<R>(
    world: &mut World,
    work: impl FnOnce(&mut KarpenterState, &mut World) -> R,
) -> Option<R> {
    let AutoscalerState::Karpenter(mut state) = std::mem::take(&mut world.autoscaler) else {
        return None;
    };
    let result = work(&mut state, world);
    world.autoscaler = AutoscalerState::Karpenter(state);
    Some(result)
}
