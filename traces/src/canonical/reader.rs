//! What the readers of all canonical tables have in common: matching the header with the columns,
//! understanding cells, counting what is wrong.

use std::path::Path;

use sim::{Finding, Severity};

use crate::TraceError;
use crate::table::{self, Cell, Column, RowSink, TableCounts, Tally, Value, shorten};

/// One understood row.
pub(crate) struct Row {
    /// Line or row number.
    pub(crate) line: u64,
    /// A value per column of the table, in its order.
    pub(crate) values: Vec<Value>,
}

/// Reads a table of known columns; `take` gets every row whose required values are all there, and
/// says whether it was kept.
pub(crate) struct TableReader<'a, F> {
    path: &'a Path,
    columns: &'static [Column],
    /// Groups of columns of which every file needs at least one.
    any_of: &'a [&'a [&'static str]],
    /// For every column of the file, its place in `columns`.
    places: Vec<Option<usize>>,
    /// What is wrong with rows.
    tally: Tally,
    counts: TableCounts,
    /// Bytes of text given to `take` so far.
    text_bytes: u64,
    take: F,
}

/// What becomes of a row.
pub(crate) enum Fate {
    Kept,
    Bad,
    Duplicate,
}

impl<'a, F> TableReader<'a, F>
where
    F: FnMut(Row, &mut Tally) -> Result<Fate, TraceError>,
{
    /// Reads the table at `path`.
    pub(crate) fn read(
        path: &'a Path,
        columns: &'static [Column],
        any_of: &'a [&'a [&'static str]],
        take: F,
    ) -> Result<(TableCounts, Vec<Finding>), TraceError> {
        let mut reader = Self {
            path,
            columns,
            any_of,
            places: Vec::new(),
            tally: Tally::new(path.display().to_string()),
            counts: TableCounts::default(),
            text_bytes: 0,
            take,
        };
        table::read(path, &mut reader)?;
        Ok((reader.counts, reader.tally.into_findings()))
    }

    fn cap_text(&mut self, values: &[Value]) -> Result<(), TraceError> {
        for value in values {
            if let Value::Text(text) = value {
                self.text_bytes += text.len() as u64;
            }
        }
        if self.text_bytes > table::TEXT_BYTES_MAX {
            return Err(TraceError::TooLarge {
                path: self.path.to_owned(),
                what: "its cells hold too many bytes of text".to_owned(),
                limit: table::TEXT_BYTES_MAX,
            });
        }
        Ok(())
    }

    fn match_header(&mut self, names: &[String]) -> Vec<String> {
        if let [name] = names
            && let Some(separator) = [';', '\t', '|'].into_iter().find(|c| name.contains(*c))
        {
            return vec![format!(
                "the header is one column: the table seems to be separated by {separator:?}, \
                 commas are expected"
            )];
        }
        let mut problems = Vec::new();
        let mut seen = vec![None; self.columns.len()];
        self.places = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            let place = self.columns.iter().position(|column| column.name == name);
            if let Some(place) = place {
                match seen[place].replace(at) {
                    None => {}
                    Some(first) => problems.push(format!(
                        "column `{name}` is there twice, as column {} and as column {}",
                        first + 1,
                        at + 1
                    )),
                }
            }
            self.places.push(place);
        }
        let has = |name: &str| names.iter().any(|known| known == name);
        for column in self.columns.iter().filter(|column| column.required) {
            if !has(column.name) {
                problems.push(missing(&format!("`{}`", column.name), &[column.name], names));
            }
        }
        for group in self.any_of {
            if !group.iter().any(|name| has(name)) {
                let listed = group.iter().map(|name| format!("`{name}`"));
                let listed = listed.collect::<Vec<_>>().join(" or ");
                problems.push(missing(&listed, group, names));
            }
        }
        problems
    }

    fn report_unknown(&mut self, names: &[String]) {
        let header = 1;
        for (name, place) in names.iter().zip(&self.places) {
            if place.is_some() {
                continue;
            }
            let known = self.columns.iter().map(|column| column.name);
            let hint = nearest(name, known)
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            self.tally.add(Severity::Warning, "unknown-column", name, header, || {
                format!("column `{}` is not known and was not read{hint}", shorten(name))
            });
        }
    }
}

impl<F> RowSink for TableReader<'_, F>
where
    F: FnMut(Row, &mut Tally) -> Result<Fate, TraceError>,
{
    fn header(&mut self, names: &[String]) -> Result<(), TraceError> {
        let problems = self.match_header(names);
        if !problems.is_empty() {
            return Err(TraceError::Columns { path: self.path.to_owned(), problems });
        }
        self.report_unknown(names);
        Ok(())
    }

    fn wants(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name)
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) -> Result<(), TraceError> {
        self.counts.rows += 1;
        let mut values = vec![Value::Missing; self.columns.len()];
        let mut good = true;
        for (cell, place) in cells.iter().zip(&self.places) {
            let Some(place) = *place else { continue };
            let column = &self.columns[place];
            match column.kind.parse(cell) {
                Ok(value) => values[place] = value,
                Err(bad) => {
                    good &= !column.required;
                    let done =
                        if column.required { "the row was dropped" } else { "taken as missing" };
                    self.tally.add(Severity::Warning, bad.code, column.name, line, || {
                        format!("{}; {done}", bad.reason)
                    });
                }
            }
        }
        for (value, column) in values.iter().zip(self.columns) {
            if good && column.required && *value == Value::Missing {
                good = false;
                self.tally.add(Severity::Warning, "missing-value", column.name, line, || {
                    format!("`{}` is required; the row was dropped", column.name)
                });
            }
        }
        self.cap_text(&values)?;
        let fate =
            if good { (self.take)(Row { line, values }, &mut self.tally)? } else { Fate::Bad };
        match fate {
            Fate::Kept => self.counts.kept += 1,
            Fate::Bad => self.counts.bad += 1,
            Fate::Duplicate => self.counts.duplicates += 1,
        }
        Ok(())
    }

    fn ragged(&mut self, line: u64, found: usize, expected: usize) {
        self.counts.rows += 1;
        self.counts.bad += 1;
        self.tally.add(Severity::Warning, "wrong-field-count", "", line, || {
            format!("{found} fields where the header has {expected}; the row was dropped")
        });
    }
}

/// A problem with a column that is not there, naming what may have been meant by it.
fn missing(listed: &str, wanted: &[&'static str], names: &[String]) -> String {
    let near = wanted.iter().find_map(|wanted| nearest(wanted, names.iter().map(String::as_str)));
    match near {
        Some(near) => {
            format!("column {listed} is missing; the file has `{}`, is that it?", shorten(near))
        }
        None => format!("column {listed} is missing"),
    }
}

/// The name nearest to `name`, when it is near enough to have been meant.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |text: &str| -> String {
        let letters = text.chars().take(80).filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    known
        .map(|known| (strsim::jaro_winkler(&wanted, &plain(known)), known))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}
