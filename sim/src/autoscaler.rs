//! Autoscalers: what adds and removes nodes. Cluster Autoscaler or Karpenter.
//!
//! The rest of the engine says here what happened to pods and nodes; nothing outside this folder
//! and the provisioner knows which autoscaler runs, if any.

pub(crate) mod cluster_autoscaler;
pub(crate) mod karpenter;

use crate::cluster::{NodeId, NodeKindId};
use crate::engine::event::AutoscalerEvent;
use crate::engine::world::{Cx, World};
use crate::scenario::{Autoscaler, Scenario};
use crate::units::SimDuration;
use cluster_autoscaler::ClusterAutoscalerState;
use karpenter::KarpenterState;

/// What the autoscaler remembers.
#[derive(Debug, Default)]
pub(crate) enum AutoscalerState {
    /// There is none: pools keep their sizes.
    #[default]
    None,
    /// Cluster Autoscaler.
    ClusterAutoscaler(ClusterAutoscalerState),
    /// Karpenter.
    Karpenter(Box<KarpenterState>),
}

impl AutoscalerState {
    /// Of the scenario's autoscaler, before anything happened.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        match &scenario.autoscaler {
            None => Self::None,
            Some(Autoscaler::ClusterAutoscaler(_)) => {
                Self::ClusterAutoscaler(ClusterAutoscalerState::default())
            }
            Some(Autoscaler::Karpenter(karpenter)) => {
                Self::Karpenter(Box::new(KarpenterState::new(karpenter)))
            }
        }
    }

    /// Cluster Autoscaler's, where that is what runs.
    fn cluster_autoscaler(&self) -> Option<&ClusterAutoscalerState> {
        match self {
            Self::ClusterAutoscaler(state) => Some(state),
            _ => None,
        }
    }

    fn cluster_autoscaler_mut(&mut self) -> Option<&mut ClusterAutoscalerState> {
        match self {
            Self::ClusterAutoscaler(state) => Some(state),
            _ => None,
        }
    }

    /// Karpenter's, where that is what runs.
    fn karpenter_mut(&mut self) -> Option<&mut KarpenterState> {
        match self {
            Self::Karpenter(state) => Some(state),
            _ => None,
        }
    }
}

/// The simulation begins; the pools' nodes are there.
pub(crate) fn start(world: &mut World, cx: &mut Cx<'_>) {
    match world.autoscaler {
        AutoscalerState::None => {}
        AutoscalerState::ClusterAutoscaler(_) => cluster_autoscaler::start(world, cx),
        AutoscalerState::Karpenter(_) => karpenter::start(world, cx),
    }
}

/// The scheduler found no node for a pod, which is parked now.
pub(crate) fn pod_unschedulable(world: &mut World, cx: &mut Cx<'_>) {
    match world.autoscaler {
        AutoscalerState::None => {}
        AutoscalerState::ClusterAutoscaler(_) => cluster_autoscaler::arm(world, cx),
        AutoscalerState::Karpenter(_) => karpenter::pod_unschedulable(world, cx),
    }
}

/// A pod was bound to the node: one that is in use now is not unneeded any more, or for another
/// reason than before.
pub(crate) fn pod_bound(world: &mut World, cx: &mut Cx<'_>, node: NodeId) {
    match world.autoscaler {
        AutoscalerState::None => {}
        AutoscalerState::ClusterAutoscaler(_) => cluster_autoscaler::arm(world, cx),
        AutoscalerState::Karpenter(_) => karpenter::pod_changed(world, cx, node),
    }
}

/// A pod left the node, which may be gone by now.
pub(crate) fn pod_ended(world: &mut World, cx: &mut Cx<'_>, node: NodeId) {
    match world.autoscaler {
        AutoscalerState::None => {}
        AutoscalerState::ClusterAutoscaler(_) => cluster_autoscaler::arm(world, cx),
        AutoscalerState::Karpenter(_) => karpenter::pod_changed(world, cx, node),
    }
}

/// The node takes pods.
pub(crate) fn node_ready(world: &mut World, cx: &mut Cx<'_>, node: NodeId) {
    match world.autoscaler {
        AutoscalerState::None => {}
        AutoscalerState::ClusterAutoscaler(_) => cluster_autoscaler::node_ready(world, cx, node),
        AutoscalerState::Karpenter(_) => karpenter::node_ready(world, cx, node),
    }
}

/// The node, of that kind, is gone.
pub(crate) fn node_gone(world: &mut World, cx: &mut Cx<'_>, node: NodeId, kind: NodeKindId) {
    if matches!(world.autoscaler, AutoscalerState::Karpenter(_)) {
        karpenter::node_gone(world, cx, node, kind);
    }
}

/// The cloud takes the node back after its notice. Tells whether the autoscaler drains it.
pub(crate) fn node_interrupted(world: &mut World, cx: &mut Cx<'_>, node: NodeId) -> bool {
    matches!(world.autoscaler, AutoscalerState::Karpenter(_))
        && karpenter::node_interrupted(world, cx, node)
}

/// A launch of the pool, or its wait for readiness, is known to have failed.
pub(crate) fn launch_failed(world: &mut World, cx: &mut Cx<'_>, pool: u32, reason: &'static str) {
    match world.autoscaler {
        AutoscalerState::None => {}
        AutoscalerState::ClusterAutoscaler(_) => {
            cluster_autoscaler::launch_failed(world, cx, pool, reason);
        }
        AutoscalerState::Karpenter(_) => karpenter::launch_failed(world, cx, pool, reason),
    }
}

/// How long the autoscaler waits for a node of the pool to become ready, and what it calls that.
pub(crate) fn launch_patience(cx: &Cx<'_>, pool: u32) -> Option<(SimDuration, &'static str)> {
    match cx.scenario.autoscaler.as_ref()? {
        Autoscaler::ClusterAutoscaler(flags) => {
            Some((flags.max_node_provision_time, "max-node-provision-time"))
        }
        Autoscaler::Karpenter(karpenter) => karpenter
            .owns(pool)
            .then_some((karpenter::REGISTRATION_TIMEOUT, "the registration timeout")),
    }
}

/// Whether the pool is a group that the autoscaler lets keep its size by itself: one that tries a
/// failed launch again.
pub(crate) fn leaves_alone(cx: &Cx<'_>, pool: u32) -> bool {
    match &cx.scenario.autoscaler {
        None => true,
        Some(Autoscaler::ClusterAutoscaler(_)) => false,
        Some(Autoscaler::Karpenter(karpenter)) => !karpenter.owns(pool),
    }
}

/// Whether the pool is a group that replaces an instance that the cloud takes. Nodes of Karpenter's
/// NodePools are no group: what their pods need is launched for the pods.
pub(crate) fn replaces_lost_nodes(cx: &Cx<'_>, pool: u32) -> bool {
    cx.scenario.karpenter().is_none_or(|karpenter| !karpenter.owns(pool))
}

/// Whether a cordoned node is not on its way out yet, but waits for its replacement.
pub(crate) fn may_still_stay(world: &World, node: NodeId) -> bool {
    match &world.autoscaler {
        AutoscalerState::Karpenter(state) => state.waits_for_replacement(node),
        _ => false,
    }
}

/// One of the autoscaler's own events.
pub(crate) fn on_event(world: &mut World, cx: &mut Cx<'_>, event: AutoscalerEvent) {
    match event {
        AutoscalerEvent::Scan => cluster_autoscaler::on_scan(world, cx),
        AutoscalerEvent::Karpenter(event) => karpenter::on_event(world, cx, event),
    }
}
