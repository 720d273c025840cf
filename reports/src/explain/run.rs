//! A run's life: its attempts, what its pods waited for, what it cost and why it failed.

use std::collections::{BTreeMap, BTreeSet};

use super::clock::Clock;
use super::document::{Explanation, Fact, Part, fact};
use super::names::Nearest;
use super::rows::{ExplainError, NodeRow, PodRow, ResultTables};
use super::timeline::Timeline;
use super::waits::{Wait, by_reason, seconds, waits};
use crate::figures::duration;
use crate::grid::{Grid, GridCell, GridColumn};
use crate::tables::{ReadError, TableRow};

/// Columns of `runs`, in the order in which [`RunRow`] takes them: texts, moments, kinds of cost.
const COLUMNS: [&str; 18] = [
    "run",
    "run_id",
    "application",
    "team",
    "outcome",
    "failure",
    "attempts",
    "submitted_s",
    "started_s",
    "ended_s",
    "cost_usd",
    "useful_usd",
    "recompute_usd",
    "failed_attempts_usd",
    "executor_idle_usd",
    "starting_usd",
    "reserved_usd",
    "emr_usd",
];

struct RunRow {
    run: i64,
    id: String,
    application: String,
    team: String,
    outcome: String,
    failure: Option<String>,
    attempts: i64,
    submitted: f64,
    started: Option<f64>,
    ended: Option<f64>,
    /// From `cost_usd` on.
    costs: Vec<f64>,
}

fn run_row(row: TableRow<'_>) -> RunRow {
    let text = |place| row.text(place).unwrap_or_default().to_owned();
    RunRow {
        run: row.integer(0).unwrap_or_default(),
        id: text(1),
        application: text(2),
        team: text(3),
        outcome: text(4),
        failure: row.text(5).map(str::to_owned),
        attempts: row.integer(6).unwrap_or_default(),
        submitted: row.float(7).unwrap_or_default(),
        started: row.float(8),
        ended: row.float(9),
        costs: (10..COLUMNS.len()).map(|place| row.float(place).unwrap_or_default()).collect(),
    }
}

pub(super) fn explain(result: &ResultTables, name: &str) -> Result<Explanation, ExplainError> {
    let mut all = explain_all(result, &[name])?;
    Ok(all.pop().expect("one explanation for each name"))
}

/// Explains several runs, reading each table once.
pub(super) fn explain_all(
    result: &ResultTables,
    names: &[&str],
) -> Result<Vec<Explanation>, ExplainError> {
    let runs = find(result, names)?;
    let owners: BTreeSet<i64> = runs.iter().map(|run| run.run).collect();
    let mut pods: BTreeMap<i64, Vec<PodRow>> = BTreeMap::new();
    let found = result.pods(|key| {
        let owned = key.owner().is_some_and(|owner| owners.contains(&owner));
        owned && matches!(key.kind(), "driver" | "executor")
    })?;
    for pod in found {
        pods.entry(pod.owner.unwrap_or_default()).or_default().push(pod);
    }
    let mut numbers: Vec<i64> = pods.values().flatten().map(|pod| pod.pod).collect();
    numbers.sort_unstable();
    let reasons = result.reasons(&numbers)?;
    let used: BTreeSet<i64> = pods.values().flatten().filter_map(|pod| pod.node).collect();
    let nodes = result.nodes(|node, _| used.contains(&node))?;
    let attempts = attempt_rows(result, &owners)?;
    let clock = result.clock();
    let none = Vec::new();
    let one = |run: &RunRow| {
        let pods = pods.get(&run.run).unwrap_or(&none);
        let waits: Vec<Vec<Wait>> = pods
            .iter()
            .map(|pod| waits(pod, reasons.get(&pod.pod).map_or(&[][..], Vec::as_slice)))
            .collect();
        let attempts = attempts.get(&run.run).map_or(&[][..], Vec::as_slice);
        life(run, pods, (&waits, &nodes), attempts, clock)
    };
    Ok(runs.iter().map(one).collect())
}

fn life(
    run: &RunRow,
    pods: &[PodRow],
    (waits, nodes): (&[Vec<Wait>], &[NodeRow]),
    attempts: &[AttemptRow],
    clock: Clock,
) -> Explanation {
    let timeline = Timeline::new(pods, waits, nodes);
    let heading = heading(run);
    let picture = timeline.svg(&heading, clock.start_epoch_ms);
    let parts = vec![
        Part::facts("Run", "run", facts(run, pods, clock)),
        Part::grid("Attempts", "attempts", attempts_grid(attempts, clock)),
        Part::lines("Timeline", "timeline_span", timeline.lines(clock)),
        Part::short_grid("", "timeline", timeline.grid(), Timeline::lines_max()),
        Part::grid("What its pods waited for", "waits", by_reason(waits.iter().map(Vec::as_slice))),
        Part::grid("Pods, the longest wait first", "pods", slowest(pods, waits, clock)),
        Part::grid("What it cost", "cost", costs(run)),
        Part::lines("Next", "next", advice(run, pods, attempts)),
    ];
    Explanation { heading, parts, picture }
}

