//! Scale-up: how many nodes of which group the unschedulable pods need.
//!
//! In upstream's order: pods that are expendable or too young are left out, then pods that fit
//! existing or upcoming nodes; every group that may grow is estimated; the expander chooses; the
//! cluster's limits cap; similar groups share. Pods are grouped by what they ask for: the cap of
//! ten equivalence groups per controller never binds, as all executors of a driver ask for the
//! same. Leaves out: the delay annotation on pods; `scale-down-candidates` and provisioning
//! requests. Source: kubernetes/autoscaler `core/scaleup/orchestrator`; facts-kubernetes 2.2.

use super::estimator::{self, ExistingNode, PodGroup, Rules, Template};
use super::expander::{self, GrowthOption};
use super::limits::{self, ClusterLimits, Totals};
use super::similar_groups;
use crate::cluster::{
    Cluster, NodeId, NodeKind, NodeKindId, NodeState, Placement, Resources, SpecId,
};
use crate::engine::world::{Cx, World};
use crate::outcome::{ScalingDecision, ScalingRecord};
use crate::scenario::{ClusterAutoscaler, Expander, HostPort, NodePool};
use crate::scheduler::room_of;
use crate::units::{SimDuration, SimTime};
use crate::{control_plane, provisioner};

/// The loop waits until the oldest unschedulable pod is this old, and the oldest one with a GPU
/// request that old. Source: `unschedulablePodTimeBuffer`, `unschedulablePodWithGpuTimeBuffer`.
const OLDEST_POD_AGE: SimDuration = SimDuration::seconds(2);
const OLDEST_GPU_POD_AGE: SimDuration = SimDuration::seconds(30);

/// Pods of one spec that need room: an equivalence group.
#[derive(Debug, Clone, Copy)]
struct Group {
    spec: SpecId,
    count: u32,
}

/// Scales up. Tells whether pods remain for a later scan.
pub(super) fn scale_up(world: &mut World, cx: &mut Cx<'_>, flags: &ClusterAutoscaler) -> bool {
    let Some(mut groups) = unschedulable(world, cx, flags) else {
        return false;
    };
    if groups.is_empty() {
        return true;
    }
    drop_pods_that_fit(world, &mut groups);
    if groups.iter().all(|group| group.count == 0) {
        forget_refusals(world);
        return true;
    }
    if !flags.scale_up_from_zero && !any_ready(&world.cluster) {
        return true;
    }
    // `salvo-scale-up` goes on with the pods that are left, each time without the groups used.
    let pods = |groups: &[Group]| groups.iter().map(|group| group.count).sum::<u32>();
    let all = pods(&groups);
    let mut grown = Vec::new();
    while let Some(pools) = one_option(world, cx, flags, &mut groups, &grown) {
        grown.extend(pools);
        if !flags.salvo_scale_up || groups.iter().all(|group| group.count == 0) {
            break;
        }
    }
    let left = pods(&groups);
    control_plane::on_scale_up(world, cx, all - left, left);
    true
}

/// Brings groups to their least size (`enforce-node-group-min-size`). Tells whether one is below.
pub(super) fn enforce_min_size(world: &mut World, cx: &mut Cx<'_>) -> bool {
    let mut below = false;
    for pool in 0..world.pools.len() as u32 {
        let state = &world.pools[pool as usize];
        let missing = cx.scenario.pools[pool as usize].min_size.saturating_sub(state.target());
        below |= missing > 0;
        if missing > 0 && !state.backoff.is_backed_off(cx.now) {
            grow(world, cx, pool, missing, "group size below its minimum");
        }
    }
    below
}

