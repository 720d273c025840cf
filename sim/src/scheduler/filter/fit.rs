//! `NodeResourcesFit`: whether what is left on a node is enough. Source: facts-kubernetes 1.4;
//! upstream `noderesources/fit.go`.
//!
//! Not modelled: that upstream says nothing more once a request is all zero; a pod slot is asked
//! for by every pod.

use super::super::framework::Cycle;
use super::super::room_of;
use crate::cluster::{Node, PodId, Resources};

/// One resource that is short on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Short<'a> {
    /// The filter's message.
    pub(crate) message: &'a str,
    /// What the pod asks for; in thousandths of a core for CPU, for pod slots 1.
    pub(crate) requested: u64,
    /// What pods on the node ask for.
    pub(crate) used: u64,
    /// What the node has for pods.
    pub(crate) capacity: u64,
}

impl Short<'_> {
    /// No pod that goes would help: the node never has so much. Pod slots never count as that.
    pub(crate) fn unresolvable(&self) -> bool {
        self.message != TOO_MANY && self.requested > self.capacity
    }
}

const TOO_MANY: &str = "Too many pods";

/// Every resource of which `node` has too little once `gone` of its pods are not there, in
/// upstream's order.
pub(crate) fn short<'a>(cycle: &Cycle<'a>, node: &Node, gone: &[PodId]) -> Vec<Short<'a>> {
    let mut used = node.requested;
    for pod in gone {
        used.subtract(&cycle.cluster.specs.get(cycle.cluster.pods[*pod].spec).requests);
    }
    short_beside(cycle, node, &used)
}

/// The same beside pods that ask for `used`.
pub(in crate::scheduler) fn short_beside<'a>(
    cycle: &Cycle<'a>,
    node: &Node,
    used: &Resources,
) -> Vec<Short<'a>> {
    let mut all = Vec::new();
    each_short_beside(cycle, node, used, |short| all.push(short));
    all
}

/// The same, one after the other.
pub(in crate::scheduler) fn each_short_beside<'a>(
    cycle: &Cycle<'a>,
    node: &Node,
    used: &Resources,
    mut say: impl FnMut(Short<'a>),
) {
    let request = &cycle.spec.requests;
    let capacity = &cycle.cluster.kinds.get(node.kind).allocatable;
    let mut check = |message, requested: u64, used: u64, capacity: u64| {
        if requested > capacity.saturating_sub(used) {
            say(Short { message, requested, used, capacity });
        }
    };
    check(TOO_MANY, request.pods.into(), used.pods.into(), capacity.pods.into());
    let cpu = [request.cpu, used.cpu, capacity.cpu].map(|cpu| cpu.as_millis());
    check("Insufficient cpu", cpu[0], cpu[1], cpu[2]);
    let memory = [request, used, capacity].map(|of| of.memory.as_u64());
    check("Insufficient memory", memory[0], memory[1], memory[2]);
    let storage = [request, used, capacity].map(|of| of.ephemeral_storage.as_u64());
    check("Insufficient ephemeral-storage", storage[0], storage[1], storage[2]);
    for (place, requested) in request.extended.iter().enumerate() {
        if *requested > 0 && !cycle.scorer.filters.ignored.ignores(cycle.cluster, place) {
            let message = cycle.cluster.resource_names.insufficient(place);
            check(message, *requested, used.extended[place], capacity.extended[place]);
        }
    }
}

/// Whether nothing is short, once `gone` of the node's pods are not there.
pub(in crate::scheduler) fn fits(cycle: &Cycle<'_>, node: &Node, gone: &[PodId]) -> bool {
    if !cycle.checks_resources {
        return true;
    }
    let ignored = &cycle.scorer.filters.ignored;
    if gone.is_empty() && ignored.is_empty() {
        let allocatable = &cycle.cluster.kinds.get(node.kind).allocatable;
        return allocatable.fits_beside(&node.requested, &cycle.spec.requests);
    }
    let mut room = room_of(cycle.cluster, node);
    for pod in gone {
        room.add(&cycle.cluster.specs.get(cycle.cluster.pods[*pod].spec).requests);
    }
    if ignored.is_empty() {
        return room.fits(&cycle.spec.requests);
    }
    let mut request = cycle.spec.requests;
    for (place, amount) in request.extended.iter_mut().enumerate() {
        if *amount > 0 && ignored.ignores(cycle.cluster, place) {
            *amount = 0;
        }
    }
    room.fits(&request)
}
