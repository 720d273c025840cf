//! An explanation as a document of facts, sentences and tables, in every output format.
//!
//! Everything in it may hold foreign names; each format escapes them in its own way. CSV has the
//! one table that tells the story; the rest is for the other formats.

use serde_json::{Map, Value};

use crate::document::Block;
use crate::escape;
use crate::grid::{Grid, GridCell, GridColumn};
use crate::render::{self, Format};

/// Rows that people are shown of most tables.
const ROWS_SHOWN: usize = 40;

/// What was found out.
#[derive(Debug, Clone)]
pub struct Explanation {
    pub(super) heading: String,
    pub(super) parts: Vec<Part>,
    /// An SVG of it; empty where there is none.
    pub(super) picture: String,
}

/// A titled part.
#[derive(Debug, Clone)]
pub(super) struct Part {
    title: &'static str,
    key: &'static str,
    body: Body,
    /// Rows of a table that people are shown; scripts get all of them.
    shown: usize,
}

#[derive(Debug, Clone)]
enum Body {
    Facts(Vec<Fact>),
    Lines(Vec<String>),
    Grid(Grid),
}

/// A fact: its label for people, its key for scripts, its value.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) key: &'static str,
    pub(super) cell: GridCell,
}

/// A fact.
pub(super) fn fact(label: &'static str, key: &'static str, cell: GridCell) -> Fact {
    Fact { label, key, cell }
}

impl Part {
    /// Facts; those without a value are left out for people.
    pub(super) fn facts(title: &'static str, key: &'static str, facts: Vec<Fact>) -> Self {
        Self { title, key, body: Body::Facts(facts), shown: ROWS_SHOWN }
    }

    /// Sentences.
    pub(super) fn lines(title: &'static str, key: &'static str, lines: Vec<String>) -> Self {
        Self { title, key, body: Body::Lines(lines), shown: ROWS_SHOWN }
    }

    /// A table.
    pub(super) fn grid(title: &'static str, key: &'static str, grid: Grid) -> Self {
        Self::short_grid(title, key, grid, ROWS_SHOWN)
    }

    /// A table of which people are shown so many rows.
    pub(super) fn short_grid(
        title: &'static str,
        key: &'static str,
        grid: Grid,
        shown: usize,
    ) -> Self {
        Self { title, key, body: Body::Grid(grid), shown }
    }

    fn is_empty(&self) -> bool {
        match &self.body {
            Body::Facts(facts) => facts.is_empty(),
            Body::Lines(lines) => lines.is_empty(),
            Body::Grid(grid) => grid.is_empty(),
        }
    }

    fn value(&self) -> Value {
        match &self.body {
            Body::Facts(facts) => {
                let pairs = facts.iter().map(|fact| (fact.key.to_owned(), fact.cell.value()));
                Value::Object(pairs.collect())
            }
            Body::Lines(lines) => Value::from(lines.clone()),
            Body::Grid(grid) => grid.to_value(),
        }
    }
}

impl Explanation {
    /// The document in `format`; `bold` titles are only for a terminal.
    pub fn render(&self, format: Format, bold: bool) -> String {
        match format {
            Format::Table => self.terminal(bold),
            Format::Markdown => self.markdown(),
            Format::Json => render::json(&self.value()),
            Format::Yaml => render::yaml(&self.value()),
            Format::Csv => self.csv(),
        }
    }

    /// The same as a part of a report, which links to it as `id`.
    pub fn details(&self, id: String) -> Block {
        let picture = Block::picture("Its pods over time", id.clone(), self.picture.clone());
        // The picture says what the text's bars do.
        let parts = self.parts().filter(|part| !part.key.starts_with("timeline"));
        let blocks = parts.map(|part| match &part.body {
            Body::Facts(facts) => Block::table(part.title, facts_grid(facts)),
            Body::Lines(lines) => Block::Lines(lines.clone()),
            Body::Grid(grid) => Block::table(part.title, grid.first(part.shown)),
        });
        let blocks = picture.into_iter().chain(blocks).collect();
        Block::Details { id, summary: self.heading.clone(), blocks }
    }

    /// A picture of it as SVG, where there is one.
    pub fn picture(&self) -> Option<&str> {
        (!self.picture.is_empty()).then_some(self.picture.as_str())
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.is_empty())
    }

    fn terminal(&self, bold: bool) -> String {
        let (on, off) = if bold { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        let mut text = format!("{on}{}{off}\n", escape::sentence(&self.heading));
        for part in self.parts() {
            if !part.title.is_empty() {
                text.push_str(&format!("\n{on}{}{off}\n", part.title));
            }
            match &part.body {
                Body::Facts(facts) => text.push_str(&facts_grid(facts).to_terminal(2)),
                Body::Lines(lines) => {
                    for line in lines {
                        text.push_str(&format!("  {}\n", escape::sentence(line)));
                    }
                }
                Body::Grid(grid) => {
                    text.push_str(&grid.first(part.shown).to_terminal(2));
                    if let Some(more) = more(grid, part.shown) {
                        text.push_str(&format!("  {more}\n"));
                    }
                }
            }
        }
        text
    }

    fn markdown(&self) -> String {
        let mut text = format!("# {}\n", escape::markdown_sentence(&self.heading));
        for part in self.parts() {
            match part.title.is_empty() {
                true => text.push('\n'),
                false => text.push_str(&format!("\n## {}\n\n", part.title)),
            }
            match &part.body {
                Body::Facts(facts) => text.push_str(&facts_grid(facts).to_markdown()),
                Body::Lines(lines) => {
                    for line in lines {
                        text.push_str(&format!("- {}\n", escape::markdown_sentence(line)));
                    }
                }
                Body::Grid(grid) => {
                    text.push_str(&grid.first(part.shown).to_markdown());
                    if let Some(more) = more(grid, part.shown) {
                        text.push_str(&format!("\n{more}\n"));
                    }
                }
            }
        }
        text
    }

    fn value(&self) -> Value {
        let mut object = Map::new();
        object.insert("subject".to_owned(), Value::String(self.heading.clone()));
        for part in &self.parts {
            object.insert(part.key.to_owned(), part.value());
        }
        Value::Object(object)
    }

    fn csv(&self) -> String {
        let grids = self.parts.iter().filter_map(|part| match &part.body {
            Body::Grid(grid) => Some(grid.to_csv()),
            _ => None,
        });
        grids.into_iter().next().unwrap_or_default()
    }
}

fn more(grid: &Grid, shown: usize) -> Option<String> {
    let rest = grid.len().checked_sub(shown).filter(|rest| *rest > 0)?;
    Some(format!("… {} more with -o json", crate::figures::grouped(rest as u64)))
}

fn facts_grid(facts: &[Fact]) -> Grid {
    let columns = [GridColumn::words("", "what"), GridColumn::words("", "value")];
    let mut grid = Grid::new(&columns);
    for fact in facts.iter().filter(|fact| fact.cell != GridCell::Missing) {
        grid.push(vec![GridCell::figure(fact.key, fact.label), fact.cell.clone()]);
    }
    grid
}
