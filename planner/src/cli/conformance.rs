//! `conformance`: decision cases derived from upstream Kubernetes, asked of the simulator's own
//! code; the agreement per kind and plugin, and every disagreement with both sides.
//!
//! A file holds cases (`{"schema": ..., "cases": [...]}`), or a whole sequence of placements
//! recorded from a real scheduler (`{"scheduler_configuration": ..., "nodes": ..., "steps": ...}`).
//! A kind or a field that is not known makes a case one that differs, and the command fails with
//! the code of bad input: what is not understood must not count as agreement, and must not keep
//! the other cases from being asked.

mod cluster_autoscaler;
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
    /// The case was not understood, and why.
    refused: Option<String>,
}

impl Judged {
    fn new(kind: &str, plugin: &str, id: &str, expected: String, got: String) -> Self {
        let differs = (expected != got).then_some((expected, got));
        Self {
            kind: kind.to_owned(),
            plugin: plugin.to_owned(),
            id: id.to_owned(),
            differs,
            refused: None,
        }
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
    let refused: Vec<&str> = all.iter().filter_map(|judged| judged.refused.as_deref()).collect();
    if let [first, others @ ..] = refused.as_slice() {
        let more = match others.len() {
            0 => String::new(),
            more => format!(" (and {more} more such cases)"),
        };
        return Err(Stop::BadInput(format!("{first}{more}")));
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
    Ok(cases.iter().enumerate().map(|(place, case)| judge(path, place, case)).collect())
}

/// Asks one case; one that is not understood differs from whatever is expected.
fn judge(path: &Path, place: usize, case: &Value) -> Judged {
    let text = |key: &str| case.get(key).and_then(Value::as_str);
    let id = text("id").map_or_else(|| format!("case {place}"), str::to_owned);
    judge_kind(&id, case).unwrap_or_else(|reason| {
        let expected = case.get("expected").map(Value::to_string).unwrap_or_default();
        let short = |text: &str| text.chars().take(60).collect::<String>();
        let kind = text("kind").map_or_else(|| "(none)".to_owned(), short);
        let plugin = text("plugin").map_or_else(String::new, short);
        let got = format!("not understood: {reason}");
        Judged {
            kind,
            plugin,
            refused: Some(format!("{}: {id}: {reason}", path.display())),
            id,
            differs: Some((expected, got)),
        }
    })
}

/// One line per family of kinds.
fn judge_kind(id: &str, case: &Value) -> Result<Judged, String> {
    match case.get("kind").and_then(Value::as_str) {
        None => Err("`kind` is missing".to_owned()),
        Some("score" | "score_normalized" | "filter" | "fit") => scheduler::judge(case),
        Some(kind) if kind.starts_with("ca_") => {
            let asked = cluster_autoscaler::run(case)?;
            let differs = (!asked.agrees).then_some((asked.expected, asked.got));
            let plugin = case.get("expander").and_then(Value::as_str).unwrap_or("").to_owned();
            Ok(Judged { kind: kind.to_owned(), plugin, id: id.to_owned(), differs, refused: None })
        }
        Some(other) => Err(format!(
            "unknown kind `{}`; known are score, score_normalized, filter, fit and ca_*",
            other.chars().take(60).collect::<String>()
        )),
    }
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
