//! Node pools as Auto Scaling groups: launch, boot, termination.
//!
//! Models: a launch takes a random boot time (instance requested to kubelet ready) and the capacity
//! pool that the group's allocation strategy says, its zones in turn; where that pool has nothing,
//! the next one; a reclaimed instance is replaced, because the group keeps its desired size;
//! a launch that no capacity pool or quota allows is seen to fail after a while, or hangs until
//! `max-node-provision-time`; then, and when a node is not ready by that time, the autoscaler gives
//! it up and the group backs off. Without an autoscaler the group tries again.
//! Leaves out: groups that are part spot and part on-demand; warm pools.

use crate::cluster::{Node, NodeId, NodeKindId, NodeState, NonZeroRequests};
use crate::engine::event::{Event, ProvisionerEvent, SpotEvent};
use crate::engine::world::{Cx, World};
use crate::ledger::NodeHour;
use crate::outcome::NodeRecord;
use crate::rng::{self, RngExt};
use crate::scenario::{CapacityType, NodePool};
use crate::units::{HourlyPrice, NanoUsd, SimDuration, SimTime};
use crate::{autoscaler, images, ledger, lifecycle, scheduler};
use autoscaler::cluster_autoscaler::backoff::Backoff;
use rand_distr::StandardNormal;

mod capacity;

/// What changes about a pool.
#[derive(Debug)]
pub(crate) struct PoolState {
    /// Nodes that are billed.
    pub(crate) nodes: u32,
    /// Nodes on their way out: deleted by the autoscaler, not yet gone.
    pub(crate) leaving: u32,
    /// Nodes that are there until their replacement, which is counted too, is ready.
    pub(crate) replaced: u32,
    /// Launches so far.
    pub(crate) launches: u64,
    /// Key of the pool's random streams.
    key: u64,
    /// Nodes asked for that the cloud has no instance for, as long as nobody knows.
    pub(crate) unfulfilled: u32,
    /// Why the last launch got no instance.
    failure: &'static str,
    /// No scale-up after failed launches.
    pub(crate) backoff: Backoff,
    /// When the autoscaler last grew the group.
    pub(crate) last_scale_up: Option<SimTime>,
    /// When the autoscaler last deleted a node of it.
    pub(crate) last_delete: Option<SimTime>,
    /// Why it did not grow at the last scan, as last recorded.
    pub(crate) refusal: Option<&'static str>,
}

impl PoolState {
    /// An empty pool.
    pub(crate) fn new(pool: &NodePool) -> Self {
        Self {
            nodes: 0,
            leaving: 0,
            replaced: 0,
            launches: 0,
            key: rng::key_of(&pool.name),
            unfulfilled: 0,
            failure: "",
            backoff: Backoff::default(),
            last_scale_up: None,
            last_delete: None,
            refusal: None,
        }
    }

    /// The group's desired size, as the autoscaler has set it: without nodes on their way out.
    pub(crate) const fn target(&self) -> u32 {
        self.nodes + self.unfulfilled - self.leaving - self.replaced
    }
}

/// The pools' desired sizes are there and ready at the start.
pub(crate) fn start(world: &mut World, cx: &mut Cx<'_>) {
    for pool in 0..cx.scenario.pools.len() as u32 {
        for _ in 0..cx.scenario.pools[pool as usize].desired_size {
            let zone = next_zone(world, cx, pool);
            let kind = world.cluster.kinds.find(pool, 0, zone).expect("every pool has kinds");
            let node = new_node(world, cx, kind);
            cx.after(SimDuration::ZERO, Event::Provisioner(ProvisionerEvent::NodeReady(node)));
        }
    }
    note_peak(world, cx);
}

/// Asks for one more node of `pool`.
pub(crate) fn launch(world: &mut World, cx: &mut Cx<'_>, pool: u32) {
    if let Err(reason) = try_launch(world, cx, pool) {
        launch_in_vain(world, cx, pool, reason);
    }
}

/// Launches a node of `pool` that is to replace another one, if the cloud has an instance.
pub(crate) fn launch_replacement(world: &mut World, cx: &mut Cx<'_>, pool: u32) -> Option<NodeId> {
    try_launch(world, cx, pool).ok()
}

