//! The sections of the summary, for terminals and Markdown alike.
//!
//! Of several replications every figure is the mean with half its 95 % interval: the first
//! replication's number says nothing about where that interval lies.

use sim::units::NanoUsd;

use super::Section;
use crate::figures::{bar, dollars, duration, grouped, percent};
use crate::grid::{Grid, GridCell, GridColumn};
use crate::student_t::Estimate;
use crate::summary::{DisruptionPart, Named, Quantiles, Summary, Usd};

/// Teams and pools shown; the others are added up in one line.
const SHOWN_MAX: usize = 10;

/// Owners shown: those with most to know.
const OWNERS_SHOWN: usize = 8;

/// Below this share of the nodes in use, longer recorded waits have another cause than the trace's
/// own pods.
const SAMPLED_BELOW: f64 = 0.2;

/// Reasons for waiting shown.
const REASONS_SHOWN: usize = 5;

/// How a foreign name is made safe in the format at hand.
type Escape = fn(&str) -> String;

pub(super) fn all(summary: &Summary, escape: Escape) -> Vec<Section> {
    let mut sections = vec![outcome(summary)];
    sections.extend(owners(summary, escape));
    sections.push(waiting(summary));
    sections.extend([waiting_reasons(summary), pod_waits(summary)].into_iter().flatten());
    sections.push(cost(summary));
    let pools = &summary.cost_usd.by_pool;
    let teams = &summary.cost_usd.by_team;
    sections.extend([
        ledger(summary),
        shares("Cost by node pool", "cost_usd.by_pool", pools, summary, escape),
        shares("Cost by team", "cost_usd.by_team", teams, summary, escape),
        platform(summary),
    ]);
    sections
}

fn outcome(summary: &Summary) -> Section {
    let (workload, outcome) = (&summary.workload, &summary.outcome);
    let span = duration(workload.span_s);
    let count = |path: &str, count: u64| figure(summary, path, count as f64, counted);
    let mut lines = vec![format!(
        "{} runs over {span}: {} succeeded, {} failed, {} unfinished",
        count("workload.runs", workload.runs),
        count("outcome.succeeded", outcome.succeeded),
        count("outcome.failed", outcome.failed),
        count("outcome.unfinished", outcome.unfinished),
    )];
    let causes = outcome.failed_attempts_by_cause.0.iter();
    let failed: Vec<String> = causes
        .filter(|(_, count)| *count > 0)
        .map(|(cause, failed)| {
            let path = format!("outcome.failed_attempts_by_cause.{cause}");
            format!("{} {}", count(&path, *failed), cause.replace('_', " "))
        })
        .collect();
    lines.push(format!(
        "{} attempts; failed: {}",
        count("workload.attempts", workload.attempts),
        match failed.is_empty() {
            true => "none".to_owned(),
            false => failed.join(", "),
        },
    ));
    if outcome.trace_pods.submitted > 0 {
        let pods = outcome.trace_pods;
        lines.push(format!(
            "{} plain pods: {} succeeded, {} unfinished, of those {} never had a node",
            grouped(pods.submitted),
            grouped(pods.succeeded),
            grouped(pods.unfinished),
            grouped(pods.never_bound),
        ));
    }
    Section { title: "Outcome", lines, grid: None }
}