/// Pods that count, by spec. `None` if no pod waits at all; none where all are too young.
fn unschedulable(world: &World, cx: &Cx<'_>, flags: &ClusterAutoscaler) -> Option<Vec<Group>> {
    let mut groups = Vec::new();
    let (mut waiting, mut oldest, mut oldest_gpu) = (false, None::<SimTime>, None::<SimTime>);
    for (spec, count, queue) in world.scheduler.unschedulable() {
        waiting = true;
        let request = world.cluster.specs.get(spec);
        if request.priority < flags.expendable_pods_priority_cutoff {
            continue;
        }
        let created = queue.filter_map(|id| world.cluster.pods.get(id));
        let first = created.map(|pod| pod.created_at).min().unwrap_or(SimTime::ZERO);
        if cx.now.since(first) < flags.new_pod_scale_up_delay {
            continue;
        }
        oldest = Some(oldest.map_or(first, |other| other.min(first)));
        if request.requests.gpus() > 0 {
            oldest_gpu = Some(oldest_gpu.map_or(first, |other| other.min(first)));
        }
        groups.push(Group { spec, count });
    }
    let young = |oldest: Option<SimTime>, age| oldest.is_some_and(|at| cx.now.since(at) < age);
    if young(oldest, OLDEST_POD_AGE) || young(oldest_gpu, OLDEST_GPU_POD_AGE) {
        groups.clear();
    }
    waiting.then_some(groups)
}

fn any_ready(cluster: &Cluster) -> bool {
    cluster.in_order.iter().any(|id| cluster.nodes[*id].state == NodeState::Ready)
}

/// Pods that fit existing or upcoming nodes need no new ones: first fit, highest priority first.
fn drop_pods_that_fit(world: &mut World, groups: &mut [Group]) {
    let World { cluster, scheduler, pools, .. } = world;
    let specs = &cluster.specs;
    groups.sort_by_key(|group| (std::cmp::Reverse(specs.get(group.spec).priority), group.spec));
    let nodes = cluster.in_order.iter().map(|id: &NodeId| &cluster.nodes[*id]);
    let mut rooms: Vec<(NodeKindId, Resources, bool)> = nodes
        .filter(|node| node.state != NodeState::Cordoned)
        .map(|node| (node.kind, room_of(cluster, node), node.state == NodeState::Booting))
        .collect();
    for (pool, state) in pools.iter().enumerate().filter(|(_, state)| state.unfulfilled > 0) {
        let kind = template_of(cluster, pool as u32);
        let upcoming = (kind, cluster.kinds.get(kind).room(), true);
        rooms.extend((0..state.unfulfilled).map(|_| upcoming));
    }
    for group in groups {
        let spec = *cluster.specs.get(group.spec);
        let placement = cluster.specs.placement(spec.placement);
        let (special, alone) = (has_rules(placement), one_per_node(placement));
        for (kind, room, upcoming) in &mut rooms {
            if group.count == 0 {
                break;
            }
            // The scheduler has just refused the nodes that are there, for what rules say.
            if special && !*upcoming {
                continue;
            }
            let fit = scheduler.static_fit(cluster, spec.placement, *kind);
            if fit.rejected.is_some() {
                continue;
            }
            let most = if alone { 1 } else { group.count };
            let taken = room.times(&spec.requests).min(group.count).min(most);
            group.count -= taken;
            *room = room.minus(&spec.requests.repeated(taken));
        }
    }
}

/// The node that stands for a group's next one: its first instance type.
fn template_of(cluster: &Cluster, pool: u32) -> NodeKindId {
    cluster.kinds.find(pool, 0, 0).expect("every pool has a kind")
}

