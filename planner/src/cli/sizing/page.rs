//! Sizes as tables, a document and a value for scripts.

use std::collections::BTreeSet;

use reports::document::{Block, Document, Section};
use reports::grid::{Grid, GridCell, GridColumn};
use reports::plots::{HeatRow, heat_map};
use scenarios::catalogue::tile::{Tile, tiles};
use scenarios::catalogue::{Catalogue, Filter};
use serde_json::{Value, json};
use sim::scenario::weight_usd;
use sim::units::MilliCores;
use sim::units::spark_size::format_size;

use super::Sizing;
use crate::cli::catalog::tile_grid;
use crate::cli::compare;
use crate::sizing::{Advice, HeldOut, Met, Verdict};

/// Shapes that the page shows for each instance type.
const TILES_SHOWN: usize = 60;

fn of(found: &Sizing, verdict: Verdict) -> impl Iterator<Item = &Advice> {
    found.advice.iter().filter(move |one| one.verdict == verdict)
}

/// What came out, in sentences.
pub(super) fn lines(found: &Sizing) -> Vec<String> {
    let count = |verdict| of(found, verdict).count();
    let saved = |verdict| of(found, verdict).map(Advice::saved_usd).fold(0.0, |a, b| a + b);
    let (limit, fails) = (found.limits.oom * 100.0, found.limits.fails * 100.0);
    let mut lines = vec![
        format!(
            "{} applications: {} may shrink, {} want more, {} stay, {} are unknown (no recorded \
             peak, or no run that ends).",
            found.advice.len(),
            count(Verdict::Shrink),
            count(Verdict::Raise),
            count(Verdict::Keep),
            count(Verdict::Unknown)
        ),
        format!(
            "Shrunk ones run out of memory in at most {limit} % of their runs, with 95 % \
             confidence; at most {fails} % of the runs may fail for good. Expected: ${:.2} saved by \
             shrinking, ${:.2} by raising, at this platform's prices.",
            saved(Verdict::Shrink),
            saved(Verdict::Raise)
        ),
    ];
    if let Some(held) = &found.held_out {
        let met = &held.own_sizes;
        lines.push(format!(
            "Fitted on the first three quarters of the runs, held against the last: of {} runs, \
             {:.1} (standard deviation {:.1}) were to run out of memory at the sizes that they had, \
             {} did.",
            met.runs, met.foretold, met.spread, met.met
        ));
    }
    if found.compared.is_none() {
        lines.push("Nothing changes, so that nothing was simulated.".to_owned());
    }
    lines
}

/// Applications, a row each.
pub(super) fn applications(found: &Sizing, wanted: impl Fn(&Advice) -> bool) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("application", "application"),
        GridColumn::words("team", "team"),
        GridColumn::words("verdict", "verdict"),
        GridColumn::figures("runs", "runs"),
        GridColumn::figures("peaks", "peaks"),
        GridColumn::figures("deaths", "deaths"),
        GridColumn::figures("need p95 GiB", "need_p95_gib"),
        GridColumn::figures("heap", "heap_gib"),
        GridColumn::figures("then", "recommended_heap_gib"),
        GridColumn::figures("OOM %", "oom_percent"),
        GridColumn::figures("then", "recommended_oom_percent"),
        GridColumn::figures("at most", "recommended_oom_at_most_percent"),
        GridColumn::figures("fail %", "fails_percent"),
        GridColumn::figures("then", "recommended_fails_percent"),
        GridColumn::figures("$ saved", "saved_usd"),
    ]);
    for one in found.advice.iter().filter(|one| wanted(one)) {
        let application = &one.application;
        let need = application.need.as_ref();
        let heap =
            |bytes: sim::units::Bytes| GridCell::figure(bytes.as_gib_f64(), format_size(bytes));
        let percent = |share: Option<f64>| match share {
            Some(share) => GridCell::decimal(share * 100.0, 2),
            None => GridCell::Missing,
        };
        let whole = |count: Option<usize>| match count {
            Some(count) => GridCell::whole(count as u64),
            None => GridCell::Missing,
        };
        grid.push(vec![
            GridCell::text(&application.name),
            GridCell::text(&application.team),
            GridCell::text(one.verdict.name()),
            GridCell::whole(application.runs as u64),
            whole(need.map(|need| need.peaks)),
            whole(need.map(|need| need.deaths)),
            need.map_or(GridCell::Missing, |need| {
                GridCell::decimal(need.p95() / f64::from(1 << 30), 1)
            }),
            heap(application.heap),
            heap(one.heap),
            percent(one.today.map(|today| today.0)),
            percent(one.then.map(|then| then.0)),
            percent(one.then.map(|then| then.1)),
            percent(one.expected.map(|expected| expected.0.fails)),
            percent(one.expected.map(|expected| expected.1.fails)),
            match one.expected {
                Some(_) => GridCell::decimal(one.saved_usd(), 2),
                None => GridCell::Missing,
            },
        ]);
    }
    grid
}

