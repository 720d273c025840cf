//! One table on its way into a Parquet file: a row group per full batch of cells (see `column`).

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use polars::prelude::PolarsError;
use polars_arrow::datatypes::{ArrowSchema, Field};
use polars_parquet::read::ParquetError;
use polars_parquet::write::{
    CompressionOptions, Compressor, DynIter, DynStreamingIterator, FallibleStreamingIterator,
    FileWriter, KeyValue, StatisticsOptions, Version, WriteOptions, ZstdLevel, array_to_columns,
    schema_to_metadata_key,
};

use super::column::{Cell, ColumnBuffer, data_type};
use super::columns::{ColumnSpec, TableSpec};
use super::staged::StagedRows;

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

/// A table being written, under a temporary name until it is whole.
pub(super) struct ParquetTable {
    spec: &'static TableSpec,
    staged: StagedRows,
    buffers: Vec<ColumnBuffer>,
    rows: usize,
    writer: FileWriter<BufWriter<File>>,
    metadata: Vec<KeyValue>,
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
        let schema = schema(spec);
        let metadata = vec![
            schema_to_metadata_key(&schema),
            KeyValue::new("seatrial.table".to_owned(), spec.name.to_owned()),
            KeyValue::new("seatrial.start_epoch_ms".to_owned(), start_epoch_ms.to_string()),
        ];
        let writer = options()
            .and_then(|options| FileWriter::try_new(BufWriter::new(file), schema, options))
            .map_err(|source| contents(&unfinished, source))?;
        let rows = rows_of_a_group(spec);
        let buffers = spec.columns.iter().map(|column| ColumnBuffer::new(column, rows)).collect();
        let staged = StagedRows::new(spec.columns);
        Ok(Self { spec, staged, buffers, rows: 0, writer, metadata, unfinished, path })
    }

    /// Adds a row; writes a row group when a batch is full.
    ///
    /// # Panics
    /// If the row does not have the table's columns.
    pub(super) fn push<const N: usize>(&mut self, row: [Cell<'_>; N]) -> Result<(), TableError> {
        if self.staged.push(row) {
            self.staged.move_into(&mut self.buffers);
        }
        self.rows += 1;
        if self.rows >= rows_of_a_group(self.spec) {
            self.write_group()?;
        }
        Ok(())
    }

    /// Writes what there is as a row group: a column is encoded and compressed when it is its turn.
    fn write_group(&mut self) -> Result<(), TableError> {
        self.staged.move_into(&mut self.buffers);
        let rows = std::mem::take(&mut self.rows);
        let capacity = rows_of_a_group(self.spec);
        let options = self.writer.options();
        let types = self.writer.parquet_schema().fields().to_vec();
        let columns = self.buffers.iter_mut().zip(self.spec.columns).zip(types);
        let columns = columns.map(move |((buffer, spec), kind)| {
            let (array, encoding) = buffer.take(spec, capacity);
            let mut leaves = array_to_columns(array, kind, options, &[encoding])?;
            let pages = leaves.pop().expect("no column is nested");
            let pages = pages.map(|page| page.map_err(in_parquet));
            let pages = Compressor::new(pages, options.compression, Vec::new());
            Ok(DynStreamingIterator::new(pages.map_err(PolarsError::from)))
        });
        self.writer
            .write(rows as u64, DynIter::new(columns))
            .map_err(|source| contents(&self.unfinished, source))
    }

    /// Writes what is left and gives the file its name.
    pub(super) fn finish(mut self) -> Result<(), TableError> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.writer
            .end(Some(std::mem::take(&mut self.metadata)))
            .map_err(|source| contents(&self.unfinished, source))?;
        std::fs::rename(&self.unfinished, &self.path)
            .map_err(|source| TableError::File { path: self.path, source })
    }
}

/// After how many rows a table writes a row group.
const fn rows_of_a_group(spec: &TableSpec) -> usize {
    BATCH_CELLS.div_ceil(spec.columns.len())
}

fn schema(spec: &TableSpec) -> ArrowSchema {
    let field = |column: &ColumnSpec| {
        Field::new(column.name.into(), data_type(column.kind), column.nullable)
    };
    spec.columns.iter().map(|column| (column.name.into(), field(column))).collect()
}

/// The fastest that Zstandard has: half the time of its default for files a tenth larger, and a month
/// of tables is written once for each simulation.
fn options() -> Result<WriteOptions, PolarsError> {
    let level = ZstdLevel::try_new(1)?;
    Ok(WriteOptions {
        statistics: StatisticsOptions::default(),
        version: Version::V1,
        compression: CompressionOptions::Zstd(Some(level)),
        data_page_size: None,
    })
}

fn in_parquet(error: PolarsError) -> ParquetError {
    ParquetError::FeatureNotSupported(error.to_string())
}

fn contents(path: &Path, source: PolarsError) -> TableError {
    TableError::Contents { path: path.to_owned(), source }
}