/// One choice of the expander, carried out. Gives the pools that grew; `None` without an option.
fn one_option(
    world: &mut World,
    cx: &mut Cx<'_>,
    flags: &ClusterAutoscaler,
    groups: &mut [Group],
    grown: &[u32],
) -> Option<Vec<u32>> {
    let (limits, totals) = (limits_of(flags), totals(world));
    let scenario = cx.scenario;
    let mut options: Vec<GrowthOption<'_>> = Vec::new();
    let mut helped: Vec<(u32, Vec<u32>)> = Vec::new();
    for pool in (0..world.pools.len() as u32).filter(|pool| !grown.contains(pool)) {
        match option(world, cx, flags, pool, groups, (&limits, &totals)) {
            Ok((option, by_group)) => {
                options.push(GrowthOption { name: &scenario.pools[pool as usize].name, ..option });
                helped.push((pool, by_group));
            }
            Err(reason) => refuse(world, cx, pool, reason),
        }
    }
    let best = expander::best(&flags.expander, &flags.priorities, options);
    let draw = cx.seed.uniform("expander", &[cx.now.as_millis(), grown.len() as u64]);
    let choice = expander::settle(&best, draw)?;
    let wanted = choice.nodes.min(match limits.nodes {
        Some(nodes) => nodes.saturating_sub(totals.nodes),
        None => u32::MAX,
    });
    let (nodes, _) = limits::cap(wanted, &choice.capacity, &totals, &limits);
    let by_group = helped.into_iter().find(|(pool, _)| *pool == choice.pool);
    let by_group = by_group.expect("the choice is an option").1;
    let shares = shares(world, cx, flags, &choice, nodes, groups, &by_group);
    let reason = why(flags, &best, &choice);
    for (pool, nodes) in &shares {
        grow(world, cx, *pool, *nodes, &reason);
    }
    for (group, helped) in groups.iter_mut().zip(by_group) {
        group.count -= helped;
    }
    Some(shares.into_iter().map(|(pool, _)| pool).collect())
}

/// How the nodes are spread over the chosen group and those similar to it.
fn shares(
    world: &mut World,
    cx: &Cx<'_>,
    flags: &ClusterAutoscaler,
    choice: &GrowthOption<'_>,
    nodes: u32,
    groups: &[Group],
    by_group: &[u32],
) -> Vec<(u32, u32)> {
    let size = |world: &World, pool: u32| {
        let group = &cx.scenario.pools[pool as usize];
        (pool, world.pools[pool as usize].target(), group.max_size)
    };
    let mut sizes = vec![size(world, choice.pool)];
    if flags.balance_similar_node_groups {
        let chosen = template_of(&world.cluster, choice.pool);
        for pool in (0..world.pools.len() as u32).filter(|pool| *pool != choice.pool) {
            let other = template_of(&world.cluster, pool);
            let World { cluster, scheduler, pools, .. } = &mut *world;
            let alike =
                similar_groups::similar(cluster.kinds.get(chosen), cluster.kinds.get(other), flags);
            let mut helps = |group: &Group| {
                let spec = cluster.specs.get(group.spec);
                scheduler.static_fit(cluster, spec.placement, other).rejected.is_none()
            };
            let mut helped = groups.iter().zip(by_group).filter(|(_, count)| **count > 0);
            let open = !pools[pool as usize].backoff.is_backed_off(cx.now);
            if alike && open && helped.all(|(group, _)| helps(group)) {
                sizes.push(size(world, pool));
            }
        }
    }
    similar_groups::balance(&sizes, nodes)
}

/// Asks for `nodes` more of `pool`.
fn grow(world: &mut World, cx: &mut Cx<'_>, pool: u32, nodes: u32, reason: &str) {
    let decision = ScalingDecision::ScaleUp { nodes };
    cx.sink.scaling(ScalingRecord { at: cx.now, pool: Some(pool), node: None, decision, reason });
    for _ in 0..nodes {
        provisioner::launch(world, cx, pool);
    }
    let state = &mut world.pools[pool as usize];
    state.last_scale_up = Some(cx.now);
    state.refusal = None;
    if let Some(state) = world.autoscaler.cluster_autoscaler_mut() {
        state.last_scale_up = Some(cx.now);
    }
}

