//! Scale-up: how many nodes of which group the unschedulable pods need.

use super::expander::{self, GrowthOption};
use crate::cluster::{NodeId, NodeKindId, NodeState, Resources, SpecId};
use crate::engine::world::{Cx, World};
use crate::scenario::ClusterAutoscaler;
use crate::scheduler::room_of;
use crate::units::{SimDuration, SimTime};
use crate::{control_plane, provisioner};

/// The loop waits until the oldest unschedulable pod is this old.
/// Source: facts-kubernetes 2.2, `unschedulablePodTimeBuffer`.
const OLDEST_POD_AGE: SimDuration = SimDuration::seconds(2);

/// Pods of one spec that need room: an equivalence group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// What they ask for.
    pub(super) spec: SpecId,
    /// How many.
    pub(super) count: u32,
}

/// Scales up by at most one group of nodes. Tells whether pods remain for a later scan.
pub(super) fn scale_up(world: &mut World, cx: &mut Cx<'_>, flags: &ClusterAutoscaler) -> bool {
    let (mut groups, oldest, waiting) = unschedulable(world, cx, flags);
    let Some(oldest) = oldest else { return waiting };
    if cx.now.since(oldest) < OLDEST_POD_AGE {
        return true;
    }
    drop_pods_that_fit(world, &mut groups);
    if groups.iter().all(|group| group.count == 0) {
        return true;
    }
    let options: Vec<GrowthOption> = (0..world.pools.len() as u32)
        .filter_map(|pool| estimate(world, cx, flags, pool, &groups))
        .collect();
    let scans = world.autoscaler.as_ref().map_or(0, |state| state.scans);
    let choice = expander::choose(cx, &world.cluster.kinds, &flags.expander, options, scans);
    let (all, helped) =
        (groups.iter().map(|group| group.count).sum::<u32>(), choice.map_or(0, |c| c.pods));
    control_plane::on_scale_up(world, cx, helped, all.saturating_sub(helped));
    if let Some(choice) = choice {
        for _ in 0..choice.nodes {
            provisioner::launch(world, cx, choice.pool);
        }
        if let Some(state) = world.autoscaler.as_mut() {
            state.last_scale_up = Some(cx.now);
        }
    }
    true
}

/// Groups of unschedulable pods, the creation time of the oldest pod among those old enough to
/// count, and whether there are any at all.
fn unschedulable(
    world: &World,
    cx: &Cx<'_>,
    flags: &ClusterAutoscaler,
) -> (Vec<Group>, Option<SimTime>, bool) {
    let mut groups = Vec::new();
    let mut oldest: Option<SimTime> = None;
    let mut waiting = false;
    for (spec, count, queue) in world.scheduler.unschedulable() {
        waiting = true;
        if world.cluster.specs.get(spec).priority < flags.expendable_pods_priority_cutoff {
            continue;
        }
        let created = queue.iter().filter_map(|id| world.cluster.pods.get(*id));
        let first = created.map(|pod| pod.created_at).min().unwrap_or(SimTime::ZERO);
        if cx.now.since(first) < flags.new_pod_scale_up_delay {
            continue;
        }
        oldest = Some(oldest.map_or(first, |other| other.min(first)));
        groups.push(Group { spec, count });
    }
    (groups, oldest, waiting)
}

/// Pods that fit existing or upcoming nodes need no new ones: first fit, highest priority first.
fn drop_pods_that_fit(world: &mut World, groups: &mut [Group]) {
    let specs = &world.cluster.specs;
    groups.sort_by_key(|group| (std::cmp::Reverse(specs.get(group.spec).priority), group.spec));
    let mut rooms: Vec<(NodeKindId, Resources)> = world
        .cluster
        .in_order
        .iter()
        .map(|id: &NodeId| &world.cluster.nodes[*id])
        .filter(|node| node.state != NodeState::Cordoned)
        .map(|node| (node.kind, room_of(&world.cluster, node)))
        .collect();
    for group in groups {
        let spec = *world.cluster.specs.get(group.spec);
        for (kind, room) in &mut rooms {
            if group.count == 0 {
                break;
            }
            let fit = world.scheduler.static_fit(&world.cluster, spec.placement, *kind);
            if fit.rejected.is_some() {
                continue;
            }
            let taken = room.times(&spec.requests).min(group.count);
            group.count -= taken;
            *room = room.minus(&spec.requests.repeated(taken));
        }
    }
}

/// How many nodes of `pool` the groups need, and how many pods that helps; `None` if it helps none.
///
/// First fit decreasing: groups by their share of a node, largest first; each pod goes to the first
/// added node that has room, else to a new one. Source: facts-kubernetes 2.2, `estimator/`.
fn estimate(
    world: &mut World,
    cx: &Cx<'_>,
    flags: &ClusterAutoscaler,
    pool: u32,
    groups: &[Group],
) -> Option<GrowthOption> {
    let limit = growth_limit(world, cx, flags, pool);
    if limit == 0 || world.pools[pool as usize].backed_off_until > cx.now {
        return None;
    }
    let kind_id = world.cluster.kinds.find(pool, 0, 0).expect("every pool has a kind");
    let kind = world.cluster.kinds.get(kind_id);
    let (room, allocatable, capacity) = (kind.room(), kind.allocatable, kind.capacity);
    let mut helped: Vec<(f64, Group)> = Vec::new();
    for group in groups.iter().filter(|group| group.count > 0) {
        let spec = *world.cluster.specs.get(group.spec);
        let fit = world.scheduler.static_fit(&world.cluster, spec.placement, kind_id);
        if fit.rejected.is_none() && room.fits(&spec.requests) {
            helped.push((share_of_node(&spec.requests, &allocatable), *group));
        }
    }
    helped.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.spec.cmp(&b.1.spec)));

    let mut nodes: Vec<Resources> = Vec::new();
    let (mut pods, mut used) = (0, Resources::default());
    for (_, group) in helped {
        let requests = world.cluster.specs.get(group.spec).requests;
        let mut left = group.count;
        let mut place = 0;
        while left > 0 {
            if place == nodes.len() {
                if nodes.len() as u32 == limit {
                    break;
                }
                nodes.push(room);
            }
            let taken = nodes[place].times(&requests).min(left);
            nodes[place] = nodes[place].minus(&requests.repeated(taken));
            left -= taken;
            place += 1;
        }
        pods += group.count - left;
        used.add(&requests.repeated(group.count - left));
    }
    let nodes = nodes.len() as u32;
    (nodes > 0).then_some(GrowthOption { pool, kind: kind_id, nodes, pods, used, capacity })
}

fn growth_limit(world: &World, cx: &Cx<'_>, flags: &ClusterAutoscaler, pool: u32) -> u32 {
    let state = &world.pools[pool as usize];
    let target = state.nodes - state.leaving;
    let of_pool = cx.scenario.pools[pool as usize].max_size.saturating_sub(target);
    let total = world.cluster.nodes.len() as u32;
    let of_cluster = flags.max_nodes_total.map_or(u32::MAX, |max| max.saturating_sub(total));
    of_pool.min(of_cluster).min(flags.max_nodes_per_scaleup)
}

fn share_of_node(requests: &Resources, allocatable: &Resources) -> f64 {
    let ratio = |part: u64, whole: u64| {
        if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
    };
    ratio(requests.cpu.as_millis(), allocatable.cpu.as_millis())
        + ratio(requests.memory.as_u64(), allocatable.memory.as_u64())
}
