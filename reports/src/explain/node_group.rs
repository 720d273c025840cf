//! A node group over time: why it grew, why it did not, which nodes went and why others stayed.

use std::collections::{BTreeMap, BTreeSet};

use super::advice::{cores, gib};
use super::clock::Clock;
use super::document::{Explanation, Fact, Part, fact};
use super::names::Nearest;
use super::rows::{ExplainError, NodeRow, PoolRow, ResultTables, ScalingRow};
use super::waits::seconds;
use crate::figures::grouped;
use crate::grid::{Grid, GridCell, GridColumn};

pub(super) fn explain(result: &ResultTables, name: &str) -> Result<Explanation, ExplainError> {
    let pools = result.pools()?;
    let own: Vec<&PoolRow> = pools.iter().filter(|pool| pool.pool == name).collect();
    let Some(first) = own.first() else {
        let mut near = Nearest::to(name);
        pools.iter().for_each(|pool| near.offer(&pool.pool));
        let mut near = near.into_names();
        if near.is_empty() {
            // There are few groups: all of them are worth naming.
            let names: BTreeSet<&str> = pools.iter().map(|pool| pool.pool.as_str()).collect();
            near = names.into_iter().take(8).map(str::to_owned).collect();
        }
        return Err(ExplainError::Unknown { what: "node group", name: name.to_owned(), near });
    };
    let nodes = result.nodes(|_, pool| pool == name)?;
    let scaling = result.scaling(|_, pool, _| pool == Some(name))?;
    let clock = result.clock();
    let parts = vec![
        Part::facts("Node group", "node_group", facts(&own, &nodes)),
        Part::grid("Decisions, counted", "counts", counts(&scaling)),
        Part::grid("How its nodes ended", "ends", ends(&nodes, &scaling)),
        Part::grid("Decisions over time", "decisions", decisions(&scaling, clock)),
        Part::lines("Next", "next", advice(first, &nodes, &scaling)),
    ];
    let [min, _, max] = first.sizes;
    let heading = format!(
        "node group {name}: {} nodes launched, {} at most at one time (min {min}, max {max})",
        grouped(nodes.len() as u64),
        peak(&nodes),
    );
    Ok(Explanation { heading, parts, picture: String::new() })
}

/// Most nodes at one time. A node that goes when another comes leaves first.
fn peak(nodes: &[NodeRow]) -> i64 {
    let mut changes: Vec<(f64, i64)> =
        nodes.iter().flat_map(|node| [(node.launched, 1), (node.terminated, -1)]).collect();
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (mut now, mut most) = (0, 0);
    for (_, change) in changes {
        now += change;
        most = most.max(now);
    }
    most
}

fn facts(own: &[&PoolRow], nodes: &[NodeRow]) -> Vec<Fact> {
    let first = own[0];
    let types: Vec<String> = own
        .iter()
        .map(|pool| {
            let (cpu, memory) = (cores(pool.cpu_milli), gib(pool.memory));
            format!("{} ({cpu} cpu, {memory} for pods)", pool.instance_type)
        })
        .collect();
    let [min, desired, max] = first.sizes;
    let whole = |value: i64| GridCell::figure(value, grouped(u64::try_from(value).unwrap_or(0)));
    // An empty sum of floating numbers would be -0.
    let sum = |part: fn(&NodeRow) -> f64| nodes.iter().map(part).fold(0.0, |a, b| a + b);
    let hours = sum(|node| node.terminated - node.launched) / 3600.0;
    let (cost, pods) = (sum(|node| node.cost), sum(|node| node.pods_cost));
    let taken = nodes.iter().filter(|node| node.interrupted).count();
    let taints = match first.taints.is_empty() {
        true => GridCell::Missing,
        false => GridCell::sentence(first.taints.clone()),
    };
    vec![
        fact("instance types", "instance_types", GridCell::sentence(types.join(", "))),
        fact("capacity", "capacity_type", GridCell::text(first.capacity_type.clone())),
        fact("taints", "taints", taints),
        fact("fewest nodes", "min", whole(min)),
        fact("nodes at the start", "desired", whole(desired)),
        fact("most nodes", "max", whole(max)),
        fact("launched", "launched", GridCell::whole(nodes.len() as u64)),
        fact("at most at one time", "peak", whole(peak(nodes))),
        fact("taken back by the cloud", "interrupted", GridCell::whole(taken as u64)),
        fact("node-hours", "node_hours", GridCell::decimal(hours, 1)),
        fact("cost", "cost_usd", GridCell::figure(cost, format!("${cost:.2}"))),
        fact(
            "of that asked for by pods",
            "pods_cost_usd",
            GridCell::figure(pods, format!("${pods:.2}")),
        ),
    ]
}

