//! The report of a result folder: what happened, what it cost, where that went, what to change.
//!
//! Made from the folder alone (`summary.json`, `findings.json`, the tables), so that it can be made
//! again of any result. It shows the first replication, with intervals over all of them where the
//! summary has some. Leaves out: what the tables do not hold, such as other replications' plots.

mod advice;
mod answer;
mod autoscaling;
mod data;
mod failures;
mod money;
mod notes;
mod owners;
mod runs;
mod spot;
mod waiting;
mod weather;

use std::path::Path;

use crate::document::Document;
use crate::result_file::ResultFileError;
use crate::tables::ReadError;

/// How many owners, runs and reasons are shown of each.
const TOP: usize = 50;

/// No report could be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] ReadError),
    /// A file of the folder cannot be read.
    #[error(transparent)]
    File(#[from] ResultFileError),
    /// A run's life cannot be told.
    #[error(transparent)]
    Explain(#[from] crate::explain::ExplainError),
    /// The time zone has no such name.
    #[error("{0}")]
    Zone(String),
}

/// The report of the result in `folder`; `timezone` instead of the scenario's.
///
/// # Errors
/// A folder that holds no result of this version.
pub fn report(folder: &Path, timezone: Option<&str>) -> Result<Document, ReportError> {
    let data = data::Data::read(folder, timezone)?;
    let sections = vec![
        answer::section(&data),
        weather::section(&data),
        money::section(&data),
        waiting::section(&data),
        failures::section(&data),
        owners::applications(&data),
        owners::teams(&data),
        spot::section(&data),
        autoscaling::section(&data),
        runs::section(&data, folder)?,
        notes::assumptions(&data),
        notes::findings(&data),
    ];
    Ok(Document { title: data.text("/scenario"), subtitle: answer::subtitle(&data), sections })
}
