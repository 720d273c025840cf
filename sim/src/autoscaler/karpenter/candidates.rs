//! Nodes that may be disrupted, and what that costs their pods.
//!
//! A node is a candidate when it is ready, not on its way out, and no pods are on their way to it.
//! A pod with `karpenter.sh/do-not-disrupt: "true"` blocks its node, whoever owns it; pods without
//! a controller block nothing: Spark drivers and pods of a trace are evicted as any other. Source:
//! kubernetes-sigs/karpenter `pkg/controllers/disruption/types.go`,
//! `pkg/utils/disruption/disruption.go`, `pkg/utils/pod/scheduling.go`.

use super::KarpenterState;
use super::packing::PodGroup;
use crate::cluster::{Cluster, Node, NodeId, NodeKindId, NodeState, PodId};
use crate::engine::world::World;
use crate::scenario::Karpenter;
use crate::units::{HourlyPrice, SimDuration, SimTime};

/// A node that may be disrupted.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) node: NodeId,
    pub(super) number: u64,
    pub(super) kind: NodeKindId,
    /// Its NodePool, by place in the settings.
    pub(super) node_pool: usize,
    /// What it costs an hour, now.
    pub(super) price: HourlyPrice,
    /// Its pods that would have to move, by spec.
    pub(super) pods: Vec<PodGroup>,
    /// What evicting them costs, weighed by the lifetime that is left: orders candidates.
    pub(super) cost: f64,
    /// What evicting them costs, each at least nothing.
    pub(super) eviction_cost: f64,
    /// `consolidateAfter` has passed since the last pod came or went.
    pub(super) consolidatable: bool,
    /// A pod may not be disrupted.
    pub(super) blocked: bool,
    /// It was launched before its NodePool was last rolled over.
    pub(super) drifted: bool,
}

/// Every candidate, in order of launch.
pub(super) fn candidates(
    state: &KarpenterState,
    world: &World,
    settings: &Karpenter,
    now: SimTime,
) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (number, facts) in &state.nodes {
        let Some(node) = world.cluster.nodes.get(facts.id) else { continue };
        if node.state != NodeState::Ready || facts.nominated_until > now {
            continue;
        }
        let of = &settings.node_pools[facts.node_pool];
        let after = of.disruption.consolidate_after;
        let age = now.since(node.launched_at);
        let (pods, eviction, at_least) = pods_of(&world.cluster, node);
        let rolled = of.drift_at.iter().map(|at| SimTime::ZERO.saturating_add(*at));
        let rolled = rolled.filter(|at| *at <= now).max();
        found.push(Candidate {
            node: facts.id,
            number: *number,
            kind: node.kind,
            node_pool: facts.node_pool,
            price: world.cluster.kinds.get(node.kind).price_at(now),
            cost: eviction * lifetime_left(age, of.expire_after),
            eviction_cost: at_least,
            consolidatable: after
                .is_some_and(|after| facts.last_pod_event.saturating_add(after) <= now),
            blocked: node.pods.iter().any(|pod| is_protected(&world.cluster, *pod)),
            drifted: rolled.is_some_and(|at| node.launched_at < at),
            pods,
        });
    }
    found
}

/// Whether the pod is there and must not be evicted.
pub(super) fn is_protected(cluster: &Cluster, pod: PodId) -> bool {
    let pod = &cluster.pods[pod];
    let placement = cluster.specs.get(pod.spec).placement;
    pod.ends_at.is_none() && cluster.specs.placement(placement).do_not_disrupt
}

/// Pods that would have to move, what evicting them costs, and what it costs with each at least 0.
fn pods_of(cluster: &Cluster, node: &Node) -> (Vec<PodGroup>, f64, f64) {
    let mut groups: Vec<PodGroup> = Vec::new();
    let (mut cost, mut at_least) = (0.0, 0.0);
    for pod in node.pods.iter().map(|pod| &cluster.pods[*pod]).filter(|pod| pod.ends_at.is_none()) {
        let spec = cluster.specs.get(pod.spec);
        let deletion = cluster.specs.placement(spec.placement).deletion_cost;
        let of_pod = eviction_cost(spec.priority, deletion);
        cost += of_pod;
        at_least += of_pod.max(0.0);
        match groups.iter_mut().find(|group| group.spec == pod.spec) {
            Some(group) => {
                group.count += 1;
                group.since = group.since.min(pod.created_at);
            }
            None => groups.push(PodGroup { spec: pod.spec, count: 1, since: pod.created_at }),
        }
    }
    (groups, cost, at_least)
}

/// One for a pod, more or less by its priority and its deletion cost.
fn eviction_cost(priority: i32, deletion_cost: i32) -> f64 {
    let cost = 1.0
        + f64::from(deletion_cost) / f64::from(1 << 27)
        + f64::from(priority) / f64::from(1 << 25);
    cost.clamp(-10.0, 10.0)
}

/// The share of `expireAfter` that is left.
fn lifetime_left(age: SimDuration, expire_after: Option<SimDuration>) -> f64 {
    let Some(after) = expire_after.filter(|after| !after.is_zero()) else { return 1.0 };
    (after.saturating_sub(age).as_secs_f64() / after.as_secs_f64()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_cost_one_more_or_less() {
        assert_eq!(eviction_cost(0, 0), 1.0);
        assert_eq!(eviction_cost(1 << 25, 0), 2.0);
        assert_eq!(eviction_cost(0, -(1 << 27)), 0.0);
        assert_eq!(eviction_cost(2_000_000_000, 0), 10.0, "system-cluster-critical");
        assert_eq!(eviction_cost(i32::MIN, 0), -10.0);
    }

    #[test]
    fn old_nodes_are_cheap_to_disrupt() {
        let hours = SimDuration::hours;
        assert_eq!(lifetime_left(hours(180), Some(hours(720))), 0.75);
        assert_eq!(lifetime_left(hours(800), Some(hours(720))), 0.0);
        assert_eq!(lifetime_left(hours(800), None), 1.0);
    }
}
