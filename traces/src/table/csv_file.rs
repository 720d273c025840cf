//! CSV files: a header, then records; UTF-8, `"` quotes, plain or gzip.
//!
//! Cells are written as they are, also those that begin with `=`, `+`, `-` or `@`: a trace must
//! read back as it was. Do not open one from a stranger in a spreadsheet.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::rc::Rc;

use super::{Cell, Column, RowSink, Value};
use crate::TraceError;

/// Opens a text file, decompressing it where it begins as gzip files do.
pub(crate) fn open_text(path: &Path) -> Result<Box<dyn Read>, TraceError> {
    let io = |source| TraceError::io(path, source);
    let mut file = File::open(path).map_err(io)?;
    let mut magic = Vec::with_capacity(2);
    (&mut file).take(2).read_to_end(&mut magic).map_err(io)?;
    let gzip = magic == [0x1f, 0x8b];
    let whole = std::io::Cursor::new(magic).chain(BufReader::new(file));
    Ok(if gzip { Box::new(flate2::read::MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}

/// A reader that gives up when too much comes without [`LimitedReader::reset`]: the CSV parser
/// holds a whole record in memory, and a quote that is never closed makes a record of the rest
/// of the file.
pub(crate) struct LimitedReader<R> {
    inner: R,
    limit: u64,
    since_reset: Rc<std::cell::Cell<u64>>,
}

impl<R> LimitedReader<R> {
    /// Reads `inner`, with a counter of bytes that the caller sets back to zero after each record.
    pub(crate) fn new(inner: R, limit: u64) -> (Self, Rc<std::cell::Cell<u64>>) {
        let since_reset = Rc::new(std::cell::Cell::new(0));
        let counter = Rc::clone(&since_reset);
        let reader = Self { inner, limit, since_reset };
        (reader, counter)
    }
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.since_reset.get() > self.limit {
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("a record of more than {} bytes: is a quote never closed?", self.limit),
            ));
        }
        let count = self.inner.read(buffer)?;
        self.since_reset.set(self.since_reset.get() + count as u64);
        Ok(count)
    }
}

/// Reads the file, giving every record to `sink`.
pub(super) fn read(path: &Path, sink: &mut dyn RowSink) -> Result<(), TraceError> {
    let (text, since_reset) = LimitedReader::new(open_text(path)?, super::RECORD_BYTES_MAX);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut record = csv::ByteRecord::new();
    let mut next = |record: &mut csv::ByteRecord| -> Result<bool, TraceError> {
        let more = reader.read_byte_record(record).map_err(|error| csv_error(path, &error))?;
        since_reset.set(0);
        Ok(more)
    };
    if !next(&mut record)? {
        return Err(TraceError::unreadable(
            path,
            "the file is empty: a header with the names of the columns is expected",
        ));
    }
    let names = header_names(path, &record)?;
    sink.header(&names)?;
    let mut rows = 0;
    while next(&mut record)? {
        rows += 1;
        if rows > super::ROWS_MAX {
            return Err(TraceError::TooLarge {
                path: path.to_owned(),
                what: "it has too many rows".to_owned(),
                limit: super::ROWS_MAX,
            });
        }
        let line = record.position().map_or(rows + 1, csv::Position::line);
        if record.len() != names.len() {
            sink.ragged(line, record.len(), names.len());
            continue;
        }
        let cells: Vec<Cell<'_>> = record.iter().map(cell).collect();
        sink.row(line, &cells)?;
    }
    Ok(())
}

fn cell(bytes: &[u8]) -> Cell<'_> {
    match std::str::from_utf8(bytes) {
        Ok("") => Cell::Missing,
        Ok(text) => Cell::Text(text),
        Err(_) => Cell::Bad("not UTF-8 text"),
    }
}

fn header_names(path: &Path, record: &csv::ByteRecord) -> Result<Vec<String>, TraceError> {
    if record.len() > super::COLUMNS_MAX {
        return Err(TraceError::TooLarge {
            path: path.to_owned(),
            what: format!("its header has {} columns", record.len()),
            limit: super::COLUMNS_MAX as u64,
        });
    }
    Ok(record
        .iter()
        .map(|bytes| {
            let name = String::from_utf8_lossy(bytes);
            name.trim_start_matches('\u{feff}').trim().to_owned()
        })
        .collect())
}

fn csv_error(path: &Path, error: &csv::Error) -> TraceError {
    let line = error.position().map(|at| format!("line {}: ", at.line()));
    TraceError::unreadable(path, format!("{}{error}", line.unwrap_or_default()))
}

/// Writes a header and `rows` records.
pub(super) fn write(
    path: &Path,
    file: &mut dyn Write,
    columns: &[Column],
    rows: usize,
    value: &mut dyn FnMut(usize, usize) -> Value,
) -> Result<(), TraceError> {
    let mut writer = CsvWriter::begin(path, file, columns)?;
    writer.rows(rows, value)?;
    writer.finish()
}

/// A CSV file that is written part by part.
pub(crate) struct CsvWriter<'a> {
    path: &'a Path,
    columns: &'a [Column],
    writer: csv::Writer<&'a mut dyn Write>,
}

impl<'a> CsvWriter<'a> {
    /// Writes the header.
    pub(crate) fn begin(
        path: &'a Path,
        file: &'a mut dyn Write,
        columns: &'a [Column],
    ) -> Result<Self, TraceError> {
        let mut writer = Self { path, columns, writer: csv::Writer::from_writer(file) };
        let names = columns.iter().map(|column| column.name);
        writer.writer.write_record(names).map_err(|error| writer.failed(&error))?;
        Ok(writer)
    }

    /// Writes `rows` more records.
    pub(crate) fn rows(
        &mut self,
        rows: usize,
        value: &mut dyn FnMut(usize, usize) -> Value,
    ) -> Result<(), TraceError> {
        for row in 0..rows {
            for (place, column) in self.columns.iter().enumerate() {
                let text = column.kind.render(&value(row, place));
                self.writer.write_field(text).map_err(|error| self.failed(&error))?;
            }
            self.writer.write_record(None::<&[u8]>).map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    /// All of them are written.
    pub(crate) fn finish(mut self) -> Result<(), TraceError> {
        self.writer.flush().map_err(|source| TraceError::io(self.path, source))
    }

    fn failed(&self, error: &csv::Error) -> TraceError {
        TraceError::Write { path: self.path.to_owned(), reason: error.to_string() }
    }
}
