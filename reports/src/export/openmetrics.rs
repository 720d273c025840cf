//! A result as OpenMetrics text, for `promtool tsdb create-blocks-from openmetrics`.
//!
//! Every family is one pass over a table, and a pod's or node's samples are written as its row is
//! read: memory grows with the nodes of the result, not with pods, moments or samples.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::exposition::Exposition;
use super::steps::{Steps, Window, ms};
use super::unfinished::Unfinished;
use super::{ExportError, autoscaler, nodes, pods};
use crate::tables::{ReadError, TableFile};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsWritten {
    /// Samples.
    pub samples: u64,
    /// The trace has a calendar; otherwise timestamps count from 1970.
    pub calendar: bool,
}

struct Tables {
    nodes: TableFile,
    pools: TableFile,
    pods: TableFile,
    timeline: TableFile,
    scaling: TableFile,
}

impl Tables {
    fn open(result: &Path) -> Result<Self, ReadError> {
        let open = |name| TableFile::open(result, name);
        Ok(Self {
            nodes: open("nodes")?,
            pools: open("pools")?,
            pods: open("pods")?,
            timeline: open("timeline")?,
            scaling: open("scaling")?,
        })
    }

    /// When the simulation ended: the last moment that a table knows.
    fn end(&self) -> Result<i64, ReadError> {
        let mut end = 0;
        let tables = [
            (&self.timeline, "at_s"),
            (&self.nodes, "terminated_s"),
            (&self.pods, "ended_s"),
            (&self.scaling, "at_s"),
        ];
        for (table, column) in tables {
            table.rows(&[column], |row| end = end.max(row.float(0).map_or(0, ms)))?;
        }
        Ok(end)
    }
}

/// Writes the metrics of the result in the folder `result` to `out`.
///
/// # Errors
/// A folder that holds no tables of this version, a window without a moment, or what the writer
/// said.
pub fn write_openmetrics(
    result: &Path,
    window: &Window,
    out: &mut dyn Write,
) -> Result<MetricsWritten, ExportError> {
    let tables = Tables::open(result)?;
    let steps =
        Steps::new(window, tables.end()?).map_err(|reason| ExportError::refused(result, reason))?;
    let epoch_ms = tables.pods.start_epoch_ms();
    let mut exposition = Exposition::new(out, epoch_ms);
    let Tables { nodes, pools, pods, timeline, scaling } = &tables;
    nodes::write(nodes, pools, steps, &mut exposition)?;
    pods::write(pods, steps, &mut exposition)?;
    autoscaler::write(timeline, scaling, nodes, steps, &mut exposition)?;
    let samples = exposition.finish().map_err(ExportError::Writer)?;
    Ok(MetricsWritten { samples, calendar: epoch_ms != 0 })
}

/// As [`write_openmetrics`], into a file that appears whole or not at all.
///
/// # Errors
/// As [`write_openmetrics`], and a file that is there already (unless `replace`).
pub fn write_openmetrics_file(
    result: &Path,
    window: &Window,
    target: &Path,
    replace: bool,
) -> Result<MetricsWritten, ExportError> {
    if target.file_name().is_none() {
        return Err(ExportError::refused(target, "is not the name of a file"));
    }
    match fs::symlink_metadata(target) {
        Ok(there) if !there.is_file() => {
            let reason = "is no plain file; `--prometheus -` writes to standard output";
            return Err(ExportError::refused(target, reason));
        }
        Ok(_) if !replace => {
            let reason = "is there already; --replace writes it anew";
            return Err(ExportError::refused(target, reason));
        }
        _ => {}
    }
    let (unfinished, file) = Unfinished::create(target)?;
    let written = write_openmetrics(result, window, &mut BufWriter::with_capacity(1 << 20, file));
    let written = written.map_err(|error| match error {
        ExportError::Writer(source) => ExportError::io(target, source),
        error => error,
    })?;
    unfinished.commit()?;
    Ok(written)
}