/// Launches a node, or says why there is no instance.
fn try_launch(world: &mut World, cx: &mut Cx<'_>, pool: u32) -> Result<NodeId, &'static str> {
    let zone = next_zone(world, cx, pool);
    let (instance_type, zone) = if capacity::matters(world, cx, pool) {
        capacity::find(world, cx, pool, zone)?
    } else {
        (0, zone)
    };
    let kinds = &world.cluster.kinds;
    let kind = kinds.find(pool, instance_type, zone).expect("every type has a kind per zone");
    Ok(boot(world, cx, kind))
}

/// Launches a node of exactly this kind, if the cloud has an instance; EC2's error code if not.
pub(crate) fn launch_kind(
    world: &mut World,
    cx: &mut Cx<'_>,
    kind: NodeKindId,
) -> Result<NodeId, &'static str> {
    let of = world.cluster.kinds.get(kind);
    let (pool, instance_type, zone) = (of.pool, of.instance_type, of.zone);
    world.pools[pool as usize].launches += 1;
    capacity::has_instance(world, cx, pool, instance_type, zone)?;
    Ok(boot(world, cx, kind))
}

/// There is an instance: the node boots.
fn boot(world: &mut World, cx: &mut Cx<'_>, kind: NodeKindId) -> NodeId {
    let node = new_node(world, cx, kind);
    let pool = world.cluster.kinds.get(kind).pool;
    let state = &world.pools[pool as usize];
    let mut stream = cx.seed.stream("node-boot", &[state.key, state.launches]);
    let assumptions = &cx.scenario.assumptions;
    let boot = assumptions.node_boot.at(stream.sample(StandardNormal));
    // The startup taint goes when the DaemonSet pods run.
    let boot = boot + assumptions.daemonset_start;
    match autoscaler::launch_patience(cx, pool) {
        Some((patience, _)) if boot > patience => {
            cx.after(patience, Event::Provisioner(ProvisionerEvent::LaunchTimedOut(node)));
        }
        _ => cx.after(boot, Event::Provisioner(ProvisionerEvent::NodeReady(node))),
    }
    note_peak(world, cx);
    node
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
    if let Some(other) = node.replaces.take() {
        cx.after(SimDuration::ZERO, Event::Spot(SpotEvent::Replaced(other)));
    }
    world.cluster.set_node_state(node_id, NodeState::Ready);
    world.control_plane.node_registered(cx.now);
    images::on_node_joined(world, cx, node_id);
    scheduler::room_freed(world, cx, node_id);
    autoscaler::node_ready(world, cx, node_id);
}

/// There is no instance for the launch, and nobody knows yet.
fn launch_in_vain(world: &mut World, cx: &mut Cx<'_>, pool: u32, reason: &'static str) {
    let state = &mut world.pools[pool as usize];
    state.unfulfilled += 1;
    state.failure = reason;
    let patience = autoscaler::launch_patience(cx, pool).map(|(patience, _)| patience);
    let seen = cx.scenario.assumptions.capacity.failure_seen_after;
    // Without either, the group itself tries again after a while.
    let known = [seen, patience].into_iter().flatten().min().unwrap_or(SimDuration::minutes(1));
    cx.after(known, Event::Provisioner(ProvisionerEvent::LaunchFailed(pool)));
}

/// It is known that a launch got no instance: the autoscaler lowers the group's size again; a group
/// without an autoscaler tries again.
pub(crate) fn on_launch_failed(world: &mut World, cx: &mut Cx<'_>, pool: u32) {
    let state = &mut world.pools[pool as usize];
    state.unfulfilled -= 1;
    let reason = state.failure;
    let name = &cx.scenario.pools[pool as usize].name;
    let message = format!("launches that got no instance, the last one for {reason}");
    cx.find(crate::Severity::Warning, "launch-failed", name, message);
    autoscaler::launch_failed(world, cx, pool, reason);
    if autoscaler::leaves_alone(cx, pool) {
        launch(world, cx, pool);
    }
}

/// The launch is given up.
pub(crate) fn on_launch_timed_out(world: &mut World, cx: &mut Cx<'_>, node_id: NodeId) {
    let Some(node) = world.cluster.nodes.get(node_id) else {
        return;
    };
    let pool = world.cluster.kinds.get(node.kind).pool;
    let name = &cx.scenario.pools[pool as usize].name;
    let limit = autoscaler::launch_patience(cx, pool).map_or("", |(_, name)| name);
    let message = format!("launches not ready within {limit} were given up");
    cx.find(crate::Severity::Warning, "launch-timed-out", name, message);
    terminate(world, cx, node_id);
    let reason = match cx.scenario.karpenter() {
        None => "not ready within max-node-provision-time",
        Some(_) => "Node not registered within timeout",
    };
    autoscaler::launch_failed(world, cx, pool, reason);
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
    forget_replacement(world, node_id);
    let node = world.cluster.remove_node(node_id);
    if let Some(other) = node.replaces {
        forget_replacement(world, other);
    }
    scheduler::node_gone(world, cx, node_id);
    images::on_node_gone(world, cx, node_id, &node);
    let pool = world.cluster.kinds.get(node.kind).pool;
    world.pools[pool as usize].nodes -= 1;
    close_bill(world, cx, &node);
    autoscaler::node_gone(world, cx, node_id, node.kind);
}

