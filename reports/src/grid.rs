//! A table of mixed cells, shown in every output format: aligned text for a terminal, Markdown,
//! CSV, and lists of objects for JSON and YAML.
//!
//! Text cells are foreign and escaped for the format that shows them; numbers are ours.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value};
use sim::units::NanoUsd;

use crate::escape;

/// A table.
#[derive(Debug, Clone)]
pub struct Grid {
    columns: Vec<GridColumn>,
    rows: Vec<Vec<GridCell>>,
}

/// A column: its title for people and its key for scripts.
#[derive(Debug, Clone, Copy)]
pub struct GridColumn {
    title: &'static str,
    key: &'static str,
    right: bool,
}

impl GridColumn {
    /// A column of words, aligned left.
    pub const fn words(title: &'static str, key: &'static str) -> Self {
        Self { title, key, right: false }
    }

    /// A column of figures, aligned right.
    pub const fn figures(title: &'static str, key: &'static str) -> Self {
        Self { title, key, right: true }
    }
}

/// A value for scripts, and how people see it.
#[derive(Debug, Clone, PartialEq)]
pub enum GridCell {
    /// A foreign name: escaped and cut where it is shown.
    Text(String),
    /// A foreign sentence: as a name, but not cut so soon.
    Sentence(String),
    /// A number (or our own word) and its picture.
    Figure {
        /// For JSON, YAML and CSV.
        value: Value,
        /// For terminals and Markdown.
        shown: String,
    },
    /// A share of the whole, 0 to 1, seen as a bar.
    Share(f64),
    /// A foreign name that leads to another place of an HTML page.
    Link {
        /// The name.
        text: String,
        /// Name of the place: letters, digits and dashes.
        to: String,
    },
    /// Nothing.
    Missing,
}

/// Characters of a bar on a terminal.
const BAR_WIDTH: usize = 24;

/// Tables of more rows than this can be filtered on an HTML page.
const FILTER_FROM: usize = 8;

impl GridCell {
    /// Foreign text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Foreign text, longer than a name.
    pub fn sentence(text: impl Into<String>) -> Self {
        Self::Sentence(text.into())
    }

    /// A value and its picture.
    pub fn figure(value: impl Into<Value>, shown: impl Into<String>) -> Self {
        Self::Figure { value: value.into(), shown: shown.into() }
    }

    /// A number with `decimals`.
    pub fn decimal(value: f64, decimals: usize) -> Self {
        Self::figure(value, format!("{value:.decimals$}"))
    }

    /// Dollars, given in nano-dollars.
    pub fn money(cost: NanoUsd) -> Self {
        Self::figure(cost.as_usd_f64(), crate::figures::dollars(cost))
    }

    /// Dollars.
    pub fn usd(usd: f64) -> Self {
        Self::figure(usd, crate::figures::dollars(NanoUsd::new((usd * 1e9).round() as i64)))
    }

    /// A whole number.
    pub fn whole(value: u64) -> Self {
        Self::figure(value, crate::figures::grouped(value))
    }

    fn on_terminal(&self) -> String {
        match self {
            Self::Text(text) => escape::terminal(text),
            Self::Sentence(text) => escape::sentence(text),
            Self::Figure { shown, .. } => shown.clone(),
            Self::Share(share) => crate::figures::bar(*share, BAR_WIDTH),
            Self::Link { text, .. } => escape::terminal(text),
            Self::Missing => "-".to_owned(),
        }
    }

    fn in_markdown(&self) -> String {
        match self {
            Self::Text(text) => escape::markdown(text),
            Self::Sentence(text) => escape::markdown_sentence(text),
            Self::Figure { shown, .. } => shown.clone(),
            Self::Share(share) => crate::figures::bar(*share, BAR_WIDTH),
            Self::Link { text, .. } => escape::markdown(text),
            Self::Missing => String::new(),
        }
    }

    /// A table cell of HTML; `right` as its column.
    fn in_html(&self, right: bool) -> String {
        let class = if right { " class=\"r\"" } else { "" };
        match self {
            Self::Text(text) => format!("<td{class}>{}</td>", escape::html(text)),
            Self::Sentence(text) => format!("<td{class}>{}</td>", escape::html_sentence(text)),
            Self::Figure { value, shown } => {
                let sort = match value {
                    Value::Number(number) => format!(" data-v=\"{number}\""),
                    _ => String::new(),
                };
                format!("<td{class}{sort}>{}</td>", escape::xml(shown))
            }
            Self::Share(share) => {
                let percent = (share.clamp(0.0, 1.0) * 1000.0).round() / 10.0;
                format!(
                    "<td class=\"b\" data-v=\"{share}\"><span class=\"bar\" \
                     style=\"width:{percent}%\"></span></td>"
                )
            }
            Self::Link { text, to } => {
                let to = escape::xml(to);
                format!("<td{class}><a href=\"#{to}\">{}</a></td>", escape::html(text))
            }
            Self::Missing if right => "<td class=\"r\" data-v=\"\">-</td>".to_owned(),
            Self::Missing => "<td></td>".to_owned(),
        }
    }

    fn in_csv(&self) -> String {
        match self {
            Self::Text(text) | Self::Sentence(text) | Self::Link { text, .. } => {
                escape::csv_cell(text)
            }
            Self::Share(share) => share.to_string(),
            Self::Figure { value: Value::String(text), .. } => escape::csv_cell(text),
            Self::Figure { value, .. } => value.to_string(),
            Self::Missing => String::new(),
        }
    }

    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Text(text) | Self::Sentence(text) | Self::Link { text, .. } => {
                Value::String(text.clone())
            }
            Self::Share(share) => Value::from(*share),
            Self::Figure { value, .. } => value.clone(),
            Self::Missing => Value::Null,
        }
    }
}

