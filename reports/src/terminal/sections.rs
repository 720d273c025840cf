//! The sections of the summary, for terminals and Markdown alike.

use sim::units::NanoUsd;

use super::Section;
use crate::figures::{bar, dollars, duration, grouped, percent};
use crate::grid::{Grid, GridCell, GridColumn};
use crate::summary::{Named, Quantiles, Summary, Usd};

/// Teams and pools shown; the others are added up in one line.
const SHOWN_MAX: usize = 10;

/// How a foreign name is made safe in the format at hand.
type Escape = fn(&str) -> String;

pub(super) fn all(summary: &Summary, escape: Escape) -> Vec<Section> {
    let mut sections = vec![outcome(summary), waiting(summary), cost(summary)];
    let pools = &summary.cost_usd.by_pool;
    let teams = &summary.cost_usd.by_team;
    sections.extend([
        ledger(summary),
        shares("Cost by node pool", pools, summary.node_cost(), escape),
        shares("Cost by team", teams, summary.cost_usd.total, escape),
        platform(summary),
    ]);
    sections
}

fn outcome(summary: &Summary) -> Section {
    let (workload, outcome) = (&summary.workload, &summary.outcome);
    let span = duration(workload.span_s);
    let mut lines = vec![format!(
        "{} runs over {span}: {} succeeded{}, {} failed, {} unfinished",
        grouped(workload.runs),
        grouped(outcome.succeeded),
        plus_minus(summary, "outcome.succeeded", |n| format!("{n:.1}")),
        grouped(outcome.failed),
        grouped(outcome.unfinished),
    )];
    let failed: Vec<String> = outcome
        .failed_attempts_by_cause
        .0
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(cause, count)| format!("{} {}", grouped(*count), cause.replace('_', " ")))
        .collect();
    lines.push(format!(
        "{} attempts; failed: {}",
        grouped(workload.attempts),
        match failed.is_empty() {
            true => "none".to_owned(),
            false => failed.join(", "),
        },
    ));
    if outcome.trace_pods.submitted > 0 {
        let pods = outcome.trace_pods;
        lines.push(format!(
            "{} plain pods: {} succeeded, {} unfinished",
            grouped(pods.submitted),
            grouped(pods.succeeded),
            grouped(pods.unfinished),
        ));
    }
    Section { title: "Outcome", lines, grid: None }
}

fn waiting(summary: &Summary) -> Section {
    let mut grid = Grid::new(&[
        GridColumn::words("", "what"),
        GridColumn::figures("p50", "p50"),
        GridColumn::figures("p90", "p90"),
        GridColumn::figures("p99", "p99"),
        GridColumn::figures("max", "max"),
    ]);
    let latency = &summary.latency_s;
    let mut row = |what: &str, key: &str, delays: Quantiles| {
        let figure = |name: &str, seconds: f64| {
            let spread = plus_minus(summary, &format!("latency_s.{key}.{name}"), duration);
            GridCell::figure(seconds, format!("{}{spread}", duration(seconds)))
        };
        grid.push(vec![
            GridCell::figure(key, what),
            figure("p50", delays.p50),
            figure("p90", delays.p90),
            figure("p99", delays.p99),
            figure("max", delays.max),
        ]);
    };
    if summary.workload.runs > 0 {
        row("run submitted to driver running", "run_queue_delay", latency.run_queue_delay);
    }
    row("pod created to bound to a node", "pod_scheduling_delay", latency.pod_scheduling_delay);
    if summary.workload.runs > 0 {
        row("run submitted to its end, succeeded runs", "run_duration", latency.run_duration);
    }
    Section { title: "Waiting", lines: Vec::new(), grid: Some(grid) }
}

fn cost(summary: &Summary) -> Section {
    let total = summary.cost_usd.total;
    let mut grid = money_grid();
    for (kind, cost) in &summary.cost_usd.by_kind.0 {
        if cost.0 != NanoUsd::ZERO {
            let spread = spread(summary, &format!("cost_usd.by_kind.{kind}"));
            let label = GridCell::figure(kind.as_str(), kind.replace('_', " "));
            grid.push(money_row(label, *cost, total, &spread));
        }
    }
    let spread = spread(summary, "cost_usd.total");
    let label = GridCell::figure("total", "total");
    grid.push(money_row(label, total, total, &spread));
    Section { title: "Cost", lines: Vec::new(), grid: Some(grid) }
}

