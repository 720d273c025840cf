//! What failed, and whose.

use super::data::{Behaviour, Data};
use super::{TOP, advice};
use crate::document::{Block, Section};
use crate::figures::percent;
use crate::grid::{Grid, GridCell, GridColumn};

pub(super) fn section(data: &Data) -> Section {
    let blocks = vec![
        Block::table("Failed attempts by cause", causes(data)),
        Block::table("Applications whose attempts failed, most first", applications(data)),
    ];
    Section { id: "failures", title: "Failures", blocks }
}

fn causes(data: &Data) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("cause", "cause"),
        GridColumn::figures("attempts", "attempts"),
        GridColumn::figures("of all attempts", "share"),
        GridColumn::words("", "bar"),
        GridColumn::words("what helps", "advice"),
    ]);
    let all = data.number("/workload/attempts");
    let causes = &data.summary["outcome"]["failed_attempts_by_cause"];
    let mut causes: Vec<(&String, f64)> = causes
        .as_object()
        .into_iter()
        .flatten()
        .map(|(cause, count)| (cause, count.as_f64().unwrap_or(0.0)))
        .filter(|(_, count)| *count > 0.0)
        .collect();
    causes.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let sum: f64 = causes.iter().map(|(_, count)| count).sum();
    for (cause, count) in causes {
        grid.push(vec![
            GridCell::figure(cause.as_str(), cause.replace('_', " ")),
            GridCell::whole(count as u64),
            GridCell::figure(count / all.max(1.0), percent(count, all)),
            GridCell::Share(count / sum.max(1.0)),
            GridCell::figure(advice::for_cause(cause), advice::for_cause(cause)),
        ]);
    }
    grid
}

fn applications(data: &Data) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("application", "application"),
        GridColumn::figures("failed attempts", "failed_attempts"),
        GridColumn::figures("of its attempts", "share"),
        GridColumn::figures("runs failed for good", "runs_failed"),
        GridColumn::words("causes", "causes"),
    ]);
    let failed = |own: &Behaviour| own.causes.values().sum::<u64>();
    let mut worst: Vec<(&String, &Behaviour)> =
        data.behaviour.iter().filter(|(_, own)| failed(own) > 0).collect();
    worst.sort_by_key(|(_, own)| std::cmp::Reverse(failed(own)));
    for (name, own) in worst.into_iter().take(TOP) {
        let mut causes: Vec<(&String, &u64)> = own.causes.iter().collect();
        causes.sort_by(|(_, a), (_, b)| b.cmp(a));
        let causes: Vec<String> = causes
            .into_iter()
            .map(|(cause, count)| format!("{} {count}", cause.replace('_', " ")))
            .collect();
        let count = failed(own);
        grid.push(vec![
            GridCell::text(name.clone()),
            GridCell::whole(count),
            GridCell::figure(
                count as f64 / own.attempts.max(1) as f64,
                percent(count as f64, own.attempts as f64),
            ),
            GridCell::whole(own.failed),
            GridCell::text(causes.join(", ")),
        ]);
    }
    grid
}