/// Decisions by kind and reason, with figures in reasons taken out.
fn counts(scaling: &[ScalingRow]) -> Grid {
    let mut counted: BTreeMap<(&str, String), (u64, i64)> = BTreeMap::new();
    for row in scaling {
        let reason = without_figures(&row.reason);
        let total = counted.entry((&row.decision, reason)).or_default();
        *total = (total.0 + 1, total.1 + row.nodes.unwrap_or(i64::from(row.node.is_some())));
    }
    let mut rows: Vec<_> = counted.into_iter().collect();
    rows.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
    let mut grid = Grid::new(&[
        GridColumn::words("decision", "decision"),
        GridColumn::figures("times", "times"),
        GridColumn::figures("nodes", "nodes"),
        GridColumn::words("reason", "reason"),
    ]);
    for ((decision, reason), (times, nodes)) in rows {
        grid.push(vec![
            GridCell::figure(decision, decision.replace('_', " ")),
            GridCell::whole(times),
            GridCell::whole(u64::try_from(nodes).unwrap_or(0)),
            GridCell::sentence(reason),
        ]);
    }
    grid
}

/// A reason with `N` for its figures, so that equal reasons count together. A figure within a word
/// (`r5`, `10m`) is part of a name and stays.
fn without_figures(reason: &str) -> String {
    let mut text = String::with_capacity(reason.len());
    let mut chars = reason.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        if !c.is_ascii_digit() || before.is_alphanumeric() || before == '-' {
            text.push(c);
            before = c;
            continue;
        }
        let mut figure = String::from(c);
        while let Some(next) = chars.next_if(|c| c.is_ascii_digit() || *c == '.') {
            figure.push(next);
        }
        let in_name = chars.peek().is_some_and(|next| next.is_alphanumeric());
        text.push_str(if in_name { &figure } else { "N" });
        before = '0';
    }
    text
}

/// Nodes by how they ended: how many, for how long they lived, what they cost.
fn ends(nodes: &[NodeRow], scaling: &[ScalingRow]) -> Grid {
    let removed: BTreeSet<i64> = scaling
        .iter()
        .filter(|row| row.decision == "scale_down")
        .filter_map(|row| row.node)
        .collect();
    let disrupted: BTreeSet<i64> =
        scaling.iter().filter(|row| row.decision == "disrupt").filter_map(|row| row.node).collect();
    let kept: BTreeMap<i64, &str> = scaling
        .iter()
        .filter(|row| matches!(&*row.decision, "no_scale_down" | "unconsolidatable"))
        .filter_map(|row| Some((row.node?, row.reason.as_str())))
        .collect();
    let mut totals: BTreeMap<String, (u64, f64, f64)> = BTreeMap::new();
    for node in nodes {
        let end = if node.interrupted {
            "taken back by the cloud".to_owned()
        } else if disrupted.contains(&node.node) {
            "disrupted by Karpenter".to_owned()
        } else if removed.contains(&node.node) {
            "removed by the autoscaler".to_owned()
        } else if let Some(reason) = kept.get(&node.node) {
            format!("stayed to the end: {}", without_figures(reason))
        } else if node.ready.is_none() {
            "never ready".to_owned()
        } else {
            "stayed to the end".to_owned()
        };
        let total = totals.entry(end).or_default();
        let lived = node.terminated - node.launched;
        *total = (total.0 + 1, total.1 + lived, total.2 + node.cost);
    }
    let mut grid = Grid::new(&[
        GridColumn::words("end", "end"),
        GridColumn::figures("nodes", "nodes"),
        GridColumn::figures("mean life", "mean_life_s"),
        GridColumn::figures("cost", "cost_usd"),
    ]);
    for (end, (count, lived, cost)) in totals {
        grid.push(vec![
            GridCell::sentence(end),
            GridCell::whole(count),
            seconds(lived / count as f64),
            GridCell::figure(cost, format!("${cost:.2}")),
        ]);
    }
    grid
}

