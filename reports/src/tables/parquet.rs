//! One table on its way into a Parquet file: typed column buffers, a row group per full batch.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use polars::prelude::{
    BatchedWriter, ChunkedBuilder, Column, DataFrame, DataType, Field, Float64Chunked, Float64Type,
    Int64Chunked, Int64Type, IntoColumn, KeyValueMetadata, NamedFrom, ParquetCompression,
    ParquetWriter, PolarsError, PrimitiveChunkedBuilder, Schema, Series, StringChunkedBuilder,
};
use polars_utils::compression::ZstdLevel;

use super::columns::{ColumnSpec, ColumnType, TableSpec};

/// Cells of a row group: about 10 MB. Readers skip whole groups by their statistics. A quarter of it
/// halves the memory of a month and takes 8 % more time.
const BATCH_CELLS: usize = 1 << 20;

/// A table could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file could not be created or renamed.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its contents could not be written.
    #[error("{}: {source}", path.display())]
    Contents {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PolarsError,
    },
}

/// One value of a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Text(Option<&'a str>),
    Integer(Option<i64>),
    Float(Option<f64>),
    Boolean(bool),
}

enum Buffer {
    Text(StringChunkedBuilder),
    Integer(Vec<i64>),
    Float(Vec<f64>),
    // Builders and not lists of options, which take twice the memory.
    NullableInteger(PrimitiveChunkedBuilder<Int64Type>),
    NullableFloat(PrimitiveChunkedBuilder<Float64Type>),
    Boolean(Vec<bool>),
}

impl Buffer {
    fn new(spec: &ColumnSpec) -> Self {
        match spec.kind {
            ColumnType::Text => Self::Text(StringChunkedBuilder::new(spec.name.into(), 0)),
            ColumnType::Integer if spec.nullable => {
                Self::NullableInteger(PrimitiveChunkedBuilder::new(spec.name.into(), 0))
            }
            ColumnType::Integer => Self::Integer(Vec::new()),
            ColumnType::Float if spec.nullable => {
                Self::NullableFloat(PrimitiveChunkedBuilder::new(spec.name.into(), 0))
            }
            ColumnType::Float => Self::Float(Vec::new()),
            ColumnType::Boolean => Self::Boolean(Vec::new()),
        }
    }

    /// # Panics
    /// If the cell is not of the column's type, or null where no null may be.
    fn push(&mut self, spec: &ColumnSpec, cell: Cell<'_>) {
        let null = matches!(cell, Cell::Text(None) | Cell::Integer(None) | Cell::Float(None));
        assert!(spec.nullable || !null, "null in column {}", spec.name);
        match (self, cell) {
            (Self::Text(values), Cell::Text(value)) => values.append_option(value),
            (Self::Integer(values), Cell::Integer(Some(value))) => values.push(value),
            (Self::Float(values), Cell::Float(Some(value))) => values.push(value),
            (Self::NullableInteger(values), Cell::Integer(value)) => values.append_option(value),
            (Self::NullableFloat(values), Cell::Float(value)) => values.append_option(value),
            (Self::Boolean(values), Cell::Boolean(value)) => values.push(value),
            (_, cell) => panic!("{cell:?} in column {} ({:?})", spec.name, spec.kind),
        }
    }

    /// The column, leaving an empty buffer behind.
    fn take(&mut self, spec: &ColumnSpec) -> Column {
        match std::mem::replace(self, Self::new(spec)) {
            Self::Text(values) => values.finish().into_column(),
            Self::Integer(values) => Int64Chunked::from_vec(spec.name.into(), values).into_column(),
            Self::Float(values) => Float64Chunked::from_vec(spec.name.into(), values).into_column(),
            Self::NullableInteger(values) => values.finish().into_column(),
            Self::NullableFloat(values) => values.finish().into_column(),
            Self::Boolean(values) => Series::new(spec.name.into(), values).into_column(),
        }
    }
}

const fn data_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Text => DataType::String,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
    }
}

/// A table being written, under a temporary name until it is whole.
pub(super) struct ParquetTable {
    spec: &'static TableSpec,
    buffers: Vec<Buffer>,
    rows: usize,
    writer: BatchedWriter<BufWriter<File>>,
    unfinished: PathBuf,
    path: PathBuf,
}

impl ParquetTable {
    /// Opens `folder/NAME.parquet.tmp`.
    pub(super) fn create(
        folder: &Path,
        spec: &'static TableSpec,
        start_epoch_ms: i64,
    ) -> Result<Self, TableError> {
        let path = folder.join(format!("{}.parquet", spec.name));
        let unfinished = folder.join(format!("{}.parquet.tmp", spec.name));
        let file = File::create(&unfinished)
            .map_err(|source| TableError::File { path: unfinished.clone(), source })?;
        let schema: Schema = spec
            .columns
            .iter()
            .map(|column| Field::new(column.name.into(), data_type(column.kind)))
            .collect();
        let metadata = KeyValueMetadata::from_static(vec![
            ("seatrial.table".to_owned(), spec.name.to_owned()),
            ("seatrial.start_epoch_ms".to_owned(), start_epoch_ms.to_string()),
        ]);
        // One thread: the simulations beside this one have the others.
        let writer = ParquetWriter::new(BufWriter::new(file))
            .set_parallel(false)
            .with_compression(compression(&unfinished)?)
            .with_key_value_metadata(Some(metadata))
            .batched(&schema)
            .map_err(|source| contents(&unfinished, source))?;
        Ok(Self {
            spec,
            buffers: spec.columns.iter().map(Buffer::new).collect(),
            rows: 0,
            writer,
            unfinished,
            path,
        })
    }

    /// Adds a row; writes a row group when a batch is full.
    ///
    /// # Panics
    /// If the row does not have the table's columns.
    pub(super) fn push<const N: usize>(&mut self, row: [Cell<'_>; N]) -> Result<(), TableError> {
        let columns = self.spec.columns;
        assert_eq!(N, columns.len(), "cells of a row of {}", self.spec.name);
        for ((buffer, spec), cell) in self.buffers.iter_mut().zip(columns).zip(row) {
            buffer.push(spec, cell);
        }
        self.rows += 1;
        if self.rows * N >= BATCH_CELLS {
            self.write_batch()?;
        }
        Ok(())
    }

    fn write_batch(&mut self) -> Result<(), TableError> {
        let columns = self.buffers.iter_mut().zip(self.spec.columns);
        let columns = columns.map(|(buffer, spec)| buffer.take(spec)).collect();
        let rows = std::mem::take(&mut self.rows);
        DataFrame::new(rows, columns)
            .and_then(|batch| self.writer.write_batch(&batch))
            .map_err(|source| contents(&self.unfinished, source))
    }

    /// Writes what is left and gives the file its name.
    pub(super) fn finish(mut self) -> Result<(), TableError> {
        if self.rows > 0 {
            self.write_batch()?;
        }
        self.writer.finish().map_err(|source| contents(&self.unfinished, source))?;
        std::fs::rename(&self.unfinished, &self.path)
            .map_err(|source| TableError::File { path: self.path, source })
    }
}

/// The fastest that Zstandard has: half the time of its default for files a tenth larger, and a month
/// of tables is written once for each simulation.
fn compression(path: &Path) -> Result<ParquetCompression, TableError> {
    let level = ZstdLevel::try_new(1).map_err(|source| contents(path, source))?;
    Ok(ParquetCompression::Zstd(Some(level)))
}

fn contents(path: &Path, source: PolarsError) -> TableError {
    TableError::Contents { path: path.to_owned(), source }
}
