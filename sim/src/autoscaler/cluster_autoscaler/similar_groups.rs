//! Similar node groups, and how a scale-up is balanced over them.
//!
//! Groups are similar when their nodes have the same CPU, GPUs and pod slots, nearly the same
//! memory, allocatable and free room, and the same labels but for those that always differ. Each
//! new node goes to the smallest group that is not full.
//! Source: kubernetes/autoscaler `processors/nodegroupset` (`compare_nodegroups.go`,
//! `aws_nodegroups.go`, `balancing_processor.go`).

use crate::cluster::{NodeKind, Resources};
use crate::scenario::ClusterAutoscaler;

/// Labels that say nothing about similarity: upstream's basic ones and those for AWS.
const IGNORED: [&str; 14] = [
    "alpha.eksctl.io/instance-id",
    "alpha.eksctl.io/nodegroup-name",
    "beta.kubernetes.io/fluentd-ds-ready",
    "eks.amazonaws.com/nodegroup",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "k8s.amazonaws.com/eniConfig",
    "kops.k8s.io/instancegroup",
    "kubernetes.io/hostname",
    "lifecycle",
    "topology.ebs.csi.aws.com/zone",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "eks.amazonaws.com/sourceLaunchTemplateId",
];

/// Whether two groups' template nodes are similar.
pub(super) fn similar(a: &NodeKind, b: &NodeKind, flags: &ClusterAutoscaler) -> bool {
    let exact = |r: &Resources| (r.cpu, r.pods, r.extended);
    exact(&a.capacity) == exact(&b.capacity)
        && near(
            a.capacity.memory.as_u64(),
            b.capacity.memory.as_u64(),
            flags.memory_difference_ratio,
        )
        && near_all(&a.allocatable, &b.allocatable, flags.max_allocatable_difference_ratio)
        && near_all(&a.room(), &b.room(), flags.max_free_difference_ratio)
        && same_labels(a, b, flags)
}

fn near_all(a: &Resources, b: &Resources, ratio: f64) -> bool {
    near(a.cpu.as_millis(), b.cpu.as_millis(), ratio)
        && near(a.memory.as_u64(), b.memory.as_u64(), ratio)
        && near(u64::from(a.pods), u64::from(b.pods), ratio)
        && near(a.gpus(), b.gpus(), ratio)
}

fn near(a: u64, b: u64, ratio: f64) -> bool {
    a.abs_diff(b) as f64 <= a.max(b) as f64 * ratio
}

fn same_labels(a: &NodeKind, b: &NodeKind, flags: &ClusterAutoscaler) -> bool {
    if !flags.balancing_labels.is_empty() {
        return flags.balancing_labels.iter().all(|key| a.labels.get(key) == b.labels.get(key));
    }
    let counts = |key: &String| {
        !IGNORED.contains(&key.as_str()) && !flags.balancing_ignore_labels.contains(key)
    };
    let mut keys = a.labels.keys().chain(b.labels.keys()).filter(|key| counts(key));
    keys.all(|key| a.labels.get(key) == b.labels.get(key))
}

/// Spreads `nodes` over groups of (pool, size, max): each to the smallest that is not full, the
/// first in order among equals. Gives nodes by pool; what no group takes is dropped.
pub(super) fn balance(groups: &[(u32, u32, u32)], nodes: u32) -> Vec<(u32, u32)> {
    let mut sizes: Vec<u32> = groups.iter().map(|group| group.1).collect();
    for _ in 0..nodes {
        let open = (0..groups.len()).filter(|place| sizes[*place] < groups[*place].2);
        let Some(place) = open.min_by_key(|place| sizes[*place]) else { break };
        sizes[place] += 1;
    }
    let grown = groups.iter().zip(&sizes).map(|(group, size)| (group.0, size - group.1));
    grown.filter(|(_, nodes)| *nodes > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_go_to_the_smallest_group() {
        assert_eq!(balance(&[(0, 1, 9), (1, 3, 9)], 4), [(0, 3), (1, 1)]);
        assert_eq!(balance(&[(4, 0, 1), (7, 0, 9)], 4), [(4, 1), (7, 3)]);
        assert_eq!(balance(&[(4, 0, 1)], 4), [(4, 1)]);
        assert_eq!(balance(&[(0, 0, 9), (1, 5, 9)], 2), [(0, 2)]);
    }
}
