//! The Parquet tables of a result folder: one row per finished entity, written while the
//! simulation runs.
//!
//! [`TableSink`] turns records into typed columns and hands every full batch to the file as a row
//! group, so that memory stays the same however long the simulated time is. What the columns are
//! is said once, in [`TABLES`]; the writer and `docs/result-format.md` both come from there.
//!
//! Times are seconds since the workload's start, exact to the millisecond; the start itself is in
//! the metadata of every file (`seatrial.start_epoch_ms`), and `runs` has it as text. Names are as
//! recorded, not escaped. The same records give the same bytes.

mod column;
mod columns;
mod parquet;
mod read;
mod sink;
mod staged;

pub use columns::{ColumnSpec, ColumnType, TABLES, TableSpec};
pub use parquet::TableError;
pub use read::{ReadError, TableFile, TableRow};
pub use sink::TableSink;

#[cfg(test)]
pub(crate) mod tests;
