//! The tables of a result folder, read back row by row.
//!
//! Slices of a table are decoded one after the other, and only the columns that are asked for, so
//! that memory does not grow with the table. Leaves out: row groups are not skipped by their
//! statistics; a table of a platform day is read in well under a second.

use std::fs::File;
use std::path::{Path, PathBuf};

use polars::prelude::{
    BooleanChunked, Column, DataFrame, Float64Chunked, Int64Chunked, ParallelStrategy,
    ParquetReader, PolarsError, SerReader, StringChunked,
};

/// Rows that are decoded at once.
const SLICE_ROWS: usize = 1 << 19;

/// A table of a result folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened.
    #[error(
        "{}: {source}; is this a result folder of this version of seatrial? `seatrial run` writes \
         one",
        path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no table of ours, or damaged.
    #[error("{}: not a table of this version of seatrial, or damaged: {source}", path.display())]
    Contents {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PolarsError,
    },
}

/// A table file.
#[derive(Debug, Clone)]
pub struct TableFile {
    path: PathBuf,
    rows: usize,
    start_epoch_ms: i64,
}

/// One row: the cells of the columns that were asked for, by their place among them.
#[derive(Clone, Copy)]
pub struct TableRow<'a> {
    columns: &'a [Decoded<'a>],
    row: usize,
}

enum Decoded<'a> {
    Text(&'a StringChunked),
    Integer(&'a Int64Chunked),
    Float(&'a Float64Chunked),
    Boolean(&'a BooleanChunked),
}

impl<'a> TableRow<'a> {
    /// Text; `None` where the cell is null or the column of another type.
    pub fn text(&self, place: usize) -> Option<&'a str> {
        match self.columns.get(place)? {
            Decoded::Text(column) => column.get(self.row),
            _ => None,
        }
    }

    /// A whole number; `None` as for [`TableRow::text`].
    pub fn integer(&self, place: usize) -> Option<i64> {
        match self.columns.get(place)? {
            Decoded::Integer(column) => column.get(self.row),
            _ => None,
        }
    }

    /// A number; `None` as for [`TableRow::text`].
    pub fn float(&self, place: usize) -> Option<f64> {
        match self.columns.get(place)? {
            Decoded::Float(column) => column.get(self.row),
            _ => None,
        }
    }

    /// Whether the cell is true.
    pub fn is_true(&self, place: usize) -> bool {
        match self.columns.get(place) {
            Some(Decoded::Boolean(column)) => column.get(self.row) == Some(true),
            _ => false,
        }
    }
}

impl TableFile {
    /// Opens `folder/name.parquet`.
    ///
    /// # Errors
    /// If it is not there or no Parquet file.
    pub fn open(folder: &Path, name: &str) -> Result<Self, ReadError> {
        let path = folder.join(format!("{name}.parquet"));
        let file = open(&path)?;
        let contents = |source| ReadError::Contents { path: path.clone(), source };
        let mut reader = ParquetReader::new(file);
        let metadata = reader.get_metadata().map_err(contents)?;
        let pairs = metadata.key_value_metadata().iter().flatten();
        let start = pairs.filter(|pair| pair.key == "seatrial.start_epoch_ms");
        let start = start.filter_map(|pair| pair.value.as_deref()?.parse().ok()).next();
        let (rows, start_epoch_ms) = (metadata.num_rows, start.unwrap_or(0));
        Ok(Self { path, rows, start_epoch_ms })
    }

    /// Milliseconds from 1970-01-01 UTC to the start of the workload.
    pub fn start_epoch_ms(&self) -> i64 {
        self.start_epoch_ms
    }

    /// Gives every row to `visit`, in order, with the cells of `columns`.
    ///
    /// # Errors
    /// A column that is not there, or damage.
    pub fn rows(
        &self,
        columns: &[&str],
        mut visit: impl FnMut(TableRow<'_>),
    ) -> Result<(), ReadError> {
        let contents = |source| ReadError::Contents { path: self.path.clone(), source };
        let mut first = 0;
        while first < self.rows {
            let frame = self.slice(columns, first).map_err(contents)?;
            let decoded: Result<Vec<Decoded<'_>>, PolarsError> =
                columns.iter().map(|name| frame.column(name).and_then(decode)).collect();
            let decoded = decoded.map_err(contents)?;
            for row in 0..frame.height() {
                visit(TableRow { columns: &decoded, row });
            }
            if frame.height() == 0 {
                break;
            }
            first += frame.height();
        }
        Ok(())
    }

    fn slice(&self, columns: &[&str], first: usize) -> Result<DataFrame, PolarsError> {
        let file = File::open(&self.path)?;
        ParquetReader::new(file)
            .with_columns(Some(columns.iter().map(|name| (*name).to_owned()).collect()))
            .with_slice(Some((first, SLICE_ROWS)))
            .read_parallel(ParallelStrategy::None)
            .set_rechunk(true)
            .finish()
    }
}

fn open(path: &Path) -> Result<File, ReadError> {
    File::open(path).map_err(|source| ReadError::File { path: path.to_owned(), source })
}

fn decode(column: &Column) -> Result<Decoded<'_>, PolarsError> {
    use polars::prelude::DataType;
    match column.dtype() {
        DataType::String => column.str().map(Decoded::Text),
        DataType::Int64 => column.i64().map(Decoded::Integer),
        DataType::Boolean => column.bool().map(Decoded::Boolean),
        _ => column.f64().map(Decoded::Float),
    }
}
