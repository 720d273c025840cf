//! kube-state-metrics' metrics of nodes, from `nodes` and `pools`.
//!
//! Source: kube-state-metrics 2, `docs/metrics/cluster/node-metrics.md`, `internal/store/node.go`
//! and `utils.go` (names of labels). A node is there from `ready_s` (when pods could be bound to
//! it) to `terminated_s`; while it boots, only the autoscaler's counts know of it. Allocatable is
//! what `pools` says: what an empty node has for pods, less by its `DaemonSets` than the kubelet's.
//! Leaves out: what no table holds (addresses, versions, capacity, conditions but `Ready`, other
//! labels than EKS' and the well-known ones), and `Ready` that is lost before the end.

use std::collections::BTreeMap;

use super::exposition::{Exposition, FamilyKind};
use super::steps::{Steps, ms};
use crate::tables::{ReadError, TableFile};

/// CPU in thousandths of a core, and memory, by pool and instance type.
type Rooms = BTreeMap<(String, String), (i64, i64)>;

/// A row of `nodes` that was ready at some time.
struct Node<'a> {
    name: String,
    pool: &'a str,
    instance_type: &'a str,
    zone: &'a str,
    capacity_type: &'a str,
    ready: i64,
    terminated: i64,
}

/// The label that is a node's name.
pub(super) fn node_name(number: i64) -> String {
    format!("node-{number}")
}

fn each(table: &TableFile, mut visit: impl FnMut(&Node<'_>)) -> Result<(), ReadError> {
    let columns =
        ["node", "pool", "instance_type", "zone", "capacity_type", "ready_s", "terminated_s"];
    table.rows(&columns, |row| {
        let Some(ready) = row.float(5) else { return };
        visit(&Node {
            name: node_name(row.integer(0).unwrap_or_default()),
            pool: row.text(1).unwrap_or_default(),
            instance_type: row.text(2).unwrap_or_default(),
            zone: row.text(3).unwrap_or_default(),
            capacity_type: row.text(4).unwrap_or_default(),
            ready: ms(ready),
            terminated: ms(row.float(6).unwrap_or_default()),
        });
    })
}

fn rooms(pools: &TableFile) -> Result<Rooms, ReadError> {
    let mut rooms = Rooms::new();
    pools.rows(&["pool", "instance_type", "pods_cpu_milli", "pods_memory_bytes"], |row| {
        if let (Some(pool), Some(kind), Some(cpu), Some(memory)) =
            (row.text(0), row.text(1), row.integer(2), row.integer(3))
        {
            rooms.entry((pool.to_owned(), kind.to_owned())).or_insert((cpu, memory));
        }
    })?;
    Ok(rooms)
}

/// Writes the families.
pub(super) fn write(
    nodes: &TableFile,
    pools: &TableFile,
    steps: Steps,
    out: &mut Exposition<'_>,
) -> Result<(), ReadError> {
    out.family("kube_node_info", FamilyKind::Gauge, "Information about a cluster node.");
    each(nodes, |node| {
        out.series(&[("node", &node.name)]);
        constant(node, steps, out, 1);
    })?;
    labels(nodes, steps, out)?;
    condition(nodes, steps, out)?;
    allocatable(nodes, &rooms(pools)?, steps, out)
}

fn constant(
    node: &Node<'_>,
    steps: Steps,
    out: &mut Exposition<'_>,
    value: impl std::fmt::Display,
) {
    for at in steps.within(node.ready, node.terminated) {
        out.sample(at, &value);
    }
}

fn labels(nodes: &TableFile, steps: Steps, out: &mut Exposition<'_>) -> Result<(), ReadError> {
    let help = "Kubernetes labels converted to Prometheus labels.";
    out.family("kube_node_labels", FamilyKind::Gauge, help);
    each(nodes, |node| {
        let capacity_type = match node.capacity_type {
            "spot" => "SPOT",
            "on_demand" => "ON_DEMAND",
            other => other,
        };
        out.series(&[
            ("node", &node.name),
            ("label_eks_amazonaws_com_capacity_type", capacity_type),
            ("label_eks_amazonaws_com_nodegroup", node.pool),
            ("label_node_kubernetes_io_instance_type", node.instance_type),
            ("label_topology_kubernetes_io_zone", node.zone),
        ]);
        constant(node, steps, out, 1);
    })
}

fn condition(nodes: &TableFile, steps: Steps, out: &mut Exposition<'_>) -> Result<(), ReadError> {
    let help = "The condition of a cluster node.";
    out.family("kube_node_status_condition", FamilyKind::Gauge, help);
    each(nodes, |node| {
        for (status, value) in [("true", 1), ("false", 0), ("unknown", 0)] {
            out.series(&[("node", &node.name), ("condition", "Ready"), ("status", status)]);
            constant(node, steps, out, value);
        }
    })
}

fn allocatable(
    nodes: &TableFile,
    rooms: &Rooms,
    steps: Steps,
    out: &mut Exposition<'_>,
) -> Result<(), ReadError> {
    let help = "The allocatable for different resources of a node that are available for \
                scheduling: here, of an empty node, less its DaemonSets.";
    out.family("kube_node_status_allocatable", FamilyKind::Gauge, help);
    each(nodes, |node| {
        let kind = (node.pool.to_owned(), node.instance_type.to_owned());
        let Some((cpu, memory)) = rooms.get(&kind) else { return };
        out.series(&[("node", &node.name), ("resource", "cpu"), ("unit", "core")]);
        constant(node, steps, out, cores(*cpu));
        out.series(&[("node", &node.name), ("resource", "memory"), ("unit", "byte")]);
        constant(node, steps, out, memory);
    })
}

/// Thousandths of a core as cores.
pub(super) fn cores(milli: i64) -> f64 {
    milli as f64 / 1000.0
}