/// What the fits foretold of runs that they did not see, and what was met.
fn held_out_grid(held: &HeldOut) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("size", "size"),
        GridColumn::figures("runs", "runs"),
        GridColumn::figures("foretold", "foretold"),
        GridColumn::figures("sd", "foretold_sd"),
        GridColumn::figures("met", "met"),
        GridColumn::figures("died below", "died_below"),
    ]);
    let mut push = |size: String, met: &Met, unknown: usize| {
        grid.push(vec![
            GridCell::text(&size),
            GridCell::whole(met.runs as u64),
            GridCell::decimal(met.foretold, 1),
            GridCell::decimal(met.spread, 1),
            GridCell::whole(met.met as u64),
            GridCell::whole(unknown as u64),
        ]);
    };
    push("as submitted".to_owned(), &held.own_sizes, 0);
    for (level, met, unknown) in &held.levels {
        push(format!("too small in {} %", level * 100.0), met, *unknown);
    }
    grid
}

/// The chance of running out at each size, for the applications that change most.
fn chances(found: &Sizing) -> Grid {
    const FACTORS: [(f64, &str); 8] = [
        (0.5, "x0.5"),
        (0.75, "x0.75"),
        (0.9, "x0.9"),
        (1.0, "x1"),
        (1.25, "x1.25"),
        (1.5, "x1.5"),
        (2.0, "x2"),
        (3.0, "x3"),
    ];
    let mut columns =
        vec![GridColumn::words("application", "application"), GridColumn::figures("heap", "heap")];
    columns.extend(FACTORS.map(|(_, title)| GridColumn::figures(title, title)));
    let mut grid = Grid::new(&columns);
    let overheads = &found.base.scenario.spark.overheads;
    for one in found.advice.iter().filter(|one| one.heap != one.application.heap).take(100) {
        let application = &one.application;
        let Some(need) = &application.need else { continue };
        let heap = application.heap;
        let mut row = vec![
            GridCell::text(&application.name),
            GridCell::figure(heap.as_gib_f64(), format_size(heap)),
        ];
        row.extend(FACTORS.map(|(factor, _)| {
            let size = overheads.executor_container(heap.scale_floor(factor), application.overhead);
            GridCell::decimal(need.chance(size.as_u64() as f64) * 100.0, 2)
        }));
        grid.push(row);
    }
    grid
}

/// The shapes that tile the instance types of the scenario's pools.
fn shapes(found: &Sizing) -> Vec<(String, Vec<Tile>)> {
    let scenario = &found.base.scenario;
    let catalogue = Catalogue::builtin();
    let types = scenario.pools.iter().flat_map(|pool| pool.instance_types.first());
    let mut names: Vec<String> = types.map(|kind| kind.name.clone()).collect();
    names.sort();
    names.dedup();
    let around = (&scenario.daemonsets, &scenario.spark.overheads);
    let of = |name: String| {
        // A type of the scenario's own has no entry, and then no tiles.
        let filter = Filter { names: vec![name.clone()], ..Filter::default() };
        let found = tiles(&catalogue, &scenario.region, &filter, around);
        (name, found)
    };
    names.into_iter().map(of).filter(|(_, found)| !found.is_empty()).collect()
}

/// The share of a node, by what cores and memory weigh, that a tile leaves to nobody.
fn stranded(tile: &Tile) -> f64 {
    let cpu = tile.request.unwrap_or(MilliCores::cores(tile.cores.into()));
    let executors = f64::from(tile.executors);
    let cores = |cpu: MilliCores| cpu.as_millis() as f64 / 1000.0;
    let used = weight_usd(executors * cores(cpu), executors * tile.container.as_gib_f64());
    let left = weight_usd(cores(tile.stranded_cpu), tile.stranded_memory.as_gib_f64());
    left / (used + left).max(1e-12)
}

