//! How long runs and pods waited, and for what.

use super::data::Data;
use crate::document::{Block, Section};
use crate::figures::{duration, percent};
use crate::grid::{Grid, GridCell, GridColumn};

pub(super) fn section(data: &Data) -> Section {
    let blocks = vec![
        Block::table("How long", latencies(data)),
        Block::table("For what: the scheduler's reasons, the longest time first", reasons(data)),
    ];
    Section { id: "waiting", title: "Waiting", blocks }
}

fn latencies(data: &Data) -> Grid {
    let mut columns = vec![GridColumn::words("", "what")];
    columns.extend(["p50", "p90", "p99", "max"].map(|name| GridColumn::figures(name, name)));
    let mut grid = Grid::new(&columns);
    for (key, title) in [
        ("run_queue_delay", "run submitted to its driver running"),
        ("pod_scheduling_delay", "pod created to bound to a node"),
        ("run_duration", "run submitted to its end, succeeded runs"),
    ] {
        let mut row = vec![GridCell::figure(key, title)];
        row.extend(["p50", "p90", "p99", "max"].map(|quantile| {
            let (value, half) = data.estimate(&format!("/latency_s/{key}/{quantile}"));
            let half = half.filter(|half| *half > 0.0);
            let half = half.map_or(String::new(), |half| format!(" ± {}", duration(half)));
            GridCell::figure(value, format!("{}{half}", duration(value)))
        }));
        grid.push(row);
    }
    grid
}

fn reasons(data: &Data) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("reason", "reason"),
        GridColumn::figures("time in all", "wait_s"),
        GridColumn::figures("share", "share"),
        GridColumn::words("", "bar"),
        GridColumn::figures("pods", "pods"),
        GridColumn::figures("never had a node", "never_bound"),
    ]);
    let list = data.summary["waiting"]["by_reason"].as_array();
    let wait = |one: &serde_json::Value| one["wait_s"].as_f64().unwrap_or(0.0);
    let whole: f64 = list.into_iter().flatten().map(wait).sum();
    for one in list.into_iter().flatten() {
        let count = |key: &str| one[key].as_u64().unwrap_or(0);
        let never = count("trace_pods_never_bound") + count("spark_pods_never_bound");
        let seconds = wait(one);
        grid.push(vec![
            GridCell::sentence(one["reason"].as_str().unwrap_or_default()),
            GridCell::figure(seconds, duration(seconds)),
            GridCell::figure(seconds / whole.max(1e-9), percent(seconds, whole)),
            GridCell::Share(seconds / whole.max(1e-9)),
            GridCell::whole(count("pods")),
            GridCell::whole(never),
        ]);
    }
    grid
}
