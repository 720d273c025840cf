//! What it cost over time, and where the money went.

use super::data::Data;
use crate::cost::{Cell, KINDS, NODE_KINDS};
use crate::document::{Block, Section};
use crate::figures::percent;
use crate::grid::{Grid, GridCell, GridColumn};
use crate::plots::{Flow, Kind, Series, sankey};
use sim::units::NanoUsd;

/// What a kind of cost is, for whoever pays it.
const MEANING: [&str; 17] = [
    "task and driver time whose output was used",
    "work repeated after executors were lost",
    "work of attempts that failed",
    "executors without a task",
    "boot, image pull, JVM start",
    "kubelet, system and DaemonSets",
    "pause pods that keep warm room",
    "room that nobody asked for",
    "root volumes",
    "EKS control plane",
    "EMR's fee",
    "shuffle traffic between zones",
    "NAT gateways",
    "what commitments take off on-demand prices",
    "paid for commitments and not used",
    "discount on everything",
    "tax",
];

pub(super) fn section(data: &Data) -> Section {
    let whole = data.whole();
    let mut blocks = Vec::new();
    blocks.extend(Block::picture("Cost over time, by hour", "cost", over_time(data)));
    let flows = sankey("Where the money went", &flows(data));
    let caption = "Where the money went: what was bought, and what became of it";
    blocks.extend(Block::picture(caption, "ledger", flows));
    blocks.push(Block::table("The bill by kind; it adds up to the nano-dollar", kinds(&whole)));
    let commitments = commitments(data);
    blocks.push(Block::table("Reserved instances and savings plans", commitments));
    blocks.push(Block::table("Node pools", pools(data)));
    Section { id: "money", title: "Money", blocks }
}

/// Node money by where it went, and fees as one.
fn over_time(data: &Data) -> String {
    let times: Vec<f64> = data.hours.iter().map(|(at, _)| *at).collect();
    let band = |name, of: &dyn Fn(&Cell) -> i64| {
        let values = data.hours.iter().map(|(_, cell)| (of(cell) as f64 / 1e9).max(0.0));
        Series { name, values: values.collect() }
    };
    let nodes = KINDS[..NODE_KINDS].iter().enumerate();
    let mut series: Vec<Series> =
        nodes.map(|(place, kind)| band(kind, &|cell| cell.kinds[place])).collect();
    series.push(band("fees", &|cell| cell.kinds[NODE_KINDS..].iter().sum()));
    series.retain(|series| series.values.iter().any(|value| *value > 0.0));
    data.plot("Cost over time", "dollars an hour", &times, series, Kind::Stacked)
}

fn flows(data: &Data) -> Vec<Flow> {
    let mut flows = Vec::new();
    for (from, capacity) in [("on-demand", Some("on_demand")), ("spot", Some("spot"))] {
        for kind in &KINDS[..NODE_KINDS] {
            let key = vec![capacity.map(str::to_owned), Some((*kind).to_owned())];
            flows.push(Flow { from, to: kind, nano: data.flows.of_group(&key).total() });
        }
    }
    let whole = data.whole();
    for (place, kind) in KINDS.iter().enumerate().skip(NODE_KINDS) {
        flows.push(Flow { from: kind, to: kind, nano: whole.kinds[place] });
    }
    flows
}

fn kinds(whole: &Cell) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("kind", "kind"),
        GridColumn::figures("cost", "cost_usd"),
        GridColumn::figures("share", "share"),
        GridColumn::words("", "bar"),
        GridColumn::words("what it is", "meaning"),
    ]);
    let total = whole.total();
    for (place, kind) in KINDS.iter().enumerate().filter(|(place, _)| whole.kinds[*place] != 0) {
        let nano = whole.kinds[place];
        let share = nano as f64 / total.max(1) as f64;
        grid.push(vec![
            GridCell::figure(*kind, kind.replace('_', " ")),
            GridCell::money(NanoUsd::new(nano)),
            GridCell::figure(share, percent(nano as f64, total as f64)),
            GridCell::Share(share),
            GridCell::figure(MEANING[place], MEANING[place]),
        ]);
    }
    grid.push(vec![
        GridCell::figure("total", "total"),
        GridCell::money(NanoUsd::new(total)),
        GridCell::figure(1.0, "100 %"),
        GridCell::Missing,
        GridCell::Missing,
    ]);
    grid
}

fn commitments(data: &Data) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("commitment", "name"),
        GridColumn::figures("covers, at on-demand prices", "covered_usd"),
        GridColumn::figures("paid", "paid_usd"),
        GridColumn::figures("not used", "unused_usd"),
        GridColumn::figures("used", "used_share"),
    ]);
    for one in data.summary["cost_usd"]["commitments"].as_array().into_iter().flatten() {
        let number = |key: &str| one[key].as_f64().unwrap_or(0.0);
        let (paid, unused) = (number("paid"), number("unused"));
        grid.push(vec![
            GridCell::text(one["name"].as_str().unwrap_or_default()),
            GridCell::usd(number("covered")),
            GridCell::usd(paid),
            GridCell::usd(unused),
            GridCell::figure(1.0 - unused / paid.max(1e-9), percent(paid - unused, paid)),
        ]);
    }
    grid
}

fn pools(data: &Data) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("pool", "pool"),
        GridColumn::words("capacity", "capacity_type"),
        GridColumn::figures("cost", "cost_usd"),
        GridColumn::figures("for pods", "pods_share"),
        GridColumn::figures("node-hours", "node_hours"),
        GridColumn::figures("launched", "launched"),
        GridColumn::figures("interrupted", "interrupted"),
        GridColumn::figures("mean life", "life_s"),
    ]);
    for pool in &data.pools {
        let life = pool.hours / pool.launched.max(1) as f64 * 3600.0;
        grid.push(vec![
            GridCell::text(pool.name.clone()),
            GridCell::figure(pool.capacity_type.as_str(), pool.capacity_type.replace('_', "-")),
            GridCell::usd(pool.usd),
            GridCell::figure(pool.pods_usd / pool.usd.max(1e-9), percent(pool.pods_usd, pool.usd)),
            GridCell::decimal(pool.hours, 0),
            GridCell::whole(pool.launched),
            GridCell::whole(pool.interrupted),
            GridCell::figure(life, crate::figures::duration(life)),
        ]);
    }
    grid
}
