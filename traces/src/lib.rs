//! Recorded files to `sim::Workload`, with findings; synthesis; the canonical trace.

pub mod canonical;
mod error;
pub mod event_log;
pub mod failure_patterns;
pub mod ingest;
#[cfg(test)]
mod ingest_tests;
pub mod inspect;
pub mod load;
pub mod lowered;
pub mod pods;
pub mod recorded;
pub mod spool;
pub mod spot_fit;
pub mod spot_series;
pub mod swf;
pub mod synthesize;
pub mod table;
pub mod workload;

pub use error::TraceError;
pub use ingest::{IngestReport, ingest};
pub use inspect::{Inspection, inspect, lint};
pub use load::{LoadedTrace, TraceSource, load, record};
pub use lowered::LoweredRun;
pub use recorded::Recorded;
pub use spool::SpoolOptions;
pub use synthesize::{SynthOptions, synthesize, synthesize_days, synthesize_rows};
pub use workload::{Resample, WorkloadOptions, into_workload, to_workload};
