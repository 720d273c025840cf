//! An upgrade as a document, tables and a value for scripts.

use reports::document::{Block, Document, Section};
use reports::grid::{Grid, GridCell, GridColumn};
use scenarios::upgrade::{Change, Component, Kind};
use serde_json::{Value, json};

use super::Upgrade;
use super::here::Here;
use crate::cli::compare;

/// Hours that clouds bill as a month.
const HOURS_A_MONTH: f64 = 730.0;

/// What extended support costs an hour more than standard support, in dollars.
/// Source: facts-cloud section 3, AWS' EKS price list ($0.60 against $0.10).
const EXTENDED_EXTRA_USD: f64 = 0.50;

pub(super) fn title(found: &Upgrade) -> String {
    let mut parts = Vec::new();
    let (from, to) = (&found.from, &found.to);
    if from.spark != to.spark {
        parts.push(format!("Spark {} to {}", from.spark, to.spark));
    }
    if from.kubernetes != to.kubernetes {
        parts.push(format!("Kubernetes {} to {}", from.kubernetes, to.kubernetes));
    }
    match parts.is_empty() {
        true => "the scenario is at these releases already".to_owned(),
        false => parts.join(", "),
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Default => "default",
        Kind::Removed => "removed",
        Kind::Behaviour => "behaviour",
    }
}

/// What changes, in few columns for a terminal.
pub(super) fn short(found: &Upgrade) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("of", "component"),
        GridColumn::words("since", "release"),
        GridColumn::words("name", "name"),
        GridColumn::words("change", "change"),
        GridColumn::words("here", "here"),
    ]);
    for (change, here) in &found.changes {
        let what = match change.kind {
            Kind::Removed if change.after.is_empty() => "removed".to_owned(),
            Kind::Removed => format!("removed; {}", change.after),
            Kind::Behaviour => change.after.clone(),
            Kind::Default => format!("{} \u{2192} {}", change.before, change.after),
        };
        grid.push(vec![
            GridCell::text(change.component.name()),
            GridCell::text(&change.release),
            GridCell::sentence(&change.name),
            GridCell::sentence(what),
            GridCell::sentence(here.words()),
        ]);
    }
    grid
}

/// What changes, a row each.
pub(super) fn changes(found: &Upgrade) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("of", "component"),
        GridColumn::words("since", "release"),
        GridColumn::words("kind", "kind"),
        GridColumn::words("name", "name"),
        GridColumn::words("before", "before"),
        GridColumn::words("after", "after"),
        GridColumn::words("here", "here"),
    ]);
    for (change, here) in &found.changes {
        let after = match (change.after.is_empty(), change.note.is_empty()) {
            (false, true) => change.after.clone(),
            (false, false) => format!("{} ({})", change.after, change.note),
            (true, _) => change.note.clone(),
        };
        grid.push(vec![
            GridCell::text(change.component.name()),
            GridCell::text(&change.release),
            GridCell::text(kind(change.kind)),
            GridCell::sentence(&change.name),
            GridCell::sentence(&change.before),
            GridCell::sentence(after),
            GridCell::sentence(here.words()),
        ]);
    }
    grid
}

fn removal(change: &Change) -> String {
    let Change { name, release, after, note, .. } = change;
    let instead = match (after.is_empty(), note.is_empty()) {
        (false, _) => format!("; {after}"),
        (true, false) => format!("; {note}"),
        (true, true) => String::new(),
    };
    format!("{name} is not in {release} any more{instead}")
}

/// Files of the scenario that the upgrade concerns, and what is to be done in them.
pub(super) fn files(found: &Upgrade) -> Grid {
    let mut grid =
        Grid::new(&[GridColumn::words("file", "file"), GridColumn::words("what to do", "what")]);
    let mut row = |file: String, what: String| {
        grid.push(vec![GridCell::sentence(file), GridCell::sentence(what)]);
    };
    let mut pins = Vec::new();
    for (change, here) in &found.changes {
        let default = change.component == Component::Spark && change.kind == Kind::Default;
        match here {
            Here::Touch(place) => row(place.clone(), removal(change)),
            Here::Simulated if default => pins.push(format!("{} {}", change.name, change.before)),
            _ => {}
        }
    }
    if !pins.is_empty() {
        row("spark-defaults.conf".to_owned(), format!("to keep today's: {}", pins.join("; ")));
    }
    if found.from.kubernetes != found.to.kubernetes {
        let release = found.to.kubernetes;
        for file in &found.base.native_files {
            let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let setting = file.setting.as_str();
            if setting.starts_with("spec.nodes") {
                row(name, format!("metadata.version: \"{release}\""));
            } else if setting.starts_with("spec.scheduler.config") {
                row(name, format!("the image of the scheduler that reads it: {release}"));
            } else if setting.starts_with("spec.autoscaler") {
                row(name, format!("the autoscaler's image {release}"));
            }
        }
    }
    grid
}

/// What is to be known besides.
pub(super) fn lines(found: &Upgrade) -> Vec<String> {
    let count = |wanted: &Here| found.changes.iter().filter(|(_, here)| here == wanted).count();
    let month = EXTENDED_EXTRA_USD * HOURS_A_MONTH;
    vec![
        format!(
            "{} changes reach this scenario and are simulated; {} more may reach it and are not.",
            count(&Here::Simulated),
            count(&Here::Listed)
        ),
        match found.extended {
            (true, false) => format!(
                "Extended support ends with the upgrade: ${month:.2} a month less for the control \
                 plane (--keep-extended-support if the new release is in it too)."
            ),
            (true, true) => {
                "The control plane is billed for extended support on both sides.".to_owned()
            }
            (false, _) => format!(
                "Staying on Kubernetes {} beyond its standard support costs ${month:.2} a month \
                 more (spec.fees.controlPlane: extended). When that begins is in AWS' calendar, not \
                 here.",
                found.from.kubernetes
            ),
        },
    ]
}

pub(super) fn document(found: &Upgrade) -> Document {
    let mut document = compare::page::document(&found.compared);
    document.title = format!("Upgrade of {}: {}", found.base.scenario.name, title(found));
    let table =
        |caption: &str, grid| Block::Table { caption: caption.to_owned(), grid, shown: 100 };
    let caption = "Defaults and behaviours between the releases";
    let mut blocks = vec![Block::Lines(lines(found)), table(caption, changes(found))];
    let files = files(found);
    if !files.is_empty() {
        blocks.push(table("Files to touch", files));
    }
    let section = Section { id: "changes", title: "What changes by default", blocks };
    document.sections.insert(1, section);
    document
}

pub(super) fn value(found: &Upgrade) -> Value {
    let releases = |of: &scenarios::upgrade::Releases| json!({"spark": of.spark.to_string(), "kubernetes": of.kubernetes.to_string()});
    json!({
        "schema": "seatrial.upgrade/v1",
        "scenario": found.base.scenario.name,
        "from": releases(&found.from),
        "to": releases(&found.to),
        "changes": changes(found).to_value(),
        "files": files(found).to_value(),
        "notes": lines(found),
        "comparison": compare::value(&found.compared),
    })
}
