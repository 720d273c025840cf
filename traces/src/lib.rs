//! Recorded files to `sim::Workload`, with findings; synthesis; the canonical trace.

pub mod event_log;

pub mod lowered;

pub use lowered::LoweredRun;
