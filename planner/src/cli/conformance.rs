//! `conformance`: decision cases derived from upstream Kubernetes, asked of the simulator's own
//! code; the agreement per kind and plugin, and every disagreement with both sides.
//!
//! A file holds cases (`{"schema": ..., "cases": [...]}`), or a whole sequence of placements
//! recorded from a real scheduler (`{"scheduler_configuration": ..., "nodes": ..., "steps": ...}`).
//! A kind or a field that is not known is an error: what is not understood must not count as
//! agreement.

pub mod cluster_autoscaler;
mod manifest;
mod placement;
mod plugin_args;
mod scheduler;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use reports::grid::{Grid, GridCell, GridColumn};
use reports::render::Format;
use serde_json::{Value, json};

use super::Stop;
use super::noise::Noise;
use super::output::Output;

/// Files larger than this are refused: they would only cost memory.
const FILE_MAX: u64 = 256 << 20;
/// Disagreements that are shown in a table; the other formats have all.
const SHOWN_MAX: usize = 50;

#[derive(Debug, Args)]
pub(super) struct ConformanceArgs {
    /// Files of decision cases.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What came of one case, or of one step of a sequence.
struct Judged {
    kind: String,
    plugin: String,
    id: String,
    /// Expected and got, where they differ.
    differs: Option<(String, String)>,
}

impl Judged {
    fn new(kind: &str, plugin: &str, id: &str, expected: String, got: String) -> Self {
        let differs = (expected != got).then_some((expected, got));
        Self { kind: kind.to_owned(), plugin: plugin.to_owned(), id: id.to_owned(), differs }
    }
}

/// Reads the files, asks, and prints the agreement.
pub(super) fn conformance(
    args: ConformanceArgs,
    noise: &Noise,
    output: &mut Output,
) -> Result<(), Stop> {
    let mut all = Vec::new();
    for file in &args.files {
        let judged = judge_file(file)
            .map_err(|reason| Stop::BadInput(format!("{}: {reason}", file.display())))?;
        all.extend(judged);
    }
    let wrong: Vec<&Judged> = all.iter().filter(|judged| judged.differs.is_some()).collect();
    print(&all, &wrong, noise, output)?;
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Stop::Gate(format!("{} of {} decisions differ", wrong.len(), all.len())))
}

fn judge_file(path: &Path) -> Result<Vec<Judged>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(FILE_MAX + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > FILE_MAX {
        return Err(format!("larger than {} MiB", FILE_MAX >> 20));
    }
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("not JSON: {error}"))?;
    if value.get("steps").is_some() {
        return placement::judge(value);
    }
    let Some(Value::Array(cases)) = value.get("cases") else {
        return Err("expected `cases` (a list), or `steps` of a placement sequence".to_owned());
    };
    cases.iter().enumerate().map(|(place, case)| judge(place, case)).collect()
}

/// One line per family of kinds.
fn judge(place: usize, case: &Value) -> Result<Judged, String> {
    let text = |key: &str| case.get(key).and_then(Value::as_str);
    let Some(kind) = text("kind") else {
        return Err(format!("case {place}: `kind` is missing"));
    };
    let id = text("id").map_or_else(|| format!("case {place}"), str::to_owned);
    let judged = match kind {
        "score" | "score_normalized" | "filter" | "fit" => scheduler::judge(case),
        kind if kind.starts_with("ca_") => autoscaler(kind, &id, case),
        other => Err(format!(
            "unknown kind `{}`; known are score, score_normalized, filter, fit \
             and ca_*",
            other.chars().take(60).collect::<String>()
        )),
    };
    judged.map_err(|reason| format!("{id}: {reason}"))
}

fn autoscaler(kind: &str, id: &str, case: &Value) -> Result<Judged, String> {
    let agreement = cluster_autoscaler::run(case)?;
    let differs = (!agreement.agrees).then_some((agreement.expected, agreement.got));
    let plugin = "cluster-autoscaler".to_owned();
    Ok(Judged { kind: kind.to_owned(), plugin, id: id.to_owned(), differs })
}

fn print(
    all: &[Judged],
    wrong: &[&Judged],
    noise: &Noise,
    output: &mut Output,
) -> Result<(), Stop> {
    let mut counts: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for judged in all {
        let count = counts.entry((&judged.kind, &judged.plugin)).or_default();
        count.0 += 1;
        count.1 += u64::from(judged.differs.is_none());
    }
    if matches!(output.format(), Format::Json | Format::Yaml) {
        return match output.format() {
            Format::Yaml => output.text(&reports::render::yaml(&value(all, wrong, &counts))),
            _ => output.text(&reports::render::json(&value(all, wrong, &counts))),
        };
    }
    let mut grid = Grid::new(&[
        GridColumn::words("kind", "kind"),
        GridColumn::words("plugin", "plugin"),
        GridColumn::figures("decisions", "decisions"),
        GridColumn::figures("agree", "agree"),
        GridColumn::figures("%", "percent"),
    ]);
    for ((kind, plugin), (decisions, agree)) in &counts {
        grid.push(vec![
            GridCell::text(*kind),
            GridCell::text(*plugin),
            GridCell::whole(*decisions),
            GridCell::whole(*agree),
            GridCell::decimal(percent(*decisions, *agree), 2),
        ]);
    }
    output.grid(&grid)?;
    if matches!(output.format(), Format::Csv) {
        return Ok(());
    }
    for judged in wrong.iter().take(SHOWN_MAX) {
        if let Some((expected, got)) = &judged.differs {
            output.text(&format!(
                "\n{} ({} {})\n  expected {expected}\n  got      {got}\n",
                judged.id, judged.kind, judged.plugin
            ))?;
        }
    }
    if wrong.len() > SHOWN_MAX {
        noise.note(&format!("{} more disagreements; `-o json` has all", wrong.len() - SHOWN_MAX));
    }
    Ok(())
}

fn percent(decisions: u64, agree: u64) -> f64 {
    100.0 * agree as f64 / decisions.max(1) as f64
}

fn value(all: &[Judged], wrong: &[&Judged], counts: &BTreeMap<(&str, &str), (u64, u64)>) -> Value {
    let plugins: Vec<Value> = counts
        .iter()
        .map(|((kind, plugin), (decisions, agree))| {
            json!({ "kind": kind, "plugin": plugin, "decisions": decisions, "agree": agree })
        })
        .collect();
    let disagreements: Vec<Value> = wrong
        .iter()
        .filter_map(|judged| {
            let (expected, got) = judged.differs.as_ref()?;
            Some(json!({
                "id": judged.id, "kind": judged.kind, "plugin": judged.plugin,
                "expected": expected, "got": got,
            }))
        })
        .collect();
    json!({
        "decisions": all.len(),
        "agree": all.len() - wrong.len(),
        "plugins": plugins,
        "disagreements": disagreements,
    })
}
