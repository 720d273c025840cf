//! What a score reads of one resource on one node. Source: facts-kubernetes 1.1; upstream
//! `noderesources/resource_allocation.go`.

use super::super::framework::Cycle;
use crate::cluster::Node;

/// A resource that a score is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    Cpu,
    Memory,
    EphemeralStorage,
    /// By its full name; one that no node and no pod has counts as absent everywhere.
    Extended(String),
}

impl Resource {
    /// By its full name.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "cpu" => Self::Cpu,
            "memory" => Self::Memory,
            "ephemeral-storage" => Self::EphemeralStorage,
            other => Self::Extended(other.to_owned()),
        }
    }
}

/// Which requests count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// 100m and 200 MiB for each container that does not say.
    NonZero,
    /// What is requested.
    Requested,
}

/// One resource of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    /// What the node has for pods; 0 = the resource does not count there.
    pub(super) capacity: i64,
    /// What its pods ask for.
    pub(super) used: i64,
    /// What the pod asks for.
    pub(super) asked: i64,
}

/// Reads `resource` of `node`. `skip_unasked`: an extended resource that the pod does not ask for
/// does not count.
#[inline]
pub(super) fn amount(
    cycle: &Cycle<'_>,
    node: &Node,
    resource: &Resource,
    count: Count,
    skip_unasked: bool,
) -> Amount {
    let capacity = &cycle.cluster.kinds.get(node.kind).allocatable;
    let (used, asked) = (&node.requested, &cycle.spec.requests);
    let (used_nz, asked_nz) = (&node.nonzero_requested, &cycle.spec.nonzero);
    let nonzero = count == Count::NonZero;
    let of = |capacity: u64, used: u64, asked: u64| Amount {
        capacity: capacity as i64,
        used: used as i64,
        asked: asked as i64,
    };
    match resource {
        Resource::Cpu => {
            let (used, asked) =
                if nonzero { (used_nz.cpu, asked_nz.cpu) } else { (used.cpu, asked.cpu) };
            of(capacity.cpu.as_millis(), used.as_millis(), asked.as_millis())
        }
        Resource::Memory => {
            let (used, asked) = if nonzero {
                (used_nz.memory, asked_nz.memory)
            } else {
                (used.memory, asked.memory)
            };
            of(capacity.memory.as_u64(), used.as_u64(), asked.as_u64())
        }
        Resource::EphemeralStorage => of(
            capacity.ephemeral_storage.as_u64(),
            used.ephemeral_storage.as_u64(),
            asked.ephemeral_storage.as_u64(),
        ),
        Resource::Extended(name) => match cycle.cluster.resource_names.find(name) {
            Some(place) if asked.extended[place] > 0 || !skip_unasked => {
                of(capacity.extended[place], used.extended[place], asked.extended[place])
            }
            _ => of(0, 0, 0),
        },
    }
}