/// By id; a number that is nobody's id is a place in the workload.
fn find(result: &ResultTables, names: &[&str]) -> Result<Vec<RunRow>, ExplainError> {
    let mut by_id: BTreeMap<&str, Option<RunRow>> =
        names.iter().map(|name| (*name, None)).collect();
    let places = names.iter().filter_map(|name| Some((name.parse().ok()?, *name)));
    let places: BTreeMap<i64, &str> = places.collect();
    let mut by_place: BTreeMap<&str, RunRow> = BTreeMap::new();
    result.runs_table().rows(&COLUMNS, |row| {
        if let Some(found) = row.text(1).and_then(|id| by_id.get_mut(id)) {
            *found = Some(run_row(row));
        } else if let Some(name) = row.integer(0).and_then(|place| places.get(&place)) {
            by_place.insert(name, run_row(row));
        }
    })?;
    let mut runs = Vec::new();
    for name in names {
        let found = by_id.get_mut(name).and_then(Option::take).or_else(|| by_place.remove(name));
        let Some(found) = found else { return Err(unknown(result, name)?) };
        runs.push(found);
    }
    Ok(runs)
}

fn unknown(result: &ResultTables, name: &str) -> Result<ExplainError, ReadError> {
    let mut near = Nearest::to(name);
    result.runs_table().rows(&["run_id"], |row| near.offer(row.text(0).unwrap_or_default()))?;
    let near = near.into_names();
    Ok(ExplainError::Unknown { what: "run", name: name.to_owned(), near })
}

fn heading(run: &RunRow) -> String {
    let took = run.ended.map(|ended| duration(ended - run.submitted));
    let took = took.map_or(String::new(), |took| format!(" after {took}"));
    let cause = run.failure.as_ref().map_or(String::new(), |cause| format!(" ({cause})"));
    let (id, application, outcome) = (&run.id, &run.application, &run.outcome);
    let attempts = match run.attempts {
        1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    };
    format!("run {id} of {application}: {outcome}{cause}{took}, {attempts}")
}

fn facts(run: &RunRow, pods: &[PodRow], clock: Clock) -> Vec<Fact> {
    let started = run.started.map(|started| started - run.submitted);
    let waited = pods.iter().map(|pod| pod.waited_until() - pod.created).sum();
    let failure = run.failure.clone();
    vec![
        fact("run", "run_id", GridCell::text(run.id.clone())),
        fact("place in the workload", "run", GridCell::figure(run.run, run.run.to_string())),
        fact("application", "application", GridCell::text(run.application.clone())),
        fact("team", "team", GridCell::text(run.team.clone())),
        fact("submitted", "submitted_s", clock.cell(run.submitted)),
        fact("queued until driver ran", "queue_s", started.map_or(GridCell::Missing, seconds)),
        fact("ended", "ended_s", clock.maybe(run.ended)),
        fact("outcome", "outcome", GridCell::text(run.outcome.clone())),
        fact("failure", "failure", failure.map_or(GridCell::Missing, GridCell::text)),
        fact("pods", "pods", GridCell::whole(pods.len() as u64)),
        fact("its pods waited, in all", "pods_waited_s", seconds(waited)),
    ]
}

/// A row of `attempts`.
struct AttemptRow {
    submitted: f64,
    started: Option<f64>,
    ended: Option<f64>,
    outcome: Option<String>,
    failure: Option<String>,
    /// Number, most executors, lost to spot, killed for memory, memory of an executor.
    counts: [i64; 5],
    task_lost: f64,
}

