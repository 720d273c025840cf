//! What the autoscaler did, and why it did not.

use std::collections::BTreeMap;

use super::data::Data;
use crate::document::{Block, Section};
use crate::grid::{Grid, GridCell, GridColumn};
use crate::plots::{Kind, Series};

/// Decisions in the table, in its order.
const SHOWN: [(&str, &str); 6] = [
    ("scale_up", "nodes added"),
    ("scale_down", "nodes removed"),
    ("launch_failed", "launches failed"),
    ("backed_off", "times backed off"),
    ("no_scale_up", "would not grow"),
    ("no_scale_down", "would not shrink"),
];

pub(super) fn section(data: &Data) -> Section {
    let mut blocks = Vec::new();
    if !data.scaling.is_empty() {
        blocks.extend(Block::picture("Nodes launched and gone, by hour", "churn", churn(data)));
        blocks.push(Block::table("Decisions by node pool", decisions(data)));
        blocks.push(Block::table("Why not, most often first", reasons(data)));
    }
    Section { id: "autoscaler", title: "Autoscaler", blocks }
}

fn churn(data: &Data) -> String {
    let (times, [launched, gone, _]) = data.nodes_by_hour();
    let series =
        vec![Series { name: "launched", values: launched }, Series { name: "gone", values: gone }];
    data.plot("Nodes launched and gone", "nodes an hour", &times, series, Kind::Lines)
}

fn decisions(data: &Data) -> Grid {
    let mut columns = vec![GridColumn::words("pool", "pool")];
    columns.extend(SHOWN.map(|(key, title)| GridColumn::figures(title, key)));
    let mut grid = Grid::new(&columns);
    let mut pools: BTreeMap<&str, [u64; SHOWN.len()]> = BTreeMap::new();
    for ((pool, decision), count) in &data.scaling {
        if let Some(place) = SHOWN.iter().position(|(key, _)| key == decision) {
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
