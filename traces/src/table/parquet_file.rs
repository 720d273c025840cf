//! Parquet files of flat columns: text, whole and floating numbers, truth values, times.
//!
//! The decoder is a library that may panic on a damaged file, so magic bytes, footer length, the
//! footer's own lists (`parquet_footer.rs`) and the sizes that it claims are checked first, and a panic that remains becomes an error.
//! In memory are the file as it is, compressed, and one row group decoded.
//! What is left: damage inside a data page can make the decoder ask for more memory than there is,
//! which ends the process; a Parquet file from a stranger is safer as CSV.
//! Columns of other types (nested, decimal, 8 and 16 bits, dictionary) are not decoded: their cells
//! are [`Cell::Bad`], which the reader of the table reports where it wanted them.

use std::io::{Cursor, Write};
use std::path::Path;

use polars::prelude::{
    ArrowDataType, ArrowSchema, BinaryChunked, BooleanChunked, Column as PolarsColumn, DataFrame,
    DataType, Float32Chunked, Float64Chunked, Int32Chunked, Int64Chunked, IntoColumn, NamedFrom,
    ParallelStrategy, ParquetReader, ParquetWriter, PlSmallStr, PolarsError, SerReader, Series,
    StringChunked, TimeUnit, UInt32Chunked, UInt64Chunked,
};

use super::{Cell, Column, ColumnType, RowSink, Value, quiet_panic, shorten};
use crate::TraceError;

/// `PAR1`, at both ends of a file.
const MAGIC: &[u8] = b"PAR1";

/// What is said about cells of other types.
const NOT_READ: &str =
    "of a Parquet type that is not read (nested, decimal, dictionary, 8 or 16 bits)";

/// Reads the file, giving every row to `sink`.
pub(super) fn read(path: &Path, sink: &mut dyn RowSink) -> Result<(), TraceError> {
    let bytes = read_checked(path)?;
    let mut reader = ParquetReader::new(Cursor::new(bytes.as_slice()));
    let schema = decoded(path, || {
        check_sizes(path, &mut reader)?;
        reader.schema().map_err(|error| polars_error(path, &error))
    })?;
    let names: Vec<String> = schema.iter_names().map(|name| name.to_string()).collect();
    sink.header(&names)?;
    let wanted: Vec<String> = schema
        .iter_values()
        .filter(|field| readable(field.dtype()) && sink.wants(&field.name))
        .map(|field| field.name.to_string())
        .collect();
    if wanted.is_empty() {
        return Err(TraceError::unreadable(
            path,
            "none of its columns can be read: text, numbers, truth values and times are",
        ));
    }
    let metadata = reader.get_metadata().map_err(|error| polars_error(path, &error))?.clone();
    let mut before = 0;
    for group in &metadata.row_groups {
        let rows = group.num_rows();
        let frame = decoded(path, || {
            let mut reader = ParquetReader::new(Cursor::new(bytes.as_slice()));
            reader.set_metadata(metadata.clone());
            reader
                .with_columns(Some(wanted.clone()))
                .with_slice(Some((before, rows)))
                // On this thread, so that a panic is caught here.
                .read_parallel(ParallelStrategy::None)
                .set_rechunk(true)
                .finish()
                .map_err(|error| polars_error(path, &error))
        })?;
        check_lengths(path, &frame)?;
        give_rows(path, &schema, (&frame, before), sink)?;
        before += rows;
    }
    Ok(())
}

/// A damaged file can decode to columns that hold fewer values than the frame says it has rows;
/// asking them for a row would be out of bounds.
fn check_lengths(path: &Path, frame: &DataFrame) -> Result<(), TraceError> {
    let held = |column: &PolarsColumn| -> usize {
        column.as_materialized_series().chunks().iter().map(|chunk| chunk.len()).sum()
    };
    match frame.columns().iter().find(|column| held(column) != frame.height()) {
        None => Ok(()),
        Some(column) => Err(TraceError::unreadable(
            path,
            format!(
                "a damaged Parquet file: column `{}` holds {} of {} rows",
                shorten(column.name()),
                held(column),
                frame.height()
            ),
        )),
    }
}

