//! The canonical trace: tables of runs, of their stages and of plain pods, in CSV or Parquet.
//!
//! [`RUN_COLUMNS`], [`STAGE_COLUMNS`] and [`POD_COLUMNS`] are the one description of the format;
//! reader, writer, inspection and `docs/trace-format.md` follow from them. A column that is not
//! there, or an empty cell, means "not recorded".
//!
//! Reading never fails over a bad row: it is dropped or its bad value is taken as missing, and a
//! [`sim::Finding`] counts it. Reading fails when the file as a whole makes no sense.

mod columns;
mod docs;
mod fold;
#[cfg(test)]
mod hostile_tests;
mod labels;
mod pods;
mod reader;
#[cfg(test)]
mod round_trip_tests;
mod run_row;
mod runs;
mod stages;
mod task_text;

pub use columns::{POD_COLUMNS, RUN_COLUMNS, STAGE_COLUMNS};
pub use docs::trace_format_markdown;
pub use fold::fold_retries;
pub(crate) use pods::pod_value;
pub use pods::{read_pods, write_pods};
pub(crate) use reader::{Fate, Row, TableReader};
pub use run_row::RunRow;
pub(crate) use runs::{NO_TEAM, RUN_FIELDS, RowTaker, RunList, outcome_name, read_rows};
pub use runs::{RunTable, read_runs, write_runs, write_runs_csv};
pub use stages::{StageTable, attach_stages, read_stages, write_stages};
