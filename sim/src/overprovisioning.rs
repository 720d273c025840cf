//! Overprovisioning: a Deployment of low-priority pause pods that keep warm room.
//!
//! Models: the pause pods are there from the start; one that is pushed out, or whose node goes, is
//! made again at once by its ReplicaSet and waits for room, for which the autoscaler adds a node.

use crate::cluster::{Placement, PodOwner, PodSpec, Resources};
use crate::engine::world::{Cx, World};
use crate::lifecycle;

/// Creates the pause pods.
pub(crate) fn start(world: &mut World, cx: &mut Cx<'_>) {
    let replicas = cx.scenario.overprovisioning.as_ref().map_or(0, |pause| pause.replicas);
    for _ in 0..replicas {
        create_pause_pod(world, cx);
    }
}

/// Creates one pause pod.
pub(crate) fn create_pause_pod(world: &mut World, cx: &mut Cx<'_>) {
    let Some(pause) = cx.scenario.overprovisioning.as_ref() else {
        return;
    };
    let placement = world
        .cluster
        .specs
        .intern_placement(Placement { template: pause.template.clone(), ..Placement::default() });
    let requests = Resources::of_pod(pause.cpu, pause.memory);
    let spec = PodSpec::of(requests, placement, pause.priority);
    lifecycle::create_pod(world, cx, PodOwner::Pause, spec, 1);
}