fn attempt_rows(
    result: &ResultTables,
    owners: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, Vec<AttemptRow>>, ReadError> {
    let columns = [
        "run",
        "submitted_s",
        "started_s",
        "ended_s",
        "outcome",
        "failure",
        "task_lost_s",
        "attempt",
        "executors_peak",
        "executors_lost_to_spot",
        "executors_oom_killed",
        "executor_memory_bytes",
    ];
    let mut found: BTreeMap<i64, Vec<AttemptRow>> = BTreeMap::new();
    result.attempts_table().rows(&columns, |row| {
        let Some(run) = row.integer(0).filter(|run| owners.contains(run)) else { return };
        found.entry(run).or_default().push(AttemptRow {
            submitted: row.float(1).unwrap_or_default(),
            started: row.float(2),
            ended: row.float(3),
            outcome: row.text(4).map(str::to_owned),
            failure: row.text(5).map(str::to_owned),
            task_lost: row.float(6).unwrap_or_default(),
            counts: std::array::from_fn(|place| row.integer(7 + place).unwrap_or_default()),
        });
    })?;
    Ok(found)
}

fn attempts_grid(attempts: &[AttemptRow], clock: Clock) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::figures("attempt", "attempt"),
        GridColumn::words("submitted", "submitted_s"),
        GridColumn::figures("queued", "queue_s"),
        GridColumn::figures("took", "took_s"),
        GridColumn::words("outcome", "outcome"),
        GridColumn::words("failure", "failure"),
        GridColumn::figures("executors", "executors_peak"),
        GridColumn::figures("lost to spot", "executors_lost_to_spot"),
        GridColumn::figures("killed for memory", "executors_oom_killed"),
        GridColumn::figures("executor memory", "executor_memory_bytes"),
        GridColumn::figures("task time lost", "task_lost_s"),
    ]);
    for attempt in attempts {
        let text = |text: &Option<String>| text.clone().map_or(GridCell::Missing, GridCell::text);
        let whole = |value: i64| GridCell::whole(u64::try_from(value).unwrap_or(0));
        let since =
            |at: Option<f64>| at.map_or(GridCell::Missing, |at| seconds(at - attempt.submitted));
        let [number, peak, lost, killed, memory] = attempt.counts;
        grid.push(vec![
            whole(number),
            clock.cell(attempt.submitted),
            since(attempt.started),
            since(attempt.ended),
            text(&attempt.outcome),
            text(&attempt.failure),
            whole(peak),
            whole(lost),
            whole(killed),
            GridCell::figure(memory, super::advice::gib(memory)),
            seconds(attempt.task_lost),
        ]);
    }
    grid
}

fn slowest(pods: &[PodRow], all: &[Vec<Wait>], clock: Clock) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("pod", "pod"),
        GridColumn::figures("attempt", "attempt"),
        GridColumn::words("created", "created_s"),
        GridColumn::figures("waited", "waited_s"),
        GridColumn::figures("node", "node"),
        GridColumn::words("result", "result"),
        GridColumn::words("waited last for", "reason"),
    ]);
    let mut order: Vec<(&PodRow, &Vec<Wait>)> = pods.iter().zip(all).collect();
    let waited = |pod: &PodRow| pod.waited_until() - pod.created;
    order.sort_by(|a, b| waited(b.0).total_cmp(&waited(a.0)).then(a.0.pod.cmp(&b.0.pod)));
    let number = |value: Option<i64>| {
        value.map_or(GridCell::Missing, |value| GridCell::figure(value, value.to_string()))
    };
    for (pod, waits) in order {
        let reason = waits.last().map(|wait| wait.reason.clone());
        grid.push(vec![
            GridCell::text(pod.name()),
            number(pod.attempt),
            clock.cell(pod.created),
            seconds(waited(pod)),
            number(pod.node),
            GridCell::text(pod.result.clone()),
            reason.map_or(GridCell::Missing, GridCell::sentence),
        ]);
    }
    grid
}

fn costs(run: &RunRow) -> Grid {
    let mut grid =
        Grid::new(&[GridColumn::words("kind", "kind"), GridColumn::figures("cost", "cost_usd")]);
    for (column, cost) in COLUMNS[10..].iter().zip(&run.costs) {
        let kind = column.strip_suffix("_usd").unwrap_or(column);
        if *cost != 0.0 || kind == "cost" {
            let label =
                if kind == "cost" { "nodes, in all".into() } else { kind.replace('_', " ") };
            let kind = GridCell::figure(kind, label);
            grid.push(vec![kind, GridCell::figure(*cost, format!("${cost:.4}"))]);
        }
    }
    grid
}

fn advice(run: &RunRow, pods: &[PodRow], attempts: &[AttemptRow]) -> Vec<String> {
    let sum = |place: usize| attempts.iter().map(|attempt| attempt.counts[place]).sum::<i64>();
    let (lost, killed) = (sum(2), sum(3));
    let mut said = Vec::new();
    let failure = run.failure.as_deref().unwrap_or_default();
    match failure {
        "executor_oom" => said.push(format!(
            "{killed} executors were killed for memory: more executor memory or overhead, or a \
             rung of the retry ladder that adds it."
        )),
        "driver_oom" => said.push("The driver was killed for memory: more of it.".to_owned()),
        "spot" => said.push("The driver's node was taken back: drivers on on-demand.".to_owned()),
        "timeout" => said.push("It ran into the orchestrator's timeout.".to_owned()),
        "preempted" => said.push(
            "A pod of higher priority took its driver's room: a higher priority class for drivers."
                .to_owned(),
        ),
        "drained" => said.push(
            "The autoscaler removed its driver's node: safe-to-evict: \"false\" on drivers."
                .to_owned(),
        ),
        "unschedulable" => said.push("A pod found no node for too long.".to_owned()),
        _ => {}
    }
    if lost > 0 {
        said.push(format!("{lost} executors were lost to spot; their tasks ran again."));
    }
    let longest = pods.iter().max_by(|a, b| {
        let waited = |pod: &PodRow| pod.waited_until() - pod.created;
        waited(a).total_cmp(&waited(b))
    });
    if let Some(pod) = longest {
        said.push(format!("The longest wait: --pod {} says why.", pod.name()));
    }
    said
}
