//! Metrics of simulations as people read them, and tables of their differences.

use reports::grid::{Grid, GridCell, GridColumn};
use serde_json::json;

use crate::compare::{Difference, Outcomes};

/// Metrics that are shown: title, path, what one unit of the figure is.
pub(in crate::cli) const SHOWN: [(&str, &str, Unit); 17] = [
    ("cost", "cost_usd.total", Unit::Usd),
    ("on-demand", "cost_usd.by_kind.on_demand", Unit::Usd),
    ("spot", "cost_usd.by_kind.spot", Unit::Usd),
    ("unallocated", "cost_usd.ledger.unallocated", Unit::Usd),
    ("recompute", "cost_usd.ledger.recompute", Unit::Usd),
    ("runs failed", "outcome.failed", Unit::Count),
    ("attempts", "workload.attempts", Unit::Count),
    ("out of memory", "outcome.failed_attempts_by_cause.executor_oom", Unit::Count),
    ("timeouts", "outcome.failed_attempts_by_cause.timeout", Unit::Count),
    ("run queue delay p99", "latency_s.run_queue_delay.p99", Unit::Seconds),
    ("pod scheduling delay p99", "latency_s.pod_scheduling_delay.p99", Unit::Seconds),
    ("run duration p50", "latency_s.run_duration.p50", Unit::Seconds),
    ("nodes launched", "nodes.launched", Unit::Count),
    ("CPU asked for", "utilization.cpu", Unit::Share),
    ("nodes disrupted", "disruption.total.nodes", Unit::Count),
    ("pods evicted", "disruption.total.pods_evicted", Unit::Count),
    ("task time lost with them", "disruption.total.task_time_lost_s", Unit::Seconds),
];

/// What one unit of a metric is.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) enum Unit {
    Usd,
    Count,
    Seconds,
    Share,
}

/// Titles and keys of two sides.
pub(in crate::cli) type Sides = [(&'static str, &'static str); 2];

/// Candidates against their base, with intervals and what those are worth; `error` is the backtest's.
pub(in crate::cli) fn differences(
    [base_title, own_title]: Sides,
    base: &Outcomes,
    candidates: &[Outcomes],
    error: Option<f64>,
) -> Grid {
    let several = candidates.len() > 1;
    let mut columns = vec![GridColumn::words("metric", "metric")];
    columns.extend(several.then(|| GridColumn::words("of", "candidate")));
    columns.extend([
        GridColumn::figures(base_title.0, base_title.1),
        GridColumn::figures(own_title.0, own_title.1),
        GridColumn::figures("difference", "difference"),
        GridColumn::words("95 % interval", "interval"),
        GridColumn::figures("%", "percent"),
        GridColumn::words("verdict", "verdict"),
    ]);
    let mut grid = Grid::new(&columns);
    for candidate in candidates {
        for (title, path, unit) in SHOWN {
            let found = candidate.against(base, path);
            if found.base == 0.0 && found.candidate == 0.0 {
                continue;
            }
            let mut row = vec![GridCell::text(title)];
            row.extend(several.then(|| GridCell::text(&candidate.name)));
            row.extend([
                GridCell::figure(found.base, shown(found.base, unit, false)),
                GridCell::figure(found.candidate, shown(found.candidate, unit, false)),
                GridCell::figure(found.absolute(), shown(found.absolute(), unit, true)),
                GridCell::text(interval(&found, unit)),
                percent(&found),
                GridCell::text(verdict(&found, error)),
            ]);
            grid.push(row);
        }
    }
    grid
}

/// The interval of a difference; empty with one replication.
pub(in crate::cli) fn interval(found: &Difference, unit: Unit) -> String {
    found.difference.map_or_else(String::new, |d| {
        format!("{} to {}", shown(d.ci95_low, unit, true), shown(d.ci95_high, unit, true))
    })
}

/// A difference in percent of the base.
pub(in crate::cli) fn percent(found: &Difference) -> GridCell {
    found.relative().map_or_else(
        || GridCell::figure(json!(null), "-"),
        |share| GridCell::figure(share * 100.0, format!("{:+.1}", share * 100.0)),
    )
}

/// What the difference is worth.
fn verdict(found: &Difference, error: Option<f64>) -> &'static str {
    let small = error.zip(found.relative()).is_some_and(|(error, share)| share.abs() < error);
    match (found.difference, found.is_clear()) {
        (None, _) => "one replication",
        (Some(_), false) => "not clear",
        (Some(_), true) if small => "below the backtest's error",
        (Some(_), true) => "",
    }
}

/// A value with its unit, and its sign where it is a difference.
pub(in crate::cli) fn shown(value: f64, unit: Unit, signed: bool) -> String {
    let (number, suffix) = match unit {
        Unit::Usd => (format!("{:.2}", value.abs()), ""),
        Unit::Count => (format!("{:.1}", value.abs()), ""),
        Unit::Seconds => (format!("{:.1}", value.abs()), " s"),
        Unit::Share => (format!("{:.3}", value.abs()), ""),
    };
    let sign = if value < 0.0 {
        "-"
    } else if signed {
        "+"
    } else {
        ""
    };
    let dollar = if matches!(unit, Unit::Usd) { "$" } else { "" };
    format!("{sign}{dollar}{number}{suffix}")
}
