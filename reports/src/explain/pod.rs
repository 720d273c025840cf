//! A pod's life: why it waited, what the autoscaler did meanwhile, where it ran, how it ended.

use super::advice::{self, Case, cores, gib};
use super::clock::Clock;
use super::document::{Explanation, Part, fact};
use super::names::PodName;
use super::rows::{ExplainError, NodeRow, PodRow, ResultTables, ScalingRow};
use super::waits::{Wait, by_reason, seconds, waits};
use crate::figures::duration;
use crate::grid::{Grid, GridCell, GridColumn};

pub(super) fn explain(
    result: &ResultTables,
    name: &str,
    attempt: Option<u32>,
) -> Result<Explanation, ExplainError> {
    let (pod, others) = find(result, name, attempt)?;
    let mut reasons = result.reasons(&[pod.pod])?;
    let waits = waits(&pod, &reasons.remove(&pod.pod).unwrap_or_default());
    let mut nodes = result.nodes(|node, _| Some(node) == pod.node)?;
    let node = nodes.pop();
    let until = pod.waited_until();
    let meanwhile = |at: f64, of: Option<i64>| of.is_none() && at >= pod.created && at <= until;
    let scaling = match waits.is_empty() {
        true => Vec::new(),
        false => result.scaling(|at, _, of| meanwhile(at, of))?,
    };
    let pools = result.pools()?;
    let clock = result.clock();
    let case =
        Case { pod: &pod, waits: &waits, node: node.as_ref(), scaling: &scaling, pools: &pools };
    let mut next = advice::of_pod(&case);
    if others > 0 {
        next.push(format!("{others} other attempts have a pod of that name: --attempt N."));
    }
    let parts = vec![
        Part::facts("Pod", "pod", facts(&pod, node.as_ref(), clock)),
        Part::grid("Life", "life", life(&pod, &waits, node.as_ref(), &scaling, clock)),
        Part::grid("What it waited for", "waits", by_reason([waits.as_slice()].into_iter())),
        Part::grid("The autoscaler meanwhile", "scaling", meanwhile_grid(&scaling, clock)),
        Part::lines("Next", "next", next),
    ];
    Ok(Explanation { heading: heading(&pod), parts, picture: String::new() })
}

/// The pod, and how many other attempts have one of the same name.
fn find(
    result: &ResultTables,
    name: &str,
    attempt: Option<u32>,
) -> Result<(PodRow, usize), ExplainError> {
    let wanted = PodName::parse(name);
    let mut found =
        result.pods(|key| wanted.is(key.pod(), key.kind(), key.owner_name(), key.executor_id()))?;
    let all = found.len();
    if let Some(attempt) = attempt {
        found.retain(|pod| pod.attempt == Some(i64::from(attempt)));
    }
    // Attempts follow one another: the last one has the highest number.
    let last = found.into_iter().max_by_key(|pod| (pod.attempt, pod.pod));
    match last {
        Some(pod) => Ok((pod, all - 1)),
        None => {
            let near = result.pods_near(name)?;
            Err(ExplainError::Unknown { what: "pod", name: name.to_owned(), near })
        }
    }
}

fn heading(pod: &PodRow) -> String {
    let waited = duration(pod.waited_until() - pod.created);
    let attempt = pod.attempt.map_or(String::new(), |attempt| format!(", attempt {attempt}"));
    let end = match (pod.bound, pod.result.as_str()) {
        (None, _) => format!("never had a node in {waited}"),
        (Some(bound), result) => {
            let ran = duration(pod.ended - bound);
            let result = result.replace('_', " ");
            format!("waited {waited} for a node, then held it for {ran}: {result}")
        }
    };
    format!("pod {} ({}{attempt}, number {}): {end}", pod.name(), pod.kind, pod.pod)
}

fn facts(pod: &PodRow, node: Option<&NodeRow>, clock: Clock) -> Vec<super::document::Fact> {
    let place = node.map_or(GridCell::Missing, |node| {
        let (pool, kind, zone) = (&node.pool, &node.instance_type, &node.zone);
        GridCell::sentence(format!("{} ({pool}, {kind}, {zone})", node.node))
    });
    let start = pod.bound.zip(pod.ready).map(|(bound, ready)| ready - bound);
    vec![
        fact("name", "name", GridCell::text(pod.name())),
        fact("number", "number", GridCell::figure(pod.pod, pod.pod.to_string())),
        fact("kind", "kind", GridCell::text(pod.kind.clone())),
        fact("asks cpu", "cpu_milli", GridCell::figure(pod.cpu_milli, cores(pod.cpu_milli))),
        fact("asks memory", "memory_bytes", GridCell::figure(pod.memory, gib(pod.memory))),
        fact("created", "created_s", clock.cell(pod.created)),
        fact("waited", "waited_s", seconds(pod.waited_until() - pod.created)),
        fact("node", "node", place),
        fact("image, process start", "starting_s", start.map_or(GridCell::Missing, seconds)),
        fact("ended", "ended_s", clock.cell(pod.ended)),
        fact("result", "result", GridCell::text(pod.result.clone())),
        fact("node cost", "cost_usd", GridCell::figure(pod.cost, format!("${:.4}", pod.cost))),
    ]
}

