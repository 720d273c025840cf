//! Rows on their way into columns: kept as they come, and moved a few hundred cells at a time.
//!
//! A row of a table has its cells in as many places as the table has columns, and rows of several
//! tables come by turns, so that hardly any of these places is near when it is written to. Here a
//! row is written in one place, and a column is written to for many rows at once.

use super::column::{Cell, ColumnBuffer};
use super::columns::ColumnSpec;

/// So many cells are kept at most, unless one row has more.
const CELLS: usize = 2048;

/// Rows of equally many cells.
#[derive(Debug, Default)]
pub(super) struct StagedRows {
    /// A number for each cell, row by row: its bits, or where its text is.
    words: Vec<u64>,
    /// Of each row: a bit for each cell that is null.
    nulls: Vec<u64>,
    /// The texts, one after the other.
    texts: String,
}

impl StagedRows {
    /// Adds a row; true when it is time to move them.
    ///
    /// # Panics
    /// If a cell is not of its column's type, or null where no null may be.
    pub(super) fn push<const N: usize>(
        &mut self,
        columns: &[ColumnSpec],
        row: [Cell<'_>; N],
    ) -> bool {
        const { assert!(N <= u64::BITS as usize, "a bit for each cell") };
        let mut nulls = 0;
        let mut words = [0; N];
        for (place, (cell, spec)) in row.iter().zip(columns).enumerate() {
            let word = match *cell {
                Cell::Text(text) => text.map(|text| self.keep(text)),
                Cell::Integer(number) => number.map(|number| number as u64),
                Cell::Float(number) => number.map(f64::to_bits),
                Cell::Boolean(is_so) => Some(u64::from(is_so)),
            };
            let fits = cell.kind() == spec.kind && (word.is_some() || spec.nullable);
            assert!(fits, "{cell:?} in column {} ({:?})", spec.name, spec.kind);
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
