//! Tables as files: rows of cells from CSV (plain or gzip) and Parquet, and back.
//!
//! What a cell means is the business of [`crate::canonical`]; here are only text, numbers and
//! truth values. The kind of file follows from its ending: `.csv`, `.csv.gz` or `.parquet`.
//!
//! Caps, so that a file cannot make us allocate without bound: [`ROWS_MAX`] rows,
//! [`COLUMNS_MAX`] columns, [`RECORD_BYTES_MAX`] bytes a CSV record, [`PARQUET_BYTES_MAX`] bytes
//! of a Parquet file, before and after decompression, [`TEXT_BYTES_MAX`] bytes of text.

mod cell;
mod column;
mod csv_file;
mod parquet_file;
mod parquet_footer;
mod quiet_panic;
mod tally;
mod value;

pub(crate) use cell::Cell;
pub use column::{Column, ColumnType};
pub(crate) use csv_file::{CsvWriter, open_text};
pub use tally::TableCounts;
pub(crate) use tally::{Tally, shorten};
pub(crate) use value::{Value, render_instant};

use std::path::Path;

use crate::TraceError;

/// Most rows that are read from one table: more than a year of 8,000 runs a day.
pub const ROWS_MAX: u64 = 5_000_000;
/// Most columns of a table.
pub const COLUMNS_MAX: usize = 1_000;
/// Most bytes of one CSV record; a quote that is never closed ends here.
pub const RECORD_BYTES_MAX: u64 = 4 << 20;
/// Most bytes of a Parquet file, and of its columns when they are decompressed.
pub const PARQUET_BYTES_MAX: u64 = 4 << 30;
/// Most characters of a cell, where the column does not say otherwise.
pub const CELL_CHARS_MAX: usize = 10_000;

/// Most bytes of text that are kept of one table: a few repeated words make many rows of text out
/// of a small compressed file.
pub const TEXT_BYTES_MAX: u64 = 2 << 30;

/// The kind of a table file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header, UTF-8.
    Csv,
    /// Apache Parquet, compressed with zstd when written.
    Parquet,
}

impl Format {
    /// The ending of its files, without the dot.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// The kind that the name of `path` tells.
    ///
    /// # Errors
    /// Any other ending.
    pub fn of(path: &Path) -> Result<Self, TraceError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        if name.ends_with(".csv") || name.ends_with(".csv.gz") {
            Ok(Self::Csv)
        } else if name.ends_with(".parquet") {
            Ok(Self::Parquet)
        } else {
            Err(TraceError::unreadable(
                path,
                "the kind of table is told by the file's ending: .csv, .csv.gz or .parquet",
            ))
        }
    }
}

/// Takes what a table file holds.
pub(crate) trait RowSink {
    /// Gets the names of the columns once, before any row.
    fn header(&mut self, names: &[String]) -> Result<(), TraceError>;

    /// Whether the column of that name is looked at; a file may hold others.
    fn wants(&self, name: &str) -> bool;

    /// Gets one row, with as many cells as the header has names. `line` is the line of the text
    /// file it starts at (the header is line 1), or the number of the Parquet row, from 1.
    fn row(&mut self, line: u64, cells: &[Cell<'_>]) -> Result<(), TraceError>;

    /// Gets a row that has `found` fields where the header has `expected`.
    fn ragged(&mut self, line: u64, found: usize, expected: usize);
}

/// Reads `path`, giving every row to `sink`.
pub(crate) fn read(path: &Path, sink: &mut dyn RowSink) -> Result<(), TraceError> {
    match Format::of(path)? {
        Format::Csv => csv_file::read(path, sink),
        Format::Parquet => parquet_file::read(path, sink),
    }
}

/// Writes `rows` rows of `columns` to `path`; `value(row, column)` is asked for every cell.
///
/// The file appears under its name only when it is complete.
pub(crate) fn write(
    path: &Path,
    columns: &[Column],
    rows: usize,
    value: &mut dyn FnMut(usize, usize) -> Value,
) -> Result<(), TraceError> {
    let format = Format::of(path)?;
    replace_file(path, |file| match format {
        Format::Csv => csv_file::write(path, file, columns, rows, value),
        Format::Parquet => parquet_file::write(path, file, columns, rows, value),
    })
}

/// Writes a file under a temporary name beside `path`, and renames it when `fill` went well.
pub(crate) fn replace_file(
    path: &Path,
    fill: impl FnOnce(&mut std::io::BufWriter<std::fs::File>) -> Result<(), TraceError>,
) -> Result<(), TraceError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let write = || {
        let file = std::fs::File::create(&part).map_err(|source| TraceError::io(&part, source))?;
        let mut file = std::io::BufWriter::new(file);
        fill(&mut file)?;
        let file = file.into_inner().map_err(|error| TraceError::io(&part, error.into_error()))?;
        file.sync_all().map_err(|source| TraceError::io(&part, source))?;
        std::fs::rename(&part, path).map_err(|source| TraceError::io(path, source))
    };
    write().inspect_err(|_| {
        // The error that matters is the first one; a leftover that cannot be removed is no news.
        let _ = std::fs::remove_file(&part);
    })
}
