//! Recorded files to `sim::Workload`, with findings; synthesis; the canonical trace.

pub mod canonical;

mod error;

pub mod event_log;

pub mod lowered;

pub mod table;

pub use error::TraceError;
pub use lowered::LoweredRun;