impl Grid {
    /// A table without rows.
    pub fn new(columns: &[GridColumn]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If it does not have a cell for every column.
    pub fn push(&mut self, row: Vec<GridCell>) {
        assert_eq!(row.len(), self.columns.len(), "cells of a row: {row:?}");
        self.rows.push(row);
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The first `count` rows.
    pub fn first(&self, count: usize) -> Self {
        let rows = self.rows.iter().take(count).cloned().collect();
        Self { columns: self.columns.clone(), rows }
    }

    /// Aligned text, `indent` blanks from the left, each line with its end.
    pub fn to_terminal(&self, indent: usize) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if self.columns.iter().any(|column| !column.title.is_empty()) {
            table.set_header(self.columns.iter().map(|column| column.title));
        }
        for row in &self.rows {
            table.add_row(row.iter().map(GridCell::on_terminal));
        }
        for (place, column) in self.columns.iter().enumerate() {
            if let (true, Some(shown)) = (column.right, table.column_mut(place)) {
                shown.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut text = String::new();
        for line in table.lines() {
            // The cell's own blank on the left counts as one of the indentation.
            let line = line.strip_prefix(' ').unwrap_or(&line);
            text.push_str(&" ".repeat(indent));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// A Markdown table.
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let titles = self.columns.iter().map(|column| column.title.to_owned());
        let mut text = line(titles.collect());
        let rules = self.columns.iter().map(|column| match column.right {
            true => "---:".to_owned(),
            false => "---".to_owned(),
        });
        text.push_str(&line(rules.collect()));
        for row in &self.rows {
            text.push_str(&line(row.iter().map(GridCell::in_markdown).collect()));
        }
        text
    }

    /// An HTML table under `caption`; its columns sort, and long ones can be filtered. `id` names its
    /// parts.
    pub fn to_html(&self, id: &str, caption: &str) -> String {
        let heads: String = self
            .columns
            .iter()
            .map(|column| {
                let class = if column.right { " class=\"r\"" } else { "" };
                let title = escape::xml(column.title);
                match title.is_empty() {
                    true => format!("<th scope=\"col\"{class}></th>"),
                    false => format!(
                        "<th scope=\"col\"{class}><button type=\"button\">{title}</button></th>"
                    ),
                }
            })
            .collect();
        let row = |row: &Vec<GridCell>| {
            let cells = row.iter().zip(&self.columns);
            let cells: String = cells.map(|(cell, column)| cell.in_html(column.right)).collect();
            format!("<tr>{cells}</tr>\n")
        };
        let rows: String = self.rows.iter().map(row).collect();
        let filter = match self.rows.len() > FILTER_FROM {
            true => format!(
                "<input type=\"search\" hidden aria-controls=\"{id}\" aria-label=\"Filter the \
                 rows\" placeholder=\"Filter {} rows\">",
                crate::figures::grouped(self.rows.len() as u64)
            ),
            false => String::new(),
        };
        format!(
            "<div class=\"box\">{filter}<div class=\"scroll\"><table id=\"{id}\"><caption>{}\
             </caption><thead><tr>{heads}</tr></thead><tbody>\n{rows}</tbody></table></div></div>\n",
            escape::html_sentence(caption)
        )
    }

    /// CSV with the keys as its header.
    pub fn to_csv(&self) -> String {
        let keys = self.columns.iter().map(|column| column.key.to_owned());
        let rows = self.rows.iter();
        csv(std::iter::once(keys.collect())
            .chain(rows.map(|row| row.iter().map(GridCell::in_csv).collect::<Vec<String>>())))
    }

    /// A list of objects, one a row, with the keys of the columns.
    pub fn to_value(&self) -> Value {
        let object = |row: &Vec<GridCell>| {
            let keys = self.columns.iter().map(|column| column.key.to_owned());
            Value::Object(keys.zip(row.iter().map(GridCell::value)).collect::<Map<_, _>>())
        };
        Value::Array(self.rows.iter().map(object).collect())
    }
}

/// Lines of CSV; cells must be escaped already.
pub(crate) fn csv(lines: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer
            .write_record(&line)
            .expect("writing to memory does not fail, and lines are of one length");
    }
    let bytes = writer.into_inner().expect("writing to memory does not fail");
    String::from_utf8(bytes).expect("cells are UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let mut grid = Grid::new(&[
            GridColumn::words("Name", "name"),
            GridColumn::figures("Cost", "cost_usd"),
        ]);
        grid.push(vec![GridCell::text("=evil\u{1b}[31m|x"), GridCell::figure(1234.5, "$1,234.50")]);
        grid.push(vec![GridCell::text("b"), GridCell::Missing]);
        grid
    }

    #[test]
    fn a_terminal_shows_aligned_columns() {
        assert_eq!(
            grid().to_terminal(2),
            "  Name          Cost\n  =evil|x  $1,234.50\n  b                -\n"
        );
    }

    #[test]
    fn every_format_escapes_in_its_own_way() {
        assert_eq!(
            grid().to_markdown(),
            "| Name | Cost |\n| --- | ---: |\n| =evil\\|x | $1,234.50 |\n| b |  |\n"
        );
        assert_eq!(grid().to_csv(), "name,cost_usd\n'=evil|x,1234.5\nb,\n");
        assert_eq!(
            grid().to_value().to_string(),
            r#"[{"name":"=evil\u001b[31m|x","cost_usd":1234.5},{"name":"b","cost_usd":null}]"#
        );
    }
}