fn why(flags: &ClusterAutoscaler, best: &[GrowthOption<'_>], choice: &GrowthOption<'_>) -> String {
    let names: Vec<&str> = flags.expander.iter().map(|e: &Expander| e.name()).collect();
    let random =
        if best.len() > 1 { format!(", at random of {}", best.len()) } else { String::new() };
    format!("helps {} pods; expander {}{random}", choice.pods, names.join(","))
}

/// Notes why a group does not grow, once per reason.
fn refuse(world: &mut World, cx: &mut Cx<'_>, pool: u32, reason: &'static str) {
    let state = &mut world.pools[pool as usize];
    if state.refusal != Some(reason) {
        state.refusal = Some(reason);
        let decision = ScalingDecision::NoScaleUp;
        let pool = Some(pool);
        cx.sink.scaling(ScalingRecord { at: cx.now, pool, node: None, decision, reason });
    }
}

fn forget_refusals(world: &mut World) {
    for state in &mut world.pools {
        state.refusal = None;
    }
}

fn limits_of(flags: &ClusterAutoscaler) -> ClusterLimits {
    ClusterLimits {
        nodes: flags.max_nodes_total,
        cores: Some(flags.cores_total.max),
        memory: Some(flags.memory_total.max.saturating_mul(1 << 30)),
        gpus: flags.gpu_total.map(|limit| limit.max),
    }
}

/// Nodes that count, upcoming ones included.
fn totals(world: &World) -> Totals {
    let mut totals = Totals { nodes: world.cluster.nodes.len() as u32, ..Totals::default() };
    for id in &world.cluster.in_order {
        let kind = world.cluster.kinds.get(world.cluster.nodes[*id].kind);
        totals.capacity.add(&kind.capacity);
    }
    for (pool, state) in world.pools.iter().enumerate().filter(|(_, s)| s.unfulfilled > 0) {
        let kind = world.cluster.kinds.get(template_of(&world.cluster, pool as u32));
        totals.nodes += state.unfulfilled;
        totals.capacity.add(&kind.capacity.repeated(state.unfulfilled));
    }
    totals
}

/// What growing `pool` would help; upstream's reason if it may not grow or helps no pod.
fn option<'a>(
    world: &mut World,
    cx: &Cx<'_>,
    flags: &ClusterAutoscaler,
    pool: u32,
    groups: &[Group],
    (limits, totals): (&ClusterLimits, &Totals),
) -> Result<(GrowthOption<'a>, Vec<u32>), &'static str> {
    let state = &world.pools[pool as usize];
    let group: &NodePool = &cx.scenario.pools[pool as usize];
    let of_pool = group.max_size.saturating_sub(state.target());
    if state.backoff.is_backed_off(cx.now) {
        return Err("in backoff after failed scale-up");
    }
    if of_pool == 0 {
        return Err("max node group size reached");
    }
    let of_cluster = limits.nodes.map_or(u32::MAX, |max| max.saturating_sub(totals.nodes));
    if of_cluster == 0 {
        return Err(limits::NODES_LIMIT);
    }
    let World { cluster, scheduler, .. } = world;
    let kind_id = template_of(cluster, pool);
    let kind = cluster.kinds.get(kind_id);
    if let (0, Some(reason)) = limits::cap(1, &kind.capacity, totals, limits) {
        return Err(reason);
    }
    let room = kind.room();
    let mut refused = None;
    let schedulable: Vec<(usize, Group)> = groups
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, group)| group.count > 0)
        .filter(|(_, group)| {
            let spec = cluster.specs.get(group.spec);
            let fit = scheduler.static_fit(cluster, spec.placement, kind_id);
            let why = fit.rejected.or_else(|| insufficient(&room, &spec.requests));
            refused = refused.or(why);
            why.is_none()
        })
        .collect();
    if schedulable.is_empty() {
        return Err(refused.unwrap_or("no pod can fit"));
    }
    let max = of_pool.min(of_cluster).min(flags.max_nodes_per_scaleup);
    let found = estimate(cluster, kind, &schedulable, max);
    if found.pods == 0 {
        return Err("no pod can fit");
    }
    let mut by_group = vec![0; groups.len()];
    for ((place, _), helped) in schedulable.iter().zip(found.by_group) {
        by_group[*place] = helped;
    }
    let option = GrowthOption {
        pool,
        name: "",
        nodes: found.nodes,
        pods: found.pods,
        used: found.used,
        capacity: kind.capacity,
        price: kind.price_at(cx.now).as_usd_f64(),
    };
    Ok((option, by_group))
}