/// The file's bytes, when both ends and the footer's length are plausible.
fn read_checked(path: &Path) -> Result<Vec<u8>, TraceError> {
    let io = |source| TraceError::io(path, source);
    let length = std::fs::metadata(path).map_err(io)?.len();
    if length > super::PARQUET_BYTES_MAX {
        return Err(too_large(path, format!("it has {length} bytes")));
    }
    let bytes = std::fs::read(path).map_err(io)?;
    if bytes.len() < 12 || !bytes.starts_with(MAGIC) {
        return Err(TraceError::unreadable(
            path,
            "not a Parquet file: it does not begin with `PAR1`",
        ));
    }
    let (rest, magic) = bytes.split_at(bytes.len() - 4);
    if magic != MAGIC {
        return Err(TraceError::unreadable(
            path,
            "not a whole Parquet file: it does not end with `PAR1` (cut off while it was copied?)",
        ));
    }
    let footer: [u8; 4] = rest[rest.len() - 4..].try_into().expect("four bytes");
    let footer = u64::from(u32::from_le_bytes(footer));
    if footer == 0 || footer > bytes.len() as u64 - 12 {
        return Err(TraceError::unreadable(
            path,
            format!("its footer says it has {footer} bytes, in a file of {length}"),
        ));
    }
    let start = bytes.len() - 8 - footer as usize;
    super::parquet_footer::check(&bytes[start..bytes.len() - 8]).map_err(|what| {
        TraceError::unreadable(path, format!("a damaged Parquet file: of its footer, {what}"))
    })?;
    Ok(bytes)
}

/// Refuses what the footer says is too much, before anything is allocated for it.
fn check_sizes(path: &Path, reader: &mut ParquetReader<Cursor<&[u8]>>) -> Result<(), TraceError> {
    let metadata = reader.get_metadata().map_err(|error| polars_error(path, &error))?;
    let mut rows = metadata.num_rows as u64;
    let mut grouped = 0_u64;
    let mut bytes = 0_u64;
    for group in &metadata.row_groups {
        grouped = grouped.saturating_add(group.num_rows() as u64);
        bytes = bytes.saturating_add(group.total_byte_size() as u64);
    }
    rows = rows.max(grouped);
    if rows > super::ROWS_MAX {
        return Err(TraceError::TooLarge {
            path: path.to_owned(),
            what: format!("it has {rows} rows"),
            limit: super::ROWS_MAX,
        });
    }
    if bytes > super::PARQUET_BYTES_MAX {
        return Err(too_large(path, format!("it decompresses to {bytes} bytes")));
    }
    Ok(())
}

fn too_large(path: &Path, what: String) -> TraceError {
    TraceError::TooLarge { path: path.to_owned(), what, limit: super::PARQUET_BYTES_MAX }
}

/// Runs a step of the decoder.
fn decoded<T>(path: &Path, step: impl FnOnce() -> Result<T, TraceError>) -> Result<T, TraceError> {
    quiet_panic::catch(step).unwrap_or_else(|panic| {
        Err(TraceError::unreadable(
            path,
            format!("a damaged Parquet file, the decoder gave up: {panic}"),
        ))
    })
}

fn polars_error(path: &Path, error: &PolarsError) -> TraceError {
    TraceError::unreadable(
        path,
        format!("cannot be read as Parquet: {}", shorten(&error.to_string())),
    )
}

/// Whether the decoder is built for the type.
fn readable(kind: &ArrowDataType) -> bool {
    use ArrowDataType as A;
    matches!(
        kind,
        A::Boolean
            | A::Int32
            | A::Int64
            | A::UInt32
            | A::UInt64
            | A::Float32
            | A::Float64
            | A::Utf8
            | A::LargeUtf8
            | A::Utf8View
            | A::Binary
            | A::LargeBinary
            | A::BinaryView
            | A::Date32
            | A::Timestamp(..)
    )
}

