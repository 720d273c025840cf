//! The output formats of the command line, and values in those that are for scripts.

use serde::Serialize;

use crate::grid::Grid;

/// What `-o` chooses from.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned text for people.
    #[default]
    Table,
    /// JSON.
    Json,
    /// YAML, safe for YAML 1.1 readers.
    Yaml,
    /// CSV with a header.
    Csv,
    /// Markdown.
    Markdown,
}

/// Indented JSON with a line end at its end.
///
/// # Panics
/// If `value` has maps whose keys are not text: our values have none.
pub fn json<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("maps have text as keys");
    text.push('\n');
    text
}

/// YAML with a line end at its end.
///
/// # Panics
/// If `value` cannot be written as YAML; whatever can be written as JSON can.
pub fn yaml<T: Serialize>(value: &T) -> String {
    let mut text = serde_saphyr::to_string(value).expect("what JSON can hold, YAML can");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// `grid` in `format`.
pub fn grid(grid: &Grid, format: Format) -> String {
    match format {
        Format::Table => grid.to_terminal(0),
        Format::Json => json(&grid.to_value()),
        Format::Yaml => yaml(&grid.to_value()),
        Format::Csv => grid.to_csv(),
        Format::Markdown => grid.to_markdown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{GridCell, GridColumn};

    #[test]
    fn yaml_quotes_what_old_readers_take_for_something_else() {
        let mut table = Grid::new(&[GridColumn::words("Name", "name")]);
        for name in ["no", "1:30", "2026-11-20", "plain"] {
            table.push(vec![GridCell::text(name)]);
        }
        let text = grid(&table, Format::Yaml);
        for quoted in ["no", "1:30", "2026-11-20"] {
            let forms = [format!("\"{quoted}\""), format!("'{quoted}'")];
            assert!(forms.iter().any(|form| text.contains(form)), "{text}");
        }
        assert!(text.contains("name: plain"), "{text}");
    }
}
