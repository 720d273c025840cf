//! A run's life: its attempts, what its pods waited for, what it cost and why it failed.

use super::clock::Clock;
use super::document::{Explanation, Fact, Part, fact};
use super::names::Nearest;
use super::rows::{ExplainError, PodRow, ResultTables};
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
    let run = find(result, name)?;
    let pods = result
        .pods(|key| key.owner() == Some(run.run) && matches!(key.kind(), "driver" | "executor"))?;
    let mut numbers: Vec<i64> = pods.iter().map(|pod| pod.pod).collect();
    numbers.sort_unstable();
    let reasons = result.reasons(&numbers)?;
    let all: Vec<Vec<Wait>> = pods
        .iter()
        .map(|pod| waits(pod, reasons.get(&pod.pod).map_or(&[][..], Vec::as_slice)))
        .collect();
    let clock = result.clock();
    let (attempts, lost, killed) = attempts(result, &run, clock)?;
    let next = advice(&run, &pods, lost, killed);
    let parts = vec![
        Part::facts("Run", "run", facts(&run, &pods, clock)),
        Part::grid("Attempts", "attempts", attempts),
        Part::grid("What its pods waited for", "waits", by_reason(all.iter().map(Vec::as_slice))),
        Part::grid("Pods, the longest wait first", "pods", slowest(&pods, &all, clock)),
        Part::grid("What it cost", "cost", costs(&run)),
        Part::lines("Next", "next", next),
    ];
    Ok(Explanation { heading: heading(&run), parts })
}

/// By id; a number that is nobody's id is a place in the workload.
fn find(result: &ResultTables, name: &str) -> Result<RunRow, ExplainError> {
    let place: Option<i64> = name.parse().ok();
    let (mut by_id, mut by_place) = (None, None);
    result.runs_table().rows(&COLUMNS, |row| {
        if row.text(1) == Some(name) {
            by_id = Some(run_row(row));
        } else if place.is_some() && row.integer(0) == place {
            by_place = Some(run_row(row));
        }
    })?;
    if let Some(found) = by_id.or(by_place) {
        return Ok(found);
    }
    let mut near = Nearest::to(name);
    result.runs_table().rows(&["run_id"], |row| near.offer(row.text(0).unwrap_or_default()))?;
    let near = near.into_names();
    Err(ExplainError::Unknown { what: "run", name: name.to_owned(), near })
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

/// The attempts, executors lost to spot, and executors killed for memory.
fn attempts(
    result: &ResultTables,
    run: &RunRow,
    clock: Clock,
) -> Result<(Grid, i64, i64), ReadError> {
    let columns = [
        "run",
        "attempt",
        "submitted_s",
        "started_s",
        "ended_s",
        "outcome",
        "failure",
        "executors_peak",
        "executors_lost_to_spot",
        "executors_oom_killed",
        "executor_memory_bytes",
        "task_lost_s",
    ];
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
    let (mut lost, mut killed) = (0, 0);
    result.attempts_table().rows(&columns, |row| {
        if row.integer(0) != Some(run.run) {
            return;
        }
        let count = |place| row.integer(place).unwrap_or_default();
        let text = |place| row.text(place).map_or(GridCell::Missing, GridCell::text);
        let whole = |place| GridCell::whole(u64::try_from(count(place)).unwrap_or(0));
        let submitted = row.float(2).unwrap_or_default();
        (lost, killed) = (lost + count(8), killed + count(9));
        let since =
            |place| row.float(place).map_or(GridCell::Missing, |at| seconds(at - submitted));
        grid.push(vec![
            whole(1),
            clock.cell(submitted),
            since(3),
            since(4),
            text(5),
            text(6),
            whole(7),
            whole(8),
            whole(9),
            GridCell::figure(count(10), super::advice::gib(count(10))),
            seconds(row.float(11).unwrap_or_default()),
        ]);
    })?;
    Ok((grid, lost, killed))
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

fn advice(run: &RunRow, pods: &[PodRow], lost: i64, killed: i64) -> Vec<String> {
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