/// A decoded column, by the type of its numbers.
enum Decoded<'a> {
    Text(&'a StringChunked),
    Binary(&'a BinaryChunked),
    Flag(&'a BooleanChunked),
    I32(&'a Int32Chunked),
    I64(&'a Int64Chunked),
    U32(&'a UInt32Chunked),
    U64(&'a UInt64Chunked),
    F32(&'a Float32Chunked),
    F64(&'a Float64Chunked),
    /// Days since 1970.
    Date(&'a Int32Chunked),
    /// A time, and how many of its ticks make a millisecond, as (multiply, divide).
    Time(&'a Int64Chunked, (i64, i64)),
    /// Nobody asked for it.
    Unwanted,
    /// Not readable.
    Other,
}

fn decode(column: &PolarsColumn) -> Result<Decoded<'_>, PolarsError> {
    Ok(match column.dtype() {
        DataType::String => Decoded::Text(column.str()?),
        DataType::Binary => Decoded::Binary(column.binary()?),
        DataType::Boolean => Decoded::Flag(column.bool()?),
        DataType::Int32 => Decoded::I32(column.i32()?),
        DataType::Int64 => Decoded::I64(column.i64()?),
        DataType::UInt32 => Decoded::U32(column.u32()?),
        DataType::UInt64 => Decoded::U64(column.u64()?),
        DataType::Float32 => Decoded::F32(column.f32()?),
        DataType::Float64 => Decoded::F64(column.f64()?),
        DataType::Date => Decoded::Date(column.date()?.physical()),
        DataType::Datetime(unit, _) => {
            let scale = match unit {
                TimeUnit::Milliseconds => (1, 1),
                TimeUnit::Microseconds => (1, 1_000),
                TimeUnit::Nanoseconds => (1, 1_000_000),
            };
            Decoded::Time(column.datetime()?.physical(), scale)
        }
        _ => Decoded::Other,
    })
}

impl<'a> Decoded<'a> {
    fn cell(&self, row: usize) -> Cell<'a> {
        let cell = match self {
            Self::Text(column) => column.get(row).map(Cell::Text),
            Self::Binary(column) => column.get(row).map(|bytes| {
                std::str::from_utf8(bytes).map_or(Cell::Bad("not UTF-8 text"), Cell::Text)
            }),
            Self::Flag(column) => column.get(row).map(Cell::Flag),
            Self::I32(column) => column.get(row).map(|n| Cell::Whole(i128::from(n))),
            Self::I64(column) => column.get(row).map(|n| Cell::Whole(i128::from(n))),
            Self::U32(column) => column.get(row).map(|n| Cell::Whole(i128::from(n))),
            Self::U64(column) => column.get(row).map(|n| Cell::Whole(i128::from(n))),
            Self::F32(column) => column.get(row).map(|n| Cell::Number(f64::from(n))),
            Self::F64(column) => column.get(row).map(Cell::Number),
            Self::Date(column) => {
                column.get(row).map(|days| Cell::Instant(i64::from(days) * 86_400_000))
            }
            Self::Time(column, (multiply, divide)) => column
                .get(row)
                .map(|ticks| Cell::Instant(ticks.saturating_mul(*multiply).div_euclid(*divide))),
            Self::Unwanted => None,
            Self::Other => Some(Cell::Bad(NOT_READ)),
        };
        match cell {
            Some(Cell::Text("")) | None => Cell::Missing,
            Some(cell) => cell,
        }
    }
}

/// Gives the rows of a frame, before which there were so many.
fn give_rows(
    path: &Path,
    schema: &ArrowSchema,
    (frame, before): (&DataFrame, usize),
    sink: &mut dyn RowSink,
) -> Result<(), TraceError> {
    let mut columns = Vec::with_capacity(schema.len());
    for field in schema.iter_values() {
        columns.push(if !sink.wants(&field.name) {
            Decoded::Unwanted
        } else if let Ok(column) = frame.column(&field.name) {
            decode(column).map_err(|error| polars_error(path, &error))?
        } else {
            Decoded::Other
        });
    }
    for row in 0..frame.height() {
        let cells: Vec<Cell<'_>> = columns.iter().map(|column| column.cell(row)).collect();
        sink.row((before + row) as u64 + 1, &cells)?;
    }
    Ok(())
}

/// Writes `rows` rows.
pub(super) fn write(
    path: &Path,
    file: &mut dyn Write,
    columns: &[Column],
    rows: usize,
    value: &mut dyn FnMut(usize, usize) -> Value,
) -> Result<(), TraceError> {
    let fail =
        |error: PolarsError| TraceError::Write { path: path.to_owned(), reason: error.to_string() };
    let series = columns
        .iter()
        .enumerate()
        .map(|(place, column)| series(column, (0..rows).map(|row| value(row, place))))
        .collect();
    let mut frame = DataFrame::new(rows, series).map_err(fail)?;
    ParquetWriter::new(file).set_parallel(false).finish(&mut frame).map_err(fail)?;
    Ok(())
}

/// A column of one fixed type per [`ColumnType`], whatever its values are.
fn series(column: &Column, values: impl Iterator<Item = Value>) -> PolarsColumn {
    let name = PlSmallStr::from_static(column.name);
    let series = match column.kind {
        ColumnType::Text(_) | ColumnType::Choice(_) | ColumnType::Instant => {
            let texts: Vec<Option<String>> = values
                .map(|value| match value {
                    Value::Missing => None,
                    value => Some(column.kind.render(&value)),
                })
                .collect();
            Series::new(name, texts)
        }
        ColumnType::Flag => {
            let flags: Vec<Option<bool>> = values.map(|value| value.flag()).collect();
            Series::new(name, flags)
        }
        ColumnType::Count(..) | ColumnType::Bytes => {
            let wholes: Vec<Option<u64>> = values.map(|value| value.whole()).collect();
            Series::new(name, wholes)
        }
        ColumnType::Signed => {
            let signed: Vec<Option<i64>> = values.map(|value| value.signed()).collect();
            Series::new(name, signed)
        }
        ColumnType::Seconds | ColumnType::Cores | ColumnType::Mebibytes => {
            let numbers: Vec<Option<f64>> =
                values.map(|value| column.kind.number(&value)).collect();
            Series::new(name, numbers)
        }
    };
    series.into_column()
}
