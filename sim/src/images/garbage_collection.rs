//! The kubelet's image garbage collection.
//!
//! Models: every five minutes, where the disk is at least `imageGCHighThresholdPercent` full,
//! images that no pod of the node uses and that are older than `imageMinimumGCAge` go, least
//! recently used first, until the disk is `imageGCLowThresholdPercent` full. Leaves out: what
//! containers write, `imageMaximumGCAge`, and eviction of pods under disk pressure (a finding says
//! when it would come to that). Source: k8s.io/kubernetes `pkg/kubelet/images/image_gc_manager.go`
//! and `pkg/kubelet/kubelet.go` (`ImageGCPeriod`); facts-kubernetes 1.5.

use super::catalog::ImageCatalog;
use crate::Severity;
use crate::cluster::{Cluster, ImageId, Node, NodeId};
use crate::engine::event::{Event, ImageEvent};
use crate::engine::world::{Cx, World};
use crate::units::{Bytes, SimDuration, SimTime};

/// `ImageGCPeriod`.
const PERIOD: SimDuration = SimDuration::minutes(5);

/// Makes sure that the kubelet's next turn comes, if the disk is full enough.
pub(super) fn arm(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let node = &world.cluster.nodes[node_id];
    if node.image_store.collection_due || !is_full(world, cx, node) {
        return;
    }
    let since = node.ready_at.unwrap_or(cx.now);
    let turns = cx.now.since(since).as_millis() / PERIOD.as_millis() + 1;
    let at = since.saturating_add(SimDuration::from_millis(turns * PERIOD.as_millis()));
    world.cluster.nodes[node_id].image_store.collection_due = true;
    cx.at(at, Event::Image(ImageEvent::GarbageCollection(node_id)));
}

/// The kubelet's turn on a node.
pub(crate) fn on_garbage_collection(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(node) = world.cluster.nodes.get_mut(node_id) else {
        return;
    };
    node.image_store.collection_due = false;
    let low = cx.scenario.images.gc_low_percent;
    let target = percent(disk(&world.cluster, cx, &world.cluster.nodes[node_id]), low);
    let mut removed = false;
    while used(&world.images, cx, &world.cluster.nodes[node_id]) > target {
        let Some(image) = least_recently_used(&world.cluster, cx, node_id) else {
            break;
        };
        world.cluster.nodes[node_id].image_store.remove(&world.images, image);
        removed = true;
    }
    if removed {
        let images = world.cluster.nodes[node_id].image_store.reported();
        world.cluster.set_node_images(node_id, images);
    }
    let node = &world.cluster.nodes[node_id];
    let (used, disk) = (used(&world.images, cx, node), disk(&world.cluster, cx, node));
    if used >= disk {
        let pool = world.cluster.kinds.get(node.kind).pool;
        let message = format!(
            "images in use take {} of the node's {} disk: the kubelet would evict pods \
             (DiskPressure), which is not modelled",
            used, disk
        );
        let name = &cx.scenario.pools[pool as usize].name;
        cx.find(Severity::Warning, "disk-pressure", name, message);
    }
    arm(world, cx, node_id);
}

/// The image to go next: not used by a pod of the node, and old enough.
fn least_recently_used(cluster: &Cluster, cx: &Cx<'_>, node_id: NodeId) -> Option<ImageId> {
    let node = &cluster.nodes[node_id];
    let in_use = |image: ImageId| {
        node.pods.iter().any(|pod| {
            let spec = cluster.specs.get(cluster.pods[*pod].spec);
            cluster.specs.placement(spec.placement).images.contains(&image)
        })
    };
    let minimum_age = cx.scenario.images.gc_minimum_age;
    let candidates = node
        .image_store
        .held
        .iter()
        .filter(|held| cx.now.since(held.since) >= minimum_age && !in_use(held.image));
    let key = |at: SimTime| at.as_millis();
    let first = candidates.min_by_key(|held| (key(held.used_at), key(held.since), held.image.0));
    first.map(|held| held.image)
}

fn is_full(world: &World, cx: &Cx<'_>, node: &Node) -> bool {
    let high = cx.scenario.images.gc_high_percent;
    used(&world.images, cx, node) >= percent(disk(&world.cluster, cx, node), high)
}

/// What images and the system take of the node's disk.
fn used(catalog: &ImageCatalog, cx: &Cx<'_>, node: &Node) -> Bytes {
    let assumptions = &cx.scenario.assumptions;
    let images = node.image_store.size(catalog).scale_floor(assumptions.image_disk_factor);
    images.saturating_add(assumptions.system_disk)
}

fn disk(cluster: &Cluster, cx: &Cx<'_>, node: &Node) -> Bytes {
    cx.scenario.pools[cluster.kinds.get(node.kind).pool as usize].volume
}

fn percent(whole: Bytes, percent: u8) -> Bytes {
    whole.scale_floor(f64::from(percent) / 100.0)
}
