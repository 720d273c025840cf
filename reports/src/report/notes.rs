//! What the numbers rest on: assumptions with their sources, and findings.

use serde_json::Value;

use super::data::Data;
use crate::document::{Block, Section};
use crate::grid::{Grid, GridCell, GridColumn};

fn list<'a>(data: &'a Data, key: &str) -> impl Iterator<Item = &'a Value> {
    data.findings[key].as_array().into_iter().flatten()
}

fn text(one: &Value, key: &str) -> String {
    match &one[key] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

pub(super) fn assumptions(data: &Data) -> Section {
    let mut grid = Grid::new(&[
        GridColumn::words("assumption", "name"),
        GridColumn::words("value", "value"),
        GridColumn::words("", "guess"),
        GridColumn::words("source", "source"),
    ]);
    for one in list(data, "assumptions") {
        let guess = if one["guess"].as_bool() == Some(true) { "guess" } else { "" };
        grid.push(vec![
            GridCell::text(text(one, "name")),
            GridCell::sentence(text(one, "value")),
            GridCell::figure(guess, guess),
            GridCell::sentence(text(one, "source")),
        ]);
    }
    let caption = "What no configuration file says; change it under spec.assumptions";
    let blocks = vec![Block::Table { caption: caption.to_owned(), grid, shown: 100 }];
    Section { id: "assumptions", title: "Assumptions", blocks }
}

pub(super) fn findings(data: &Data) -> Section {
    let mut grid = Grid::new(&[
        GridColumn::words("severity", "severity"),
        GridColumn::words("code", "code"),
        GridColumn::words("about", "subject"),
        GridColumn::words("finding", "message"),
        GridColumn::figures("times", "count"),
    ]);
    for severity in ["error", "warning", "info"] {
        // Assumptions have their own section.
        let shown = list(data, "findings")
            .filter(|one| one["severity"] == severity && one["code"] != "assumption");
        for one in shown.take(200) {
            let line = one["line"].as_u64().map_or(String::new(), |line| format!(":{line}"));
            grid.push(vec![
                GridCell::figure(severity, severity),
                GridCell::text(text(one, "code")),
                GridCell::sentence(format!("{}{line}", text(one, "subject"))),
                GridCell::sentence(text(one, "message")),
                GridCell::whole(one["count"].as_u64().unwrap_or(1)),
            ]);
        }
    }
    let caption = "What was left out, repaired or could not be done";
    Section { id: "findings", title: "Findings", blocks: vec![Block::table(caption, grid)] }
}
