//! Limits of the cluster as a whole: how many of the nodes that an option wants may be added.
//!
//! `max-nodes-total`, and the upper bounds of `cores-total`, `memory-total` and `gpu-total`, over
//! the machines' capacity. Source: kubernetes/autoscaler `core/scaleup/orchestrator`
//! (`GetCappedNewNodeCount`, `applyLimits`) and `resourcequotas`.

use crate::cluster::Resources;

/// Upper bounds; `None` is no limit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ClusterLimits {
    /// Nodes.
    pub(crate) nodes: Option<u32>,
    /// Whole cores.
    pub(crate) cores: Option<u64>,
    /// Bytes of memory.
    pub(crate) memory: Option<u64>,
    /// GPUs.
    pub(crate) gpus: Option<u64>,
}

/// Upstream's words for a group that may not grow for the cluster's limits.
pub(crate) const RESOURCE_LIMIT: &str = "max cluster resource limit reached";
/// The same for nodes.
pub(crate) const NODES_LIMIT: &str = "max total nodes in cluster reached";

/// What the cluster has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    /// Nodes, upcoming ones included.
    pub(crate) nodes: u32,
    /// Their capacity.
    pub(crate) capacity: Resources,
}

/// How many of `wanted` nodes of `capacity` may be added; and why not all of them.
pub(crate) fn cap(
    wanted: u32,
    capacity: &Resources,
    totals: &Totals,
    limits: &ClusterLimits,
) -> (u32, Option<&'static str>) {
    let mut allowed = wanted;
    let mut reason = None;
    let mut bound = |most: u64, why| {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        if most < allowed {
            allowed = most;
            reason = Some(why);
        }
    };
    if let Some(nodes) = limits.nodes {
        bound(u64::from(nodes.saturating_sub(totals.nodes)), NODES_LIMIT);
    }
    // Upstream counts whole cores, rounded up by node.
    let cores = |r: &Resources| r.cpu.as_millis().div_ceil(1000);
    let memory = |r: &Resources| r.memory.as_u64();
    let have = &totals.capacity;
    for (limit, used, step) in [
        (limits.cores, cores(have), cores(capacity)),
        (limits.memory, memory(have), memory(capacity)),
        (limits.gpus, have.gpus(), capacity.gpus()),
    ] {
        if let Some(limit) = limit.filter(|_| step > 0) {
            bound(limit.saturating_sub(used) / step, RESOURCE_LIMIT);
        }
    }
    (allowed, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, MilliCores};

    #[test]
    fn the_tightest_limit_rules() {
        let node = Resources::of_pod(MilliCores::cores(4), Bytes::gib(16));
        let totals = Totals { nodes: 3, capacity: node.repeated(3) };
        let check = |limits: ClusterLimits, expected| {
            assert_eq!(cap(5, &node, &totals, &limits), expected, "{limits:?}");
        };
        check(ClusterLimits::default(), (5, None));
        let nodes = ClusterLimits { nodes: Some(5), ..ClusterLimits::default() };
        check(nodes, (2, Some(NODES_LIMIT)));
        check(ClusterLimits { cores: Some(16), ..nodes }, (1, Some(RESOURCE_LIMIT)));
        check(ClusterLimits { cores: Some(15), ..nodes }, (0, Some(RESOURCE_LIMIT)));
        check(ClusterLimits { memory: Some(40 << 30), ..nodes }, (0, Some(RESOURCE_LIMIT)));
        check(ClusterLimits { gpus: Some(0), ..nodes }, (2, Some(NODES_LIMIT)));
    }
}
