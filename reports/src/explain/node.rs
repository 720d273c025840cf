//! A node's life: why it was launched, what ran on it, what the autoscaler thought of it, its end.

use super::advice::gib;
use super::clock::Clock;
use super::document::{Explanation, Fact, Part, fact};
use super::names::Nearest;
use super::rows::{ExplainError, NodeRow, PodRow, ResultTables, ScalingRow};
use super::waits::seconds;
use crate::figures::duration;
use crate::grid::{Grid, GridCell, GridColumn};

/// Decisions that only Karpenter makes.
const KARPENTERS: [&str; 3] = ["disrupt", "unconsolidatable", "command_abandoned"];

pub(super) fn explain(result: &ResultTables, name: &str) -> Result<Explanation, ExplainError> {
    let number: Option<i64> = name.strip_prefix("node-").unwrap_or(name).parse().ok();
    let mut near = Nearest::to(name);
    let mut nodes = result.nodes(|node, _| {
        near.offer(&node.to_string());
        Some(node) == number
    })?;
    let Some(node) = nodes.pop() else {
        let near = near.into_names();
        return Err(ExplainError::Unknown { what: "node", name: name.to_owned(), near });
    };
    let scaling = result.scaling(|at, pool, of| {
        of == Some(node.node)
            || (of.is_none() && pool == Some(node.pool.as_str()) && at == node.launched)
    })?;
    let mut pods = result.pods(|key| key.node() == Some(node.node))?;
    pods.sort_by(|a, b| a.waited_until().total_cmp(&b.waited_until()).then(a.pod.cmp(&b.pod)));
    let clock = result.clock();
    let parts = vec![
        Part::facts("Node", "node", facts(&node, clock)),
        Part::grid("Life", "life", life(&node, &scaling, clock)),
        Part::grid("Its pods", "pods", pods_grid(&pods, clock)),
        Part::lines("Next", "next", advice(&node, &pods, &scaling)),
    ];
    Ok(Explanation { heading: heading(&node), parts, picture: String::new() })
}

fn end_of(node: &NodeRow, scaling: &[ScalingRow]) -> &'static str {
    if scaling.iter().any(|row| row.decision == "disrupt") && !node.interrupted {
        "disrupted by Karpenter"
    } else if node.interrupted {
        "taken back by the cloud"
    } else if scaling.iter().any(|row| row.decision == "scale_down") {
        "removed by the autoscaler"
    } else if scaling.iter().any(|row| row.decision == "launch_failed") || node.ready.is_none() {
        "never ready"
    } else {
        "there until the simulation ended"
    }
}

fn heading(node: &NodeRow) -> String {
    let (pool, kind) = (&node.pool, &node.instance_type);
    let lived = duration(node.terminated - node.launched);
    let capacity = node.capacity_type.replace('_', "-");
    let pods = match node.pods {
        1 => "1 pod".to_owned(),
        count => format!("{count} pods"),
    };
    format!("node {} ({pool}, {kind}, {capacity}): lived {lived}, had {pods}", node.node)
}

fn facts(node: &NodeRow, clock: Clock) -> Vec<Fact> {
    let usd = |cost: f64| GridCell::figure(cost, format!("${cost:.4}"));
    let boot = node.ready.map(|ready| ready - node.launched);
    vec![
        fact("node", "node", GridCell::figure(node.node, node.node.to_string())),
        fact("node group", "pool", GridCell::text(node.pool.clone())),
        fact("instance type", "instance_type", GridCell::text(node.instance_type.clone())),
        fact("zone", "zone", GridCell::text(node.zone.clone())),
        fact("capacity", "capacity_type", GridCell::text(node.capacity_type.clone())),
        fact("asked for", "launched_s", clock.cell(node.launched)),
        fact("boot", "boot_s", boot.map_or(GridCell::Missing, seconds)),
        fact("gone", "terminated_s", clock.cell(node.terminated)),
        fact("cost", "cost_usd", usd(node.cost)),
        fact("of that its pods'", "pods_cost_usd", usd(node.pods_cost)),
    ]
}

fn life(node: &NodeRow, scaling: &[ScalingRow], clock: Clock) -> Grid {
    // At one moment, the decision comes before what it led to.
    let decided = scaling.iter().map(|row| {
        let decision = row.decision.replace('_', " ");
        (row.at, decision, row.reason.clone())
    });
    let mut lines: Vec<(f64, String, String)> = decided.collect();
    let place = format!("{} in {}", node.instance_type, node.zone);
    lines.push((node.launched, "launched".to_owned(), place));
    if let Some(ready) = node.ready {
        let boot = duration(ready - node.launched);
        lines.push((ready, "ready".to_owned(), format!("pods can be bound, after {boot}")));
    }
    lines.push((node.terminated, "gone".to_owned(), end_of(node, scaling).to_owned()));
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut grid = Grid::new(&[
        GridColumn::words("at", "at_s"),
        GridColumn::words("event", "event"),
        GridColumn::words("detail", "detail"),
    ]);
    for (at, event, detail) in lines {
        grid.push(vec![clock.cell(at), GridCell::text(event), GridCell::sentence(detail)]);
    }
    grid
}

fn pods_grid(pods: &[PodRow], clock: Clock) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("pod", "pod"),
        GridColumn::words("bound", "bound_s"),
        GridColumn::figures("held it for", "held_s"),
        GridColumn::figures("cpu", "cpu_milli"),
        GridColumn::figures("memory", "memory_bytes"),
        GridColumn::words("result", "result"),
    ]);
    for pod in pods {
        let bound = pod.waited_until();
        grid.push(vec![
            GridCell::text(pod.name()),
            clock.cell(bound),
            seconds(pod.ended - bound),
            GridCell::figure(pod.cpu_milli, super::advice::cores(pod.cpu_milli)),
            GridCell::figure(pod.memory, gib(pod.memory)),
            GridCell::text(pod.result.clone()),
        ]);
    }
    grid
}

fn advice(node: &NodeRow, pods: &[PodRow], scaling: &[ScalingRow]) -> Vec<String> {
    let mut said = Vec::new();
    let is_karpenter = scaling.iter().any(|row| KARPENTERS.contains(&row.decision.as_str()));
    if pods.is_empty() {
        said.push("No pod ever ran on it: it came too late, or was there from the start.".into());
    } else {
        let last = pods.iter().map(|pod| pod.ended).fold(0.0, f64::max);
        let empty = node.terminated - last;
        if empty >= 60.0 {
            said.push(format!(
                "It was empty for its last {}: a shorter {} would have saved most of that.",
                duration(empty),
                if is_karpenter { "consolidateAfter" } else { "scale-down-unneeded-time" },
            ));
        }
    }
    let kept = |row: &&ScalingRow| matches!(&*row.decision, "no_scale_down" | "unconsolidatable");
    if let Some(row) = scaling.iter().rev().find(kept) {
        said.push(format!("What kept it last: {}.", row.reason));
    }
    if let Some(row) = scaling.iter().find(|row| row.decision == "disrupt") {
        let moved = pods.iter().filter(|pod| pod.ended >= row.at).count();
        if moved > 0 {
            said.push(format!(
                "{moved} pods were on it when Karpenter took it. Executors that must not move: \
                 WhenEmpty, a longer consolidateAfter, or karpenter.sh/do-not-disrupt on them."
            ));
        }
    }
    let share = if node.cost > 0.0 { node.pods_cost / node.cost * 100.0 } else { 0.0 };
    said.push(format!("{share:.0} % of its cost was asked for by pods."));
    said
}