/// Nothing replaces the node any more: it goes for good, or its replacement is gone.
pub(crate) fn forget_replacement(world: &mut World, node_id: NodeId) {
    if let Some(node) = world.cluster.nodes.get_mut(node_id)
        && std::mem::take(&mut node.replaced)
    {
        let pool = world.cluster.kinds.get(node.kind).pool;
        world.pools[pool as usize].replaced -= 1;
    }
}

/// Books what is left of the node's bill after its pods were charged, and records the node.
pub(crate) fn close_bill(world: &mut World, cx: &mut Cx<'_>, node: &Node) {
    let kind = world.cluster.kinds.get(node.kind);
    let ready_at = node.ready_at.unwrap_or(cx.now);
    let up = cx.now.since(ready_at);
    let parts: Vec<(u32, NodeHour)> = node_hours(world, cx, node, ready_at).collect();
    let bill: NanoUsd = parts.iter().map(|(_, part)| part.bill).sum();
    let own: NanoUsd = parts.iter().map(|(_, part)| part.starting + part.reserved).sum();
    assert!(bill >= own + node.pods_cost, "node {} was charged too much", node.number);
    for (hour, part) in &parts {
        world.books.book_node(*hour, node.kind, part);
    }
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
        disrupted_by: node.disrupted_by,
        pods: node.pods_bound_ever,
        cost: bill,
        pods_cost: node.pods_cost,
    });
}

/// The node's bill hour by hour: differences of sums from the launch on, so that the hours add up to
/// the whole exactly.
fn node_hours<'a>(
    world: &'a World,
    cx: &'a Cx<'_>,
    node: &'a Node,
    ready_at: SimTime,
) -> impl Iterator<Item = (u32, NodeHour)> + 'a {
    let kind = world.cluster.kinds.get(node.kind);
    let pool = &cx.scenario.pools[kind.pool as usize];
    let instance_type = &pool.instance_types[kind.instance_type as usize];
    let held_back = kind.capacity.minus(&kind.room());
    let (from, now) = (node.launched_at, cx.now);
    let volume = u128::from(pool.volume.as_u64());
    let fees = &cx.scenario.fees;
    let emr = fees.emr_on_ec2.map_or(HourlyPrice::ZERO, |emr| emr.price(instance_type));
    let to = from.saturating_add(ledger::billed(from, now));
    world.books.hours.cut(from, to).map(move |cut| {
        let between = |sum: &dyn Fn(SimTime) -> NanoUsd| sum(cut.to) - sum(cut.from);
        let ms = |at: SimTime| u128::from(at.since(from).as_millis());
        let part = NodeHour {
            bill: between(&|at| ledger::cost(kind, from, at)),
            starting: between(&|at| ledger::cost(kind, from, at.min(ready_at))),
            reserved: ledger::share(
                kind,
                &held_back,
                cut.from.clamp(ready_at, now),
                cut.to.clamp(ready_at, now),
            ),
            storage: between(&|at| fees.storage_per_gib.share_floor(volume * ms(at), 1 << 30)),
            emr: between(&|at| emr.cost_floor(at.since(from))),
            ..NodeHour::default()
        };
        (cut.hour, part)
    })
}

/// The zone whose turn it is.
fn next_zone(world: &mut World, cx: &Cx<'_>, pool: u32) -> u32 {
    let state = &mut world.pools[pool as usize];
    let zones = cx.scenario.pools[pool as usize].zones.len() as u64;
    let zone = (state.launches % zones) as u32;
    state.launches += 1;
    zone
}

fn new_node(world: &mut World, cx: &Cx<'_>, kind: NodeKindId) -> NodeId {
    let kinds = &world.cluster.kinds;
    world.pools[kinds.get(kind).pool as usize].nodes += 1;
    let spot_number = world.spot.count_launch(kind);
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
        lowest_priority: i32::MAX,
        image_store: images::ImageStore::default(),
        gone_at: None,
        unneeded_since: None,
        well_used: false,
        kept_because: None,
        interrupted: false,
        disrupted_by: None,
        spot_number,
        replaces: None,
        replaced: false,
        pods_bound_ever: 0,
        pods_cost: NanoUsd::ZERO,
    };
    world.cluster.add_node(node)
}

fn note_peak(world: &World, cx: &mut Cx<'_>) {
    cx.outcome.nodes_peak = cx.outcome.nodes_peak.max(world.cluster.nodes.len() as u64);
}
