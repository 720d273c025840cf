//! Node pools as Auto Scaling groups: launch, boot, termination.
//!
//! Models: a launch takes a random boot time (instance requested to kubelet ready), the pool's
//! first instance type, and its zones in turn; a reclaimed instance is replaced, because the group
//! keeps its desired size; a launch that is not ready in `max-node-provision-time` is given up and
//! the group backs off for 5 minutes (Cluster Autoscaler's `initial-node-group-backoff-duration`).
//! Leaves out: lack of capacity, quotas, allocation strategies over several instance types.

use crate::cluster::{Node, NodeId, NodeKindId, NodeState, NonZeroRequests};
use crate::engine::event::{Event, ProvisionerEvent};
use crate::engine::world::{Cx, World};
use crate::outcome::{Ledger, NodeRecord};
use crate::rng::{self, RngExt};
use crate::scenario::{CapacityType, NodePool};
use crate::units::{NanoUsd, SimDuration, SimTime};
use crate::{autoscaler::cluster_autoscaler, images, ledger, lifecycle, scheduler};
use rand_distr::StandardNormal;

/// `initial-node-group-backoff-duration`.
const GROUP_BACKOFF: SimDuration = SimDuration::minutes(5);

/// What changes about a pool.
#[derive(Debug)]
pub(crate) struct PoolState {
    /// Nodes that are billed.
    pub(crate) nodes: u32,
    /// Nodes on their way out: deleted by the autoscaler, not yet gone.
    pub(crate) leaving: u32,
    /// Launches so far.
    pub(crate) launches: u64,
    /// Key of the pool's random streams.
    key: u64,
    /// No scale-up before this, after a failed launch.
    pub(crate) backed_off_until: SimTime,
}

impl PoolState {
    /// An empty pool.
    pub(crate) fn new(pool: &NodePool) -> Self {
        Self {
            nodes: 0,
            leaving: 0,
            launches: 0,
            key: rng::key_of(&pool.name),
            backed_off_until: SimTime::ZERO,
        }
    }
}

/// The pools' desired sizes are there and ready at the start.
pub(crate) fn start(world: &mut World, cx: &mut Cx<'_>) {
    for pool in 0..cx.scenario.pools.len() as u32 {
        for _ in 0..cx.scenario.pools[pool as usize].desired_size {
            let node = new_node(world, cx, pool);
            cx.after(SimDuration::ZERO, Event::Provisioner(ProvisionerEvent::NodeReady(node)));
        }
    }
    note_peak(world, cx);
}

/// Asks for one more node of `pool`.
pub(crate) fn launch(world: &mut World, cx: &mut Cx<'_>, pool: u32) {
    let node = new_node(world, cx, pool);
    let state = &world.pools[pool as usize];
    let mut stream = cx.seed.stream("node-boot", &[state.key, state.launches]);
    let assumptions = &cx.scenario.assumptions;
    let boot = assumptions.node_boot.at(stream.sample(StandardNormal));
    // The startup taint goes when the DaemonSet pods run.
    let boot = boot + assumptions.daemonset_start;
    let patience = cx.scenario.autoscaler.as_ref().map(|ca| ca.max_node_provision_time);
    match patience {
        Some(patience) if boot > patience => {
            cx.after(patience, Event::Provisioner(ProvisionerEvent::LaunchTimedOut(node)));
        }
        _ => cx.after(boot, Event::Provisioner(ProvisionerEvent::NodeReady(node))),
    }
    note_peak(world, cx);
}

/// The node takes pods.
pub(crate) fn on_node_ready(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(node) = world.cluster.nodes.get_mut(node_id) else {
        return;
    };
    if node.state != NodeState::Booting {
        return;
    }
    node.ready_at = Some(cx.now);
    world.cluster.set_node_state(node_id, NodeState::Ready);
    world.control_plane.node_registered(cx.now);
    images::on_node_joined(world, cx, node_id);
    scheduler::room_freed(world, cx, node_id);
    cluster_autoscaler::arm(world, cx);
}

/// The launch is given up.
pub(crate) fn on_launch_timed_out(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(node) = world.cluster.nodes.get(node_id) else {
        return;
    };
    let pool = world.cluster.kinds.get(node.kind).pool;
    world.pools[pool as usize].backed_off_until = cx.now.saturating_add(GROUP_BACKOFF);
    let name = &cx.scenario.pools[pool as usize].name;
    let message = "launches not ready within max-node-provision-time were given up".to_owned();
    cx.find(crate::Severity::Warning, "launch-timed-out", name, message);
    terminate(world, cx, node_id);
    cluster_autoscaler::arm(world, cx);
}