/// Owners with missed deadlines, timeouts or failed runs.
fn owners(summary: &Summary, escape: Escape) -> Option<Section> {
    let mut worst: Vec<_> =
        summary.owners.0.iter().filter(|(_, owner)| owner.is_worth_a_line()).collect();
    if worst.is_empty() {
        return None;
    }
    worst.sort_by_key(|(_, owner)| {
        std::cmp::Reverse((owner.deadline_missed, owner.timeouts + owner.failed, owner.unfinished))
    });
    let mut grid = Grid::new(&[
        GridColumn::words("owner", "team"),
        GridColumn::figures("runs", "runs"),
        GridColumn::figures("failed", "failed"),
        GridColumn::figures("unfinished", "unfinished"),
        GridColumn::figures("timeouts", "timeouts"),
        GridColumn::figures("deadlines", "with_deadline"),
        GridColumn::figures("missed", "deadline_missed"),
        GridColumn::figures("critical", "critical_missed"),
        GridColumn::figures("late parents", "held_by_parents"),
    ]);
    for (team, owner) in worst.iter().take(OWNERS_SHOWN) {
        let mut row = vec![GridCell::figure(team.as_str(), escape(team))];
        row.extend(
            [
                ("runs", owner.runs),
                ("failed", owner.failed),
                ("unfinished", owner.unfinished),
                ("timeouts", owner.timeouts),
                ("with_deadline", owner.with_deadline),
                ("deadline_missed", owner.deadline_missed),
                ("critical_missed", owner.critical_missed),
                ("held_by_parents", owner.held_by_parents),
            ]
            .map(|(key, count)| {
                let path = format!("owners.{team}.{key}");
                GridCell::figure(count, figure(summary, &path, count as f64, counted))
            }),
        );
        grid.push(row);
    }
    let more = worst.len().saturating_sub(OWNERS_SHOWN);
    let lines = (more > 0).then(|| format!("and {more} more; all are in summary.json, `owners`"));
    Some(Section {
        title: "Owners with failures, timeouts or missed deadlines",
        lines: lines.into_iter().collect(),
        grid: Some(grid),
    })
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
            let path = format!("latency_s.{key}.{name}");
            GridCell::figure(seconds, figure(summary, &path, seconds, duration))
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

/// What pods waited for most; of several replications, in the first.
fn waiting_reasons(summary: &Summary) -> Option<Section> {
    let reasons = &summary.waiting.by_reason;
    let mut grid = Grid::new(&[
        GridColumn::figures("pods", "pods"),
        GridColumn::figures("time in all", "wait_s"),
        GridColumn::figures("never had a node", "never_bound"),
        // Last, because it may be longer than a line.
        GridColumn::words("reason", "reason"),
    ]);
    for reason in reasons.iter().take(REASONS_SHOWN) {
        let never = reason.trace_pods_never_bound + reason.spark_pods_never_bound;
        grid.push(vec![
            GridCell::whole(reason.pods),
            GridCell::figure(reason.wait_s, duration(reason.wait_s)),
            GridCell::whole(never),
            GridCell::sentence(reason.reason.clone()),
        ]);
    }
    let lines = Vec::new();
    (!grid.is_empty()).then_some(Section {
        title: "Top reasons for waiting",
        lines,
        grid: Some(grid),
    })
}

/// Simulated waits of trace pods beside the recorded ones.
fn pod_waits(summary: &Summary) -> Option<Section> {
    let waits = summary.pod_waits.as_ref()?;
    let mut grid = Grid::new(&[
        GridColumn::words("", "what"),
        GridColumn::figures("p50", "p50"),
        GridColumn::figures("p90", "p90"),
        GridColumn::figures("p99", "p99"),
        GridColumn::figures("max", "max"),
        GridColumn::figures("never", "never"),
    ]);
    let rows = [
        ("recorded", waits.recorded, waits.recorded_never),
        ("simulated", waits.simulated, waits.simulated_never),
    ];
    for (what, found, never) in rows {
        let times = [found.p50, found.p90, found.p99, found.max];
        let mut row = vec![GridCell::figure(what, what)];
        row.extend(times.map(|time| GridCell::figure(time, duration(time))));
        row.push(GridCell::whole(never));
        grid.push(row);
    }
    let mut lines = vec![
        format!(
            "{} pods; {} bound in both: {} within 1 s, {} within 10 s, {} within 60 s; rank \
             correlation {:.2}",
            grouped(waits.pods),
            grouped(waits.compared),
            percent(waits.within_1s, 1.0),
            percent(waits.within_10s, 1.0),
            percent(waits.within_60s, 1.0),
            waits.rank_correlation,
        ),
        format!("{} never bound in both", grouped(waits.both_never)),
    ];
    // A list that fills next to nothing of its cluster cannot have waited for itself.
    let used = summary.utilization.cpu.max(summary.utilization.memory);
    if used < SAMPLED_BELOW && waits.recorded.p90 > 10.0 * waits.simulated.p90.max(0.1) {
        lines.push(format!(
            "these pods ask for {} of the nodes: what the recorded ones waited for is not in the \
             trace",
            percent(used, 1.0),
        ));
    }
    Some(Section { title: "Waits against the recording", lines, grid: Some(grid) })
}

fn cost(summary: &Summary) -> Section {
    let total = money(summary, "cost_usd.total", summary.cost_usd.total);
    let mut grid = money_grid(summary);
    for (kind, cost) in &summary.cost_usd.by_kind.0 {
        let cost = money(summary, &format!("cost_usd.by_kind.{kind}"), *cost);
        if cost.usd > 0.0 {
            let label = GridCell::figure(kind.as_str(), kind.replace('_', " "));
            grid.push(money_row(summary, label, cost, total.usd));
        }
    }
    let label = GridCell::figure("total", "total");
    grid.push(money_row(summary, label, total, total.usd));
    Section { title: "Cost", lines: Vec::new(), grid: Some(grid) }
}

fn ledger(summary: &Summary) -> Section {
    let kinds = summary.cost_usd.ledger.0.iter();
    let kinds: Vec<(&str, Money)> = kinds
        .map(|(kind, cost)| {
            let path = format!("cost_usd.ledger.{kind}");
            (kind.as_str(), money(summary, &path, *cost))
        })
        .collect();
    let nodes = kinds.iter().map(|(_, cost)| cost.usd).sum();
    let mut grid = money_grid(summary);
    for (kind, cost) in kinds {
        let label = GridCell::figure(kind, kind.replace('_', " "));
        grid.push(money_row(summary, label, cost, nodes));
    }
    Section { title: "Where the node money went", lines: Vec::new(), grid: Some(grid) }
}

/// The dearest names first; equal ones in their own order.
fn shares(
    title: &'static str,
    path: &str,
    parts: &Named<Usd>,
    summary: &Summary,
    escape: Escape,
) -> Section {
    let mut sorted: Vec<(&str, Money)> = parts
        .0
        .iter()
        .map(|(name, cost)| (name.as_str(), money(summary, &format!("{path}.{name}"), *cost)))
        .collect();
    sorted.sort_by(|(_, a), (_, b)| b.usd.total_cmp(&a.usd));
    let whole = sorted.iter().map(|(_, cost)| cost.usd).sum();
    let shown = match sorted.len() <= SHOWN_MAX + 1 {
        true => sorted.len(),
        false => SHOWN_MAX,
    };
    let mut grid = money_grid(summary);
    for (name, cost) in &sorted[..shown] {
        let label = GridCell::figure(*name, escape(name));
        grid.push(money_row(summary, label, *cost, whole));
    }
    let rest = &sorted[shown..];
    if !rest.is_empty() {
        let usd = rest.iter().map(|(_, cost)| cost.usd).sum();
        let label = GridCell::figure("others", format!("{} others", rest.len()));
        grid.push(money_row(summary, label, Money { usd, half: None }, whole));
    }
    Section { title, lines: Vec::new(), grid: Some(grid) }
}

/// Dollars to be shown: of one replication, or a mean with half its interval.
#[derive(Clone, Copy)]
struct Money {
    usd: f64,
    half: Option<f64>,
}

fn money(summary: &Summary, path: &str, one: Usd) -> Money {
    match summary.replication_statistics.get(path) {
        None => Money { usd: one.as_f64(), half: None },
        Some(estimate) => Money { usd: estimate.mean, half: Some(half(estimate)) },
    }
}

fn money_grid(summary: &Summary) -> Grid {
    let mut columns = vec![GridColumn::words("", "name"), GridColumn::figures("", "cost_usd")];
    if !summary.replication_statistics.is_empty() {
        columns.push(GridColumn::words("", "half_ci95_usd"));
    }
    columns.extend([GridColumn::figures("", "share"), GridColumn::words("", "bar")]);
    Grid::new(&columns)
}

fn money_row(summary: &Summary, label: GridCell, cost: Money, whole: f64) -> Vec<GridCell> {
    let share = if whole > 0.0 { cost.usd / whole } else { 0.0 };
    // Whole cents are shown; the bill itself is in the integers of the summary.
    let shown = |usd: f64| dollars(NanoUsd::new((usd * 1e9).round() as i64));
    let mut row = vec![label, GridCell::figure(cost.usd, shown(cost.usd))];
    if !summary.replication_statistics.is_empty() {
        row.push(match cost.half {
            Some(half) => GridCell::figure(half, format!("± {}", shown(half))),
            None => GridCell::figure("", ""),
        });
    }
    row.push(GridCell::figure(share, percent(cost.usd, whole)));
    row.push(GridCell::figure(share, bar(share, 24)));
    row
}

fn platform(summary: &Summary) -> Section {
    let (nodes, used) = (&summary.nodes, &summary.utilization);
    let count = |path: &str, count: u64| figure(summary, path, count as f64, counted);
    let hours = |path: &str, hours: f64| figure(summary, path, hours, counted);
    let part = |path: &str, part: f64| figure(summary, path, part, |part| percent(part, 1.0));
    let mut lines = vec![
        format!(
            "{} nodes launched, {} at most at one time; {} on-demand and {} spot node-hours",
            count("nodes.launched", nodes.launched),
            count("nodes.peak", nodes.peak),
            hours("nodes.node_hours.on_demand", nodes.node_hours.on_demand),
            hours("nodes.node_hours.spot", nodes.node_hours.spot),
        ),
        format!(
            "{} spot interruptions",
            count("nodes.spot_interruptions", nodes.spot_interruptions),
        ),
        format!(
            "{} of allocatable CPU and {} of memory requested by pods",
            part("utilization.cpu", used.cpu),
            part("utilization.memory", used.memory),
        ),
        format!(
            "control plane: at most {} pods and {} event objects at one time",
            count("control_plane.pods_peak", summary.control_plane.pods_peak),
            count("control_plane.event_objects_peak", summary.control_plane.event_objects_peak),
        ),
        etcd(summary),
        format!(
            "simulated {} pods, {} tasks, {} events",
            count("workload.pods", summary.workload.pods),
            count("engine.tasks", summary.engine.tasks),
            count("engine.events", summary.engine.events),
        ),
        match &summary.backtest {
            Some(card) => format!(
                "backtest: {} predictions, mean error {:.1} %, worst {:.1} %, bias {:+.1} %",
                card.predictions,
                card.mean_ape * 100.0,
                card.worst_ape * 100.0,
                card.bias * 100.0,
            ),
            None => "backtest: none (seatrial backtest --out DIR, then run --scorecard)".to_owned(),
        },
    ];
    if let Some(disruption) = &summary.disruption {
        lines.insert(2, disrupted(summary, disruption));
    }
    Section { title: "Platform", lines, grid: None }
}

/// Nodes that Karpenter disrupted, by why, and what went with them.
fn disrupted(summary: &Summary, part: &DisruptionPart) -> String {
    let count = |path: &str, count: u64| {
        figure(summary, &format!("disruption.{path}"), count as f64, counted)
    };
    let reasons = part.by_reason.0.iter().filter(|(_, counts)| counts.nodes > 0);
    let reasons: Vec<String> = reasons
        .map(|(name, counts)| {
            format!("{} {name}", count(&format!("by_reason.{name}.nodes"), counts.nodes))
        })
        .collect();
    let total = &part.total;
    format!(
        "{} nodes disrupted by Karpenter ({}): {} pods evicted, {} drivers among them, {} of task \
         time lost",
        count("total.nodes", total.nodes),
        reasons.join(", "),
        count("total.pods_evicted", total.pods_evicted),
        count("total.drivers_evicted", total.drivers_evicted),
        figure(summary, "disruption.total.task_time_lost_s", total.task_time_lost_s, duration),
    )
}

/// How full etcd was, and with what where that is much.
fn etcd(summary: &Summary) -> String {
    let load = &summary.control_plane;
    let share = load.etcd_quota_share;
    let shown = |share: f64| percent(share, 1.0);
    let mut text = format!(
        "etcd: at most {} of its quota, after {}",
        figure(summary, "control_plane.etcd_quota_share", share, shown),
        duration(load.etcd_peak_s),
    );
    let most = load.events_at_etcd_peak.0.iter().rev().max_by_key(|(_, count)| *count);
    if let Some((reason, count)) = most.filter(|_| share > 0.5) {
        text += &format!(", most events of it {reason} ({})", grouped(*count));
    }
    if share > 1.0 {
        text += ": OVER ITS QUOTA, the cluster would be read-only";
    }
    text
}

/// A count, or a mean of counts: one decimal where it is not whole.
fn counted(value: f64) -> String {
    let tenths = (value * 10.0).round() as u64;
    match tenths % 10 {
        0 => grouped(tenths / 10),
        tenth => format!("{}.{tenth}", grouped(tenths / 10)),
    }
}

/// The number `one` of a single replication; of several, their mean ± half its interval.
fn figure(summary: &Summary, path: &str, one: f64, show: impl Fn(f64) -> String) -> String {
    match summary.replication_statistics.get(path) {
        None => show(one),
        Some(estimate) if half(estimate) == 0.0 => show(estimate.mean),
        Some(estimate) => format!("{} ± {}", show(estimate.mean), show(half(estimate))),
    }
}

fn half(estimate: &Estimate) -> f64 {
    (estimate.ci95_high - estimate.ci95_low) / 2.0
}
