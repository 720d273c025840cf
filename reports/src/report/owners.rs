//! Applications and teams by cost and waste, with what to change.

use super::data::Data;
use super::{TOP, advice};
use crate::cost::Costs;
use crate::document::{Block, Section};
use crate::figures::percent;
use crate::grid::{Grid, GridCell, GridColumn};
use sim::units::NanoUsd;

pub(super) fn applications(data: &Data) -> Section {
    let grid = owners(data, &data.applications, "application");
    let caption = format!(
        "The dearest, with their part of what is shared (split: {}), and what to change",
        data.applications.split.name()
    );
    let blocks = vec![Block::table(caption, grid)];
    Section { id: "applications", title: "Applications", blocks }
}

pub(super) fn teams(data: &Data) -> Section {
    let grid = owners(data, &data.teams, "team");
    let blocks = vec![Block::table("The dearest, with their part of what is shared", grid)];
    Section { id: "teams", title: "Teams", blocks }
}

fn owners(data: &Data, costs: &Costs, what: &'static str) -> Grid {
    let with_runs = what == "application";
    let mut columns = vec![GridColumn::words(what, what)];
    columns.extend(with_runs.then(|| GridColumn::figures("runs", "runs")));
    columns.extend([
        GridColumn::figures("cost", "cost_usd"),
        GridColumn::figures("share", "share"),
        GridColumn::words("", "bar"),
        GridColumn::figures("waste", "waste_usd"),
        GridColumn::figures("of it", "waste_share"),
        GridColumn::figures("CPU used", "cpu_used_share"),
    ]);
    columns.extend(with_runs.then(|| GridColumn::words("what to change", "advice")));
    let mut grid = Grid::new(&columns);
    let total = costs.total().total() as f64;
    for (key, cell) in costs.dearest().into_iter().take(TOP) {
        let Some(Some(name)) = key.first() else { continue };
        let own = data.behaviour.get(name).filter(|_| with_runs);
        let share = cell.total() as f64 / total.max(1.0);
        let mut row = vec![GridCell::text(name.clone())];
        row.extend(
            with_runs.then(|| own.map_or(GridCell::Missing, |own| GridCell::whole(own.runs))),
        );
        let [requested, used, _] = cell.cpu;
        row.extend([
            GridCell::money(NanoUsd::new(cell.total())),
            GridCell::figure(share, percent(cell.total() as f64, total)),
            GridCell::Share(share),
            GridCell::money(NanoUsd::new(cell.waste())),
            GridCell::figure(
                cell.waste() as f64 / (cell.total() as f64).max(1.0),
                percent(cell.waste() as f64, cell.total() as f64),
            ),
            match requested > 0.0 {
                true => GridCell::figure(used / requested, percent(used, requested)),
                false => GridCell::Missing,
            },
        ]);
        row.extend(with_runs.then(|| GridCell::sentence(advice::for_owner(&cell, own))));
        grid.push(row);
    }
    grid
}