fn ledger(summary: &Summary) -> Section {
    let nodes = summary.node_cost();
    let mut grid = money_grid();
    for (kind, cost) in &summary.cost_usd.ledger.0 {
        let spread = spread(summary, &format!("cost_usd.ledger.{kind}"));
        let label = GridCell::figure(kind.as_str(), kind.replace('_', " "));
        grid.push(money_row(label, *cost, nodes, &spread));
    }
    Section { title: "Where the node money went", lines: Vec::new(), grid: Some(grid) }
}

/// The dearest names first; equal ones in their own order.
fn shares(title: &'static str, parts: &Named<Usd>, whole: Usd, escape: Escape) -> Section {
    let mut sorted: Vec<&(String, Usd)> = parts.0.iter().collect();
    sorted.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
    let shown = match sorted.len() <= SHOWN_MAX + 1 {
        true => sorted.len(),
        false => SHOWN_MAX,
    };
    let mut grid = money_grid();
    for (name, cost) in &sorted[..shown] {
        let label = GridCell::figure(name.as_str(), escape(name));
        grid.push(money_row(label, *cost, whole, ""));
    }
    let rest = &sorted[shown..];
    if !rest.is_empty() {
        let cost = Usd(rest.iter().map(|(_, cost)| cost.0).sum());
        let label = GridCell::figure("others", format!("{} others", rest.len()));
        grid.push(money_row(label, cost, whole, ""));
    }
    Section { title, lines: Vec::new(), grid: Some(grid) }
}

fn money_grid() -> Grid {
    Grid::new(&[
        GridColumn::words("", "name"),
        GridColumn::figures("", "cost_usd"),
        GridColumn::figures("", "share"),
        GridColumn::words("", "bar"),
    ])
}

fn money_row(label: GridCell, cost: Usd, whole: Usd, spread: &str) -> Vec<GridCell> {
    let (part, all) = (cost.as_f64(), whole.as_f64());
    let share = if all > 0.0 { part / all } else { 0.0 };
    vec![
        label,
        GridCell::figure(part, format!("{}{spread}", dollars(cost.0))),
        GridCell::figure(share, percent(part, all)),
        GridCell::figure(share, bar(share, 24)),
    ]
}

fn platform(summary: &Summary) -> Section {
    let (nodes, used) = (&summary.nodes, &summary.utilization);
    let lines = vec![
        format!(
            "{} nodes launched, {} at most at one time{}; {} on-demand and {} spot node-hours",
            grouped(nodes.launched),
            grouped(nodes.peak),
            plus_minus(summary, "nodes.peak", |n| format!("{n:.1}")),
            hours(nodes.node_hours.on_demand),
            hours(nodes.node_hours.spot),
        ),
        format!(
            "{} spot interruptions{}",
            grouped(nodes.spot_interruptions),
            plus_minus(summary, "nodes.spot_interruptions", |n| format!("{n:.1}")),
        ),
        format!(
            "{} of allocatable CPU and {} of memory requested by pods",
            percent(used.cpu, 1.0),
            percent(used.memory, 1.0),
        ),
        format!(
            "control plane: at most {} pods and {} event objects at one time",
            grouped(summary.control_plane.pods_peak),
            grouped(summary.control_plane.event_objects_peak),
        ),
        format!(
            "simulated {} pods, {} tasks, {} events",
            grouped(summary.workload.pods),
            grouped(summary.engine.tasks),
            grouped(summary.engine.events),
        ),
    ];
    Section { title: "Platform", lines, grid: None }
}

fn hours(hours: f64) -> String {
    let tenths = (hours * 10.0).round() as u64;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

/// ` ± half the interval`, where there are several replications.
fn plus_minus(summary: &Summary, path: &str, show: impl Fn(f64) -> String) -> String {
    match summary.replication_statistics.get(path) {
        Some(estimate) => format!(" ± {}", show((estimate.ci95_high - estimate.ci95_low) / 2.0)),
        None => String::new(),
    }
}

/// [`plus_minus`] for money.
fn spread(summary: &Summary, path: &str) -> String {
    plus_minus(summary, path, |usd| {
        // Statistics are for reading; the integers above are the bill.
        dollars(NanoUsd::new((usd * 1e9).round() as i64))
    })
}
