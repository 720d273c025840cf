//! Container images: which are on a node, and when those that are not arrive.
//!
//! Models: images made of layers that images share; a pod's containers start when all its images
//! are there; pods of a node that wait for the same image wait for one pull; a pre-puller
//! DaemonSet that pulls as soon as the node joins; the kubelet's pulls one after the other, or
//! `maxParallelImagePulls` at a time; the node's rate and the registry's, shared by the nodes that
//! pull (`registry`); garbage collection (`garbage_collection`). The measured rate is of
//! compressed bytes from the registry to the unpacked image, so that unpacking takes no time of
//! its own.
//!
//! Leaves out: failed pulls and their back-off (no registry fails here); `registryPullQPS` 5 with
//! a burst of 10, which pulls that are not repeated for every pod never reach; lazy loading
//! (SOCI); images of plain and pause pods; images that the scenario gives no size for, sidecars'
//! above all, which are there at once. Source: facts-kubernetes 1.5, facts-cloud section 4.

mod catalog;
pub(crate) mod garbage_collection;
mod registry;
mod store;

pub(crate) use catalog::ImageCatalog;
pub(crate) use registry::Registry;
pub(crate) use store::ImageStore;

use crate::cluster::{Cluster, Node, NodeId, PodId};
use crate::engine::event::{Event, ImageEvent};
use crate::engine::world::{Cx, World};
use crate::lifecycle;

/// The node has joined: a pre-puller starts at once.
pub(crate) fn on_node_joined(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    if world.images.pre_pulled.is_empty() {
        return;
    }
    for image in &world.images.pre_pulled {
        world.cluster.nodes[node_id].image_store.ask_for(*image);
    }
    pull(world, cx, node_id);
}

/// Whether all images of a pod that was bound to `node_id` are there. Asks for those that are not:
/// [`lifecycle::start_containers`] is called when the last of them is.
pub(crate) fn are_there(
    world: &mut World,
    cx: &mut Cx<'_>,
    pod_id: PodId,
    node_id: NodeId,
) -> bool {
    let Cluster { nodes, pods, specs, .. } = &mut world.cluster;
    let placement = specs.placement(specs.get(pods[pod_id].spec).placement);
    let store = &mut nodes[node_id].image_store;
    let mut missing = false;
    for image in &placement.images {
        if !world.images.layers(*image).is_empty() && !store.use_image(*image, cx.now) {
            store.ask_for(*image);
            missing = true;
        }
    }
    if missing {
        pull(world, cx, node_id);
    }
    !missing
}

/// The registry's next pull is through.
pub(crate) fn on_pulled(world: &mut World, cx: &mut Cx<'_>, generation: u32) {
    if generation != world.registry.generation {
        return;
    }
    world.registry.scheduled = None;
    world.registry.tick(cx.now);
    while let Some(node_id) = world.registry.first_through() {
        let store = &mut world.cluster.nodes[node_id].image_store;
        store.settle(world.registry.clock);
        let arrived = store.complete(cx.now);
        start_pulls(world, cx, node_id);
        if arrived {
            let images = world.cluster.nodes[node_id].image_store.reported();
            world.cluster.set_node_images(node_id, images);
            start_waiting_pods(world, cx, node_id);
            garbage_collection::arm(world, cx, node_id);
        }
    }
    schedule(world, cx);
}

/// The node is gone: nothing is pulled to it any more.
pub(crate) fn on_node_gone(world: &mut World, cx: &mut Cx<'_>, id: NodeId, node: &Node) {
    if node.image_store.is_pulling() {
        world.registry.tick(cx.now);
        world.registry.set_end(id, node.number, node.image_store.ends, None);
        schedule(world, cx);
    }
}

/// Starts pulls of what the node was asked for, as far as the kubelet may.
fn pull(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    world.registry.tick(cx.now);
    world.cluster.nodes[node_id].image_store.settle(world.registry.clock);
    start_pulls(world, cx, node_id);
    schedule(world, cx);
}

fn start_pulls(world: &mut World, cx: &Cx<'_>, node_id: NodeId) {
    let node = &mut world.cluster.nodes[node_id];
    let parallel = cx.scenario.images.max_parallel_pulls.max(1) as usize;
    let bytes = node.image_store.start(&world.images, parallel);
    if bytes > 0 && cx.scenario.fees.nat.is_some_and(|nat| nat.image_pulls) {
        world.books.nat(cx.now, bytes);
    }
    let (before, end) = (node.image_store.ends, node.image_store.next_end());
    node.image_store.ends = end;
    world.registry.set_end(node_id, node.number, before, end);
}

/// Makes sure that an event comes when the next pull is through.
fn schedule(world: &mut World, cx: &mut Cx<'_>) {
    let next = world.registry.next();
    if next != world.registry.scheduled {
        world.registry.scheduled = next;
        world.registry.generation = world.registry.generation.wrapping_add(1);
        if let Some(at) = next {
            cx.at(at, Event::Image(ImageEvent::Pulled(world.registry.generation)));
        }
    }
}

/// Starts the pods of the node that waited for nothing else.
fn start_waiting_pods(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    for place in 0..world.cluster.nodes[node_id].pods.len() {
        let Cluster { nodes, pods, specs, .. } = &world.cluster;
        let node = &nodes[node_id];
        let pod_id = node.pods[place];
        let pod = &pods[pod_id];
        if !pod.waits_for_images {
            continue;
        }
        let placement = specs.placement(specs.get(pod.spec).placement);
        let here = |image| world.images.layers(image).is_empty() || node.image_store.has(image);
        if placement.images.iter().all(|image| here(*image)) {
            lifecycle::start_containers(world, cx, pod_id);
        }
    }
}
