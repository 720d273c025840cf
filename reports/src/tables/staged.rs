//! Rows on their way into columns: kept as they come, and moved a few hundred cells at a time.
//!
//! A row of a table has its cells in as many places as the table has columns, and rows of several
//! tables come by turns, so that hardly any of these places is near when it is written to. Here a
//! row is written in one place, and a column is written to for many rows at once.

use super::column::{Cell, ColumnBuffer};
use super::columns::{ColumnSpec, ColumnType};

/// So many cells are kept at most, unless one row has more.
const CELLS: usize = 2048;

/// Rows of a table.
#[derive(Debug)]
pub(super) struct StagedRows {
    columns: &'static [ColumnSpec],
    /// Of each column its type and whether it may be null: apart, to be near.
    allowed: Vec<(ColumnType, bool)>,
    /// A number for each cell, row by row: its bits, or where its text is.
    words: Vec<u64>,
    /// Of each row: a bit for each cell that is null.
    nulls: Vec<u64>,
    /// The texts, one after the other.
    texts: String,
}

impl StagedRows {
    /// None yet.
    pub(super) fn new(columns: &'static [ColumnSpec]) -> Self {
        let allowed = columns.iter().map(|spec| (spec.kind, spec.nullable)).collect();
        let (words, nulls, texts) = (Vec::new(), Vec::new(), String::new());
        Self { columns, allowed, words, nulls, texts }
    }

    /// Adds a row; true when it is time to move them.
    ///
    /// # Panics
    /// If the row does not have the table's columns, or a cell is not of its column's type or null
    /// where no null may be.
    pub(super) fn push<const N: usize>(&mut self, row: [Cell<'_>; N]) -> bool {
        const { assert!(N <= u64::BITS as usize, "a bit for each cell") };
        assert_eq!(
            N,
            self.columns.len(),
            "cells of a row that begins with {}",
            self.columns[0].name
        );
        let mut nulls = 0;
        let mut words = [0; N];
        for (place, cell) in row.iter().enumerate() {
            let word = match *cell {
                Cell::Text(text) => text.map(|text| self.keep(text)),
                Cell::Integer(number) => number.map(|number| number as u64),
                Cell::Float(number) => number.map(f64::to_bits),
                Cell::Boolean(is_so) => Some(u64::from(is_so)),
            };
            let (kind, nullable) = self.allowed[place];
            let fits = cell.kind() == kind && (word.is_some() || nullable);
            assert!(fits, "{cell:?} in column {} ({kind:?})", self.columns[place].name);
            nulls |= u64::from(word.is_none()) << place;
            words[place] = word.unwrap_or_default();
        }
        self.words.extend_from_slice(&words);
        self.nulls.push(nulls);
        self.words.len() + N > CELLS
    }

    /// Moves all rows into the columns.
    pub(super) fn move_into(&mut self, columns: &mut [ColumnBuffer]) {
        let width = columns.len();
        for (place, column) in columns.iter_mut().enumerate() {
            let words = self.words.iter().skip(place).step_by(width).copied();
            let words = words.zip(&self.nulls).map(|(word, nulls)| (word, nulls >> place & 1 == 1));
            column.extend(words, &self.texts);
        }
        self.words.clear();
        self.nulls.clear();
        self.texts.clear();
    }

    /// Keeps a text: where it begins, and its length.
    fn keep(&mut self, text: &str) -> u64 {
        let start = self.texts.len() as u64;
        self.texts.push_str(text);
        start << 32 | text.len() as u64
    }
}

/// The text that was kept there.
pub(super) fn text_at(texts: &str, word: u64) -> &str {
    let (start, length) = ((word >> 32) as usize, (word as u32) as usize);
    &texts[start..start + length]
}