/// The autoscaler's deletion is through.
pub(crate) fn on_node_deleted(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(node) = world.cluster.nodes.get(node_id) else {
        return;
    };
    if let Some(at) = lifecycle::last_pod_ends_at(world, node) {
        cx.at(at, Event::Provisioner(ProvisionerEvent::NodeDeleted(node_id)));
        return;
    }
    let pool = world.cluster.kinds.get(node.kind).pool;
    world.pools[pool as usize].leaving -= 1;
    terminate(world, cx, node_id);
}

/// The node is gone, its bill is closed. Its pods must be gone.
pub(crate) fn terminate(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let node = world.cluster.remove_node(node_id);
    images::on_node_gone(world, cx, node_id, &node);
    let pool = world.cluster.kinds.get(node.kind).pool;
    world.pools[pool as usize].nodes -= 1;
    close_bill(world, cx, &node);
}

/// Books what is left of the node's bill after its pods were charged, and records the node.
pub(crate) fn close_bill(world: &mut World, cx: &mut Cx<'_>, node: &Node) {
    let kind = world.cluster.kinds.get(node.kind);
    let bill = ledger::node_bill(kind.price, node.launched_at, cx.now);
    let ready_at = node.ready_at.unwrap_or(cx.now);
    let up = cx.now.since(ready_at);
    let mut cost = Ledger {
        starting: kind.price.cost_floor(ready_at.since(node.launched_at)),
        ..Ledger::default()
    };
    let held_back = kind.capacity.minus(&kind.room());
    cost.reserved = ledger::share(kind, &held_back, up);
    cost.unallocated = bill - cost.starting - cost.reserved - node.pods_cost;
    assert!(cost.unallocated >= NanoUsd::ZERO, "node {} was charged too much", node.number);

    world.books.book((kind.pool, None), &cost);
    *world.books.by_pool.entry(kind.pool).or_default() += bill;
    cx.outcome.cost.add_nodes(kind.capacity_type, bill);
    let time = ledger::billed(node.launched_at, cx.now);
    match kind.capacity_type {
        CapacityType::OnDemand => cx.outcome.node_time.0 += time,
        CapacityType::Spot => cx.outcome.node_time.1 += time,
    }
    let usage = &mut world.books.usage;
    let ms = u128::from(up.as_millis());
    usage.cpu_allocatable += u128::from(kind.allocatable.cpu.as_millis()) * ms;
    usage.memory_allocatable += u128::from(kind.allocatable.memory.as_u64()) * ms;
    cx.outcome.cost.storage += storage(cx, kind.pool, time);
    cx.sink.node(NodeRecord {
        node: node.number,
        pool: kind.pool,
        instance_type: kind.instance_type,
        zone: kind.zone,
        capacity_type: kind.capacity_type,
        launched_at: node.launched_at,
        ready_at: node.ready_at,
        terminated_at: cx.now,
        interrupted: node.interrupted,
        pods: node.pods_bound_ever,
        cost: bill,
        pods_cost: node.pods_cost,
    });
}

fn storage(cx: &Cx<'_>, pool: u32, time: SimDuration) -> NanoUsd {
    let volume = cx.scenario.pools[pool as usize].volume.as_u64();
    let part = u128::from(volume) * u128::from(time.as_millis());
    cx.scenario.fees.storage_per_gib.share_floor(part, 1 << 30)
}

fn new_node(world: &mut World, cx: &mut Cx<'_>, pool: u32) -> NodeId {
    let state = &mut world.pools[pool as usize];
    let zones = cx.scenario.pools[pool as usize].zones.len() as u64;
    let zone = (state.launches % zones) as u32;
    state.launches += 1;
    state.nodes += 1;
    let kinds = &world.cluster.kinds;
    let kind: NodeKindId = kinds.find(pool, 0, zone).expect("every pool has a kind per zone");
    let number = world.cluster.nodes_launched;
    world.cluster.nodes_launched += 1;
    let node = Node {
        number,
        kind,
        state: NodeState::Booting,
        launched_at: cx.now,
        ready_at: None,
        requested: kinds.get(kind).daemonsets,
        nonzero_requested: NonZeroRequests::of(&kinds.get(kind).daemonsets),
        images: Vec::new(),
        pods: Vec::new(),
        image_store: images::ImageStore::default(),
        gone_at: None,
        unneeded_since: None,
        interrupted: false,
        pods_bound_ever: 0,
        pods_cost: NanoUsd::ZERO,
    };
    world.cluster.add_node(node)
}

fn note_peak(world: &World, cx: &mut Cx<'_>) {
    cx.outcome.nodes_peak = cx.outcome.nodes_peak.max(world.cluster.nodes.len() as u64);
}
