//! Cluster Autoscaler's own metrics, from `timeline`, `scaling` and `nodes`.
//!
//! Source: kubernetes/autoscaler, `cluster-autoscaler/metrics/metrics.go` (in later versions
//! `metrics_impl.go`): names, labels and the words for reasons; `aws/auto_scaling_groups.go`: the
//! reason of launches that got no instance. A state holds until the next row, or until the
//! simulation ends. Counters count from the start of the workload, whatever the window.
//!
//! Leaves out: states of nodes that the tables do not tell apart (a node that is not ready yet is
//! `unregistered`), and the autoscaler's own run times.

use std::collections::{BTreeMap, BTreeSet};

use super::exposition::{Exposition, FamilyKind};
use super::steps::{Steps, ms};
use crate::tables::{ReadError, TableFile, TableRow};

/// Gives every one of `moments` to `sample`, with the state after all rows up to it. The first of
/// `columns` is the row's time.
fn stepped<S>(
    table: &TableFile,
    columns: &[&str],
    moments: impl Iterator<Item = i64>,
    state: &mut S,
    mut apply: impl FnMut(&mut S, TableRow<'_>),
    mut sample: impl FnMut(&mut S, i64),
) -> Result<(), ReadError> {
    let mut moments = moments.peekable();
    table.rows(columns, |row| {
        let at = ms(row.float(0).unwrap_or_default());
        while let Some(moment) = moments.next_if(|moment| *moment < at) {
            sample(state, moment);
        }
        apply(state, row);
    })?;
    moments.for_each(|moment| sample(state, moment));
    Ok(())
}

/// Writes the families; none where no autoscaler has decided anything.
pub(super) fn write(
    timeline: &TableFile,
    scaling: &TableFile,
    nodes: &TableFile,
    steps: Steps,
    out: &mut Exposition<'_>,
) -> Result<(), ReadError> {
    let mut decided = false;
    scaling.rows(&["decision"], |_| decided = true)?;
    if !decided {
        return Ok(());
    }
    let nodes_count = "cluster_autoscaler_nodes_count";
    out.family(nodes_count, FamilyKind::Gauge, "Number of nodes in cluster.");
    let columns = ["at_s", "nodes_on_demand", "nodes_spot", "nodes_booting"];
    let number = |row: TableRow<'_>, place| row.integer(place).unwrap_or_default();
    gauge(timeline, &columns, ("state", "ready"), steps, out, |row| {
        number(row, 1) + number(row, 2) - number(row, 3)
    })?;
    let booting = ["at_s", "nodes_booting"];
    let state = ("state", "unregistered");
    gauge(timeline, &booting, state, steps, out, |row| number(row, 1))?;
    let help = "Number of unschedulable pods in the cluster.";
    out.family("cluster_autoscaler_unschedulable_pods_count", FamilyKind::Gauge, help);
    let (pending, kind) = (["at_s", "pods_pending"], ("type", "unschedulable"));
    gauge(timeline, &pending, kind, steps, out, |row| number(row, 1))?;
    unneeded(scaling, nodes, steps, out)?;
    counters(scaling, steps, out)
}

/// A series of `timeline`, from its first row on.
fn gauge(
    timeline: &TableFile,
    columns: &[&str],
    label: (&str, &str),
    steps: Steps,
    out: &mut Exposition<'_>,
    value: impl Fn(TableRow<'_>) -> i64,
) -> Result<(), ReadError> {
    out.series(&[label]);
    let mut now = None;
    stepped(
        timeline,
        columns,
        steps.before_end(),
        &mut now,
        |now, row| *now = Some(value(row)),
        |now, at| now.iter().for_each(|value| out.sample(at, value)),
    )
}

/// Nodes whose last decision was `unneeded`, and that are still there.
fn unneeded(
    scaling: &TableFile,
    nodes: &TableFile,
    steps: Steps,
    out: &mut Exposition<'_>,
) -> Result<(), ReadError> {
    let mut terminated: BTreeMap<i64, i64> = BTreeMap::new();
    nodes.rows(&["node", "terminated_s"], |row| {
        if let (Some(node), Some(end)) = (row.integer(0), row.float(1)) {
            terminated.insert(node, ms(end));
        }
    })?;
    let help = "Number of nodes currently considered unneeded by CA.";
    out.family("cluster_autoscaler_unneeded_nodes_count", FamilyKind::Gauge, help);
    out.series(&[]);
    stepped(
        scaling,
        &["at_s", "node", "decision"],
        steps.before_end(),
        &mut BTreeSet::new(),
        |now, row| match (row.integer(1), row.text(2)) {
            (Some(node), Some("unneeded")) => drop(now.insert(node)),
            (Some(node), _) => drop(now.remove(&node)),
            _ => {}
        },
        |now, at| {
            now.retain(|node| terminated.get(node).is_some_and(|end| *end > at));
            out.sample(at, now.len());
        },
    )
}

/// What a row of `scaling` adds to a counter, and with which reason; nothing for most rows.
type Count = fn(TableRow<'_>) -> Option<(i64, &'static str)>;

/// Columns of a [`Count`].
const DECISION: [&str; 4] = ["at_s", "decision", "nodes", "reason"];

fn counters(scaling: &TableFile, steps: Steps, out: &mut Exposition<'_>) -> Result<(), ReadError> {
    let families: [(&str, &str, Count); 3] = [
        ("cluster_autoscaler_scaled_up_nodes", "Number of nodes added by CA.", scaled_up),
        ("cluster_autoscaler_scaled_down_nodes", "Number of nodes removed by CA.", scaled_down),
        (
            "cluster_autoscaler_failed_scale_ups",
            "Number of times scale-up operation has failed.",
            failed,
        ),
    ];
    for (name, help, count) in families {
        out.family(name, FamilyKind::Counter, help);
        let mut reasons = BTreeSet::new();
        scaling.rows(&DECISION, |row| reasons.extend(count(row).map(|(_, reason)| reason)))?;
        if name.ends_with("scaled_up_nodes") {
            reasons.insert("");
        }
        for reason in reasons {
            out.series(&[("reason", reason)]);
            stepped(
                scaling,
                &DECISION,
                steps.all(),
                &mut 0_i64,
                |now, row| {
                    let (more, _) = count(row).filter(|(_, of)| *of == reason).unwrap_or_default();
                    *now = now.saturating_add(more);
                },
                |now, at| out.sample(at, now),
            )?;
        }
    }
    Ok(())
}

fn scaled_up(row: TableRow<'_>) -> Option<(i64, &'static str)> {
    (row.text(1) == Some("scale_up")).then(|| (row.integer(2).unwrap_or_default().max(0), ""))
}

fn scaled_down(row: TableRow<'_>) -> Option<(i64, &'static str)> {
    let reason = match row.text(3) {
        Some(reason) if reason.ends_with("empty") => "empty",
        _ => "underutilized",
    };
    (row.text(1) == Some("scale_down")).then_some((1, reason))
}

fn failed(row: TableRow<'_>) -> Option<(i64, &'static str)> {
    let reason = match row.text(3) {
        Some(reason) if reason.contains("max-node-provision-time") => "timeout",
        _ => "placeholder-cannot-be-fulfilled",
    };
    (row.text(1) == Some("launch_failed")).then_some((1, reason))
}
