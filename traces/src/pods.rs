//! Pod traces in any notation: the canonical `pods` table, or openb's CSV files as they come,
//! told apart by their header.

pub mod openb;

use std::path::Path;

use sim::Finding;
use sim::workload::TracePod;

use crate::canonical;
use crate::table::{self, Cell, RowSink, TableCounts};
use crate::{TraceError, canonical::POD_COLUMNS};

/// A pod trace as it was read.
#[derive(Debug, Default)]
pub struct PodTable {
    /// Pods in the file's order.
    pub pods: Vec<TracePod>,
    /// Where the rows of the file went.
    pub counts: TableCounts,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Reads the pod trace at `path`.
///
/// # Errors
/// A file that is not a table, lacks required columns, or is one of openb's without times.
pub fn read_pod_trace(path: &Path) -> Result<PodTable, TraceError> {
    let names = header(path)?;
    let has = |name: &str| names.iter().any(|known| known == name);
    if !has(POD_COLUMNS[0].name) && has("name") && (has("gpu_milli") || has("creation_time")) {
        return openb::read_pods(path, &names);
    }
    let (pods, counts, findings) = canonical::read_pods(path)?;
    Ok(PodTable { pods, counts, findings })
}

/// The names of a table's columns.
pub(crate) fn header(path: &Path) -> Result<Vec<String>, TraceError> {
    let mut sink = HeaderOnly { names: None };
    match (table::read(path, &mut sink), sink.names) {
        (_, Some(names)) => Ok(names),
        (Err(error), None) => Err(error),
        (Ok(()), None) => Ok(Vec::new()),
    }
}

/// Ends the reading of a file after its header.
struct HeaderOnly {
    names: Option<Vec<String>>,
}

impl RowSink for HeaderOnly {
    fn header(&mut self, names: &[String]) -> Result<(), TraceError> {
        self.names = Some(names.to_vec());
        // Any error stops the reader; this one is never seen, because the names are there.
        Err(TraceError::Options(Vec::new()))
    }

    fn wants(&self, _: &str) -> bool {
        false
    }

    fn row(&mut self, _: u64, _: &[Cell<'_>]) -> Result<(), TraceError> {
        Ok(())
    }

    fn ragged(&mut self, _: u64, _: usize, _: usize) {}
}
