//! The worst runs, each with its life.

use std::path::Path;

use super::ReportError;
use super::data::{Data, RunLine};
use crate::document::{Block, Section};
use crate::explain;
use crate::figures::duration;
use crate::grid::{Grid, GridCell, GridColumn};

/// Runs of each kind.
const EACH: usize = 4;

pub(super) fn section(data: &Data, folder: &Path) -> Result<Section, ReportError> {
    let worst = worst(&data.runs);
    let mut grid = Grid::new(&[
        GridColumn::words("run", "run_id"),
        GridColumn::words("application", "application"),
        GridColumn::words("why it is here", "why"),
        GridColumn::words("outcome", "outcome"),
        GridColumn::figures("attempts", "attempts"),
        GridColumn::figures("queued", "queue_s"),
        GridColumn::figures("took", "took_s"),
        GridColumn::figures("cost", "cost_usd"),
        GridColumn::figures("waste", "waste_usd"),
    ]);
    for (place, (run, why)) in worst.iter().enumerate() {
        let to = format!("run-{place}");
        let outcome = match run.failure.as_str() {
            "" => run.outcome.clone(),
            cause => format!("{} ({})", run.outcome, cause.replace('_', " ")),
        };
        grid.push(vec![
            GridCell::Link { text: run.id.clone(), to: to.clone() },
            GridCell::text(run.application.clone()),
            GridCell::figure(*why, *why),
            GridCell::figure(outcome.clone(), outcome),
            GridCell::whole(u64::try_from(run.attempts).unwrap_or(0)),
            GridCell::figure(run.queue_s, duration(run.queue_s)),
            run.took_s.map_or(GridCell::Missing, |took| GridCell::figure(took, duration(took))),
            GridCell::usd(run.usd),
            GridCell::usd(run.waste_usd),
        ]);
    }
    let ids: Vec<&str> = worst.iter().map(|(run, _)| run.id.as_str()).collect();
    let lives = explain::runs(folder, &ids)?.into_iter().enumerate();
    let details = lives.map(|(place, life)| life.details(format!("run-{place}")));
    let mut blocks = vec![Block::table("Longest in the queue, most waste, most attempts", grid)];
    blocks.extend(details);
    Ok(Section { id: "runs", title: "The worst runs", blocks })
}

/// The worst of each kind, every run once.
fn worst(runs: &[RunLine]) -> Vec<(&RunLine, &'static str)> {
    type Measure = fn(&RunLine) -> f64;
    let kinds: [(&'static str, Measure); 3] = [
        ("waste", |run| run.waste_usd),
        ("queue", |run| run.queue_s),
        ("attempts", |run| run.attempts as f64 + run.usd.min(1e6) / 1e7),
    ];
    let mut found: Vec<(&RunLine, &'static str)> = Vec::new();
    for (why, measure) in kinds {
        let mut sorted: Vec<&RunLine> = runs.iter().collect();
        sorted.sort_by(|a, b| measure(b).total_cmp(&measure(a)).then_with(|| a.id.cmp(&b.id)));
        let new = sorted.into_iter().filter(|run| found.iter().all(|(one, _)| one.id != run.id));
        let new: Vec<&RunLine> = new.take(EACH).collect();
        found.extend(new.into_iter().map(|run| (run, why)));
    }
    found
}