/// Equal decisions of one moment in one line.
fn decisions(scaling: &[ScalingRow], clock: Clock) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("at", "at_s"),
        GridColumn::words("decision", "decision"),
        GridColumn::figures("nodes", "nodes"),
        GridColumn::words("which", "which"),
        GridColumn::words("reason", "reason"),
    ]);
    let equal = |a: &ScalingRow, b: &ScalingRow| {
        (a.at, &a.decision, &a.reason) == (b.at, &b.decision, &b.reason)
    };
    for group in scaling.chunk_by(equal) {
        let row = &group[0];
        let numbers: Vec<String> =
            group.iter().filter_map(|row| Some(row.node?.to_string())).collect();
        let nodes: i64 = group.iter().filter_map(|row| row.nodes).sum();
        let nodes = nodes.max(numbers.len() as i64);
        grid.push(vec![
            clock.cell(row.at),
            GridCell::figure(row.decision.as_str(), row.decision.replace('_', " ")),
            GridCell::figure(nodes, grouped(u64::try_from(nodes).unwrap_or(0))),
            match numbers.is_empty() {
                true => GridCell::Missing,
                false => GridCell::figure(numbers.join(" "), listed(&numbers)),
            },
            GridCell::sentence(row.reason.clone()),
        ]);
    }
    grid
}

/// The first few of many numbers.
fn listed(numbers: &[String]) -> String {
    const SHOWN: usize = 5;
    let text = numbers.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(" ");
    match numbers.len().checked_sub(SHOWN) {
        None | Some(0) => text,
        Some(rest) => format!("{text} … {rest} more"),
    }
}

fn advice(pool: &PoolRow, nodes: &[NodeRow], scaling: &[ScalingRow]) -> Vec<String> {
    let mut said = Vec::new();
    let [min, _, max] = pool.sizes;
    let most = peak(nodes);
    let asks = "pods may have waited for it: raise maxSize, or see the top reasons of run";
    if most >= max && max > min {
        said.push(format!("It was at its maximum of {max} nodes; {asks}."));
    }
    let times = |decision: &str| scaling.iter().filter(|row| row.decision == decision).count();
    let backed_off = times("backed_off") + times("launch_failed");
    if backed_off > 0 {
        said.push(format!(
            "Launches failed or it was backed off {backed_off} times: more instance types or zones."
        ));
    }
    if max == min {
        said.push("Its size is fixed: minSize is maxSize.".to_owned());
    }
    let (cost, pods) = nodes
        .iter()
        .fold((0.0, 0.0), |(cost, pods), node| (cost + node.cost, pods + node.pods_cost));
    if cost > 0.0 {
        said.push(format!("{:.0} % of its cost was asked for by pods.", pods / cost * 100.0));
    }
    if let Some(node) =
        nodes.iter().max_by(|a, b| (a.cost - a.pods_cost).total_cmp(&(b.cost - b.pods_cost)))
    {
        said.push(format!("The node with the most unused cost: --node {}.", node.node));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reason: &str, expected: &str) {
        assert_eq!(without_figures(reason), expected);
    }

    #[test]
    fn reasons_that_differ_in_figures_count_together() {
        check("scale-up: [{spot 10->13 (max: 400)}]", "scale-up: [{spot N->N (max: N)}]");
        check("unneeded for 10m2s on r5.large", "unneeded for 10m2s on r5.large");
        check("0.53 is above 0.5", "N is above N");
        check("group executors-2 is full", "group executors-2 is full");
    }
}