/// Instance types by executor cores: what the best heap strands, with or without lowered requests.
fn tile_map(title: &str, shapes: &[(String, Vec<Tile>)], lowered: bool) -> String {
    let cores = shapes.iter().flat_map(|(_, tiles)| tiles.iter().map(|tile| tile.cores));
    let cores: BTreeSet<u32> = cores.filter(|cores| *cores <= 16).collect();
    let row = |(name, tiles): &(String, Vec<Tile>)| {
        let best = |cores: &u32| {
            let fitting = tiles.iter().filter(|tile| tile.cores == *cores);
            let asked = fitting.filter(|tile| lowered || tile.request.is_none());
            asked.min_by(|a, b| stranded(a).total_cmp(&stranded(b)))
        };
        let best: Vec<Option<&Tile>> = cores.iter().map(best).collect();
        let note = |tile: &Tile| {
            let (count, heap) = (tile.executors, format_size(tile.heap));
            format!("{count} executors of {} cores and {heap}", tile.cores)
        };
        HeatRow {
            name: name.clone(),
            cells: best.iter().map(|tile| tile.map(stranded)).collect(),
            notes: best.iter().map(|tile| tile.map_or(String::new(), note)).collect(),
        }
    };
    let columns: Vec<String> = cores.iter().map(u32::to_string).collect();
    heat_map(title, &columns, &shapes.iter().map(row).collect::<Vec<_>>())
}

fn tile_section(found: &Sizing) -> Section {
    let text = "Nodes keep some CPU for themselves and for DaemonSets: an executor that asks for as \
                many cores as it has slots leaves the rest of a node unused, or finds no node. \
                spark.kubernetes.executor.request.cores below spark.executor.cores lets one more \
                fit; its tasks then share the CPU when all are busy.";
    let mut blocks = vec![Block::Lines(vec![text.to_owned()])];
    let shapes = shapes(found);
    for (lowered, file, caption) in [
        (false, "tiles.svg", "Share of a node that nobody can use, by executor cores"),
        (true, "tiles-lowered.svg", "The same where request.cores may be lower than the cores"),
    ] {
        let svg = tile_map(caption, &shapes, lowered);
        if !svg.is_empty() {
            let (caption, file) = (caption.to_owned(), file.to_owned());
            blocks.push(Block::Picture { caption, svg, file });
        }
    }
    for (name, tiles) in shapes {
        let (caption, grid) = (format!("Shapes that tile {name}"), tile_grid(&tiles));
        blocks.push(Block::Table { caption, grid, shown: TILES_SHOWN });
    }
    Section { id: "tiles", title: "Shapes that tile the nodes", blocks }
}

pub(super) fn document(found: &Sizing) -> Document {
    let table = |caption: &str, grid| Block::Table { caption: caption.to_owned(), grid, shown: 50 };
    let mut blocks = vec![Block::Lines(lines(found))];
    for (verdict, caption) in [
        (Verdict::Shrink, "Safe to shrink"),
        (Verdict::Raise, "To raise"),
        (Verdict::Keep, "As they are"),
        (Verdict::Unknown, "Unknown"),
    ] {
        let grid = applications(found, |one| one.verdict == verdict);
        if !grid.is_empty() {
            blocks.push(table(caption, grid));
        }
    }
    let mut sections = vec![Section { id: "sizes", title: "Executor memory", blocks }];
    let chances = chances(found);
    if !chances.is_empty() {
        let caption = "Chance (%) that a run needs more than so many times today's heap";
        let blocks = vec![table(caption, chances)];
        sections.push(Section { id: "chances", title: "Running out of memory", blocks });
    }
    if let Some(held) = &found.held_out {
        let caption = "Runs that need more than the size: foretold from the first three quarters of \
                       the runs, and met in the last";
        let blocks = vec![table(caption, held_out_grid(held))];
        sections.push(Section { id: "held-out", title: "Runs that the fits did not see", blocks });
    }
    let mut subtitle = "nothing changes".to_owned();
    if let Some(compared) = &found.compared {
        let other = compare::page::document(compared);
        subtitle = format!("simulated: {}", other.subtitle);
        sections.extend(other.sections.into_iter().filter(|section| section.id != "why"));
    }
    sections.push(tile_section(found));
    Document { title: format!("Sizes for {}", found.base.scenario.name), subtitle, sections }
}

pub(super) fn value(found: &Sizing) -> Value {
    json!({
        "schema": "seatrial.sizing/v1",
        "scenario": found.base.scenario.name,
        "oom_limit": found.limits.oom,
        "failure_limit": found.limits.fails,
        "notes": lines(found),
        "applications": applications(found, |_| true).to_value(),
        "held_out": found.held_out.as_ref().map(|held| held_out_grid(held).to_value()),
        "comparison": found.compared.as_ref().map(compare::value),
    })
}
