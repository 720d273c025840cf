//! What the autoscaler did, and why it did not.

use std::collections::BTreeMap;

use super::data::Data;
use crate::document::{Block, Section};
use crate::figures::{duration, grouped};
use crate::grid::{Grid, GridCell, GridColumn};
use crate::plots::{Kind, Series};
use sim::outcome::DisruptedBy;

/// Decisions in the table, in its order; Karpenter has names of its own for some.
const SHOWN: [(&str, Option<&str>, &str); 6] = [
    ("scale_up", None, "nodes added"),
    ("scale_down", Some("disrupt"), "nodes removed"),
    ("launch_failed", None, "launches failed"),
    ("backed_off", None, "times backed off"),
    ("no_scale_up", None, "would not grow"),
    ("no_scale_down", Some("unconsolidatable"), "would not shrink"),
];

pub(super) fn section(data: &Data) -> Section {
    let mut blocks = Vec::new();
    let disrupted = data.number("/disruption/total/nodes");
    if disrupted > 0.0 {
        blocks.push(Block::Lines(vec![format!(
            "Karpenter disrupted {} nodes; {} pods were evicted from them, {} drivers among these, \
             and {} of task time was lost with executors.",
            grouped(disrupted as u64),
            grouped(data.number("/disruption/total/pods_evicted") as u64),
            grouped(data.number("/disruption/total/drivers_evicted") as u64),
            duration(data.number("/disruption/total/task_time_lost_s")),
        )]));
        blocks.push(Block::table("Nodes disrupted, by reason", disruption(data)));
    }
    if !data.scaling.is_empty() {
        blocks.extend(Block::picture("Nodes launched and gone, by hour", "churn", churn(data)));
        blocks.push(Block::table("Decisions by node pool", decisions(data)));
        blocks.push(Block::table("Why not, most often first", reasons(data)));
    }
    Section { id: "autoscaler", title: "Autoscaler", blocks }
}

fn disruption(data: &Data) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("reason", "reason"),
        GridColumn::figures("nodes", "nodes"),
        GridColumn::figures("pods evicted", "pods_evicted"),
        GridColumn::figures("of these drivers", "drivers_evicted"),
        GridColumn::figures("task time lost", "task_time_lost_s"),
    ]);
    for reason in DisruptedBy::ALL {
        let number =
            |key: &str| data.number(&format!("/disruption/by_reason/{}/{key}", reason.name()));
        let whole = |key: &str| GridCell::whole(number(key) as u64);
        if number("nodes") > 0.0 {
            let lost = number("task_time_lost_s");
            grid.push(vec![
                GridCell::text(reason.name()),
                whole("nodes"),
                whole("pods_evicted"),
                whole("drivers_evicted"),
                GridCell::figure(lost, duration(lost)),
            ]);
        }
    }
    grid
}

fn churn(data: &Data) -> String {
    let (times, [launched, gone, _]) = data.nodes_by_hour();
    let series =
        vec![Series { name: "launched", values: launched }, Series { name: "gone", values: gone }];
    data.plot("Nodes launched and gone", "nodes an hour", &times, series, Kind::Lines)
}

fn decisions(data: &Data) -> Grid {
    let mut columns = vec![GridColumn::words("pool", "pool")];
    columns.extend(SHOWN.map(|(key, _, title)| GridColumn::figures(title, key)));
    let mut grid = Grid::new(&columns);
    let mut pools: BTreeMap<&str, [u64; SHOWN.len()]> = BTreeMap::new();
    for ((pool, decision), count) in &data.scaling {
        let is_it = |(key, other, _): &(&str, Option<&str>, &str)| {
            key == decision || *other == Some(decision.as_str())
        };
        if let Some(place) = SHOWN.iter().position(is_it) {
            pools.entry(pool).or_default()[place] += count;
        }
    }
    for (pool, counts) in pools {
        let mut row = vec![GridCell::text(pool)];
        row.extend(counts.map(GridCell::whole));
        grid.push(row);
    }
    grid
}

fn reasons(data: &Data) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("decision", "decision"),
        GridColumn::figures("times", "times"),
        GridColumn::words("reason", "reason"),
    ]);
    let mut reasons: Vec<_> = data.reasons.iter().collect();
    reasons.sort_by(|(_, a), (_, b)| b.cmp(a));
    for ((decision, reason), count) in reasons.into_iter().take(20) {
        grid.push(vec![
            GridCell::figure(decision.as_str(), decision.replace('_', " ")),
            GridCell::whole(*count),
            GridCell::sentence(reason.clone()),
        ]);
    }
    grid
}