/// The first resource of which an empty node has too little, as the scheduler says it.
fn insufficient(room: &Resources, request: &Resources) -> Option<&'static str> {
    if room.fits(request) {
        None
    } else if request.cpu > room.cpu {
        Some("Insufficient cpu")
    } else if request.memory > room.memory {
        Some("Insufficient memory")
    } else if request.gpus() > room.gpus() {
        Some("Insufficient nvidia.com/gpu")
    } else if request.pods > room.pods {
        Some("Too many pods")
    } else {
        Some("Insufficient resources")
    }
}

/// Packs the groups; looks at existing nodes only where a pod's rules ask for them.
fn estimate(
    cluster: &Cluster,
    kind: &NodeKind,
    groups: &[(usize, Group)],
    max_nodes: u32,
) -> estimator::Estimate {
    let template =
        Template { room: kind.room(), allocatable: kind.allocatable, labels: &kind.labels };
    let placement =
        |group: &Group| cluster.specs.placement(cluster.specs.get(group.spec).placement);
    let special = groups.iter().any(|(_, group)| has_rules(placement(group)));
    if !special {
        let groups: Vec<PodGroup<'_>> = groups
            .iter()
            .map(|(_, group)| {
                let requests = cluster.specs.get(group.spec).requests;
                PodGroup { requests, count: group.count, rules: None }
            })
            .collect();
        return estimator::estimate(&template, &groups, &[], max_nodes);
    }
    let ports: Vec<Vec<HostPort>> =
        groups.iter().map(|(_, group)| host_ports(placement(group))).collect();
    let pods: Vec<PodGroup<'_>> = groups
        .iter()
        .zip(&ports)
        .map(|((_, group), ports)| PodGroup {
            requests: cluster.specs.get(group.spec).requests,
            count: group.count,
            rules: Some(rules(placement(group), ports)),
        })
        .collect();
    let nodes = cluster.in_order.iter().map(|id| &cluster.nodes[*id]);
    let existing: Vec<ExistingNode<'_>> = nodes
        .filter(|node| node.state != NodeState::Cordoned)
        .map(|node| ExistingNode {
            labels: &cluster.kinds.get(node.kind).labels,
            // Pods that fit it are not among these; spread constraints only count its pods.
            room: Resources::default(),
            pods: node
                .pods
                .iter()
                .map(|pod| {
                    let spec = cluster.specs.get(cluster.pods[*pod].spec);
                    rules(cluster.specs.placement(spec.placement), &[])
                })
                .collect(),
        })
        .collect();
    estimator::estimate(&template, &pods, &existing, max_nodes)
}

fn has_rules(placement: &Placement) -> bool {
    let template = &placement.template;
    !template.topology_spread.is_empty()
        || !template.pod_anti_affinity.required.is_empty()
        || template.containers.iter().any(|container| !container.host_ports.is_empty())
}

/// Pods of the kind keep each other away: by a host port, or by anti-affinity between hosts.
fn one_per_node(placement: &Placement) -> bool {
    let template = &placement.template;
    let mut terms = template.pod_anti_affinity.required.iter();
    terms.any(|term| term.topology_key == "kubernetes.io/hostname")
        || template.containers.iter().any(|container| !container.host_ports.is_empty())
}

fn host_ports(placement: &Placement) -> Vec<HostPort> {
    let containers = placement.template.containers.iter();
    containers.flat_map(|container| container.host_ports.iter().cloned()).collect()
}

fn rules<'a>(placement: &'a Placement, host_ports: &'a [HostPort]) -> Rules<'a> {
    let template = &placement.template;
    Rules {
        namespace: &template.namespace,
        labels: &template.labels,
        host_ports,
        spread: &template.topology_spread,
        anti_affinity: &template.pod_anti_affinity.required,
    }
}