/// A line of a life.
struct Line {
    at: f64,
    lasted: Option<f64>,
    event: &'static str,
    detail: String,
}

fn life(
    pod: &PodRow,
    waits: &[Wait],
    node: Option<&NodeRow>,
    scaling: &[ScalingRow],
    clock: Clock,
) -> Grid {
    let line = |at, event, detail: String| Line { at, lasted: None, event, detail };
    let (cpu, memory) = (cores(pod.cpu_milli), gib(pod.memory));
    let mut lines = vec![line(pod.created, "created", format!("asks cpu {cpu}, memory {memory}"))];
    lines.extend(waits.iter().map(|wait| Line {
        at: wait.from,
        lasted: Some(wait.to - wait.from),
        event: "waits",
        detail: wait.reason.clone(),
    }));
    if let Some(node) = node.filter(|node| node.launched > pod.created) {
        let came_with = |row: &&ScalingRow| {
            row.pool.as_ref() == Some(&node.pool)
                && row.decision == "scale_up"
                && row.at <= node.launched
        };
        if let Some(row) = scaling.iter().rev().find(came_with) {
            lines.push(line(row.at, "scale-up", row.reason.clone()));
        }
        let booted = node.ready.map(|ready| ready - node.launched);
        let detail = format!("node {} of {} is asked for", node.node, node.pool);
        lines.push(Line { lasted: booted, ..line(node.launched, "node boots", detail) });
    }
    if let (Some(bound), Some(node)) = (pod.bound, node) {
        let detail = format!("to node {} ({}, {})", node.node, node.pool, node.instance_type);
        let lasted = pod.ready.map(|ready| ready - bound);
        lines.push(Line { lasted, ..line(bound, "bound", detail) });
    }
    if let Some(ready) = pod.ready {
        let detail = match pod.kind.as_str() {
            "driver" => "driver running",
            "executor" => "executor registered",
            _ => "process runs",
        };
        let detail = detail.to_owned();
        lines.push(Line { lasted: Some(pod.ended - ready), ..line(ready, "ready", detail) });
    }
    lines.push(line(pod.ended, "ended", pod.result.replace('_', " ")));
    lines.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut grid = Grid::new(&[
        GridColumn::words("at", "at_s"),
        GridColumn::figures("for", "for_s"),
        GridColumn::words("event", "event"),
        GridColumn::words("detail", "detail"),
    ]);
    for line in lines {
        grid.push(vec![
            clock.cell(line.at),
            line.lasted.map_or(GridCell::Missing, seconds),
            GridCell::figure(line.event, line.event),
            GridCell::sentence(line.detail),
        ]);
    }
    grid
}

/// Decisions while a pod waited, equal ones in one line.
fn meanwhile_grid(scaling: &[ScalingRow], clock: Clock) -> Grid {
    let mut merged: Vec<(&ScalingRow, u64, f64)> = Vec::new();
    for row in scaling {
        let equal = |(known, ..): &&mut (&ScalingRow, u64, f64)| {
            (&known.pool, &known.decision) == (&row.pool, &row.decision)
                && (known.decision == "scale_up" || known.reason == row.reason)
        };
        match merged.iter_mut().find(equal) {
            Some((_, times, last)) => (*times, *last) = (*times + 1, row.at),
            None => merged.push((row, 1, row.at)),
        }
    }
    let mut grid = Grid::new(&[
        GridColumn::words("first", "first_s"),
        GridColumn::words("last", "last_s"),
        GridColumn::figures("times", "times"),
        GridColumn::words("node group", "pool"),
        GridColumn::words("decision", "decision"),
        GridColumn::words("reason, at first", "reason"),
    ]);
    for (row, times, last) in merged {
        grid.push(vec![
            clock.cell(row.at),
            clock.cell(last),
            GridCell::whole(times),
            row.pool.clone().map_or(GridCell::Missing, GridCell::text),
            GridCell::figure(row.decision.as_str(), row.decision.replace('_', " ")),
            GridCell::sentence(row.reason.clone()),
        ]);
    }
    grid
}
