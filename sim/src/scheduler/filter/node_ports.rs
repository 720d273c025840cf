//! `NodePorts`: a port of the node can be taken once per protocol and address.
//! Source: upstream `nodeports/node_ports.go`, `framework/types.go` (`HostPortInfo`).

use super::super::framework::Cycle;
use crate::cluster::{Node, PodId};
use crate::scenario::HostPort;

/// Whether every port that the pod asks for is free, once `gone` are not there.
pub(in crate::scheduler) fn free(cycle: &Cycle<'_>, node: &Node, gone: &[PodId]) -> bool {
    let cluster = cycle.cluster;
    let wanted = || cluster.specs.placement(cycle.spec.placement).host_ports();
    node.pods.iter().filter(|pod| !gone.contains(pod)).all(|pod| {
        let placement = cluster.specs.get(cluster.pods[*pod].spec).placement;
        let mut taken = cluster.specs.placement(placement).host_ports();
        taken.all(|taken| wanted().all(|wanted| !conflict(wanted, taken)))
    })
}

fn conflict(a: &HostPort, b: &HostPort) -> bool {
    let any = |port: &HostPort| port.host_ip.is_empty() || port.host_ip == "0.0.0.0";
    let protocol = |port: &HostPort| match port.protocol.as_str() {
        "" => "TCP".to_owned(),
        other => other.to_owned(),
    };
    a.port > 0
        && a.port == b.port
        && protocol(a) == protocol(b)
        && (any(a) || any(b) || a.host_ip == b.host_ip)
}
